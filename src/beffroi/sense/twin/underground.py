"""What is under the streets: pipes and cables with their depth for agents, their kinds by street for the public.

Where a network runs is for the agents of the town. What residents are told is read with the agents' eyes and cut here
to a list of kinds and operators for the whole of a street: neither a place, nor a depth, nor a length leaves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary, Filter
from beffroi.sense.twin.plane import METRES_PER_DEGREE, Plane

CUT_M = 14.0
"""How far to each side a street is cut."""
NEAR_M = 40.0
MOST = 3_000
KINDS = {
    "electricite": gettext_noop("Électricité"),
    "gaz": gettext_noop("Gaz"),
    "eau": gettext_noop("Eau potable"),
    "assainissement": gettext_noop("Assainissement"),
    "telecom": gettext_noop("Télécommunications et fibre"),
    "chaleur": gettext_noop("Chaleur ou froid"),
    "eclairage": gettext_noop("Éclairage et signalisation"),
}
COLOURS = {
    "electricite": "#a31621", "gaz": "#8f6b00", "eau": "#0b5fa5", "assainissement": "#5b3a1a", "telecom": "#00734d",
    "chaleur": "#7b2d86", "eclairage": "#b03a48",
}  # fmt: skip
"""Those of NF P 98-332 for what is marked on the ground, dark enough to be seen on a map."""


@dataclass(frozen=True, slots=True)
class Pipe:
    """A stretch of network: its line (CRS84), how deep its top is in metres (None unknown), how well it is known."""

    id: str
    kind: str
    operator: str
    street: str
    depth_m: float | None
    grade: str
    flexible: bool
    sensitive: bool
    bore_mm: float | None
    line: Any

    @property
    def tolerance_m(self) -> float | None:
        """Return how far off its place may be told: order of 15 February 2012, art. 1; None for class C."""
        return {"A": 0.5 if self.flexible else 0.4, "B": 1.5}.get(self.grade)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A network met by a cut: how far from the middle of the cut, in metres, left to right."""

    pipe: Pipe
    offset_m: float


@dataclass(frozen=True, slots=True)
class Section:
    """A street cut across at a place (CRS84); `bearing_deg` is where the cut goes, clockwise from north."""

    lon: float
    lat: float
    street: str
    bearing_deg: float
    crossings: tuple[Crossing, ...]


@dataclass(frozen=True, slots=True)
class UnderStreet:
    """What the public is told of a street: a kind of network and who runs it."""

    kind: str
    operator: str


def pipes(viewer: Viewer, ref: DatasetRef, *, bbox: BBox, most: int = MOST) -> list[Pipe]:
    """Return the networks that meet a box, as their reader may see them."""
    found = []
    for body in map(json.loads, lake.features(viewer, ref, bbox=bbox, limit=most).features):
        if body.get("geometry"):
            found.append(_pipe(str(body["id"]), body["properties"], shapely.from_geojson(json.dumps(body["geometry"]))))
    return found


def _pipe(number: str, told: Mapping[str, Any], line: Any) -> Pipe:
    return Pipe(
        id=number, kind=str(told.get("reseau") or ""), operator=str(told.get("exploitant") or ""),
        street=str(told.get("voie") or ""), depth_m=_number(told.get("profondeur_m")),
        grade=str(told.get("classe") or "C"), flexible=told.get("flexible") is True,
        sensitive=told.get("sensible") is True, bore_mm=_number(told.get("diametre_mm")), line=line,
    )  # fmt: skip


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def section(viewer: Viewer, ref: DatasetRef, *, lon: float, lat: float) -> Section | None:
    """Cut across what runs nearest a place (CRS84), None when no network is within 40 m of it.

    The cut is square to the nearest network and goes through it, 14 m to each side, told from the west, or from the
    south when it goes north.
    """
    high = NEAR_M / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(lat))
    near = pipes(viewer, ref, bbox=BBox(lon - wide, lat - high, lon + wide, lat + high))
    if not near:
        return None
    plane = Plane(lon, lat)
    lines = [shapely.transform(one.line, plane.metres) for one in near]
    away = shapely.distance(shapely.Point(0, 0), lines)
    first = int(np.argmin(away))
    if away[first] > NEAR_M:
        return None
    line = min(shapely.get_parts(lines[first]), key=lambda part: part.distance(shapely.Point(0, 0)))
    at = line.project(shapely.Point(0, 0))
    middle = np.array(line.interpolate(at).coords[0])
    ends = [np.array(line.interpolate(min(max(at + step, 0.0), line.length)).coords[0]) for step in (-0.5, 0.5)]
    way = ends[1] - ends[0]
    way = way / (np.hypot(*way) or 1.0)
    across = np.array([-way[1], way[0]])
    if across[0] < -1e-6 or (abs(across[0]) <= 1e-6 and across[1] < 0):
        across = -across
    cut = shapely.LineString([middle - across * CUT_M, middle + across * CUT_M])
    met = []
    for pipe, one in zip(near, lines, strict=True):
        for point in shapely.get_coordinates(shapely.intersection(one, cut)):
            met.append(Crossing(pipe, round(float((point - middle) @ across), 2)))
    here = plane.degrees(*middle.tolist())
    bearing = math.degrees(math.atan2(across[0], across[1])) % 360
    return Section(*here, near[first].street, bearing, tuple(sorted(met, key=lambda one: one.offset_m)))


