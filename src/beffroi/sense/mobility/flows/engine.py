"""The engine flows gives to the catalogue: what passes by mode and hour, counted, estimated, or seen by a sample.

[flows]
[flows.counters]                         # the three files of the national schema
sites    = "comptage-sites"
channels = "comptage-channels"
measures = "comptage-mesures"

[[flows.hourly]]                         # motor vehicles by hour, as the engine hours reads them
dataset = "comptages-horaires"

[flows.daily]                            # the traffic of a mean day, whose hours are estimated
dataset = "comptages-routiers"

[flows.sample]                           # what a sample of travellers did, added up by segment and hour
dataset = "flux-agreges"
streets = "troncons-route"
least   = 10

[[example]]
when = { passages = { pieton = 50, velo = 30, voiture = 120 } }
then = { share = { pieton = 25, velo = 15, voiture = 60 } }
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.sense.mobility.flows.counting import Passage, counted
from beffroi.sense.mobility.flows.estimating import profiles, shared_out
from beffroi.sense.mobility.flows.modes import Mode
from beffroi.sense.mobility.flows.settings import FlowsSettings
from beffroi.sense.mobility.flows.shares import share_of
from beffroi.sense.mobility.hours.profiles import Day

ENGINE = "flows"
_MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=FlowsSettings, url_name="portal:flows-for", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return what an example's counters say, of one of three kinds.

    `days`: the hours a counter wrote on weekdays in a row ("0*11 …", a dash where it did not count); gives the mean at
    `hour`, None as "unknown", and how many days failed. `passages`: by mode at an hour, gives the share of each in
    hundredths. `total` with `profiles` (counters of the mode): gives the estimate at `hour`.
    """
    when = dict(example.when)
    if "passages" in when:
        share = share_of({Mode(key): None if value == "" else float(value) for key, value in when["passages"].items()})
        of = {str(mode): round(100 * part) for mode in share.passages if (part := share.of(mode)) is not None}
        return {"share": of, "missing": str(share.missing or "")}
    hour = int(when["hour"])
    if "total" in when:
        made = profiles([{Day.WEEKDAY: tuple(_hours(one))} for one in when["profiles"]])
        one = shared_out(float(when["total"]), made[Day.WEEKDAY], of_kind=True) if Day.WEEKDAY in made else None
        mean = one.mean[hour] if one else None
        return {"estimate": "unknown" if mean is None else round(mean)}
    passages = [
        Passage(start, start + timedelta(hours=1), value)
        for rank, day in enumerate(when["days"])
        for at, value in enumerate(_hours(day))
        for start in [_MONDAY + timedelta(days=rank, hours=at)]
    ]
    told = counted(passages, lambda _day: False)
    mean = told.days[Day.WEEKDAY][hour] if Day.WEEKDAY in told.days else None
    return {"mean": "unknown" if mean is None else round(mean), "failed": len(told.failed)}


def _hours(text: str) -> list[float | None]:
    """Read the hours of a day: "0*6 20 40*17"; a dash is an hour that was not counted."""
    found: list[float | None] = []
    for word in str(text).split():
        value, _times, count = word.partition("*")
        found += [None if value == "-" else float(value)] * int(count or 1)
    return found
