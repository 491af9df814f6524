"""The premises of the town (fichiers fonciers), who says they are vacant, and what its own survey found."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, YEAR, Fabric
from beffroi.lake.town.shapes import Array

COMPANIES = "economie/StockEtablissement_00001.csv"
# The group of article 310 Q of annex II of the tax code, by the first digits of the activity of who is there.
_GROUPS = {"47": "MAG1", "10": "MAG1", "56": "MAG1", "96": "MAG1", "55": "HOT1", "52": "DEP1", "43": "ATE1",
           "45": "ATE1", "95": "ATE1", "25": "IND1", "01": "DEP1"}  # fmt: skip
_PUBLIC = {"ecole": "ENS1", "college": "ENS1", "lycee": "ENS1", "hopital": "CLI1", "maison_de_retraite": "CLI1",
           "salle_polyvalente": "SPE1", "mediatheque": "SPE1", "piscine": "SPE1"}  # fmt: skip


@dataclass(slots=True)
class Premises:
    """One row per lot. `group` is empty for a dwelling; `siret` is who is known to be there."""

    building: Array
    group: Array
    surface_m2: Array
    floor: Array
    siret: Array
    closed: Array

    def ids(self) -> list[str]:
        """Return the identifier of each lot, twelve characters."""
        return [f"{INSEE[:2]}{index + 1:010d}" for index in range(len(self.building))]


def draw_premises(city: City, writer: Writer) -> Premises:
    """Draw the lots of each building: its dwellings, its establishments, shops that stand empty, public ones."""
    rng, buildings = city.rng("premises"), city.buildings
    homes = np.repeat(np.arange(len(buildings.shape)), buildings.dwellings)
    rank = np.arange(len(homes)) - np.searchsorted(homes, homes)
    floors = np.maximum(buildings.floors[homes], 1)
    each = np.maximum(np.ceil(buildings.dwellings[homes] / floors), 1)
    held = _establishments(city, writer)
    shops = np.array([one[0] for one in held], dtype=int)
    groups = np.array([one[1] for one in held], dtype="U4")
    central = np.isin(buildings.fabric, (Fabric.CORE, Fabric.GRID)) & buildings.main & (buildings.dwellings > 0)
    empty = np.flatnonzero(central & (rng.random(len(central)) < 0.05) & (city.addresses.of_building >= 0))
    public = np.flatnonzero(np.isin(buildings.program, list(_PUBLIC)) & buildings.main)
    sizes = (
        np.round(rng.normal(68, 22, len(homes)).clip(12, 220)),
        np.round(rng.gamma(2.0, 55.0, len(shops)).clip(14, 1800)),
        np.round(rng.uniform(25, 110, len(empty))),
        np.round(rng.uniform(180, 2400, len(public))),
    )
    count = len(empty) + len(public)
    return Premises(
        building=np.concatenate([homes, shops, empty, public]),
        group=np.concatenate([
            np.full(len(homes), "", dtype="U4"), groups, np.full(len(empty), "MAG1"),
            np.array([_PUBLIC[name] for name in buildings.program[public].tolist()], dtype="U4"),
        ]),
        surface_m2=np.concatenate(sizes),
        floor=np.concatenate([(rank // each).astype(int), np.zeros(len(shops) + count, dtype=int)]),
        siret=np.concatenate([
            np.full(len(homes), "", dtype="U14"), np.array([one[2] for one in held], dtype="U14"),
            np.full(count, "", dtype="U14"),
        ]),
        closed=np.concatenate([
            np.zeros(len(homes), dtype=bool), np.array([one[3] for one in held], dtype=bool),
            np.ones(len(empty), dtype=bool), np.zeros(len(public), dtype=bool),
        ]),
    )  # fmt: skip


def _establishments(city: City, writer: Writer) -> list[tuple[int, str, str, bool]]:
    """Return, of each establishment written, its building, its group of premises, its number, whether it closed."""
    at = city.addresses.of_building
    of_key: dict[str, list[int]] = defaultdict(list)
    for building in np.flatnonzero(at >= 0).tolist():
        of_key[str(city.addresses.key[at[building]])].append(building)
    found = []
    with (writer.folder / COMPANIES).open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            hosts = of_key.get(row["identifiantAdresseEtablissement"])
            if hosts:
                group = _GROUPS.get(row["activitePrincipaleEtablissement"][:2], "BUR1")
                found.append((hosts[0], group, row["siret"], row["etatAdministratifEtablissement"] == "F"))
    return found


def write_premises(city: City, writer: Writer) -> None:
    """Write lots by the names of the fichiers fonciers, vacant dwellings (LOVAC), the town's own survey."""
    lots, rng = draw_premises(city, writer), city.rng("occupation")
    ids, count = lots.ids(), len(lots.building)
    is_home = lots.group == ""
    address = city.addresses.of_building[lots.building]
    vacant = rng.random(count) < np.where(is_home, 0.085, 0.0)
    degrees = writer.origin.degrees(city.addresses.point[np.maximum(address, 0)])
    code = np.where(vacant, "V", np.where(rng.random(count) < 0.45, "P", "L"))
    placed = (address >= 0).tolist()
    house = city.buildings.dwellings[lots.building] == 1
    writer.table(
        "foncier/locaux_00001.csv",
        "Locaux (fichiers fonciers, réservé aux agents)",
        {
            "idlocal": ids,
            "annee": [YEAR - 1] * count,
            "idcom": [INSEE] * count,
            "idpar": city.parcel_id[city.buildings.parcel[lots.building]],
            "dteloc": np.where(is_home, np.where(house, "1", "2"), "4"),
            "cconlc": np.where(is_home, np.where(house, "MA", "AP"), np.where(lots.group == "MAG1", "CA", "CB")),
            "typeact": lots.group,
            "slocal": lots.surface_m2.astype(int),
            "dniv": lots.floor,
            # The tax file says the occupation of dwellings only, and not of all.
            "ccthp": np.where(is_home & (rng.random(count) < 0.96), code, ""),
            "rnb_id": city.building_id[lots.building],
            "identifiant_ban": np.where(address >= 0, city.addresses.key[address], ""),
            "adresse": city.address_text(address),
            "longitude": [one if known else None for one, known in zip(degrees[:, 0].tolist(), placed, strict=True)],
            "latitude": [one if known else None for one, known in zip(degrees[:, 1].tolist(), placed, strict=True)],
        },
        separator=";",
    )
    # The two files do not always agree: LOVAC leaves out some that the tax file still tells vacant.
    told = np.flatnonzero(vacant & (rng.random(count) < 0.93))
    writer.table(
        "foncier/lovac_00001.csv",
        "Logements vacants (LOVAC, réservé aux agents)",
        {
            "ff_idlocal": [ids[index] for index in told.tolist()],
            "annee": [YEAR] * len(told),
            "debutvacance": YEAR - rng.integers(1, 9, len(told)),
        },
        separator=";",
    )
    _write_survey(city, writer, lots, ids, vacant)


