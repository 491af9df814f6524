"""Two Open311 clients that were not written here, as their authors published them: `three` sends, `georeport` reads."""

from __future__ import annotations

import importlib
import io
import itertools
import warnings
from typing import Any

import pytest
from georeport import GeoReport

from beffroi.base.kernel.time import now
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports import operations
from serve_makers import LAT, LON, agent_of, make_open_town, photo
from territory_makers import TOWN, make_key

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(transactional_db: None, live_server: Any, settings: Any) -> str:
    settings.DEFAULT_COMMUNE = TOWN
    settings.ALLOWED_HOSTS = ["*"]
    make_open_town()
    return f"{live_server.url}/open311/"


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client of 2013: one name that Python has since removed is given back, its own code is left as it is."""
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    with warnings.catch_warnings(action="ignore"):
        # What Python has come to find strange in its dependencies.
        return importlib.import_module("three")


def test_they_send_and_follow_a_report_without_a_change(address: str, three: Any) -> None:
    key = make_key("reports:write")
    client = three.Three(f"{address}v2/", api_key=key, jurisdiction=TOWN, discovery=f"{address}discovery.json")
    assert client.discovery()["endpoints"][0]["url"] == f"{address}v2"
    assert "depot-sauvage" in {one["service_code"] for one in client.services()}
    assert client.services("voiture-ventouse")["attributes"][0]["code"] == "jours"
    place = {"lat": str(LAT), "long": str(LON)}
    (sent,) = client.post("depot-sauvage", description="Un matelas", name="Camille Durand", phone="0612345678", **place)
    number = sent["service_request_id"]
    (pictured,) = client.post("depot-sauvage", media=io.BytesIO(photo().content), **place)
    assert pictured["service_request_id"] != number
    (refused,) = client.post("depot-sauvage", api_key="fausse", **place)
    assert refused["code"] == 403

    assert client.request(number)[0]["status"] == "open"
    operations.close_report(number=number, outcome=Outcome.DONE, reason="Ramassé.", by=agent_of("proprete"), at=now())
    (followed,) = client.request(number)
    assert (followed["status"], followed["status_notes"]) == ("closed", "Ramassé.")
    assert len(client.requests("depot-sauvage")) == 2
    assert len(client.requests(count=1)) == 1

    for form in ("json", "xml"):
        reader = GeoReport(f"{address}v2", jurisdiction=TOWN, output_format=form)
        assert "depot-sauvage" in {one["service_code"] for one in reader.get_service_list()}
        assert {one["service_request_id"] for one in reader.get_service_requests()} == {
            number,
            pictured["service_request_id"],
        }
