"""Cameras of the town at the crossings of its centre: where they stand, and down which street they look."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, NAME


def write_cameras(city: City, writer: Writer) -> None:
    """Write cameras, by `datasets/securite/videoprotection.toml`: one for 900 inhabitants, a third of them turning."""
    rng = city.rng("cameras")
    network = city.network
    ends = np.stack([shapely.get_coordinates(shapely.get_point(network.segments, rank)) for rank in (0, -1)])
    away = np.hypot(*(ends[0] - np.median(ends[0], axis=0)).T)
    count = min(max(4, city.scale.population // 900), len(away) // 2)
    weight = np.exp(-away / max(away.max() / 5, 1.0))
    chosen = rng.choice(len(weight), count, replace=False, p=weight / weight.sum())
    degrees = writer.origin.degrees(ends[0, chosen])
    east, north = (ends[1, chosen] - ends[0, chosen]).T
    streets = city.street_name[network.street_of_segment[chosen]]
    turning = rng.random(count) < 0.35
    writer.table(
        "securite/videoprotection.csv",
        "Caméras de vidéoprotection",
        {
            "id": [f"{INSEE}-CAM-{index + 1:03d}" for index in range(count)],
            "nom": [f"Caméra {index + 1}, {street}" for index, street in enumerate(streets.tolist())],
            "voie": streets,
            "lat": degrees[:, 1],
            "lon": degrees[:, 0],
            "annee": rng.integers(2008, 2025, count),
            "responsable": [f"Maire de {NAME} (fictif)"] * count,
            "azimut": np.round(np.degrees(np.arctan2(east, north)) % 360).astype(int),
            "ouverture": np.where(turning, 360, rng.integers(5, 11, count) * 10),
            "portee_m": rng.integers(6, 13, count) * 10,
        },
    )
