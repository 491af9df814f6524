"""G-13, a small town set up from open data: one command on an empty folder, what it takes and costs, what is on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from beffroi.base.kernel import footprint
from beffroi.base.territory.viewer import Role
from beffroi.config import migrating
from beffroi.config.cli import beffroi
from beffroi.config.commands import readiness
from beffroi.faces.cockpit import needs as cockpit
from beffroi.faces.cockpit.hosting import BadHosting, Price, prices

CODE = "from beffroi.config.cli import main; main()"
CARPOOL = (
    "id_lieu,nom_lieu,ad_lieu,insee,type,date_maj,ouvert,Xlong,Ylat,nbre_pl\n"
    "34172-C-001,Sabines,Av. de Vanières,34172,Parking relais,2025-01-01,true,3.86,43.58,40\n"
)
PRICES = """
[[line]]
label = "Machine virtuelle"
monthly_eur = 9.6
source = "facture de l’hébergeur"
date = 2026-10-01
[[line]]
label = "Nom de domaine"
monthly_eur = 1
source = "facture du bureau d’enregistrement"
date = 2026-01-05
"""


def test_one_command_brings_a_town(tmp_path: Path, migrated_file: Path) -> None:
    # The registry of an empty folder is made by the same command (below); here it is copied, which costs less.
    mirror, data = tmp_path / "miroir", tmp_path / "donnees"
    mirror.mkdir()
    data.mkdir()
    shutil.copyfile(migrated_file, data / "registry.sqlite3")
    (mirror / "bnlc.csv").write_text(CARPOOL, encoding="utf-8")
    ours = ("BEFFROI_", "DATABASE_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    ran = subprocess.run(
        [sys.executable, "-c", CODE, "territory", "add", "34172", "--name", "Montpellier"],
        env=kept | {"BEFFROI_DATA_DIR": str(data), "BEFFROI_MIRROR": str(mirror)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for told in (
        "Créée : Montpellier (34172)", "sources nationales pour Montpellier",
        "aires-covoiturage : reçu", "aires-covoiturage : publié",
        "defibrillateurs : rien de publié pour cette commune", "beffroi needs --commune 34172",
    ):  # fmt: skip
        assert told in ran.stdout, told
    assert (data / "lake" / "34172" / "aires-covoiturage" / "current").is_file()


@pytest.mark.django_db
def test_a_registry_that_is_not_there_is_made_and_one_that_is_behind_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(migrating, "migrate", lambda *, verbosity: made.append(verbosity))
    assert readiness.make_registry() is False, "up to date"
    monkeypatch.setattr(readiness, "migrations_behind", lambda: 3)
    assert readiness.make_registry() is False, "behind: the town decides when"
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda _self: {})
    assert readiness.make_registry() is True
    assert made == [0]


def test_what_lacks_its_data_is_told_with_what_would_switch_it_on(small_town: str) -> None:
    found = {one.id: one for one in cockpit.modules(small_town)}
    assert found["G-11"].state == cockpit.ON
    waiting = [one for one in found.values() if one.state == cockpit.WAITING]
    assert all(one.lacking for one in waiting)
    # The nearest defibrillator: a national source brings what it shows.
    nearest = found["1-14"]
    assert nearest.state == cockpit.WAITING
    assert "defibrillateurs" in nearest.national
    assert set(nearest.national) <= set(nearest.lacking)
    drafts = [one for one in found.values() if one.state == cockpit.OFF]
    assert drafts
    assert {one.reason for one in drafts} <= {"en préparation : ni pages ni tâches", "son moteur n’est pas installé"}


def test_load_and_cost_are_shown_and_no_price_is_invented(
    small_town: str, signed_in: Callable[..., Client], settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.HOSTING = tmp_path, None
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "data.parquet").write_bytes(bytes(3_000_000))
    elected = signed_in(Role.ELECTED)
    page = elected.get("/elu/installation/").content.decode()
    assert "Aucun prix n’a été donné" in page
    assert "lake : 3 Mo" in page.replace("\xa0", " ").replace("3,0", "3")
    assert "1-14" in elected.get("/elu/installation/?etat=waiting").content.decode()
    settings.HOSTING = tmp_path / "prix.toml"
    settings.HOSTING.write_text(PRICES, encoding="utf-8")
    page = elected.get("/elu/installation/").content.decode()
    assert '10,60 <span class="unit">€' in page
    assert "facture de l’hébergeur, 1 octobre 2026" in page
    ran = CliRunner().invoke(beffroi, ["needs", "--commune", small_town])
    assert ran.exit_code == 0, ran.output
    assert "Coût : 10.60 € par mois" in ran.output
    assert "s’allume avec defibrillateurs" in ran.output
    settings.HOSTING.write_text(PRICES.replace('source = "facture de l’hébergeur"\n', ""), encoding="utf-8")
    assert "ligne 1 incomplète" in elected.get("/elu/installation/").content.decode()
    with pytest.raises(BadHosting):
        prices(settings.HOSTING)


def test_a_price_keeps_its_source_and_its_date(tmp_path: Path) -> None:
    (tmp_path / "prix.toml").write_text(PRICES, encoding="utf-8")
    first, _second = prices(tmp_path / "prix.toml")
    assert first == Price("Machine virtuelle", 9.6, "facture de l’hébergeur", date(2026, 10, 1))


def _process(proc: Path, number: int, command: str, *, parent: int, folder: Path, named: str = "") -> None:
    home = proc / str(number)
    home.mkdir(parents=True)
    (home / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
    beat = os.sysconf("SC_CLK_TCK")
    numbers = ["S", str(parent), *["0"] * 9, str(30 * beat), str(20 * beat), *["0"] * 6, str(900 * beat)]
    (home / "stat").write_text(f"{number} (a (b) c) {' '.join(numbers)} 0 0\n")
    (home / "environ").write_bytes(f"HOME=/\0BEFFROI_DATA_DIR={named}\0".encode() if named else b"HOME=/\0")
    (home / "status").write_text("VmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n")
    (home / "cwd").symlink_to(folder)


def test_the_processes_of_this_folder_alone_are_measured(tmp_path: Path) -> None:
    proc, data = tmp_path / "proc", tmp_path / "data"
    data.mkdir()
    (proc / "self").mkdir(parents=True)
    (proc / "uptime").write_text("1000.00 4.00\n")
    _process(proc, 10, "python beffroi serve", parent=1, folder=tmp_path)
    _process(proc, 11, "python -c spawned", parent=10, folder=tmp_path, named=str(data))
    _process(proc, 12, "python beffroi demo --data-dir data", parent=1, folder=tmp_path, named="/elsewhere")
    _process(proc, 13, "python beffroi serve", parent=1, folder=tmp_path, named=str(tmp_path / "other"))
    _process(proc, 14, "python notes.py", parent=1, folder=tmp_path, named=str(data))
    _process(proc, 15, "python beffroi needs", parent=1, folder=tmp_path)
    found = footprint.taken(data, apart=15, proc=proc)
    assert found is not None
    assert (found.processes, found.memory_mb, found.peak_mb) == (3, 300.0, 600.0)
    # Fifty seconds of processor in a hundred, thrice.
    assert found.cores == pytest.approx(1.5)
    assert footprint.taken(tmp_path / "other", proc=tmp_path / "none") is None
