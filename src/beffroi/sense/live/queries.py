"""What the town feels: things and their last word, a series between two instants, now and the usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet

from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.sense.live.definition import ACTIVE, GOOD, MARKED, UnknownStream, instant, ms_of
from beffroi.sense.live.intake import may_send
from beffroi.sense.live.models import Datastream, Observation, Summary, Thing
from beffroi.sense.live.settings import LiveSettings, Rule, rule_of
from beffroi.sense.live.settings import settings_of as settings_of
from beffroi.sense.live.summing import DAY as DAY
from beffroi.sense.live.summing import HOUR as HOUR
from beffroi.sense.live.thresholds import measured
from beffroi.sense.live.usual import Ahead, Usual, hours_ahead, hours_of_day, same_hours, usual_of

LEAST_SILENCE = timedelta(hours=1)
TURNS_MISSED = 3
MOST_DRAWN = 3_000


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A series and its last word. `observes` is the code of its property, `level` that of its threshold.

    `silent`: it has missed its turn three times.
    """

    id: int
    thing: int
    name: str
    observes: str
    property_name: str
    sensor: str
    unit: str
    unit_name: str
    low: float | None
    high: float | None
    capacity: float | None
    every_s: int
    keep_days: int
    last_at: datetime | None
    last_result: float | None
    last_marked: bool
    silent: bool
    level: str
    rule: Rule | None

    @property
    def share(self) -> float | None:
        """Return the last result in percent of the capacity, None where no capacity is known."""
        if self.last_result is None or not self.capacity:
            return None
        return 100 * self.last_result / self.capacity


