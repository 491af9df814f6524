"""What a guide of the town tells besides registers: public places with their hours, and who asked to stand in it."""

from __future__ import annotations

import numpy as np
import shapely

from beffroi.lake.town.city import City
from beffroi.lake.town.council import TOWN_SIRET
from beffroi.lake.town.files import Writer
from beffroi.lake.town.names import FIRST_NAMES, LAST_NAMES
from beffroi.lake.town.plan import INSEE, NAME, POSTCODE, YEAR

# Program of the parcel: theme and code of the national list, name, hours.
_PLACES = {
    "mairie": ("Services publics", "A129", "Mairie", "Mo-Fr 08:30-12:00,13:30-17:00; Sa 09:00-12:00; PH off"),
    "mediatheque": ("Culture", "F307", "Médiathèque", "Tu,We,Fr,Sa 10:00-18:00; Th 14:00-19:00; PH off"),
    "piscine": ("Sports", "F101", "Piscine", "Mo-Fr 12:00-14:00,17:00-20:00; Sa-Su 10:00-18:00; PH off"),
    "dechetterie": ("Déchets", "A504", "Déchetterie",
                    "Apr-Oct Mo-Sa 08:30-18:30; Nov-Mar Mo-Sa 09:00-17:00; PH off"),
    "salle_polyvalente": ("Sports", "F121", "Salle polyvalente", "Mo-Su 08:00-23:00"),
    "stade": ("Sports", "F111", "Stade", "Mo-Su 08:00-22:00"),
    "square": ("Parcs et jardins", "F2xx", "Square", "Apr-Sep Mo-Su 07:30-21:30; Oct-Mar Mo-Su 08:00-18:00"),
    "cimetiere": ("Services publics", "A3xx", "Cimetière", "Mo-Su 08:00-18:00"),
}  # fmt: skip
_OFFERED = (
    ("lessons", "Soutien en mathématiques, du collège au lycée.", "We 14:00-19:00; Sa 09:00-12:00"),
    ("lessons", "Piano et solfège, débutants et adultes.", ""),
    ("home", "Courses, ménage, compagnie ; chèque emploi service.", "Mo-Fr 09:00-17:00"),
    ("craft", "Petites réparations de meubles, cannage.", ""),
)


def write_guide(city: City, writer: Writer) -> None:
    """Write public places by the SCDL schema of facilities, and a few people who asked to be in the guide."""
    chosen = np.flatnonzero(np.isin(city.parcels.program, list(_PLACES)))
    told = [_PLACES[str(name)] for name in city.parcels.program[chosen]]
    degrees = writer.origin.degrees(shapely.get_coordinates(shapely.point_on_surface(city.parcels.shape[chosen])))
    streets = city.street_name[city.frontage.street[chosen]].tolist()
    writer.table(
        "equipements/scdl_equipements_publics.csv",
        "Équipements publics et leurs horaires",
        {
            "COLL_NOM": [NAME] * len(chosen),
            "COLL_SIRET": [TOWN_SIRET] * len(chosen),
            "EQUIP_UID": [f"{INSEE}-EQ-{index + 1:04d}" for index in range(len(chosen))],
            "EQUIP_THEME": [one[0] for one in told],
            "EQUIP_CODE": [one[1] for one in told],
            "EQUIP_NOM": [f"{one[2]}, {street}" for one, street in zip(told, streets, strict=True)],
            "ADR_NUMERO": [""] * len(chosen),
            "ADR_NOMVOIE": streets,
            "ADR_CODEPOSTAL": [POSTCODE] * len(chosen),
            "ADR_COMMUNE": [NAME] * len(chosen),
            "ADR_CLE_INTEROP": [""] * len(chosen),
            "EQUIP_LAT": degrees[:, 1],
            "EQUIP_LONG": degrees[:, 0],
            "EQUIP_OUVERTURE": [one[3] for one in told],
            "EQUIP_ACCES": ["Libre"] * len(chosen),
            # Kept for works of fiction: nobody answers (Arcep, decision 2018-0881).
            "EQUIP_TEL": [f"+3353649{6_000 + index:04d}" for index in range(len(chosen))],
            "EQUIP_WEB": [""] * len(chosen),
        },
    )
    rng = city.rng("guide")
    homes = rng.integers(0, len(city.addresses.key), len(_OFFERED))
    places = writer.origin.degrees(city.addresses.point[homes])
    who = rng.integers(0, 1_000, (len(_OFFERED), 2)).tolist()
    writer.table(
        "services/inscrits_guide.csv",
        "Personnes inscrites au guide",
        {
            "id": [f"{INSEE}-IG-{index + 1:03d}" for index in range(len(_OFFERED))],
            "nom": [f"{FIRST_NAMES[a % len(FIRST_NAMES)]} {LAST_NAMES[b % len(LAST_NAMES)]}" for a, b in who],
            "services": [one[0] for one in _OFFERED],
            "description": [one[1] for one in _OFFERED],
            "adresse": city.address_text(homes),
            "telephone": [f"+3353649{7_000 + index:04d}" for index in range(len(_OFFERED))],
            "horaires_accueil": [one[2] for one in _OFFERED],
            "longitude": places[:, 0],
            "latitude": places[:, 1],
            "date_maj": [f"{YEAR}-02-02"] * len(_OFFERED),
        },
    )
