"""Road accidents, in the four linked files of the national base, and the counts of traffic they are compared with."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.furniture import urban_segments
from beffroi.lake.town.hourly import write_hourly_counts
from beffroi.lake.town.plan import DEPARTMENT, INSEE, YEAR
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Way

YEARS = f"{YEAR - 5}-{YEAR - 1}"
# The weight of a street in accidents and in traffic, by its kind (avenue… track).
_DANGER = np.array([9.0, 7.0, 3.0, 5.0, 1.0, 0.1, 0.2])
_TRAFFIC = np.array([14_000, 9_000, 6_000, 7_500, 900, 150, 60])
_UNHURT, _KILLED, _HOSPITAL, _HURT = 1, 2, 3, 4


def write_accidents(city: City, writer: Writer) -> None:
    """Write accidents with the columns of the national base, who and what was in them, and the counts of traffic."""
    rng = city.rng("accidents")
    network = city.network
    count = max(6, city.scale.population * 5 // 1_200)
    weight = _DANGER[network.way[network.street_of_segment]] * shapely.length(network.segments)
    segment = rng.choice(len(weight), count, p=weight / weight.sum())
    along_m = rng.beta(0.4, 0.4, count) * shapely.length(network.segments[segment])
    # A third of them happen at the same few crossings.
    again = np.flatnonzero(rng.random(count) < 0.35)
    segment[again] = rng.choice(segment[: max(2, count // 14)], len(again))
    along_m[again] = rng.uniform(0, 18, len(again))
    places = shapely.line_interpolate_point(network.segments[segment], along_m)
    degrees = writer.origin.degrees(shapely.get_coordinates(places))
    year = np.sort(rng.integers(YEAR - 5, YEAR, count))
    ids = [f"{y}{index + 1:08d}" for index, y in enumerate(year.tolist())]
    writer.table(
        f"securite/caract-{YEARS}.csv",
        "Accidents corporels de la circulation (caractéristiques)",
        {
            "Num_Acc": ids,
            "jour": rng.integers(1, 29, count),
            "mois": rng.integers(1, 13, count),
            "an": year,
            "hrmn": _hours(rng, count),
            "lum": rng.choice([1, 2, 3, 5], count, p=[0.66, 0.08, 0.04, 0.22]),
            "dep": [DEPARTMENT] * count,
            "com": [INSEE] * count,
            "agg": [2] * count,
            "int": rng.choice([1, 2, 3, 6], count, p=[0.6, 0.2, 0.15, 0.05]),
            "atm": rng.choice([1, 2, 8, -1], count, p=[0.76, 0.16, 0.06, 0.02]),
            "col": rng.integers(1, 8, count),
            "adr": city.street_name[network.street_of_segment[segment]],
            "lat": _comma(degrees[:, 1]),
            "long": _comma(degrees[:, 0]),
        },
        separator=";",
    )
    _write_linked(city, writer, ids, network.way[network.street_of_segment[segment]])
    _write_counts(city, writer)


def _hours(rng: np.random.Generator, count: int) -> list[str]:
    hours = (rng.normal(15, 4.5, count).astype(int) % 24).tolist()
    minutes = (rng.integers(0, 12, count) * 5).tolist()
    return [f"{hour:02d}:{minute:02d}" for hour, minute in zip(hours, minutes, strict=True)]


def _comma(values: Array) -> list[str]:
    return [f"{value:.7f}".replace(".", ",") for value in values.tolist()]


def _write_linked(city: City, writer: Writer, ids: list[str], way: Array) -> None:
    """Write the places, the vehicles and the people of each accident: one hurt at least in each."""
    rng = city.rng("victims")
    count = len(ids)
    vehicles = rng.integers(1, 4, count)
    owner = np.repeat(np.arange(count), vehicles)
    number = np.concatenate([np.arange(one) for one in vehicles.tolist()])
    kinds = rng.choice([7, 1, 80, 33, 15, 50], len(owner), p=[0.62, 0.12, 0.04, 0.14, 0.05, 0.03])
    label = [f"{chr(65 + one)}01" for one in number.tolist()]
    writer.table(
        f"securite/vehicules-{YEARS}.csv",
        "Accidents corporels de la circulation (véhicules)",
        {"Num_Acc": [ids[one] for one in owner.tolist()], "num_veh": label, "catv": kinds},
        separator=";",
    )
    driver = rng.choice([_UNHURT, _HURT, _HOSPITAL, _KILLED], len(owner), p=[0.52, 0.36, 0.1, 0.02])
    worst = rng.choice([_HURT, _HOSPITAL, _KILLED], count, p=[0.76, 0.2, 0.04])
    walker = rng.random(count) < 0.28
    writer.table(
        f"securite/usagers-{YEARS}.csv",
        "Accidents corporels de la circulation (usagers)",
        {
            "Num_Acc": [*(ids[one] for one in owner.tolist()), *ids],
            "num_veh": [*label, *["A01"] * count],
            "catu": [*[1] * len(owner), *np.where(walker, 3, 2).tolist()],
            "grav": [*driver.tolist(), *worst.tolist()],
        },
        separator=";",
    )
    writer.table(
        f"securite/lieux-{YEARS}.csv",
        "Accidents corporels de la circulation (lieux)",
        {"Num_Acc": ids, "catr": np.where(way == Way.ROAD, 3, 4), "vma": np.where(way <= Way.AVENUE, 50, 30)},
        separator=";",
    )


def _write_counts(city: City, writer: Writer) -> None:
    """Write the streets where traffic was counted: most great ones, few small ones."""
    rng, network = city.rng("counts"), city.network
    segments = urban_segments(city)
    way = network.way[network.street_of_segment[segments]]
    chosen = segments[rng.random(len(segments)) < np.where(way <= Way.AVENUE, 0.8, 0.12)]
    way = network.way[network.street_of_segment[chosen]]
    per_day = np.round(_TRAFFIC[way] * rng.uniform(0.6, 1.5, len(chosen)), -1).astype(int)
    for_good = rng.random(len(chosen)) < 0.1
    writer.geojson(
        "voirie/comptages-routiers.geojson",
        "Comptages routiers",
        network.segments[chosen],
        {
            "id": [f"{INSEE}-CR-{index + 1:04d}" for index in range(len(chosen))],
            "voie": city.street_name[network.street_of_segment[chosen]],
            "tmja": per_day,
            "annee": rng.integers(YEAR - 4, YEAR, len(chosen)),
            "methode": np.where(for_good, "Boucle permanente", "Tubes pneumatiques"),
            "jours_comptes": np.where(for_good, 365, 7),
        },
    )
    write_hourly_counts(city, writer, chosen, per_day)
