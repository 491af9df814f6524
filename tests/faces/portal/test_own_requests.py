"""My requests: sections that rooms give, the person's own and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from beffroi.base.catalogue import operations
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal import own_requests
from beffroi.faces.portal.own_requests import RequestLine, Section, request_section
from pilots import g_03_is_a_pilot as g_03_is_a_pilot

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_requests, "_sources", dict(own_requests._sources))


def test_a_person_finds_her_own_remarks_and_no_one_elses(small_town: str, signed_in: Callable[..., Client]) -> None:
    lucie, nadia = signed_in(Role.RESIDENT), signed_in(Role.RESIDENT)
    lucie.post("/services/G-03/", {"text": "Le bouton est trop petit."})
    assert "Le bouton est trop petit." in lucie.get("/mes-demandes/").content.decode()
    page = nadia.get("/mes-demandes/").content.decode()
    assert "Le bouton" not in page
    assert "Vous n’avez encore rien demandé" in page


def test_a_room_adds_its_section_in_its_place(small_town: str, signed_in: Callable[..., Client]) -> None:
    @request_section("essai", rank=1)
    def given(request: object) -> Section:
        return Section(
            "Mes signalements", [RequestLine("Banc cassé", "/x/", AT, "Résolu", "good")], "/new/", "Signaler"
        )

    lucie = signed_in(Role.RESIDENT)
    lucie.post("/services/G-03/", {"text": "Bien."})
    page = lucie.get("/mes-demandes/").content.decode()
    assert page.index("Banc cassé") < page.index("Mes remarques")
    assert 'href="/new/"' in page
    assert "Banc cassé" in page


def test_a_section_without_request_nor_way_to_make_one_is_not_shown(
    small_town: str, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(Role.RESIDENT).get("/mes-demandes/").content.decode()
    assert "Mes remarques" not in page


def test_remarks_of_a_stranger_are_nobodys(small_town: str, signed_in: Callable[..., Client]) -> None:
    operations.add_remark("G-03", territory=small_town, text="Anonyme.", person=None, at=AT)
    assert "Anonyme." not in signed_in(Role.RESIDENT).get("/mes-demandes/").content.decode()