@dataclass(frozen=True, slots=True)
class ThingInfo:
    """Something that has sensors, as one reader sees it; `lon`, `lat` are CRS84 degrees."""

    id: int
    territory: str
    name: str
    description: str
    address: str
    lon: float
    lat: float
    service: str
    access: str
    use_case: str
    source: str
    active: bool
    streams: tuple[StreamInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One reading of a series."""

    at: datetime
    result: float
    marked: bool


@dataclass(frozen=True, slots=True)
class Span:
    """What an hour or a day came to; the figures are None where every reading was out of range."""

    start: datetime
    count: int
    marked: int
    mean: float | None
    low: float | None
    high: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Attendance:
    """A series now, as usual at this hour, and in the next hours of today."""

    thing: ThingInfo
    stream: StreamInfo
    usual: Usual | None
    ahead: tuple[Ahead, ...]


def is_silent(last_ms: int | None, every_s: int, at: datetime) -> bool:
    """Tell whether a series that spoke has said nothing for three of its turns, and an hour at least."""
    if last_ms is None:
        return False
    return at - instant(last_ms) > max(LEAST_SILENCE, TURNS_MISSED * timedelta(seconds=every_s))


def readable(viewer: Viewer, *, through: str = "") -> Q:
    """Return what cuts things to those this viewer may read: those for everyone, and those of the towns she serves.

    `through` leads from the rows cut to their thing: ``"thing__"`` for series.
    """
    allowed = Q(**{f"{through}access": "public"})
    for territory in sorted({grant.territory for grant in viewer.grants}):
        if "agents" in viewer.clearances(territory) or may_send(viewer, territory):
            allowed |= Q(**{f"{through}territory": territory})
    return allowed


def things(viewer: Viewer, territory: str, *, at: datetime, use_case: str = "") -> list[ThingInfo]:
    """Return the things of a town this viewer may read, by name, with their series; two queries."""
    rows = Thing.objects.filter(readable(viewer), territory=territory)
    if use_case:
        rows = rows.filter(use_case=use_case)
    return [_thing(row, at) for row in _with_streams(rows.order_by("name", "pk"))]


def thing(viewer: Viewer, number: int, *, at: datetime, territory: str = "") -> ThingInfo:
    """Return one thing with its series.

    Raises:
        UnknownStream: no such thing, or not for this viewer, or in another town than `territory`.
    """
    rows = Thing.objects.filter(readable(viewer), pk=number)
    if territory:
        rows = rows.filter(territory=territory)
    for row in _with_streams(rows.order_by("pk")):
        return _thing(row, at)
    raise UnknownStream(
        "aucun capteur n’a le numéro {number}, ou pas pour vous",
        where=str(number),
        remedy="la liste est à l’adresse /capteurs/",
        number=number,
    )


def has_things(territory: str, *, use_case: str = "", public_only: bool = False) -> bool:
    """Tell whether a town has any sensor."""
    rows = Thing.objects.filter(territory=territory)
    rows = rows.filter(use_case=use_case) if use_case else rows
    return (rows.filter(access="public") if public_only else rows).exists()


def _with_streams(rows: QuerySet[Thing]) -> QuerySet[Thing]:
    streams = Datastream.objects.select_related("property", "sensor").order_by("pk")
    return rows.prefetch_related(Prefetch("streams", queryset=streams))


def _thing(row: Thing, at: datetime) -> ThingInfo:
    streams = tuple(_stream(one, row.use_case, at) for one in row.streams.all())
    return ThingInfo(
        row.pk, row.territory, row.name, row.description, row.address, row.lon, row.lat, row.service, row.access,
        row.use_case, row.source, row.state == ACTIVE, streams,
    )  # fmt: skip


def _stream(row: Datastream, use_case: str, at: datetime) -> StreamInfo:
    last = None if row.last_ms is None else instant(row.last_ms)
    return StreamInfo(
        row.pk, row.thing_id, row.name, row.property.code, row.property.name, row.sensor.name, row.unit_symbol,
        row.unit_name, row.low, row.high, row.capacity, row.every_s, row.keep_days, last, row.last_result,
        row.last_quality == MARKED, is_silent(row.last_ms, row.every_s, at), row.level,
        rule_of(use_case, row.property.code),
    )  # fmt: skip


def readings(stream: StreamInfo, since: datetime, until: datetime, *, most: int = MOST_DRAWN) -> list[Point]:
    """Return the readings of a series from `since` to before `until`, the oldest first; at most the `most` last."""
    rows = Observation.objects.filter(datastream_id=stream.id, at_ms__gte=ms_of(since), at_ms__lt=ms_of(until))
    found = rows.order_by("-at_ms").values_list("at_ms", "result", "quality")[:most]
    return [Point(instant(ms), result, quality == MARKED) for ms, result, quality in reversed(found)]


def count_of_readings(territory: str) -> int:
    """Return how many readings of a town are kept one by one."""
    return Observation.objects.filter(datastream__thing__territory=territory).count()


def spans(stream: StreamInfo, span: str, since: datetime, until: datetime) -> list[Span]:
    """Return the hours or the days of a series from `since` to before `until`, the oldest first."""
    return list(each_span(stream, span, since, until))


def each_span(stream: StreamInfo, span: str, since: datetime, until: datetime) -> Iterator[Span]:
    """Yield the hours or the days of a series from `since` to before `until`, the oldest first."""
    rows = Summary.objects.filter(
        datastream_id=stream.id, span=span, start_ms__gte=ms_of(since), start_ms__lt=ms_of(until)
    ).order_by("start_ms")
    for row in rows.iterator(chunk_size=2_000):
        yield Span(instant(row.start_ms), row.count, row.marked, row.mean, row.low, row.high, row.p95)


def attendances(viewer: Viewer, territory: str, use_case: str, *, at: datetime) -> list[Attendance]:
    """Return how full the things of a use case are now, as usual at this hour, and in the next hours of today.

    The usual of an hour is the median of what the same hour of the same day read in past weeks; the next hours are
    their usual, scaled by how today goes (`usual.ratio_of_today`). Four queries, however many things there are.
    """
    settings = settings_of(use_case)
    if settings is None:
        return []
    zone = ZoneInfo(territories.territory(territory).timezone)
    first = settings.property[0].code
    found = [
        (one, stream)
        for one in things(viewer, territory, at=at, use_case=use_case)
        for stream in one.streams
        if stream.observes == first
    ]
    past, today = _hours([stream.id for _one, stream in found], settings, at, zone)
    return [_attendance(one, stream, past[stream.id], today[stream.id], settings, at) for one, stream in found]


_Past = dict[datetime, Usual | None]
_Today = dict[datetime, float]


def _hours(
    streams: Sequence[int], settings: LiveSettings, at: datetime, zone: ZoneInfo
) -> tuple[dict[int, _Past], dict[int, _Today]]:
    """Return, by series, the usual of each hour of today, and what its whole hours have read so far; one query."""
    hours = hours_of_day(at, zone)
    same = {ms_of(one): start for start in hours for one in same_hours(start, settings.weeks, zone)}
    wanted = [*same, *(ms_of(start) for start in hours)]
    rows = Summary.objects.filter(datastream_id__in=streams, span=HOUR, start_ms__in=wanted, mean__isnull=False)
    read: dict[int, dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
    today: dict[int, _Today] = defaultdict(dict)
    for stream, ms, mean in rows.order_by("start_ms").values_list("datastream_id", "start_ms", "mean"):
        start = same.get(ms)
        if start is None:
            today[stream][instant(ms)] = float(mean or 0)
        else:
            read[stream][start].append(float(mean or 0))
    past = {one: {start: usual_of(read[one][start], settings.least) for start in hours} for one in streams}
    return past, today


def _attendance(
    one: ThingInfo, stream: StreamInfo, past: _Past, today: _Today, settings: LiveSettings, at: datetime
) -> Attendance:
    present = max((start for start in past if start <= at), default=None)
    ahead = hours_ahead(today, past, at, settings.ahead) if one.active and not stream.silent else []
    return Attendance(one, stream, past[present] if present is not None else None, tuple(ahead))


def level_of(stream: StreamInfo, result: float) -> str:
    """Return the code of the level a result of a series would be at, empty where no rule says; for drawings."""
    if stream.rule is None or not stream.rule.level:
        return ""
    value = measured(stream.rule, result, stream.capacity)
    if value is None:
        return ""
    return max(
        (one for one in stream.rule.level if one.begins is None or value >= one.begins),
        key=lambda one: float("-inf") if one.begins is None else one.begins,
    ).code


def has_good(points: Sequence[Point]) -> bool:
    """Tell whether any reading is within its range."""
    return any(not one.marked for one in points)


def silent_count(viewer: Viewer, territory: str, *, at: datetime) -> int:
    """Return how many series of a town are silent, for its agents."""
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)):
        return 0
    rows = Datastream.objects.filter(thing__territory=territory, thing__state=ACTIVE, last_ms__isnull=False)
    return sum(is_silent(ms, every, at) for ms, every in rows.order_by("pk").values_list("last_ms", "every_s"))


__all__ = [
    "DAY",
    "GOOD",
    "HOUR",
    "Attendance",
    "Point",
    "Span",
    "StreamInfo",
    "ThingInfo",
    "attendances",
    "each_span",
    "has_good",
    "has_things",
    "is_silent",
    "level_of",
    "readable",
    "readings",
    "settings_of",
    "silent_count",
    "spans",
    "thing",
    "things",
]
