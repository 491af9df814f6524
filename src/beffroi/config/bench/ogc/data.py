"""The features that every server is asked for: buildings that do not exist, the same for the same number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import shapely

WEST, SOUTH = 3.60, 43.40
"""Where the town begins, in degrees; it is as dense as a French one whatever its number of buildings."""

PER_SQUARE_DEGREE = 3_333_333
USAGES = ("Résidentiel", "Annexe", "Commercial", "Industriel", "Agricole", "Religieux", "Sportif", "Indifférencié")
LAYER = "batiments"


def side_degrees(count: int) -> tuple[float, float]:
    """Return the width and the height of the town, in degrees."""
    width = (count / PER_SQUARE_DEGREE * 1.2) ** 0.5
    return width, width / 1.2


def write_buildings(target: Path, count: int, *, batch: int = 250_000) -> None:
    """Write `count` buildings of 9 corners at most, with a name, a use, a year and a height, as FlatGeobuf."""
    rng = np.random.default_rng(7)
    width, height = side_degrees(count)
    shapes, columns = [], []
    for first in range(0, count, batch):
        size = min(batch, count - first)
        x, y = WEST + rng.random(size) * width, SOUTH + rng.random(size) * height
        shapes.append(_footprints(rng, x, y))
        columns.append((np.arange(first + 1, first + 1 + size), rng.integers(1850, 2026, size), rng.random(size) * 30))
    numbers = np.concatenate([one[0] for one in columns])
    fields = {
        "id": numbers,
        "nom": np.array([f"Bâtiment {number}" for number in numbers], dtype=object),
        "usage": np.array(USAGES, dtype=object)[rng.integers(0, len(USAGES), count)],
        "annee": np.concatenate([one[1] for one in columns]),
        "hauteur": np.round(np.concatenate([one[2] for one in columns]), 1),
    }
    pyogrio.raw.write(
        target,
        np.concatenate(shapes),
        list(fields.values()),
        list(fields),
        layer=LAYER,
        driver="FlatGeobuf",
        crs="EPSG:4326",
        geometry_type="Polygon",
    )


def _footprints(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return polygons as WKB, some ten metres wide, around each point."""
    corners = 9
    angles = np.sort(rng.random((len(x), corners)), axis=1) * 2 * np.pi
    radius = (0.5 + rng.random((len(x), 1))) * 6e-5
    ring_x = x[:, None] + np.cos(angles) * radius * 1.4
    ring_y = y[:, None] + np.sin(angles) * radius
    # Fewer corners for some: the last ones fall on the first.
    kept = rng.integers(5, corners + 1, len(x))
    over = np.arange(corners)[None, :] >= kept[:, None]
    ring_x = np.where(over, ring_x[:, :1], ring_x)
    ring_y = np.where(over, ring_y[:, :1], ring_y)
    points = np.stack([np.column_stack([ring_x, ring_x[:, :1]]), np.column_stack([ring_y, ring_y[:, :1]])], axis=2)
    rings = shapely.linearrings(np.round(points, 7))
    return np.asarray(shapely.to_wkb(shapely.remove_repeated_points(shapely.polygons(rings))))
