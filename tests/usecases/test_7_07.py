"""7-07, works: « closing streets computes detours and extra time for trips, compared scenarios »."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.works import operations, queries
from desk_makers import sign_in_agent
from sense.mobility.town_graph import place_graph
from serve_makers import make_open_town
from territory_makers import TOWN

# Two streets to the north, one round by the south; B to E is a dead end.
DRAWING = """
A----B----E
|    |
C----D
"""
HOME = "/agent/travaux/"
DAY = timezone.localdate() + timedelta(days=40)

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> dict[str, tuple[float, float]]:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    make_open_town()
    return place_graph(TOWN, drawing=DRAWING, ways={})


def text_of(page: Any) -> str:
    plain = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def described(client: Client, **changes: Any) -> str:
    """Describe works by the form; return the address of their sheet."""
    asked = {
        "title": "Réseau de chaleur", "service": "voirie", "description": "On pose des tuyaux.", "street": "rue AB",
        "phase": "", "first": f"{DAY}", "last": f"{DAY + timedelta(days=9)}", "hours": "8h-17h",
        "who": ["car", "lorry"],
    } | changes  # fmt: skip
    answer = client.post(f"{HOME}nouveaux/", asked)
    assert answer.status_code == 302, text_of(answer)[:1500]
    assert "Tronçons fermés ou ralentis" in text_of(client.get(answer.url))
    return answer.url.split("rues/")[0]


def act(client: Client, address: str, gesture: str, **fields: Any) -> str:
    return text_of(client.post(f"{address}geste/", {"geste": gesture, **fields}, follow=True))


def number_of(address: str) -> int:
    return int(address.rstrip("/").split("/")[-1])


def metres(places: dict[str, Any], at: datetime, profile: str = "voiture") -> int:
    answer = mobility.route(TOWN, profile=mobility.profile(profile), start=places["A"], goal=places["B"], at=at)
    return round(answer.routes[0].length_m) if answer.routes else 0


def test_two_scenarios_are_computed_and_compared(places: dict[str, Any]) -> None:
    client, me = sign_in_agent("voirie")
    address = described(client)
    act(client, address, "scenario", scenario="0")  # without a name: refused in words
    page = client.post(f"{address}geste/", {"geste": "scenario", "scenario": "Alternat"}, follow=True)
    assert page.status_code == 200
    number = number_of(address)
    info = queries.one_works(me, TOWN, number)
    closed = info.scenarios[0]
    calm = closed.model_copy(
        update={
            "title": "Alternat",
            "phases": (closed.phases[0].model_copy(update={"who": (), "alternate": True}),),
        }
    )
    operations.change_scenarios(me, TOWN, number, scenarios=[closed, calm], at=timezone.now())
    assert "Calcul en cours" in act(client, address, "calculer")
    operations.compute_now(number, at=timezone.now())
    found = queries.one_works(me, TOWN, number)
    assert [one.profile for one in found.effects[0][0]] == ["voiture", "benne"]
    (car, _lorry), (slow,) = found.effects[0][0], found.effects[1][0]
    assert car.touched > 0
    assert 0 < car.extra_median_m <= car.extra_p95_m
    assert slow.touched == car.touched
    assert slow.extra_median_m == 0
    assert slow.extra_median_s > 10
    assert {name for name, _share in car.streets} == {"rue AC", "rue CD", "rue BD"}
    again = queries.one_works(me, TOWN, number)
    operations.compute_now(number, at=timezone.now())
    assert queries.one_works(me, TOWN, number).effects == again.effects, "the same sample, the same effects"
    text = text_of(client.get(address))
    assert "Scénario 1" in text
    assert "Alternat" in text
    assert "Temps perdu sur toute la durée" in text
    assert "circulation alternée" in text.lower()


def test_published_it_counts_for_routes_on_its_days_and_hours_only(places: dict[str, Any], client: Client) -> None:
    agent, me = sign_in_agent("voirie")
    address = described(agent)
    noon = datetime.combine(DAY, time(12), UTC)
    assert metres(places, noon) == 50
    assert "Publiés : les itinéraires" in act(agent, address, "publier", scenario="0")
    moments = (
        noon - timedelta(days=1),
        noon,
        noon + timedelta(hours=10),
        noon + timedelta(days=9),
        noon + timedelta(days=10),
    )
    assert [metres(places, at) for at in moments] == [50, 130, 50, 130, 50]
    assert metres(places, noon, "velo") == 50, "closed to cars and lorries only"
    # Residents read it, in the list, by the street, and in the feed they follow.
    for query in ("", "?rue=RUE+AB"):
        text = text_of(client.get(f"/travaux/{query}"))
        assert "Réseau de chaleur" in text
        assert "de 8 h 00 à 17 h 00" in text
        assert "voitures, poids lourds" in text
    assert "Réseau de chaleur" not in text_of(client.get("/travaux/?rue=rue+CD"))
    feed = client.get("/travaux/flux.atom?rue=rue+AB").content.decode()
    assert "<entry" in feed
    assert "Réseau de chaleur" in feed
    one = text_of(client.get(f"/travaux/{number_of(address)}/"))
    assert "On pose des tuyaux." in one
    # Over before their time: streets open again at once.
    act(agent, address, "terminer")
    assert [metres(places, at) for at in moments] == [50] * 5
    assert "Ces travaux sont terminés" in text_of(client.get(f"/travaux/{number_of(address)}/"))
    kinds = list(Event.objects.filter(subject__startswith="works:").order_by("id").values_list("kind", flat=True))
    assert kinds == ["works.described", "works.published", "works.ended"]
    assert queries.works(me, TOWN)[0].state == "ended"


def test_conflicts_between_works_are_told(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("voirie")
    first = described(client, title="Fibre")
    act(client, first, "calculer")
    operations.compute_now(number_of(first), at=timezone.now())
    act(client, first, "publier", scenario="0")
    same = described(client, title="Gaz", first=f"{DAY + timedelta(days=5)}", last=f"{DAY + timedelta(days=20)}")
    assert "Mêmes rues que « Fibre »" in text_of(client.get(same))
    theirs = described(client, title="Eau", street="rue CD")
    assert "Nous fermons," in text_of(client.get(theirs))
    later = described(
        client, title="Trottoirs", first=f"{DAY + timedelta(days=50)}", last=f"{DAY + timedelta(days=60)}"
    )
    assert "Conflit" not in text_of(client.get(later))


def test_a_dead_end_cut_off_is_named(places: dict[str, Any]) -> None:
    client, me = sign_in_agent("voirie")
    address = described(client, street="rue BE", hours="")
    act(client, address, "calculer")
    operations.compute_now(number_of(address), at=timezone.now())
    lost = queries.one_works(me, TOWN, number_of(address)).effects[0][0][0]
    assert lost.lost > 0
    assert lost.touched >= lost.lost


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"street": "rue de nulle part"}, "aucune rue ne s'appelle ainsi"),
        ({"last": f"{DAY - timedelta(days=1)}"}, "une phase finit avant de commencer"),
        ({"who": []}, "une phase ne concerne personne"),
        ({"hours": "le matin"}, "heures « le matin » illisibles"),
        ({"last": f"{DAY + timedelta(days=200)}"}, "une phase à heures fixes dure 201 jours"),
    ],
)
def test_what_makes_no_sense_is_told(places: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    client, _me = sign_in_agent("voirie")
    page = client.post(
        f"{HOME}nouveaux/",
        {"title": "X", "service": "voirie", "street": "rue AB", "first": f"{DAY}", "last": f"{DAY}", "hours": "8h-17h",
         "who": ["car"]} | changes,
    )  # fmt: skip
    assert page.status_code == 400
    assert said in text_of(page)


def test_streets_are_chosen_in_a_list_and_phases_added(places: dict[str, Any]) -> None:
    client, me = sign_in_agent("voirie")
    address = described(client)
    page = client.get(f"{address}rues/0/0/?rue=rue+CD")
    keys = re.findall(r'name="troncon" value="([^"]+)"', page.content.decode())
    assert len(keys) == 2
    client.post(f"{address}rues/0/0/?rue=rue+CD", {"troncon": keys[1:]})
    assert queries.one_works(me, TOWN, number_of(address)).streets == ["rue CD"]
    act(client, address, "phase", scenario="0", first=f"{DAY}", last=f"{DAY}", who=["foot"], phase="Enrobé")
    assert len(queries.one_works(me, TOWN, number_of(address)).phases) == 2
    act(client, address, "oter-phase", scenario="0", phase="0")
    (left,) = queries.one_works(me, TOWN, number_of(address)).phases
    assert (left.title, left.who) == ("Enrobé", ("foot",))


def test_it_is_the_business_of_its_service_alone(places: dict[str, Any], client: Client) -> None:
    agent, _me = sign_in_agent("voirie")
    address = described(agent)
    other, _her = sign_in_agent("proprete", email="proprete@example.org")
    assert other.get(address).status_code == 404
    assert other.post(f"{address}geste/", {"geste": "publier"}).status_code == 404
    assert client.get(f"/travaux/{number_of(address)}/").status_code == 404, "a draft is nobody's"
    assert queries.works(ANONYMOUS, TOWN) == []
    assert "Les travaux sont supprimés" in act(agent, address, "supprimer")
