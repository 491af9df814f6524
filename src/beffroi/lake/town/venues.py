"""What one meets at the door of public places, as the national acceslibre data tell it."""

from __future__ import annotations

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, NAME, POSTCODE
from beffroi.lake.town.practitioners import care_sites

_ACTIVITIES = {
    "mairie": "Mairie",
    "ecole": "École primaire",
    "college": "Collège",
    "lycee": "Lycée",
    "hopital": "Centre hospitalier",
    "maison_de_retraite": "EHPAD",
    "piscine": "Piscine",
    "salle_polyvalente": "Salle polyvalente",
    "mediatheque": "Bibliothèque médiathèque",
}


def write_venues(city: City, writer: Writer) -> None:
    """Write public places by the acceslibre schema: level or steps, ramp, width of the door, toilets.

    One place in five has steps without a ramp, one in six was never told: as in real towns.

    Source: schema.data.gouv.fr, MTES-MCT/acceslibre-schema 0.0.7 (the columns of use here).
    """
    rng = city.rng("venues")
    hosts = np.flatnonzero(np.isin(city.buildings.program, list(_ACTIVITIES)) & (city.addresses.of_building >= 0))
    cabinets = care_sites(city)
    address = np.concatenate([city.addresses.of_building[hosts], cabinets])
    degrees = writer.origin.degrees(city.addresses.point[address])
    streets = city.street_name[city.addresses.street[address]]
    activity = [_ACTIVITIES[str(name)] for name in city.buildings.program[hosts]] + ["Cabinet médical"] * len(cabinets)
    count = len(address)
    how = rng.choice(["level", "ramp", "steps", "untold"], count, p=[0.5, 0.13, 0.2, 0.17])
    stepped = np.isin(how, ["ramp", "steps"])
    steps = rng.integers(1, 6, count)
    width = rng.choice([80, 90, 100, 120], count)
    writer.table(
        "equipements/acceslibre.csv",
        "Accessibilité des lieux publics (acceslibre)",
        {
            "id": [f"{INSEE}-ERP-{index + 1:04d}" for index in range(count)],
            "name": [f"{kind}, {street}" for kind, street in zip(activity, streets.tolist(), strict=True)],
            "postal_code": [POSTCODE] * count,
            "commune": [NAME] * count,
            "numero": city.addresses.number[address],
            "voie": streets,
            "code_insee": [INSEE] * count,
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
            "activite": activity,
            "stationnement_ext_pmr": _told(rng.random(count) < 0.4, how),
            "entree_plain_pied": _told(how == "level", how),
            "entree_marches": [int(one) if step else None for one, step in zip(steps, stepped, strict=True)],
            "entree_marches_rampe": [{"ramp": "fixe", "steps": "aucune"}.get(one, "") for one in how.tolist()],
            "entree_largeur_mini": [
                None if one == "untold" else int(wide) for one, wide in zip(how.tolist(), width, strict=True)
            ],
            "sanitaires_adaptes": _told(rng.random(count) < 0.6, how),
        },
    )


def _told(values: np.ndarray, how: np.ndarray) -> list[bool | None]:
    return [None if one == "untold" else bool(value) for value, one in zip(values, how.tolist(), strict=True)]
