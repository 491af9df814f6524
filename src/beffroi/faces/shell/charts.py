"""Small charts drawn by the server as SVG, with the sentence and the table that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 240, 56, 5


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a trend and the words for its moment, as a reader says it (« mai 2026 »)."""

    when: str
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    """A trend as a line: `path` in the units of the drawing, `last` where it ends; nothing is cut, zero is kept in."""

    points: tuple[Point, ...]
    path: str
    last: tuple[float, float]
    width: int = WIDTH
    height: int = HEIGHT


def line_of(points: Sequence[Point]) -> Line | None:
    """Return the line through the points, None with fewer than two: one value is no trend.

    The scale starts at zero, so that a small change is not drawn as a great one.

    >>> line_of([Point("avril", 0), Point("mai", 10)]).path
    'M5.0 51.0L235.0 5.0'
    """
    if len(points) < 2:
        return None
    top = max(max(point.value for point in points), 1e-9)
    step = (WIDTH - 2 * MARGIN) / (len(points) - 1)
    places = [
        (round(MARGIN + step * position, 1), round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * point.value / top, 1))
        for position, point in enumerate(points)
    ]
    return Line(tuple(points), "M" + "L".join(f"{x} {y}" for x, y in places), places[-1])
