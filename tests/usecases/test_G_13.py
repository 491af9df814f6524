"""G-13, a small town set up from open data: one command on an empty folder, what it takes and costs, what is on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.contrib.auth import get_user_model
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.kernel import footprint
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Role
from beffroi.config import migrating
from beffroi.config.cli import beffroi
from beffroi.config.commands import readiness
from beffroi.faces.cockpit import needs as cockpit
from beffroi.faces.cockpit.hosting import BadHosting, Price, prices
from beffroi.lake.fetching import NotFetched, NotPublished
from beffroi.lake.identity import identity_of
from territory_makers import make_person, make_town

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


IDENTITY = {
    "nom": "Montpellier", "code": "34172", "population": 302454, "siren": "213401722",
    "contour": {"type": "Polygon", "coordinates": [[[3.8, 43.6], [3.9, 43.6], [3.9, 43.7], [3.8, 43.7], [3.8, 43.6]]]},
}  # fmt: skip
DEFIBRILLATORS = (
    "c_nom,c_lat_coor1,c_long_coor1,c_adr_num,c_adr_voie,c_com_insee,c_acc,c_disp_j,c_disp_h,c_etat_fonct\n"
    "Mairie,43.61,3.88,1,Place Neuve,34172,Extérieur,{7j/7},{24h/24},En fonctionnement\n"
)
MOST_MB = 1_000
# The command, started by a process that holds nothing: the memory of the one that starts another counts as the other's.
MEASURED = f"""
import pathlib, resource, subprocess, sys
ran = subprocess.run([sys.executable, "-c", {CODE!r}, *sys.argv[2:]], check=False)
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(ran.returncode)
"""
"""What the command may take: half of the smallest machine that is rented."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What the command told, the memory it took at most, and the folders it read and filled."""

    told: str
    peak_mb: float
    data: Path
    mirror: Path


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Brought:
    """A commune brought by one command, nobody at the keyboard.

    The registry of an empty folder is made by the same command (below); here it is copied, which costs less.
    """
    folder = tmp_path_factory.mktemp("mise-en-route")
    mirror, data = folder / "miroir", folder / "donnees"
    (mirror / "geo.api.gouv.fr" / "communes").mkdir(parents=True)
    data.mkdir()
    shutil.copyfile(migrated_file, data / "registry.sqlite3")
    (mirror / "geo.api.gouv.fr" / "communes" / "34172").write_text(json.dumps(IDENTITY), encoding="utf-8")
    (mirror / "bnlc.csv").write_text(CARPOOL, encoding="utf-8")
    ours = ("BEFFROI_", "DATABASE_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-c", MEASURED, str(folder / "memoire"), "territory", "add", "34172"]
    environment = kept | {"BEFFROI_DATA_DIR": str(data), "BEFFROI_MIRROR": str(mirror)}
    with (folder / "dit").open("w+") as told:
        ran = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=told, stderr=told, check=False)
        told.seek(0)
        said = told.read()
    assert ran.returncode == 0, said
    return Brought(said, int((folder / "memoire").read_text()) / 1024, data, mirror)


def test_one_command_and_a_code_bring_a_town_on_a_modest_machine(brought: Brought) -> None:
    for told in (
        "Créée : Montpellier (34172)", "sources nationales pour Montpellier",
        "aires-covoiturage : reçu", "aires-covoiturage : publié",
        "defibrillateurs : rien de publié pour cette commune", "beffroi needs --commune 34172",
    ):  # fmt: skip
        assert told in brought.told, told
    assert (brought.data / "lake" / "34172" / "aires-covoiturage" / "current").is_file()
    assert brought.peak_mb < MOST_MB
    with closing(sqlite3.connect(brought.data / "registry.sqlite3")) as registry:
        found = registry.execute(
            "select name, population, west, shape_wkb is not null from territory_territory"
        ).fetchall()
    assert found == [("Montpellier", 302454, 3.8, 1)]


