"""What CityGML, CityJSON and IFC have in common: a published building, and the surfaces it is given by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from beffroi.lake.volumes import GROUND, ROOF, WALL, Face, Points, Volume, normal_of

_FLAT, _UPRIGHT = 0.08, 1e-9
KNOWN_KINDS = frozenset(
    {ROOF, WALL, GROUND, "ClosureSurface", "OuterCeilingSurface", "OuterFloorSurface", "Window", "Door"}
)
PublishedFace = tuple[str, tuple[Points, ...]]
"""The kind of a face ("" when the source does not say) and its rings, each (n, 3) in the source's coordinates."""


@dataclass(slots=True)
class Published:
    """A building as its source gives it. `values` are its attributes by published name."""

    id: str
    values: dict[str, str] = field(default_factory=dict)
    faces: list[PublishedFace] = field(default_factory=list)
    lod: str = ""


@dataclass(slots=True)
class CityModel:
    """The buildings of a source, and the coordinate system it declares ("" when it does not)."""

    buildings: list[Published] = field(default_factory=list)
    declared: str = ""
    others: dict[str, int] = field(default_factory=dict)
    """City objects that are not buildings, by type: counted, not read."""


def ring_of(points: Points) -> Points | None:
    """Return a ring without its closing point nor points that repeat; None when fewer than three are left."""
    if len(points) < 3 or points.shape[1] != 3 or not np.isfinite(points).all():
        return None
    kept = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    return kept if len(kept) >= 3 else None


def volume_of(published: Published) -> Volume:
    """Return the faces of a building with shared vertices, in the coordinates of its source."""
    points = np.concatenate([ring for _kind, rings in published.faces for ring in rings])
    vertices, number = np.unique(
        np.round(points, 9 if np.abs(points[:, :2]).max() <= 360 else 3), axis=0, return_inverse=True
    )
    number = number.reshape(-1)
    faces, kinds, at = [], [], 0
    lowest = float(vertices[:, 2].min())
    for kind, rings in published.faces:
        face = []
        for ring in rings:
            face.append(tuple(number[at : at + len(ring)].tolist()))
            at += len(ring)
        faces.append(tuple(face))
        kinds.append(kind if kind in KNOWN_KINDS else kind_of(rings[0], lowest))
    return Volume(published.lod, vertices, tuple(faces), tuple(kinds))


def kind_of(ring: Points, lowest: float) -> str:
    """Say what a face is by its slope: level with the foot, ground; upright, wall; else roof.

    Sources turn their faces either way: the side a face shows is not looked at.
    """
    normal = normal_of(ring - ring[0])
    length = float(np.linalg.norm(normal))
    if length <= _UPRIGHT or abs(normal[2]) / length < _FLAT:
        return WALL
    return GROUND if float(ring[:, 2].max()) - lowest < 0.2 else ROOF


def best_lod(lods: Sequence[str]) -> str:
    """Return the level of detail that draws best on a map: real roofs (2.x) before openings (3), before blocks (1)."""

    def rank(lod: str) -> tuple[int, str]:
        order = {"2": 0, "3": 1, "1": 2, "4": 3, "0": 4}
        return order.get(lod[:1], 5), "" if lod == "2.2" else lod

    return min(lods, key=rank)


def outline_rings(volume: Volume) -> list[Face]:
    """Return the faces that cover the building seen from above: its ground, else all that is not wall."""
    ground = [face for face, kind in zip(volume.faces, volume.kinds, strict=True) if kind == GROUND]
    return ground or [face for face, kind in zip(volume.faces, volume.kinds, strict=True) if kind != WALL]
