"""What is under the town: pipes and cables with their depth, the nodes of the fibre, clay, ground that moved."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.furniture import along_streets, urban_segments
from beffroi.lake.town.plan import INSEE, YEAR
from beffroi.lake.town.shapes import Array, Waves
from beffroi.lake.town.streets import Way

# Of each network: who runs it, how far from the axis (shares of the half width), how deep, its bore, its stuff.
_NETWORKS = (
    ("assainissement", "Régie des eaux (fictive)", 0.0, 2.3, 300, "grès", False, False),
    ("eau", "Régie des eaux (fictive)", 0.45, 1.1, 125, "fonte", False, False),
    ("gaz", "Gaz de l’Onde (fictif)", -0.45, 0.9, 110, "polyéthylène", True, True),
    ("electricite", "Énergie de l’Onde (fictive)", 0.85, 0.7, 60, "câble", True, True),
    ("telecom", "Onde Fibre (fictif)", -0.85, 0.6, 80, "fourreau", True, False),
)
_HEAT = ("chaleur", "Chaleur de l’Onde (fictive)", 0.2, 1.5, 250, "acier", False, True)
_MOVES = ("Glissement", "Eboulement", "Coulée", "Effondrement", "Erosion de berges")
_CELL_M = 120.0
_POLYGON = 3


def write_underground(city: City, writer: Writer) -> None:
    """Write networks and nodes of the fibre (agents only), exposure to clay and ground movements."""
    segments = urban_segments(city)
    _write_networks(city, writer, segments)
    _write_nodes(city, writer, segments)
    _write_clay(city, writer)
    _write_moves(city, writer)


def _write_networks(city: City, writer: Writer, segments: Array) -> None:
    network, rng = city.network, city.rng("networks")
    street = network.street_of_segment[segments]
    half = network.width_m[street] / 2
    shapes, columns = [], []
    for kind in (*_NETWORKS, _HEAT):
        name, operator, share, depth, bore, stuff, flexible, sensitive = kind
        laid = network.way[street] <= Way.AVENUE if kind is _HEAT else np.ones(len(segments), dtype=bool)
        laid &= rng.random(len(segments)) < (0.6 if name == "gaz" else 0.97)
        mine = segments[laid]
        lines = shapely.offset_curve(network.segments[mine], share * half[laid])
        kept = ~shapely.is_empty(lines)
        year = rng.integers(1965, YEAR, len(mine))
        letter = np.select([year >= 2012, rng.random(len(mine)) < 0.6], ["A", "B"], "C")
        shapes.append(lines[kept])
        columns.append(
            {
                "reseau": [name] * len(mine), "exploitant": [operator] * len(mine),
                "voie": city.street_name[street[laid]],
                "profondeur_m": np.round(np.clip(rng.normal(depth, 0.12, len(mine)), 0.3, None), 2),
                "classe": letter, "flexible": [flexible] * len(mine), "sensible": [sensitive] * len(mine),
                "diametre_mm": [bore] * len(mine), "materiau": [stuff] * len(mine),
                "date_pose": [f"{one}-06-01" for one in year.tolist()],
            }
        )  # fmt: skip
        columns[-1] = {key: np.asarray(value)[kept] for key, value in columns[-1].items()}
    joined = {key: np.concatenate([one[key] for one in columns]) for key in columns[0]}
    lines = np.concatenate(shapes)
    ids = [f"{INSEE}-RE-{index + 1:06d}" for index in range(len(lines))]
    writer.geojson("sous_sol/reseaux_enterres.geojson", "Réseaux enterrés (réservé aux agents)", lines,
                   {"id": ids, **joined})  # fmt: skip


def _write_nodes(city: City, writer: Writer, segments: Array) -> None:
    network, rng = city.network, city.rng("fibre")
    edge = network.width_m[network.street_of_segment[segments]] / 2
    points, segment = along_streets(city, segments, every_m=45, offset_m=edge, both=np.zeros(len(segments), bool))
    order = rng.permutation(len(points))[: max(8, city.scale.population // 40)]
    cabinets = max(2, city.scale.population // 900)
    kind = np.array(["NRO"] + ["SRO"] * cabinets + ["PBO"] * max(0, len(order) - cabinets - 1))[: len(order)]
    degrees = writer.origin.degrees(points[order])
    writer.table(
        "sous_sol/noeuds_fibre.csv",
        "Nœuds de la fibre (réservé aux agents)",
        {
            "id": [f"{INSEE}-NF-{index + 1:05d}" for index in range(len(order))],
            "genre": kind,
            "exploitant": ["Onde Fibre (fictif)"] * len(order),
            "voie": city.street_name[network.street_of_segment[segment[order]]],
            "prises": np.select([kind == "NRO", kind == "SRO"], [city.scale.population // 2, 420], 8),
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
    )


def _write_clay(city: City, writer: Writer) -> None:
    """Write three steps of exposure, on squares put together where the same; the fourth is none."""
    boundary = city.network.boundary
    west, south, east, north = shapely.bounds(boundary).tolist()
    x, y = (one.ravel() for one in np.meshgrid(np.arange(west, east, _CELL_M), np.arange(south, north, _CELL_M)))
    clay = Waves.drawn(city.rng("clay"), wavelength_m=2600).at(np.column_stack([x, y]))
    steps = np.quantile(clay, [0.35, 0.7, 0.9])
    shapes, names = [], []
    half = _CELL_M / 2
    for name, low, high in zip(("Faible", "Moyen", "Fort"), steps, [*steps[1:], np.inf], strict=True):
        held = (clay >= low) & (clay < high)
        whole = shapely.coverage_union_all(shapely.box(x[held] - half, y[held] - half, x[held] + half, y[held] + half))
        parts = shapely.get_parts(np.array([shapely.intersection(whole, boundary)], dtype=object))
        parts = parts[shapely.get_type_id(parts) == _POLYGON]
        shapes.append(parts)
        names += [name] * len(parts)
    writer.geojson("sous_sol/argiles.geojson", "Exposition au retrait-gonflement des argiles", np.concatenate(shapes),
                   {"alea": names})  # fmt: skip


def _write_moves(city: City, writer: Writer) -> None:
    rng, network = city.rng("moves"), city.network
    count = max(6, city.scale.population // 1500)
    cell = rng.choice(len(network.cells), count)
    degrees = writer.origin.degrees(shapely.get_coordinates(shapely.point_on_surface(network.cells[cell])))
    writer.table(
        "sous_sol/mouvements_terrain.csv",
        "Mouvements de terrain",
        {
            "identifiant": [f"{90_000_000 + index}" for index in range(count)],
            "type": rng.choice(_MOVES, count),
            "fiabilite": rng.choice(["Fort", "Moyen", "Faible"], count),
            "lieu": [f"Lieu n° {index + 1}" for index in range(count)],
            "date_debut": [f"{year}-02-10" for year in rng.integers(1982, YEAR, count).tolist()],
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
    )
