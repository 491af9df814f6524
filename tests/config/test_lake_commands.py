"""`beffroi import` and `beffroi lake`: what they do, what they say, how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from beffroi.base.journal.models import Event
from beffroi.config.cli import beffroi
from beffroi.lake import serving

TREES = "id;espece;lon;lat\n1;Platane;3,88;43,61\n2;Micocoulier;3,87;43,60\n"
SHOPS = '[{"nom": "Boulangerie", "rue": "de la Loge"}, {"nom": "Librairie", "rue": "Foch"}]'


def _called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(beffroi, [str(argument) for argument in arguments], catch_exceptions=True)


@pytest.fixture
def lake(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.LAKE_DIR = tmp_path / "lake"
    yield settings.LAKE_DIR
    serving.close_all()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a folder of two datasets and a grid, which is none."""
    folder = tmp_path / "source"
    (folder / "nature").mkdir(parents=True)
    (folder / "nature" / "arbres.csv").write_text(TREES, encoding="utf-8")
    (folder / "nature" / "commerces.json").write_text(SHOPS, encoding="utf-8")
    (folder / "nature" / "relief.asc").write_text("ncols 2\nnrows 2\ncellsize 5\n1 2\n3 4\n", encoding="utf-8")
    return folder


@pytest.fixture
def imported(lake: Path, source: Path, db: None) -> Path:
    """Give a lake that holds the source."""
    answer = _called("import", source, "--recursive", "--commune", "34172")
    assert answer.exit_code == 0, answer.output
    return lake


@pytest.mark.django_db
def test_a_folder_lands_in_the_lake_and_in_the_journal(lake: Path, source: Path) -> None:
    answer = _called("import", source, "--recursive", "--commune", "34172", "--json")
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert report["totals"]["published"] == 2
    assert report["totals"]["rows_kept"] == 4
    refused = next(dataset for dataset in report["datasets"] if dataset["source"].endswith("relief.asc"))
    assert "grille" in refused["tables"][0]["reason"]["template"]
    assert Event.objects.filter(kind="dataset.published").count() == 2


@pytest.mark.django_db
def test_a_second_import_changes_nothing(imported: Path, source: Path, tmp_path: Path) -> None:
    page = tmp_path / "rapport.txt"
    answer = _called("import", source, "--recursive", "--commune", "34172", "--report", page)
    assert answer.exit_code == 0, answer.output
    assert "0 publiés, 2 inchangés, 1 non lus" in page.read_text(encoding="utf-8")
    assert Event.objects.filter(kind="dataset.published").count() == 2


@pytest.mark.django_db
def test_a_folder_without_recursive_says_what_to_add(lake: Path, source: Path) -> None:
    answer = _called("import", source, "--commune", "34172")
    assert answer.exit_code == 2
    assert "--recursive" in answer.output


@pytest.mark.django_db
def test_one_file_takes_the_name_it_is_given(lake: Path, source: Path) -> None:
    answer = _called("import", source / "nature" / "arbres.csv", "--as", "mes-arbres", "--commune", "34172")
    assert answer.exit_code == 0, answer.output
    assert (lake / "34172" / "mes-arbres" / "current").is_file()


@pytest.mark.django_db
def test_the_list_and_a_dataset_are_shown(imported: Path) -> None:
    listed = _called("lake", "list", "--commune", "34172")
    assert "34172/nature-arbres" in listed.output
    shown = _called("lake", "show", "34172/nature-arbres")
    assert shown.exit_code == 0, shown.output
    assert "espece" in shown.output
    assert "2 lignes" in shown.output


@pytest.mark.django_db
def test_an_empty_lake_says_how_to_fill_it(lake: Path) -> None:
    assert "beffroi import" in _called("lake", "list").output


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "code"), [("nature-arbres", 2), ("34172/inconnu", 1)])
def test_a_dataset_that_is_not_there_is_an_error(imported: Path, name: str, code: int) -> None:
    assert _called("lake", "show", name).exit_code == code


@pytest.mark.django_db
def test_a_dataset_is_exported_in_the_format_of_the_file(imported: Path, tmp_path: Path) -> None:
    target = tmp_path / "arbres.geojson"
    answer = _called("lake", "export", "34172/nature-arbres", target)
    assert answer.exit_code == 0, answer.output
    found = json.loads(target.read_text(encoding="utf-8"))
    assert sorted(feature["properties"]["espece"] for feature in found["features"]) == ["Micocoulier", "Platane"]


@pytest.mark.django_db
def test_refresh_announces_what_was_not(imported: Path) -> None:
    version = (imported / "34172" / "nature-arbres" / "current").read_text(encoding="ascii")
    note = imported / "34172" / "nature-arbres" / "announce" / version
    note.write_text('{"kind": "dataset.published", "actor": null}', encoding="utf-8")
    answer = _called("lake", "refresh")
    assert "1 version" in answer.output
    assert Event.objects.filter(kind="dataset.published").count() == 3
