"""12-04: « now and usual, next hours, history by facility exported »."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.time import PARIS, now
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.config.demo.sensors import add_sensors
from beffroi.faces.portal.live.words import fresh
from beffroi.sense.live import operations, queries
from beffroi.sense.live.definition import Reading
from territory_makers import make_key

PAGE, ALL = "/en-direct/12-04/", "/capteurs/"
CASE = "12-04"

pytestmark = pytest.mark.django_db


def sender(town: str) -> Viewer:
    return Viewer(None, (Grant(town, Role.AGENT),), frozenset({"observations:write"}))


def make_pool(town: str, *, access: str = "public", name: str = "Piscine des Tilleuls") -> tuple[int, int]:
    """Add a pool of two hundred people and return its number and that of its series."""
    thing = operations.add_thing(
        sender(town),
        town,
        operations.ThingDraft(name, 3.005, 45.005, access=access, use_case=CASE, source="Service des sports"),
        at=now(),
    )
    draft = operations.StreamDraft(
        "presents", property_name="Personnes présentes", sensor="Tripode", unit_symbol="pers.", capacity=200, low=0
    )
    return thing, operations.add_stream(sender(town), thing, draft)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_pool_says_now_the_usual_and_where_it_comes_from(small_town: str) -> None:
    thing, stream = make_pool(small_town)
    assert "N’a encore rien envoyé" in text_of(Client().get(PAGE))
    at = now()
    # The same quarter of an hour of the last weeks, and the sensor's own reading of four minutes ago.
    local = at.astimezone(PARIS).replace(tzinfo=None)
    weeks = [(local - timedelta(weeks=back)).replace(tzinfo=PARIS).astimezone(UTC) for back in (1, 2, 3)]
    # This hour and the one that may have begun before the page is read.
    readings = [
        Reading(stream, one + timedelta(hours=later), 40.0 + rank) for rank, one in enumerate(weeks) for later in (0, 1)
    ]
    operations.receive(sender(small_town), readings, at=at)
    body = json.dumps({"phenomenonTime": (at - timedelta(minutes=4)).isoformat(), "result": 190})
    told = Client(headers={"Authorization": f"Bearer {make_key('observations:write', territory=small_town)}"}).post(
        f"/sta/v1.1/Datastreams({stream})/Observations", body, content_type="application/json"
    )
    assert told.status_code == 201, told.content
    operations.sum_up(at=at)
    text = text_of(Client().get(PAGE))
    assert "Piscine des Tilleuls" in text
    assert re.search(r"<strong>190 pers.</strong> \(95 % de 200 pers.\), il y a \d+ minutes", text)
    assert "Presque plein" in text
    assert "D’habitude à cette heure : 41 pers. (médiane de 3 semaines)" in text
    assert "c’est une estimation, pas une mesure" in text
    assert f"/capteurs/{thing}/{stream}.csv" in text


def test_the_history_of_each_facility_is_a_file(small_town: str) -> None:
    thing, stream = make_pool(small_town)
    at = now()
    readings = [Reading(stream, at - timedelta(minutes=20 * rank), float(rank)) for rank in range(1, 200)]
    operations.receive(sender(small_town), [*readings, Reading(stream, at, -7)], at=at)
    operations.sum_up(at=at)
    path = f"/capteurs/{thing}/{stream}.csv"
    hours = Client().get(path).content.decode("utf-8-sig").splitlines()
    assert hours[0] == "Début,Moyenne,Plus petit,Plus grand,p95,Unité,Mesures,Hors de la plage"
    assert sum(int(line.split(",")[6]) for line in hours[1:]) == 199
    assert sum(int(line.split(",")[7]) for line in hours[1:]) == 1
    days = Client().get(f"{path}?pas=jour").content.decode("utf-8-sig").splitlines()
    assert sum(int(line.split(",")[6]) for line in days[1:]) == 199
    raw = Client().get(f"{path}?pas=mesure").content.decode("utf-8-sig").splitlines()
    assert len(raw) == 201
    assert raw[-1].endswith("-7.0,pers.,oui")
    assert Client().get(f"{path}?pas=siecle").status_code == 404


def test_a_month_gives_the_next_hours_and_drawings_in_few_questions(
    small_town: str, django_assert_max_num_queries: Any
) -> None:
    places = [(3.001 + rank / 1000, 45.001, f"{rank} rue Haute") for rank in range(8)]
    at = now()
    kept = add_sensors(small_town, places=places, at=at)
    assert kept == 5 * 30 * 48
    assert add_sensors(small_town, places=places, at=at) == 0
    client = Client()
    with django_assert_max_num_queries(14):
        text = text_of(client.get(PAGE))
    assert text.count("médiane de 4 semaines") == 3
    (pool,) = [one for one in queries.things(ANONYMOUS, small_town, at=at) if one.name == "Piscine des Aulnes"]
    one = text_of(client.get(f"/capteurs/{pool.id}/"))
    assert one.count('class="trend"') == 2
    assert "à partir de 90 %" in one
    # At noon of the next day the pool has hours before it.
    noon = datetime.combine((at.astimezone(PARIS) + timedelta(days=1)).date(), datetime.min.time(), PARIS)
    noon += timedelta(hours=12)
    operations.receive(sender(small_town), [Reading(pool.streams[0].id, noon, 50)], at=noon)
    found = queries.attendances(ANONYMOUS, small_town, CASE, at=noon + timedelta(minutes=1))
    ahead = {place.thing.name: place.ahead for place in found}["Piscine des Aulnes"]
    assert len(ahead) == 6
    assert all(hour.usual is not None and hour.usual.weeks == 4 for hour in ahead)


def test_reserved_sensors_are_for_agents_everywhere(small_town: str, signed_in: Callable[..., Client]) -> None:
    thing, stream = make_pool(small_town, access="agents", name="Coffre")
    operations.receive(sender(small_town), [Reading(stream, now(), 1)], at=now())
    paths = [ALL, PAGE, "/capteurs/carte.geojson", f"/capteurs/{thing}/", f"/capteurs/{thing}/{stream}.csv"]
    paths += ["/sta/v1.1/Things", "/sta/v1.1/Observations", f"/sta/v1.1/Datastreams({stream})"]
    hidden = {path: 200 if path in paths[:3] + paths[5:7] else 404 for path in paths}
    for client in (Client(), signed_in(Role.RESIDENT)):
        for path, status in hidden.items():
            answer = client.get(path)
            assert (answer.status_code, path) == (status, path)
            assert "Coffre" not in answer.content.decode()
            assert '"result"' not in answer.content.decode()
    agent = signed_in(Role.AGENT)
    assert {agent.get(path).status_code for path in paths} == {200}
    assert "Coffre" in text_of(agent.get(ALL))
    assert len(agent.get("/sta/v1.1/Observations").json()["value"]) == 1


def test_a_suspended_sensor_says_so_and_says_no_now(small_town: str) -> None:
    thing, stream = make_pool(small_town)
    operations.receive(sender(small_town), [Reading(stream, now(), 190)], at=now())
    operations.suspend_thing(sender(small_town), thing, at=now())
    text = text_of(Client().get(PAGE))
    assert "Suspendu par la commune (dernière mesure : 190 pers.)" in text
    assert "Presque plein" not in text
    states = [one["properties"]["etat"] for one in Client().get("/capteurs/carte.geojson").json()["features"]]
    assert states == ["muet"]


def test_the_map_of_the_town_has_the_sensors(small_town: str) -> None:
    _thing, stream = make_pool(small_town)
    operations.receive(sender(small_town), [Reading(stream, now(), 12)], at=now())
    assert "/capteurs/carte.geojson" in text_of(Client().get("/carte/"))
    (feature,) = Client().get("/capteurs/carte.geojson").json()["features"]
    assert feature["properties"]["title"].startswith("Piscine des Tilleuls · 12 pers., ")


@pytest.mark.parametrize(
    ("minutes", "silent", "said"),
    [
        (None, False, "n’a encore rien envoyé"),
        (0, False, "à l’instant"),
        (1, False, "il y a 1 minute"),
        (59, False, "il y a 59 minutes"),
        (120, False, "il y a 2 heures"),
        (60 * 49, False, "il y a 2 jours"),
        (180, True, "muet depuis 10:00"),
        (60 * 20, True, "muet depuis hier"),
        (60 * 24 * 10, True, "muet depuis le 28 février 2026"),
    ],
)
def test_freshness_is_said_in_words(minutes: int | None, silent: bool, said: str) -> None:
    at = datetime(2026, 3, 10, 12, tzinfo=PARIS) + timedelta(hours=1)
    last = None if minutes is None else at - timedelta(minutes=minutes)
    assert fresh(at, last, silent=silent, zone=PARIS) == said


def test_an_agent_adds_a_sensor_tries_it_and_suspends_it(small_town: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    form = {
        "name": "Piscine du Pont", "lat": "45,005", "lon": "3,005", "access": "public", "unit": "pers.",
        "measures": f"{CASE}|presents", "capacity": "200", "low": "0", "every_min": "15", "keep_days": "400",
    }  # fmt: skip
    assert agent.post("/agent/capteurs/ajouter/", {**form, "lat": "12"}).status_code == 400
    page = agent.post("/agent/capteurs/ajouter/", form, follow=True)
    path = page.redirect_chain[-1][0]
    text = text_of(page)
    assert "N’a rien envoyé" in text
    (stream,) = queries.things(ANONYMOUS, small_town, at=now(), use_case=CASE)[0].streams
    assert f"/sta/v1.1/Datastreams({stream.id})/Observations" in text
    given = {"stream": stream.id, "result": "182,5"}
    assert "La mesure est gardée." in text_of(agent.post(f"{path}mesure/", given, follow=True))
    assert agent.post(f"{path}mesure/", {**given, "result": "beaucoup"}).status_code == 400
    assert "Presque plein" in text_of(Client().get(PAGE))
    assert "Le capteur est suspendu." in text_of(agent.post(f"{path}suspendre/", follow=True))
    assert "est suspendu" in agent.post(f"{path}mesure/", given).content.decode()
    assert "Suspendu" in text_of(agent.get("/agent/capteurs/"))
    assert "Le capteur est repris." in text_of(agent.post(f"{path}reprendre/", follow=True))


def test_the_sensor_of_a_service_is_changed_by_its_agents_alone(
    small_town: str, signed_in: Callable[..., Client]
) -> None:
    territory.add_service(territory=small_town, slug="sports", name="Sports", at=now())
    thing = operations.add_thing(
        sender(small_town), small_town, operations.ThingDraft("Stade", 3.005, 45.005, service="sports"), at=now()
    )
    other, own = signed_in(Role.AGENT), signed_in(Role.AGENT, services=("sports",))
    assert "Seuls son service" in text_of(other.get(f"/agent/capteurs/{thing}/"))
    assert other.post(f"/agent/capteurs/{thing}/suspendre/").status_code == 404
    assert own.post(f"/agent/capteurs/{thing}/suspendre/").status_code == 302
