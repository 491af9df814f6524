"""Buildings of a CityJSON document (1.0 to 2.0), or of a CityJSONSeq: one feature per line."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.lake.connectors.city_objects import CityModel, Published, PublishedFace, best_lod, ring_of
from beffroi.lake.reading import Unreadable
from beffroi.lake.volumes import Points

MOST_BYTES = 512 << 20
_DEPTHS = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}


def read_cityjson(path: Path) -> CityModel:
    """Read the buildings of `path`, their parts with them.

    Raises:
        Unreadable: not JSON (line told), not CityJSON, or too large.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "maquette de plus de {limit} Mo",
            where=path.name,
            remedy="publiez-la en CityJSONSeq par quartier",
            limit=MOST_BYTES >> 20,
        )
    documents = _documents(path)
    head = documents[0]
    if head.get("type") != "CityJSON":
        raise Unreadable(
            "ce fichier n’est pas du CityJSON", where=path.name, remedy="sa première ligne doit être de type CityJSON"
        )
    model = CityModel(declared=str((head.get("metadata") or {}).get("referenceSystem") or ""))
    others: dict[str, int] = defaultdict(int)
    try:
        for document in documents:
            _read(document, document.get("transform") or head.get("transform"), model, others)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(
            "ce CityJSON ne suit pas la norme ({why})",
            where=path.name,
            remedy="vérifiez-le avec un validateur CityJSON, puis publiez-le à nouveau",
            why=f"{type(error).__name__} : {error}"[:120],
        ) from error
    model.others = dict(others)
    return model


def _documents(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        return [json.loads(text)]
    except json.JSONDecodeError as whole:
        documents = []
        for number, line in enumerate(text.splitlines(), 1):
            try:
                documents += [json.loads(line)] if line.strip() else []
            except json.JSONDecodeError as error:
                wrong = whole if not documents else error
                raise Unreadable(
                    "JSON incorrect à la colonne {column}",
                    where=f"{path.name}:{number if documents else whole.lineno}",
                    remedy="le fichier est peut-être tronqué : publiez-le à nouveau",
                    column=wrong.colno,
                ) from error
        return documents


def _read(document: dict[str, Any], transform: Any, model: CityModel, others: dict[str, int]) -> None:
    raw = document.get("vertices") or []
    vertices = np.array(raw, dtype=float).reshape(-1, 3) if raw else np.empty((0, 3))
    if transform:
        vertices = vertices * np.array(transform["scale"]) + np.array(transform["translate"])
    objects: dict[str, Any] = document.get("CityObjects") or {}
    for name, thing in objects.items():
        kind = str(thing.get("type", ""))
        if kind == "Building" or (kind == "BuildingPart" and not _parent(thing, objects)):
            model.buildings.append(_building(name, thing, objects, vertices))
        elif kind not in ("BuildingPart", "BuildingInstallation"):
            others[kind] += 1


def _parent(thing: dict[str, Any], objects: dict[str, Any]) -> bool:
    return any(name in objects for name in thing.get("parents") or ())


def _building(name: str, thing: dict[str, Any], objects: dict[str, Any], vertices: Points) -> Published:
    values = {key: _told(value) for key, value in (thing.get("attributes") or {}).items()}
    published = Published(name, {key: value for key, value in values.items() if value})
    by_lod: dict[str, list[PublishedFace]] = defaultdict(list)
    parts = [objects[child] for child in thing.get("children") or () if child in objects]
    for part in [thing, *(one for one in parts if one.get("type") == "BuildingPart")]:
        for geometry in part.get("geometry") or ():
            by_lod[str(geometry.get("lod", ""))] += _faces(geometry, vertices)
    kept = {lod: faces for lod, faces in by_lod.items() if faces}
    if kept:
        published.lod = best_lod(sorted(kept))
        published.faces = kept[published.lod]
    return published


def _told(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "" if value is None else str(value)


def _faces(geometry: dict[str, Any], vertices: Points) -> list[PublishedFace]:
    """Return the faces of a geometry with what each is: a solid is read by its outer shell."""
    depth = _DEPTHS.get(str(geometry.get("type")))
    if depth is None:
        return []
    semantics = geometry.get("semantics") or {}
    surfaces = semantics.get("surfaces") or []
    found: list[PublishedFace] = []
    for boundary, value in _flat(geometry["boundaries"], semantics.get("values"), depth):
        rings = [ring for indices in boundary if (ring := ring_of(vertices[indices])) is not None]
        if rings:
            found.append((str(surfaces[value]["type"]) if value is not None else "", tuple(rings)))
    return found


def _flat(boundaries: list[Any], values: Any, depth: int) -> Iterator[tuple[list[list[int]], int | None]]:
    if depth == 0:
        for number, boundary in enumerate(boundaries):
            yield boundary, values[number] if values else None
    elif depth == 1:
        # The inner shells of a solid are hollows within it: nobody sees them.
        yield from _flat(boundaries[0], values[0] if values else None, 0)
    else:
        for number, solid in enumerate(boundaries):
            yield from _flat(solid, values[number] if values else None, 1)
