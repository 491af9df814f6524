"""Where one washes, eats, charges a telephone or leaves a bag for nothing, by the columns of data·inclusion."""

from __future__ import annotations

from dataclasses import dataclass

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, NAME, POSTCODE, YEAR, Fabric
from beffroi.lake.town.useful import sites_of

_CENTRE = (Fabric.CORE, Fabric.FAUBOURG)
_HOMES = (Fabric.ESTATE, Fabric.SUBURB, Fabric.GRID, Fabric.FAUBOURG)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place, what it gives (Soliguide's codes), its hours (OSM), for whom, and inhabitants for one more."""

    name: str
    services: str
    description: str
    hours: str
    publics: str
    fabrics: tuple[Fabric, ...]
    people_each: int


_PLACES = (
    _Place("Bains-douches municipaux", "shower; toilets", "Serviettes et savon prêtés.", "Tu,Th,Sa 08:00-12:00",
           "Tous publics", _CENTRE, 80_000),
    _Place("Accueil de jour La Halte", "day_hosting; shower; laundry; wifi; electrical_outlets_available; "
           "luggage_storage", "Café, prises, casiers fermés à clé.", "Mo-Fr 08:30-17:00", "Adultes", _CENTRE, 60_000),
    _Place("Restaurant solidaire", "food_distribution", "Repas chaud servi à table.", "Mo-Su 11:45-13:30",
           "Tous publics", _HOMES, 40_000),
    _Place("Distribution du soir", "food_distribution; clothing", "Soupe, pain, couvertures l’hiver.",
           "Mo,We,Fr 19:00-21:00", "Tous publics", _CENTRE, 50_000),
    _Place("Vestiaire solidaire", "clothing", "Un sac par personne et par mois.", "We 14:00-17:00", "Tous publics",
           _HOMES, 60_000),
    _Place("Médiathèque", "wifi; electrical_outlets_available; toilets", "Entrée libre, sans inscription.",
           "Tu-Sa 10:00-18:00", "Tous publics", _CENTRE, 50_000),
    _Place("Fontaine à eau", "fountain", "", "24/7", "Tous publics", _HOMES, 6_000),
    _Place("Toilettes publiques", "toilets", "Accessibles en fauteuil.", "Mo-Su 06:00-22:00", "Tous publics", _CENTRE,
           8_000),
    _Place("Boulangerie solidaire", "food_distribution; electrical_outlets_available", "Pain suspendu : demandez.",
           "Tu-Su 07:00-19:00", "Tous publics", _HOMES, 15_000),
)  # fmt: skip


def write_solidarity(city: City, writer: Writer) -> None:
    """Write the free services by `datasets/services/lieux-solidaires.toml`.

    Source: data-inclusion-schema 1.0 (columns of a service); service codes of Soliguide.
    """
    places = [place for place in _PLACES for _ in range(1 + city.scale.population // place.people_each)]
    address = sites_of(city, "solidarity", [place.fabrics for place in places])
    degrees = writer.origin.degrees(city.addresses.point[address])
    streets = city.street_name[city.addresses.street[address]].tolist()
    alone = {place for place in places if places.count(place) == 1}
    writer.table(
        "services/lieux_solidaires.csv",
        "Lieux solidaires",
        {
            "id": [f"{INSEE}-LS-{index + 1:03d}" for index in range(len(places))],
            "nom": [
                place.name if place in alone else f"{place.name} ({street})"
                for place, street in zip(places, streets, strict=True)
            ],
            "services": [place.services for place in places],
            "description": [place.description for place in places],
            "adresse": [
                f"{number} {street}"
                for number, street in zip(city.addresses.number[address].tolist(), streets, strict=True)
            ],
            "code_postal": [POSTCODE] * len(places),
            "commune": [NAME] * len(places),
            "code_insee": [INSEE] * len(places),
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
            # Kept for works of fiction: nobody answers (Arcep, decision 2018-0881).
            "telephone": [f"+3353649{4_000 + index:04d}" for index in range(len(places))],
            "horaires_accueil": [place.hours for place in places],
            "publics": [place.publics for place in places],
            "conditions_acces": [""] * len(places),
            "frais": ["gratuit"] * len(places),
            "date_maj": [f"{YEAR}-01-12"] * len(places),
        },
    )
