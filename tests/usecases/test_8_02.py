"""8-02, « photo, type, expiry, confirmation by others, trust level »."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.base.territory.viewer import Role
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports import operations as reports
from beffroi.serve.reports.trust import trust_level
from desk_makers import sign_in_agent
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


# The other way round is so long that a wheelchair takes it when it must, not for a stranger's word alone.
FAR = """
A----s----B
|         |
C---------D
|         |
|         |
|         |
|         |
|         |
|         |
|         |
|         |
E---------F
"""


def way_in(town: str, client: Client, drawing: str) -> Callable[[], int]:
    """Return what asks anew, by `/api/route`, how long the way of a wheelchair is from A to B."""
    places = place_graph(town, drawing=drawing, ways={"AB": {"kind": "steps", "steps": 14}})

    def asked_now() -> int:
        query = {"from": asked(places, "A"), "to": asked(places, "B"), "profile": "fauteuil-manuel"}
        (found,) = client.get("/api/route", query).json()["features"]
        return round(found["properties"]["length_m"])

    asked_now.between = {  # type: ignore[attr-defined]
        name: str(round((places["C"][number] + places["D"][number]) / 2, 6))
        for number, name in ((0, "lon"), (1, "lat"))
    }
    return asked_now


@pytest.fixture
def metres(reporting_town: str, client: Client) -> Callable[[], int]:
    return way_in(reporting_town, client, DRAWING)


@pytest.fixture
def far(reporting_town: str, client: Client) -> Callable[[], int]:
    return way_in(reporting_town, client, FAR)


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


# --- What a town decides ----------------------------------------------------------------------------------------------

SETTINGS = "/agent/signalements/obstacles/"
RULE = {"do": "rule", "category": WORKS["category"], "seen_votes": "1", "gone_votes": "2", "temporary_days": "7"}
STRAIGHT, ROUND = 180, 540


def reported(far: Any) -> tuple[Client, str]:
    """Report works between C and D without an account; return their author and their number."""
    author = Client()
    sent = walk(author, HERE | far.between, WORKS, {"photo": picture()}, SEND, address="/signaler/8-02/")
    return author, author.get(sent["Location"]).context["info"].number


def test_a_stranger_alone_costs_a_short_detour_and_closes_nothing(far: Any) -> None:
    # The detour of the other drawing is a short one: every test above has the next route take it at once.
    author, number = reported(far)
    assert far() == STRAIGHT
    assert "pas encore confirmé" in shown(Client().get(f"/signalements/{number}/"))
    # Its own author does not confirm it, however often; another does.
    speak(author, number, "oui")
    assert far() == STRAIGHT
    speak(Client(), number, "oui")
    assert far() == ROUND
    assert "pas encore confirmé" not in shown(Client().get(f"/signalements/{number}/"))


@pytest.mark.parametrize("who", ["service", "ambassador", "agent"])
def test_those_the_town_answers_for_close_it_at_once(
    who: str, far: Any, reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    at, roads = timezone.now(), agent_of("voirie", town=reporting_town)

    def by_herself(*roles: Role, level: int = 0) -> None:
        person = signed_in(*roles)
        number = int(person.session["_auth_user_id"])
        reports.name_ambassador(territory=reporting_town, person_id=number, level=level, by=roads, at=at)
        walk(person, HERE | far.between, WORKS, {"photo": picture()}, SEND, address="/signaler/8-02/")

    {
        "service": lambda: cases.accept_case(number=reported(far)[1], by=roads, at=at),
        "ambassador": lambda: by_herself(Role.RESIDENT, level=1),
        "agent": lambda: by_herself(Role.AGENT),
    }[who]()
    assert far() == ROUND


@pytest.fixture
def desk(reporting_town: str, signed_in: Callable[..., Client]) -> Client:
    return sign_in_agent("voirie", town=reporting_town)[0]


def test_a_town_sets_when_it_closes_and_those_in_force_follow_at_once(far: Any, desk: Client) -> None:
    _author, number = reported(far)
    page = shown(desk.get(SETTINGS))
    assert "un fauteuil fait un détour de 3 minutes au plus" in page
    assert "Le passage ferme dès qu’une autre personne l’a vu" in page

    def set_to(counts: str, **more: str) -> int:
        told = desk.post(SETTINGS, RULE | {"counts": counts} | more, follow=True)
        assert "les itinéraires en tiennent compte aussitôt" in shown(told)
        return int(far())

    assert set_to("at-once") == ROUND
    assert "Un seul avis, même anonyme, ferme aussitôt le passage" in shown(desk.get(SETTINGS))
    assert set_to("confirmed", seen_votes="2", temporary_days="30") == STRAIGHT
    speak(Client(), number, "oui")
    assert far() == STRAIGHT
    speak(Client(), number, "oui")
    assert far() == ROUND
    expires = Client().get(f"/signalements/{number}/").context["info"].expires_at
    assert timedelta(days=29) < expires - timezone.now() < timedelta(days=31)
    assert set_to("trusted") == STRAIGHT
    # Back to the file: one other is enough.
    desk.post(SETTINGS, {"do": "file", "category": RULE["category"]})
    assert "réglé par la commune" not in shown(desk.get(SETTINGS))
    assert far() == ROUND
    assert set_to("confirmed", gone_votes="1") == ROUND
    speak(Client(), number, "non")
    assert far() == STRAIGHT
    kinds = Event.objects.filter(subject=f"category:{RULE['category']}").order_by("pk").values_list("kind", flat=True)
    assert set(kinds) == {"report.obstacle_rule_set"}


def test_only_its_service_or_an_administrator_sets_it_within_bounds(
    desk: Client, reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    other, chief = sign_in_agent("proprete", town=reporting_town)[0], signed_in(Role.ADMINISTRATOR)
    given = RULE | {"counts": "trusted"}
    # A terrace is another service's.
    assert desk.get(SETTINGS).content.decode().count("Garder ce réglage") == 4
    assert "Garder ce réglage" not in other.get(SETTINGS).content.decode()
    assert other.post(SETTINGS, given).status_code == 400
    for wrong in ({"counts": "jamais"}, {"seen_votes": "0"}, {"gone_votes": "21"}, {"temporary_days": "x"}):
        assert chief.post(SETTINGS, given | wrong).status_code == 400, wrong
    assert "réglé par la commune" not in shown(chief.get(SETTINGS))
    assert "réglé par la commune" in shown(chief.post(SETTINGS, given, follow=True))


def test_an_agent_names_an_ambassador_and_takes_it_back(
    desk: Client, reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    person = get_user_model().objects.get(pk=signed_in(Role.RESIDENT).session["_auth_user_id"])
    page = shown(desk.post(SETTINGS, {"do": "name", "email": person.email, "level": "2"}, follow=True))
    assert "niveau 2 sur 3" in page
    assert trust_level(reporting_town, person.pk) == 2
    unknown = desk.post(SETTINGS, {"do": "name", "email": "personne@exemple.fr", "level": "1"})
    assert unknown.status_code == 400
    assert "ucun compte à cette adresse" in shown(unknown)
    desk.post(SETTINGS, {"do": "end", "person": str(person.pk)})
    assert trust_level(reporting_town, person.pk) == 0
