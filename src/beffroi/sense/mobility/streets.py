"""Streets as a source tells them, before they are a graph: lines, what is known of each, points that cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from beffroi.sense.mobility.vocabulary import NO_INCLINE, NO_KERB, SEGMENT_COLUMNS, Attribute, Origin

Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class Streets:
    """Segments that meet at their ends only. Coordinates are longitude, latitude in degrees (OGC:CRS84).

    `points` (n, 2) and `offset` (s + 1): the vertices of segment i are ``points[offset[i]:offset[i + 1]]``. `tail` and
    `head` number the ends: equal numbers are one place. `columns` are those of `SEGMENT_COLUMNS`. `origin` (s, 6) says
    which of `origins` told each `Attribute`, 0 for nobody. `kerb_cm`, `crossing` and `barrier` (bits) are of ends, by
    number; `charged` tells the ends that cost whatever the segment one comes by (surveys of junctions), while others
    cost only those who come on foot ways. `turns` are (segment, end, segment) that vehicles may not make.
    """

    points: Array
    offset: Array
    tail: Array
    head: Array
    columns: dict[str, Array]
    origin: Array
    origins: list[Origin]
    names: list[str]
    kerb_cm: dict[int, int] = field(default_factory=dict)
    crossing: dict[int, int] = field(default_factory=dict)
    barrier: dict[int, int] = field(default_factory=dict)
    charged: set[int] = field(default_factory=set)
    turns: list[tuple[int, int, int]] = field(default_factory=list)
    landmarks: list[tuple[float, float, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tail)


def blank_columns(count: int) -> dict[str, Array]:
    """Return the columns of `count` segments of which nothing is known."""
    columns = {name: np.zeros(count, dtype) for name, dtype in SEGMENT_COLUMNS.items()}
    columns["incline_pct"][:] = NO_INCLINE
    columns["name"][:] = -1
    columns["kerb_cm"][:] = NO_KERB
    return columns


def blank_origin(count: int) -> Array:
    """Return the origins of `count` segments of which nothing is known."""
    return np.zeros((count, len(Attribute)), np.uint8)
