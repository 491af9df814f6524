"""The graph of the streets as arrays: saved as a folder that never changes, mapped in memory, shared by processes."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import SEGMENT_COLUMNS, Confidence, Origin

FORM = 1
"""Number of the form of the folder; another one is built again."""
METRES_PER_DEGREE = 111_195.0


class BadGraph(BeffroiError):
    """The folder of a graph is incomplete or of another form."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Arcs by the end they leave: arc ``arcs[k]`` for k in ``first[node]:first[node + 1]`` leads to ``heads[k]``.

    The one of vehicles has more ends than the graph has: an end where a turn is forbidden is doubled for who comes
    by the forbidden way; `place` gives the end each of them is, `entry` the end where each arc arrives.
    """

    first: Array
    heads: Array
    arcs: Array
    place: Array
    entry: Array


@dataclass(frozen=True, slots=True)
class Graph:
    """Streets of a territory. Arc 2i follows segment i, arc 2i + 1 goes against it.

    Shapes: n ends, s segments, p vertices. `lon`, `lat` (n) float64 degrees; `x`, `y` (n) float32 metres east and
    north of (`lon0`, `lat0`). `tail`, `head` (s) int32. `length_m`, `climb_m`, `descent_m`, `steepest_up_pct`,
    `steepest_down_pct` (s) float32, along the segment; slopes are NaN where nobody knows. `columns` as in
    `vocabulary.SEGMENT_COLUMNS`; `origin` (s, 6) uint8. `points`, `offset` as in `Streets`.
    `arc_kerb_cm` (2s) int16, `arc_crossing` (2s) uint8, `arc_barrier` (2s) uint8: what one meets at the end of an arc.
    `turn_from`, `turn_to` (t) int32: arcs that vehicles may not chain. `landmark` (n) int32, -1 without one.
    `cell_first`, `cell_segments`: segments whose box touches each cell of `cell_m` metres, row by row from
    (`cells_west`, `cells_south`), `cell_columns` to a row.
    """

    lon: Array
    lat: Array
    x: Array
    y: Array
    tail: Array
    head: Array
    length_m: Array
    climb_m: Array
    descent_m: Array
    steepest_up_pct: Array
    steepest_down_pct: Array
    origin: Array
    points: Array
    offset: Array
    arc_kerb_cm: Array
    arc_crossing: Array
    arc_barrier: Array
    walk_first: Array
    walk_heads: Array
    walk_arcs: Array
    drive_first: Array
    drive_heads: Array
    drive_arcs: Array
    drive_place: Array
    drive_entry: Array
    component: Array
    landmark: Array
    cell_first: Array
    cell_segments: Array
    columns: dict[str, Array]
    origins: tuple[Origin, ...]
    names: tuple[str, ...]
    landmarks: tuple[str, ...]
    about: dict[str, Any]

    def __len__(self) -> int:
        return len(self.tail)

    @property
    def ends(self) -> int:
        """Return how many ends (nodes) there are."""
        return len(self.lon)

    @property
    def version(self) -> str:
        return str(self.about["version"])

    @property
    def built_at(self) -> datetime:
        return datetime.fromisoformat(self.about["built_at"])

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north of the streets, in degrees."""
        west, south, east, north = self.about["bbox"]
        return west, south, east, north

    def topology(self, *, vehicle: bool) -> Topology:
        """Return the arcs of vehicles, which obey turn restrictions, or those of everyone else."""
        if vehicle:
            return Topology(self.drive_first, self.drive_heads, self.drive_arcs, self.drive_place, self.drive_entry)
        places = np.arange(self.ends, dtype=np.int32)
        entry = np.empty(2 * len(self), np.int32)
        entry[0::2], entry[1::2] = self.head, self.tail
        return Topology(self.walk_first, self.walk_heads, self.walk_arcs, places, entry)

    def metres(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Return metres east and north of the graph's own origin; the error is under 0.1 % within 50 km."""
        lon0, lat0 = self.about["origin"]
        return (lon - lon0) * METRES_PER_DEGREE * cos(radians(lat0)), (lat - lat0) * METRES_PER_DEGREE

    def degrees(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return longitude and latitude of metres of this graph."""
        lon0, lat0 = self.about["origin"]
        return lon0 + x / (METRES_PER_DEGREE * cos(radians(lat0))), lat0 + y / METRES_PER_DEGREE

    def line(self, segment: int) -> Array:
        """Return the vertices (n, 2) of a segment, longitude and latitude."""
        found: Array = self.points[self.offset[segment] : self.offset[segment + 1]]
        return found

    def name(self, segment: int) -> str:
        """Return the name of a segment's street, empty without one."""
        rank = int(self.columns["name"][segment])
        return self.names[rank] if rank >= 0 else ""


_ARRAYS = tuple(
    item.name for item in fields(Graph) if item.name not in ("columns", "origins", "names", "landmarks", "about")
)


def save(graph: Graph, folder: Path) -> None:
    """Write the arrays of a graph in `folder`, which must be new; the caller makes it durable."""
    folder.mkdir(parents=True)
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(graph, name))
    for name, column in graph.columns.items():
        np.save(folder / f"segment_{name}.npy", column)
    about = graph.about | {
        "form": FORM,
        "origins": [
            {"title": one.title, "date": one.date, "confidence": int(one.confidence), "licence": one.licence}
            for one in graph.origins
        ],
        "names": list(graph.names),
        "landmarks": list(graph.landmarks),
    }
    (folder / "graph.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> Graph:
    """Map the graph saved in `folder`: nothing is read until it is used, and processes share the pages.

    Raises:
        BadGraph: a file is missing or the form is another.
    """
    try:
        about = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
        if about["form"] != FORM:
            raise BadGraph(
                "graphe d'une autre forme ({found} au lieu de {form})",
                where=folder.name,
                remedy="reconstruisez-le : beffroi mobility build",
                found=about["form"],
                form=FORM,
            )
        arrays = {name: _mapped(folder / f"{name}.npy") for name in _ARRAYS}
        columns = {name: _mapped(folder / f"segment_{name}.npy") for name in SEGMENT_COLUMNS}
    except (OSError, ValueError, KeyError) as error:
        raise BadGraph(
            "graphe incomplet ({reason})",
            where=folder.name,
            remedy="reconstruisez-le : beffroi mobility build",
            reason=str(error),
        ) from error
    origins = tuple(
        Origin(one["title"], one["date"], Confidence(one["confidence"]), one["licence"]) for one in about.pop("origins")
    )
    names, landmarks = tuple(about.pop("names")), tuple(about.pop("landmarks"))
    return Graph(**arrays, columns=columns, origins=origins, names=names, landmarks=landmarks, about=about)


def _mapped(path: Path) -> Array:
    # A plain array over the mapped pages: NumPy's own memmap class makes each small slice five times dearer.
    return np.asarray(np.load(path, mmap_mode="r"))
