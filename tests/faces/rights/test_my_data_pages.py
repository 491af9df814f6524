"""« Mes données »: see, take away, erase; and the public register."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.privacy.registry import declarations
from beffroi.base.territory.viewer import Role
from faces.rights.conftest import signed_in
from territory_makers import PASSWORD, make_person

ADDRESS = "claude.personne@exemple.fr"
PAGES = ["/mes-donnees/", "/mes-donnees/mes-donnees.zip", "/mes-donnees/effacer/"]


@pytest.mark.parametrize("page", PAGES)
def test_these_pages_ask_who_one_is(page):
    response = Client().get(page)
    assert response.status_code == 302
    assert "mes-donnees" in response["Location"]


def test_a_person_sees_what_is_held_about_her(reader):
    page = reader.get("/mes-donnees/").content.decode()
    assert ADDRESS in page
    assert "Adresse électronique" in page
    assert "argon2" not in page


def test_the_archive_holds_a_page_and_a_json(reader):
    response = reader.get("/mes-donnees/mes-donnees.zip")
    assert response["Cache-Control"].startswith("max-age=0")
    bundle = zipfile.ZipFile(io.BytesIO(response.content))
    assert sorted(bundle.namelist()) == ["mes-donnees.html", "mes-donnees.json"]
    assert ADDRESS in bundle.read("mes-donnees.html").decode()
    data = json.loads(bundle.read("mes-donnees.json"))["data"]
    assert data["territory.Person"]["rows"][0]["email"] == ADDRESS


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"email": "autre@exemple.fr", "password": PASSWORD},
        {"email": ADDRESS, "password": "mauvais"},
        {"email": ADDRESS},
    ],
)
def test_without_a_good_confirmation_nothing_is_erased(reader, resident, typed):
    response = reader.post("/mes-donnees/effacer/", typed)
    assert response.status_code == 400
    assert "data-error-summary" in response.content.decode()
    assert get_user_model().objects.get(pk=resident).email == ADDRESS


def test_erasing_ends_the_session_and_the_account(reader, resident):
    other_browser = signed_in(resident)
    response = reader.post("/mes-donnees/effacer/", {"email": ADDRESS.upper(), "password": PASSWORD}, follow=True)
    assert "Votre compte est effacé" in response.content.decode()
    assert get_user_model().objects.get(pk=resident).email == f"efface-{resident}@compte.invalid"
    for client in (reader, other_browser):
        assert client.get("/mes-donnees/").status_code == 302


def test_an_account_without_password_confirms_by_its_address():
    number = make_person(Role.RESIDENT, email="par.franceconnect@exemple.fr")
    client = signed_in(number)
    assert "password" not in client.get("/mes-donnees/effacer/").context["form"].fields
    client.post("/mes-donnees/effacer/", {"email": "par.franceconnect@exemple.fr"})
    assert not get_user_model().objects.get(pk=number).is_active


def test_an_agent_is_told_to_give_her_rights_back_first():
    number = make_person(Role.AGENT, email="agent@exemple.fr", password=PASSWORD)
    response = signed_in(number).post("/mes-donnees/effacer/", {"email": "agent@exemple.fr", "password": PASSWORD})
    assert response.status_code == 403
    assert "retirer ses rôles" in response.content.decode()


def test_the_register_is_public_and_tells_every_processing():
    response = Client().get("/registre-des-traitements/")
    assert response.status_code == 200
    shown = [entry.label for _, entries in response.context["groups"] for entry in entries]
    assert sorted(shown) == sorted(declaration.label for declaration in declarations())
    assert "3 ans, puis elles sont rendues anonymes" in response.content.decode()
