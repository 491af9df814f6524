"""Where the data of a commune are expected: the box of its boundary, read from a file. Knows no Django."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely

from beffroi.lake import duck
from beffroi.lake.connectors.vector import read_vector
from beffroi.lake.reading import GEOMETRY, ReadOptions, Unreadable

_MOST_SHAPES = 3


def boundary_box(paths: Sequence[Path]) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north (CRS84) of the first of `paths` that holds one commune's shape; None without."""
    for path in paths:
        try:
            reading = read_vector(path, ReadOptions(), duck.connect())[0]
        except Unreadable:
            continue
        if reading.has_geometry and reading.rows_read <= _MOST_SHAPES:
            query = f"SELECT {GEOMETRY} FROM {reading.table} WHERE {GEOMETRY} IS NOT NULL"  # noqa: S608
            shapes = shapely.from_wkb(np.array([row[0] for row in reading.con.execute(query).fetchall()], dtype=object))
            west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
            return (west, south, east, north) if west <= east else None
    return None
