"""1-09, rounds: « truck width/weight limits, time windows off dense hours, map + GPX per truck, gain against today's
round, obstacles shown on the 3D map, bulky-waste bookings taken as stops »."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.faces.shell.overlays import registered
from beffroi.sense.mobility import operations as mobility
from beffroi.sense.mobility.rounds import operations, queries
from desk_makers import sign_in_agent
from sense.mobility.town_graph import place_graph
from serve_makers import LAT, LON, make_open_town, send
from territory_makers import TOWN

# D is the depot; B is at the end of a lane of 2.20 m; E to H lie along a road.
DRAWING = """
D----A----B
|    |
E----F----G----H
"""
WAYS = {"AB": {"road_cm": 220}, "EF": "road", "FG": "road", "GH": "road"}
HOME = "/agent/tournees/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> dict[str, tuple[float, float]]:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    make_open_town()
    return place_graph(TOWN, drawing=DRAWING, ways=WAYS)


def asked(places: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the form sends: the stops of a list, today's round going to and fro."""
    lines = [
        f"Point {letter};{places[letter][1]:.7f};{places[letter][0]:.7f};2;3;{hours};Benne 1;{rank}"
        for rank, (letter, hours) in enumerate([("H", ""), ("A", ""), ("G", "6h-7h"), ("B", ""), ("F", "")], start=1)
    ]
    lon, lat = places["D"]
    site = {"": "Dépôt", "_label": "Dépôt", "_lon": f"{lon}", "_lat": f"{lat}"}
    return {
        "title": "Verre, lundi", "service": "proprete", "day": f"{timezone.localdate():%Y-%m-%d}",
        "text": "\n".join(lines),
        "amount": "1", "minutes": "2", **{f"depot{key}": value for key, value in site.items()}, "tip_minutes": "10",
        "dense": "7h30-9h", "walk_m": "10", "v1-name": "Benne 1", "v1-profile": "benne", "v1-hours": "5h-12h",
        "v1-capacity": "20", "v1-breaks": "9h-10h 20 min",
        **{f"v{rank}-{key}": value for rank in (2, 3, 4) for key, value in (("profile", "benne"), ("hours", "5h-12h"))},
    } | changes  # fmt: skip


def text_of(page: Any) -> str:
    plain = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def computed(client: Client, places: dict[str, Any], **changes: Any) -> str:
    """Ask for a round by the form, compute it as a worker does, and return its address."""
    answer = client.post(f"{HOME}nouvelle/", asked(places, **changes))
    assert answer.status_code == 302, text_of(answer)[:2000]
    number = int(answer.url.rstrip("/").split("/")[-1])
    assert "En attente de calcul" in text_of(client.get(answer.url))
    operations.compute_now(number, at=timezone.now())
    return answer.url


def act(client: Client, address: str, gesture: str, **fields: Any) -> str:
    return text_of(client.post(f"{address}geste/", {"geste": gesture, **fields}, follow=True))


