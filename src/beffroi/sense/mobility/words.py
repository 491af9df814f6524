"""Routes in words: instructions made of streets and landmarks, barriers named, as sentences a face can translate."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, radians
from typing import Any

import numpy as np

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.sense.mobility.costs import Barrier
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import Met, Piece, Route
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
_TOLD_APART = frozenset({Kind.STEPS, Kind.LIFT, Kind.ESCALATOR, Kind.CROSSING})


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

    key: tuple[Any, ...]
    pieces: list[Piece]
    length_m: float = 0.0


def instructions(router: Router, route: Route) -> list[Instruction]:
    """Return what to do, in order, from leaving to arriving."""
    found = []
    stretches = _stretches(router, route)
    before: float | None = None
    for rank, stretch in enumerate(stretches):
        first, last = stretch.pieces[0], stretch.pieces[-1]
        line = _beginning(router, first, first.start, first.stop)
        heading = _bearing(line)
        sentence = _sentence(router, stretch, before, heading, first=rank == 0)
        end = _end(router, stretch.pieces[0], start=True)
        landmark = int(router.graph.landmark[end]) if rank > 0 else -1
        name = router.graph.landmarks[landmark] if landmark >= 0 else ""
        found.append(Instruction(sentence, line[0][0], line[0][1], stretch.length_m, name))
        before = _bearing(_beginning(router, last, last.stop, last.start), backwards=True)
    lon, lat = route.coordinates[-1]
    return [*found, Instruction(Sentence(gettext_noop("Vous êtes à destination")), lon, lat, 0.0)]


def _beginning(router: Router, piece: Piece, start: float, stop: float) -> list[list[float]]:
    """Return the first vertices of a piece between two shares of its segment: enough of them to tell a bearing."""
    if abs(stop - start) < 1 - 1e-9:
        return router.cut(piece.segment, start, stop).tolist()
    points = router.graph.points
    low, high = int(router.graph.offset[piece.segment]), int(router.graph.offset[piece.segment + 1])
    if start < stop:
        return points[low : min(high, low + MOST_LOOKED_AT)].tolist()
    return points[max(low, high - MOST_LOOKED_AT) : high][::-1].tolist()


def _stretches(router: Router, route: Route) -> list[_Stretch]:
    graph, found = router.graph, list[_Stretch]()
    segments = np.array([one.segment for one in route.pieces])
    kinds, ranks = graph.columns["kind"][segments].tolist(), graph.columns["name"][segments].tolist()
    lengths = graph.length_m[segments].tolist()
    for one, kind, rank, length in zip(route.pieces, kinds, ranks, lengths, strict=True):
        # One follows a street by its name; a way without a name by its kind; stairs and crossings are told apart.
        key = (kind, rank) if kind in _TOLD_APART else (rank if rank >= 0 else -kind,)
        if not found or found[-1].key != key:
            found.append(_Stretch(key, []))
        found[-1].pieces.append(one)
        found[-1].length_m += length * one.share
    return found


def _end(router: Router, piece: Piece, *, start: bool) -> int:
    along = piece.arc % 2 == 0
    return int(router.graph.tail[piece.segment] if along == start else router.graph.head[piece.segment])


def _bearing(near: list[Any], *, backwards: bool = False) -> float:
    """Return the direction of the first metres of a line (about ten), clockwise from north, in degrees."""
    origin, aim = near[0], near[-1]
    for point in near[1:]:
        aim = point
        if abs(point[0] - origin[0]) + abs(point[1] - origin[1]) > 1.2e-4:
            break
    east, north = (aim[0] - origin[0]) * cos(radians(origin[1])), aim[1] - origin[1]
    angle = degrees(atan2(east, north))
    return (angle + 180) % 360 if backwards else angle % 360


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
