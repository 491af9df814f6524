"""1-03, « restricted category: never public, visible only to the entitled service, point or drawn zone »."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import CaseNotFound
from beffroi.serve.reports import queries
from faces.portal.reports.test_filing import HERE, SEND, body, picture, shown, walk
from serve_makers import agent_of

pytestmark = pytest.mark.django_db
WORDS = "Plafond effondré au deuxième"
STREET = "ruelle du Secret"


@pytest.fixture
def number(reporting_town: str, client: Client) -> str:
    """A restricted report with words, an address, a photo and a drawn zone; accepted, which publishes any other."""
    zone = {"zone": "45.0090 3.0040\n45.0090 3.0050\n45.0097 3.0050", "address": f"4 {STREET}"}
    kind = {"d_desordres": "structure", "description": WORDS, "photo": picture()}
    sent = walk(client, zone, {"category": "insalubrite"}, kind, SEND)["Location"]
    page = client.get(sent)
    assert "Lu seulement par le service" in shown(page)
    number = page.context["info"].number
    cases.accept_case(number=number, by=agent_of("habitat", town=reporting_town), at=timezone.now())
    return number


def test_no_page_feed_count_nor_search_knows_of_it(
    number: str, reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    addresses = ["/", "/signalements/", "/signalements/carte.geojson", "/signaler/", "/signaler/envois/", "/carte/"]
    addresses += [f"/signalements/?q={text}" for text in (number, "Plafond", "Secret")]
    addresses += [
        "/signalements/?categorie=insalubrite",
        "/signalements/?etat=open",
        "/signalements/?lon=3.0048&lat=45.0093",
    ]
    addresses += [f"/recherche/?q={text}" for text in (number, "Plafond")]
    addresses += [
        "/signaler/semblables/?lon=3.0048&lat=45.0092&category=insalubrite&description=Plafond",
        "/api/catalogue",
    ]
    for reader in (Client(), signed_in(Role.RESIDENT), signed_in(Role.AGENT), signed_in(Role.ELECTED)):
        for address in addresses:
            text = body(reader.get(address), typed=number)
            assert number not in text, address
            assert WORDS not in text, address
            assert STREET not in text, address
        assert reader.get("/signalements/").context["page"].total == 0
        assert reader.get("/signalements/carte.geojson").json()["features"] == []
        assert "insalubrite" not in reader.get("/signalements/").content.decode()
        assert queries.popular_categories(reporting_town, at=timezone.now()) == {}


def test_its_page_and_photos_do_not_exist_for_others(
    number: str, reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    (photo,) = queries.report(agent_of("habitat", town=reporting_town), number).photos
    for reader in (Client(), signed_in(Role.RESIDENT), signed_in(Role.AGENT), signed_in(Role.ADMINISTRATOR)):
        for address in (
            f"/signalements/{number}/",
            f"/signalements/photo/{photo}/",
            f"/signalements/photo/{photo}/?petite",
        ):
            assert reader.get(address).status_code == 404, address
        follow = reader.post(f"/signalements/{number}/", {"do": "follow", "email": "curieux@exemple.fr"})
        assert follow.status_code == 404
        same = {**HERE, "category": "insalubrite", "d_desordres": "eau", "step": "check", "go": "send", "same": number}
        assert reader.post("/signaler/", same).status_code == 404
    absent = Client().get("/signalements/AAA-AAAA/").content
    assert Client().get(f"/signalements/{number}/").content.replace(number.encode(), b"AAA-AAAA") == absent


def test_only_the_entitled_service_reads_it(number: str, reporting_town: str) -> None:
    own = queries.report(agent_of("habitat", town=reporting_town), number)
    assert own.case.description == WORDS
    assert "Polygon" in own.zone
    for viewer in (ANONYMOUS, agent_of("voirie", town=reporting_town), agent_of("habitat", town="34172")):
        with pytest.raises(CaseNotFound):
            queries.report(viewer, number)
