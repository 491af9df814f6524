"""What one hears, breathes and receives in the town: noise of its roads, antennas, exposures, the index of air."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, NAME, YEAR
from beffroi.lake.town.streets import Way

# How far each step of 5 dB goes from the axis of a boulevard, then of an avenue or a road, in metres.
_REACH_M = {75: (14, 0), 70: (26, 12), 65: (48, 24), 60: (90, 46), 55: (160, 85)}
_NIGHT_LESS_DB = 5
_OPERATORS = ("Onde Mobile (fictif)", "Valbruyère Télécom (fictif)", "Beffroi Mobile (fictif)")
_POLYGON = 3


def write_airs(city: City, writer: Writer) -> None:
    """Write noise by day and by night, antennas, exposures measured, and a year of the index of air."""
    _write_noise(city, writer)
    _write_antennas(city, writer)
    _write_air(city, writer)


def _write_noise(city: City, writer: Writer) -> None:
    network = city.network
    way = network.way[network.street_of_segment]
    loud, busy = network.segments[way == Way.BOULEVARD], network.segments[(way > Way.BOULEVARD) & (way <= Way.AVENUE)]
    shapes, levels, inner = [], [], shapely.Polygon()
    for level, (far, near) in _REACH_M.items():
        loudest = [shapely.buffer(shapely.union_all(lines), metres, quad_segs=2)
                 for lines, metres in ((loud, far), (busy, near)) if metres and len(lines)]  # fmt: skip
        whole = shapely.intersection(shapely.union_all(loudest), network.boundary)
        parts = shapely.get_parts(np.array([shapely.difference(whole, inner)], dtype=object))
        parts = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > 20)]
        shapes.append(parts)
        levels += [level] * len(parts)
        inner = shapely.union(inner, whole)
    zones, count = np.concatenate(shapes), len(levels)
    for name, title, less in (("bruit_jour", "Bruit des transports (Lden)", 0),
                              ("bruit_nuit", "Bruit des transports, la nuit (Ln)", _NIGHT_LESS_DB)):  # fmt: skip
        writer.geojson(
            f"environnement/{name}.geojson", title, zones,
            {
                "idzonbruit": [f"ZB{rank + 1:04d}" for rank in range(count)],
                "typesource": ["R"] * count, "cbstype": ["A"] * count, "indicetype": ["LN" if less else "LD"] * count,
                "legende": [str(level - less) for level in levels], "annee": [YEAR - 3] * count,
            },
        )  # fmt: skip


def _write_antennas(city: City, writer: Writer) -> None:
    rng, network = city.rng("antennas"), city.network
    masts = max(3, city.scale.population // 2500)
    cell = rng.choice(len(network.cells), masts, replace=False)
    degrees = writer.origin.degrees(shapely.get_coordinates(shapely.point_on_surface(network.cells[cell])))
    rows = [(mast, operator, generation) for mast in range(masts) for operator in _OPERATORS
            for generation in ("4G", "5G") if rng.random() < 0.6]  # fmt: skip
    writer.table(
        "environnement/antennes.csv", "Antennes de téléphonie mobile",
        {
            "adm_lb_nom": [operator for _mast, operator, _generation in rows],
            "sup_id": [f"{700_000 + mast}" for mast, _operator, _generation in rows],
            "generation": [generation for _mast, _operator, generation in rows],
            "emr_lb_systeme": ["LTE 800" if one[2] == "4G" else "5G NR 3500" for one in rows],
            "emr_dt": [f"{year}-04-01" for year in rng.integers(2015, YEAR, len(rows)).tolist()],
            "statut": np.where(rng.random(len(rows)) < 0.9, "En service", "Projet approuvé"),
            "sup_nm_haut": [int(18 + 3 * (mast % 6)) for mast, _operator, _generation in rows],
            "longitude": [float(degrees[mast, 0]) for mast, _operator, _generation in rows],
            "latitude": [float(degrees[mast, 1]) for mast, _operator, _generation in rows],
        },
    )  # fmt: skip
    count = masts * 2
    near = degrees[np.arange(count) % masts] + rng.normal(0, 8e-4, (count, 2))
    writer.table(
        "environnement/mesures_ondes.csv", "Mesures d'exposition aux ondes",
        {
            "numero": [f"{9000 + rank}" for rank in range(count)],
            "date_mesure": [f"{YEAR - 1}-{1 + rank % 12:02d}-15" for rank in range(count)],
            "niveau_v_m": np.round(np.exp(rng.normal(-0.6, 0.9, count)), 2),
            "adresse": [f"Lieu de mesure n° {rank + 1}" for rank in range(count)],
            "longitude": near[:, 0], "latitude": near[:, 1],
        },
    )  # fmt: skip


def _write_air(city: City, writer: Writer) -> None:
    rng = city.rng("air")
    days = [date(YEAR - 1, 1, 1) + timedelta(days=rank) for rank in range(365)]
    parts = {key: np.clip(rng.poisson(mean, 365) + 1, 1, 5)
             for key, mean in (("no2", 0.4), ("so2", 0.0), ("o3", 0.9), ("pm10", 0.5), ("pm25", 0.8))}  # fmt: skip
    worst = np.max(np.stack(list(parts.values())), axis=0)
    writer.table(
        "environnement/indice_air.csv", "Indice de la qualité de l'air",
        {
            "date_ech": [day.isoformat() for day in days], "code_zone": [INSEE] * 365, "lib_zone": [NAME] * 365,
            "type_zone": ["commune"] * 365, "code_qual": worst, **{f"code_{key}": one for key, one in parts.items()},
        },
    )  # fmt: skip
