"""The reports of the fictional town: believable, the same twice, written once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from beffroi.config.demo import reports as demo
from beffroi.serve.reports import queries, visits
from beffroi.serve.reports.queries import ReportFilter
from serve_makers import LAT, LON, agent_of, make_open_town
from territory_makers import AT, TOWN

pytestmark = pytest.mark.django_db


def test_a_town_gets_its_reports_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make_open_town()
    monkeypatch.setattr(demo, "COUNT", 60)
    places = [(LON + step / 5000, LAT, f"{step} rue du Four") for step in range(50)]
    at = AT + timedelta(days=200)
    assert demo.add_reports(TOWN, places=places, at=at) == 60
    assert demo.add_reports(TOWN, places=places, at=at) == 0
    everything = queries.public_reports(TOWN, at=at).total
    assert 0 < queries.public_reports(TOWN, ReportFilter(statuses=("closed",)), at=at).total < everything <= 60
    assert queries.queue(agent_of("proprete"), TOWN, ReportFilter(late=True), at=at).total > 0
    (contract,) = visits.contracts(agent_of("proprete"), TOWN)
    assert contract.name == "Nettoyage du marché"


def test_a_town_where_nothing_can_be_reported_gets_none() -> None:
    make_open_town(use_cases=())
    assert demo.add_reports(TOWN, places=[(LON, LAT, "x")], at=AT) == 0
