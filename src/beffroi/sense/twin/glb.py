"""Buildings as binary glTF 2.0 (GLB), the content of 3D Tiles 1.1: metres around a place, each vertex with its owner.

glTF has its second axis up: x is east, y is up, z is south. Two primitives, roofs and the rest, share one table of
buildings (EXT_mesh_features, EXT_structural_metadata). No normals: faces are flat, as the standard has it without them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beffroi.lake.volumes import ROOF, metres
from beffroi.sense.twin.meshes import triangles
from beffroi.sense.twin.queries import Building

MEDIA_TYPE = "model/gltf-binary"
_FLOAT, _UNSIGNED_INT = 5126, 5125
_ARRAY, _ELEMENTS = 34962, 34963
_ROOFS, _WALLS = (0.60, 0.34, 0.26, 1.0), (0.86, 0.83, 0.77, 1.0)
_JSON, _BIN = 0x4E4F534A, 0x004E4942


@dataclass(slots=True)
class _Buffer:
    """The binary chunk, and the views and accessors that name its parts."""

    content: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, data: bytes, **more: Any) -> int:
        self.content += bytes(-len(self.content) % 8)
        self.views.append({"buffer": 0, "byteOffset": len(self.content), "byteLength": len(data), **more})
        self.content += data
        return len(self.views) - 1

    def accessor(self, values: NDArray[Any], kind: str, component: int, **more: Any) -> int:
        target = _ELEMENTS if component == _UNSIGNED_INT else _ARRAY
        view = self.view(values.tobytes(), target=target)
        told = {"bufferView": view, "componentType": component, "count": len(values), "type": kind}
        self.accessors.append(told | more)
        return len(self.accessors) - 1


def glb(found: Sequence[Building], *, lon: float, lat: float, extras: dict[str, Any] | None = None) -> bytes:
    """Return a GLB of `found`, in metres east and south of a place and at their altitudes; `extras` go with the scene.

    The plane of the place is within 3 cm of the ellipsoid at 500 m.
    """
    buffer = _Buffer()
    primitives = [
        primitive
        for material, is_roof in enumerate((True, False))
        if (primitive := _primitive(buffer, found, lon, lat, is_roof=is_roof, material=material))
    ]
    root: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Beffroi"},
        "scene": 0,
        "scenes": [{"nodes": [0] if primitives else [], **({"extras": extras} if extras else {})}],
    }
    if primitives:
        root |= {
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": primitives}],
            "materials": [_material("toits", _ROOFS), _material("murs", _WALLS)],
            "extensionsUsed": ["EXT_mesh_features", "EXT_structural_metadata"],
            "extensions": {"EXT_structural_metadata": _table(buffer, found)},
            "accessors": buffer.accessors,
            "bufferViews": buffer.views,
            "buffers": [{"byteLength": len(buffer.content) + -len(buffer.content) % 4}],
        }
    else:
        del root["scenes"][0]["nodes"]
    return _packed(root, bytes(buffer.content))


def _primitive(
    buffer: _Buffer, found: Sequence[Building], lon: float, lat: float, *, is_roof: bool, material: int
) -> dict[str, Any] | None:
    """Write the faces that are roofs, or those that are not; None when there are none."""
    places, numbers, corners, at = [], [], [], 0
    for number, one in enumerate(found):
        faces = tuple(
            face for face, kind in zip(one.volume.faces, one.volume.kinds, strict=True) if (kind == ROOF) is is_roof
        )
        local = metres(one.volume.vertices, lon, lat)
        cut = triangles(local, faces)
        used, cut = np.unique(cut, return_inverse=True)
        places.append(local[used])
        numbers.append(np.full(len(used), number))
        corners.append(cut.reshape(-1) + at)
        at += len(used)
    if not at:
        return None
    points = np.concatenate(places)
    turned = np.column_stack([points[:, 0], points[:, 2], -points[:, 1]]).astype("<f4")
    low, high = turned.min(axis=0).tolist(), turned.max(axis=0).tolist()
    attributes = {
        "POSITION": buffer.accessor(turned, "VEC3", _FLOAT, min=low, max=high),
        "_FEATURE_ID_0": buffer.accessor(np.concatenate(numbers).astype("<f4"), "SCALAR", _FLOAT),
    }
    features = {"featureCount": len(found), "attribute": 0, "propertyTable": 0}
    return {
        "attributes": attributes,
        "indices": buffer.accessor(np.concatenate(corners).astype("<u4"), "SCALAR", _UNSIGNED_INT),
        "material": material,
        "mode": 4,
        "extensions": {"EXT_mesh_features": {"featureIds": [features]}},
    }


def _material(name: str, colour: tuple[float, ...]) -> dict[str, Any]:
    matt = {"baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": 0.9}
    return {"name": name, "pbrMetallicRoughness": matt, "doubleSided": True}


def _table(buffer: _Buffer, found: Sequence[Building]) -> dict[str, Any]:
    """Write the table of the buildings: their key, the altitude of their foot and their height."""
    keys = [one.footprint.key.encode() for one in found]
    offsets = np.concatenate([[0], np.cumsum([len(key) for key in keys])]).astype("<u4")
    volumes = [one.volume for one in found]
    numbers = {
        "altitude_sol": [volume.base_m for volume in volumes],
        "hauteur": [volume.top_m - volume.base_m for volume in volumes],
    }
    properties: dict[str, Any] = {
        "id": {
            "values": buffer.view(b"".join(keys)),
            "stringOffsets": buffer.view(offsets.tobytes()),
            "stringOffsetType": "UINT32",
        },
        **{name: {"values": buffer.view(np.array(told, dtype="<f4").tobytes())} for name, told in numbers.items()},
    }
    of_metres = {"type": "SCALAR", "componentType": "FLOAT32", "required": True, "description": "mètres"}
    fields = {"id": {"type": "STRING", "required": True}} | dict.fromkeys(numbers, of_metres)
    return {
        "schema": {"id": "beffroi", "classes": {"batiment": {"name": "Bâtiment", "properties": fields}}},
        "propertyTables": [{"class": "batiment", "count": len(found), "properties": properties}],
    }


def _packed(root: dict[str, Any], content: bytes) -> bytes:
    head = json.dumps(root, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join(_chunks([(_JSON, head + b" " * (-len(head) % 4)), (_BIN, content + bytes(-len(content) % 4))]))


def _chunks(parts: list[tuple[int, bytes]]) -> Iterator[bytes]:
    kept = [(kind, data) for kind, data in parts if data]
    yield struct.pack("<4sII", b"glTF", 2, 12 + sum(8 + len(data) for _kind, data in kept))
    for kind, data in kept:
        yield struct.pack("<II", len(data), kind) + data
