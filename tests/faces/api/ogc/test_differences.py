"""What changed between two dates, as GeoJSON for programs and as a page for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.operations import add_commune
from beffroi.lake import serving
from lake.store.lakes import AT, published, tree

pytestmark = pytest.mark.django_db
URL = "/ogc/collections/34172.arbres"
PAGE = "/donnees/34172/arbres/differences/"


@pytest.fixture
def changed(tmp_path: Path, settings: Any) -> Any:
    settings.LAKE_DIR = tmp_path / "lake"
    settings.DEFAULT_COMMUNE = "34172"
    add_commune(code="34172", name="Montpellier", at=datetime(2026, 3, 2, tzinfo=UTC))
    published(settings.LAKE_DIR, [tree(number) for number in range(1, 31)], id="id")
    after = [tree(number) for number in range(3, 33)]
    after[0] |= {"hauteur_m": 99.0}
    published(settings.LAKE_DIR, after, id="id", at=AT + timedelta(days=10))
    yield
    serving.close_all()


@pytest.mark.usefixtures("changed")
def test_a_date_answers_by_the_version_of_its_day(client: Client) -> None:
    counts = {
        "2026-11-22": 0, "2026-11-22T12:00:00Z/..": 30, "2026-11-23": 30, "../2026-11-30": 30, "2026-12-03": 30,
    }  # fmt: skip
    for date, count in counts.items():
        assert client.get(f"{URL}/items?datetime={date}").json()["numberMatched"] == count, date
    early = {one["id"] for one in client.get(f"{URL}/items?datetime=2026-11-25").json()["features"]}
    late = {one["id"] for one in client.get(f"{URL}/items?datetime=2026-12-24").json()["features"]}
    assert (early - late, late - early) == ({"1", "2"}, {"31", "32"})
    assert client.get(f"{URL}/items/1?datetime=2026-11-25").status_code == 200
    assert client.get(f"{URL}/items/1").status_code == 404


@pytest.mark.usefixtures("changed")
def test_a_walk_begun_before_an_update_ends_in_its_version(client: Client) -> None:
    page = client.get(f"{URL}/items?datetime=2026-11-25&limit=12").json()
    seen = []
    while True:
        seen += [one["id"] for one in page["features"]]
        following = [one["href"] for one in page["links"] if one["rel"] == "next"]
        if not following:
            break
        page = client.get(following[0].removeprefix("http://testserver")).json()
    assert sorted(map(int, seen)) == list(range(1, 31))


@pytest.mark.usefixtures("changed")
def test_differences_are_counted_and_given(client: Client) -> None:
    found = client.get(f"{URL}/differences?from=2026-11-25&to=2026-12-24").json()
    assert [found[f"number{kind}"] for kind in ("Added", "Removed", "Changed", "Matched", "Returned")] == [
        2,
        2,
        1,
        5,
        5,
    ]
    told = {one["id"]: (one["change"], one["changedProperties"]) for one in found["features"]}
    assert told["3"] == ("changed", ["hauteur_m"])
    assert (told["1"][0], told["31"][0]) == ("removed", "added")
    assert client.get(f"{URL}/differences").json()["features"] == found["features"]
    page = client.get(f"{URL}/differences?limit=2").json()
    (following,) = [one["href"] for one in page["links"] if one["rel"] == "next"]
    rest = client.get(following.removeprefix("http://testserver")).json()
    assert page["features"] + rest["features"] == found["features"][:4]
    for wrong in ("from=hier", "to=x", "limit=0", "datetime=2026-01-01"):
        assert client.get(f"{URL}/differences?{wrong}").status_code == 400, wrong


@pytest.mark.usefixtures("changed")
def test_people_have_a_page(client: Client) -> None:
    page = client.get(f"{PAGE}?du=2026-11-25&au=2026-12-24").content.decode()
    for words in ("Ajoutées : 2", "Retirées : 2", "Modifiées : 1", "Hauteur", "Différences 1 à 5 sur 5"):
        assert words in page, words
    assert "Rien n’a changé" in client.get(f"{PAGE}?du=2026-12-24&au=2026-12-25").content.decode()
    refused = client.get(f"{PAGE}?du=hier&au=2026-12-24")
    assert refused.status_code == 400
    assert "AAAA-MM-JJ" in refused.content.decode()
    assert "Ajoutées : 2" in client.get(PAGE).content.decode()
