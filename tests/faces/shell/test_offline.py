"""What the installed application is told, and which pages a device may keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.time import now
from beffroi.base.territory import operations
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.views import urgences
from beffroi.faces.shell import assets, offline

pytestmark = pytest.mark.django_db


def shell_of(client: Client) -> dict[str, Any]:
    first = client.get("/sw.js").content.decode().split("\n", 1)[0]
    return json.loads(first.removeprefix("self.beffroi=").removesuffix(";"))


def test_the_application_bears_the_name_and_the_colours_of_the_commune(small_town: str, client: Client) -> None:
    described = client.get("/manifest.webmanifest").json()
    assert described["name"] == "Bourg-l’Essai"
    assert {icon["purpose"] for icon in described["icons"] if "purpose" in icon} == {"any", "maskable"}
    operations.set_look(territory=small_town, colour="#7a1f5c", accent="", at=now())
    dressed = client.get("/manifest.webmanifest").json()
    assert dressed["theme_color"] == "#7a1f5c"
    # A belfry in the house's colours would not be the commune's.
    assert all(icon["type"] == "image/svg+xml" for icon in dressed["icons"])


def test_every_address_it_names_answers(small_town: str, client: Client) -> None:
    described = client.get("/manifest.webmanifest").json()
    named = [*described["icons"], *({"src": one["url"]} for one in described["shortcuts"])]
    assert {client.get(one["src"]).status_code for one in named if "/static/" not in one["src"]} == {200}


def test_the_service_worker_keeps_the_pages_that_must_open(small_town: str, client: Client) -> None:
    told = shell_of(client)
    assert {"/hors-ligne/", "/urgences/"} < set(told["shell"])
    assert client.get("/sw.js").headers["Cache-Control"] == "no-cache"


def test_a_new_look_is_a_new_version(small_town: str, client: Client) -> None:
    before = shell_of(client)["version"]
    assert shell_of(client)["version"] == before
    operations.set_look(territory=small_town, colour="#7a1f5c", accent="", at=now())
    assert shell_of(client)["version"] != before


def test_without_built_assets_there_is_no_service_worker(
    small_town: str, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    assert offline._script() == ""
    assert client.get("/sw.js").status_code == 404


@pytest.mark.parametrize(
    ("roles", "address", "kept"),
    [
        ((), "/", True),
        ((), "/donnees/", True),
        ((), "/nulle-part/", False),
        ((), "/compte/login/", False),
        ((), "/tuiles/00001/arbres.json", False),
        ((Role.RESIDENT,), "/", True),
        ((Role.RESIDENT,), "/mes-donnees/", False),
        ((Role.AGENT,), "/", False),
        ((Role.RESIDENT, Role.ELECTED), "/donnees/", False),
    ],
)
def test_only_what_anyone_reads_is_kept(
    roles: tuple[Role, ...], address: str, kept: bool, small_town: str, signed_in: Callable[..., Client]
) -> None:
    reader = signed_in(*roles) if roles else Client()
    assert ("X-Beffroi-Keep" in reader.get(address).headers) is kept


def test_urgent_numbers_need_no_account_and_show_nothing_reserved(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    page = client.get("/urgences/").content.decode()
    for number in ("112", "15", "18", "115", "3919"):
        assert f'href="tel:{number}"' in page
    assert 'href="sms:114"' in page
    assert "Objets trouvés" in page or "Bureau des objets trouvés" in page
    agent = signed_in(Role.AGENT).get("/urgences/")
    assert agent.context["needs"] == urgences.needs(small_town)


def test_numbers_are_each_told_once() -> None:
    every = [one.number for one in urgences.numbers()]
    assert len(every) == len(set(every))
    assert all(one.isdigit() for one in every)
