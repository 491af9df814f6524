"""Clients that were not written here read every collection as they are: GDAL, OWSLib, and the requests QGIS makes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from owslib.ogcapi.features import Features
from owslib.ogcapi.records import Records

from beffroi.lake import serving
from lake.store.lakes import TREES, in_territory, published, tree

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
TREES_COUNT = 1_100
TABLE = tuple(column for column in TREES if column.key in ("id", "espece"))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with points on more than a page, lines and polygons mixed, a table, and another commune."""
    folder = tmp_path_factory.mktemp("clients") / "lake"
    published(folder, [tree(number) for number in range(1, TREES_COUNT + 1)])
    shapes = ["LINESTRING(3.8 43.5,3.9 43.6)", "POLYGON((3.8 43.5,3.9 43.5,3.9 43.6,3.8 43.5))", None]
    published(folder, [tree(i, geometry=shape) for i, shape in enumerate(shapes)], slug="formes")
    rows = [{"id": number, "espece": "Orme"} for number in range(30)]
    published(folder, rows, TABLE, slug="tableau")
    in_territory(folder, "93010", [tree(1)])
    return folder


@pytest.fixture
def address(live_server: Any, settings: Any, lake: Path) -> Iterator[str]:
    settings.LAKE_DIR = lake
    settings.ALLOWED_HOSTS = ["*"]
    yield f"{live_server.url}/ogc/"
    serving.close_all()


COUNTS = {"34172.arbres": TREES_COUNT, "34172.formes": 3, "34172.tableau": 30, "93010.arbres": 1, "catalogue": 4}


# In a process of its own: while GDAL waits for an answer, Python cannot give one.
GDAL = """
import json, sys
import pyogrio
url, told = sys.argv[1], {}
told["layers"] = [name for name, _ in pyogrio.list_layers("OAPIF:" + url)]
for name in told["layers"]:
    told[name] = len(pyogrio.raw.read("OAPIF:" + url, layer=name)[2])
trees = {"layer": "34172.arbres", "columns": ["id"]}
told["box"] = pyogrio.raw.read("OAPIF:" + url, bbox=(3.80, 43.56, 3.85, 43.60), **trees)[3][0].tolist()
where = "espece = 'Platane 3' AND id > 900"
told["where"] = pyogrio.raw.read("OAPIF:" + url, where=where, **trees)[3][0].tolist()
print(json.dumps(told))
"""


def test_gdal_reads_every_collection(address: str) -> None:
    command = [sys.executable, "-c", GDAL, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["layers"]) == set(COUNTS)
    assert {name: told[name] for name in COUNTS} == COUNTS
    assert sorted(told["where"]) == [number for number in range(901, TREES_COUNT + 1) if number % 7 == 3]
    inside = [
        number
        for number in range(1, TREES_COUNT + 1)
        if (number * 37 % 1000) / 10000 <= 0.05 and (number * 91 % 1000) / 10000 <= 0.04
    ]
    assert sorted(told["box"]) == inside


def test_owslib_reads_every_collection(address: str) -> None:
    features = Features(address)
    assert len(features.conformance()["conformsTo"]) > 20
    assert features.api()["openapi"].startswith("3.0")
    assert set(features.feature_collections()) == set(COUNTS) - {"catalogue"}
    for name, count in COUNTS.items():
        page = features.collection_items(name, limit=10)
        assert (name, page["numberMatched"]) == (name, count)
        one = features.collection_item(name, page["features"][0]["id"])
        assert one["properties"] == page["features"][0]["properties"]
    assert features.collection_queryables("34172.arbres")["properties"]["espece"]["type"] == "string"
    box = features.collection_items("34172.arbres", bbox=[3.80, 43.56, 3.85, 43.60], limit=5)
    assert box["numberReturned"] == 5
    records = Records(address)
    assert records.records() == ["catalogue"]
    assert records.collection_items("catalogue", q="formes")["numberMatched"] == 1


QGIS = [
    ("", "application/json"),
    ("api", "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0, application/json"),
    ("conformance", "application/json"),
    ("collections", "application/json"),
    ("collections/34172.arbres", "application/json"),
    ("collections/34172.arbres/queryables", "application/schema+json"),
    ("collections/34172.arbres/items?limit=10", "application/geo+json, application/json"),
    ("collections/34172.arbres/items?limit=1000&bbox=3.8,43.56,3.85,43.6"
     "&bbox-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84", "application/geo+json, application/json"),
    ("collections/34172.arbres/items?limit=1000&crs=http://www.opengis.net/def/crs/EPSG/0/2154"
     "&bbox=764000,6274000,768000,6279000&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/2154",
     "application/geo+json, application/json"),
    ("collections/34172.arbres/items?limit=1000&filter=(espece%20%3D%20%27Platane%203%27)&filter-lang=cql2-text",
     "application/geo+json, application/json"),
    ("collections/34172.arbres/items?limit=1000&datetime=2026-11-24T00:00:00Z/..",
     "application/geo+json, application/json"),
]  # fmt: skip


def test_the_requests_of_qgis_are_answered(address: str, client: Any) -> None:
    """As its provider sends them (qgsoapif*.cpp, 3.40); it takes the page size from the description."""
    for path, accept in QGIS:
        answer = client.get(f"/ogc/{path}", headers={"Accept": accept})
        assert answer.status_code == 200, (path, answer.content)
        assert answer.headers["Content-Type"].split(";")[0] in accept
        json.loads(answer.content)
    limit = client.get("/ogc/api").json()["components"]["parameters"]["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (1_000, 10_000)


def test_who_walks_the_whole_gets_larger_pages(address: str, client: Any) -> None:
    """GDAL 3.6 asks for ten at a time; 1,100 features come in five answers, not in a hundred and ten."""
    url, sizes = "/ogc/collections/34172.arbres/items?limit=10", []
    while url:
        page = client.get(url).json()
        sizes.append(page["numberReturned"])
        url = next((one["href"] for one in page["links"] if one["rel"] == "next"), "").partition("testserver")[2]
    assert sizes == [10, 10, 100, 980]
