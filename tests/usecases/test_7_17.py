"""7-17, works orders and requests unified: « orders with zone and dates, conflicts between works detected »."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import operations as lake
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.works import operations as works
from beffroi.sense.mobility.works import queries as known_works
from beffroi.sense.mobility.works.plan import Phase, Scenario
from beffroi.serve.cases.definition import BadCase, Requester
from beffroi.serve.procedures import operations, queries
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.opened import forget_procedures
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import fields_of, shown
from sense.mobility.town_graph import place_graph
from serve_makers import make_open_town
from territory_makers import TOWN

pytestmark = pytest.mark.django_db
# 50 m from A to B; round by C and D, 130 m.
DRAWING = """
A----B
|    |
C----D
"""
PAGE = "/demarches/7-17/"
DAY = timezone.localdate() + timedelta(days=40)
ASKED = {
    "acte": "permission", "objet": "Branchement d’eau", "fouille": True, "profondeur": 80, "responsable": "Régie",
    "gene": "voitures",
}  # fmt: skip


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> Iterator[dict[str, tuple[float, float]]]:
    settings.STRONG_AUTH, settings.DATA_DIR, settings.LAKE_DIR = False, tmp_path, tmp_path / "lake"
    settings.SEAL_KEY = tmp_path / "seal.key"
    make_open_town()
    forget_procedures()
    yield place_graph(TOWN, drawing=DRAWING, ways={})
    forget_procedures()


def square(place: tuple[float, float], half: float = 0.00004) -> list[list[float]]:
    """The corners of a square around a place, some metres wide."""
    lon, lat = place
    return [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]


def between(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)


def answers(zone: list[list[float]], first: date, days: int = 5, **changes: Any) -> dict[str, Any]:
    last = first + timedelta(days=days)
    return ASKED | {"rue": "12 rue AB", "zone": zone, "debut": f"{first}", "fin": f"{last}"} | changes


def filed(given: dict[str, Any]) -> str:
    who = Requester(name="Société Untel", email="untel@exemple.fr")
    at = timezone.now()
    return operations.file_request(territory=TOWN, use_case="7-17", answers=given, requester=who, at=at).number


def granted(number: str, by: Viewer, **found: Any) -> str:
    operations.record_findings(number=number, findings=found, by=by, at=timezone.now())
    return operations.decide(number=number, decision="arreter", by=by, at=timezone.now())


def codes(given: dict[str, Any], number: str = "") -> list[str]:
    procedure = queries.procedure_for(TOWN, "7-17").procedure
    found = queries.conflicts(procedure, given, territory=TOWN, at=timezone.now(), number=number)
    return [one.code for one in found]


def metres(places: dict[str, Any], day: date) -> int:
    noon = datetime.combine(day, time(12), UTC)
    found = mobility.route(TOWN, profile=mobility.profile("voiture"), start=places["A"], goal=places["B"], at=noon)
    return round(found.routes[0].length_m)


def written(zone: list[list[float]]) -> str:
    return "\n".join(f"{lat:.6f} {lon:.6f}" for lon, lat in zone)


def test_an_order_has_its_zone_and_days_is_told_its_conflicts_and_becomes_works(
    places: dict[str, tuple[float, float]], client: Client
) -> None:
    zone = square(between(places["A"], places["B"]))
    other = filed(answers(zone, DAY + timedelta(days=2)))
    told = shown(client.get(PAGE))
    assert "3 semaines au plus" in told
    assert "Déclaration d’intention de commencement de travaux (DICT) : 7 jours au plus" in told
    # The form, without a script: the zone is typed, a corner a line.
    page = client.post(f"{PAGE}commencer/", follow=True)
    days = {"debut": f"{DAY}", "fin": f"{DAY + timedelta(days=4)}", "responsable": "Régie", "executant": "",
            "gene": "voitures"}  # fmt: skip
    for step in (
        {"acte": "permission", "objet": "Branchement d’eau", "fouille": "oui"},
        {"rue": "12 rue AB", "rue_libre": "on", "zone": written(zone), "profondeur": "80"},
        days,
        {"name": "Société Durand", "email": "durand@exemple.fr"},
    ):
        url, held = page.request["PATH_INFO"], fields_of(page.content.decode())
        page = client.post(url, held | {"go": "next"} | step, follow=True)
    # Before it is sent: when and where, not who nor which.
    check = shown(page)
    assert f"Un autre chantier est déjà demandé à 0 m, 12 rue AB, du {DAY + timedelta(days=2):%d/%m/%Y}" in check
    assert "Untel" not in check
    assert other not in check
    sent = client.post(page.request["PATH_INFO"], {"go": "send"})
    follow = str(sent["Location"]).split("?")[0]
    number = queries.followed_request(follow.split("/")[3])[0].number
    # The agent reads which, and opens it.
    agent, me = sign_in_agent("voirie")
    desk = f"/agent/demarches/{number}/"
    sheet = agent.get(desk)
    assert f"Demande {other} en cours" in shown(sheet)
    assert f'href="/agent/demarches/{other}/"' in sheet.content.decode()
    # Both zones are on the agents' map, and on no other.
    drawn = agent.get("/agent/demarches/chantiers.geojson").json()["features"]
    assert {one["properties"]["url"] for one in drawn} == {desk, f"/agent/demarches/{other}/"}
    assert drawn[0]["geometry"]["type"] == "Polygon"
    assert shown(agent.get(f"{desk}?fragment")).strip().startswith("Arrêtés et demandes")
    assert Client().get("/agent/demarches/chantiers.geojson").status_code != 200
    assert [metres(places, DAY), metres(places, DAY + timedelta(days=5))] == [50, 50]
    early = agent.post(f"{desk}decider/", {"decision": "arreter"})
    assert "Il manque un constat : Ce que l’arrêté ferme" in shown(early)
    assert (
        agent.post(f"{desk}constater/", {"circulation": "voitures", "prescriptions": "De 9 h à 16 h."}).status_code
        == 302
    )
    assert agent.post(f"{desk}decider/", {"decision": "arreter", "quality": "adjointe"}).status_code == 302
    # The sealed order, and what it prints.
    (order,) = queries.certificates_of(number)
    assert queries.seal_holds(order)
    facts = dict(order.facts)
    assert facts["Premier jour"] == f"{DAY:%d/%m/%Y}"
    assert facts["L’emprise du chantier"].endswith(f"autour de {zone[0][1] + 0.00004:.5f}, {zone[0][0] + 0.00004:.5f}")
    assert "L’arrêté vous est remis en PDF" in shown(client.get(follow))
    # Announced to all, and the routes go round on those days only; nobody's name is told.
    listed = shown(client.get("/travaux/"))
    assert f"Permission de voirie, 12 rue AB ({number})" in listed
    assert "Durand" not in listed
    assert [metres(places, DAY), metres(places, DAY + timedelta(days=5))] == [130, 50]
    # Whoever comes next is told of the order and of the works.
    assert codes(answers(zone, DAY)) == ["request", "request", "works"]
    assert me.person_id is not None


def test_each_conflict_is_in_space_and_in_time(places: dict[str, tuple[float, float]]) -> None:
    _client, me = sign_in_agent("voirie")
    zone, far = square(between(places["A"], places["B"])), square(between(places["C"], places["D"]))
    first = filed(answers(zone, DAY))
    assert codes(answers(zone, DAY + timedelta(days=5))) == ["request"], "the last day of one is the first of the other"
    assert codes(answers(zone, DAY + timedelta(days=6))) == []
    assert codes(answers(far, DAY)) == []
    assert codes(answers(zone, DAY), number=first) == [], "not with itself"
    # The surface made again: whoever digs waits three years, whoever does not dig needs not.
    granted(first, me, circulation="rien", **{"chaussee-refaite": "oui"})
    later = DAY + timedelta(days=400)
    assert codes(answers(zone, later)) == ["recent"]
    assert codes(answers(zone, later, fouille=False, profondeur=None)) == []
    assert codes(answers(zone, DAY + timedelta(days=5 + 1096))) == []


def test_works_their_detours_and_the_agenda_are_told_too(
    places: dict[str, tuple[float, float]], tmp_path: Path, settings: Any
) -> None:
    _client, me = sign_in_agent("voirie")
    zone, far = square(between(places["A"], places["B"])), square(between(places["C"], places["D"]))
    phase = Phase(first=DAY, last=DAY + timedelta(days=9), who=("car",),
                  stretches=tuple(known_works.stretches_of(TOWN, "rue AB")))  # fmt: skip
    number = works.describe_works(
        territory=TOWN, service="voirie", title="Réseau de chaleur", description="", by=me, at=timezone.now(),
        scenarios=[Scenario(title="Fermer", phases=(phase,))],
    )  # fmt: skip
    works.compute_now(number, at=timezone.now())
    works.publish_works(me, TOWN, number, scenario=0, at=timezone.now())
    assert codes(answers(zone, DAY)) == ["works"]
    assert codes(answers(far, DAY)) == ["detour"], "cars turned away from AB go by CD"
    assert codes(answers(far, DAY + timedelta(days=10))) == []
    lon, lat = between(places["A"], places["B"])
    night = f"{DAY + timedelta(days=20)}"
    event = {"uid": "e1", "titre": "Marché de nuit", "debut": f"{night}T18:00:00", "fin": f"{night}T23:00:00",
             "lieu": "Rue AB", "longitude": lon, "latitude": lat}  # fmt: skip
    (tmp_path / "evenements.json").write_text(json.dumps([event]), encoding="utf-8")
    outcome = lake.import_source(
        tmp_path / "evenements.json", territory=TOWN, slug="evenements", at=timezone.now(), announce=False,
        lake=settings.LAKE_DIR,
    )  # fmt: skip
    assert outcome.status is lake.ImportStatus.PUBLISHED
    assert codes(answers(zone, DAY + timedelta(days=19))) == ["event"]
    assert codes(answers(zone, DAY + timedelta(days=21))) == []


def test_what_makes_no_sense_is_refused_in_words(places: dict[str, tuple[float, float]]) -> None:
    zone = square(places["A"])
    with pytest.raises(BadCase, match="le dernier jour vient avant le premier"):
        filed(answers(zone, DAY, days=-1))
    with pytest.raises(BeffroiError, match="trois coins"):
        filed(answers(zone[:2], DAY))
    with pytest.raises(BadCase, match="kilomètre carré"):
        filed(answers(square(places["A"], 0.02), DAY))
    declared = queries.procedure_for(TOWN, "7-17").procedure.model_dump()
    declared["site"]["digs"] = "objet"
    with pytest.raises(ValueError, match=r"« site\.digs » : « objet » n’est pas du type yes-no"):
        Procedure.model_validate(declared)


def test_without_a_known_street_the_order_stands_and_the_service_is_told(
    places: dict[str, tuple[float, float]],
) -> None:
    _client, me = sign_in_agent("voirie")
    lon, lat = places["A"]
    number = filed(answers(square((lon + 0.01, lat)), DAY))
    assert granted(number, me, circulation="tous")
    assert known_works.public_works(TOWN, timezone.now()) == []
