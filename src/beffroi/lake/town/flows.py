"""What passes by mode: counters at some streets, in the national schema, and the trips of a sample of travellers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.furniture import urban_segments
from beffroi.lake.town.ground import cleabs
from beffroi.lake.town.plan import INSEE, YEAR, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Way

# Each mode: its word in the schema, the counter, passages of a weekday in the centre, at its edge, its peaks.
_MODES = (
    ("PEDESTRIAN", "PASSIVE INFRARED", 3_200, 500, ((12.3, 1.3, 0.9), (17.5, 1.8, 0.8))),
    ("BIKE", "INDUCTIVE LOOP", 900, 350, ((8.2, 0.9, 1.0), (17.6, 1.3, 1.0))),
    ("E-SCOOTER", "VIDEO SENSOR", 210, 60, ((8.6, 1.1, 0.7), (18.2, 1.9, 1.0))),
    ("CAR", "INDUCTIVE LOOP", 3_600, 6_400, ((7.9, 1.1, 0.8), (17.3, 1.5, 0.9))),
    ("TRUCK", "INDUCTIVE LOOP", 110, 420, ((9.5, 2.4, 0.6), (14.5, 2.5, 0.5))),
)
_WEEKEND = {"PEDESTRIAN": (1.25, 0.7), "BIKE": (0.8, 0.75), "E-SCOOTER": (0.95, 0.8), "CAR": (0.92, 0.66),
            "TRUCK": (0.35, 0.12)}  # fmt: skip
_FIRST, _DAYS = date(YEAR, 3, 2), 14
_SAMPLED, _LEAST = 60, 10


def write_flows(city: City, writer: Writer) -> None:
    """Write the counters of the town, one of them out of order since its second week, and what a sample did."""
    rng, segments = city.rng("flows"), urban_segments(city)
    network = city.network
    street = network.street_of_segment[segments]
    busy = segments[network.way[street] <= Way.AVENUE]
    _names, first = np.unique(network.street_of_segment[busy], return_index=True)
    busy = busy[np.sort(first)]
    count = min(len(busy), int(np.clip(city.scale.population // 1_500, 4, 14)))
    chosen = np.sort(rng.permutation(busy)[:count])
    _write_counters(city, writer, chosen)
    _write_sample(city, writer, segments)


def _write_counters(city: City, writer: Writer, chosen: Array) -> None:
    rng, network = city.rng("counters"), city.network
    street = network.street_of_segment[chosen]
    middle = shapely.line_interpolate_point(network.segments[chosen], 0.5, normalized=True)
    degrees = writer.origin.degrees(shapely.get_coordinates(middle))
    central = np.isin(network.fabric_of_street[street], (Fabric.CORE,)) | (
        shapely.distance(middle, shapely.Point(0, 0)) < city.scale.urban_m * 0.35
    )
    sites = [f"S{index + 1:02d}-{INSEE}" for index in range(len(chosen))]
    writer.table("mobilites/comptagemobilites_site_valbruyere.csv", "Sites de comptage", {
        "site_id": sites,
        "site_name": city.street_name[street],
        "fr_insee_code": [INSEE] * len(sites),
        "xlong": np.round(degrees[:, 0], 6),
        "ylat": np.round(degrees[:, 1], 6),
        "infrastructure_type": ["MUNICIPAL ROAD"] * len(sites),
    })  # fmt: skip
    # The last site has no counter of walkers, the one before counts bicycles by the day.
    channels = [(site, mode) for site in range(len(sites)) for mode in range(len(_MODES))
                if not (site == len(sites) - 1 and mode == 0)]  # fmt: skip
    daily, broken = (len(sites) - 2, 1), (0, 1)
    ids = [f"{sites[site]}-{_MODES[mode][0].replace(' ', '')}" for site, mode in channels]
    writer.table("mobilites/comptagemobilites_channel_valbruyere.csv", "Canaux de comptage", {
        "channel_id": ids,
        "site_id": [sites[site] for site, _mode in channels],
        "mobility_type": [_MODES[mode][0] for _site, mode in channels],
        "counter_type": [_MODES[mode][1] for _site, mode in channels],
        "temporality": ["PERMANENT"] * len(ids),
        "started_at": [f"{YEAR - 1}-01-01T00:00:00+01:00"] * len(ids),
        "time_step": [86_400 if channel == daily else 3_600 for channel in channels],
    })  # fmt: skip
    rows: dict[str, list[object]] = {name: [] for name in ("channel_id", "counter_id", "start_datetime",
                                                           "end_datetime", "count")}  # fmt: skip
    for channel, name in zip(channels, ids, strict=True):
        site, mode = channel
        seen = _seen(rng, mode, bool(central[site]))
        if channel == broken:
            seen[7:] = 0
        for offset, hours in enumerate(seen.tolist()):
            day = _FIRST + timedelta(days=offset)
            for start, end, value in _told(day, hours, whole=channel == daily):
                for key, cell in zip(rows, (name, f"C-{name}", start, end, value), strict=True):
                    rows[key].append(cell)
    writer.table("mobilites/comptagemobilites_measure_valbruyere.csv", "Mesures de comptage", rows)


def _seen(rng: np.random.Generator, mode: int, central: bool) -> Array:
    """Return what a channel counts: one row a day, one column an hour."""
    word, _counter, centre, edge, peaks = _MODES[mode]
    hour = np.arange(24)
    shape = 0.04 + 0.45 / (1 + np.exp(-(hour - 7.2) * 1.5)) - 0.42 / (1 + np.exp(-(hour - 20.5) * 1.2))
    shape = np.maximum(shape, 0.02)
    worked = shape + sum(height * np.exp(-(((hour - at) / width) ** 2)) for at, width, height in peaks)
    rested = shape + 0.7 * np.exp(-(((hour - 15.5) / 3.2) ** 2))
    kinds = [(_FIRST + timedelta(days=offset)).weekday() for offset in range(_DAYS)]
    weight = np.array([1.0 if kind < 5 else _WEEKEND[word][kind - 5] for kind in kinds])
    shapes = np.stack([(worked if kind < 5 else rested) / (worked if kind < 5 else rested).sum() for kind in kinds])
    total = (centre if central else edge) * rng.uniform(0.75, 1.3)
    return rng.poisson(total * weight[:, None] * shapes)


def _told(day: date, hours: list[int], *, whole: bool) -> list[tuple[str, str, int]]:
    """Return the rows of a day, in the time of the town with its offset (winter time, before the last Sunday)."""
    after = day + timedelta(days=1)
    if whole:
        return [(f"{day}T00:00:00+01:00", f"{after}T00:00:00+01:00", sum(hours))]
    ends = [f"{day}T{hour + 1:02d}:00:00+01:00" for hour in range(23)] + [f"{after}T00:00:00+01:00"]
    return [(f"{day}T{hour:02d}:00:00+01:00", end, hours[hour]) for hour, end in enumerate(ends)]


def _write_sample(city: City, writer: Writer, segments: Array) -> None:
    """Write the trips by bicycle and by car of a sample, those of fewer than ten left out as their publisher must."""
    rng, network = city.rng("sample"), city.network
    street = network.street_of_segment[segments]
    weight = np.where(network.way[street] <= Way.AVENUE, 4.0, 1.0) * shapely.length(network.segments[segments])
    count = min(_SAMPLED, len(segments))
    chosen = np.sort(rng.choice(segments, count, replace=False, p=weight / weight.sum()))
    names = cleabs("TRONROUT", len(network.street_of_segment))[chosen]
    hours = np.arange(7, 20)
    rows: dict[str, list[object]] = {name: [] for name in ("id", "troncon", "mobility_type", "type_jour", "heure",
                                                           "trajets", "source")}  # fmt: skip
    for name, great in zip(names.tolist(), (network.way[network.street_of_segment[chosen]] <= Way.AVENUE).tolist(),
                           strict=True):  # fmt: skip
        for word, usual in (("BIKE", 16 if great else 11), ("CAR", 42 if great else 12)):
            trips = rng.poisson(usual * (0.7 + 0.8 * np.exp(-(((hours - 17.5) / 2.2) ** 2))))
            for hour, value in zip(hours.tolist(), trips.tolist(), strict=True):
                if value >= _LEAST:
                    told = (f"F{len(rows['id']) + 1:05d}", name, word, "Jour ouvré", hour, value, "Échantillon fictif")
                    for key, cell in zip(rows, told, strict=True):
                        rows[key].append(cell)
    writer.table("mobilites/flux_agreges.csv", "Trajets d’un échantillon", rows)
