"""The timetable of one feed as arrays: saved as a folder that never changes, mapped in memory, shared by processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.words import pieces
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.transit.calendars import Calendar

FORM = 1
"""Number of the form of the folder; another one is built again."""
NO_TIME = -1
STATION, PLATFORM, BOARDING_AREA = 1, 0, 4


class BadTimetable(BeffroiError):
    """The folder of a timetable is incomplete or of another form."""


@dataclass(frozen=True, slots=True)
class StopTexts:
    """What is written of stops, by their number: id, name, code on the sign, code of the platform, row in the lake."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    codes: tuple[str, ...]
    platforms: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RouteTexts:
    """What is written of lines, by their number. Colours are ``#rrggbb`` or empty."""

    ids: tuple[str, ...]
    short_names: tuple[str, ...]
    long_names: tuple[str, ...]
    colours: tuple[str, ...]
    text_colours: tuple[str, ...]


@dataclass(frozen=True)
class Timetable:
    """One feed. s stops, r routes, t trips, n stop times (in the order of trips, then of their sequence), i strings.

    `stop_lon`, `stop_lat` (s) float64 degrees, NaN when unknown; `stop_parent` (s) int32, -1 without one; `stop_kind`
    and `stop_wheelchair` (s) uint8 as GTFS codes them, the latter 0 where nobody says, taken from the station when it
    alone says. `route_type`, `route_order` (r) int32. `trip_route`, `trip_service`, `trip_sign` int32 (of `strings`),
    `trip_way` int8 (-1 unknown), `trip_wheelchair` uint8, `trip_start` int32 (seconds for a trip made of a frequency,
    else -1), `trip_exact` bool, `trip_shape` int32 (-1 none); `trip_id` (t) bytes, `trip_rank` (t) int32 sorts it.
    `first` (t + 1): the stop times of trip k are ``first[k]:first[k + 1]``. `at_stop` int32, `arrival`, `departure`
    int32 seconds since noon minus twelve hours, `sequence` int32, `sign` int32 (of `strings`, -1 for the trip's own),
    `pickup`, `drop_off` uint8, `guessed` bool (no time in the feed: between those of its neighbours).
    `leave_first` (s + 1), `leaves`: stop times at which one may board at a stop, in the order of their departure.
    `of_trip` (n) int32. `line_first`, `line_points` (·, 2): shapes.
    """

    stop_lon: Array
    stop_lat: Array
    stop_parent: Array
    stop_kind: Array
    stop_wheelchair: Array
    route_type: Array
    route_order: Array
    trip_id: Array
    trip_rank: Array
    trip_route: Array
    trip_service: Array
    trip_sign: Array
    trip_way: Array
    trip_wheelchair: Array
    trip_start: Array
    trip_exact: Array
    trip_shape: Array
    first: Array
    of_trip: Array
    at_stop: Array
    arrival: Array
    departure: Array
    sequence: Array
    sign: Array
    pickup: Array
    drop_off: Array
    guessed: Array
    leave_first: Array
    leaves: Array
    line_first: Array
    line_points: Array
    calendar: Calendar
    stops: StopTexts
    routes: RouteTexts
    services: tuple[str, ...]
    strings: tuple[str, ...]
    about: dict[str, Any]

    @property
    def version(self) -> str:
        return str(self.about["version"])

    @property
    def built_at(self) -> datetime:
        return datetime.fromisoformat(self.about["built_at"])

    @cached_property
    def zone(self) -> ZoneInfo:
        """Return the time zone of the network."""
        return ZoneInfo(self.about["timezone"])

    @cached_property
    def stop_number(self) -> dict[str, int]:
        """Return the number of each stop by its id."""
        return {name: number for number, name in enumerate(self.stops.ids)}

    @cached_property
    def route_number(self) -> dict[str, int]:
        """Return the number of each line by its id."""
        return {name: number for number, name in enumerate(self.routes.ids)}

    @cached_property
    def children(self) -> dict[int, tuple[int, ...]]:
        """Return the stops of each station that has some, boarding areas through their platform."""
        found: dict[int, list[int]] = {}
        for number, parent in enumerate(self.stop_parent.tolist()):
            while parent >= 0:
                found.setdefault(parent, []).append(number)
                parent = int(self.stop_parent[parent])
        return {parent: tuple(those) for parent, those in found.items()}

    def together(self, number: int) -> tuple[int, ...]:
        """Return a stop and, for a station, its platforms."""
        return (number, *self.children.get(number, ()))

    @cached_property
    def heads(self) -> dict[int, str]:
        """Return the stations and lone stops from which something leaves, with their name as it is searched."""
        count = np.diff(self.leave_first)
        return {
            number: " ".join(pieces(self.stops.names[number]))
            for number in np.flatnonzero(self.stop_parent < 0).tolist()
            if any(count[one] for one in self.together(number))
        }

    @cached_property
    def latest(self) -> int:
        """Return the latest departure of a service day, in seconds."""
        return int(self.departure.max(initial=0))

    def trips_of(self, trip_id: str) -> list[int]:
        """Return the trips of that id: one, several when a frequency repeats it, none when unknown."""
        wanted = np.bytes_(trip_id.encode())
        if len(wanted) > self.trip_id.dtype.itemsize:
            return []
        ranks = [np.searchsorted(self.trip_id, wanted, side, sorter=self.trip_rank) for side in ("left", "right")]
        return [int(one) for one in self.trip_rank[ranks[0] : ranks[1]]]

    def name_of_trip(self, trip: int) -> str:
        """Return the id of a trip."""
        return bytes(self.trip_id[trip]).decode()

    def destination(self, row: int) -> str:
        """Return what the front of the vehicle says at a stop time: its sign, the trip's, or its last stop."""
        trip = int(self.of_trip[row])
        for text in (int(self.sign[row]), int(self.trip_sign[trip])):
            if text >= 0 and self.strings[text]:
                return self.strings[text]
        return self.stops.names[int(self.at_stop[self.first[trip + 1] - 1])]

    def line(self, shape: int) -> Array:
        """Return the vertices (n, 2) of a shape, longitude and latitude."""
        found: Array = self.line_points[self.line_first[shape] : self.line_first[shape + 1]]
        return found