def test_a_commune_nobody_tells_of_is_made_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(NotPublished):
        identity_of("34172", folder=tmp_path / "a", wait=lambda _s: None, mirror=tmp_path)
    (tmp_path / "commune.json").write_text(json.dumps(IDENTITY | {"code": "34057"}), encoding="utf-8")
    with pytest.raises(NotFetched, match="autre commune"):
        identity_of("34172", folder=tmp_path / "a", wait=lambda _s: None, mirror=tmp_path)
    (tmp_path / "commune.json").write_text(json.dumps({"nom": "Bourg", "contour": {"type": "Point"}}), encoding="utf-8")
    found = identity_of("34172", folder=tmp_path / "a", wait=lambda _s: None, mirror=tmp_path)
    assert (found.name, found.population, found.contour) == ("Bourg", 0, None)


@pytest.mark.django_db
def test_a_service_without_its_data_is_off_for_residents_and_comes_on_with_them(
    brought: Brought, client: Client, settings: Any
) -> None:
    settings.DATA_DIR, settings.LAKE_DIR, settings.MIRROR_DIR = brought.data, brought.data / "lake", brought.mirror
    settings.STRONG_AUTH = False
    town = make_town("34172", "Montpellier", bbox=BBox(3.8, 43.55, 3.95, 43.65))
    agent, nearest, link = Client(), "Défibrillateurs", 'href="/services/1-14/"'
    staff = get_user_model().objects.get(pk=make_person(Role.AGENT, territory=town))
    agent.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")

    asked = ("/", "/services/", "/services/?theme=proprete-sante", "/recherche/?q=defibrillateur&genre=service")

    def pages(reader: Client) -> dict[str, str]:
        return {at: reader.get(at).content.decode() for at in asked}

    off = pages(client)
    assert [at for at, page in off.items() if link in page] == []
    page = client.get("/services/1-14/")
    assert page.status_code == 200
    assert "Pas encore de données ici" in page.content.decode()
    assert "beffroi" not in page.content.decode().partition("<main")[2].partition("</main>")[0]
    # What asks for no data stays on, and no page of what waits breaks.
    assert 'href="/services/6-01/"' in off["/services/"]
    opened = catalogue.use_cases(territory=town, states=OPEN_STATES)
    waiting = {one.use_case.id for one in opened if catalogue.lacking(one.use_case, town)}
    assert {"1-14", "8-04", "6-09", "7-01", "1-16", "8-11"} <= waiting
    addresses = [f"/services/{one.use_case.id}/" for one in opened] + [str(one.url) for one in opened if one.url]
    assert [at for at in addresses if client.get(at).status_code >= 500] == []
    # Agents see it, with what lacks and where it is.
    assert "À brancher" in agent.get("/services/").content.decode()
    told = agent.get("/services/1-14/").content.decode()
    assert "https://www.data.gouv.fr/fr/datasets/r/edb6a9e1-2f16-4bbf-99e7-c3eb6b90794c" in told
    assert "beffroi territory add 34172" in told
    assert nearest.casefold() in agent.get("/agent/usages/?etat=brancher").content.decode().casefold()
    assert "À brancher" in agent.get("/agent/usages/1-14/").content.decode()
    assert client.get("/api/catalogue/1-14").json()["lacking"][0] == "defibrillateurs"
    # The data come: the same command, again.
    (brought.mirror / "geodae.csv").write_text(DEFIBRILLATORS, encoding="utf-8")
    ran = CliRunner().invoke(beffroi, ["territory", "add", town])
    assert ran.exit_code == 0, ran.output
    # The home page shows the first of each theme only.
    on = pages(client)
    assert [at for at, page in on.items() if link in page] == list(on)[1:]
    assert "Pas encore de données ici" not in client.get("/services/1-14/").content.decode()
    assert "À brancher" not in agent.get("/services/1-14/").content.decode()
    assert client.get("/api/catalogue/1-14").json()["lacking"] == []


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
