"""Shapes of the town: valid, nested, tiling, for several seeds."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from beffroi.lake.town.city import City, draw_city
from beffroi.lake.town.plan import Fabric, Scale
from beffroi.lake.town.zones import planning_zones


@pytest.fixture(scope="module", params=[(4_000, 1), (10_000, 2), (25_000, 3)], ids=str)
def city(request: pytest.FixtureRequest) -> City:
    population, seed = request.param
    return draw_city(population, seed, lambda what, share: None)


def test_every_shape_is_valid(city: City) -> None:
    for shapes in (city.network.cells, city.blocks.shape, city.parcels.shape, city.buildings.shape, city.iris.shape):
        assert shapely.is_valid(shapes).all()
        assert not shapely.is_empty(shapes).any()


def test_cells_tile_the_commune(city: City) -> None:
    cells = city.network.cells
    assert shapely.area(cells).sum() == pytest.approx(city.network.boundary.area, rel=1e-6)
    assert shapely.union_all(cells).symmetric_difference(city.network.boundary).area < 1e-3


def test_neighbours_share_an_edge_with_the_town_and_nothing_else(city: City) -> None:
    boundary = city.network.boundary
    for neighbour in city.network.neighbours:
        assert neighbour.is_valid
        assert shapely.intersection(neighbour, boundary).area < 1e-3
        assert shapely.intersection(neighbour.boundary, boundary.boundary).length > 500
    first, second = city.network.neighbours
    assert shapely.intersection(first, second).area < 1e-3
    assert shapely.intersection(first.boundary, second.boundary).length > 50


def test_parcels_tile_their_block_without_overlap(city: City) -> None:
    parcels = city.parcels
    lost = shapely.area(city.blocks.shape).sum() - shapely.area(parcels.shape).sum()
    # Slivers under 25 m² are given back to the street.
    assert 0 <= lost < 0.001 * shapely.area(city.blocks.shape).sum()
    first, second = shapely.STRtree(parcels.shape).query(parcels.shape, predicate="intersects")
    pairs = first < second
    common = shapely.intersection(parcels.shape[first[pairs]], parcels.shape[second[pairs]], grid_size=1e-3)
    # Corners are on the millimetre: along a long edge that meets another's middle, a few square centimetres.
    assert shapely.area(common).max() < 0.2
    outside = shapely.difference(parcels.shape, city.blocks.shape[parcels.block], grid_size=1e-3)
    assert shapely.area(outside).max() < 0.2


def test_buildings_stand_on_their_parcel_and_not_on_each_other(city: City) -> None:
    buildings = city.buildings
    outside = shapely.difference(buildings.shape, city.parcels.shape[buildings.parcel], grid_size=1e-3)
    assert shapely.area(outside).max() < 0.05
    first, second = shapely.STRtree(buildings.shape).query(buildings.shape, predicate="intersects")
    pairs = first < second
    one, other = buildings.shape[first[pairs]], buildings.shape[second[pairs]]
    assert shapely.area(shapely.intersection(one, other, grid_size=1e-3)).max(initial=0) < 0.05


def test_nothing_is_built_in_the_water(city: City) -> None:
    assert not shapely.intersects(city.buildings.shape, city.network.river.buffer(-0.1)).any()


def test_addresses_lie_on_their_parcel_and_are_even_on_one_side(city: City) -> None:
    addresses = city.addresses
    points = shapely.points(addresses.point)
    assert shapely.intersects(city.parcels.shape[addresses.parcel], points).all()
    assert len(np.unique(addresses.key)) == len(addresses.key)
    axis = city.network.streets[addresses.street]
    body = shapely.point_on_surface(city.buildings.shape[addresses.building])
    along = shapely.line_locate_point(axis, body)
    before = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.maximum(along - 1, 0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.minimum(along + 1, shapely.length(axis))))
    arm = shapely.get_coordinates(body) - (before + after) / 2
    left = (after - before)[:, 0] * arm[:, 1] - (after - before)[:, 1] * arm[:, 0] > 0
    assert (addresses.number[left] % 2 == 1).all()
    assert (addresses.number[~left] % 2 == 0).all()


def test_numbers_rise_along_the_street(city: City) -> None:
    addresses = city.addresses
    axis = city.network.streets[addresses.street]
    along = shapely.line_locate_point(axis, shapely.point_on_surface(city.buildings.shape[addresses.building]))
    side = addresses.street * 2 + addresses.number % 2
    order = np.lexsort((addresses.number, side))
    same = side[order][1:] == side[order][:-1]
    assert (np.diff(along[order])[same] >= -1e-6).all()


def test_people_are_all_housed(city: City) -> None:
    assert city.buildings.people.sum() == city.scale.population
    assert (city.buildings.people[city.buildings.dwellings == 0] == 0).all()
    per_home = city.scale.population / city.buildings.dwellings.sum()
    # France had 2.15 people a household in 2022 (INSEE) and 8 % of dwellings empty.
    assert 1.4 < per_home < 2.9


def test_street_names_are_all_different(city: City) -> None:
    assert len(set(city.street_name.tolist())) == len(city.street_name)


def test_zones_tile_the_commune(city: City) -> None:
    shapes, labels, _ = planning_zones(city.network)
    for zones in (city.districts.shape, city.iris.shape, city.polling.shape, shapes):
        assert shapely.area(zones).sum() == pytest.approx(city.network.boundary.area, rel=1e-6)
    assert {"UA", "UB", "UC", "A"} <= set(labels.tolist())


def test_streets_make_one_network(city: City) -> None:
    segments = city.network.segments
    ends = np.round(np.concatenate([shapely.get_coordinates(shapely.get_point(segments, at)) for at in (0, -1)]), 2)
    _, node = np.unique(ends, axis=0, return_inverse=True)
    node = node.ravel()
    start, end = node[: len(segments)], node[len(segments) :]
    label = np.arange(node.max() + 1)
    for _ in range(200):
        low = np.minimum(label[start], label[end])
        np.minimum.at(label, start, low)
        np.minimum.at(label, end, low)
    sizes = np.bincount(label[start])
    assert sizes.max() > 0.97 * len(segments)


def test_the_town_is_french_in_its_parts(city: City) -> None:
    present = set(np.unique(city.network.fabric).tolist())
    assert {Fabric.CORE, Fabric.SUBURB, Fabric.FIELD} <= present
    core = city.buildings.fabric == Fabric.CORE
    suburb = city.buildings.fabric == Fabric.SUBURB
    assert np.median(city.buildings.year[core]) < 1850 < 1950 < np.median(city.buildings.year[suburb])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_inhabitants_hold() -> None:
    city = draw_city(100_000, 1, lambda what, share: None)
    assert city.buildings.people.sum() == 100_000
    assert shapely.is_valid(city.parcels.shape).all()
    assert 15_000 < len(city.parcels.shape) < 60_000
    assert len(set(city.parcel_id.tolist())) == len(city.parcel_id)


def test_the_scale_grows_with_the_population() -> None:
    sizes = [Scale.of(population) for population in (2_000, 10_000, 100_000, 1_000_000)]
    assert [scale.urban_m for scale in sizes] == sorted(scale.urban_m for scale in sizes)
