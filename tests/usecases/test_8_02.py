"""8-02, « photo, type, expiry, confirmation by others, trust level »."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports import categories, ways
from beffroi.serve.reports import operations as reports
from faces.portal.reports.test_filing import HERE, SEND, picture, shown, walk
from sense.mobility.town_graph import asked, place_graph
from serve_makers import agent_of

pytestmark = pytest.mark.django_db
WORKS = {"category": "obstacle-chantier"}


def obstacle(client: Client, **answers: Any) -> Any:
    """Report works on the pavement with a photo; return the page of its author."""
    sent = walk(client, HERE, WORKS, {"photo": picture(), **answers}, SEND, address="/signaler/8-02/")
    return client.get(sent["Location"])


def speak(client: Client, number: str, there: str) -> Any:
    return client.get(client.post(f"/signalements/{number}/", {"do": "confirm", "still_there": there})["Location"])


def test_it_is_public_at_once_with_its_photo_and_the_day_it_ends(reporting_town: str, client: Client) -> None:
    end = timezone.localdate() + timedelta(days=3)
    page = obstacle(client, lasting="non", expires_on=end.isoformat())
    info = page.context["info"]
    public = Client().get(f"/signalements/{info.number}/")
    assert timezone.localtime(info.expires_at).date() == end
    assert "Temporaire, jusqu’au" in shown(public)
    assert len(public.context["photos"]) == 1
    lasting = obstacle(Client(), lasting="oui").context["info"]
    assert (lasting.lasting, lasting.expires_at) == (True, None)
    refused = walk(client, HERE, WORKS, {"lasting": "non", "expires_on": "2020-01-01"}, SEND, address="/signaler/8-02/")
    assert refused.status_code == 400
    assert "la fin prévue doit être à venir" in shown(refused).lower()


def test_others_confirm_it_once_each_and_end_it(reporting_town: str, client: Client) -> None:
    number = obstacle(client).context["info"].number
    first, second = Client(), Client()
    assert "il reste signalé jusqu’au" in shown(speak(first, number, "oui"))
    speak(first, number, "oui")
    assert Client().get(f"/signalements/{number}/").context["info"].still_there == 1
    speak(first, number, "non")
    assert Client().get(f"/signalements/{number}/").context["case"].is_open
    assert "l’obstacle est retiré de la carte" in shown(speak(second, number, "non"))
    over = Client().get(f"/signalements/{number}/")
    assert not over.context["case"].is_open
    late = Client().post(f"/signalements/{number}/", {"do": "confirm", "still_there": "oui"})
    assert late.status_code == 400
    assert "n’est pas un obstacle en cours" in shown(late)


def test_the_word_of_an_ambassador_counts_at_once_and_she_is_told_so(
    reporting_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    number = obstacle(client).context["info"].number
    ambassador = signed_in(Role.RESIDENT)
    assert "ambassadeur" not in shown(ambassador.get(f"/signalements/{number}/"))
    person = int(ambassador.session["_auth_user_id"])
    by = agent_of("voirie", town=reporting_town)
    reports.name_ambassador(territory=reporting_town, person_id=person, level=2, by=by, at=timezone.now())
    assert "ambassadeur, niveau 2 sur 3" in shown(ambassador.get(f"/signalements/{number}/"))
    assert "l’obstacle est retiré de la carte" in shown(speak(ambassador, number, "non"))


# --- Routes -----------------------------------------------------------------------------------------------------------

# From A to B, a wheelchair goes by C and D; by E and F when something stands between C and D.
DRAWING = """
A----s----B
|         |
C---------D
|         |
E---------F
"""


@pytest.fixture
def metres(reporting_town: str, client: Client) -> Callable[[], int]:
    """The length of the way of a wheelchair from A to B, asked anew by `/api/route`."""
    places = place_graph(reporting_town, drawing=DRAWING, ways={"AB": {"kind": "steps", "steps": 14}})

    def asked_now() -> int:
        query = {"from": asked(places, "A"), "to": asked(places, "B"), "profile": "fauteuil-manuel"}
        (found,) = client.get("/api/route", query).json()["features"]
        return round(found["properties"]["length_m"])

    asked_now.between = {  # type: ignore[attr-defined]
        name: str(round((places["C"][number] + places["D"][number]) / 2, 6))
        for number, name in ((0, "lon"), (1, "lat"))
    }
    return asked_now


def in_the_way(metres: Any, **answers: Any) -> Any:
    """Report works between C and D, at once met by the next route; return what their author is shown."""
    person = Client()
    sent = walk(person, HERE | metres.between, WORKS, {"photo": picture(), **answers}, SEND, address="/signaler/8-02/")
    assert metres() == 260
    return person.get(sent["Location"]).context["info"]


def test_the_next_route_avoids_it_and_comes_back_when_passers_by_end_it(metres: Any) -> None:
    assert metres() == 180
    number = in_the_way(metres).number
    speak(Client(), number, "oui")
    assert metres() == 260
    for _ in range(2):
        speak(Client(), number, "non")
    assert metres() == 180
    kinds = Event.objects.filter(subject=f"report:{number}").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["obstacle.reported", "obstacle.reported", "obstacle.ended"]


def test_routes_follow_every_change_of_its_state(metres: Any, reporting_town: str) -> None:
    roads, at = agent_of("voirie", "police-municipale", town=reporting_town), timezone.now()
    number = in_the_way(metres).number
    cases.hold_case(number=number, by=roads, at=at)
    assert metres() == 180
    cases.release_case(number=number, by=roads, at=at)
    assert metres() == 260
    cases.accept_case(number=number, by=roads, at=at)
    assert metres() == 260
    reports.reclassify_report(number=number, category="nid-de-poule", by=roads, at=at)
    assert metres() == 180
    reports.reclassify_report(number=number, category="obstacle-vehicule", by=roads, at=at)
    assert metres() == 260
    reports.close_report(number=number, outcome=Outcome.DONE, reason="Enlevé", by=roads, at=at)
    assert metres() == 180
    cases.reopen_case(number=number, reason="Revenu", viewer=roads, at=at)
    assert metres() == 260
    lead = in_the_way(metres).number
    reports.merge_reports(number=number, into=lead, by=roads, at=at)
    assert metres() == 260
    reports.close_report(number=lead, outcome=Outcome.DONE, reason="Enlevé", by=roads, at=at)
    assert metres() == 180


def test_it_fades_on_routes_at_its_hour_and_no_worker_is_needed(metres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    end = in_the_way(metres).expires_at
    monkeypatch.setattr("beffroi.faces.api.mobility.now", lambda: end - timedelta(seconds=1))
    assert metres() == 260
    monkeypatch.setattr("beffroi.faces.api.mobility.now", lambda: end + timedelta(seconds=1))
    assert metres() == 180


def test_what_waits_for_a_look_changes_no_route(metres: Any) -> None:
    person = Client()
    links = {"photo": picture(), "description": "https://a.test www.b.test"}
    sent = walk(person, HERE | metres.between, WORKS, links, SEND, address="/signaler/8-02/")
    assert person.get(sent["Location"]).context["case"].status == "held"
    assert metres() == 180


@pytest.mark.parametrize("counts", ["confirmed", "trusted"])
def test_a_town_may_wait_for_somebody_else_before_closing_a_way(
    counts: str, metres: Any, reporting_town: str, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dict(categories.open_categories(reporting_town))
    code = WORKS["category"]
    rule = known[code].category.obstacle.model_copy(update={"counts": counts})  # type: ignore[union-attr]
    category = known[code].category.model_copy(update={"obstacle": rule})
    known[code] = replace(known[code], category=category)
    monkeypatch.setattr(ways, "open_categories", lambda _territory: known)
    author = Client()
    sent = walk(author, HERE | metres.between, WORKS, {"photo": picture()}, SEND, address="/signaler/8-02/")
    number = author.get(sent["Location"]).context["info"].number
    assert metres() == 180
    # Its own author does not confirm it, however often.
    speak(author, number, "oui")
    assert metres() == 180
    speak(Client(), number, "oui")
    assert metres() == {"confirmed": 260, "trusted": 180}[counts]
    ambassador, at = signed_in(Role.RESIDENT), timezone.now()
    person, by = int(ambassador.session["_auth_user_id"]), agent_of("voirie", town=reporting_town)
    reports.name_ambassador(territory=reporting_town, person_id=person, level=1, by=by, at=at)
    speak(ambassador, number, "oui")
    assert metres() == 260


def test_a_service_that_takes_it_in_charge_has_looked(
    metres: Any, reporting_town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "_counts", lambda row, info, rule: info.status in ways._LOOKED_AT)
    person = Client()
    sent = walk(person, HERE | metres.between, WORKS, {"photo": picture()}, SEND, address="/signaler/8-02/")
    number = person.get(sent["Location"]).context["info"].number
    assert metres() == 180
    cases.accept_case(number=number, by=agent_of("voirie", town=reporting_town), at=timezone.now())
    assert metres() == 260
