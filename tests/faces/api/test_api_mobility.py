"""`/api/route` and its neighbours: GeoJSON with reasons, clear refusals, the obstacle of the moment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from shapely.geometry import Point, shape

from beffroi.base.kernel.time import now
from beffroi.sense.mobility import operations
from sense.mobility.town_graph import asked, place_graph

TOWN = "34172"


@pytest.fixture
def places(town: Path, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR = tmp_path
    return place_graph(TOWN)


def route(client: Client, places: dict[str, Any], **more: Any) -> Any:
    return client.get("/api/route", {"from": asked(places, "A"), "to": asked(places, "B")} | more)


def test_a_route_is_geojson_with_its_reasons(client: Client, places: dict[str, Any]) -> None:
    answer = route(client, places, profile="fauteuil-manuel")
    assert answer["Content-Type"] == "application/geo+json"
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    (found,) = body["features"]
    told = found["properties"]
    assert found["geometry"]["type"] == "LineString"
    assert told["length_m"] == pytest.approx(180, abs=1)
    assert (told["steps"], told["documented_share"]) == (0, 1.0)
    assert [one["reason"] for one in body["why"]["avoided"]] == ["stairs"]
    assert body["why"]["avoided"][0]["amount"] == 14
    assert body["graph"]["sources"][0]["title"] == "dessin"
    assert told["instructions"][-1]["said"] == "Vous êtes à destination"


def test_an_obstacle_changes_the_very_next_answer(client: Client, places: dict[str, Any]) -> None:
    assert route(client, places).json()["features"][0]["properties"]["length_m"] == pytest.approx(100, abs=1)
    (ax, ay), (bx, by) = places["A"], places["B"]
    operations.obstacle_at(
        territory=TOWN, subject="r:1", kind="rue-fermee", lon=(ax + bx) / 2, lat=(ay + by) / 2, at=now()
    )
    body = route(client, places).json()
    assert body["features"][0]["properties"]["length_m"] == pytest.approx(180, abs=1)
    assert body["why"]["avoided"][0]["obstacle"]["id"] == "r:1"
    operations.end_obstacle(subject="r:1", at=now())
    assert route(client, places).json()["why"]["avoided"] == []


def test_a_route_of_another_day_meets_the_obstacles_of_that_day(client: Client, places: dict[str, Any]) -> None:
    (ax, ay), (bx, by) = places["A"], places["B"]
    begins = now() + timedelta(days=3)
    operations.obstacle_at(
        territory=TOWN, subject="w:1", kind="rue-fermee", lon=(ax + bx) / 2, lat=(ay + by) / 2, at=now(),
        starts_at=begins, until=begins + timedelta(days=2),
    )  # fmt: skip
    lengths = [
        route(client, places, **more).json()["features"][0]["properties"]["length_m"]
        for more in (
            {},
            {"departure": (begins + timedelta(hours=1)).isoformat()},
            {"departure": (begins + timedelta(hours=26)).replace(tzinfo=None, microsecond=0).isoformat()},
            {"departure": (begins + timedelta(days=3)).isoformat()},
            {},
        )
    ]
    assert lengths == pytest.approx([100, 180, 180, 100, 100], abs=1)
    assert route(client, places, departure="demain").status_code == 422


def test_no_route_is_an_answer_too(client: Client, places: dict[str, Any]) -> None:
    lon, lat = places["D"]
    operations.obstacle_at(territory=TOWN, subject="r:1", kind="rue-fermee", lon=lon, lat=lat + 0.0002, at=now())
    body = route(client, places, profile="fauteuil-manuel").json()
    assert body["features"] == []
    assert body["no_route"]["opens"]["said"] == "Escalier de 14 marches, rue AB"
    assert body["no_route"]["farthest"]["properties"]["length_m"] == pytest.approx(140, abs=1)


@pytest.mark.parametrize(
    ("more", "status", "where"),
    [
        ({"from": "ici"}, 400, "from"),
        ({"to": "500,2"}, 400, "to"),
        ({"from": "1,1"}, 400, "from"),
        ({"profile": "trottinette"}, 404, "profile"),
        ({"max_slope_pct": "5"}, 400, "max_slope_pct"),
        ({"alternatives": "9"}, 422, ""),
        ({"profil": "a-pied"}, 400, ""),
        ({"territory": "99999"}, 404, ""),
    ],
)
def test_a_bad_question_gets_a_clear_refusal(
    client: Client, places: dict[str, Any], more: dict[str, str], status: int, where: str
) -> None:
    answer = route(client, places, **more)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert where in body["where"]
    assert body["remedy"]


def test_a_matrix_gives_times_and_null_where_nothing_leads(client: Client, places: dict[str, Any]) -> None:
    both = f"{asked(places, 'A')};{asked(places, 'D')}"
    body = client.get("/api/matrix", {"from": both, "to": f"{both};1,1", "profile": "a-pied"}).json()
    assert body["seconds"][0][0] == 0
    assert body["seconds"][0][1] == body["seconds"][1][0] == round(140 / (4.8 / 3.6))
    assert body["seconds"][0][2] is None
    assert client.get("/api/matrix", {"from": both, "to": ";".join(["1,1"] * 60)}).status_code == 422


def test_an_isochrone_grows_and_holds_its_start(client: Client, places: dict[str, Any]) -> None:
    body = client.get("/api/isochrone", {"from": asked(places, "A"), "minutes": "1,2"}).json()
    one, two = (shape(feature["geometry"]) for feature in body["features"])
    assert one.contains(Point(places["A"]))
    assert two.buffer(1e-4).contains(one), "but for the five metres of simplification"
    assert two.area > one.area
    assert client.get("/api/isochrone", {"from": asked(places, "A"), "minutes": "long"}).status_code == 400
    assert client.get("/api/isochrone", {"from": asked(places, "A"), "minutes": "1,2,3,4,5"}).status_code == 422


def test_profiles_tell_their_sources(client: Client, town: Path) -> None:
    body = client.get("/api/profiles").json()
    wheelchair = next(one for one in body["profiles"] if one["id"] == "fauteuil-manuel")
    assert wheelchair["adjustable"]["max_slope_pct"] == [2, 14]
    assert "15 janvier 2007" in wheelchair["sources"]["impossible"]
