"""How busy the town is hour by hour: what passes on its greatest streets, what is left in its car parks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, YEAR
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Way

# Kinds of day: the bumps of their traffic (hour, width, height) and what passes, as a share of a mean day.
_DAYS = (
    ("Jour ouvré", ((7.8, 1.1, 0.75), (17.2, 1.4, 0.8)), 1.08),
    ("Samedi", ((11.0, 1.6, 0.35), (16.0, 2.0, 0.4)), 0.95),
    ("Dimanche", ((11.5, 1.3, 0.3), (17.5, 2.0, 0.35)), 0.65),
)
MOST_HOURLY, MOST_FOLLOWED = 40, 6
_FILLING = ("Date", "Heure", "Type", "Nom", "Places_Libres", "Places_Totales")


def write_hourly_counts(city: City, writer: Writer, chosen: Array, per_day: Array) -> None:
    """Write what passes by hour on the busiest streets counted, at one place each, by kind of day."""
    rng, network = city.rng("hours"), city.network
    order = np.argsort(-per_day, kind="stable")
    _names, first = np.unique(network.street_of_segment[chosen[order]], return_index=True)
    kept = order[np.sort(first)][:MOST_HOURLY]
    segments = chosen[kept]
    street, count = network.street_of_segment[segments], len(segments)
    degrees = writer.origin.degrees(
        shapely.get_coordinates(shapely.line_interpolate_point(network.segments[segments], 0.5, normalized=True))
    )
    capacity = np.where(network.way[street] <= Way.AVENUE, 2_800, 1_800)
    # Some streets are taken to work, others from it: the morning weighs more on the former.
    morning = rng.uniform(0.75, 1.25, (count, 1))
    hour = np.arange(24)
    rush = np.where(hour < 13, morning, 2 - morning)
    shares = [_day(hour, peaks) * (rush if kind == "Jour ouvré" else 1.0) for kind, peaks, _ in _DAYS]
    rows = np.repeat(np.arange(count), len(_DAYS) * 24)
    flow = np.stack([
        per_day[kept][:, None] * weight * np.broadcast_to(share / share.sum(axis=-1, keepdims=True), (count, 24))
        for share, (_kind, _peaks, weight) in zip(shares, _DAYS, strict=True)
    ], axis=1)  # fmt: skip
    point = [f"{INSEE}-CH-{index + 1:03d}" for index in range(count)]
    kinds = [kind for kind, _peaks, _weight in _DAYS]
    writer.table(
        "voirie/comptages-horaires.csv",
        "Comptages horaires",
        {
            "id": [f"{one}-{kind[0]}-{clock:02d}" for one in point for kind in kinds for clock in hour.tolist()],
            "point": [point[one] for one in rows.tolist()],
            "voie": city.street_name[street][rows],
            "type_jour": np.tile(np.repeat(kinds, 24), count),
            "heure": np.tile(hour, count * len(kinds)),
            "vehicules": np.round(flow * rng.uniform(0.96, 1.04, flow.shape)).astype(int).ravel(),
            "capacite": capacity[rows],
            "jours_comptes": np.tile(np.repeat([10, 2, 2], 24), count),
            "debut": [f"{YEAR - 1}-09-22"] * len(rows),
            "fin": [f"{YEAR - 1}-10-05"] * len(rows),
            "lon": np.round(degrees[rows, 0], 6),
            "lat": np.round(degrees[rows, 1], 6),
        },
    )


def _day(hour: Array, peaks: tuple[tuple[float, float, float], ...]) -> Array:
    """Return the flow of each hour, before it is scaled: a quiet night, and bumps (hour, width, height)."""
    flow = 0.05 + 0.52 / (1 + np.exp(-(hour - 6.5) * 1.4)) - 0.5 / (1 + np.exp(-(hour - 20.5) * 1.2))
    return np.maximum(flow, 0.035) + sum(height * np.exp(-(((hour - at) / width) ** 2)) for at, width, height in peaks)


def write_filling(city: City, writer: Writer, names: Array, places: Array) -> None:
    """Write the places left in the greatest car parks, read at each hour of three weeks."""
    rng = city.rng("filling")
    _names, first = np.unique(names, return_index=True)
    kept = first[np.argsort(-places[first], kind="stable")][:MOST_FOLLOWED]
    days = [date(YEAR, 3, 2) + timedelta(days=offset) for offset in range(21)]
    hours = np.arange(6, 23)
    rows: dict[str, list[object]] = {name: [] for name in _FILLING}
    for park in kept.tolist():
        total, late = int(places[park]), rng.uniform(-1.0, 1.0)
        for day in days:
            worked = day.weekday() < 5
            height = (0.5, 0.62, 0.3)[0 if worked else day.weekday() - 4]
            middle, width = (11.5 + late, 4.2) if worked else (15.5 + late, 3.0)
            taken = 0.18 + height * np.exp(-(((hours - middle) / width) ** 4)) + rng.normal(0, 0.03, len(hours))
            free = np.round(total * (1 - np.clip(taken, 0.02, 1))).astype(int)
            for hour, left in zip(hours.tolist(), free.tolist(), strict=True):
                values = (day.isoformat(), f"{hour:02d}:05", "Voiture", str(names[park]), left, total)
                for column, value in zip(rows.values(), values, strict=True):
                    column.append(value)
    writer.table("mobilites/occupation-parkings.csv", "Occupation des parcs de stationnement", rows, separator=";")
