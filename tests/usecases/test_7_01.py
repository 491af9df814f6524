"""7-01, the town in 3D: « LOD1 from footprints and heights, LOD2 where given, any layer shown on it »."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.geo import BBox
from beffroi.sense.twin import tileset
from city_models import publish_town
from faces.browser.conftest import Watched, still, until, until_seen, wait_for_map
from faces.portal.small_town import AT, CODE, SOUTH, WEST
from sense.twin.test_model import numbers_of, opened

LON, LAT = WEST + 0.01, SOUTH + 0.01


@pytest.fixture(scope="module")
def maquette(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake with two blocks and a house."""
    folder = tmp_path_factory.mktemp("maquette-7-01")
    publish_town(folder, CODE, AT, lon=LON, lat=LAT)
    return folder


@pytest.fixture
def modelled(small_town: str, maquette: Path, settings: Any) -> str:
    """The small town with the model in its lake."""
    settings.LAKE_DIR = maquette / "lake"
    return small_town


@pytest.mark.django_db
def test_the_page_says_what_the_model_is_made_of(modelled: str, client: Client) -> None:
    page = client.get("/maquette/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "2 bâtiments en blocs, leur emprise élevée à leur hauteur" in text
    assert "1 bâtiment avec ses vrais toits" in text
    assert "Maison du gardien (7 m de haut)" in text
    for address in re.findall(r'href="(/(?:donnees/\d+/maisons/fiche|citymodel)[^"]*)"', page):
        assert client.get(address).status_code == 200
    assert 'href="/maquette/"' in client.get("/carte/").content.decode()


@pytest.mark.django_db
def test_the_sheet_of_a_detailed_building_tells_its_heights_and_not_its_corners(modelled: str, client: Client) -> None:
    page = client.get(f"/donnees/{CODE}/maisons/fiche/maison/").content.decode()
    assert "Hauteur" in page
    assert "Maison du gardien" in page
    assert "boundaries" not in page
    assert "volume 3D" in client.get(f"/donnees/{CODE}/maisons/tableau/").content.decode()


@pytest.mark.django_db
def test_the_map_is_told_which_block_gives_way(modelled: str, client: Client) -> None:
    page = client.get("/carte/")
    (volumes,) = json.loads(page.context["config"])["volumes"]
    (x, y), *_rest = tileset.squares(BBox(LON, LAT, LON, LAT), volumes["zoom"])
    address = volumes["url"].replace("{z}", str(volumes["zoom"])).replace("{x}", str(x)).replace("{y}", str(y))
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    root, data = opened(answer.content)
    extras = root["scenes"][0]["extras"]
    assert extras["buildings"] == [["maison", 50.0]]
    assert extras["hidden"] == ["B1"]
    heights = [numbers_of(root, data, one["attributes"]["POSITION"])[:, 1] for one in root["meshes"][0]["primitives"]]
    assert (min(one.min() for one in heights), max(one.max() for one in heights)) == (50.0, 57.0)
    beside = address.replace(f"/{x}/{y}.glb", f"/{x + 40}/{y}.glb")
    assert client.get(beside).status_code == 204


@pytest.mark.django_db
def test_the_model_leaves_by_zone_and_by_day(modelled: str, client: Client) -> None:
    zone = f"bbox={LON - 0.0002},{LAT - 0.0002},{LON + 0.0005},{LAT + 0.0005}"
    address = f"/citymodel/{CODE}/batiments.city.json"
    today, then = (client.get(f"{address}?{zone}{more}").json() for more in ("", f"&date={AT:%Y-%m-%d}"))
    assert list(today["CityObjects"]) == ["maisons.maison"]
    assert list(then["CityObjects"]) == ["batiments.B1"]
    tiles = client.get(f"/citymodel/{CODE}/tileset.json").json()["root"]["children"]
    found = [opened(client.get(one["content"]["uri"]).content)[0] for one in tiles]
    counts = [
        one["extensions"]["EXT_structural_metadata"]["propertyTables"][0]["count"] for one in found if "nodes" in one
    ]
    assert sum(counts) == 2
    assert {link["type"] for link in client.get("/citymodel/").json()["links"]} == {
        "application/city+json",
        "application/json",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        (f"{CODE}/tileset.json?date=2001-01-01", 404, "aucun bâtiment connu"),
        (f"{CODE}/tileset.json?date=hier", 400, "n’est pas une date"),
        (f"{CODE}/batiments.city.json?bbox=1,2", 400, "emprise"),
        (f"{CODE}/3/1/1.glb", 400, "la tuile 3/1/1 n’existe pas"),
        ("99999/tileset.json", 404, "99999"),
    ],
)
def test_what_cannot_be_had_is_told(address: str, status: int, said: str, modelled: str, client: Client) -> None:
    answer = client.get(f"/citymodel/{address}")
    assert (answer.status_code, said in answer.json()["title"]) == (status, True)


@pytest.mark.django_db
def test_a_town_without_buildings_says_so(small_town: str, settings: Any, tmp_path: Path, client: Client) -> None:
    settings.LAKE_DIR = tmp_path
    page = client.get("/maquette/")
    assert page.status_code == 200
    assert "Pas encore de bâtiments" in page.content.decode()


@pytest.mark.chromium
@pytest.mark.slow
def test_a_real_roof_stands_on_the_map_and_opens_its_sheet(visit: Callable[..., Watched]) -> None:
    watched = visit(f"/carte/#z=19&lat={SOUTH + 0.00943}&lon={WEST + 0.01136}&pente=50")
    page = watched.page
    wait_for_map(page)
    until(page, "document.querySelector('.map').dataset.volumes === 'yes'")
    until(page, "performance.getEntriesByType('resource').some((one) => one.name.includes('.glb') && one.responseEnd)")
    canvas, title = page.locator(".map canvas"), "document.querySelector('.map-sheet h2')?.textContent"

    def touch() -> None:
        box = canvas.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    # A touch asks for what is drawn there: the roof, once it is.
    is_told = f"{title} === 'Maison du gardien'"
    until_seen(page, lambda: page.evaluate(is_told), "the sheet of the roof", after=touch)
    before = still(page)
    page.locator("details:has(#style) summary").click()
    page.locator("[data-base=batiments]").uncheck()
    until(page, "!document.querySelector('[data-base=batiments]').checked")
    until_seen(page, lambda: canvas.screenshot() != before, "a map without its roofs")
    page.locator("[data-base=batiments]").check()
    page.evaluate("document.querySelector('.map-sheet').replaceChildren()")
    until_seen(page, lambda: page.evaluate(is_told), "the roof that is back", after=touch)
    assert watched.complaints == []
