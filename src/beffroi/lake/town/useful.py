"""The places one looks for once a year: pounds, lost property, recycling centre, town hall, with their hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.council import TOWN_SIRET
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import NAME, POSTCODE, Fabric
from beffroi.lake.town.shapes import Array

_CENTRE = (Fabric.CORE, Fabric.FAUBOURG)
_EDGE = (Fabric.ACTIVITY, Fabric.FAUBOURG)
_HOMES = (Fabric.ESTATE, Fabric.SUBURB, Fabric.GRID, Fabric.FAUBOURG)


@dataclass(frozen=True, slots=True)
class _Place:
    """A kind of place: where it likes to stand, when it is open (OSM opening_hours), inhabitants for one more."""

    name: str
    kind: str
    theme: str
    fabrics: tuple[Fabric, ...]
    hours: str
    people_each: int = 10**9


_PLACES = (
    _Place("Hôtel de ville", "Mairie", "Services publics", _CENTRE,
           "Mo-Fr 08:30-12:00,13:30-17:30; Sa 09:00-12:00; PH off"),
    _Place("Mairie annexe", "Mairie annexe", "Services publics", _HOMES,
           "Mo,We,Fr 08:30-12:00; Tu,Th 13:30-18:00; PH off", 25_000),
    _Place("Fourrière automobile", "Fourrière automobile", "Sécurité", _EDGE,
           "Mo-Fr 08:00-19:00; Sa 09:00-12:00; PH off"),
    _Place("Fourrière animale et refuge", "Fourrière animale", "Sécurité", _EDGE,
           "Mo-Sa 10:00-12:00,14:00-17:30; Su,PH off"),
    _Place("Objets trouvés", "Objets trouvés", "Services publics", _CENTRE, "Mo-Fr 08:30-12:00,13:30-17:00; PH off"),
    _Place("Police municipale", "Police municipale", "Sécurité", _CENTRE, "Mo-Sa 07:30-20:00; Su,PH 10:00-18:00"),
    _Place("Déchetterie", "Déchetterie", "Environnement", _EDGE,
           "Apr-Oct Mo-Sa 08:30-18:30; Nov-Mar Mo-Sa 09:00-17:00; PH off", 40_000),
    _Place("Ressourcerie", "Ressourcerie", "Environnement", _EDGE, "We,Sa 10:00-18:00; PH off"),
    _Place("Agence postale communale", "Agence postale", "Services publics", _HOMES, "Mo-Fr 09:00-12:00; PH off"),
    _Place("Consigne à bagages", "Consigne", "Mobilités", _CENTRE, "Mo-Su 07:00-21:00"),
    _Place("Consigne à vélos", "Consigne", "Mobilités", _CENTRE, "24/7", 15_000),
    _Place("Bains-douches municipaux", "Bains-douches", "Santé", _CENTRE, "Tu,Th,Sa 08:00-12:00; PH off"),
)  # fmt: skip


def write_useful_places(city: City, writer: Writer) -> None:
    """Write useful places by the SCDL schema of facilities: a CSV whose opening hours follow OpenStreetMap's syntax.

    Source: SCDL « Équipements » 0.1.5, https://schema.data.gouv.fr/scdl/equipements/.
    """
    places = [place for place in _PLACES for _ in range(1 + city.scale.population // place.people_each)]
    address = sites_of(city, "useful", [place.fabrics for place in places])
    degrees = writer.origin.degrees(city.addresses.point[address])
    streets = city.street_name[city.addresses.street[address]]
    count = len(places)
    writer.table(
        "equipements/lieux_utiles.csv",
        "Lieux utiles",
        {
            "COLL_NOM": [f"Commune de {NAME} (fictive)"] * count,
            "COLL_SIRET": [TOWN_SIRET] * count,
            "EQUIP_UID": [f"{TOWN_SIRET}-LU-{index + 1:03d}" for index in range(count)],
            "EQUIP_THEME": [place.theme for place in places],
            "EQUIP_CODE": [f"LU{_PLACES.index(place) + 1:02d}" for place in places],
            "EQUIP_TYPE": [place.kind for place in places],
            "EQUIP_NOM": _names(places, streets),
            "ADR_NUMERO": city.addresses.number[address],
            "ADR_NOMVOIE": streets,
            "ADR_CODEPOSTAL": [POSTCODE] * count,
            "ADR_COMMUNE": [NAME] * count,
            "ADR_CLE_INTEROP": city.addresses.key[address],
            "EQUIP_LAT": degrees[:, 1],
            "EQUIP_LONG": degrees[:, 0],
            "EQUIP_OUVERTURE": [place.hours for place in places],
            # 05 36 49 is kept for works of fiction: nobody answers (Arcep, decision 2018-0881).
            "EQUIP_TEL": [f"+3353649{index:04d}" for index in range(count)],
        },
    )


def _names(places: list[_Place], streets: Array) -> list[str]:
    """Return the name of each place, its street added where several bear the same."""
    alone = {place for place in places if places.count(place) == 1}
    return [
        place.name if place in alone else f"{place.name} ({street})"
        for place, street in zip(places, streets.tolist(), strict=True)
    ]


def sites_of(city: City, subject: str, wanted: list[tuple[Fabric, ...]]) -> Array:
    """Return one address for each wish of fabrics, drawn for a subject; no two share one."""
    rng = city.rng(subject)
    fabric = city.parcels.fabric[city.addresses.parcel]
    # Homes come last: these places stand on their own ground when the town has some to spare.
    lived_in = city.buildings.dwellings[city.addresses.building] > 0
    taken = np.zeros(len(fabric), dtype=bool)
    chosen = []
    for fabrics in wanted:
        cost = lived_in * 1.0 + ~np.isin(fabric, fabrics) * 2.0 + taken * 10.0 + rng.random(len(fabric)) * 0.5
        best = int(np.argmin(cost))
        taken[best] = True
        chosen.append(best)
    return np.array(chosen)
