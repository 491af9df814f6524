"""The engine hours gives to the catalogue: which datasets tell how busy each hour is; an example holds a few rows.

[hours]
first = 6
last  = 22

[[hours.read]]
dataset = "comptages-horaires"
measure = "vehicles"                     # or "filling": the share of places taken
place   = "voie"
day     = "type_jour"                    # or `date` (each row of a date), or `moment` (date and hour together)
days    = { "jour ouvré" = "weekday" }
hour    = "heure"
value   = "vehicules"

[[example]]
when = { dataset = "comptages-horaires", place = "Avenue A", day = "weekday", rows = [["Avenue A", "jour ouvré", 8, 900], …] }
then = { peak = "8-9", before = 7, after = 9 }
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.clock.queries import holiday_on
from beffroi.lake import queries as lake
from beffroi.sense.mobility.hours.profiles import Day, hourly, peaks
from beffroi.sense.mobility.hours.reading import seen_in
from beffroi.sense.mobility.hours.settings import HoursSettings, Reading
from beffroi.sense.mobility.hours.shifts import best_shift, shifted

ENGINE = "hours"


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        ENGINE,
        schema=HoursSettings,
        url_name="portal:hours-for",
        example_runner=run_example,
        lacking=lambda one, territory: lake.missing(territory, (read.dataset for read in one.settings[ENGINE].read)),
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return what the rows of an example say of a place: its first peak, the better hours, the best shift to start.

    `rows` follow `columns` when it is told, else the place, the day or date, the hour, then the figures of the dataset.
    `start` ("09:00"): the hour one starts work.
    """
    when, settings = dict(example.when), use_case.settings[ENGINE]
    reading = next(one for one in settings.read if one.dataset == when["dataset"])
    columns = when.get("columns") or _columns(reading)
    rows = [dict.fromkeys(reading.columns) | dict(zip(columns, map(_read, row), strict=True)) for row in when["rows"]]
    seen = [one for row in rows if (one := seen_in(row, reading, lambda day: holiday_on(day) is not None))]
    day = hourly(seen, reading.measure)[str(when["place"]), Day(when["day"])]
    found = peaks(day.values, first=settings.first, last=settings.last)
    start = str(when.get("start", "09:00")).split(":")
    best = best_shift(shifted(day.values, start_min=60 * int(start[0]) + int(start[1]), before=True))
    return {
        "peak": f"{found[0].start}-{found[0].end}" if found else "",
        "peaks": len(found),
        "before": found[0].before if found else None,
        "after": found[0].after if found else None,
        "value": round(found[0].value, 2) if found else None,
        "days": day.days,
        "shift": best.shift_min if best else 0,
    }


def _columns(reading: Reading) -> tuple[str, ...]:
    figures = (reading.value, reading.free, reading.total)
    return tuple(
        one for one in (reading.place, reading.moment, reading.day, reading.date, reading.hour, *figures) if one
    )


def _read(value: Any) -> Any:
    """Return a value of an example as a dataset would hold it: ISO dates and moments are read."""
    if isinstance(value, str) and len(value) >= 10 and value[4] == "-":
        return datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    return value
