"""Routes in words: instructions made of streets and landmarks, barriers named, as sentences a face can translate."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, radians

import numpy as np

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.sense.mobility.costs import Barrier
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import Met, Piece, Route
from beffroi.sense.mobility.streets import Array
from beffroi.sense.mobility.vocabulary import Crossing, Kind, Surface, Yes

SURFACES: dict[Surface | None, str] = {
    Surface.ASPHALT: gettext_noop("enrobé"),
    Surface.CONCRETE: gettext_noop("béton"),
    Surface.PAVING: gettext_noop("dalles"),
    Surface.SETT: gettext_noop("pavés réguliers"),
    Surface.COBBLE: gettext_noop("gros pavés"),
    Surface.COMPACTED: gettext_noop("stabilisé"),
    Surface.GRAVEL: gettext_noop("graviers"),
    Surface.WOOD: gettext_noop("bois"),
    Surface.METAL: gettext_noop("métal"),
    Surface.GRASS: gettext_noop("herbe"),
    Surface.EARTH: gettext_noop("terre"),
    Surface.SAND: gettext_noop("sable"),
    Surface.MUD: gettext_noop("boue"),
    None: gettext_noop("revêtement inconnu"),
}
_UNNAMED = {
    Kind.FOOTWAY: gettext_noop("un chemin piéton"),
    Kind.PEDESTRIAN: gettext_noop("une voie piétonne"),
    Kind.PATH: gettext_noop("un sentier"),
    Kind.TRACK: gettext_noop("un chemin"),
    Kind.CYCLEWAY: gettext_noop("une piste cyclable"),
    Kind.SERVICE: gettext_noop("une voie de desserte"),
}
_SOME_STREET = gettext_noop("une rue sans nom")
_WINDS = (
    gettext_noop("le nord"),
    gettext_noop("le nord-est"),
    gettext_noop("l’est"),
    gettext_noop("le sud-est"),
    gettext_noop("le sud"),
    gettext_noop("le sud-ouest"),
    gettext_noop("l’ouest"),
    gettext_noop("le nord-ouest"),
)
# Up to so many degrees to one side, and the sentence; the same to the left and to the right.
_TURNS = (
    (25, gettext_noop("Continuez tout droit : {street}"), gettext_noop("Continuez tout droit : {street}")),
    (60, gettext_noop("Prenez légèrement à gauche : {street}"), gettext_noop("Prenez légèrement à droite : {street}")),
    (135, gettext_noop("Tournez à gauche : {street}"), gettext_noop("Tournez à droite : {street}")),
    (180, gettext_noop("Tournez franchement à gauche : {street}"),
     gettext_noop("Tournez franchement à droite : {street}")),
)  # fmt: skip
_BARRIERS: dict[Barrier, tuple[str, str]] = {
    # With its amount, and without.
    Barrier.STAIRS: (gettext_noop("Escalier de {amount} marches, {street}"), gettext_noop("Escalier, {street}")),
    Barrier.SLOPE: (gettext_noop("Pente de {amount} %, {street}"), gettext_noop("Forte pente, {street}")),
    Barrier.KERB: (gettext_noop("Bordure de {amount} cm, {street}"), gettext_noop("Bordure haute, {street}")),
    Barrier.WIDTH: (gettext_noop("Passage large de {amount} cm seulement, {street}"),
                    gettext_noop("Passage trop étroit, {street}")),
    Barrier.SURFACE: (gettext_noop("Sol impraticable, {street}"), gettext_noop("Sol impraticable, {street}")),
    Barrier.STANDING: (gettext_noop("Passage signalé comme inaccessible, {street}"),
                       gettext_noop("Passage signalé comme inaccessible, {street}")),
    Barrier.UNDOCUMENTED: (gettext_noop("Rue non documentée, {street}"), gettext_noop("Rue non documentée, {street}")),
    Barrier.DARK: (gettext_noop("Rue sans éclairage, {street}"), gettext_noop("Rue sans éclairage, {street}")),
    Barrier.CLOSED: (gettext_noop("Rue fermée en ce moment, {street}"),
                     gettext_noop("Rue fermée en ce moment, {street}")),
}  # fmt: skip
MOST_LOOKED_AT = 12
NEAR_DEGREES = 1.2e-4
"""About ten metres: how far along one looks to tell which way a street leaves."""
_TOLD_APART = (Kind.STEPS, Kind.LIFT, Kind.ESCALATOR, Kind.CROSSING)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do: the sentence, where, how far it leads, and a landmark near there (empty without one)."""

    sentence: Sentence
    lon: float
    lat: float
    length_m: float
    landmark: str = ""


