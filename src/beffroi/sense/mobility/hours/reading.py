"""From the rows of a dataset to the mean days of its places; read once per version in a process."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import shapely

from beffroi.base.clock.queries import holiday_on, region_of
from beffroi.base.kernel.words import pieces
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.sense.mobility.hours.profiles import HOURS, Day, Hourly, Measure, Seen, hourly, kind_of
from beffroi.sense.mobility.hours.settings import Reading

logger = logging.getLogger(__name__)
MOST_ROWS = 500_000
_CLOCK = re.compile(r"(\d{1,2})\s*(?:[:hH]|$)")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A place measured by hour. `days` its mean days; `capacity` vehicles an hour, None when nobody tells it.

    `lon`, `lat` are degrees (CRS84), None when the dataset is not placed. `what` says what the figure is about, in the
    words of the use case (« cars, both ways »), empty when nothing is to add.
    """

    key: str
    name: str
    measure: Measure
    what: str
    days: dict[Day, Hourly]
    capacity: float | None
    lon: float | None
    lat: float | None
    source: DatasetSummary


_READ: dict[tuple[str, str], tuple[str, tuple[Place, ...]]] = {}


def places_of(territory: str, reading: Reading) -> tuple[Place, ...]:
    """Return the places a dataset measures, by name; none when it is not there for everyone or lacks a column.

    Raises:
        BadQuery, QueryTooCostly: more rows than `MOST_ROWS`, or too long to read.
    """
    ref = DatasetRef(territory, reading.dataset)
    try:
        detail = lake.dataset(ANONYMOUS, ref)
    except DatasetNotFound:
        return ()
    key = (territory, reading.model_dump_json())
    found = _READ.get(key)
    if found is None or found[0] != detail.summary.version:
        missing = set(reading.columns) - {column.key for column in detail.columns}
        if missing:
            logger.warning("%s: columns %s are not there: no hours from it", ref, ", ".join(sorted(missing)))
        found = _READ[key] = (detail.summary.version, () if missing else _read(ref, reading, detail.summary))
    return found[1]


def _read(ref: DatasetRef, reading: Reading, source: DatasetSummary) -> tuple[Place, ...]:
    placed = source.geometry_type is not None
    columns = [*reading.columns, *(["geometry"] if placed else [])]
    rows = [dict(zip(columns, row, strict=True)) for row in lake.rows(ANONYMOUS, ref, columns=columns,
                                                                      max_rows=MOST_ROWS).rows]  # fmt: skip
    kept = [row for row in rows if _is_kept(row, reading)]
    region = region_of(ref.territory).id
    seen: list[Seen] = []
    first: dict[str, Row] = {}
    told: dict[tuple[str, Day], Row] = {}
    for row in kept:
        one = seen_in(row, reading, lambda day: holiday_on(day, region) is not None)
        if one is not None:
            seen.append(one)
            first.setdefault(one.place, row)
            told.setdefault((one.place, one.day), row)
    by_place: dict[str, dict[Day, Hourly]] = {}
    for (name, day), values in hourly(seen, reading.measure).items():
        by_place.setdefault(name, {})[day] = _dated(values, told[name, day], reading)
    return tuple(_place(name, by_place[name], first[name], reading, source) for name in sorted(by_place, key=pieces))


def _is_kept(row: Row, reading: Reading) -> bool:
    return row[reading.place] is not None and all(
        str(row[column]).casefold() in {one.casefold() for one in values} for column, values in reading.keep.items()
    )


def seen_in(row: Row, reading: Reading, is_holiday: Callable[[date], bool]) -> Seen | None:
    """Return what a row measures; None when its moment or its figure does not read."""
    value, on = _value(row, reading), None
    if reading.day:
        kinds = {word.casefold(): day for word, day in reading.days.items()}
        day, hour = kinds.get(str(row[reading.day]).casefold()), _hour(row[reading.hour])
    else:
        on, hour = _moment(row, reading)
        day = None if on is None else kind_of(on, holiday=is_holiday(on))
    if value is None or day is None or hour is None:
        return None
    return Seen(str(row[reading.place]), day, hour, value, on)


def _value(row: Row, reading: Reading) -> float | None:
    if reading.measure == Measure.VEHICLES:
        value = _number(row[reading.value])
        return value if value is None or value >= 0 else None
    free, total = _number(row[reading.free]), _number(row[reading.total])
    if free is None or total is None or total <= 0:
        return None
    # A counter that drifts tells more free places than there are.
    return min(1.0, max(0.0, 1 - free / total))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(row: Row, reading: Reading) -> tuple[date | None, int | None]:
    if reading.moment:
        moment = row[reading.moment]
        return (moment.date(), moment.hour) if isinstance(moment, datetime) else (None, None)
    on = row[reading.date]
    on = on.date() if isinstance(on, datetime) else on
    return (on if isinstance(on, date) else None), _hour(row[reading.hour])


def _hour(value: Any) -> int | None:
    """Return the hour a value begins: 8, « 8 h », « 08:30 », « 8h-9h », a time of day; None for anything else."""
    if isinstance(value, time | datetime):
        return value.hour
    if isinstance(value, str):
        read = _CLOCK.match(value.strip())
        value = int(read[1]) if read else None
    whole = _number(value)
    return int(whole) if whole is not None and 0 <= whole < HOURS else None


def _dated(values: Hourly, row: Row, reading: Reading) -> Hourly:
    """Return a mean day with the days and the period that its own columns tell, when rows have no date."""
    if values.days is not None:
        return values
    counted = _number(row[reading.counted]) if reading.counted else None
    since, until = (row[key] if key else None for key in (reading.since, reading.until))
    return Hourly(
        values.values,
        None if counted is None else int(counted),
        since if isinstance(since, date) else None,
        until if isinstance(until, date) else None,
    )


def _place(name: str, days: dict[Day, Hourly], row: Row, reading: Reading, source: DatasetSummary) -> Place:
    shape = shapely.from_wkb(bytes(row["geometry"])) if row.get("geometry") is not None else None
    middle = None if shape is None or shape.is_empty else shape.centroid
    capacity = _number(row[reading.capacity]) if reading.capacity else None
    return Place(
        key=f"{reading.dataset}/{name}", name=name, measure=reading.measure, what=reading.what, days=days,
        capacity=capacity if capacity else None,
        lon=None if middle is None else middle.x, lat=None if middle is None else middle.y, source=source,
    )  # fmt: skip
