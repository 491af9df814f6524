"""Who owns the premises of work, and what they are worth to the tax. Nobody exists."""

from __future__ import annotations

import csv

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.names import FIRST_NAMES, LAST_NAMES, SIGN_NOUNS
from beffroi.lake.town.plan import YEAR

LOTS = "foncier/locaux_00001.csv"


def write_owners(city: City, writer: Writer) -> None:
    """Write rights over the premises of work, whose record is read under a trace."""
    rng = city.rng("owners")
    with (writer.folder / LOTS).open(encoding="utf-8", newline="") as handle:
        lots = [row for row in csv.DictReader(handle, delimiter=";") if row["dteloc"] == "4"]
    rights: list[tuple[object, ...]] = []
    for one in lots:
        company = rng.random() < 0.6
        last = LAST_NAMES[int(rng.integers(0, len(LAST_NAMES)))].upper()
        first = FIRST_NAMES[int(rng.integers(0, len(FIRST_NAMES)))].upper()
        noun = SIGN_NOUNS[int(rng.integers(0, len(SIGN_NOUNS)))].upper()
        worth = round(int(one["slocal"]) * float(rng.uniform(60, 160)))
        rights.append((one["idlocal"], YEAR - 1, f"SCI {noun} (FICTIVE)" if company else f"{last} {first}",
                       "propriétaire", "", worth))  # fmt: skip
    _write(writer, "foncier/droits_locaux.csv", "Droits sur les locaux (consultation tracée)",
           ("idlocal", "annee", "ddenom", "droit", "dsiren", "vl_eur"), rights)  # fmt: skip


def _write(writer: Writer, path: str, title: str, names: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    columns = zip(*rows, strict=True) if rows else [[] for _name in names]
    writer.table(path, title, dict(zip(names, map(list, columns), strict=True)), separator=";")
