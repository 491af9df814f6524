"""6-08, works in my street: « works with dates, effects, detours, follow my street »."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core import mail
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.sense.mobility.works import operations as works
from beffroi.sense.mobility.works import queries
from beffroi.sense.mobility.works.plan import Phase, Scenario
from beffroi.serve.cases.definition import Requester
from beffroi.serve.reports import operations, works_news
from desk_makers import sign_in_agent
from sense.mobility.town_graph import place_graph
from serve_makers import make_open_town
from territory_makers import AT, TOWN

DRAWING = """
A----B----E
|    |
C----D
"""
DAY = timezone.localdate() + timedelta(days=40)

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(settings: Any, tmp_path: Path) -> Viewer:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    make_open_town(use_cases=("1-01",))
    place_graph(TOWN, drawing=DRAWING, ways={})
    return sign_in_agent("voirie")[1]


def follow(name: str, *, sure: bool = True, **what: str) -> None:
    made = operations.subscribe(
        territory=TOWN, requester=Requester(email=f"{name}@exemple.fr"), viewer=ANONYMOUS, at=AT, **what
    )
    if sure:
        operations.confirm_subscription(made.token, at=AT)


def described(agent: Viewer, street: str = "rue AB") -> int:
    stretches = tuple(queries.stretches_of(TOWN, street))
    phase = Phase(first=DAY, last=DAY + timedelta(days=9), who=("car",), stretches=stretches)
    return works.describe_works(
        territory=TOWN, service="voirie", title="Réseau de chaleur", description="On pose des tuyaux.",
        scenarios=[Scenario(title="Seul", phases=(phase,))], by=agent, at=now(),
    )  # fmt: skip


def letters() -> dict[str, mail.EmailMessage]:
    """Do what a worker does, and return the messages about works by the name of who had them."""
    before = len(mail.outbox)
    while deliver_pending(1000):
        pass
    for task in DBTaskResult.objects.filter(task_path__endswith="tasks.write_works").order_by("enqueued_at"):
        works_news.write_works_to(*task.args_kwargs["args"], at=now())
        task.delete()
    told = [one for one in mail.outbox[before:] if one.subject.startswith("Travaux ")]
    assert len({one.to[0] for one in told}) == len(told), "one message for each address"
    return {one.to[0].partition("@")[0]: one for one in told}


def around(west: float, south: float, side: float) -> str:
    return str(shapely.to_geojson(shapely.box(west, south, west + side, south + side)))


def test_who_follows_the_street_is_written_to_at_each_step(agent: Viewer) -> None:
    (here,) = queries.stretches_of(TOWN, "rue AB")
    follow("habitante", street="RUE AB")
    follow("voisin", zone=around(here.lon - 0.0002, here.lat - 0.0002, 0.0004))
    follow("ailleurs", street="rue CD")
    follow("loin", zone=around(here.lon + 1, here.lat, 0.01))
    follow("depots", street="rue AB", category="depot-sauvage")
    follow("incertaine", street="rue AB", sure=False)
    letters()
    number = described(agent)
    assert letters() == {}, "a draft is nobody's news"
    works.publish_works(agent, TOWN, number, scenario=0, at=now())
    told = letters()
    assert set(told) == {"habitante", "voisin"}
    text = told["habitante"].body
    assert "Réseau de chaleur" in told["habitante"].subject
    assert "Rues : rue AB." in text
    assert f"{DAY:%Y}" in text
    assert f"/travaux/{number}/" in text
    assert "vous suivez : RUE AB" in text
    assert "List-Unsubscribe-Post" in told["habitante"].extra_headers
    works.withdraw_works(agent, TOWN, number, at=now(), over=True)
    ended = letters()
    assert set(ended) == {"habitante", "voisin"}
    assert "Ces travaux sont terminés." in ended["voisin"].body


def test_streets_that_bend_are_followed_too(agent: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    (straight,) = queries.stretches_of(TOWN, "rue AB")
    bent = straight.model_copy(update={"line": (straight.line[0], (straight.lon, straight.lat), *straight.line[1:])})
    phase = Phase(first=DAY, last=DAY, who=("car",), stretches=(straight, bent))
    monkeypatch.setattr(queries, "phases_of", lambda *_asked: [phase])
    follow("habitante", street="rue AB")
    assert [one.email for one in works_news.followers(TOWN, 1, 0)] == ["habitante@exemple.fr"]


def test_a_message_that_cannot_leave_is_tried_again(agent: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    follow("habitante", street="rue AB")
    works.publish_works(agent, TOWN, described(agent), scenario=0, at=now())

    def refused(*_args: Any, **_options: Any) -> int:
        raise OSError("no server of mail")

    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMessage, "send", refused)
        while deliver_pending(1000):
            pass
        (task,) = DBTaskResult.objects.filter(task_path__endswith="tasks.write_works")
        works_news.write_works_to(*task.args_kwargs["args"], at=now())
        task.delete()
    assert set(letters()) == {"habitante"}


def test_the_page_says_when_what_and_how_to_be_told(agent: Viewer, client: Client) -> None:
    number = described(agent)
    works.compute_now(number, at=now())
    works.publish_works(agent, TOWN, number, scenario=0, at=now())
    page = client.get("/travaux/?rue=rue+AB").content.decode()
    assert "Réseau de chaleur" in page
    assert "En voiture" in page
    assert '/signalements/abonnement/?rue=rue+AB"' in page
    assert "rue AB" in client.get("/signalements/abonnement/?rue=rue+AB").content.decode()
