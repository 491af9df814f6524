"""8-10: « slots on bays, check, no-show »."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.serve.bookings import operations
from beffroi.serve.bookings.definition import BadBooking
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import Presence, Taken
from beffroi.serve.cases.operations import Opened
from faces.portal.reports.test_filing import shown
from serve_makers import agent_of
from usecases.slots_town import agent_client, book, free, link_of

PAGE, BAY = "/creneaux/8-10/", "livraison-marche"


@pytest.fixture
def town(slots_town: Callable[..., str]) -> str:
    return slots_town("8-10")


def take(name: str, time: queries.Time, plate: str = "AB-123-CD") -> Opened:
    return book("8-10", f"{name}@exemple.fr", time, details={"immatriculation": plate})


def test_two_bays_take_two_vans_whose_plates_only_officers_read(town: str, client: Client) -> None:
    time = free("8-10", BAY)[0]
    asked = link_of(time) | {
        "d_immatriculation": "AB-123-CD", "d_commerce": "Boulangerie", "name": "Alex", "email": "alex@exemple.fr",
        "phone": "", "key": "une-cle-d-envoi",
    }  # fmt: skip
    assert client.post(f"{PAGE}reserver/", asked | {"d_immatriculation": ""}).status_code == 400
    assert client.post(f"{PAGE}reserver/", asked).status_code == 302
    assert "1 place" in shown(client.get(PAGE, {"jour": time.starts.date().isoformat()}))
    take("claude", time, "EF-456-GH")
    with pytest.raises(Taken):
        take("dominique", time)
    day = {"jour": time.starts.date().isoformat(), "lieu": BAY}
    page = shown(agent_client("police-municipale").get("/agent/creneaux/8-10/", day))
    assert "AB-123-CD" in page
    assert "EF-456-GH" in page
    assert "AB-123-CD" not in shown(client.get(PAGE, day))
    assert "AB-123-CD" not in shown(agent_client("voirie").get("/agent/creneaux/8-10/", day))


def test_an_officer_checks_on_the_spot_and_notes_who_did_not_come(town: str) -> None:
    officer, time = agent_of("police-municipale", town=town), free("8-10", BAY)[0]
    opened = take("alex", time)
    with pytest.raises(BadBooking, match="n’a pas commencé"):
        operations.mark_slot(number=opened.number, result=Presence.ABSENT, by=officer, at=timezone.now())
    late = time.starts + timedelta(minutes=10)
    thing = queries.open_slot_thing(town, "8-10")
    day = time.starts.date()
    operations.mark_slot(number=opened.number, result=Presence.ABSENT, by=officer, at=late)
    (line,) = queries.desk_lines(officer, town, thing, first=day, last=day, at=late)
    assert (line.slot.result, line.slot.answers[0]) == ("absent", ("Immatriculation du véhicule", "AB-123-CD"))
    told = queries.slot_figures(town, thing, first=day, last=day)
    assert told.absent == 1
    operations.mark_slot(number=opened.number, result=Presence.PRESENT, by=officer, at=late)
    assert queries.slot_figures(town, thing, first=day, last=day).absent == 0