_TEXTS = ("stops", "routes")
_PLAIN = ("services", "strings")
_ARRAYS = tuple(one.name for one in fields(Timetable) if one.name not in (*_TEXTS, *_PLAIN, "calendar", "about"))
_CALENDAR = tuple(one.name for one in fields(Calendar))


def save(timetable: Timetable, folder: Path) -> None:
    """Write a timetable in `folder`, which must be new; the caller makes it durable."""
    folder.mkdir(parents=True)
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(timetable, name))
    for name in _CALENDAR:
        np.save(folder / f"calendar_{name}.npy", getattr(timetable.calendar, name))
    texts = {"stops": asdict(timetable.stops), "routes": asdict(timetable.routes)}
    plain = {key: getattr(timetable, key) for key in _PLAIN}
    written = timetable.about | {"form": FORM, "texts": texts, "plain": plain}
    (folder / "timetable.json").write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> Timetable:
    """Map the timetable saved in `folder`: times are read when they are used, and processes share the pages.

    Raises:
        BadTimetable: a file is missing or the form is another.
    """
    remedy = "reconstruisez-les : beffroi transit build"
    try:
        about = json.loads((folder / "timetable.json").read_text(encoding="utf-8"))
        if about.pop("form") != FORM:
            raise BadTimetable("horaires d'une autre forme", where=folder.name, remedy=remedy)
        arrays = {name: _mapped(folder / f"{name}.npy") for name in _ARRAYS}
        calendar = Calendar(**{name: _mapped(folder / f"calendar_{name}.npy") for name in _CALENDAR})
        texts, plain = about.pop("texts"), about.pop("plain")
        stops = StopTexts(**{name: tuple(those) for name, those in texts["stops"].items()})
        routes = RouteTexts(**{name: tuple(those) for name, those in texts["routes"].items()})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadTimetable(
            "horaires incomplets ({reason})", where=folder.name, remedy=remedy, reason=str(error)
        ) from error
    services, strings = (tuple(plain[key]) for key in _PLAIN)
    return Timetable(
        **arrays, calendar=calendar, stops=stops, routes=routes, services=services, strings=strings, about=about
    )


def _mapped(path: Path) -> Array:
    # A plain array over the mapped pages: NumPy's own memmap class makes each small slice five times dearer.
    return np.asarray(np.load(path, mmap_mode="r"))
