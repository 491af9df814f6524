"""Buildings of a CityGML document (1.0 to 3.0): their attributes and the surfaces of their best level of detail.

Read as a stream, one city object at a time; entities are refused. Names are told by their local part: the versions
of the standard differ by their namespaces and little else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from defusedxml.ElementTree import iterparse

from beffroi.lake.connectors.city_objects import KNOWN_KINDS, CityModel, Published, PublishedFace, best_lod, ring_of
from beffroi.lake.connectors.xml_faults import told_in_words
from beffroi.lake.reading import Unreadable
from beffroi.lake.volumes import Points

MOST_BYTES = 1 << 30
MOST_BUILDINGS = 200_000
_MEMBERS = frozenset({"cityObjectMember", "featureMember"})
_BUILDINGS = frozenset({"Building", "BuildingPart"})
_LOD = re.compile(r"lod([0-4])(?:Solid|MultiSurface|Geometry)$")
_GENERIC = re.compile(r"(?:string|int|double|date|uri|measure)Attribute$|Attribute$")
# What is told by its own column here, or is not an attribute.
_NOT_VALUES = frozenset({"boundedBy", "boundary", "consistsOfBuildingPart", "buildingPart", "address", "opening"})
_MISSING = frozenset({"", "-9999", "-9999.0", "-9999.000000"})


def read_citygml(path: Path) -> CityModel:
    """Read the buildings of `path`, their parts with them.

    Raises:
        Unreadable: not well formed (line told), uses entities, too large, or holds more than `MOST_BUILDINGS`.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "maquette de plus de {limit} Mo",
            where=path.name,
            remedy="publiez-la en plusieurs fichiers, par exemple un par quartier",
            limit=MOST_BYTES >> 20,
        )
    with told_in_words(path):
        return _read(path)


def _read(path: Path) -> CityModel:
    model = CityModel()
    root: Any = None
    others: dict[str, int] = defaultdict(int)
    for event, element in iterparse(str(path), events=("start", "end")):
        if event == "start":
            root = element if root is None else root
            model.declared = model.declared or element.attrib.get("srsName", "")
        elif _local(element.tag) in _MEMBERS:
            for thing in element:
                if _local(thing.tag) == "Building":
                    model.buildings.append(_building(thing, len(model.buildings) + 1))
                else:
                    others[_local(thing.tag)] += 1
            # What was read is let go: memory holds one object, not the town.
            root.clear()
            if len(model.buildings) > MOST_BUILDINGS:
                raise Unreadable(
                    "plus de {limit} bâtiments",
                    where=path.name,
                    remedy="publiez la maquette en plusieurs fichiers",
                    limit=MOST_BUILDINGS,
                )
    model.others = dict(others)
    return model


def _building(element: Any, number: int) -> Published:
    name = next((value for key, value in element.attrib.items() if _local(key) == "id"), "")
    published = Published(name or f"batiment-{number}", dict(_values(element)))
    by_lod: dict[str, list[PublishedFace]] = defaultdict(list)
    for part in _with_parts(element):
        for lod, face in _faces(part):
            by_lod[lod].append(face)
    if by_lod:
        published.lod = best_lod(sorted(by_lod))
        published.faces = by_lod[published.lod]
    return published


def _with_parts(element: Any) -> Iterator[Any]:
    yield element
    for child in element:
        if _local(child.tag) in ("consistsOfBuildingPart", "buildingPart"):
            for part in child:
                if _local(part.tag) in _BUILDINGS:
                    yield from _with_parts(part)


def _faces(element: Any) -> Iterator[tuple[str, PublishedFace]]:
    """Yield (level of detail, face): those of its bounding surfaces, else those of its solid."""
    bounded = False
    for child in element:
        if _local(child.tag) not in ("boundedBy", "boundary"):
            continue
        for surface in child:
            kind = _local(surface.tag)
            if kind not in KNOWN_KINDS:
                continue
            for lod, rings in _geometries(surface):
                bounded = True
                yield lod, (kind, rings)
    if not bounded:
        for lod, rings in _geometries(element):
            yield lod, ("", rings)


def _geometries(element: Any) -> Iterator[tuple[str, tuple[Points, ...]]]:
    for child in element:
        found = _LOD.match(_local(child.tag))
        if found is None:
            continue
        for polygon in child.iter():
            if _local(polygon.tag) in ("Polygon", "PolygonPatch", "Triangle", "Rectangle"):
                rings = [ring for part in polygon if (ring := _ring(part)) is not None]
                if rings:
                    yield found[1], tuple(rings)


def _ring(boundary: Any) -> Points | None:
    """Return the ring of an ``exterior`` or ``interior``, however its points are written."""
    flat: list[float] = []
    size = 3
    try:
        for element in boundary.iter():
            name = _local(element.tag)
            if name in ("posList", "pos"):
                size = int(element.attrib.get("srsDimension", 3))
                flat += map(float, (element.text or "").split())
            elif name == "coordinates":
                flat += map(float, (element.text or "").replace(",", " ").split())
    except ValueError:
        return None
    if size != 3 or not flat or len(flat) % 3:
        return None
    return ring_of(np.array(flat).reshape(-1, 3))


def _values(element: Any) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a building: the standard's, the generic ones, the references to other registers."""
    for child in element:
        name = _local(child.tag)
        if name in _NOT_VALUES or _LOD.match(name):
            continue
        if name == "externalReference":
            found = [(_local(one.tag), (one.text or "").strip()) for one in child.iter()]
            told = next((text for tag, text in found if tag in ("name", "uri") and text), "")
            yield from ([("reference", told)] if told else [])
        elif _GENERIC.search(name):
            told = next(((one.text or "").strip() for one in child.iter() if _local(one.tag) == "value"), "")
            yield from ([(child.attrib.get("name", name), told)] if told not in _MISSING else [])
        elif not len(child):
            told = (child.text or "").strip()
            yield from ([(name, told)] if told not in _MISSING else [])


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]
