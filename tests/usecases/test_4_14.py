"""4-14: « slopes from the terrain model, profile drawn on the 3D map, each avoided barrier named »."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from beffroi.sense.mobility.assembling import assemble, with_about
from beffroi.sense.mobility.store import put_in_place
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.terrain import Terrain
from beffroi.sense.mobility.vocabulary import Confidence, Kind, Origin, Surface
from sense.mobility.town_graph import asked, place_graph

PAGE = "/itineraire/4-14/"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEST, NORTH = 3.0080, 45.0110

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(small_town: str, tmp_path: Path, settings: Any) -> str:
    settings.DATA_DIR = tmp_path
    return small_town


def answered(client: Client, **query: str) -> tuple[Any, str]:
    answer = client.get(PAGE, query)
    return answer, re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def hill(town: str) -> None:
    """Two ways from A to B: straight over a ridge of 30 m, or round it; the heights come from a terrain model alone."""
    a, b, c, d = (WEST, NORTH), (WEST + 0.004, NORTH), (WEST, NORTH - 0.003), (WEST + 0.004, NORTH - 0.003)
    lines = [(a, b), (a, c), (c, d), (b, d)]
    columns = blank_columns(4)
    columns["kind"][:], columns["surface"][:] = Kind.STREET, Surface.ASPHALT
    columns["forward"][:] = columns["backward"][:] = 15
    columns["name"][:] = np.arange(4)
    ends = {a: 0, b: 1, c: 2, d: 3}
    streets = Streets(
        points=np.array([place for line in lines for place in line]), offset=np.arange(0, 9, 2),
        tail=np.array([ends[one] for one, _ in lines]), head=np.array([ends[one] for _, one in lines]),
        columns=columns, origin=blank_origin(4), origins=[Origin("essai", "2026-01-01", Confidence.DECLARED)],
        names=["rue de la Butte", "rue AC", "rue CD", "rue BD"],
    )  # fmt: skip
    side = 60
    x, y = np.meshgrid(np.linspace(-0.01, 0.01, side), np.linspace(0.01, -0.01, side))
    heights = 30 * np.exp(-(((x - 0.002) / 0.0008) ** 2) - (y / 0.001) ** 2)
    ground = Terrain("Relief d’essai", heights, WEST - 0.01, NORTH + 0.01, 0.02 / (side - 1), "EPSG:4326")
    graph = assemble(streets, territory=town, at=AT, version="v", terrain=ground)
    put_in_place(with_about(graph, territory=town, version="20260302T090000Z-hill00000000"))


def test_slopes_come_from_the_terrain_and_the_hill_is_gone_round(client: Client, town: str) -> None:
    hill(town)
    query = {"de": f"{WEST}, {NORTH}", "vers": f"{WEST + 0.004}, {NORTH}", "profil": "fauteuil-manuel"}
    answer, text = answered(client, **query)
    assert "rue de la Butte" in text.split("Ce que l’on sait")[0], "the slope avoided is named, with its street"
    assert re.search(r"Pente de \d+ %, rue de la Butte", text)
    assert "Partez vers le sud : rue AC" in text
    route = client.get(json.loads(answer.context["config"])["route"]).json()
    assert route["graph"]["sources"][-1]["title"] == "Relief d’essai"
    assert abs(route["features"][0]["properties"]["steepest_up_pct"]) < 5
    on_foot = client.get("/api/route", {"from": f"{WEST},{NORTH}", "to": f"{WEST + 0.004},{NORTH}"}).json()
    assert on_foot["features"][0]["properties"]["climb_m"] == pytest.approx(30, abs=3)


def test_the_map_stands_in_relief_and_tells_each_barrier_by_the_number_of_the_list(client: Client, town: str) -> None:
    places = place_graph(town)
    answer, text = answered(client, de=asked(places, "A"), vers=asked(places, "B"), profil="fauteuil-manuel")
    config = json.loads(answer.context["config"])
    assert config["raised"] is True
    assert "terrain" in config
    told = client.get(config["route"]).json()["why"]["avoided"]
    page = answer.content.decode()
    listed = re.findall(r"<li>(.*?)</li>", page.split('class="barriers"')[1].split("</ol>")[0])
    assert [unescape(one) for one in listed] == [one["said"] for one in told] == ["Escalier de 14 marches, rue AB"]
    assert all(places["A"][0] <= one["lon"] <= places["B"][0] for one in told)
    assert "Suivre le chemin sur la carte" in text
    assert json.loads(client.get("/itineraire/8-04/").context["config"])["raised"] is False
