"""3-07: « rooms and workshops bookable »."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import Taken
from faces.portal.reports.test_filing import shown
from serve_makers import agent_of
from usecases.slots_town import TOWN, agent_client, book, link_of

PAGE, ROOM = "/creneaux/3-07/", "ecole-salle-informatique"
AT = datetime(2026, 11, 30, 9, tzinfo=timezone.get_current_timezone())


@pytest.fixture
def town(slots_town: Callable[..., str]) -> str:
    return slots_town("3-07")


def sessions(first: date, *, days: int = 6, at: datetime = AT) -> list[queries.Moment]:
    thing = queries.open_slot_thing(TOWN, "3-07")
    return queries.moments(TOWN, thing, thing.rules.place, first=first, last=first + timedelta(days=days), at=at)


def test_workshops_are_sessions_with_places_in_the_evening_while_there_is_school(town: str) -> None:
    found = sessions(date(2026, 11, 30))
    assert [(one.time.title, f"{one.time.starts:%a %H:%M}", one.left) for one in found] == [
        ("Premiers pas sur ordinateur", "Tue 18:00", 12),
        ("La bibliothèque ouverte à une association", "Wed 18:30", 1),
        ("Mes démarches en ligne", "Thu 18:00", 10),
    ]
    assert sessions(date(2026, 12, 21)) == []
    workshop = found[0].time
    for rank in range(12):
        book("3-07", f"voisine{rank}@exemple.fr", workshop, at=AT)
    with pytest.raises(Taken) as caught:
        book("3-07", "treizieme@exemple.fr", workshop, at=AT)
    assert caught.value.nearest
    waiting = book("3-07", "treizieme@exemple.fr", workshop, at=AT, wait=True)
    crew = agent_of("education", town=town)
    lines = queries.desk_lines(crew, town, queries.open_slot_thing(town, "3-07"), first=date(2026, 12, 1),
                               last=date(2026, 12, 1), at=AT)  # fmt: skip
    assert len([one for one in lines if one.slot.stage == "confirmed"]) == 12
    operations.cancel_slot(number=lines[0].slot.number, viewer=crew, at=AT)
    info = queries.slot_booking(ANONYMOUS, waiting.number, token=waiting.token, at=AT)
    assert (info.stage, info.session) == ("offered", "Premiers pas sur ordinateur")


def test_a_resident_takes_a_place_by_the_page(town: str, client: Client) -> None:
    today = queries.local(town, timezone.now()).date()
    time = next(one.time for one in sessions(today, days=59, at=timezone.now()) if one.is_free)
    page = client.get(PAGE, {"jour": time.starts.date().isoformat()})
    assert time.title in shown(page)
    asked = link_of(time) | {"name": "Camille", "email": "camille@exemple.fr", "phone": "", "key": "une-cle-d-envoi"}
    sent = client.post(f"{PAGE}reserver/", asked)
    assert sent.status_code == 302
    assert time.title in shown(client.get(sent["Location"]))
    listed = agent_client("education").get("/agent/creneaux/3-07/", {"jour": time.starts.date().isoformat()})
    assert "Camille" in shown(listed)
