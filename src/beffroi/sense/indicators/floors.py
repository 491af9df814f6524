"""Inhabitants per square metre of floor: the floor of each block is estimated from the buildings that stand in it.

The floor of a building is its footprint times its levels, as the BD TOPO says them, else one for each three metres of
height. Walls, stairs and shops of a residential building are in it: it is more than what people live in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetRef
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.indicators import figures
from beffroi.sense.indicators.computations import computation
from beffroi.sense.indicators.figures import Computed, Missing, Sums
from beffroi.sense.indicators.settings import Measure

BUILDINGS, ZONES = "batiments", "iris"
LEVEL_M = 3.0
MOST_BUILDINGS = 500_000
LEVELS, HEIGHTS = ("nombre_d_etages", "nb_etages"), ("hauteur",)
HOMES, USES = ("nombre_de_logements", "nb_logts"), ("usage_1", "usage1")
ZONE_KEYS = ("code_iris", "iris")
ESTIMATED = gettext_noop(
    "{counted} bâtiments d’habitation comptés ; {guessed} sans nombre de niveaux, pris à un pour trois mètres de "
    "hauteur ; {left} sans niveaux ni hauteur, pris à un niveau."
)


@computation("habitants-par-plancher")
def people_per_floor(viewer: Viewer, territory: str, measure: Measure) -> Computed:
    """Return the inhabitants of each block over the floor of its residential buildings, of the last census.

    Raises:
        Missing: the census, the blocks or the buildings.
    """
    known = figures.details(viewer, territory, (measure.dataset, BUILDINGS, ZONES))
    people = figures.by_columns(viewer, territory, measure.model_copy(update={"formula": "sum", "uses": ()}))
    year = max(people.by_year)
    floor_m2, note = _floors(viewer, known[BUILDINGS], known[ZONES])
    lines = {
        key: Sums(top=one.top, bottom=floor_m2.get(key, 0.0), rows=one.rows)
        for key, one in people.by_year[year].items()
    }
    total = sum(floor_m2.get(key, 0.0) for key in lines)
    whole = {year: Sums(top=people.whole[year].top, bottom=total, rows=float(len(lines)))}
    return Computed({year: lines}, whole, tuple(one.summary for one in known.values()), notes=(note,))


def _column(detail: DatasetDetail, names: Sequence[str]) -> str | None:
    keys = {one.key for one in detail.columns}
    return next((one for one in names if one in keys), None)


def _floors(viewer: Viewer, buildings: DatasetDetail, zones: DatasetDetail) -> tuple[dict[str, float], Sentence]:
    key = _column(zones, ZONE_KEYS)
    levels, height, homes, use = (_column(buildings, one) for one in (LEVELS, HEIGHTS, HOMES, USES))
    if key is None or (levels is None and height is None):
        raise Missing([ZONES if key is None else f"{BUILDINGS}:{LEVELS[0]}"])
    wanted = [one for one in (levels, height, homes, use) if one]
    rows = lake.rows(viewer, buildings.summary.ref, columns=[*wanted, GEOMETRY], max_rows=MOST_BUILDINGS,
                     timeout_s=30, memory_mb=1024).rows  # fmt: skip
    told = [dict(zip(wanted, row, strict=False)) for row in rows]
    lived = [rank for rank, one in enumerate(told) if rows[rank][-1] and _is_lived_in(one, homes, use)]
    counts = [_levels(told[rank].get(levels or ""), told[rank].get(height or "")) for rank in lived]
    shapes = shapely.from_wkb([bytes(rows[rank][-1]) for rank in lived])
    floor = footprints_m2(shapes) * np.array([count for count, _way in counts], dtype=float)
    found = _zones_of(viewer, zones.summary.ref, key, shapes)
    out: dict[str, float] = {}
    for zone, m2 in zip(found, floor.tolist(), strict=True):
        if zone:
            out[zone] = out.get(zone, 0.0) + m2
    ways = [way for _count, way in counts]
    told_of = {"counted": len(lived), "guessed": ways.count("height"), "left": ways.count("none")}
    return out, Sentence(ESTIMATED, told_of)


def _is_lived_in(told: dict[str, Any], homes: str | None, use: str | None) -> bool:
    """Tell whether people live in a building: it has dwellings, or, where nothing counts them, it is residential."""
    count = told.get(homes) if homes else None
    if count is not None:
        return bool(count > 0)
    return "sidentiel" in str(told.get(use) or "").lower() if use else homes is None


def _levels(levels: Any, height: Any) -> tuple[float, str]:
    if levels and levels > 0:
        return float(levels), "levels"
    if height and height > 0:
        return float(max(1, round(height / LEVEL_M))), "height"
    return 1.0, "none"


def footprints_m2(shapes: Any) -> np.ndarray[Any, Any]:
    """Return the area of shapes in degrees (CRS84), in m², measured in an equal-area projection centred on them."""
    if not len(shapes):
        return np.zeros(0)
    west, south, east, north = shapely.total_bounds(shapes)
    centre = f"+proj=laea +lat_0={(south + north) / 2} +lon_0={(west + east) / 2} +ellps=GRS80"
    forth = Transformer.from_crs("OGC:CRS84", centre, always_xy=True)

    def projected(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.column_stack(forth.transform(points[:, 0], points[:, 1]))

    areas: np.ndarray[Any, Any] = shapely.area(shapely.transform(shapely.force_2d(shapes), projected))
    return areas


def _zones_of(viewer: Viewer, ref: DatasetRef, key: str, shapes: Any) -> list[str]:
    rows = [row for row in lake.rows(viewer, ref, columns=[key, GEOMETRY]).rows if row[0] is not None and row[1]]
    tree = shapely.STRtree(shapely.from_wkb([bytes(row[1]) for row in rows]))
    found = [""] * len(shapes)
    pairs = tree.query(shapely.point_on_surface(shapes), predicate="within")
    for shape, zone in zip(*pairs.tolist(), strict=True):
        found[shape] = str(rows[zone][0])
    return found
