"""What every server is asked, written the way each wants it: the same places, the same values, the same order."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from beffroi.config.bench.ogc.data import LAYER, SOUTH, USAGES, WEST, side_degrees

ASKED = 1_000
Write = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: its name, and the kind of address it asks."""

    name: str
    kind: str


LINES = (
    Line("objet par identifiant", "item"),
    Line("emprise, 100 objets", "box100"),
    Line("emprise, 1 000 objets", "box1000"),
    Line("filtre sur deux attributs, 100 objets", "filter"),
    Line("sans filtre, 10 objets", "plain"),
    Line("tuile, niveau 14", "z14"),
    Line("tuile, niveau 16", "z16"),
)


def box_of(rng: random.Random, count: int, side: float) -> str:
    """Return a box of `side` degrees within the town."""
    width, height = side_degrees(count)
    west, south = WEST + rng.random() * (width - side), SOUTH + rng.random() * (height - side)
    return f"{west:.6f},{south:.6f},{west + side:.6f},{south + side:.6f}"


def _tile(rng: random.Random, count: int, zoom: int) -> tuple[int, int, int]:
    width, height = side_degrees(count)
    x, y = WEST + rng.random() * width, math.radians(SOUTH + rng.random() * height)
    across = 1 << zoom
    return zoom, int((x + 180) / 360 * across), int((1 - math.asinh(math.tan(y)) / math.pi) / 2 * across)


def paths(kind: str, count: int, write: dict[str, Write]) -> list[str]:
    """Return the addresses of one line for one server; `write` says how it wants each."""
    rng = random.Random(kind)  # noqa: S311 - the same questions for all
    makers: dict[str, Callable[[], str]] = {
        "item": lambda: write["item"](rng.randint(1, count)),
        "box100": lambda: write["items"](f"bbox={box_of(rng, count, 0.01)}&limit=100"),
        "box1000": lambda: write["items"](f"bbox={box_of(rng, count, 0.02)}&limit=1000"),
        "filter": lambda: write["filter"](
            quote(f"usage='{rng.choice(USAGES)}' AND annee>{rng.randint(1850, 2020)}"), 100
        ),
        "plain": lambda: write["items"]("limit=10"),
        "z14": lambda: write["tile"](*_tile(rng, count, 14)),
        "z16": lambda: write["tile"](*_tile(rng, count, 16)),
    }
    return [makers[kind]() for _ in range(ASKED)]


def _written(collection: str, tile: Write, *, language: str = "&filter-lang=cql2-text") -> dict[str, Write]:
    return {
        "item": lambda number: f"{collection}/items/{number}",
        "items": lambda query: f"{collection}/items?{query}",
        "filter": lambda text, limit: f"{collection}/items?filter={text}{language}&limit={limit}",
        "tile": tile,
    }


def _by_row(collection: str, tail: str = "") -> Write:
    return lambda z, x, y: f"{collection}/tiles/WebMercatorQuad/{z}/{y}/{x}{tail}"


_OURS, _TIPG, _PYGEOAPI = f"/ogc/collections/34172.{LAYER}", f"/collections/public.{LAYER}", f"/collections/{LAYER}"
BEFFROI = _written(_OURS, _by_row(_OURS))
TIPG = _written(_TIPG, lambda z, x, y: f"{_TIPG}/tiles/WebMercatorQuad/{z}/{x}/{y}")
# pygeoapi refuses the name of the standard for the same text.
PYGEOAPI = _written(_PYGEOAPI, _by_row(_PYGEOAPI, "?f=mvt"), language="&filter-lang=cql-text")
MAPSERVER = _written(
    f"/mapserv/bench/ogcapi/collections/{LAYER}",
    lambda z, x, y: f"/mapserv?map=bench&mode=tile&tilemode=gmap&tile={x}+{y}+{z}&layers={LAYER}&map.imagetype=mvt",
)
