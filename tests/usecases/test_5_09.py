"""5-09, service done: visits recorded on site, missing ones alerted, a month against the promised levels."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from beffroi.base.clock import queries as clock
from beffroi.serve.reports import visits
from beffroi.serve.reports.visits import PlannedPlace
from desk_makers import sign_in_agent
from serve_makers import LAT, LON, make_open_town, photo
from territory_makers import AT, TOWN

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Any, tmp_path: Any) -> str:
    settings.STRONG_AUTH, settings.DATA_DIR = False, tmp_path
    return make_open_town(use_cases=("5-09",))


def test_a_contract_is_followed_from_its_visits_to_its_bill(town: str) -> None:
    client, me = sign_in_agent("proprete")
    now = timezone.now()
    today = timezone.localdate(now, clock.timezone_of(TOWN))
    yesterday = today - timedelta(days=1)
    contract = visits.add_contract(
        territory=TOWN,
        service="proprete",
        name="Sanisettes",
        provider="Propre et Net",
        starts_on=yesterday,
        ends_on=today + timedelta(days=60),
        places=[PlannedPlace("Gare", LON, LAT, "1234567", time(0), time(23, 59))],
        visit_cents=8000,
        penalty_cents=5000,
        by=me,
        at=datetime.combine(yesterday, time(8), clock.timezone_of(TOWN)),
    )
    page = client.get("/agent/passages/")
    (visit,) = [one for one, _state, _kind in page.context["today"]]
    client.post(f"/agent/passages/{visit.id}/constat/", {"lat": str(LAT), "lon": str(LON)})
    # Nobody proved yesterday's: the night's run tells it, and it awaits the agent in the morning.
    assert visits.note_missing_visits(now) == 1
    assert "Passages manquants" in client.get("/agent/").content.decode()
    assert [one.day for one in client.get("/agent/passages/").context["missing"]] == [yesterday]
    months = {yesterday.replace(day=1), today.replace(day=1)}
    told = [visits.monthly_statement(me, contract, year=one.year, month=one.month) for one in months]
    assert (sum(one.expected for one in told), sum(one.done for one in told)) == (2, 1)
    shown = client.get(f"/agent/passages/contrat/{contract}/{today:%Y-%m}/").content.decode()
    assert "promise au contrat : 95,0 %" in shown


def test_the_photo_of_a_visit_is_redrawn_and_shown_to_its_service_alone(town: str) -> None:
    client, me = sign_in_agent("proprete")
    day = timezone.localdate(timezone.now(), clock.timezone_of(TOWN))
    visits.add_contract(
        territory=TOWN,
        service="proprete",
        name="Sanisettes",
        provider="Propre et Net",
        starts_on=day,
        ends_on=day + timedelta(days=60),
        places=[PlannedPlace("Gare", LON, LAT, "1234567", time(0), time(23, 59))],
        by=me,
        at=timezone.now(),
    )
    (visit,) = [one for one, _state, _kind in client.get("/agent/passages/").context["today"]]
    exif = Image.Exif()
    exif[0x010E] = "Chez Camille"
    upload = photo(size=(900, 600), exif=exif)
    proof = {"lat": str(LAT), "lon": str(LON), "photo": SimpleUploadedFile("vue.jpg", upload.content, "image/jpeg")}
    client.post(f"/agent/passages/{visit.id}/constat/", proof)
    address = f"/agent/passages/{visit.id}/photo/"
    assert address in client.get("/agent/passages/").content.decode()
    shown = client.get(address)
    assert "private" in shown["Cache-Control"]
    content = b"".join(shown.streaming_content)
    assert b"Chez Camille" in upload.content
    assert b"Chez Camille" not in content
    assert Image.open(io.BytesIO(content)).size == (900, 600)
    assert max(Image.open(io.BytesIO(b"".join(client.get(f"{address}?petite").streaming_content))).size) < 900
    stranger, _ = sign_in_agent("voirie", email="voirie@exemple.fr")
    assert stranger.get(address).status_code == 404
    assert Client().get(address).status_code in (302, 403)


def test_a_visit_is_missing_from_the_first_hour_of_the_next_day_where_the_town_stands(town: str) -> None:
    _client, me = sign_in_agent("proprete")
    visits.add_contract(
        territory=TOWN,
        service="proprete",
        name="Sanisettes",
        provider="Propre et Net",
        starts_on=AT.date(),
        ends_on=AT.date() + timedelta(days=60),
        places=[PlannedPlace("Gare", LON, LAT, "1234567", time(6), time(20))],
        by=me,
        at=AT,
    )
    # In March the town is an hour ahead of UTC: its day ends at 23:00 UTC.
    assert visits.note_missing_visits(AT.replace(hour=22, minute=30)) == 0
    assert visits.note_missing_visits(AT.replace(hour=23, minute=30)) == 1
