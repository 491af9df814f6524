"""What the road service keeps of the streets: signs and humps with their condition, speeds, and what cyclists need."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.furniture import along_streets, urban_segments
from beffroi.lake.town.plan import INSEE, YEAR, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Way

_ASSETS = ("Panneau de signalisation", "Ralentisseur", "Mobilier urbain", "Panneau d’affichage", "Radar pédagogique")
_STATES = ("Bon", "Moyen", "Mauvais", "À remplacer")


def write_roadside(city: City, writer: Writer) -> None:
    """Write the inventory of the road, the speeds of its segments, bicycle parking and the streets for walking."""
    segments = urban_segments(city)
    _write_assets(city, writer, segments)
    _write_speeds(city, writer, segments)
    _write_bicycle_parking(city, writer, segments)
    _write_walking(city, writer, segments)


def _days(rng: np.random.Generator, count: int, *, first: int) -> list[str]:
    start = np.datetime64(f"{first}-01-01")
    return (start + rng.integers(0, 365 * (YEAR - first), count)).astype(str).tolist()


def _write_assets(city: City, writer: Writer, segments: Array) -> None:
    network, rng = city.network, city.rng("assets")
    curb = network.width_m[network.street_of_segment[segments]] / 2 - 0.6
    points, segment = along_streets(city, segments, every_m=90, offset_m=curb, both=np.zeros(len(segments), dtype=bool))
    chosen = np.sort(rng.permutation(len(points))[: max(12, city.scale.population // 25)])
    points, segment, count = points[chosen], segment[chosen], len(chosen)
    kind = rng.choice(len(_ASSETS), count, p=[0.5, 0.1, 0.22, 0.13, 0.05])
    metres = writer.origin.lambert(points)
    writer.table(
        "voirie/mobilier_voirie.csv",
        "Équipements de la voirie",
        {
            "id": [f"{INSEE}-EV-{index + 1:05d}" for index in range(count)],
            "genre": np.array(_ASSETS)[kind],
            "etat": np.array(_STATES)[rng.choice(4, count, p=[0.62, 0.22, 0.11, 0.05])],
            "date_visite": _days(rng, count, first=YEAR - 3),
            "annee_pose": rng.integers(1995, YEAR, count),
            "voie": city.street_name[network.street_of_segment[segment]],
            "X": metres[:, 0],
            "Y": metres[:, 1],
        },
        separator=";",
    )


def _write_speeds(city: City, writer: Writer, segments: Array) -> None:
    """Write a limit on each segment, and on some of them what a survey measured: the two are told apart."""
    network, rng = city.network, city.rng("speeds")
    way = network.way[network.street_of_segment[segments]]
    limit = np.select([way == Way.ROAD, way <= Way.AVENUE], [70, 50], 30)
    core = network.fabric_of_street[network.street_of_segment[segments]] == Fabric.CORE
    limit = np.where(core, 20, limit)
    measured = rng.random(len(segments)) < np.where(way <= Way.AVENUE, 0.35, 0.06)
    v85 = np.round(limit * rng.normal(1.06, 0.13, len(segments))).astype(int)
    days = _days(rng, len(segments), first=YEAR - 4)
    writer.geojson(
        "voirie/vitesses.geojson",
        "Vitesses autorisées et pratiquées",
        network.segments[segments],
        {
            "id": [f"{INSEE}-VT-{index + 1:05d}" for index in range(len(segments))],
            "voie": city.street_name[network.street_of_segment[segments]],
            "vitesse_max": limit,
            "source_limite": ["Arrêté municipal"] * len(segments),
            "date_limite": [f"{YEAR - 2}-09-01"] * len(segments),
            "v85": [int(value) if flag else None for value, flag in zip(v85.tolist(), measured.tolist(), strict=True)],
            "source_mesure": np.where(measured, "Radar pédagogique, sept jours", ""),
            "date_mesure": [day if flag else "" for day, flag in zip(days, measured.tolist(), strict=True)],
        },
    )


def _write_bicycle_parking(city: City, writer: Writer, segments: Array) -> None:
    network, rng = city.network, city.rng("bicycles")
    curb = network.width_m[network.street_of_segment[segments]] / 2 - 1.2
    points, segment = along_streets(city, segments, every_m=70, offset_m=curb, both=np.zeros(len(segments), dtype=bool))
    chosen = np.sort(rng.permutation(len(points))[: max(8, city.scale.population // 400)])
    degrees, count = writer.origin.degrees(points[chosen]), len(chosen)
    closed = np.arange(count) % 9 == 0
    places = np.where(closed, rng.integers(20, 60, count), rng.integers(2, 10, count) * 2)
    free = np.floor(places * rng.random(count)).astype(int)
    streets = city.street_name[network.street_of_segment[segment[chosen]]]
    writer.table(
        "mobilites/stationnement_cyclable.csv",
        "Stationnement des vélos",
        {
            "id_local": [f"{INSEE}-SC-{index + 1:04d}" for index in range(count)],
            "nom": np.char.add(np.where(closed, "Abri à vélos, ", "Arceaux, "), streets),
            "code_com": [INSEE] * count,
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
            "capacite": places,
            "capacite_cargo": np.where(closed, 2, 0),
            "mobilier": np.where(closed, "RACK DOUBLE ETAGE", "ARCEAU"),
            "protection": np.where(closed, "CONSIGNE COLLECTIVE FERMEE", "AUCUNE PROTECTION"),
            "couverture": closed,
            "gratuit": ~closed,
            "recharge": np.where(closed & (np.arange(count) % 2 == 0), "oui", "non"),
            "places_libres": [n if flag else None for n, flag in zip(free.tolist(), closed.tolist(), strict=True)],
            "releve_le": np.where(closed, f"{YEAR}-01-01 08:00:00", ""),
            "date_maj": [f"{YEAR}-01-01"] * count,
        },
    )


def _write_walking(city: City, writer: Writer, segments: Array) -> None:
    """Write the streets of the old town that are for walking, as areas."""
    network = city.network
    street = network.street_of_segment[segments]
    chosen = np.flatnonzero((network.fabric_of_street[street] == Fabric.CORE) & (network.way[street] >= Way.STREET))
    if not len(chosen):
        chosen = np.arange(min(3, len(segments)))
    named = np.unique(street[chosen])
    areas = [
        shapely.union_all(
            shapely.buffer(network.segments[segments[chosen[street[chosen] == one]]], 3.0, cap_style="flat")
        )
        for one in named.tolist()
    ]
    writer.geojson(
        "mobilites/zones_pietonnes.geojson",
        "Zones piétonnes",
        np.array(areas, dtype=object),
        {
            "id": [f"{INSEE}-ZP-{index + 1:03d}" for index in range(len(named))],
            "nom": city.street_name[named],
            "horaires_livraison": ["Mo-Sa 06:00-11:00"] * len(named),
            "date_maj": [f"{YEAR}-01-01"] * len(named),
        },
    )
