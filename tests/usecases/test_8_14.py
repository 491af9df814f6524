"""8-14, incidents in transport: « tied to line and stop », from the stop's page to the agent and back."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.operations import import_source
from beffroi.lake.store import DatasetRef
from beffroi.sense.mobility.transit.operations import build_timetables
from beffroi.serve.reports import queries
from faces.portal.reports.test_filing import SEND, fields_of, shown
from sense.mobility.transit_feeds import NETWORK, archive
from serve_makers import agent_of

STOP = "/transports/arret/bus/M/"
ANSWERS = {"d_incident": "accessibilite", "description": "La rampe ne sort plus."}

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(reporting_town: str, tmp_path: Path, settings: Any) -> str:
    """The town of reports with its network, imported as its publisher gives it."""
    settings.LAKE_DIR = tmp_path / "lake"
    source = archive(tmp_path, NETWORK, "bus.zip")
    import_source(source, territory=reporting_town, at=timezone.now(), lake=settings.LAKE_DIR, announce=False)
    build_timetables(reporting_town, at=timezone.now())
    return reporting_town


def link(client: Client) -> str:
    page = client.get(STOP).content.decode()
    return unescape(re.search(r'href="(/signaler/8-14/[^"]*)"', page)[1])  # type: ignore[index]


def test_a_stop_leads_to_the_form_with_itself_and_its_line(client: Client, town: str) -> None:
    begun = fields_of(client.get(link(client)).content.decode())
    (row,) = lake.rows(ANONYMOUS, DatasetRef(town, "bus-stops"), columns=["_id", "stop_id"],
                       where=[lake.Filter("stop_id", "eq", "M")]).rows  # fmt: skip
    assert begun["place_object"] == f"bus-stops/{row[0]}"
    assert begun["d_ligne"] == "1"
    assert begun["category"] == "incident-transport"
    assert begun["address"] == "Arrêt Mairie"


def test_the_report_is_tied_to_the_line_and_the_stop(client: Client, town: str) -> None:
    answer = client.get(link(client))
    for step in ({}, ANSWERS, SEND):
        answer = client.post("/signaler/", fields_of(answer.content.decode()) | step)
    number = client.get(answer["Location"].split("?")[0]).context["info"].number
    found = queries.report(agent_of("voirie", town=town), number)
    assert found.details["ligne"] == "1"
    assert found.details["incident"] == "accessibilite"
    assert found.dataset == "bus-stops"
    assert "Incident dans un bus ou à un arrêt" in shown(client.get(f"/signalements/{number}/"))
    assert number in shown(client.get(f"/objet/{found.dataset}/{found.feature}/"))
