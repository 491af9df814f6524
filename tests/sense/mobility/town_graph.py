"""A graph of four streets about the middle of the small town, put where a server reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beffroi.sense.mobility.assembling import with_about
from beffroi.sense.mobility.drawn import drawn_graph
from beffroi.sense.mobility.store import put_in_place

WEST, NORTH = 3.0080, 45.0110
DRAWING = """
A----s----B---t---E
|         |
C---------D
"""
WAYS = {"AB": {"kind": "steps", "steps": 14}, "BE": {"width_cm": 60}}


def place_graph(
    territory: str,
    version: str = "20260302T090000Z-drawn0000000",
    *,
    drawing: str = DRAWING,
    ways: Mapping[str, Any] = WAYS,
    at: tuple[float, float] = (WEST, NORTH),
) -> dict[str, tuple[float, float]]:
    """Put the graph in place for a territory; return where each letter is."""
    graph, places = drawn_graph(drawing, ways=ways, at=at)
    put_in_place(with_about(graph, territory=territory, version=version))
    return places


def asked(places: dict[str, tuple[float, float]], letter: str) -> str:
    """A place as the API reads it."""
    lon, lat = places[letter]
    return f"{lon:.7f},{lat:.7f}"
