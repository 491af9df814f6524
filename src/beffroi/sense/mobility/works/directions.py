"""Streets that change direction: which way each stretch is followed, and the same graph once they have changed.

A direction opened takes the street's own cost, as the profile reckons it; turns forbidden today stay forbidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import cos, hypot, radians
from typing import TYPE_CHECKING

import numpy as np

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.vocabulary import Mode

if TYPE_CHECKING:
    from beffroi.sense.mobility.works.plan import Phase, Stretch

DIRECTIONS: Mapping[str, str] = {
    "two-way": gettext_noop("double sens"),
    "reversed": gettext_noop("sens unique inversé"),
    "north": gettext_noop("sens unique vers le nord"),
    "east": gettext_noop("sens unique vers l’est"),
    "south": gettext_noop("sens unique vers le sud"),
    "west": gettext_noop("sens unique vers l’ouest"),
}
COMPASS: Mapping[str, tuple[float, float]] = {"north": (0, 1), "east": (1, 0), "south": (0, -1), "west": (-1, 0)}
MODES: Mapping[str, Mode] = {"bicycle": Mode.BICYCLE, "car": Mode.CAR, "lorry": Mode.LORRY}
LEAST_TOWARD = 0.25
"""A street goes toward a point of the compass when at least this share of the way between its ends does."""

Place = tuple[float, float]


def followed(stretches: Sequence[Stretch], toward: str) -> list[bool | None]:
    """Tell of each stretch whether one goes along its line to go `toward` a point of the compass.

    Stretches that touch are followed one after the other, whichever way each was drawn. None: as a whole, they go
    neither there nor the opposite way.
    """
    east, north = COMPASS[toward]
    found: list[bool | None] = [None] * len(stretches)
    for chain in _chains(stretches):
        x = y = 0.0
        for rank, along in chain:
            dx, dy = _way(stretches[rank].line)
            x, y = (x + dx, y + dy) if along else (x - dx, y - dy)
        ahead = x * east + y * north
        if abs(ahead) > LEAST_TOWARD * hypot(x, y):
            for rank, along in chain:
                found[rank] = along == (ahead > 0)
    return found


def _way(line: Sequence[Place]) -> Place:
    """Return the metres, near enough, east and north from one end of a line to the other; only their ratio counts."""
    (x0, y0), (x1, y1) = line[0], line[-1]
    return (x1 - x0) * cos(radians(y0)), y1 - y0


def _chains(stretches: Sequence[Stretch]) -> Iterable[list[tuple[int, bool]]]:
    """Yield the stretches that touch, each with whether its line goes as the first of them does."""
    ends = [(_end(one.line[0]), _end(one.line[-1])) for one in stretches]
    left = set(range(len(stretches)))
    while left:
        chain = [(min(left), True)]
        left.discard(chain[0][0])
        for rank, along in chain:  # grows as it is read
            tail, head = ends[rank] if along else ends[rank][::-1]
            for other in sorted(left):
                if ends[other][0] == head or ends[other][1] == tail:
                    chain.append((other, True))
                elif ends[other][1] == head or ends[other][0] == tail:
                    chain.append((other, False))
                else:
                    continue
                left.discard(other)
        yield chain


def _end(place: Place) -> Place:
    return round(place[0], 6), round(place[1], 6)


def turned(graph: Graph, phase: Phase, segments: Sequence[int | None]) -> Graph:
    """Return the graph once the stretches of a phase have changed direction.

    `segments` are those the stretches are on this graph, in their order, None for those that are gone.
    """
    forward, backward = graph.columns["forward"].copy(), graph.columns["backward"].copy()
    mask = np.uint8(sum(MODES[one] for one in phase.who))
    ways = followed(phase.stretches, phase.direction) if phase.direction in COMPASS else [None] * len(phase.stretches)
    for stretch, segment, along in zip(phase.stretches, segments, ways, strict=True):
        if segment is None:
            continue
        ahead, back = np.uint8(forward[segment]), np.uint8(backward[segment])
        anyway = ahead | back
        if phase.direction == "two-way":
            ahead, back = ahead | (anyway & mask), back | (anyway & mask)
        elif phase.direction == "reversed":
            ahead, back = (ahead & ~mask) | (back & mask), (back & ~mask) | (ahead & mask)
        elif along is not None:
            same = along == _same_way(graph, segment, stretch)
            open_to, closed = (anyway & mask), np.uint8(0)
            ahead = (ahead & ~mask) | (open_to if same else closed)
            back = (back & ~mask) | (closed if same else open_to)
        if phase.contraflow:
            both = anyway & np.uint8(Mode.BICYCLE)
            ahead, back = ahead | both, back | both
        forward[segment], backward[segment] = ahead, back
    return replace(graph, columns={**graph.columns, "forward": forward, "backward": backward})


def _same_way(graph: Graph, segment: int, stretch: Stretch) -> bool:
    """Tell whether a segment is drawn the way its stretch was, when it was chosen on another graph maybe."""
    (ax, ay), (bx, by) = _way(graph.line(segment).tolist()), _way(stretch.line)
    return ax * bx + ay * by >= 0


__all__ = ["COMPASS", "DIRECTIONS", "MODES", "followed", "turned"]
