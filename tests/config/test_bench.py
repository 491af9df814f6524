"""`beffroi bench`: it runs, says its ratios, and its page keeps what it did not measure."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from beffroi.config.bench.communes import write_communes
from beffroi.config.bench.report import Table, number, write
from beffroi.config.commands.bench import bench_command

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def table(name: str, cell: str) -> Table:
    return Table(name, f"Titre {name}", ("habitants", "quoi", "ms"), rows=[("10 000", "x", cell)])


def test_numbers_read_as_in_french() -> None:
    assert number(1_234_567.891, 2) == "1\u202f234\u202f567,89"


def test_the_page_replaces_what_was_measured_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    write(page, [table("import", "1"), table("query", "2")], at=AT)
    write(page, [table("query", "3")], at=AT)
    text = page.read_text(encoding="utf-8")
    assert text.count("## Titre import") == text.count("## Titre query") == 1
    assert "| 10 000 | x | 1 |" in text
    assert "| 10 000 | x | 3 |" in text
    assert "02/01/2026" in text


def test_a_population_that_is_no_number_is_said() -> None:
    result = CliRunner().invoke(bench_command, ["--populations", "beaucoup"])
    assert result.exit_code == 2
    assert "beaucoup" in result.output


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_compares_both_on_a_small_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Measures run in processes of their own, which do not have the tests on their path.
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "beffroi.config.settings")
    page = tmp_path / "page.md"
    arguments = ["--populations", "2000", "--data-dir", str(tmp_path / "bench"), "--write", str(page)]
    result = CliRunner().invoke(bench_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "parcelles" in text
    assert "par identifiant" in text
    assert "ensemble" in text


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_compares_both_on_a_small_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "beffroi.config.settings")
    folder = tmp_path / "donnees"
    folder.mkdir()
    (folder / "arbres.csv").write_text("id,espece\n1,Platane\n2,Micocoulier\n", encoding="utf-8")
    (folder / "notes.xml").write_text("<notes><note a='1' b='2'/><note a='3' b='4'/></notes>", encoding="utf-8")
    page = tmp_path / "page.md"
    result = CliRunner().invoke(bench_command, ["folder", str(folder), "--write", str(page)], catch_exceptions=False)
    assert result.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "| Beffroi, premier import | 2 |" in text
    assert "| GDAL | 1 |" in text


def test_a_folder_that_is_not_one_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(bench_command, ["folder", str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert "dossier" in result.output


def test_the_communes_of_a_measure_are_the_same_each_time(tmp_path: Path) -> None:
    for home in ("once", "again"):
        write_communes(tmp_path / home, 2)
    once, again = (sorted((tmp_path / home).rglob("*.csv")) for home in ("once", "again"))
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert [code.name for code in sorted((tmp_path / "once").iterdir())] == ["34001", "34002"]
    assert len({path.read_bytes() for path in once}) == 6
