"""What a dataset file declares of a source: missing values, codes, rows of one thing, and its schema."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from beffroi.lake.definitions import (
    BadDefinition,
    Definition,
    definition_from_json,
    load_definitions,
    parsed_definition,
)
from beffroi.lake.manifest import report_as_json, report_from_json
from beffroi.lake.operations import ImportOutcome, import_source
from beffroi.lake.queries import DatasetRef

AT = datetime(2026, 3, 2, tzinfo=UTC)
TOWN = "34172"

FACTS = """
slug = "faits"
[rows]
commune = "code"
[columns.faits]
title = "Faits"
type = "integer"
min = 0
missing = { ndiff = "Non diffusé : moins de cinq faits", "-1" = "" }
[columns.lum]
labels = { 1 = "Jour", 2 = "Nuit" }
enum = ["1", "2"]
required = true
[columns.cle]
unique = true
pattern = "[A-Z][0-9]+"
example = "A1"
[[derived]]
column = "double"
type = "integer"
sql = "faits * 2"
"""
ROWS = "cle,code,faits,lum\nA1,34172,ndiff,1\nA1,34172,5,3\na3,34172,-4,\nA4,34172,-1,2\nA5,1001,7,9\n"


def made(text: str, **changes: Any) -> Definition:
    return parsed_definition(tomllib.loads(text) | changes, where="essai.toml")


def imported(folder: Path, definition: Definition, rows: str) -> ImportOutcome:
    path = folder / f"{definition.slug}.csv"
    path.write_text(rows, encoding="utf-8")
    return import_source(path, territory=TOWN, at=AT, definition=definition, lake=folder / "lake", announce=False)


def table(folder: Path, slug: str, settings: Any) -> list[dict[str, Any]]:
    settings.LAKE_DIR = folder / "lake"
    page = queries.table(ANONYMOUS, DatasetRef(TOWN, slug), limit=100)
    keys = [column.key for column in page.columns]
    return [dict(zip(keys, row, strict=True)) for row in page.rows]


def test_what_does_not_meet_the_schema_is_told_with_its_line_its_value_and_what_is_expected(tmp_path: Path) -> None:
    outcome = imported(tmp_path, made(FACTS), ROWS)
    assert outcome.report is not None
    told = {(one.title, str(one.expected)): (one.count, one.examples) for one in outcome.report.schema_faults}
    assert told == {
        ("Faits", "un nombre d’au moins 0"): (1, ((4, "-4"),)),
        ("lum", "une valeur, obligatoire"): (1, ((4, ""),)),
        ("lum", "l’une de : « 1 », « 2 »"): (1, ((3, "3"),)),
        ("cle", "une valeur de la forme « A1 »"): (1, ((4, "a3"),)),
        ("cle", "une valeur que nulle autre ligne ne porte"): (2, ((2, "A1"), (3, "A1"))),
    }
    assert report_from_json(report_as_json(outcome.report)) == outcome.report


def test_a_column_that_must_be_there_and_is_not_is_told(tmp_path: Path) -> None:
    outcome = imported(tmp_path, made(FACTS), ROWS.replace("lum", "lumiere"))
    assert outcome.report is not None
    told = {one.column: str(one.expected) for one in outcome.report.schema_faults}
    assert told["lum"] == "cette colonne : elle est obligatoire"


def test_values_that_mean_none_become_none_with_their_reason_and_the_rest_keeps_its_type(
    tmp_path: Path, settings: Any
) -> None:
    imported(tmp_path, made(FACTS), ROWS)
    rows = table(tmp_path, "faits", settings)
    assert sorted((row["faits"], row["faits_absence"], row["double"]) for row in rows if row["faits"] is not None) == [
        (-4, None, -8),
        (5, None, 10),
    ]
    assert sorted(str(row["faits_absence"]) for row in rows if row["faits"] is None) == [
        "Non diffusé : moins de cinq faits",
        "None",
    ]


def test_rows_of_other_towns_of_a_national_file_are_left_out_and_said(tmp_path: Path) -> None:
    outcome = imported(tmp_path, made(FACTS), ROWS)
    assert outcome.report is not None
    assert (outcome.report.rows_read, outcome.report.rows_kept, outcome.report.rows_rejected) == (4, 4, 0)
    assert any("1 lignes d’autres communes" in str(one.why) for one in outcome.report.evidences)


def test_what_a_code_means_is_shown_and_the_code_is_kept(tmp_path: Path, settings: Any) -> None:
    imported(tmp_path, made(FACTS), ROWS)
    settings.LAKE_DIR = tmp_path / "lake"
    columns = {one.key: one for one in queries.dataset(ANONYMOUS, DatasetRef(TOWN, "faits")).columns}
    assert columns["lum"].label(1) == "Jour"
    assert columns["lum"].label(3) is None


SALES = """
slug = "ventes"
id = "vente"
[rows]
by = ["vente"]
distinct = ["vente", "local", "lot"]
told = "ventes"
[[rows.figures]]
column = "prix_m2"
type = "number"
sql = "max(prix) / nullif(sum(surface), 0)"
"""


def test_rows_of_one_thing_become_one_and_a_repeated_one_counts_once(tmp_path: Path, settings: Any) -> None:
    rows = "vente,local,prix,surface\nV1,maison,100,10\nV1,maison,100,10\nV1,garage,100,\nV2,maison,90,30\n"
    outcome = imported(tmp_path, made(SALES), rows)
    assert {row["vente"]: row["prix_m2"] for row in table(tmp_path, "ventes", settings)} == {"V1": 10.0, "V2": 3.0}
    assert outcome.report is not None
    assert any(str(one.why) == "3 lignes réunies en 2 (ventes), d’après vente" for one in outcome.report.evidences)


@pytest.mark.parametrize(
    "sql", ["(SELECT 1)", "1 FROM range(3)", "prix; DROP TABLE x", "prix +", "(SELECT max(x) FROM read_csv('x'))"]
)
def test_an_expression_that_is_not_of_one_row_is_refused(tmp_path: Path, sql: str) -> None:
    definition = made('slug = "x"', derived=[{"column": "y", "sql": sql}])
    outcome = imported(tmp_path, definition, "prix\n1\n")
    assert outcome.version is None
    assert "n’est pas celle d’une ligne" in str(outcome.reason)


def test_a_computed_column_never_shows_to_all_what_is_reserved(tmp_path: Path) -> None:
    definition = made('slug = "x"\n[columns.nom]\naccess = "agents"', derived=[{"column": "y", "sql": "upper(nom)"}])
    outcome = imported(tmp_path, definition, "nom,n\nDupont,1\n")
    assert outcome.version is None
    assert "montrerait à tous « nom »" in str(outcome.reason)


def test_a_file_that_extends_another_says_only_what_differs(tmp_path: Path) -> None:
    for theme, name, text in (
        ("sante", "dae", 'title = "DAE"\nlicence = "LO"\nsources = ["*.csv"]\n[columns.a]\ntitle = "A"\nmin = 1'),
        ("ville", "dae", 'extends = "dae"\ntitle = "Les nôtres"\nterritories = ["34172"]\n[columns.a]\nmin = 2'),
        ("ville", "faux", 'extends = "dea"\ntitle = "X"'),
    ):
        (tmp_path / theme).mkdir(exist_ok=True)
        (tmp_path / theme / f"{name}.toml").write_text(text, encoding="utf-8")
    found, faults = load_definitions([tmp_path])
    ours = next(one for one in found if one.territories)
    assert (ours.slug, ours.title, ours.licence, ours.columns["a"].title, ours.columns["a"].min) == (
        "dae", "Les nôtres", "LO", "A", 2.0,
    )  # fmt: skip
    assert ["« dae » ?" in str(fault) for fault in faults] == [True]


def test_a_definition_is_kept_whole_and_one_that_says_none_of_it_keeps_its_name() -> None:
    for text in (FACTS, SALES):
        definition = made(text)
        assert definition_from_json(definition.as_json()) == definition
    plain = Definition("x").as_json()
    assert not {"rows", "derived", "fetch", "pitfalls", "schema_url"} & plain.keys()


def test_figures_without_the_columns_that_group_are_refused() -> None:
    with pytest.raises(BadDefinition, match=r"rows\.by"):
        made('slug = "x"\n[[rows.figures]]\ncolumn = "n"\nsql = "count(*)"')
