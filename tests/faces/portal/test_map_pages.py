"""The map as the server tells it: themes, days, other sites, lists in step with what the map shows."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pmtiles.reader import MemorySource, all_tiles

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.territory.viewer import Role
from beffroi.faces.portal.showing import THEME_FOLDERS
from beffroi.lake import operations
from beffroi.lake.definitions import Definition
from beffroi.lake.terrain import import_terrain
from faces.portal.small_town import BBOX, CODE

pytestmark = pytest.mark.django_db


def config(answer: Any) -> dict[str, Any]:
    return json.loads(answer.context["config"])


def on(answer: Any) -> set[str]:
    return {one["id"] for one in config(answer)["layers"] if one["shown"]}


def test_the_map_opens_on_each_of_the_twelve_themes(small_town: str, client: Client) -> None:
    slugs = {one.slug for one in catalogue.themes()} - {"plateforme"}
    assert slugs == THEME_FOLDERS.keys()
    assert on(client.get("/carte/")) == set()
    answer = client.get("/carte/", {"theme": "culture-sport-loisirs"})
    # Parks are on already: they are part of the base map.
    assert on(answer) == {"arbres"}
    assert '<h1 id="titre">Carte : Culture, sport et loisirs</h1>' in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [("theme=inconnu", "le thème « inconnu » n’existe pas"), ("date=hier", "« hier » n’est pas une date")],
)
def test_an_address_the_map_cannot_follow_is_refused_in_words(
    query: str, said: str, small_town: str, client: Client
) -> None:
    answer = client.get(f"/carte/?{query}")
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_a_day_shows_what_was_known_then(small_town: str, client: Client, settings: Any, tmp_path: Path) -> None:
    """Two versions of the same tree: the map of the day of the first shows the first, and its sheet too."""
    settings.LAKE_DIR = tmp_path / "lake"
    definition = Definition("arbres", theme="espaces_verts", title="Arbres", id="numero")
    versions = []
    for month, kind in ((3, "Tilleul"), (5, "Érable")):
        source = tmp_path / "arbres.csv"
        source.write_text(f"numero;essence;lon;lat\n1;{kind};3.001;45.001\n2;Platane;3.002;45.002\n")
        at = datetime(2026, month, 2, 9, 0, tzinfo=UTC)
        outcome = operations.import_source(
            source, territory=CODE, at=at, definition=definition, lake=settings.LAKE_DIR, announce=False
        )
        versions.append(outcome.version)
    (now,) = config(client.get("/carte/"))["layers"]
    assert versions[1] in now["tiles"]
    assert now["suffix"] == ""
    then = client.get("/carte/", {"date": "2026-03-02"})
    (past,) = config(then)["layers"]
    assert versions[0] in past["tiles"]
    assert past["suffix"] == f"?version={versions[0]}"
    assert "le 2 mars 2026 au soir" in then.content.decode()
    assert "Tilleul" in client.get(f"{past['page']}fiche/1/{past['suffix']}&fragment").content.decode()
    before = client.get("/carte/", {"date": "2026-03-01"})
    assert config(before)["layers"] == []
    assert "1 jeu de données est arrivé depuis" in before.content.decode()


def test_only_the_map_for_other_sites_may_be_framed_and_it_shows_what_is_public(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    embedded = client.get("/carte/integrer/")
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in embedded.headers
    assert "script-src 'self'" in embedded.headers["Content-Security-Policy"]
    for address in ("/carte/", "/carte/liste/", "/carte/ici/", "/"):
        answer = client.get(address)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
    agent = signed_in(Role.AGENT)
    assert config(agent.get("/carte/integrer/"))["layers"] == config(embedded)["layers"]


def test_the_list_follows_the_frame_of_the_map(small_town: str, client: Client) -> None:
    """120 trees stand every 0.00013° from 3.002: the box holds those up to 3.0026."""
    address = {"couche": "arbres", "bbox": "3.0,45.0,3.0026,45.02"}
    answer = client.get("/carte/liste/", address)
    assert {item["name"] for item in answer.context["items"]} == {f"Arbre {n:03}" for n in range(5)}
    assert "Seulement ce que la carte montrait." in answer.content.decode()
    assert "L. Martin" not in answer.content.decode()
    wide = client.get("/carte/liste/", address | {"bbox": "3.0,45.0,3.02,45.02"})
    assert len(wide.context["items"]) == 50
    rest = client.get("/carte/liste/", address | {"bbox": "3.0,45.0,3.02,45.02", "apres": wide.context["next"]})
    assert rest.context["items"][0]["name"] not in {item["name"] for item in wide.context["items"]}
    assert client.get("/carte/liste/", address | {"bbox": "3,4"}).status_code == 400


def test_the_base_is_told_with_the_page_so_that_nothing_but_tiles_is_asked_for(small_town: str, client: Client) -> None:
    base = config(client.get("/carte/"))["base"]
    assert [one["role"] for one in base] == ["green", "streets", "buildings", "districts"]
    for one in base:
        told = client.get(one["tiles"]).json()
        assert (one["known"]["min"], one["known"]["max"]) == (told["minzoom"], told["maxzoom"])
        assert one["known"]["fields"] == list(told["vector_layers"][0]["fields"])


def test_the_relief_is_on_the_map_and_its_tiles_are_kept(
    small_town: str, client: Client, settings: Any, tmp_path: Path
) -> None:
    assert config(client.get("/carte/"))["terrain"] is None
    settings.LAKE_DIR = tmp_path
    grid = tmp_path / "mnt.asc"
    rows = "\n".join(" ".join(["12.5"] * 30) for _ in range(30))
    grid.write_text(f"ncols 30\nnrows 30\nxllcorner {BBOX[0]}\nyllcorner {BBOX[1]}\ncellsize 0.001\n{rows}\n")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    known = import_terrain(grid, lake=tmp_path, territory=CODE, at=at, crs="EPSG:4326")
    told = config(client.get("/carte/"))["terrain"]
    z, x, y = known.max_zoom, *(int(part) for part in _tile(known.max_zoom, BBOX[0] + 0.01, BBOX[1] + 0.01))
    answer = client.get(told["url"].format(z=z, x=x, y=y))
    assert answer.headers["Content-Type"] == "image/png"
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(told["url"].format(z=z, x=0, y=0)).status_code == 204
    assert (
        client.get(
            told["url"].replace(known.version, "20260101T000000Z-000000000000").format(z=z, x=x, y=y)
        ).status_code
        == 404
    )


def _tile(z: int, lon: float, lat: float) -> tuple[float, float]:
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return (lon + 180) / 360 * 2**z, y


def archived_text(client: Client, layer: dict[str, Any]) -> bytes:
    """Return all the tiles of a layer's archive, unpacked, one after the other."""
    answer = client.get(layer["tiles"].replace(".json", ".pmtiles"))
    assert answer.status_code == 200
    archive = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return b"".join(gzip.decompress(tile) for _place, tile in all_tiles(MemorySource(archive)))


def test_no_tile_of_the_public_map_holds_what_is_kept_for_agents(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    """Every tile of every layer, base included; the same walk finds it for an agent, so that it could fail."""
    for reader, seen in ((client, False), (signed_in(Role.AGENT), True)):
        told = config(reader.get("/carte/"))
        text = b"".join(archived_text(reader, one) for one in (*told["layers"], *told["base"]))
        assert (b"L. Martin" in text) is seen
        assert (b"releve_par" in text) is seen
        assert "Astreintes" not in {one["title"] for one in told["layers"]}
