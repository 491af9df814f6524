"""Dataset files: read, refused with a sentence that teaches, applied, and their corrections guarded."""

from __future__ import annotations

from pathlib import Path

import pytest

from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from beffroi.lake.definitions import (
    BadDefinition,
    Correction,
    definition_for,
    load_definitions,
    parsed_definition,
    read_definition,
)
from beffroi.lake.operations import ImportStatus
from beffroi.lake.reading import Column, ColumnType
from lake.store import lakes

WHOLE = """
title = "Arbres d'alignement"
description = "Arbres des rues et des places."
producer = "Ville"
licence = "Licence Ouverte 2.0"
rhythm = "annuel"
access = "public"
id = "id"
sources = ["VilleMTP_MTP_Arbre*"]
territories = ["34172"]

[reading]
crs = "EPSG:2154"
types = { "INSEE" = "text" }

[columns.hauteur_m]
title = "Hauteur"
unit = "m"

[columns.note]
access = "agents"

[tiles]
min_zoom = 10

[[corrections]]
column = "hauteur_m"
match = { id = "3" }
expect = "6.5"
value = "7.5"
reason = "Erreur de saisie signalée au producteur."
"""


def _file(folder: Path, text: str, name: str = "arbres.toml") -> Path:
    path = folder / "nature" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_dataset_file_is_read(tmp_path: Path) -> None:
    definition = read_definition(_file(tmp_path, WHOLE))
    assert (definition.slug, definition.theme, definition.id) == ("arbres", "nature", "id")
    assert definition.reading.crs == "EPSG:2154"
    assert definition.reading.types == {"INSEE": ColumnType.TEXT}
    assert definition.columns["hauteur_m"].unit == "m"
    assert definition.columns["note"].access == "agents"
    assert definition.tiles.min_zoom == 10
    assert definition.corrections[0].expect == "6.5"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title =", "titel ="), "datasets/nature/arbres.toml : clé « titel » inconnue ; vouliez-vous « title » ?"),
        (('access = "public"', 'access = "tous"'), "access = « tous » ne convient pas"),
        (('access = "agents"', 'access = "service:"'), "columns.note.access = « service: » ne convient pas"),
        (('unit = "m"', "unit = 3"), "columns.hauteur_m.unit = « 3 » ne convient pas ; attendu : un texte"),
        (('"INSEE" = "text"', '"INSEE" = "txt"'), "reading.types.INSEE = « txt » ne convient pas"),
        (("min_zoom = 10", "min_zoom = 40"), "tiles.min_zoom = « 40 » ne convient pas"),
        (("min_zoom = 10", "min_zom = 10"), "vouliez-vous « tiles.min_zoom » ?"),
        (('expect = "6.5"', ""), "clé « corrections[1].expect » absente"),
        (('expect = "6.5"', "expect = 6.5"), "corrections[1].expect = « 6.5 » ne convient pas"),
        (("[columns.note]", '[columns."Note !"]'), "columns.Note !"),
        (('sources = ["VilleMTP_MTP_Arbre*"]', 'sources = "VilleMTP_MTP_Arbre*"'), "une liste de textes"),
        (("[reading]", "[reading"), "fichier TOML illisible"),
    ],
)
def test_a_broken_dataset_file_says_what_where_and_how_to_mend_it(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = _file(tmp_path, WHOLE.replace(*change))
    with pytest.raises(BadDefinition) as error:
        read_definition(path)
    assert said in str(error.value)
    assert str(error.value).startswith("datasets/nature/arbres.toml")


def test_a_broken_file_does_not_hide_the_others_and_a_towns_own_wins(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    _file(shipped, WHOLE)
    _file(shipped, "titre = 'x'", "casse.toml")
    _file(own, WHOLE.replace("Arbres d'alignement", "Nos arbres"))
    found, faults = load_definitions([shipped, own])
    assert [definition.title for definition in found] == ["Nos arbres"]
    assert [fault.where for fault in faults] == ["datasets/nature/casse.toml"]


def test_the_dataset_files_shipped_are_all_sound() -> None:
    found, faults = load_definitions()
    assert [str(fault) for fault in faults] == []
    # A town may have its own file of a source everyone has: the same dataset, read its way there.
    assert len(found) == len({(definition.slug, definition.territories) for definition in found})
    assert len(found) == len(list(shipped_folder("datasets").glob("*/*.toml")))
    assert [definition.slug for definition in found if not definition.title or not definition.sources] == []


def test_a_source_finds_its_definition_whatever_the_case_and_the_territory_decides() -> None:
    everywhere = parsed_definition({"sources": ["arbres*.csv"], "slug": "arbres"}, where="x")
    here = parsed_definition({"sources": ["arbres*.csv"], "slug": "ici", "territories": ["34172"]}, where="x")
    assert definition_for("ARBRES_2024.CSV", "34172", [everywhere, here]) is here
    assert definition_for("arbres_2024.csv", "93010", [everywhere, here]) is everywhere
    assert definition_for("bancs.csv", "93010", [everywhere, here]) is None


CORRECTION = Correction("hauteur_m", {"id": "3"}, "6.5", "7.5", "Erreur de saisie")


def test_a_correction_mends_its_row_and_says_so(lake: Path) -> None:
    outcome = lakes.published(lake, [lakes.tree(i) for i in range(5)], corrections=(CORRECTION,))
    assert outcome.report is not None
    said = "hauteur_m : « 6.5 » devient « 7.5 » sur 1 ligne(s) (Erreur de saisie)"
    assert [str(line) for line in outcome.report.corrections] == [said]
    assert b'"hauteur_m":7.5' in queries.feature(ANONYMOUS, lakes.ref(), "3")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([lakes.tree(3, hauteur_m=7.5)], "ne contient plus « 6.5 » en hauteur_m : elle contient « 7.5 »"),
        ([lakes.tree(4)], "elle contient aucune ligne correspondante"),
    ],
)
def test_a_correction_stops_the_import_once_the_source_is_fixed(
    lake: Path, rows: list[dict[str, object]], said: str
) -> None:
    lakes.published(lake, [lakes.tree(1)])
    outcome = lakes.published(lake, rows, corrections=(CORRECTION,))
    assert outcome.status is ImportStatus.REFUSED
    assert said in str(outcome.reason)
    assert "retirez cette correction" in str(outcome.reason)
    assert queries.dataset(ANONYMOUS, lakes.ref()).summary.rows == 1


