"""A plan drawn by the server: lines and numbered points over streets, as SVG. Read without JavaScript, and printed.

The colours are those of the classes in `drawing.css`; what it shows is always told in words beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, radians

Place = tuple[float, float]
Box = tuple[float, float, float, float]
WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 960.0, 320.0, 900.0
MARGIN_SHARE = 0.06
LEAST_DEG = 0.002
"""About 200 m: a plan of one place shows what is around it."""
LABEL_PX = 22.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line to draw, in degrees (CRS84). `kind` is its class; with `url` it is a link, called `title`."""

    points: Sequence[Place]
    kind: str
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A point to draw: a few characters in a disc."""

    lon: float
    lat: float
    label: str
    kind: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line ready for the page: the commands of its path."""

    d: str
    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class DrawnPoint:
    """A point ready for the page."""

    x: float
    y: float
    label: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page shows: its size, the streets under everything in one path, then lines, then points."""

    width: int
    height: int
    ground: str
    lines: tuple[DrawnLine, ...]
    points: tuple[DrawnPoint, ...]


def box_of(places: Iterable[Place]) -> Box:
    """Return the box around places, with a margin (degrees)."""
    found = list(places)
    lons, lats = [one[0] for one in found], [one[1] for one in found]
    margin_lon = max(LEAST_DEG, MARGIN_SHARE * (max(lons) - min(lons)))
    margin_lat = max(LEAST_DEG * 0.7, MARGIN_SHARE * (max(lats) - min(lats)))
    return min(lons) - margin_lon, min(lats) - margin_lat, max(lons) + margin_lon, max(lats) + margin_lat


def drawn(box: Box, *, ground: Iterable[Sequence[Place]], lines: Iterable[Line], points: Iterable[Point]) -> Drawing:
    """Return a drawing of a box: the ground first, lines over it, points above all."""
    west, south, east, north = box
    narrowing = cos(radians((south + north) / 2))
    scale = WIDTH / ((east - west) * narrowing)
    height = min(MOST_HEIGHT, max(LEAST_HEIGHT, (north - south) * scale))
    # A box taller than the page would be: everything smaller, in the middle.
    scale = min(scale, height / (north - south))
    left = (WIDTH - (east - west) * narrowing * scale) / 2
    top = (height - (north - south) * scale) / 2

    def at(place: Place) -> tuple[float, float]:
        return left + (place[0] - west) * narrowing * scale, top + (north - place[1]) * scale

    def path(places: Sequence[Place]) -> str:
        return "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, places))

    return Drawing(
        int(WIDTH),
        int(height),
        "".join(path(one) for one in ground),
        tuple(DrawnLine(path(one.points), one.kind, one.title, one.url) for one in lines if len(one.points) > 1),
        tuple(DrawnPoint(*_rounded(at((one.lon, one.lat))), one.label, one.kind, one.title) for one in points),
    )


def _rounded(place: tuple[float, float]) -> tuple[float, float]:
    return round(place[0], 1), round(place[1], 1)
