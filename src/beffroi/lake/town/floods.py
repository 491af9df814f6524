"""How high the river comes in the town, as the flood directive maps it; and where one bathes in it."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Layer, Writer
from beffroi.lake.town.shapes import Array

# How far the water of each scenario rises above the bed, in metres.
SCENARIOS = {"01For": 0.4, "02Moy": 1.2, "04Fai": 2.6}
CLASSES = ((0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, None))
STEP_M = 20.0
_POLYGON = 3


def write_floods(city: City, writer: Writer) -> None:
    """Write the classes of water height by scenario (COVADIS tables) and the bathing place of the river."""
    depth, x, y = _above_bed(city)
    layers = {}
    for scenario, rise_m in SCENARIOS.items():
        shapes, low, high = _classes(city, rise_m - depth, x, y)
        count = len(shapes)
        layers[f"n_onde_iso_ht_01_{scenario.lower()}_s_000"] = Layer(
            shapes,
            {
                "id_zone": [f"ZCH_{scenario}_{rank + 1}" for rank in range(count)],
                "id_s_inond": [f"SIN_{scenario}"] * count,
                "typ_inond": ["01"] * count,
                "scenario": [scenario] * count,
                "ht_min": np.array(low, dtype=float),
                "ht_max": np.array(high, dtype=float),
            },
        )
    writer.geopackages("urbanisme/n_onde_iso_ht.gpkg", "Hauteurs d'eau en cas d'inondation", layers)
    _write_bathing(city, writer)


def _above_bed(city: City) -> tuple[Array, Array, Array]:
    """Return how high the ground stands above the bed beside it, on a grid about the river; the place of each cell."""
    reach = shapely.intersection(shapely.buffer(city.network.river, 500), city.network.boundary)
    west, south, east, north = shapely.bounds(reach).tolist()
    x, y = (part.ravel() for part in np.meshgrid(np.arange(west, east, STEP_M), np.arange(south, north, STEP_M)))
    inside = shapely.contains_xy(reach, x, y)
    points = np.column_stack([x[inside], y[inside]])
    terrain = city.terrain
    bed = 9 - (points @ terrain.heading) * 6e-4
    return terrain.at(points) - bed, points[:, 0], points[:, 1]


def _classes(city: City, depth: Array, x: Array, y: Array) -> tuple[Array, list[float], list[float]]:
    shapes, low, high = [], [], []
    for least, most in CLASSES:
        held = (depth > least) & (depth <= (most or np.inf))
        half = STEP_M / 2
        cells = shapely.box(x[held] - half, y[held] - half, x[held] + half, y[held] + half)
        dry = shapely.difference(shapely.coverage_union_all(cells), city.network.river)
        parts = shapely.get_parts(np.array([shapely.intersection(dry, city.network.boundary)], dtype=object))
        parts = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 60)]
        shapes.append(parts)
        low += [least] * len(parts)
        # As the standard has it: the last class has no upper bound, written as its lower one.
        high += [most or least] * len(parts)
    return np.concatenate([np.array([], dtype=object), *shapes]), low, high


def _write_bathing(city: City, writer: Writer) -> None:
    place = shapely.line_interpolate_point(city.network.river_line, 0.42, normalized=True)
    lon, lat = writer.origin.degrees(shapely.get_coordinates(place))[0].tolist()
    columns = {
        "id": ["B1"],
        "nom": ["Baignade de l'Onde"],
        "type_eau": ["rivière"],
        "drapeau": ["jaune"],
        "classement": ["bonne"],
        "dangers": ["Courant près du barrage ; fond inégal"],
        "surveillance": ["juillet et août, de 11 h à 19 h"],
        "longitude": [lon],
        "latitude": [lat],
    }
    writer.table("urbanisme/sites_baignade.csv", "Sites de baignade", columns, separator=";")
