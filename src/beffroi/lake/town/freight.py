"""Where goods leave the road: the river made navigable down to a port of the sea, a railway, quays and stations."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.shapes import Array

_DOWNSTREAM_M, _RAIL_WEST_M, _RAIL_EAST_M = 74_000.0, 96_000.0, 61_000.0


def write_freight(city: City, writer: Writer) -> None:
    """Write the waterway and its quays, the railway and its stations; a passenger stop takes no goods."""
    rng = city.rng("freight")
    edge = city.scale.commune_m
    course = _waterway(city, rng)
    quays = [("Quai du Beffroi", 0.0, "V", 1_500, 140, "vrac, conteneurs"),
             ("Port-aux-Grains", 31_000.0, "V", 1_500, 220, "vrac"),
             ("Port-Estran", course.length, "V", 3_000, 900, "vrac, conteneurs")]  # fmt: skip
    writer.geojson("mobilites/voies_navigables.geojson", "Voies navigables", np.array([course]),
                   {"nom": ["L’Onde"], "classe_cemt": ["V"]})  # fmt: skip
    writer.geojson(
        "mobilites/ports_fluviaux.geojson",
        "Ports et quais fluviaux",
        shapely.line_interpolate_point(course, [one[1] for one in quays]),
        {
            "id": [f"PF{rank}" for rank in range(1, len(quays) + 1)],
            "nom": [one[0] for one in quays],
            "voie_eau": ["L’Onde"] * len(quays),
            "gestionnaire": ["Port de l’Onde (fictif)"] * len(quays),
            "classe_cemt": [one[2] for one in quays],
            "tonnage_max_t": np.array([one[3] for one in quays]),
            "longueur_quai_m": np.array([one[4] for one in quays]),
            "marchandises": [one[5] for one in quays],
        },
    )
    rail = _railway(edge)
    stations = [("Valbruyère-Marchandises", _RAIL_WEST_M, "O", "vrac, conteneurs"),
                ("Valbruyère-Halte", _RAIL_WEST_M + 2_500, "N", ""),
                ("Grande-Lande-Triage", 0.0, "O", "vrac, conteneurs"),
                ("Haut-Pays-Fret", rail.length, "O", "vrac")]  # fmt: skip
    at = writer.origin.degrees(
        shapely.get_coordinates(shapely.line_interpolate_point(rail, [one[1] for one in stations]))
    )
    writer.geojson("mobilites/formes-des-lignes-du-rfn.geojson", "Voies ferrées", np.array([rail]),
                   {"code_ligne": ["000001"], "lib_ligne": ["Ligne de la Lande au Haut-Pays"],
                    "mnemo": ["EXPLOITE"]})  # fmt: skip
    writer.table(
        "mobilites/liste-des-gares.csv",
        "Gares",
        {
            "CODE_UIC": [f"8700000{rank}" for rank in range(len(stations))],
            "LIBELLE": [one[0] for one in stations],
            "FRET": [one[2] for one in stations],
            "VOYAGEURS": ["N", "O", "N", "N"],
            "CODE_LIGNE": ["000001"] * len(stations),
            "COMMUNE": [one[0].partition("-")[0] for one in stations],
            "MARCHANDISES": [one[3] for one in stations],
            "X_WGS84": np.round(at[:, 0], 6),
            "Y_WGS84": np.round(at[:, 1], 6),
        },
        separator=";",
    )


def _waterway(city: City, rng: np.random.Generator) -> shapely.LineString:
    """Return the river from the quay of the town down to the sea, some 70 km away, with its bends."""
    points = shapely.get_coordinates(city.network.river)
    start = points[np.argmin(np.hypot(*points.T))]
    mouth = points[np.argmax(np.hypot(*points.T))]
    toward = mouth / np.hypot(*mouth)
    across = np.array([-toward[1], toward[0]])
    along: Array = np.linspace(np.hypot(*mouth), _DOWNSTREAM_M, 60)
    bends = 900 * np.sin(along / 4_300 + rng.uniform(0, 6)) + 400 * np.sin(along / 1_700)
    bends *= np.clip((along - along[0]) / 6_000, 0, 1)
    return shapely.LineString([start, mouth, *(along[1:, None] * toward + bends[1:, None] * across)])


def _railway(edge_m: float) -> shapely.LineString:
    """Return a railway that passes south of the town, west to east, in wide curves."""
    east = np.linspace(-_RAIL_WEST_M, _RAIL_EAST_M, 80)
    north = -0.55 * edge_m - 5_000 * np.sin(east / 30_000) * np.clip(np.abs(east) / 15_000, 0, 1)
    return shapely.LineString(np.column_stack([east, north]))
