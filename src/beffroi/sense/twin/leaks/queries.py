"""The homes of a town with their labels, or what is estimated of them, as a reader may see the data they come from.

A building is a home when dwellings are counted in it, or when its use is to live there and nobody counted. Its label
is that of the model in colours (`colouring`): of several diagnoses, the most frequent. What it is compared by (year,
shape, dwellings) comes from the buildings alone, so that those without a label are told as those that have one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely

from beffroi.base.territory.viewer import Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Leaks as Wanted
from beffroi.lake.queries import DatasetDetail, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.colouring import coloured
from beffroi.sense.twin.energy import LABEL, LETTERS, detail_of
from beffroi.sense.twin.heights import HEIGHTS, STOREYS, height_of
from beffroi.sense.twin.leaks.estimating import Home, Town
from beffroi.sense.twin.plane import Plane
from beffroi.sense.twin.queries import town_buildings
from beffroi.sense.twin.written import key_among, read_rows
from beffroi.sense.twin.zones import Zones

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
"""An estimate of someone's home is for those who work on it: not an official label, it is not published."""

YEARS = ("date_app", "date_d_apparition", "date_apparition", "annee_construction")
DWELLINGS = ("nb_logts", "nombre_de_logements", "nb_logements")
USES = ("usage1", "usage_1")
LIVED_IN = "Résidentiel"
_ID = "_id"
_RNB = ("id_rnb", "rnb_id")

RENTING: tuple[tuple[date, str], ...] = (
    (date(2025, 1, 1), "G"),
    (date(2028, 1, 1), "F"),
    (date(2034, 1, 1), "E"),
)
"""From which day a home of that class or worse may not be let anew, in metropolitan France.

Source: loi n° 2021-1104 du 22 août 2021 (Climat et résilience), art. 160; loi n° 89-462 du 6 juillet 1989, art. 6;
décret n° 2023-796 du 18 août 2023. Overseas: G in 2028, F in 2031.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Leaks:
    """The homes of a town: `blocks` are its buildings, `rnb` their national numbers by their own, `names` districts."""

    town: Town
    blocks: DatasetSummary
    rnb: Mapping[str, str]
    names: tuple[str, ...]
    sources: tuple[DatasetSummary, ...]


def leaks(viewer: Viewer, wanted: Wanted, datasets: Sequence[DatasetSummary]) -> Leaks | None:
    """Return the homes of a town, None when it has no buildings or no labels for this reader."""
    blocks = town_buildings([one for one in datasets if one.geometry_type])
    labels = detail_of(viewer, datasets, wanted.labels)
    if blocks is None or labels is None or key_among(labels, (LABEL,)) is None:
        return None
    own, areas = lake.dataset(viewer, blocks.ref, version=blocks.version), detail_of(viewer, datasets, wanted.districts)
    used = [one for one in (own, labels, areas) if one is not None]
    # The rights are in the key: what the reader may not read is in none of the columns named.
    seen = tuple((one.summary.ref, one.summary.version, tuple(col.key for col in one.columns)) for one in used)
    key = (seen, lake.edits_mark(blocks.ref.territory))
    with _holding:
        if key not in _held:
            _held[key] = _leaks(viewer, own, labels, areas, datasets)
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        return _held[key]


def _leaks(
    viewer: Viewer,
    own: DatasetDetail,
    labels: DatasetDetail,
    areas: DatasetDetail | None,
    datasets: Sequence[DatasetSummary],
) -> Leaks:
    letters = coloured(viewer, own.summary, labels.summary, LABEL, around=datasets).values
    found = [key_among(own, keys) for keys in (YEARS, DWELLINGS, USES, HEIGHTS, STOREYS, _RNB)]
    keys = [key for key in (_ID, *found) if key]
    rows = [(dict(zip(keys, row, strict=False)), row[-1]) for row in read_rows(viewer, own, *keys, GEOMETRY)]
    lived = [(values, bytes(shape)) for values, shape in rows if shape and _is_home(values, letters)]
    zones = Zones(viewer, areas)
    names = zones.of([shape for _values, shape in lived])
    envelopes = _envelopes([values for values, _shape in lived], [shape for _values, shape in lived])
    homes = tuple(
        Home(
            id=str(values[_ID]),
            letter=_letter(letters.get(values[_ID])),
            is_house=_is_house(values),
            year=_year(values),
            envelope=envelope,
            district=name,
        )
        for (values, _shape), name, envelope in zip(lived, names, envelopes, strict=True)
    )
    rnb = {str(values[_ID]): str(values[key]) for values, _shape in lived if (key := found[-1]) and values.get(key)}
    sources = tuple(one.summary for one in (own, labels))
    return Leaks(Town(homes), own.summary, rnb, zones.names, sources)


def _is_home(values: Mapping[str, Any], letters: Mapping[str, Any]) -> bool:
    count = _first(values, DWELLINGS)
    if isinstance(count, int | float):
        return count > 0 or values[_ID] in letters
    return values[_ID] in letters or _first(values, USES) == LIVED_IN


def _is_house(values: Mapping[str, Any]) -> bool | None:
    count = _first(values, DWELLINGS)
    return count == 1 if isinstance(count, int | float) and count > 0 else None


def _letter(value: Any) -> str | None:
    return value if value in LETTERS else None


def _year(values: Mapping[str, Any]) -> int | None:
    """Return the year a building appeared, written as a day, a year or the start of a text."""
    value = _first(values, YEARS)
    if isinstance(value, date):
        return value.year
    text = str(value if value is not None else "")[:4]
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _first(values: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _envelopes(values: Sequence[Mapping[str, Any]], shapes: Sequence[bytes]) -> list[float]:
    """Return the outer surface of each building for its volume, in m² a m³: two floors and its walls."""
    if not shapes:
        return []
    read = shapely.from_wkb(list(shapes))
    middle = shapely.centroid(read[0])
    flat = Plane(middle.x, middle.y).shapes(read)
    heights = np.array([height_of(one).metres for one in values])
    areas = np.maximum(shapely.area(flat), 1.0)
    found: list[float] = ((2 * areas + shapely.length(flat) * heights) / (areas * heights)).tolist()
    return found


_held: OrderedDict[object, Leaks] = OrderedDict()
_holding = threading.Lock()
_MOST_KEPT = 2
