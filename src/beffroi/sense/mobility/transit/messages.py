"""Read a GTFS-RT message: trips late, cancelled or added, incidents, places of vehicles.

Source: GTFS Realtime Reference 2.0 (gtfs.org).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as rt

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.transit.building import day_of, seconds_of

_TRIP = rt.TripDescriptor
_CALL = rt.TripUpdate.StopTimeUpdate
_CANCELLED = (_TRIP.CANCELED, _TRIP.DELETED)
_EXTRA = (_TRIP.ADDED, _TRIP.NEW)
_FARTHEST_S = 4_102_444_800
"""The year 2100: some networks write the greatest number for « no end »."""
MOST_DELAY_S = 12 * 3600


class BadMessage(BeffroiError):
    """What a network sent is no GTFS-RT message."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is told of one stop of a trip. `at_s` is an instant in seconds, `delay_s` a delay; departure before arrival.

    `sequence` is -1 and `stop_id` empty where not told. `unknown`: nothing is known from this stop on.
    """

    sequence: int
    stop_id: str
    at_s: int | None
    at_arrival: bool
    delay_s: int | None
    skipped: bool
    unknown: bool


@dataclass(frozen=True, slots=True)
class Update:
    """What is told of one trip; `start_day` is an ordinal, `start_s` -1 where not told."""

    trip_id: str
    start_day: int | None
    start_s: int
    cancelled: bool
    delay_s: int | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Extra:
    """A trip that the timetable does not know: each stop it calls at and when it leaves."""

    trip_id: str
    route_id: str
    way: int
    calls: tuple[tuple[str, datetime | None], ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident told by the network. `periods` are (start, end), either None when open; no period means now.

    `entities` are (route id, stop id, trip id, route type), empty or -1 where not told. `effect`, `cause` and
    `severity` are the words of GTFS-RT in lower case.
    """

    id: str
    title: str
    text: str
    url: str
    cause: str
    effect: str
    severity: str
    periods: tuple[tuple[datetime | None, datetime | None], ...]
    entities: tuple[tuple[str, str, str, int], ...]

    def holds(self, at: datetime) -> bool:
        """Tell whether it is in force at `at`."""
        return not self.periods or any(
            (start is None or start <= at) and (end is None or at < end) for start, end in self.periods
        )

    def is_over(self, at: datetime) -> bool:
        """Tell whether it will not be in force again."""
        return bool(self.periods) and all(end is not None and end <= at for _, end in self.periods)

    def is_general(self) -> bool:
        """Tell whether it is about the whole network."""
        return any(not route and not stop and not trip and kind < 0 for route, stop, trip, kind in self.entities)

    def concerns(
        self, *, route_ids: Iterable[str] = (), stop_ids: Iterable[str] = (), route_types: Iterable[int] = ()
    ) -> bool:
        """Tell whether it is about one of these lines, or one of these stops when on one of these lines."""
        routes, stops, kinds = set(route_ids), set(stop_ids), set(route_types)
        for route, stop, trip, kind in self.entities:
            if stop:
                if stop in stops and (not route or route in routes):
                    return True
            elif route:
                if route in routes and not trip:
                    return True
            elif not trip and kind >= 0 and kind in kinds:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Where a vehicle is, in degrees (CRS84), since `at`; `stop_id` is where it is or goes."""

    id: str
    trip_id: str
    route_id: str
    lon: float
    lat: float
    stop_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """All that one message tells. `told_at` is the instant the network gives it."""

    told_at: datetime | None = None
    updates: tuple[Update, ...] = ()
    extras: tuple[Extra, ...] = ()
    alerts: tuple[Alert, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()


def read_message(content: bytes, *, where: str = "") -> Message:
    """Read a message of any kind, or of several.

    Raises:
        BadMessage: the bytes are no such message, or part of one.
    """
    message = rt.FeedMessage()
    try:
        message.ParseFromString(content)
        complete = message.IsInitialized()
    except DecodeError:
        complete = False
    if not complete:
        raise BadMessage(
            "message GTFS-RT illisible ({size} octets)",
            where=where,
            remedy="vérifiez l'adresse : elle doit donner du Protocol Buffers entier",
            size=len(content),
        )
    kept = [one for one in message.entity if not one.is_deleted]
    trips = [one.trip_update for one in kept if one.HasField("trip_update")]
    extras = [one for one in trips if one.trip.schedule_relationship in _EXTRA]
    known = [one for one in trips if one.trip.schedule_relationship not in _EXTRA and one.trip.trip_id]
    return Message(
        told_at=_instant(message.header.timestamp),
        updates=tuple(_update(one) for one in known),
        extras=tuple(_extra(one) for one in extras),
        alerts=tuple(_alert(one.id, one.alert) for one in kept if one.HasField("alert")),
        vehicles=tuple(
            _vehicle(one.id, one.vehicle)
            for one in kept
            if one.HasField("vehicle") and one.vehicle.HasField("position") and _on_globe(one.vehicle.position)
        ),
    )


def _instant(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _FARTHEST_S else None


def _update(told: Any) -> Update:
    trip = told.trip
    return Update(
        trip_id=trip.trip_id,
        start_day=day_of(trip.start_date),
        start_s=seconds_of(trip.start_time),
        cancelled=trip.schedule_relationship in _CANCELLED,
        delay_s=_delay(told.delay) if told.HasField("delay") else None,
        calls=tuple(_call(one) for one in told.stop_time_update),
    )


def _delay(seconds: int) -> int:
    return max(-MOST_DELAY_S, min(MOST_DELAY_S, seconds))


def _call(told: Any) -> Call:
    events = [(name, getattr(told, name)) for name in ("departure", "arrival") if told.HasField(name)]
    name, event = next(((name, one) for name, one in events if one.time or one.HasField("delay")), ("", None))
    return Call(
        sequence=told.stop_sequence if told.HasField("stop_sequence") else -1,
        stop_id=told.stop_id,
        at_s=event.time if event is not None and event.time else None,
        at_arrival=name == "arrival",
        delay_s=_delay(event.delay) if event is not None and event.HasField("delay") else None,
        skipped=told.schedule_relationship == _CALL.SKIPPED,
        unknown=told.schedule_relationship in (_CALL.NO_DATA, _CALL.UNSCHEDULED),
    )


def _extra(told: Any) -> Extra:
    calls = tuple(
        (one.stop_id, _instant(one.departure.time or one.arrival.time))
        for one in told.stop_time_update
        if one.schedule_relationship != _CALL.SKIPPED
    )
    way = told.trip.direction_id if told.trip.HasField("direction_id") else -1
    return Extra(told.trip.trip_id, told.trip.route_id, way, calls)


def _alert(name: str, told: Any) -> Alert:
    url = _said(told.url)
    return Alert(
        id=name,
        title=" ".join(_said(told.header_text).split()),
        text=_said(told.description_text).strip(),
        url=url if url.startswith(("https://", "http://")) else "",
        cause=rt.Alert.Cause.Name(told.cause).lower(),
        effect=rt.Alert.Effect.Name(told.effect).lower(),
        severity=rt.Alert.SeverityLevel.Name(told.severity_level).lower(),
        periods=tuple((_instant(one.start), _instant(one.end)) for one in told.active_period),
        entities=tuple(
            (
                one.route_id or one.trip.route_id,
                one.stop_id,
                one.trip.trip_id,
                one.route_type if one.HasField("route_type") else -1,
            )
            for one in told.informed_entity
        ),
    )


def _said(text: Any) -> str:
    """Return a text in French, else in no language told, else in the first one."""
    found = {one.language.lower()[:2]: one.text for one in reversed(text.translation)}
    return str(found.get("fr") or found.get("") or next(iter(one.text for one in text.translation), ""))


def _on_globe(place: Any) -> bool:
    return (
        -180 <= place.longitude <= 180 and -90 <= place.latitude <= 90 and (place.longitude, place.latitude) != (0, 0)
    )


def _vehicle(name: str, told: Any) -> Vehicle:
    return Vehicle(
        id=told.vehicle.id or name,
        trip_id=told.trip.trip_id,
        route_id=told.trip.route_id,
        # Told in single precision: seven figures, a metre at these latitudes.
        lon=round(told.position.longitude, 6),
        lat=round(told.position.latitude, 6),
        stop_id=told.stop_id,
        at=_instant(told.timestamp),
    )
