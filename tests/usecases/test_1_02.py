"""1-02, « own category with days-observed field and plate kept private »."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.serve.cases import operations as cases
from faces.portal.reports.test_filing import HERE, SEND, body, shown, walk
from serve_makers import agent_of

pytestmark = pytest.mark.django_db
PLATE = "ZZ-987-YX"


def test_the_days_are_public_and_the_plate_is_not(reporting_town: str, client: Client) -> None:
    car = {"category": "voiture-ventouse"}
    form = walk(client, HERE, car)
    assert "Depuis combien de jours l’avez-vous vue au même endroit ?" in shown(form)
    told = {"d_jours": "12", "d_plaque": PLATE, "description": "Break gris, pneus à plat."}
    sent = walk(client, HERE, car, told, SEND)["Location"]
    page = client.get(sent)
    number = page.context["info"].number
    # Her own page shows her what she gave, and says that nobody else reads it.
    assert f"{PLATE} (jamais publié)" in shown(page)
    agent = agent_of("police-municipale", town=reporting_town)
    cases.accept_case(number=number, by=agent, at=timezone.now())
    stranger = Client()
    addresses = ["/", "/signalements/", "/signalements/carte.geojson", f"/signalements/{number}/"]
    addresses += [f"/signalements/{number}/?fragment", f"/signalements/?q={PLATE}", f"/recherche/?q={PLATE}"]
    for address in addresses:
        assert PLATE not in body(stranger.get(address), typed=PLATE), address
    assert "12" in shown(stranger.get(f"/signalements/{number}/")).split("au même endroit")[1][:10]


@pytest.mark.parametrize("days", ["", "-3", "douze", "99999"])
def test_days_that_cannot_be_are_refused(days: str, reporting_town: str, client: Client) -> None:
    refused = walk(client, HERE, {"category": "voiture-ventouse"}, {"d_jours": days, "d_plaque": PLATE})
    assert refused.status_code == 400
    assert "errorlist" in refused.content.decode()
    assert PLATE in refused.content.decode()
