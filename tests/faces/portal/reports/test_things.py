"""A report about a known thing: whose it is, its guarantee and the works of its street are known at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.definitions import Definition
from beffroi.lake.operations import import_source
from beffroi.lake.store import DatasetRef
from beffroi.sense.mobility.models import Works
from beffroi.sense.mobility.works.queries import works_near
from desk_makers import QUEUE, sign_in_agent
from faces.portal.reports.test_filing import shown
from serve_makers import file_in_town

LON, LAT = 3.0045, 45.0092
pytestmark = pytest.mark.django_db


@pytest.fixture
def lamp(reporting_town: str, tmp_path: Path, settings: Any) -> str:
    """A lamp under guarantee, in a lake of its own; return its number."""
    settings.LAKE_DIR = tmp_path / "lake"
    settings.STRONG_AUTH = False
    end = timezone.localdate() + timedelta(days=300)
    source = tmp_path / "points-lumineux.csv"
    source.write_text(
        "nom;proprietaire;gestionnaire;fin_de_garantie;lat;lon\n"
        f"L-1;Syndicat d’énergie;Lumière et Cie;{end};{LAT};{LON}\n",
        encoding="utf-8",
    )
    definition = Definition("points-lumineux", theme="voirie", title="Points lumineux", id="nom")
    import_source(
        source,
        territory=reporting_town,
        at=timezone.now(),
        definition=definition,
        lake=settings.LAKE_DIR,
        announce=False,
    )
    (row,) = lake.rows(ANONYMOUS, DatasetRef(reporting_town, "points-lumineux"), columns=["_id"]).rows
    return str(row[0])


def works(town: str, lon: float, *, days: int = 10) -> int:
    """Publish works of ten metres of street, that begin in some days."""
    first = timezone.localdate() + timedelta(days=days)
    stretch = {
        "name": "Grande Rue",
        "lon": lon,
        "lat": LAT,
        "length_m": 16,
        "line": [[lon - 1e-4, LAT], [lon + 1e-4, LAT]],
    }
    phase = {"first": str(first), "last": str(first + timedelta(days=4)), "who": [], "stretches": [stretch]}
    now = timezone.now()
    return Works.objects.create(
        territory=town, service="voirie", title="Enfouissement des réseaux", state=Works.PUBLISHED, chosen=0,
        scenarios=[{"title": "Seul", "phases": [phase]}], first=first, last=first + timedelta(days=4), created_at=now,
        updated_at=now, published_at=now,
    ).pk  # fmt: skip


def test_the_agent_and_the_resident_know_at_once(lamp: str, reporting_town: str) -> None:
    planned = works(reporting_town, LON)
    sent = file_in_town(
        reporting_town, "eclairage-panne", lon=LON, lat=LAT, at=timezone.now(), dataset="points-lumineux", feature=lamp
    )
    client, _ = sign_in_agent("voirie", town=reporting_town)
    for page in (client.get(f"{QUEUE}{sent.number}/"), Client().get(f"/objet/points-lumineux/{lamp}/")):
        text = shown(page)
        assert all(word in text for word in ("Syndicat d’énergie", "Lumière et Cie", "sous garantie", "Travaux prévus"))
        assert f'href="/travaux/{planned}/"' in page.content.decode()


def test_works_are_those_of_its_street_that_are_not_over(reporting_town: str) -> None:
    here = works(reporting_town, LON)
    works(reporting_town, LON + 0.002)
    works(reporting_town, LON, days=-30)
    found = works_near(reporting_town, LON, LAT + 0.0001, at=timezone.now(), radius_m=25)
    assert [one.id for one in found] == [here]
