"""The surfaces of a building as the lake keeps them: one CityJSON 2.0 geometry with its vertices, in one text cell.

The cell stands by itself: `transform` and `vertices` as CityJSON has them, `geometry` a list of one MultiSurface whose
semantics say which face is roof, wall or ground. Vertices are longitude, latitude (OGC:CRS84, to 1e-8 degree, about a
millimetre) and altitude in metres as published, to the millimetre. Knows no Django.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Ring = tuple[int, ...]
Face = tuple[Ring, ...]

ROOF, WALL, GROUND = "RoofSurface", "WallSurface", "GroundSurface"
_DEGREE_STEP, _HEIGHT_STEP = 1e-8, 1e-3
_AXIS_M, _E2 = 6_378_137.0, 0.006_694_380_022_9
"""GRS 80, the ellipsoid of RGF93."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A building's faces. `vertices` (n, 3) are longitude, latitude, altitude (m); a face is its rings of vertex
    numbers, the outer one first, none closed; `kinds` names each face as CityJSON does. `lod` is CityJSON's (``2.2``).
    """

    lod: str
    vertices: Points
    faces: tuple[Face, ...]
    kinds: tuple[str, ...]

    @property
    def base_m(self) -> float:
        """Return the altitude of the foot: the lowest vertex of the ground, of all when no face is ground."""
        ground = [
            number for face, kind in zip(self.faces, self.kinds, strict=True) if kind == GROUND for number in face[0]
        ]
        heights = self.vertices[ground, 2] if ground else self.vertices[:, 2]
        return float(heights.min())

    @property
    def top_m(self) -> float:
        """Return the altitude of the highest vertex."""
        return float(self.vertices[:, 2].max())


def metres(vertices: Points, lon: float, lat: float) -> Points:
    """Return vertices as metres east and north of a place, heights kept; plane, for what a quarter holds.

    Source: radii of curvature of the ellipsoid at that latitude. Within 3 cm at 500 m of the place, and then for the
    convergence of the meridians only.
    """
    local = vertices.copy()
    local[:, :2] = (vertices[:, :2] - [lon, lat]) * degree_m(lat)
    return local


def degree_m(lat: float) -> tuple[float, float]:
    """Return the length in metres of one degree of longitude and one of latitude, at a latitude in degrees."""
    phi = math.radians(lat)
    flat = 1 - _E2 * math.sin(phi) ** 2
    east, north = _AXIS_M / math.sqrt(flat), _AXIS_M * (1 - _E2) / flat**1.5
    return math.radians(1) * east * math.cos(phi), math.radians(1) * north


def area_m2(local: Points, face: Face) -> float:
    """Return the area of a face in space, holes taken off; `local` are metres. Newell's formula, exact for a plane."""
    outer, *holes = [_ring_area(local[list(ring)]) for ring in face]
    return float(outer - sum(holes))


def normal_of(ring: Points) -> Points:
    """Return the normal of a ring (n, 3), its length twice the area; Newell's formula."""
    following = np.roll(ring, -1, axis=0)
    normal: Points = np.array(
        [
            np.sum((ring[:, 1] - following[:, 1]) * (ring[:, 2] + following[:, 2])),
            np.sum((ring[:, 2] - following[:, 2]) * (ring[:, 0] + following[:, 0])),
            np.sum((ring[:, 0] - following[:, 0]) * (ring[:, 1] + following[:, 1])),
        ]
    )
    return normal


def _ring_area(ring: Points) -> float:
    return float(np.linalg.norm(normal_of(ring)) / 2)


def written(volume: Volume) -> str:
    """Return the text of the cell."""
    origin = volume.vertices.min(axis=0)
    steps = np.array([_DEGREE_STEP, _DEGREE_STEP, _HEIGHT_STEP])
    origin = np.round(origin / steps) * steps
    whole = np.round((volume.vertices - origin) / steps).astype(int)
    kinds = sorted(set(volume.kinds))
    geometry = {
        "type": "MultiSurface",
        "lod": volume.lod,
        "boundaries": volume.faces,
        "semantics": {
            "surfaces": [{"type": kind} for kind in kinds],
            "values": [kinds.index(kind) for kind in volume.kinds],
        },
    }
    content = {
        "transform": {"scale": steps.tolist(), "translate": [round(float(one), 8) for one in origin]},
        "vertices": whole.tolist(),
        "geometry": [geometry],
    }
    return json.dumps(content, separators=(",", ":"))


def read(text: str) -> Volume:
    """Return the volume of a cell that `written` made."""
    content = json.loads(text)
    (geometry,), transform = content["geometry"], content["transform"]
    semantics = geometry["semantics"]
    named = [surface["type"] for surface in semantics["surfaces"]]
    return Volume(
        lod=geometry["lod"],
        vertices=np.array(content["vertices"], dtype=float) * transform["scale"] + transform["translate"],
        faces=tuple(tuple(tuple(ring) for ring in face) for face in geometry["boundaries"]),
        kinds=tuple(named[value] for value in semantics["values"]),
    )
