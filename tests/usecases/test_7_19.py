"""7-19, an intervention asked for inside the town hall: a request, a work order, its time and its cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.serve.cases.definition import Status
from beffroi.serve.reports import orders, queries
from desk_makers import sign_in_agent
from serve_makers import LAT, LON, make_open_town
from territory_makers import TOWN

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("7-19",))


def test_an_internal_request_becomes_a_work_order_with_time_and_cost(town: str) -> None:
    client, me = sign_in_agent("voirie")
    form = {
        "category": "intervention-batiment",
        "lat": str(LAT),
        "lon": str(LON),
        "title": "Réparer la porte du gymnase",
        "crew": "Serrurerie",
        "planned_on": str(timezone.localdate()),
    }
    order = client.post("/agent/interventions/nouvelle/", form, follow=True).context["order"]
    assert queries.report(me, order.number).case.status is Status.SCHEDULED
    assert "Interventions du jour" in client.get("/agent/").content.decode()
    done = {"action": "finish", "text": "Gond changé.", "hours": "1.5", "cost": "42", "close": "on"}
    client.post(f"/agent/interventions/{order.id}/", done)
    found = orders.work_order(me, order.id)
    assert (found.state, found.minutes, found.cost_cents) == ("done", 90, 4200)
    assert queries.report(me, order.number).case.status is Status.CLOSED
    # It is the town's own business.
    assert Client().get(f"/signalements/{order.number}/").status_code == 404
    assert orders.costs(me, TOWN, since=timezone.localdate(), until=timezone.localdate()) == [("voirie", 1, 90, 4200)]