@dataclass(slots=True)
class _Stretch:
    """Pieces one follows without thinking: one street, one crossing, one flight of steps."""

    pieces: tuple[Piece, ...]
    length_m: float


def instructions(router: Router, route: Route) -> list[Instruction]:
    """Return what to do, in order, from leaving to arriving."""
    found = []
    stretches = _stretches(router, route)
    leaving, arriving = _bearings(router, stretches)
    landmarks, names = router.graph.landmark, router.graph.landmarks
    before: float | None = None
    for rank, stretch in enumerate(stretches):
        lon, lat, heading = leaving[rank]
        sentence = _sentence(router, stretch, before, heading, first=rank == 0)
        landmark = int(landmarks[_end(router, stretch.pieces[0], start=True)]) if rank > 0 else -1
        name = names[landmark] if landmark >= 0 else ""
        found.append(Instruction(sentence, lon, lat, stretch.length_m, name))
        before = arriving[rank]
    lon, lat = route.coordinates[-1].tolist()
    return [*found, Instruction(Sentence(gettext_noop("Vous êtes à destination")), lon, lat, 0.0)]


def _bearings(router: Router, stretches: list[_Stretch]) -> tuple[list[tuple[float, float, float]], list[float]]:
    """Return where each stretch begins and which way it leaves, then which way each arrives (degrees from north)."""
    firsts, lasts = [one.pieces[0] for one in stretches], [one.pieces[-1] for one in stretches]
    arcs = [one.arc for one in firsts] + [one.arc ^ 1 for one in lasts]
    leaving, back = _headings(router, np.array(arcs))
    told = list(zip(*leaving[: len(firsts)].T.tolist(), back[: len(firsts)].tolist(), strict=True))
    arriving = ((back[len(firsts) :] + 180) % 360).tolist()
    # Only the two ends of a route stop or begin within a street.
    for rank, one in enumerate(firsts):
        if one.share < 1 - 1e-9:
            line = router.cut(one.segment, one.start, one.stop).tolist()
            told[rank] = (line[0][0], line[0][1], _bearing(line))
    for rank, one in enumerate(lasts):
        if one.share < 1 - 1e-9:
            arriving[rank] = (_bearing(router.cut(one.segment, one.stop, one.start).tolist()) + 180) % 360
    return told, arriving


def _headings(router: Router, arcs: Array) -> tuple[Array, Array]:
    """Return where whole arcs begin (n×2, degrees) and the direction of their first ten metres (n, from north)."""
    points, offset = router.graph.points, router.graph.offset
    low, high = offset[arcs >> 1].astype(np.int64), offset[(arcs >> 1) + 1].astype(np.int64)
    begin, step = np.where(arcs & 1, high - 1, low), np.where(arcs & 1, -1, 1)
    origin = points[begin]
    aim = points[begin + step]
    for far in range(2, MOST_LOOKED_AT):
        near = (np.abs(aim - origin).sum(axis=1) <= NEAR_DEGREES) & (far < high - low)
        if not near.any():
            break
        aim = np.where(near[:, None], points[begin + step * np.where(near, far, 1)], aim)
    east, north = ((aim - origin) * np.stack([np.cos(np.radians(origin[:, 1])), np.ones(len(arcs))], axis=1)).T
    return origin, np.degrees(np.arctan2(east, north)) % 360


