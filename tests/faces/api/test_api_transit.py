"""`/api/transit/…`: stops, lines and departures, each with what it comes from, and clear refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sense.mobility.transit_feeds import place_network

TOWN = "34172"
AT = "2026-03-02T08:00:00+01:00"


@pytest.fixture
def network(town: Path, tmp_path: Path, settings: Any) -> str:
    settings.DATA_DIR = tmp_path
    place_network(TOWN, tmp_path)
    return TOWN


def test_stops_by_name_and_around(client: Client, network: str) -> None:
    (found,) = client.get("/api/transit/stops", {"q": "gare"}).json()["stops"]
    assert (found["id"], found["station"], found["wheelchair"]) == ("G", True, "yes")
    assert [line["name"] for line in found["lines"]] == ["T", "1"]
    near = client.get("/api/transit/stops", {"near": "3.0081,45.0080", "within_m": 300}).json()["stops"]
    assert [(one["id"], round(one["distance_m"])) for one in near] == [("M", 8), ("G", 268), ("E", 277)]
    assert [one["id"] for one in client.get("/api/transit/lines").json()["lines"]] == ["T", "L1"]


def test_departures_say_when_where_and_how_sure(client: Client, network: str) -> None:
    answer = client.get("/api/transit/departures", {"feed": "reseau", "stop": "M", "at": AT, "limit": 3})
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["live"] == {"status": "none", "told_at": None, "problem": None}
    first, _, third = body["departures"]
    assert (first["at"], first["trip"], first["destination"]) == ("2026-03-02T07:11:00Z", "a1", "Église")
    assert (first["delay_s"], first["source"], first["state"], first["wheelchair"]) == (None, "planned", "runs", "yes")
    assert (third["approximate"], third["on_request"], third["service_day"]) == (True, "phone", "2026-03-02")


@pytest.mark.parametrize(
    ("asked", "status", "where"),
    [
        ({"stop": "Z"}, 404, "stop"),
        ({"feed": "../../etc"}, 404, ""),
        ({"at": "demain"}, 400, "at"),
        ({"at": "2026-03-02T08:00:00"}, 400, "at"),
        ({"limit": "1000"}, 422, ""),
        ({"arret": "M"}, 400, ""),
    ],
)
def test_a_bad_question_gets_a_clear_refusal(
    client: Client, network: str, asked: dict[str, str], status: int, where: str
) -> None:
    answer = client.get("/api/transit/departures", {"feed": "reseau", "stop": "M", "at": AT} | asked)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert where in answer.content.decode()
