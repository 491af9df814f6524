"""Where one runs to: police, gendarmerie, fire station, first aid, chemists, and the cash machines of the town."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.names import SIGN_NOUNS
from beffroi.lake.town.plan import INSEE, NAME, NEIGHBOURS, Fabric
from beffroi.lake.town.shapes import Array

_CENTRE = (Fabric.CORE, Fabric.FAUBOURG)
_EDGE = (Fabric.ACTIVITY, Fabric.FAUBOURG)
_HOMES = (Fabric.ESTATE, Fabric.SUBURB, Fabric.GRID, Fabric.FAUBOURG)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of place: its name, where it stands, its hours (OSM opening_hours), inhabitants for one more."""

    name: str
    kind: str
    fabrics: tuple[Fabric, ...]
    hours: str
    people_each: int = 10**9


_RESCUE = (
    _Kind("Commissariat de police", "Police nationale", _CENTRE, "24/7", 60_000),
    _Kind("Police municipale", "Police municipale", _CENTRE, "Mo-Sa 07:30-20:00; Su,PH 10:00-18:00", 30_000),
    _Kind("Brigade de gendarmerie", "Gendarmerie", _EDGE,
          "Mo-Sa 08:00-12:00,14:00-18:00; Su,PH 09:00-12:00,15:00-18:00"),
    _Kind("Centre d’incendie et de secours", "Sapeurs-pompiers", _EDGE, "24/7", 30_000),
    _Kind("Poste de premiers secours", "Premiers secours", _CENTRE, "Jun-Sep 10:00-19:00", 40_000),
    _Kind("Maison médicale de garde", "Premiers secours", _HOMES,
          "Mo-Fr 20:00-24:00; Sa 12:00-24:00; Su,PH 08:00-24:00", 50_000),
)  # fmt: skip


def write_rescue(city: City, writer: Writer) -> None:
    """Write rescue points, chemists and cash machines, each located and with its hours."""
    rng = city.rng("rescue")
    rescue = [kind for kind in _RESCUE for _ in range(1 + city.scale.population // kind.people_each)]
    taken = np.zeros(len(city.addresses.key), dtype=bool)
    at = _sites(city, rng, [kind.fabrics for kind in rescue], taken)
    writer.table(
        "securite/points_secours.csv",
        "Points de secours",
        {
            "id": [f"{INSEE}-PS-{index + 1:03d}" for index in range(len(rescue))],
            "nom": [kind.name for kind in rescue],
            "genre": [kind.kind for kind in rescue],
            **_where(city, writer, at),
            "horaires": [kind.hours for kind in rescue],
            "urgence": [{"Sapeurs-pompiers": "18", "Premiers secours": "15"}.get(kind.kind, "17") for kind in rescue],
        },
    )
    chemists = max(2, city.scale.population // 2_800)
    at = _sites(city, rng, [(*_CENTRE, Fabric.GRID)] * chemists, taken)
    hours = ("Mo-Fr 08:30-12:30,14:00-19:30; Sa 09:00-12:30; PH off", "Mo-Sa 08:30-19:30; PH off")
    # One of them keeps the night: the rota is the order of chemists' own, here an invention.
    on_duty = [index == 0 for index in range(chemists)]
    writer.table(
        "sante/pharmacies.csv",
        "Pharmacies",
        {
            "id": [f"{INSEE}-PH-{index + 1:03d}" for index in range(chemists)],
            "nom": [f"Pharmacie {SIGN_NOUNS[index % len(SIGN_NOUNS)]}" for index in range(chemists)],
            **_where(city, writer, at),
            "horaires": ["24/7" if duty else hours[index % 2] for index, duty in enumerate(on_duty)],
            "garde": ["oui" if duty else "non" for duty in on_duty],
            "telephone": [f"+3353649{1_000 + index:04d}" for index in range(chemists)],
        },
    )
    _write_care(city, writer, rng)
    machines = max(3, city.scale.population // 1_500)
    at = _sites(city, rng, [_CENTRE if index % 3 else _HOMES for index in range(machines)], taken)
    indoors = rng.random(machines) < 0.25
    writer.table(
        "services/distributeurs_billets.csv",
        "Distributeurs de billets",
        {
            "id": [f"{INSEE}-DAB-{index + 1:03d}" for index in range(machines)],
            "nom": [f"Distributeur, {city.street_name[street]}" for street in city.addresses.street[at].tolist()],
            "exploitant": rng.choice(["Banque fictive", "Caisse de l’Onde", "Agence postale"], machines),
            **_where(city, writer, at),
            "emplacement": np.where(indoors, "Dans un commerce", "Sur la rue"),
            "horaires": np.where(indoors, "Mo-Sa 08:30-19:30; PH off", "24/7"),
            "accessible_pmr": rng.random(machines) < 0.6,
        },
    )


def _write_care(city: City, writer: Writer, rng: np.random.Generator) -> None:
    """Write how the State classes the town and its neighbours: rural revitalisation, and want of doctors."""
    names = {INSEE: NAME, **dict(NEIGHBOURS)}
    # A small town is rural; where doctors are few is drawn, the same for a size and a seed.
    rural = city.scale.population < 30_000
    zones = rng.choice(["ZIP", "ZAC", "Hors zonage"], len(names), p=[0.4, 0.5, 0.1])
    writer.table(
        "referentiels/zrr.csv",
        "Zones de revitalisation rurale",
        {
            "CODGEO": list(names),
            "LIBGEO": list(names.values()),
            "FRR_SIMP": ["FRR" if rural or code != INSEE else "NC - Non classée" for code in names],
        },
    )
    writer.table(
        "sante/zonage_medecins.csv",
        "Zonage des médecins",
        {"code_commune": list(names), "commune": list(names.values()), "zonage": ["ZAC", *zones[1:].tolist()]},
    )


def _where(city: City, writer: Writer, address: Array) -> dict[str, Array]:
    degrees = writer.origin.degrees(city.addresses.point[address])
    return {
        "numero": city.addresses.number[address],
        "voie": city.street_name[city.addresses.street[address]],
        "lat": degrees[:, 1],
        "lon": degrees[:, 0],
    }


def _sites(city: City, rng: np.random.Generator, wanted: list[tuple[Fabric, ...]], taken: Array) -> Array:
    """Return one address for each wish of fabrics; no two share one."""
    fabric = city.parcels.fabric[city.addresses.parcel]
    chosen = []
    for fabrics in wanted:
        cost = ~np.isin(fabric, fabrics) * 2.0 + taken * 10.0 + rng.random(len(fabric))
        best = int(np.argmin(cost))
        taken[best] = True
        chosen.append(best)
    return np.array(chosen)
