"""The engine transit gives to the catalogue: the next departures of a small network, late or cancelled as told.

[[example]]
when = { at = "2026-03-02T08:00", stop = "Mairie", trips = [{ line = "1", calls = ["Mairie 08:05", "Gare 08:15"], late_s = 120 }] }
then = { next = ["1 Gare 08:07 +2"] }
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.kernel.time import PARIS
from beffroi.sense.mobility.lacking import lacking_timetables


class Settings(BaseModel):
    """The table of a use case: nothing to set."""

    model_config = ConfigDict(extra="forbid")


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        "transit",
        schema=Settings,
        url_name="portal:transit",
        example_runner=run_example,
        lacking=lacking_timetables,
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return the departures (``line destination time +minutes``) of the network an example describes, every day of it.

    A trip is ``{line, calls = ["stop HH:MM", …], late_s, cancelled}``.
    """
    from beffroi.sense.mobility.transit.building import build
    from beffroi.sense.mobility.transit.departures import next_departures
    from beffroi.sense.mobility.transit.messages import Update
    from beffroi.sense.mobility.transit.realtime import Moment, State

    when = dict(example.when)
    at = datetime.fromisoformat(str(when["at"])).replace(tzinfo=PARIS)
    timetable = build(drawn_tables(when["trips"], f"{at:%Y%m%d}"), feed="exemple", territory="", version="", at=at)
    updates = tuple(
        Update(f"t{rank}", at.date().toordinal(), -1, bool(trip.get("cancelled")), trip.get("late_s"), ())
        for rank, trip in enumerate(when["trips"])
        if "late_s" in trip or "cancelled" in trip
    )
    stop = timetable.stop_number[str(when["stop"])]
    moment = Moment(updates=updates, told_at=at)
    found = []
    for one in next_departures(timetable, [stop], at, most=10, moment=moment):
        name = timetable.routes.short_names[one.route]
        state = "supprimé" if one.state is State.CANCELLED else f"{one.at.astimezone(PARIS):%H:%M}"
        late = f" +{one.delay_s // 60}" if one.delay_s else ""
        found.append(f"{name} {one.destination} {state}{late}")
    return {"next": found}


def drawn_tables(trips: list[dict[str, Any]], day: str) -> Any:
    """Return the GTFS tables of a few trips that run on one `day` (``YYYYMMDD``), their stops named by their calls."""
    from beffroi.sense.mobility.transit.tables import Table, Tables

    calls = [
        (f"t{rank}", *call.rpartition(" ")[::2], str(number))
        for rank, trip in enumerate(trips)
        for number, call in enumerate(trip["calls"])
    ]
    stops = list(dict.fromkeys(stop for _, stop, _, _ in calls))
    lines = list(dict.fromkeys(str(trip["line"]) for trip in trips))
    rows = {
        "stops": {
            "stop_id": stops,
            "stop_name": stops,
            "stop_lat": ["45"] * len(stops),
            "stop_lon": ["3"] * len(stops),
        },
        "routes": {"route_id": lines, "route_short_name": lines, "route_type": ["3"] * len(lines)},
        "trips": {
            "trip_id": [f"t{rank}" for rank in range(len(trips))],
            "route_id": [str(trip["line"]) for trip in trips],
            "service_id": ["S"] * len(trips),
        },
        "stop_times": {
            "trip_id": [one[0] for one in calls],
            "stop_id": [one[1] for one in calls],
            "departure_time": [f"{one[2]}:00" for one in calls],
            "stop_sequence": [one[3] for one in calls],
        },
        "calendar_dates": {"service_id": ["S"], "date": [day], "exception_type": ["1"]},
    }
    return Tables({name: Table(columns, len(next(iter(columns.values())))) for name, columns in rows.items()})