def test_an_id_that_does_not_name_rows_is_refused(lake: Path) -> None:
    rows = [lakes.tree(1), lakes.tree(1)]
    doubled = lakes.published(lake, rows, id="id")
    absent = lakes.published(lake, rows, id="matricule")
    assert "a des doublons ou des vides" in str(doubled.reason)
    assert "n'existe pas" in str(absent.reason)
    assert queries.datasets(ANONYMOUS) == []


def test_a_type_that_does_not_fit_is_refused_with_the_value(lake: Path) -> None:
    definition = parsed_definition({"columns": {"espece": {"type": "number"}}}, where="x", slug="arbres")
    outcome = lakes.published(lake, [lakes.tree(1)], (Column("espece", "Espèce"),))
    assert outcome.status is ImportStatus.PUBLISHED
    refused = lakes.with_definition(lake, [lakes.tree(1)], definition)
    assert "contient « Platane 1 », qui n'est pas du type number" in str(refused.reason)


def test_a_restricted_column_that_changes_name_stops_the_import(lake: Path) -> None:
    columns = {"nom_prive": {"access": "agents"}}
    definition = parsed_definition({"columns": columns, "sources": ["arbres.csv"]}, where="x", slug="arbres")
    refused = lakes.with_definition(lake, [lakes.tree(1)], definition)
    assert "la colonne réservée « nom_prive » n'existe pas dans la source" in str(refused.reason)


def test_an_invented_territory_says_so_whatever_its_files_say(lake: Path) -> None:
    lakes.published(lake, [lakes.tree(1)])
    assert not queries.dataset(ANONYMOUS, lakes.ref()).summary.fictional
    invented = lakes.in_territory(lake, "00001", [lakes.tree(1)])
    assert queries.dataset(ANONYMOUS, invented).summary.fictional
