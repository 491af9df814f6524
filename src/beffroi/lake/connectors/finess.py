"""FINESS as the national file is written: no header, two kinds of line, places apart from their coordinates.

``structureet;<31 fields>`` tells an establishment, ``geolocalisation;<5 fields>`` where it is, in metres of the legal
projection of its territory. They meet by the FINESS number; the commune is the department and three digits.

Source: « FINESS, extraction du fichier des établissements », data.gouv.fr, description of cs1100507.
"""

from __future__ import annotations

import csv as rows_of_text
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck
from beffroi.lake.connectors import csv
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Unreadable

STRUCTURE = (
    "nofinesset", "nofinessej", "rs", "rslongue", "complrs", "compldistrib", "numvoie", "typvoie", "voie", "compvoie",
    "lieuditbp", "commune", "departement", "libdepartement", "ligneacheminement", "telephone", "telecopie", "categetab",
    "libcategetab", "categagretab", "libcategagretab", "siret", "codeape", "codemft", "libmft", "codesph", "libsph",
    "dateouv", "dateautor", "maj", "numuai",
)  # fmt: skip
PLACE = ("coordxet", "coordyet", "sourcecoordet", "datemaj")


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the national file of establishments.

    Raises:
        Unreadable: no line of it tells an establishment.
    """
    told: list[list[str]] = []
    places: dict[str, list[str]] = {}
    for line in _lines(path):
        if line[:1] == ["structureet"]:
            told.append([*line[1 : len(STRUCTURE) + 1], *[""] * (len(STRUCTURE) + 1 - len(line))])
        elif line[:1] == ["geolocalisation"] and len(line) > 3:
            places[line[1]] = [*line[2 : len(PLACE) + 2], *[""] * (len(PLACE) + 2 - len(line))]
    if not told:
        raise Unreadable(
            "aucune ligne « structureet » : ce n’est pas le fichier national FINESS",
            where=path.name,
            remedy="prenez l’extraction des établissements, avec géolocalisation",
        )
    commune, department = STRUCTURE.index("commune"), STRUCTURE.index("departement")
    with tempfile.TemporaryDirectory(prefix="beffroi-finess-") as folder:
        plain = Path(folder, path.name)
        with plain.open("w", encoding="utf-8", newline="") as sink:
            writer = rows_of_text.writer(sink)
            writer.writerow([*STRUCTURE, "code_commune", *PLACE])
            for line in told:
                code = f"{line[department][:2]}{line[commune].zfill(3)}"
                writer.writerow([*line, code, *places.get(line[0], [""] * len(PLACE))])
        readings = csv.read(plain, replace(options, separator=",", encoding="utf-8", header_line=1, format=None), con)
    lost = len(told) - sum(line[0] in places for line in told)
    why = Sentence(
        gettext_noop("établissements et coordonnées réunis par leur numéro ; {lost} sans coordonnées"), {"lost": lost}
    )
    readings[0].evidences.append(Evidence("format", "FINESS", why))
    return readings


def _lines(path: Path) -> Iterator[list[str]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    return rows_of_text.reader(text.splitlines(), delimiter=";")