def _write_survey(city: City, writer: Writer, lots: Premises, ids: list[str], vacant: Array) -> None:
    """Write what agents found at the door: most shops, some dwellings; some were let again since."""
    rng, count = city.rng("survey"), len(ids)
    is_home = lots.group == ""
    seen = np.flatnonzero(rng.random(count) < np.where(is_home, 0.06, 0.9))
    found_empty = np.where(is_home, vacant & (rng.random(count) < 0.7), lots.closed & (rng.random(count) < 0.8))
    month, day = rng.integers(1, 13, len(seen)), rng.integers(1, 29, len(seen))
    year = np.where(rng.random(len(seen)) < 0.6, YEAR - 1, YEAR - 2)
    state = np.where(found_empty[seen], "vacant", np.where(rng.random(len(seen)) < 0.02, "inconnu", "occupe"))
    writer.table(
        "foncier/releves_occupation.csv",
        "Relevés d'occupation (réservé aux agents)",
        {
            "id_releve": [f"RO-{index + 1:05d}" for index in range(len(seen))],
            "idlocal": [ids[index] for index in seen.tolist()],
            "date_releve": [f"{a}-{b:02d}-{c:02d}" for a, b, c in zip(year.tolist(), month.tolist(), day.tolist(),
                                                                      strict=True)],
            "etat": state,
            "siret": lots.siret[seen],
        },
        separator=";",
    )  # fmt: skip
