"""Cells, distances and outlines."""

from __future__ import annotations

import pyproj
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beffroi.serve.cases.definition import BadCase
from beffroi.serve.reports.places import Place, area_km2, cell_of, cells_around, checked_zone, distance_m
from serve_makers import LAT, LON, square

_ELLIPSOID = pyproj.Geod(ellps="WGS84")
# From Corsica to La Réunion and Guyane.
_LATITUDES = st.floats(-22, 51.2)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(-61, 56), _LATITUDES, st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_distances_agree_with_the_ellipsoid(lon: float, lat: float, east: float, north: float) -> None:
    _, _, exact = _ELLIPSOID.inv(lon, lat, lon + east, lat + north)
    assert distance_m(Place(lon, lat), Place(lon + east, lat + north)) == pytest.approx(exact, rel=0.006, abs=0.01)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(-61, 56), _LATITUDES, st.floats(0, 360), st.floats(0, 1), st.floats(5, 500))
def test_cells_around_hold_everything_within_reach(
    lon: float, lat: float, azimuth: float, share: float, radius: float
) -> None:
    other_lon, other_lat, _ = _ELLIPSOID.fwd(lon, lat, azimuth, radius * share * 0.99)
    cell = cell_of(other_lon, other_lat)
    assert any(first <= cell <= last for first, last in cells_around(lon, lat, radius))


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
