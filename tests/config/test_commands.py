"""The commands that look after an installation, run as a person runs them: what they say and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import servers
from beffroi.base.catalogue import queries
from beffroi.config.cli import beffroi
from beffroi.config.commands import check, serve
from registries import copy_registry

BEFFROI = [sys.executable, "-c", "from beffroi.config.cli import main; main()"]


def _called(*arguments: str) -> Result:
    return CliRunner().invoke(beffroi, list(arguments), catch_exceptions=True)


# --- usecases --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_list_is_cut_as_asked() -> None:
    answer = _called("usecases", "list", "--state", "live")
    assert (answer.exit_code, "G-03" in answer.output, "2-20" in answer.output) == (0, True, False)


@pytest.mark.django_db
def test_good_files_pass_and_their_examples_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of one use case for each engine; those of all the others have each a test of their own."""
    whole = queries.catalogue()
    kept = {one.engine: one for one in whole.use_cases.values() if one.examples} | {
        "lifecycle": whole.use_cases["G-03"]
    }
    monkeypatch.setattr(queries, "catalogue", lambda: replace(whole, use_cases={one.id: one for one in kept.values()}))
    answer = _called("usecases", "check", "--examples")
    assert answer.exit_code == 0, answer.output
    assert f"{sum(len(one.examples) for one in kept.values())} exemple(s), 0 qui ne" in answer.output
    assert "0 problème(s)" in answer.output
    assert queries.decisions("G-03", "34172") == []


def test_a_broken_file_is_told_and_ends_badly(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "usecases" / "1").mkdir(parents=True)
    (tmp_path / "usecases" / "1" / "T-01-fete.toml").write_text('title = "Fête\n')
    queries.forget_catalogue()
    answer = _called("usecases", "check")
    queries.forget_catalogue()
    assert answer.exit_code == 1
    assert "usecases/1/T-01-fete.toml:1 : syntaxe TOML" in answer.output
    assert "227 usages valides, 1 problème(s)" in answer.output


# --- territory -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_commune_is_created_once_then_kept_up_to_date() -> None:
    first = _called("territory", "add", "34172", "--no-sources", "--name", "Montpellier", "--population", "299096")
    assert "Créée : Montpellier (34172)" in first.output
    again = _called("territory", "add", "34172", "--no-sources")
    assert "Mise à jour : Montpellier (34172)" in again.output
    assert "34172      Montpellier" in _called("territory", "list").output


@pytest.mark.django_db
def test_a_wrong_code_is_one_sentence() -> None:
    answer = _called("territory", "add", "99")
    assert answer.exit_code == 1
    assert "code INSEE « 99 » impossible" in str(answer.exception)


# --- check -----------------------------------------------------------------------------------------------------------


def _findings() -> dict[str, check.Finding]:
    return {one.subject: one for one in check.found()}


@pytest.mark.django_db
def test_a_new_installation_is_sound_and_told_what_it_lacks() -> None:
    findings = _findings()
    assert [one for one in findings.values() if one.state == check.BAD] == []
    assert findings["Communes"].state == check.DOUBTFUL
    assert findings["Usages"].what == "227 fichiers valides"


@pytest.mark.django_db
def test_a_folder_that_refuses_is_bad(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("not a folder")
    settings.LAKE_DIR = tmp_path / "lake" / "lake"
    assert _findings()["Lac"].state == check.BAD


@pytest.mark.django_db
def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MIN_FREE_BYTES", 10**18)
    answer = _called("check")
    assert answer.exit_code == 1
    assert "libérez de la place" in " ".join(answer.output.split())


@pytest.mark.django_db
def test_a_version_whose_files_are_gone_is_bad(settings: Any, tmp_path: Path) -> None:
    settings.LAKE_DIR = tmp_path
    (tmp_path / "34172" / "arbres" / "versions" / "v1").mkdir(parents=True)
    (tmp_path / "34172" / "arbres" / "current").write_text("v1")
    found = _findings()["Jeu de données"]
    assert (found.state, found.what) == (check.BAD, "34172/arbres : manifest.json, data.parquet absent")


@pytest.mark.django_db
def test_an_unknown_default_commune_is_bad(settings: Any) -> None:
    _called("territory", "add", "34172", "--no-sources", "--name", "Montpellier")
    settings.DEFAULT_COMMUNE = "34057"
    assert _findings()["Communes"].state == check.BAD


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"BEFFROI_DEBUG": "peut-être"}, "BEFFROI_DEBUG"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "ne répond pas"),
    ],
)
@pytest.mark.slow
def test_a_bad_environment_is_told_without_a_traceback(
    variables: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    done = _process("check", tmp_path, **variables)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert sentence in said
    assert "Traceback" not in said


# --- serve -----------------------------------------------------------------------------------------------------------


def _environment(folder: Path, **variables: str) -> dict[str, str]:
    given = {"BEFFROI_DATA_DIR": str(folder), "DATABASE_URL": "", "COLUMNS": "200"} | variables
    return os.environ | given | {"DJANGO_SETTINGS_MODULE": "beffroi.config.settings"}


def _process(command: str, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BEFFROI, command, *arguments],
        env=_environment(folder, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_serving_waits_for_an_up_to_date_registry(tmp_path: Path) -> None:
    done = _process("serve", tmp_path)
    assert done.returncode == 1
    assert "beffroi migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(serve, "require_registry", lambda: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(serve.CannotServe, match="n’est pas libre"):
            serve.check_ready("127.0.0.1", taken.getsockname()[1])


@pytest.mark.slow
def test_the_site_is_served_and_stops_when_told(tmp_path: Path, migrated_file: Path) -> None:
    copy_registry(migrated_file, tmp_path)
    port = servers.free_port()
    arguments = ["serve", "--port", str(port), "--workers", "1"]
    running = subprocess.Popen([*BEFFROI, *arguments], env=_environment(tmp_path), stdout=subprocess.DEVNULL)
    try:
        body = servers.wait_until_answers(f"http://127.0.0.1:{port}/health", running)
    finally:
        running.send_signal(signal.SIGTERM)
    assert b'"status": "ok"' in body
    assert running.wait(timeout=servers.PATIENCE_S) in (0, -signal.SIGTERM)
