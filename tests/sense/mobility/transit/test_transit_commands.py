"""`beffroi transit`: what an administrator and a publisher ask from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beffroi.config.commands.transit import transit_command
from beffroi.sense.mobility.tasks import build_every_timetable
from beffroi.sense.mobility.transit import store
from sense.mobility.transit_feeds import AT, NETWORK, archive, place_network
from territory_makers import make_town


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(transit_command, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_a_publisher_checks_an_archive(tmp_path: Path) -> None:
    code, said = run("check", str(archive(tmp_path, NETWORK)))
    assert code == 0
    assert "5 courses, 14 passages" in said
    assert "routes.txt:3 T : FFFFFF / FFB900" in said
    broken = {**NETWORK, "stop_times": NETWORK["stop_times"].replace("08:11:00", "8h11")}
    code, said = run("check", str(archive(tmp_path, broken)))
    assert code == 1
    assert "[error] Heure illisible (invalid_time) : 1" in said


@pytest.mark.django_db
def test_the_networks_of_the_commune_of_the_installation_are_built_and_shown(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.LAKE_DIR = tmp_path, tmp_path / "lake"
    settings.LAKE_DIR.mkdir()
    town = make_town("00001", "Bourg-l’Essai", population=812, fictional=True)
    assert "Aucun réseau dans le lac" in run("build")[1]
    place_network(town, tmp_path)
    said = run("show")[1]
    assert "reseau : 5 arrêts, 2 lignes, 5 courses, du 01/01/2026 au 31/12/2026" in said
    assert "temps réel : none" in said
    # The lake knows of no such network any more: the task of each day has it forgotten.
    build_every_timetable(AT)
    assert store.feeds(town) == ["reseau"], "a task does it, not the daily job itself"
