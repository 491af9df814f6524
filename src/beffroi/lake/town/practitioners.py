"""Who cares for people, and where: a file shaped as the national register publishes it, of people who do not exist."""

from __future__ import annotations

from dataclasses import dataclass

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.names import FIRST_NAMES, LAST_NAMES
from beffroi.lake.town.plan import INSEE, NAME, POSTCODE, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.useful import sites_of

_CENTRE = (Fabric.CORE, Fabric.FAUBOURG)
_HOMES = (Fabric.ESTATE, Fabric.SUBURB, Fabric.GRID, Fabric.FAUBOURG)
PEOPLE_PER_SITE = 1_100


@dataclass(frozen=True, slots=True)
class _Kind:
    """A profession and what it knows to do, of how many inhabitants one is."""

    profession: str
    skill: str
    people_each: int


_KINDS = (
    _Kind("Médecin", "Médecine générale", 1_200),
    _Kind("Infirmier", "", 900),
    _Kind("Masseur-Kinésithérapeute", "", 1_300),
    _Kind("Chirurgien-Dentiste", "", 1_700),
    _Kind("Sage-Femme", "", 6_000),
    _Kind("Orthophoniste", "", 4_000),
    _Kind("Pédicure-Podologue", "", 5_000),
    _Kind("Psychologue", "", 3_500),
    _Kind("Médecin", "Cardiologie et maladies vasculaires", 9_000),
    _Kind("Médecin", "Ophtalmologie", 10_000),
    _Kind("Médecin", "Pédiatrie", 8_000),
    _Kind("Médecin", "Gynécologie-obstétrique", 12_000),
    _Kind("Médecin", "Dermatologie et vénéréologie", 14_000),
    _Kind("Médecin", "Psychiatrie", 9_000),
)


def care_sites(city: City) -> Array:
    """Return the addresses where practitioners receive."""
    count = max(4, city.scale.population // PEOPLE_PER_SITE)
    return sites_of(city, "care", [_CENTRE if rank % 3 else _HOMES for rank in range(count)])


def write_practitioners(city: City, writer: Writer) -> None:
    """Write the practitioners: one line by activity, so that one in six has two.

    Source: Annuaire Santé, extraction « personne activité » in free access (a part of its 56 columns).
    """
    rng = city.rng("practitioners")
    sites = care_sites(city)
    rows: list[tuple[str, ...]] = []
    kinds = [kind for kind in _KINDS for _ in range(1 + city.scale.population // kind.people_each)]
    for rank, kind in enumerate(kinds):
        family, given = str(rng.choice(LAST_NAMES)).upper(), str(rng.choice(FIRST_NAMES)).upper()
        title = "Docteur" if kind.profession in ("Médecin", "Chirurgien-Dentiste") else ""
        for where in rng.choice(len(sites), 2 if rank % 6 == 0 else 1, replace=False).tolist():
            address = int(sites[where])
            kind_of_street, _space, street = str(city.street_name[city.addresses.street[address]]).partition(" ")
            rows.append(
                (
                    f"81{rank + 1:010d}",
                    title,
                    family,
                    given,
                    kind.profession,
                    "C",
                    kind.skill,
                    "Lib,indép,artis,com" if rng.random() < 0.8 else "Salarié",
                    f"MAISON DE SANTÉ {where + 1}" if where % 4 == 0 else f"CABINET {street.upper()}",
                    str(city.addresses.number[address]),
                    "",
                    kind_of_street,
                    street.upper(),
                    POSTCODE,
                    INSEE,
                    NAME.upper(),
                    # Kept for works of fiction: nobody answers (Arcep, decision 2018-0881).
                    f"053649{3_000 + where:04d}",
                    f"{given}.{family}@exemple.mssante.example".lower(),
                )
            )
    names = (
        "Identification nationale PP", "Libellé civilité d'exercice", "Nom d'exercice", "Prénom d'exercice",
        "Libellé profession", "Code catégorie professionnelle", "Libellé savoir-faire", "Libellé mode exercice",
        "Raison sociale site", "Numéro Voie (coord. structure)", "Indice répétition voie (coord. structure)",
        "Libellé type de voie (coord. structure)", "Libellé Voie (coord. structure)", "Code postal (coord. structure)",
        "Code commune (coord. structure)", "Libellé commune (coord. structure)", "Téléphone (coord. structure)",
        "Adresse e-mail (coord. structure)",
    )  # fmt: skip
    writer.table(
        "sante/PS_LibreAcces_Personne_activite.txt",
        "Praticiens",
        dict(zip(names, zip(*rows, strict=True), strict=True)),
        separator="|",
    )