def _stretches(router: Router, route: Route) -> list[_Stretch]:
    graph = router.graph
    segments = np.array([one.arc for one in route.pieces]) >> 1
    kinds, names = graph.columns["kind"][segments].astype(np.int64), graph.columns["name"][segments].astype(np.int64)
    # One follows a street by its name; a way without a name by its kind; stairs and crossings are told apart.
    key = np.where(names >= 0, names, -1 - kinds)
    apart = np.isin(kinds, _TOLD_APART)
    key[apart] = -1000 - kinds[apart] - 1000 * (names[apart] + 1)
    begins = [0, *(np.flatnonzero(key[1:] != key[:-1]) + 1).tolist(), len(key)]
    walked = graph.length_m[segments] * np.abs([one.stop - one.start for one in route.pieces])
    lengths = np.add.reduceat(walked, begins[:-1]).tolist()
    return [
        _Stretch(route.pieces[begin:end], length)
        for begin, end, length in zip(begins[:-1], begins[1:], lengths, strict=True)
    ]


def _end(router: Router, piece: Piece, *, start: bool) -> int:
    along = piece.arc % 2 == 0
    return int(router.graph.tail[piece.segment] if along == start else router.graph.head[piece.segment])


def _bearing(line: list[list[float]]) -> float:
    """Return the direction of the first metres of a line (about ten), clockwise from north, in degrees."""
    origin = line[0]
    aim = line[-1]
    for point in line[1:MOST_LOOKED_AT]:
        aim = point
        if abs(point[0] - origin[0]) + abs(point[1] - origin[1]) > NEAR_DEGREES:
            break
    east, north = (aim[0] - origin[0]) * cos(radians(origin[1])), aim[1] - origin[1]
    return degrees(atan2(east, north)) % 360


def _sentence(router: Router, stretch: _Stretch, before: float | None, heading: float, *, first: bool) -> Sentence:
    graph, piece = router.graph, stretch.pieces[0]
    kind = Kind(int(graph.columns["kind"][piece.segment]))
    if kind == Kind.STEPS:
        steps = sum(int(graph.columns["steps"][one.segment]) for one in stretch.pieces)
        if steps:
            return Sentence(gettext_noop("Prenez l’escalier ({steps} marches)"), {"steps": steps})
        return Sentence(gettext_noop("Prenez l’escalier"))
    if kind == Kind.LIFT:
        return Sentence(gettext_noop("Prenez l’ascenseur"))
    if kind == Kind.ESCALATOR:
        return Sentence(gettext_noop("Prenez l’escalier mécanique"))
    if kind == Kind.CROSSING:
        return _crossing(router, piece)
    street = graph.name(piece.segment) or Sentence(_UNNAMED.get(kind, _SOME_STREET))
    if first or before is None:
        wind = Sentence(_WINDS[int((heading + 22.5) // 45) % 8])
        return Sentence(gettext_noop("Partez vers {wind} : {street}"), {"wind": wind, "street": street})
    turn = (heading - before + 540) % 360 - 180
    for most, left, right in _TURNS:
        if abs(turn) <= most:
            return Sentence(left if turn < 0 else right, {"street": street})
    return Sentence(_TURNS[-1][2], {"street": street})


def _crossing(router: Router, piece: Piece) -> Sentence:
    columns = router.graph.columns
    made = int(columns["crossing"][piece.segment])
    tactile = int(columns["tactile"][piece.segment]) == Yes.YES
    if made == Crossing.SIGNALS:
        return Sentence(gettext_noop("Traversez au feu"))
    if made == Crossing.MARKED and tactile:
        return Sentence(gettext_noop("Traversez au passage piéton (bande d’éveil au sol)"))
    if made == Crossing.MARKED:
        return Sentence(gettext_noop("Traversez au passage piéton"))
    return Sentence(gettext_noop("Traversez (passage non marqué ou inconnu)"))


def barrier(met: Met) -> Sentence:
    """Name a barrier and where it is."""
    street = met.name or Sentence(_SOME_STREET)
    if met.obstacle is not None:
        return Sentence(gettext_noop("{title}, {street}"), {"title": Sentence(met.obstacle.title), "street": street})
    told, untold = _BARRIERS[met.reason]
    if met.amount is None or met.amount != met.amount:
        return Sentence(untold, {"street": street})
    return Sentence(told, {"street": street, "amount": f"{met.amount:.0f}"})
