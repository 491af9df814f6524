"""From the rows of a dataset, as one class of readers sees them, to the entries of an index."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import shapely

from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import AGENTS, ANONYMOUS, PUBLIC, SERVICE_PREFIX, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.definitions import search_options
from beffroi.lake.queries import DatasetDetail, DatasetRef
from beffroi.sense.places.answers import Entry, House, Kind
from beffroi.sense.places.index import Gathered, Source
from beffroi.sense.places.nearness import distances_m
from beffroi.sense.places.plan import FEW_ROWS, NAMES_AT_LEAST, Plan, plan_of

MOST_ROWS = 5_000_000
_READ_TIMEOUT_S = 300.0
_READ_MEMORY_MB = 1024
_MOST_LETTERS = 200

Row = Mapping[str, Any]


def reader(territory: str, class_name: str) -> Viewer:
    """Return a reader who sees of a territory what `class_name` sees, no more."""
    if class_name == PUBLIC:
        return ANONYMOUS
    services = frozenset({class_name.removeprefix(SERVICE_PREFIX)} if class_name != AGENTS else ())
    return Viewer(grants=(Grant(territory, Role.AGENT, services),))


def gather(ref: DatasetRef, class_name: str, source: Source, *, city: str = "") -> Gathered:
    """Return what a dataset brings to the index of a class: itself, and its rows when they can be found.

    `city` is where addresses that do not say it are.

    Raises:
        DatasetNotFound: removed meanwhile, or not for that class.
    """
    viewer = reader(ref.territory, class_name)
    detail = lake.dataset(viewer, ref, version=source.version)
    plan = plan_of(detail, search_options(detail.definition))
    entries: list[Entry] = [_itself(detail)]
    houses: list[list[House]] = [[]]
    if plan is not None:
        rows = _rows(viewer, detail, plan)
        found = list(_addresses(detail, plan, rows, city) if plan.kind == "address" else _things(detail, plan, rows))
        entries += [entry for entry, _houses in found]
        houses += [of_entry for _entry, of_entry in found]
    return Gathered(source, entries, houses)


def _itself(detail: DatasetDetail) -> Entry:
    summary = detail.summary
    return Entry(
        Kind.DATASET,
        summary.title,
        ref=summary.ref,
        details=summary.description,
        words=f"{summary.description} {summary.theme} {summary.producer}",
        weight=min(summary.rows, 1000) / 1000,
    )


def _rows(viewer: Viewer, detail: DatasetDetail, plan: Plan) -> list[Row]:
    located = ("geometry",) if detail.summary.geometry_type else ()
    columns = ("_id", *plan.columns, *located)
    found = lake.rows(
        viewer,
        detail.summary.ref,
        columns=columns,
        version=detail.summary.version,
        max_rows=MOST_ROWS,
        timeout_s=_READ_TIMEOUT_S,
        memory_mb=_READ_MEMORY_MB,
    )
    placed = _placed([row[-1] for row in found.rows]) if located else [_NOWHERE] * len(found.rows)
    return [dict(zip(columns, row, strict=True)) | place for row, place in zip(found.rows, placed, strict=True)]


_NOWHERE: dict[str, Any] = {"lon": None, "lat": None, "radius_m": 0}


def _placed(shapes: Sequence[bytes | None]) -> list[dict[str, Any]]:
    """Return a point of each shape, in degrees: itself, or one that lies on it; and half of its extent, in metres."""
    read = shapely.from_wkb(shapes)
    on = shapely.point_on_surface(read)
    nowhere = shapely.is_missing(on) | shapely.is_empty(on)
    xs, ys, boxes = shapely.get_x(on), shapely.get_y(on), shapely.bounds(read)
    radii = np.nan_to_num(distances_m(boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]) / 2)
    return [
        _NOWHERE if absent else {"lon": round(x, 7), "lat": round(y, 7), "radius_m": round(radius)}
        for x, y, radius, absent in zip(xs.tolist(), ys.tolist(), radii.tolist(), nowhere, strict=True)
    ]


def _text(row: Row, *keys: str) -> str:
    told = (row[key] for key in keys if key)
    return " ".join(" ".join(str(value).split()) for value in told if value is not None)[:_MOST_LETTERS]


def _things(detail: DatasetDetail, plan: Plan, rows: Sequence[Row]) -> Iterator[tuple[Entry, list[House]]]:
    named = [(row, title) for row in rows if (title := _title(row, plan))]
    if plan.kind == "street":
        yield from _streets(detail, named)
        return
    if not plan.named_by_file and len(named) > FEW_ROWS:
        distinct = len({folded(title) for _row, title in named})
        if distinct < NAMES_AT_LEAST * len(named):
            return
    for row, title in named:
        yield _thing(detail, plan, row, title), []


def _title(row: Row, plan: Plan) -> str:
    return next((text for key in plan.title if (text := _text(row, key))), "")


def _thing(detail: DatasetDetail, plan: Plan, row: Row, title: str) -> Entry:
    details = _text(row, *plan.details)
    start = row[plan.start] if plan.start else None
    return Entry(
        Kind(plan.kind),
        title,
        id=str(row["_id"]),
        ref=detail.summary.ref,
        category=_text(row, plan.category),
        details="" if folded(details) == folded(title) else details,
        words=_text(row, *plan.words),
        hours=_text(row, plan.hours),
        start=_instant(start),
        lon=row["lon"],
        lat=row["lat"],
        radius_m=row["radius_m"],
        weight=1.0 if plan.hours and row[plan.hours] else 0.5,
    )


def _instant(value: Any) -> str:
    return str(value.isoformat()) if isinstance(value, date) else str(value or "")


def _streets(detail: DatasetDetail, named: Sequence[tuple[Row, str]]) -> Iterator[tuple[Entry, list[House]]]:
    """Yield one entry per street of a road network, whose segments share its name."""
    segments: dict[str, list[tuple[Row, str]]] = defaultdict(list)
    for row, title in named:
        segments[folded(title)].append((row, title))
    for parts in segments.values():
        row, title = parts[len(parts) // 2]
        yield (
            Entry(
                Kind.STREET,
                title,
                id=str(row["_id"]),
                ref=detail.summary.ref,
                lon=row["lon"],
                lat=row["lat"],
                weight=len(parts) / 1000,
            ),
            [],
        )


def _addresses(
    detail: DatasetDetail, plan: Plan, rows: Sequence[Row], city: str
) -> Iterator[tuple[Entry, list[House]]]:
    """Yield one entry per street of a file of addresses, with its houses."""
    streets: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        name = _text(row, plan.street)
        if name and row["lon"] is not None:
            streets[folded(name), _text(row, plan.citycode)].append(row)
    for of_street in streets.values():
        houses = [house for row in of_street if (house := _house(plan, row)) is not None]
        middle = of_street[len(of_street) // 2]
        postcodes = Counter(_text(row, plan.postcode) for row in of_street)
        yield (
            Entry(
                Kind.STREET,
                _text(middle, plan.street),
                id=str(middle["_id"]),
                ref=detail.summary.ref,
                lon=middle["lon"],
                lat=middle["lat"],
                weight=1 + len(houses),
                postcode=postcodes.most_common(1)[0][0],
                city=_text(middle, plan.city) or city,
                citycode=_text(middle, plan.citycode) or detail.summary.ref.territory,
            ),
            houses,
        )


def _house(plan: Plan, row: Row) -> House | None:
    written = _text(row, plan.number)
    # BAN writes 9999 for a place without a number.
    if not written.isdigit() or not 0 < int(written) < 9999:
        return None
    suffix = _text(row, plan.suffix).lower()
    return House(str(row["_id"]), int(written), suffix, row["lon"], row["lat"], _text(row, plan.postcode))
