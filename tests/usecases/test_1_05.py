"""1-05, a pollution: an agent turns a report into a zone alert in one action, and the alerts' room hears of it."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from beffroi.base.journal import queries as journal
from desk_makers import QUEUE, act, sign_in_agent
from serve_makers import LAT, LON, make_open_town, send
from territory_makers import administrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("1-01", "1-05"))


def test_a_report_becomes_an_alert_in_one_action(town: str) -> None:
    client, me = sign_in_agent("proprete")
    sent = send("pollution", details={"milieu": "eau"}, description="Nappe irisée sous le pont.")
    shown = client.get(f"{QUEUE}{sent.number}/").content.decode()
    assert "En faire une alerte de zone" in shown
    act(
        client,
        sent.number,
        "alerter",
        title="Pollution du ruisseau",
        text="Ne pas pêcher ni se baigner.",
        severity="moderate",
        lat=str(LAT),
        lon=str(LON),
        radius_m="300",
        hours="24",
    )
    (raised,) = [one for one in journal.all_events(administrator(town)) if one.kind == "report.alert_raised"]
    assert (raised.actor, raised.payload["number"]) == (me.person_id, sent.number)
    zone = shapely.from_geojson(raised.payload["zone"])
    assert zone.contains(shapely.Point(LON, LAT))
    metres = zone.length * 111_195
    assert 1_500 < metres < 2_600


def test_what_raises_no_alert_does_not_offer_it(town: str) -> None:
    client, _ = sign_in_agent("proprete")
    sent = send("depot-sauvage")
    assert "alerte de zone" not in client.get(f"{QUEUE}{sent.number}/").content.decode()
    refused = act(client, sent.number, "alerter", title="A", text="B", severity="minor", radius_m="100", hours="1",
                  lat=str(LAT), lon=str(LON))  # fmt: skip
    assert refused.status_code == 400
