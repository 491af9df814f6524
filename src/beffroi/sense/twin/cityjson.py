"""Buildings as CityJSON 2.0, in the legal projection of where they stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from pyproj import Transformer

from beffroi.base.kernel.geo import BBox
from beffroi.lake.projecting import legal_code
from beffroi.lake.volumes import Points
from beffroi.sense.twin.queries import Building

_UNIT_M = 0.001
_EPSG = "https://www.opengis.net/def/crs/EPSG/0/"
_LAMBERT_93, _LAMBERT_93_IGN69 = 2154, 5698
"""RGF93 v1 / Lambert-93, and the same with NGF-IGN69 heights: the legal ones of mainland France (decree 2000-1276)."""
_GEOGRAPHIC_3D = 4979


def document(found: Sequence[Building], *, bbox: BBox, title: str, day: date) -> bytes:
    """Return a CityJSON 2.0 document of `found`; lengths are metres, to the millimetre.

    Heights stay those of the source: in mainland France they are declared NGF-IGN69. Where no legal projection is
    known, coordinates are WGS 84 latitude, longitude, height (EPSG:4979) and the step is 1e-8 degree.
    """
    code = legal_code(bbox)
    counts = [len(one.volume.vertices) for one in found]
    everything = _placed(np.concatenate([one.volume.vertices for one in found]) if found else np.zeros((1, 3)), code)
    steps = np.array([_UNIT_M, _UNIT_M, _UNIT_M] if code else [1e-8, 1e-8, _UNIT_M])
    origin = np.round(everything.min(axis=0) / steps) * steps
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(int).tolist()
    objects = {one.footprint.key: _object(one, at) for one, at in zip(found, starts, strict=False)}
    vertices = np.round((everything - origin) / steps).astype(np.int64).tolist() if found else []
    content = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": steps.tolist(), "translate": [round(float(value), 8) for value in origin]},
        "metadata": {
            "title": title,
            "referenceDate": day.isoformat(),
            "referenceSystem": f"{_EPSG}{_declared(code)}",
            **({"geographicalExtent": _extent(everything)} if found else {}),
        },
        "CityObjects": objects,
        "vertices": vertices,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _declared(code: int | None) -> int:
    if code is None:
        return _GEOGRAPHIC_3D
    return _LAMBERT_93_IGN69 if code == _LAMBERT_93 else code


def _extent(points: Points) -> list[float]:
    return [round(float(value), 8) for value in (*points.min(axis=0), *points.max(axis=0))]


def _placed(points: Points, code: int | None) -> Points:
    if code is None:
        swapped: Points = points[:, [1, 0, 2]]
        return swapped
    transformer = Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True)
    x, y = transformer.transform(points[:, 0], points[:, 1])
    return np.column_stack([x, y, points[:, 2]])


def _object(one: Building, at: int) -> dict[str, Any]:
    volume = one.volume
    kinds = sorted(set(volume.kinds))
    boundaries = [[[at + number for number in ring] for ring in face] for face in volume.faces]
    values = [kinds.index(kind) for kind in volume.kinds]
    # A block is closed by construction; what was published may not be, and is not said to be.
    shell = one.is_block
    geometry = {
        "type": "Solid" if shell else "MultiSurface",
        "lod": volume.lod,
        "boundaries": [boundaries] if shell else boundaries,
        "semantics": {"surfaces": [{"type": kind} for kind in kinds], "values": [values] if shell else values},
    }
    attributes = {key: value for key, value in one.footprint.values.items() if value not in (None, "")}
    if one.is_supposed:
        attributes["hauteur_supposee"] = True
    return {"type": "Building", "attributes": attributes, "geometry": [geometry]}
