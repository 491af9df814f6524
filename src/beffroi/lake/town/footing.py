"""How the town's streets are walked: the survey of its pavements and the crossings at its junctions."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import cleabs, in_town, is_stairs
from beffroi.lake.town.plan import YEAR, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Way

_SURVEYED = 0.78
_PAVEMENT_M = np.array([3.6, 1.8, 3.0, 2.4, 1.5, 1.3, 1.2])
_BUSY = (Way.BOULEVARD, Way.ROAD, Way.QUAY, Way.AVENUE)


def write_footing(city: City, writer: Writer) -> None:
    """Write the survey of pavements, street by street, and the crossings, at the junctions of the town."""
    _write_survey(city, writer)
    _write_crossings(city, writer)


def _write_survey(city: City, writer: Writer) -> None:
    """About a fifth of the streets have not been surveyed yet: a town never knows everything."""
    network, rng = city.network, city.rng("footing")
    street = network.street_of_segment
    way, core = network.way[street], network.fabric_of_street[street] == Fabric.CORE
    surveyed = in_town(city) & (rng.random(len(street)) < _SURVEYED)
    width = np.where(core, 1.15, _PAVEMENT_M[way]) * rng.lognormal(0, 0.22, len(street))
    stairs = is_stairs(city)
    length = shapely.length(network.segments)
    ends = shapely.get_coordinates(shapely.get_point(network.segments, 0))
    others = shapely.get_coordinates(shapely.get_point(network.segments, -1))
    slope = 100 * (city.terrain.at(others) - city.terrain.at(ends)) / np.maximum(length, 8.0)
    draw = rng.random(len(street))
    surface = np.select(
        [
            core & (draw < 0.35),
            core & (draw < 0.55),
            core & (draw < 0.8),
            (way >= Way.CUL_DE_SAC) & (draw < 0.5),
            draw < 0.06,
        ],
        ["pavés", "pavés anciens", "dalles", "stabilisé", "graviers"],
        "enrobé",
    )
    month, day = rng.integers(1, 13, len(street)), rng.integers(1, 28, len(street))
    kept = np.flatnonzero(surveyed)
    writer.table(
        "voirie/cheminements_accessibilite.csv",
        "Relevé d'accessibilité des cheminements",
        {
            "id_troncon": cleabs("TRONROUT", len(street))[kept],
            "voie": city.street_name[street[kept]],
            "largeur_utile_m": np.round(width, 2)[kept],
            "revetement": surface[kept],
            "pente_max_pct": np.round(slope, 1)[kept],
            "nb_marches": np.where(stairs, np.maximum(3, (length / 0.9).astype(int)), 0)[kept],
            "date_releve": [f"{YEAR - 1}-{m:02d}-{d:02d}" for m, d in zip(month[kept], day[kept], strict=True)],
        },
    )


def _write_crossings(city: City, writer: Writer) -> None:
    network, rng = city.network, city.rng("crossings")
    street = network.street_of_segment
    places, count, busy = _junctions(city, np.isin(network.way[street], _BUSY))
    kept = (count >= 3) & (busy | (rng.random(len(places)) < 0.45))
    places, busy = places[kept], busy[kept]
    # Main streets were made accessible first (law of 11 February 2005); the rest follows.
    lowered = rng.random(len(places)) < np.where(busy, 0.85, 0.6)
    kerb = np.where(lowered, rng.choice([0, 1, 2, 3], len(places)), rng.integers(8, 17, len(places)))
    writer.geojson(
        "voirie/passages_pietons.geojson",
        "Passages piétons",
        shapely.points(places),
        {
            "id": [f"PP{number:05d}" for number in range(len(places))],
            "ressaut_cm": kerb.astype(np.int32),
            "bande_eveil": np.where(lowered & (rng.random(len(places)) < 0.8), "oui", "non"),
            "feux": np.where(busy & (rng.random(len(places)) < 0.4), "oui", "non"),
        },
    )


def _junctions(city: City, busy: Array) -> tuple[Array, Array, Array]:
    """Return the places where streets of the town meet, how many do, and whether one of them is a main street."""
    inside = in_town(city)
    segments = city.network.segments[inside]
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(segments, rank)) for rank in (0, -1)])
    keys = np.round(ends * 100).astype(np.int64)
    _, first, place, count = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    main = np.zeros(len(count), bool)
    np.logical_or.at(main, place.reshape(-1), np.tile(busy[inside], 2))
    return ends[first], count, main