def test_from_a_list_to_the_gain_the_plan_and_the_papers(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("proprete")
    address = computed(client, places)
    page = client.get(address)
    text = text_of(page)
    assert "Gain sur la tournée actuelle" in text
    (kilometres, *_rest) = list(page.context["gains"])
    assert kilometres.difference.startswith("−"), "it goes less far than today's"
    assert "Point B Trop étroit pour « Benne 1 » : rue AB laisse 2,2 m, il en demande 2,7." in text
    assert '<path class="way n1"' in page.content.decode()
    paper = text_of(client.get(f"{address}vehicule/1/"))
    assert "n° 1" in paper
    assert "rue FG" in paper
    track = client.get(f"{address}vehicule/1.gpx").content.decode()
    assert track.count("<wpt") == 4
    assert "<trkpt" in track
    lines = client.get(f"{HOME}carte.json").json()["features"]
    assert {one["properties"]["title"] for one in lines} == {"Verre, lundi, Benne 1"}
    # The 3D map of the town shows the rounds of the day, and the obstacles, each in its layer.
    assert {"tournees", "obstacles"} <= {one.slug for one in registered()}


def test_a_small_lorry_takes_the_narrow_lane(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("proprete")
    small = {"v2-name": "Mini", "v2-profile": "fourgon", "v2-width_m": "1,9"}
    text = text_of(client.get(computed(client, places, **small)))
    assert "Trop étroit pour" not in text
    assert "Mini 5 arrêts" in text


def test_a_stop_is_moved_by_hand_its_cost_told_and_undone(places: dict[str, Any]) -> None:
    client, me = sign_in_agent("proprete")
    address = computed(client, places, **{"v2-name": "Benne 2"})
    number = int(address.rstrip("/").split("/")[-1])

    def order() -> dict[str, list[str]]:
        sheet = queries.round_sheet(me, TOWN, number)
        return {one.vehicle: [line.stop for line in one.lines if line.kind == "stop"] for one in sheet.timelines}

    first = order()
    (one,) = [name for name, items in first.items() if items]
    other = ({*first} - {one}).pop()
    told = act(client, address, "deplacer", vehicule=one, rang=0, vers="down")
    assert re.search(r"Déplacé : [+−][\d,]+ km, [+−]\d+ min", told)
    assert order()[one][:2] == first[one][1::-1]
    act(client, address, "deplacer", vehicule=one, rang=1, vers=other)
    assert order()[other] == [first[one][0]]
    assert "Un arrêt" in act(client, address, "deplacer", vehicule=other, rang=0, vers="out")
    for _ in range(3):
        told = act(client, address, "annuler")
    assert "Annulé :" in told
    assert order() == first
    assert "Annuler le dernier changement" not in told
    kinds = list(Event.objects.filter(subject=f"round:{number}").order_by("id").values_list("kind", flat=True))
    assert kinds == ["round.asked", "round.computed", *["round.changed"] * 6]


def test_an_obstacle_of_the_day_is_gone_round_and_told(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("proprete")
    address = computed(client, places)
    (ax, ay), (bx, by) = places["D"], places["A"]
    mobility.obstacle_at(
        territory=TOWN, subject="report:7", kind="circulation-fermee", lon=(ax + bx) / 2, lat=(ay + by) / 2,
        at=timezone.now() - timedelta(days=1), label="Grue",
    )  # fmt: skip
    assert "Les rues ont changé depuis ce calcul" in text_of(client.get(address))
    act(client, address, "recalculer")
    operations.compute_now(int(address.rstrip("/").split("/")[-1]), at=timezone.now())
    text = text_of(client.get(address))
    assert "Les rues ont changé" not in text
    assert "Grue" in text
    assert "rue DA" not in text_of(client.get(f"{address}vehicule/1/")).split("n° 1")[1].split("Aide")[0]


def test_open_reports_of_a_category_are_stops(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("proprete")
    opened = send("depot-sauvage", lon=LON, lat=LAT)
    graph = place_graph(TOWN, "20260303T090000Z-drawn0000009", drawing=DRAWING, ways=WAYS)
    assert graph == places
    far = computed(client, places, text="", category="depot-sauvage")
    assert f"{opened.number}" in text_of(client.get(far)), "it is a stop; here, far from the four streets of the test"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": ""}, "Donnez les arrêts d’une seule façon"),
        ({"text": "Gare ; 145,0 ; 3,0"}, "ligne 1 : « 145,0 » n’est pas un angle en degrés"),
        ({"text": "Gare ; 45,0 ; 3,0 ; deux"}, "ligne 1 : un nombre est illisible"),
        ({"text": "Gare ; 45,0 ; 3,0 ; 2 ; 3 ; midi"}, "heures « midi » illisibles"),
        ({"text": "adresse\n99 rue de nulle part"}, "adresse « 99 rue de nulle part » inconnue ici"),
        ({"dense": "le matin"}, "heures « le matin » illisibles"),
        ({"v1-hours": "12h-5h"}, "heures « 12h-5h » illisibles"),
        ({"v1-name": ""}, "0 véhicules"),
        ({"v2-name": "Benne 1"}, "deux véhicules ont le même nom"),
    ],
)
def test_what_cannot_be_read_is_told_and_nothing_typed_is_lost(
    places: dict[str, Any], changes: dict[str, str], said: str
) -> None:
    client, _me = sign_in_agent("proprete")
    page = client.post(f"{HOME}nouvelle/", asked(places, **changes))
    assert page.status_code == 400
    assert said in text_of(page)
    assert "Verre, lundi" in page.content.decode()


def test_a_depot_no_lorry_reaches_is_told_on_the_page(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("proprete")
    lon, lat = places["B"]
    address = computed(client, places, depot_lon=f"{lon + 0.02}", depot_lat=f"{lat}")
    assert "ne peut pas atteindre « Dépôt »" in text_of(client.get(address))


def test_it_is_the_business_of_its_service_alone(places: dict[str, Any]) -> None:
    client, _me = sign_in_agent("proprete")
    address = computed(client, places)
    other, _her = sign_in_agent("voirie", email="voirie@example.org")
    assert other.get(address).status_code == 404
    assert other.post(f"{address}geste/", {"geste": "supprimer"}).status_code == 404
    assert "Verre, lundi" not in text_of(other.get(HOME))
    assert "La tournée est supprimée" in act(client, address, "supprimer")
