"""1-23, pounds and useful places: « on the map with hours »."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.test import Client

from beffroi.base.catalogue import counting, operations, queries
from beffroi.base.clock.opening import BadHours, opening_rules
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.hours import hours_lines, hours_text
from beffroi.lake import queries as lake
from beffroi.lake.definitions import definition_for, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.lake.town import write_town
from faces.portal.small_town import CODE

SERVICE = "/services/1-23/"
THEME = "/services/?theme=proprete-sante"
NBSP = "\u00a0"


def shown(page: str) -> str:
    """The text of a page: without its tags, spaces made one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace(NBSP, " ")))


@pytest.mark.django_db
@pytest.mark.parametrize("address", [THEME, "/services/", "/recherche/?q=fourriere"])
def test_it_is_found_from_the_home_page_the_services_and_the_search(
    address: str, small_town: str, client: Client
) -> None:
    assert f'href="{THEME}"' in client.get("/").content.decode()
    assert f'href="{SERVICE}"' in client.get(address).content.decode()


@pytest.mark.django_db
def test_the_places_are_on_the_map(small_town: str, client: Client) -> None:
    answer = client.get(SERVICE)
    config = json.loads(answer.context["layers"].map.config)
    (layer,) = config["layers"]
    assert (layer["id"], layer["geometry"], layer["shown"]) == ("lieux-utiles", "Point", True)
    west, south, east, north = config["bbox"]
    assert west <= 3.0040 < 3.0100 <= east
    assert south <= 45.0090 < 45.0100 <= north
    tiles = client.get(layer["tiles"]).json()
    assert tiles["vector_layers"][0]["id"]
    assert re.search(r'data-map="\{', answer.content.decode())


@pytest.mark.django_db
def test_the_list_says_the_hours_in_words_and_needs_no_map(small_town: str, client: Client) -> None:
    answer = client.get(SERVICE)
    text = shown(answer.content.decode())
    assert "Fourrière du Bas Adresse 12 Rue du Lavoir" in text
    assert "Lundi au vendredi : 8 h 30 – 12 h et 13 h 30 – 17 h Jours fériés : fermé" in text
    assert "Tous les jours : 24 h sur 24" in text
    # What cannot be read is shown as published, never guessed nor dropped.
    assert "sur rendez-vous" in text
    assert "Source : Commune de Bourg-l’Essai, version du 2 mars 2026." in text
    (listed,) = answer.context["layers"].datasets
    assert [place.name for place in listed.places] == [
        "Bureau des objets trouvés",
        "Consigne à vélos",
        "Fourrière du Bas",
    ]


@pytest.mark.django_db
def test_each_place_opens_on_its_sheet_with_the_same_hours(small_town: str, client: Client) -> None:
    (listed,) = client.get(SERVICE).context["layers"].datasets
    page = client.get(f"/donnees/{CODE}/lieux-utiles/fiche/{listed.places[2].id}/").content.decode()
    assert "Fourrière du Bas" in page
    assert "lundi au vendredi : 8 h 30 – 12 h et 13 h 30 – 17 h ; jours fériés : fermé" in shown(page)


@pytest.mark.django_db
def test_a_town_that_has_not_published_says_so(settings: object, tmp_path: Path, small_town: str) -> None:
    settings.LAKE_DIR = tmp_path  # type: ignore[attr-defined]
    page = Client().get(SERVICE)
    assert page.status_code == 200
    assert "Pas encore de données ici" in page.content.decode()


@pytest.mark.django_db
def test_its_use_is_counted_by_public(small_town: str, client: Client, signed_in: Callable[..., Client]) -> None:
    counting.BUFFER._counts.clear()
    today = datetime.now(UTC)
    client.get(SERVICE)
    signed_in(Role.AGENT).get(SERVICE)
    operations.flush_usage()
    assert queries.usage_totals(small_town, since=date(today.year, 1, 1))["1-23"] == 2


def test_every_place_of_the_generated_town_is_located_and_says_its_hours(tmp_path: Path) -> None:
    town = write_town(tmp_path / "ville", population=2_000)
    source = town.folder / "equipements" / "lieux_utiles.csv"
    definitions, _faults = load_definitions()
    outcome = import_source(
        source,
        territory=town.insee,
        at=datetime(2026, 3, 2, tzinfo=UTC),
        definition=definition_for(source.name, town.insee, definitions),
        lake=tmp_path / "lake",
        announce=False,
    )
    assert outcome.version is not None, outcome.reason
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.LAKE_DIR", tmp_path / "lake")
        page = lake.table(ANONYMOUS, DatasetRef(town.insee, "lieux-utiles"), limit=100)
    rows = [dict(zip((column.key for column in page.columns), row, strict=True)) for row in page.rows]
    assert {"Fourrière automobile", "Fourrière animale", "Objets trouvés", "Déchetterie", "Mairie annexe"} <= {
        row["equip_type"] for row in rows
    }
    assert all(hours_lines(row["equip_ouverture"]) for row in rows)
    assert all(row["equip_tel"].startswith("+33536") for row in rows)
    west, south, east, north = town.bbox
    assert all(west < row["equip_long"] < east and south < row["equip_lat"] < north for row in rows)
    assert len({row["adr_cle_interop"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("24/7", "tous les jours : 24 h sur 24"),
        ("Mo-Su 07:00-21:00", "tous les jours : 7 h – 21 h"),
        ("Mo,We,Fr 08:30-12:00; PH off", "lundi, mercredi et vendredi : 8 h 30 – 12 h ; jours fériés : fermé"),
        ("Su,PH 10:00-18:00", "dimanche et jours fériés : 10 h – 18 h"),
        ("Apr-Oct Mo-Sa 08:30-18:30", "avril à octobre, lundi au samedi : 8 h 30 – 18 h 30"),
        ("Fr-Sa 22:00-02:00", "vendredi et samedi : 22 h – 2 h"),
        ("sur rendez-vous", ""),
        ("Mo 8h-12h", ""),
        ("Mo 25:99-26:00", ""),
        ("", ""),
        ("Mo-Fr 08:00-12:00;" * 60, ""),
    ],
)
def test_hours_are_said_as_people_say_them_or_not_at_all(written: str, said: str) -> None:
    assert hours_text(written).replace(NBSP, " ") == said


@pytest.mark.parametrize("text", ["", "lundi", "Mo-Fr 08:00", "Mo;;Tu", "Mo-Fr 99:00-12:00"])
def test_hours_that_are_not_are_refused_with_a_model(text: str) -> None:
    with pytest.raises(BadHours, match="Mo-Fr 08:30-12:00"):
        opening_rules(text)
