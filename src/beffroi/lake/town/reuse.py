"""Where one composts, sorts, repairs and finds again: each place with who may use it, what it takes and its price."""

from __future__ import annotations

from dataclasses import dataclass

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, Fabric
from beffroi.lake.town.useful import sites_of

_CENTRE = (Fabric.CORE, Fabric.FAUBOURG)
_EDGE = (Fabric.ACTIVITY, Fabric.FAUBOURG)
_HOMES = (Fabric.ESTATE, Fabric.SUBURB, Fabric.GRID, Fabric.FAUBOURG)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of place: its condition of access, what it takes, its price, its hours, inhabitants for one more."""

    kind: str
    name: str
    access: str
    takes: str
    price: str
    hours: str
    fabrics: tuple[Fabric, ...]
    people_each: int


_KINDS = (
    _Kind("Composteur partagé", "Composteur", "Sur inscription auprès des voisins référents",
          "épluchures; marc de café; feuilles", "Gratuit", "Sa 10:00-12:00", _HOMES, 2_500),
    _Kind("Composteur partagé", "Compost de quartier", "Ouvert à tous, bac d’apport fermé la nuit",
          "épluchures; coquilles d’œufs", "Gratuit", "Mo-Su 08:00-20:00", _HOMES, 5_000),
    _Kind("Point d’apport volontaire", "Bornes de tri", "Ouvert à tous", "verre; papier; emballages", "Gratuit",
          "24/7", _HOMES, 1_200),
    _Kind("Point d’apport volontaire", "Borne à textiles", "Ouvert à tous", "vêtements; chaussures; linge", "Gratuit",
          "24/7", _HOMES, 4_000),
    _Kind("Déchèterie", "Déchèterie", "Habitants seulement, sur justificatif de domicile",
          "encombrants; gravats; électroménager; végétaux; peinture", "Gratuit jusqu’à 2 m³ par semaine",
          "Apr-Oct Mo-Sa 08:30-18:30; Nov-Mar Mo-Sa 09:00-17:00; PH off", _EDGE, 40_000),
    _Kind("Ressourcerie", "Ressourcerie de l’Onde", "Ouvert à tous ; dépôt sans rendez-vous",
          "meubles; vaisselle; livres; jouets; électroménager", "Dépôt gratuit", "We,Sa 10:00-18:00; PH off", _EDGE,
          60_000),
    _Kind("Boutique de seconde main", "Friperie solidaire", "Ouvert à tous", "vêtements; livres", "Prix libre",
          "Tu-Sa 10:00-18:00; PH off", _CENTRE, 12_000),
    _Kind("Atelier de réparation", "Café réparation", "Sur adhésion", "petit électroménager; vêtements",
          "10 € par an", "Sa 14:00-18:00", _CENTRE, 15_000),
    _Kind("Atelier de réparation", "Atelier vélo", "Sur adhésion", "vélos", "15 € par an",
          "Tu,Th 18:00-20:30; Sa 10:00-13:00", _CENTRE, 20_000),
    _Kind("Matériaux de réemploi", "Hangar aux matériaux", "Particuliers et artisans, sur rendez-vous",
          "bois; portes; carrelage; quincaillerie", "Prix affiché", "Fr 14:00-18:00; Sa 09:00-12:00", _EDGE, 80_000),
)  # fmt: skip


def write_reuse(city: City, writer: Writer) -> None:
    """Write the places of composting, sorting, repair and second hand, by `datasets/services/points-reemploi.toml`."""
    kinds = [kind for kind in _KINDS for _ in range(1 + city.scale.population // kind.people_each)]
    address = sites_of(city, "reuse", [kind.fabrics for kind in kinds])
    degrees = writer.origin.degrees(city.addresses.point[address])
    streets = city.street_name[city.addresses.street[address]].tolist()
    alone = {kind for kind in kinds if kinds.count(kind) == 1}
    writer.table(
        "dechets/points_reemploi.csv",
        "Composter, trier, réparer, récupérer",
        {
            "id": [f"{INSEE}-PR-{index + 1:03d}" for index in range(len(kinds))],
            "nom": [
                kind.name if kind in alone else f"{kind.name} ({street})"
                for kind, street in zip(kinds, streets, strict=True)
            ],
            "genre": [kind.kind for kind in kinds],
            "numero": city.addresses.number[address],
            "voie": streets,
            "lat": degrees[:, 1],
            "lon": degrees[:, 0],
            "acces": [kind.access for kind in kinds],
            "accepte": [kind.takes for kind in kinds],
            "cout": [kind.price for kind in kinds],
            "horaires": [kind.hours for kind in kinds],
            # Kept for works of fiction: nobody answers (Arcep, decision 2018-0881).
            "telephone": [f"+3353649{2_000 + index:04d}" for index in range(len(kinds))],
        },
    )