def under_street(territory: str, slug: str, street: str) -> list[UnderStreet] | None:
    """Return which networks run under a whole street, None when the town has no such dataset.

    Read with the agents' eyes, and cut to kinds and operators: by the name of the street only, so that no comparison
    of two places tells where anything runs.
    """
    eyes = Viewer(None, (Grant(territory, Role.AGENT),))
    ref = DatasetRef(territory, slug)
    if not any(one.ref == ref for one in lake.datasets(eyes, territory=territory)):
        return None
    wanted = folded(street)
    if not wanted:
        return []
    found = lake.rows(
        eyes, ref, columns=["voie", "reseau", "exploitant"], where=[Filter("voie", "contains", street)], max_rows=MOST
    )
    told = {
        UnderStreet(str(kind), str(operator or ""))
        for name, kind, operator in found.rows if kind and folded(str(name)) == wanted
    }  # fmt: skip
    order = list(KINDS)
    return sorted(told, key=lambda one: (order.index(one.kind) if one.kind in order else len(order), one.operator))


@dataclass(frozen=True, slots=True)
class Move:
    """A movement of the ground that is known: its kind, when, how far in metres."""

    kind: str
    day: str
    metres: float


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground at a place: exposure to clay (empty: none, None: not known here), movements within 500 m, altitude.

    `fibre` is the share of premises of the area that fibre reaches, in per cent, None where it is not known.
    """

    clay: str | None
    moves: tuple[Move, ...] | None
    altitude_m: float | None
    fibre: float | None


MOVES_M = 500.0


def ground(
    viewer: Viewer, datasets: Sequence[DatasetSummary], *, lon: float, lat: float, clay: str, moves: str, fibre: str
) -> Ground:
    """Return what is known of the ground at a place (CRS84), as this reader may see it."""
    refs = {one.ref.slug: one.ref for one in datasets}
    here = BBox(lon, lat, lon, lat)
    territory = next(iter(refs.values())).territory if refs else ""
    exposed = _at(viewer, refs[clay], here, lon, lat) if clay in refs else None
    steps = ("Faible", "Moyen", "Fort")
    worst = max((one for told in exposed or () if (one := str(told.get("alea") or "")) in steps),
                key=steps.index, default="")  # fmt: skip
    reached = _at(viewer, refs[fibre], here, lon, lat) if fibre in refs else []
    share = next((_number(told.get("part_fibre")) for told in reached), None)
    return Ground(
        clay=None if exposed is None else worst,
        moves=_moves(viewer, refs[moves], lon, lat) if moves in refs else None,
        altitude_m=lake.altitude_m(territory, lon=lon, lat=lat) if territory else None,
        fibre=share,
    )


def _at(viewer: Viewer, ref: DatasetRef, box: BBox, lon: float, lat: float) -> list[dict[str, Any]]:
    """Return the values of the areas of a dataset that hold a point."""
    point = shapely.Point(lon, lat)
    return [
        body["properties"]
        for body in map(json.loads, lake.features(viewer, ref, bbox=box, limit=100).features)
        if body.get("geometry") and shapely.from_geojson(json.dumps(body["geometry"])).intersects(point)
    ]


def _moves(viewer: Viewer, ref: DatasetRef, lon: float, lat: float) -> tuple[Move, ...]:
    high = MOVES_M / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(lat))
    plane = Plane(lon, lat)
    found = []
    page = lake.features(viewer, ref, bbox=BBox(lon - wide, lat - high, lon + wide, lat + high), limit=200)
    for body in map(json.loads, page.features):
        if body.get("geometry"):
            at = shapely.get_coordinates(shapely.centroid(shapely.from_geojson(json.dumps(body["geometry"]))))
            metres = float(np.hypot(*plane.metres(at)[0]))
            if metres <= MOVES_M:
                told = body["properties"]
                found.append(Move(str(told.get("type") or ""), str(told.get("date_debut") or "")[:10], metres))
    return tuple(sorted(found, key=lambda one: one.metres))
