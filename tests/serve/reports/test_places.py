"""Cells, distances and outlines."""

from __future__ import annotations

import random

import pyproj
import pytest

from beffroi.serve.cases.definition import BadCase
from beffroi.serve.reports.places import Place, area_km2, cell_of, cells_around, checked_zone, distance_m
from serve_makers import LAT, LON, square

_ELLIPSOID = pyproj.Geod(ellps="WGS84")
# From Corsica to La Réunion and Guyane.
_LATITUDES = (-22, 51.2)


def test_distances_agree_with_the_ellipsoid() -> None:
    rng = random.Random(8)
    for _ in range(300):
        lon, lat = rng.uniform(-61, 56), rng.uniform(*_LATITUDES)
        east, north = (rng.choice((0.0, 1e-7, rng.uniform(-0.01, 0.01))) for _ in range(2))
        _, _, exact = _ELLIPSOID.inv(lon, lat, lon + east, lat + north)
        assert distance_m(Place(lon, lat), Place(lon + east, lat + north)) == pytest.approx(exact, rel=0.006, abs=0.01)


def test_cells_around_hold_everything_within_reach() -> None:
    rng = random.Random(9)
    for _ in range(500):
        lon, lat, radius = rng.uniform(-61, 56), rng.uniform(*_LATITUDES), rng.uniform(5, 500)
        share = rng.choice((0.0, 1.0, rng.random()))
        other_lon, other_lat, _ = _ELLIPSOID.fwd(lon, lat, rng.uniform(0, 360), radius * share * 0.99)
        cell = cell_of(other_lon, other_lat)
        assert any(first <= cell <= last for first, last in cells_around(lon, lat, radius)), (lon, lat, radius, share)


def test_few_cells_are_looked_at() -> None:
    assert sum(last - first + 1 for first, last in cells_around(LON, LAT, 50)) <= 9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"type":"Point","coordinates":[3,43]}',
        '{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[1,0],[0,0]]]}',
        '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}',
        '{"type":"Polygon","coordinates":[[[500,0],[501,0],[501,1],[500,0]]]}',
        square(half=0.05),
    ],
)
def test_a_zone_that_is_none_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(BadCase, match="zone"):
        checked_zone(text)


def test_the_area_of_a_zone() -> None:
    shape = checked_zone(square(half=0.001))
    exact = abs(_ELLIPSOID.geometry_area_perimeter(shape)[0]) / 1e6
    assert area_km2(shape) == pytest.approx(exact, rel=0.006)
