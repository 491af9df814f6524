"""From the datasets of a town to what passes at its places, by mode; read once per version in a process."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import shapely

from beffroi.base.clock.queries import holiday_on, region_of
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary, Filter, Measure
from beffroi.sense.mobility.flows.counting import Counted, Passage, counted
from beffroi.sense.mobility.flows.modes import Mode, mode_of
from beffroi.sense.mobility.flows.settings import Counters, Daily, Sample
from beffroi.sense.mobility.hours.profiles import HOURS, Day

logger = logging.getLogger(__name__)
MOST_ROWS = 500_000
LAST_DAYS = 56
"""How many days of passages are read, the last ones: eight weeks make a mean day without mixing the seasons."""
DAYS = {"jour ouvré": Day.WEEKDAY, "samedi": Day.SATURDAY, "dimanche": Day.SUNDAY}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """A place of counters: what each of its modes counts. `lon`, `lat` in degrees (CRS84)."""

    key: str
    name: str
    lon: float
    lat: float
    modes: Mapping[Mode, Counted]


@dataclass(frozen=True, slots=True)
class Street:
    """A street whose traffic of a mean day is known, in vehicles; `line` in degrees."""

    key: str
    name: str
    line: shapely.Geometry
    per_day: float
    year: int | None


@dataclass(frozen=True, slots=True)
class Sampled:
    """A street that a sample took: trips by kind of day and hour, None where too few are told; `line` in degrees."""

    key: str
    name: str
    mode: Mode
    line: shapely.Geometry
    days: Mapping[Day, tuple[float | None, ...]]


def known(territory: str, slug: str) -> DatasetSummary | None:
    """Return a dataset everyone may read, None when there is none."""
    try:
        return lake.dataset(ANONYMOUS, DatasetRef(territory, slug)).summary
    except DatasetNotFound:
        return None


def rows_of(source: DatasetSummary, columns: Iterable[str], *, where: Sequence[Filter] = ()) -> list[Row]:
    """Return the rows of a dataset by column; none when it lacks one.

    Raises:
        BadQuery, QueryTooCostly: more rows than `MOST_ROWS`, or too long to read.
    """
    asked = tuple(dict.fromkeys(columns))
    there = {column.key for column in lake.dataset(ANONYMOUS, source.ref).columns}
    missing = set(asked) - there - {"geometry", "_id"}
    if missing or ("geometry" in asked and source.geometry_type is None):
        logger.warning("%s: %s not there: no flow from it", source.ref, ", ".join(sorted(missing)) or "geometry")
        return []
    found = lake.rows(ANONYMOUS, source.ref, columns=asked, where=where, max_rows=MOST_ROWS)
    return [dict(zip(asked, row, strict=True)) for row in found.rows]


def sites(territory: str, wanted: Counters, *, zone: ZoneInfo) -> tuple[Site, ...]:
    """Return the counters of the national schema, by name: those of a mode that pages tell, with a place."""
    found = [known(territory, slug) for slug in (wanted.sites, wanted.channels, wanted.measures)]
    places, channels, measures = found
    if places is None or channels is None or measures is None:
        return ()
    channel_of = {
        str(row["channel_id"]): (str(row["site_id"]), mode, _number(row["time_step"]))
        for row in rows_of(channels, ("channel_id", "site_id", "mobility_type", "time_step"))
        if (mode := mode_of(row["mobility_type"])) is not None
    }  # fmt: skip
    passages = _passages(measures, channel_of, zone)
    region = region_of(territory).id
    by_site: dict[str, dict[Mode, list[Counted]]] = defaultdict(lambda: defaultdict(list))
    for channel, (site, mode, _step) in sorted(channel_of.items()):
        told = counted(passages.get(channel, ()), lambda day: holiday_on(day, region) is not None)
        by_site[site][mode].append(told)
    made = [
        Site(str(row["site_id"]), str(row["site_name"]), *_point(row["geometry"]),
             {mode: added(those) for mode, those in by_site[str(row["site_id"])].items()})
        for row in rows_of(places, ("site_id", "site_name", "geometry"))
        if row["geometry"] is not None and str(row["site_id"]) in by_site
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: one.name))


def _passages(
    measures: DatasetSummary, channels: Mapping[str, tuple[str, Mode, float | None]], zone: ZoneInfo
) -> dict[str, list[Passage]]:
    """Return what each channel wrote in the last days, in the time of the town: an offset is followed, else local."""
    asked = ("channel_id", "start_datetime", "end_datetime", "count")
    found: dict[str, list[Passage]] = defaultdict(list)
    for row in rows_of(measures, asked, where=_lately(measures)):
        channel = str(row["channel_id"])
        start, end = (_local(row[key], zone) for key in ("start_datetime", "end_datetime"))
        if channel not in channels or start is None:
            continue
        step_s = channels[channel][2]
        if end is None and step_s:
            end = start + timedelta(seconds=step_s)
        if end is not None:
            found[channel].append(Passage(start, end, _number(row["count"])))
    return found


def _lately(measures: DatasetSummary) -> tuple[Filter, ...]:
    """Return what keeps the last days alone. Moments are ISO 8601 texts: they sort as they are written."""
    last = lake.aggregate(
        ANONYMOUS, measures.ref, measures=(Measure("last", "max", "start_datetime"),)
    ).rows  # fmt: skip
    try:
        day = date.fromisoformat(str(last[0][0])[:10])
    except (IndexError, ValueError):
        return ()
    return (Filter("start_datetime", "ge", (day - timedelta(days=LAST_DAYS)).isoformat()),)


def _local(text: Any, zone: ZoneInfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def added(channels: Sequence[Counted]) -> Counted:
    """Return the channels of one mode and site as one: added where all of them counted, unknown elsewhere."""
    if len(channels) == 1:
        return channels[0]
    kinds = set.intersection(*(set(one.days) for one in channels))
    whole = set.intersection(*(set(one.whole) for one in channels))
    firsts, lasts = ([day for one in channels if (day := getattr(one, end))] for end in ("first", "last"))
    return Counted(
        days={kind: tuple(_sum([one.days[kind][hour] for one in channels]) for hour in range(HOURS)) for kind in kinds},
        whole={kind: sum(one.whole[kind] for one in channels) for kind in whole},
        used={kind: min(one.used.get(kind, 0) for one in channels) for kind in kinds | whole},
        failed=tuple(sorted({day for one in channels for day in one.failed})),
        first=max(firsts, default=None), last=min(lasts, default=None),
    )  # fmt: skip


def _sum(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) if len(known) == len(values) else None


def streets(territory: str, wanted: Daily) -> tuple[Street, ...]:
    """Return the streets whose traffic of a mean day is known, in the order of the dataset."""
    source = known(territory, wanted.dataset)
    if source is None:
        return ()
    found = rows_of(source, ("_id", wanted.street, wanted.per_day, wanted.year, "geometry"))
    return tuple(
        Street(str(row["_id"]), str(row[wanted.street] or ""), shapely.from_wkb(bytes(row["geometry"])), per_day,
               int(year) if (year := _number(row[wanted.year])) is not None else None)
        for row in found
        if row["geometry"] is not None and (per_day := _number(row[wanted.per_day])) is not None and per_day > 0
    )  # fmt: skip


def sampled(territory: str, wanted: Sample) -> tuple[Sampled, ...]:
    """Return what a sample took, by street and mode; a cell of fewer trips than `least` is not told."""
    source, drawn = known(territory, wanted.dataset), known(territory, wanted.streets)
    if source is None or drawn is None:
        return ()
    cells: dict[tuple[str, Mode], dict[Day, list[float | None]]] = defaultdict(dict)
    for row in rows_of(source, (wanted.segment, wanted.mode, wanted.day, wanted.hour, wanted.value)):
        mode, value, hour = mode_of(row[wanted.mode]), _number(row[wanted.value]), _number(row[wanted.hour])
        day = DAYS.get(str(row[wanted.day]).casefold())
        if mode is None or day is None or value is None or hour is None or not 0 <= hour < HOURS:
            continue
        if value >= wanted.least:
            cells[str(row[wanted.segment]), mode].setdefault(day, [None] * HOURS)[int(hour)] = value
    lines = {str(row[wanted.street_id]): row for row in rows_of(drawn, (wanted.street_id, wanted.street, "geometry"))
             if row["geometry"] is not None}  # fmt: skip
    return tuple(
        Sampled(f"{segment}/{mode}", str(lines[segment][wanted.street] or ""), mode,
                shapely.from_wkb(bytes(lines[segment]["geometry"])),
                {day: tuple(values) for day, values in days.items()})
        for (segment, mode), days in sorted(cells.items()) if segment in lines
    )  # fmt: skip


def _point(wkb: Any) -> tuple[float, float]:
    middle = shapely.from_wkb(bytes(wkb)).centroid
    return middle.x, middle.y


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
