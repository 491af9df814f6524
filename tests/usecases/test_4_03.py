"""4-03: « usable offline and without account, several languages, solidary shops register their free services »."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from beffroi.base.territory.operations import add_service
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal import first_needs
from beffroi.faces.shell import offline
from beffroi.serve.offers.models import Proposal
from territory_makers import make_person
from usecases.directories_town import AT, CODE

HOME, PAGE = "/annuaires/4-03/", "/premiere-necessite/"
FORM = f"{HOME}inscrire/"
SHOP = {
    "nom": "Café du Coin", "services": ["wifi", "electrical_outlets_available"], "adresse": "12 rue du Lavoir",
    "horaires_accueil": "Mo-Sa 08:00-19:00", "description": "Demandez au comptoir.", "telephone": "04 67 00 00 09",
    "contact": "patron@exemple.fr", "site_web": "",
}  # fmt: skip


@pytest.fixture
def agents(directories_town: str, settings: Any) -> tuple[Client, Client]:
    """An agent of the service that looks at proposals, and one of another."""
    settings.STRONG_AUTH = False
    found = []
    for service in ("solidarites", "voirie"):
        add_service(territory=directories_town, slug=service, name=service, at=AT)
        person = make_person(Role.AGENT, territory=directories_town, services=(service,))
        client = Client()
        client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
        found.append(client)
    return found[0], found[1]


def where_it_is(name: str) -> dict[str, bool]:
    """Tell where a place is shown to who has no account."""
    client = Client()
    shown = {
        "directory": client.get(HOME),
        "offline page": client.get(PAGE),
        "search": client.get(HOME, {"q": name}),
        "map": client.get(f"{HOME}carte.geojson"),
        "open data": client.get(f"/donnees/{CODE}/lieux-solidaires/tableau/"),
    }
    marks = {"search": f">{name}</a>"}
    return {key: marks.get(key, name) in answer.content.decode() for key, answer in shown.items()}


@pytest.mark.django_db
def test_what_one_needs_is_found_open_now_and_near(directories_town: str, client: Client) -> None:
    lines = client.get(HOME, {"service": "wifi"}).context["lines"]
    assert [line.sheet.title for line in lines] == ["La Halte", "Librairie de la Place"]
    opened = client.get(HOME, {"service": "wifi", "ouvert": "on"}).context["lines"]
    # The one that never closes; nobody told the hours of the other.
    assert [(line.sheet.title, line.is_open) for line in opened] == [("La Halte", True)]
    near = client.get(HOME, {"pres": "3.8711, 43.6011"}).context["lines"]
    assert next(line.sheet.title for line in near) == "Bains-douches"
    facts = {fact.title: fact.text for fact in client.get(f"{HOME}lieux-solidaires/LS-1/").context["facts"]}
    assert facts["Services"] == "Douche, Toilettes"


@pytest.mark.django_db
def test_one_page_opens_without_account_in_each_language_and_is_kept_for_want_of_network(
    directories_town: str, client: Client
) -> None:
    worker = client.get("/sw.js").content.decode() if offline._script() else ""
    for words in first_needs.languages():
        address = reverse("portal:first-needs-in", args=[words["code"]])
        page = client.get(address).content.decode()
        assert f'<div lang="{words["code"]}"' in page
        for said in (words["heading"], words["shower"], words["danger"], "Bains-douches", 'href="tel:+33467000001"'):
            assert str(said) in page
        assert ('dir="rtl">' in page) == (words["code"] == "ar" or 'dir="rtl">العربية' in page)
        assert address in worker or not worker
    assert [language for _name, language in offline.PAGES_BY_LANGUAGE] == [
        one["code"] for one in first_needs.languages()
    ]
    assert client.get(f"{PAGE}zz/").status_code == 404


def test_every_language_says_everything_and_tells_who_read_it() -> None:
    first, *others = first_needs.languages()
    for one in others:
        assert set(first) == set(one) - {"rtl"}
    assert {one["code"] for one in first_needs.languages() if not one["read_by"]} == {"ar", "uk", "es"}


def test_hours_are_told_in_the_language_of_the_page() -> None:
    from django.utils import translation

    words = {str(one["code"]): one for one in first_needs.languages()}
    told = {}
    for code in ("fr", "es", "uk"):
        with translation.override(code):
            told[code] = first_needs.hours_in("Tu-Sa 08:00-12:00; PH off", words[code])
    assert told["fr"] == ("mardi – samedi : 08:00 – 12:00", "jours fériés : fermé")
    assert told["es"] == ("martes – sábado : 08:00 – 12:00", "días festivos : cerrado")
    assert told["uk"][1] == "святкові дні : зачинено"
    assert first_needs.hours_in("sur rendez-vous", words["fr"]) == ("sur rendez-vous",)


@pytest.mark.django_db
def test_a_shop_registers_without_account_and_is_public_once_its_service_has_looked(
    directories_town: str, agents: tuple[Client, Client]
) -> None:
    ours, others = agents
    answer = Client().post(FORM, SHOP)
    assert answer.context["sent"], answer.context["form"].errors
    # Sent twice, it is one.
    Client().post(FORM, SHOP | {"description": "Sonnez."})
    (row,) = Proposal.objects.all()
    assert not any(where_it_is("Café du Coin").values())
    assert others.get("/agent/lieux-a-verifier/").context["proposals"] == []
    others.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "accept"})
    assert not any(where_it_is("Café du Coin").values())
    assert "patron@exemple.fr" in ours.get("/agent/lieux-a-verifier/").content.decode()
    ours.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "accept"})
    assert all(where_it_is("Café du Coin").values())
    row.refresh_from_db()
    assert (row.state, row.contact) == ("accepted", "")
    page = Client().get(HOME, {"q": "café coin"}).context["lines"][0]
    assert next(fact.text for fact in page.places[0].facts).startswith("12 Rue du Lavoir")
    # A second press is no second place.
    ours.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "accept"})
    assert Client().get(HOME, {"q": "café coin"}).context["total"] == 1


@pytest.mark.django_db
def test_a_place_left_out_is_nowhere_and_a_program_that_fills_everything_in_is_not_kept(
    directories_town: str, agents: tuple[Client, Client]
) -> None:
    ours, _others = agents
    Client().post(FORM, SHOP)
    (row,) = Proposal.objects.all()
    ours.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "refuse", "reason": ""})
    row.refresh_from_db()
    assert row.state == "waiting"
    ours.post(f"/agent/lieux-a-verifier/{row.pk}/", {"do": "refuse", "reason": "Le café a fermé."})
    row.refresh_from_db()
    assert (row.state, row.reason, row.contact) == ("refused", "Le café a fermé.", "")
    assert not any(where_it_is("Café du Coin").values())
    assert Client().post(FORM, SHOP | {"nom": "Robot", "site_web": "https://exemple.fr"}).context["sent"]
    assert Proposal.objects.count() == 1
    wrong = Client().post(FORM, SHOP | {"services": [], "nom": ""})
    assert wrong.status_code == 400
    # What was typed is not lost.
    assert "Demandez au comptoir." in wrong.content.decode()
