"""The town's landmarks with their real roofs: the belfry of the town hall, the spires, written as CityJSON.

They enter the lake by the connector that reads any town's city model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import NAME, YEAR
from beffroi.lake.town.shapes import Array

PATH = "batiments/monuments.city.json"
_INSETS_M = (5.0, 4.0, 3.0, 2.0, 1.2)
_SLOPE = 1.15
_LEAST_TOWER_M = 2.2


@dataclass(frozen=True, slots=True)
class _Style:
    """How a landmark is built: its name, the height of its walls, of its tower and of the roof over it, in metres."""

    name: str
    walls_m: float
    tower_m: float
    spire_m: float


_STYLES = {
    "mairie": _Style("Hôtel de ville et beffroi", 10.5, 27.0, 8.0),
    "eglise": _Style("Église", 9.5, 22.0, 16.0),
    "mediatheque": _Style("Médiathèque", 7.0, 0.0, 0.0),
    "ecole": _Style("École", 6.5, 0.0, 0.0),
}


@dataclass(slots=True)
class _Shell:
    """The faces of one building as they are added; vertices in local metres."""

    vertices: list[tuple[float, float, float]] = field(default_factory=list)
    faces: list[list[int]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def add(self, kind: str, points: list[tuple[float, float, float]]) -> None:
        """Add a face whose outline is `points`, seen anticlockwise from outside."""
        start = len(self.vertices)
        self.vertices += points
        self.faces.append(list(range(start, start + len(points))))
        self.kinds.append(kind)

    def skirt(self, kind: str, low: Array, low_m: float, high: Array, high_m: float) -> None:
        """Add one face per side between two rings of as many corners, at two heights."""
        for one in range(len(low)):
            two = (one + 1) % len(low)
            self.add(
                kind,
                [(*low[one], low_m), (*low[two], low_m), (*high[two], high_m), (*high[one], high_m)],
            )


def write_landmarks(city: City, writer: Writer) -> None:
    """Write the town hall, churches, libraries and schools with their roofs, in Lambert-93 and NGF-IGN69."""
    buildings = city.buildings
    chosen = np.flatnonzero(np.isin(buildings.program, list(_STYLES)) & buildings.main)
    shells = {int(index): _shell(city, int(index)) for index in chosen}
    points = np.array([vertex for shell in shells.values() for vertex in shell.vertices]).reshape(-1, 3)
    placed = np.column_stack([writer.origin.lambert(points[:, :2]), points[:, 2]])
    origin = np.floor(placed.min(axis=0))
    objects: dict[str, Any] = {}
    at = 0
    for index, shell in shells.items():
        objects[str(city.building_id[index])] = _object(city, index, shell, at)
        at += len(shell.vertices)
    content = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": origin.tolist()},
        "metadata": {
            "title": f"Monuments en volume, {NAME} (ville fictive)",
            "referenceDate": f"{YEAR}-01-01",
            "referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5698",
        },
        "CityObjects": objects,
        "vertices": np.round((placed - origin) * 1000).astype(int).tolist(),
    }
    writer.text(PATH, "Monuments en volume", json.dumps(content, ensure_ascii=False) + "\n", len(objects))


def _object(city: City, index: int, shell: _Shell, at: int) -> dict[str, Any]:
    buildings = city.buildings
    kinds = sorted(set(shell.kinds))
    geometry = {
        "type": "MultiSurface",
        "lod": "2.2",
        "boundaries": [[[at + number for number in face]] for face in shell.faces],
        "semantics": {
            "surfaces": [{"type": kind} for kind in kinds],
            "values": [kinds.index(kind) for kind in shell.kinds],
        },
    }
    name, address = _STYLES[str(buildings.program[index])].name, city.addresses.of_building[index]
    attributes = {
        "nom": f"{name}, {city.address_text(np.array([address]))[0]}" if address >= 0 else name,
        "usage1": str(buildings.use[index]),
        "annee_construction": int(buildings.year[index]),
        "id_rnb": str(city.building_id[index]),
    }
    return {"type": "Building", "attributes": attributes, "geometry": [geometry]}


def _shell(city: City, index: int) -> _Shell:
    """Build walls on the footprint, a roof that leans in from every side, and the tower when there is one."""
    style = _STYLES[str(city.buildings.program[index])]
    base = float(city.buildings.ground_m[index])
    footprint = shapely.orient_polygons(shapely.simplify(city.buildings.shape[index], 0.4), exterior_cw=False)
    ring = shapely.get_coordinates(footprint.exterior)[:-1]
    shell, eaves = _Shell(), base + style.walls_m
    shell.add("GroundSurface", [(x, y, base) for x, y in ring[::-1]])
    shell.skirt("WallSurface", ring, base, ring, eaves)
    inner, width = _inset(ring)
    ridge = eaves + width * _SLOPE
    if width:
        shell.skirt("RoofSurface", ring, eaves, inner, ridge)
    shell.add("RoofSurface", [(x, y, ridge) for x, y in inner])
    if style.tower_m:
        _tower(shell, footprint, base, style)
    return shell


def _inset(ring: Array) -> tuple[Array, float]:
    """Return the ring moved inwards on every side, corner for corner, and by how much; as it is when nothing fits."""
    along = np.roll(ring, -1, axis=0) - ring
    along = along / np.linalg.norm(along, axis=1)[:, None]
    inwards = np.column_stack([-along[:, 1], along[:, 0]])
    before, after = np.roll(inwards, 1, axis=0), inwards
    middle = before + after
    scale = np.maximum(1 + (before * after).sum(axis=1), 1e-6)
    for width in _INSETS_M:
        moved = ring + width * middle / scale[:, None]
        shape = shapely.Polygon(moved)
        kept = ((np.roll(moved, -1, axis=0) - moved) * along).sum(axis=1) > 0
        if shape.is_valid and kept.all() and shapely.Polygon(ring).contains(shape):
            return moved, width
    return ring, 0.0


def _tower(shell: _Shell, footprint: Any, base: float, style: _Style) -> None:
    """Raise a square tower where the building is widest, and a pyramid over it."""
    circle = shapely.maximum_inscribed_circle(footprint, tolerance=0.2)
    x, y = shapely.get_coordinates(circle)[0]
    half = min(3.6, shapely.length(circle) * 0.6)
    if half < _LEAST_TOWER_M / 2:
        return
    side = shapely.get_coordinates(shapely.oriented_envelope(footprint).exterior)[:2]
    across = (side[1] - side[0]) / np.linalg.norm(side[1] - side[0])
    up = np.array([-across[1], across[0]])
    corners = np.array([(x, y) + half * (a * across + b * up) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    top = base + style.tower_m
    shell.skirt("WallSurface", corners, base, corners, top)
    for one in range(4):
        two = (one + 1) % 4
        shell.add("RoofSurface", [(*corners[one], top), (*corners[two], top), (x, y, top + style.spire_m)])
