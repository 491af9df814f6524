"""Read the streets of an OpenStreetMap extract (PBF or XML) with osmium."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility import osm_tags
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import (
    CARRIAGEWAYS,
    KERB_UNKNOWN,
    LIFT,
    NO_INCLINE,
    UNKNOWN,
    WHEELS,
    Attribute,
    Confidence,
    Kind,
    Origin,
)

LICENCE = "ODbL 1.0 (© les contributeurs d'OpenStreetMap)"
_LANDMARK_KEYS = ("amenity", "tourism", "historic", "shop", "leisure", "office")
_OSMIUM = "osmium"


class BadExtract(BeffroiError):
    """The extract cannot be read, or holds no street."""


class _Way:
    __slots__ = ("id", "known", "refs", "tags")

    def __init__(self, id: int, refs: list[int], tags: dict[str, str], known: Any) -> None:
        self.id, self.refs, self.tags, self.known = id, refs, tags, known


def read_osm(path: Path) -> Streets:
    """Read every street, path, stairs and lift of an extract, cut where they meet and where a kerb or a barrier stands.

    Raises:
        BadExtract: not an OpenStreetMap file, or nothing in it to walk or drive on.
    """
    osmium = _osmium()
    try:
        ways, relations = _ways(osmium, path)
        places, tagged, landmarks = _nodes(osmium, path, {ref for way in ways for ref in way.refs})
        date = _date(osmium, path)
    except (RuntimeError, OSError) as error:
        raise BadExtract(
            "extrait OpenStreetMap illisible ({reason})",
            where=path.name,
            remedy="donnez un fichier .osm.pbf, .osm ou .osm.gz entier",
            reason=str(error),
        ) from error
    if not ways:
        raise BadExtract(
            "aucune rue dans cet extrait", where=path.name, remedy="donnez un extrait qui couvre la commune"
        )
    return _cut(ways, relations, places, tagged, landmarks, Origin("OpenStreetMap", date, Confidence.DECLARED, LICENCE))


def _osmium() -> Any:
    try:
        import osmium
    except ImportError as error:
        raise BadExtract(
            "le lecteur d'OpenStreetMap n'est pas installé",
            where=_OSMIUM,
            remedy="faites « make install », ou « pip install beffroi[mobility] »",
        ) from error
    return osmium


def _date(osmium: Any, path: Path) -> str:
    reader = osmium.io.Reader(str(path))
    try:
        return str(reader.header().get("osmosis_replication_timestamp", ""))[:10]
    finally:
        reader.close()


def _ways(osmium: Any, path: Path) -> tuple[list[_Way], list[tuple[str, int, int, int]]]:
    ways, turns = [], []
    wanted = osmium.filter.KeyFilter("highway", "railway", "restriction")
    for item in osmium.FileProcessor(str(path), osmium.osm.WAY | osmium.osm.RELATION).with_filter(wanted):
        tags = dict(item.tags)
        if item.is_way():
            known = osm_tags.kind_of(tags)
            refs = [node.ref for node in item.nodes]
            if known is not None and len(refs) > 1:
                ways.append(_Way(item.id, refs, tags, known))
        elif tags.get("type") == "restriction":
            role = {(member.role, member.type): member.ref for member in item.members}
            if ("from", "w") in role and ("via", "n") in role and ("to", "w") in role:
                turns.append((tags["restriction"], role["from", "w"], role["via", "n"], role["to", "w"]))
    return ways, turns


def _nodes(
    osmium: Any, path: Path, wanted: set[int]
) -> tuple[dict[int, tuple[float, float]], dict[int, dict[str, str]], list[tuple[float, float, str]]]:
    places, tagged, landmarks = {}, {}, []
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
        used = node.id in wanted
        if not used and not node.tags:
            continue
        if not node.location.valid():
            continue
        place = (node.location.lon, node.location.lat)
        if used:
            places[node.id] = place
            if node.tags:
                tagged[node.id] = dict(node.tags)
        if "name" in node.tags and any(key in node.tags for key in _LANDMARK_KEYS):
            landmarks.append((*place, node.tags["name"]))
    return places, tagged, landmarks


def _cut(
    ways: list[_Way],
    relations: list[tuple[str, int, int, int]],
    places: dict[int, tuple[float, float]],
    tagged: dict[int, dict[str, str]],
    landmarks: list[tuple[float, float, str]],
    origin: Origin,
) -> Streets:
    for way in ways:
        # An extract cut at a border keeps ways whose last nodes it does not hold.
        way.refs = [ref for ref in way.refs if ref in places]
    ways = [way for way in ways if len(way.refs) > 1]
    uses = Counter(ref for way in ways for ref in way.refs)
    cut = {ref for ref, count in uses.items() if count > 1} | _costly(tagged)
    number: dict[int, int] = {}
    tail: list[int] = []
    head: list[int] = []
    owner: list[int] = []
    offset, points = [0], list[tuple[float, float]]()
    pieces: dict[int, list[int]] = {}
    for rank, way in enumerate(ways):
        start = 0
        for place in range(1, len(way.refs)):
            if place < len(way.refs) - 1 and way.refs[place] not in cut:
                continue
            part = way.refs[start : place + 1]
            start = place
            pieces.setdefault(way.id, []).append(len(tail))
            tail.append(number.setdefault(part[0], len(number)))
            head.append(number.setdefault(part[-1], len(number)))
            owner.append(rank)
            points.extend(places[ref] for ref in part)
            offset.append(len(points))
    names: dict[str, int] = {}
    columns, origins = _described(ways, np.array(owner, dtype=np.int64), names)
    streets = Streets(
        points=np.array(points, dtype=np.float64).reshape(-1, 2),
        offset=np.array(offset, dtype=np.int64),
        tail=np.array(tail, dtype=np.int64),
        head=np.array(head, dtype=np.int64),
        columns=columns,
        origin=origins,
        origins=[origin],
        names=list(names),
        landmarks=landmarks,
    )
    _stand(streets, number, tagged)
    streets.turns = list(_forbidden_turns(streets, relations, pieces, number))
    return streets


def _costly(tagged: dict[int, dict[str, str]]) -> set[int]:
    return {
        ref
        for ref, tags in tagged.items()
        if osm_tags.kerb_of(tags) is not None or osm_tags.barrier_of(tags) or osm_tags.crossing_of(tags)
    }


def _described(ways: list[_Way], owner: Any, names: dict[str, int]) -> tuple[dict[str, Any], Any]:
    columns, origin = blank_columns(len(ways)), blank_origin(len(ways))
    for rank, way in enumerate(ways):
        _describe(way, rank, columns, origin, names)
    cut_columns = {name: column[owner] for name, column in columns.items()}
    # A flight of steps cut in two shares its steps.
    share = np.bincount(owner, minlength=len(ways))[owner]
    cut_columns["steps"] = np.ceil(cut_columns["steps"] / np.maximum(share, 1)).astype(np.uint16)
    return cut_columns, origin[owner]


def _describe(way: _Way, rank: int, columns: dict[str, Any], origin: Any, names: dict[str, int]) -> None:
    tags, (kind, default, speed) = way.tags, way.known
    forward, backward = osm_tags.access_of(tags, default, kind)
    surface = osm_tags.SURFACES.get(tags.get("sidewalk:both:surface") or tags.get("surface", ""), UNKNOWN)
    incline = osm_tags.incline_pct(tags.get("incline"))
    kerb = osm_tags.kerb_of(tags) if kind == Kind.CROSSING else None
    width = _walking_width_cm(tags, kind)
    values = {
        "kind": kind,
        "forward": forward,
        "backward": backward,
        "speed_kmh": osm_tags.speed_kmh(tags.get("maxspeed"), speed),
        "surface": surface,
        "width_cm": width,
        "road_cm": osm_tags.length_cm(tags.get("width")) if kind in CARRIAGEWAYS else 0,
        "steps": _count(tags.get("step_count")),
        "lit": osm_tags.yes_no(tags.get("lit")),
        "max_weight_kg": osm_tags.weight_kg(tags.get("maxweight")),
        "max_height_cm": osm_tags.length_cm(tags.get("maxheight")),
        "max_width_cm": osm_tags.length_cm(tags.get("maxwidth")),
        "tactile": osm_tags.yes_no(tags.get("tactile_paving")),
        "crossing": osm_tags.crossing_of(tags),
        "wheelchair": osm_tags.yes_no(tags.get("wheelchair") or tags.get("ramp:wheelchair")),
        "level": _off_ground(tags),
        "incline_pct": incline,
        "name": names.setdefault(tags["name"], len(names)) if tags.get("name") else -1,
        "kerb_cm": kerb if kerb is not None else (KERB_UNKNOWN if kind == Kind.CROSSING else -2),
    }
    for name, value in values.items():
        columns[name][rank] = value
    told = {
        Attribute.WIDTH: width > 0,
        Attribute.SURFACE: surface != UNKNOWN,
        Attribute.SLOPE: incline != NO_INCLINE,
        Attribute.KERB: kerb not in (None, KERB_UNKNOWN),
        Attribute.LIGHT: values["lit"] != UNKNOWN,
        Attribute.STAIRS: kind == Kind.STEPS and values["steps"] > 0,
    }
    for attribute, known in told.items():
        origin[rank, attribute] = 1 if known else 0


def _walking_width_cm(tags: dict[str, str], kind: Kind) -> int:
    if kind not in CARRIAGEWAYS:
        return osm_tags.length_cm(tags.get("width"))
    sides = ("sidewalk:both:width", "sidewalk:left:width", "sidewalk:right:width", "sidewalk:width")
    return max(osm_tags.length_cm(tags.get(key)) for key in sides)


def _off_ground(tags: dict[str, str]) -> int:
    return int(
        tags.get("bridge", "no") != "no" or tags.get("tunnel", "no") != "no" or tags.get("layer", "0") not in ("0", "")
    )


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 5 else 0


def _stand(streets: Streets, number: dict[int, int], tagged: dict[int, dict[str, str]]) -> None:
    """Put kerbs, crossings, barriers and lifts on the ends where they stand."""
    for ref, tags in tagged.items():
        end = number.get(ref)
        if end is None:
            continue
        kerb = osm_tags.kerb_of(tags)
        if kerb is not None:
            streets.kerb_cm[end] = kerb
        crossing, barrier = osm_tags.crossing_of(tags), osm_tags.barrier_of(tags)
        if crossing:
            streets.crossing[end] = crossing
        if barrier:
            streets.barrier[end] = barrier
        if barrier & (LIFT | WHEELS):
            streets.charged.add(end)


def _forbidden_turns(
    streets: Streets,
    relations: list[tuple[str, int, int, int]],
    pieces: dict[int, list[int]],
    number: dict[int, int],
) -> Iterable[tuple[int, int, int]]:
    touching: dict[int, list[int]] = {}
    for segment, ends in enumerate(zip(streets.tail.tolist(), streets.head.tolist(), strict=True)):
        for end in ends:
            touching.setdefault(end, []).append(segment)
    for rule, from_way, via, to_way in relations:
        end = number.get(via)
        if end is None:
            continue
        here = touching.get(end, [])
        starts = [segment for segment in pieces.get(from_way, ()) if segment in here]
        goals = [segment for segment in pieces.get(to_way, ()) if segment in here]
        if not starts or not goals:
            continue
        if rule.startswith("no_"):
            yield from ((start, end, goal) for start in starts for goal in goals)
        elif rule.startswith("only_"):
            others = [segment for segment in here if segment not in goals and segment not in starts]
            yield from ((start, end, other) for start in starts for other in others)
