"""6-03: « by address: which bin on which day, open now, canteen menu of the day with allergens, collection sectors on
the map »."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.clock.collection import BadRhythm, collected, rhythm_of
from beffroi.base.clock.queries import holiday_on
from beffroi.base.kernel.geo import BBox
from beffroi.faces.portal.daily import pages
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source
from territory_makers import make_town

CODE, HOME = "00000", "/au-quotidien/6-03/"
AT = datetime(2026, 12, 24, 9, 0, tzinfo=UTC)
PLACES = """\
COLL_NOM,COLL_SIRET,EQUIP_UID,EQUIP_THEME,EQUIP_CODE,EQUIP_NOM,EQUIP_LAT,EQUIP_LONG,EQUIP_OUVERTURE,EQUIP_TEL
Bourg,00000000000017,EQ-1,Déchets,A504,Déchetterie,45.15,3.15,Mo-Fr 09:00-12:00; PH off,
Bourg,00000000000017,EQ-2,Parcs et jardins,F2xx,Square,45.16,3.16,Mo-Su 14:00-18:00,
Bourg,00000000000017,EQ-3,Ailleurs,F2xx,Bureau,45.16,3.16,24/7,
"""
MENUS = """\
collectiviteNom,collectiviteSiret,restaurantNom,restaurantType,restaurantConvive,menuDate,menuTypeRepas,menuTypePlat,menuNomPlat,menuSiqoPlat,menuLabelPlat,menuAllergenePlat,menuModificationDate
Bourg,21340172201787,École du Lavoir,restauration scolaire,élémentaire,2026-12-24,déjeuner,plat principal,Gratin de courge,,,"lait,gluten",
Bourg,21340172201787,École du Lavoir,restauration scolaire,élémentaire,2026-12-24,déjeuner,entrée,Potage,agriculture biologique,,,
Bourg,21340172201787,École Haute,restauration scolaire,élémentaire,2026-12-24,déjeuner,plat principal,Gratin de courge,,,"lait,gluten",
Bourg,21340172201787,École Haute,restauration scolaire,élémentaire,2026-12-24,déjeuner,entrée,Potage,agriculture biologique,,,
Bourg,21340172201787,École Haute,restauration scolaire,élémentaire,2026-12-28,déjeuner,entrée,Salade,,,moutarde,
"""  # noqa: E501


@pytest.fixture
def town(db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The sectors of the example of the use case, two canteens, three places; it is the day before Christmas, 10:00."""
    settings.LAKE_DIR = tmp_path / "lake"
    monkeypatch.setattr(pages, "now", lambda: AT)
    sectors = str(catalogue.catalogue().use_cases["6-03"].examples[0].when["collection"])
    for slug, name, text in (
        ("secteurs-collecte", "secteurs-collecte.geojson", sectors),
        ("menus-cantine", "menus-collectifs.csv", MENUS),
        ("equipements-publics", "scdl-equipements.csv", PLACES),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = import_source(
            tmp_path / name, territory=CODE, slug=slug, at=AT, lake=settings.LAKE_DIR, announce=False,
            definition=definition_named(slug, "", load_definitions()[0]),
        )  # fmt: skip
        assert done.version, done.reason
    return make_town(CODE, "Bourg-le-Jour", population=812, fictional=True, bbox=BBox(3.1, 45.0, 3.2, 45.2))


def test_at_an_address_each_bin_with_its_day_and_what_a_holiday_moves(town: str) -> None:
    page = Client().get(HOME, {"ou": "3.15, 45.15"})
    told = {one.one.flow: (one.next.day, one.next.instead_of) for one in page.context["bins"]}
    assert told == {
        "Ordures ménagères": (date(2026, 12, 24), None), "Verre": (date(2026, 12, 28), None),
    }  # fmt: skip
    (waste,) = [one for one in page.context["bins"] if one.one.flow == "Ordures ménagères"]
    assert [(one.day, one.instead_of) for one in waste.later[:2]] == [
        (date(2026, 12, 26), date(2026, 12, 25)),
        (date(2026, 12, 31), None),
    ]
    text = page.content.decode()
    assert "au lieu du" in text
    assert "Aucun secteur" in Client().get(HOME, {"ou": "3.95, 45.95"}).content.decode()
    assert Client().get(HOME, {"secteur": "Sud"}).context["tonight"] == []


def test_the_menu_of_the_day_with_its_allergens_and_those_that_are_not_told(town: str) -> None:
    page = Client().get(HOME)
    (meal,) = page.context["meals"]
    assert meal.restaurants == ("École Haute", "École du Lavoir"), "the same menu is told once"
    assert [(one.name, one.allergens) for one in meal.dishes] == [("Potage", ""), ("Gratin de courge", "lait, gluten")]
    text = page.content.decode()
    assert "Allergènes : lait, gluten" in text
    assert "Allergènes non renseignés" in text, "an empty cell is not « none »"
    (coming,) = page.context["coming"]
    assert coming.day == date(2026, 12, 28)


def test_what_is_open_now_the_nearest_of_each_kind(town: str) -> None:
    told = {one.one.title: one.is_open for one in Client().get(HOME).context["places"]}
    assert told == {"Déchetterie": True, "Square": False}
    near = Client().get(HOME, {"ou": "3.16, 45.16"}).context["places"]
    assert [one.one.title for one in near] == ["Square", "Déchetterie"]
    assert near[0].away is not None


def test_sectors_are_on_the_map_and_a_calendar_has_an_alarm_the_evening_before(town: str) -> None:
    shapes = Client().get(f"{HOME}secteurs.geojson").json()["features"]
    assert [(one["properties"]["title"], one["geometry"]["type"]) for one in shapes] == [
        ("Nord", "Polygon"),
        ("Sud", "Polygon"),
    ]
    linked = Client().get(shapes[0]["properties"]["url"])
    assert linked.context["sector"] == "Nord"
    answer = Client().get(linked.context["calendar"])
    assert answer.headers["Content-Type"].startswith("text/calendar")
    lines = answer.content.decode().split("\r\n")
    assert "DTSTART;VALUE=DATE:20261226" in lines
    assert "DTSTART;VALUE=DATE:20261225" not in lines
    assert "TRIGGER:-PT300M" in lines, "seven in the evening"
    assert max(len(line.encode()) for line in lines) <= 75
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(uids) == len(set(uids)) > 52
    assert Client().get(f"{HOME}collecte.ics", {"secteur": "Ouest"}).status_code == 404


def test_the_ways_a_holiday_moves_a_collection() -> None:
    def days(rhythm: Any, first: date, last: date) -> list[str]:
        found = collected(rhythm, first, last, is_holiday=lambda day: holiday_on(day, "metropole") is not None)
        return [one.day.isoformat() for one in found]

    week = date(2026, 5, 25), date(2026, 5, 31)  # Whit Monday 2026.
    assert days(rhythm_of("Mo,Th", on_holiday="maintenue"), *week) == ["2026-05-25", "2026-05-28"]
    assert days(rhythm_of("Mo,Th", on_holiday="lendemain"), *week) == ["2026-05-26", "2026-05-28"]
    assert days(rhythm_of("Mo,Th", on_holiday="semaine"), *week) == ["2026-05-26", "2026-05-29"]
    assert days(rhythm_of("Mo,Th", on_holiday="supprimee"), *week) == ["2026-05-28"]
    # A Saturday put off goes over Sunday into the week after, and is told there.
    assert days(rhythm_of("Sa", on_holiday="semaine"), date(2026, 6, 1), date(2026, 6, 1)) == ["2026-06-01"]
    assert days(rhythm_of("We", moved="2026-05-27>2026-05-29; 2026-06-03>"), *week) == ["2026-05-29"]
    assert days(rhythm_of("We", weeks="paires"), *week) == ["2026-05-27"], "the 22nd week"
    for wrong in ({"days": "lundi"}, {"days": "Mo", "weeks": "2"}, {"days": "Mo", "on_holiday": "?"},
                  {"days": "Mo", "moved": "Noël"}):  # fmt: skip
        with pytest.raises(BadRhythm):
            rhythm_of(**wrong)
