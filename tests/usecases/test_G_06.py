"""G-06, open data: every dataset in its standard formats, on a standard API, harvested, and told in plain language."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.dataset_chart import dataset_bars
from beffroi.lake import downloads, operations, queries
from beffroi.lake.connectors.registry import format_of
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import Unreadable
from beffroi.lake.store import Lake
from faces.portal.small_town import AT, CODE
from lake.every_download import judged

pytestmark = [
    pytest.mark.django_db,
    # rdflib's own reader of JSON-LD still calls what it deprecates.
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
]

TABLES = {"csv", "xlsx", "parquet"}


def _got(client: Client, url: str) -> bytes:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return b"".join(answer) if answer.streaming else bytes(answer.content)


def test_every_dataset_downloads_answers_and_is_explained(small_town: str, client: Client, tmp_path: Path) -> None:
    known = queries.datasets(ANONYMOUS, territory=small_town)
    assert {"arbres", "marches", "batiments", "rues"} <= {one.ref.slug for one in known}
    for one in known:
        slug = one.ref.slug
        assert set(one.formats) >= (TABLES | {"geojson", "gpkg", "dxf"} if one.geometry_type else TABLES), slug
        for name in one.formats:
            content = _got(client, f"/donnees/{CODE}/{slug}/telecharger/{name}")
            assert judged(name, content, rows=one.rows, folder=tmp_path) > 0, (slug, name)
        collection = json.loads(_got(client, f"/ogc/collections/{CODE}.{slug}"))
        assert collection["title"] == one.title
        items = json.loads(_got(client, f"/ogc/collections/{CODE}.{slug}/items?limit=2"))
        assert items["numberMatched"] == one.rows, slug
        page = _got(client, f"/donnees/{CODE}/{slug}/").decode()
        assert one.title in page
        assert ("data-map=" in page) != ('id="graphique"' in page), slug
        assert ("data-map=" in page) == bool(one.geometry_type), slug


def test_the_catalogue_is_harvested_by_another_reader(small_town: str, client: Client) -> None:
    graph = Graph().parse(data=_got(client, "/dcat.jsonld"), format="json-ld")
    for one in queries.datasets(ANONYMOUS, territory=small_town):
        told = URIRef(f"http://testserver/donnees/{CODE}/{one.ref.slug}/")
        assert (told, RDF.type, DCAT.Dataset) in graph
        assert str(graph.value(told, DCTERMS.title)) == one.title
        urls = [graph.value(part, DCAT.downloadURL) for part in graph.objects(told, DCAT.distribution)]
        offered = {str(url).rpartition("/")[2] for url in urls if url is not None}
        assert offered >= set(one.formats), one.ref.slug
    assert b"astreintes" not in _got(client, "/dcat.jsonld"), "what is reserved is not harvested"


def test_what_no_map_can_show_is_drawn_as_bars(small_town: str) -> None:
    detail = queries.dataset(ANONYMOUS, DatasetRef(small_town, "marches"))
    shown = dataset_bars(ANONYMOUS, detail)
    assert shown is not None
    assert [(one.name, one.figure, one.length) for one in shown.bars] == [
        ("samedi", 48, 100), ("mercredi", 31, 65), ("lundi", 12, 25),
    ]  # fmt: skip
    # Shared values are counted: trees by kind, forty each.
    trees = dataset_bars(ANONYMOUS, queries.dataset(ANONYMOUS, DatasetRef(small_town, "arbres")))
    assert trees is not None
    assert [(one.name, one.figure) for one in trees.bars] == [("Platane", 40), ("Tilleul", 40), ("Érable", 40)]
    assert (trees.by, trees.more) == ("essence", 0)


def test_a_drawing_in_dwg_is_refused_with_what_to_do(
    small_town: str, signed_in: Callable[..., Client], settings: Any, tmp_path: Path
) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    drawing = b"AC1032" + bytes(200)
    sent = {"file": SimpleUploadedFile("place.dwg", drawing), "dataset": "", "name": "place"}
    page = signed_in(Role.AGENT).post("/agent/depots/", sent, follow=True).content.decode()
    assert "un dessin DWG" in page
    assert "DXF" in page
    # A table whose first cell looks like it is a table.
    (tmp_path / "codes.csv").write_text("AC1032;nom\n1;a\n")
    assert format_of(tmp_path / "codes.csv") == "csv"
    (tmp_path / "place.dwg").write_bytes(drawing)
    with pytest.raises(Unreadable):
        format_of(tmp_path / "place.dwg")


def test_one_part_among_several_is_written_as_the_standard_wants(small_town: str, tmp_path: Path) -> None:
    square = "POLYGON((3 45,3.1 45,3.1 45.1,3 45))"
    path = tmp_path / "zones.csv"
    path.write_text(f'nom;wkt\nun;"{square}"\ndeux;"MULTI{square[:7]}({square[7:]},((4 45,4.1 45,4.1 45.1,4 45)))"\n')
    lake = tmp_path / "lake"
    done = operations.import_source(path, territory=CODE, at=AT, lake=lake, announce=False)
    assert done.version is not None, done.reason
    ref = DatasetRef(CODE, "zones")
    manifest = Lake(lake).manifest(ref, done.version)
    assert manifest.geometry_type == "MultiPolygon"
    made = downloads.download(Lake(lake), manifest, "public", manifest.columns, "gpkg", index=unread)
    assert made.path is not None
    assert judged("gpkg", made.path.read_bytes(), rows=2, folder=tmp_path) == 2


def unread() -> Any:
    """Stand for the serving index, which a file made whole does not need."""
    raise AssertionError


def test_buildings_are_had_as_a_city_model(small_town: str, client: Client) -> None:
    page = _got(client, f"/donnees/{CODE}/batiments/telecharger/").decode()
    address = f"/citymodel/{CODE}/batiments.city.json"
    assert f'href="{address}"' in page
    assert address not in _got(client, f"/donnees/{CODE}/arbres/telecharger/").decode()
    model = json.loads(_got(client, address))
    assert (model["type"], model["version"]) == ("CityJSON", "2.0")
    assert len(model["CityObjects"]) == queries.dataset(ANONYMOUS, DatasetRef(CODE, "batiments")).summary.rows
    graph = Graph().parse(data=_got(client, "/dcat.jsonld"), format="json-ld")
    told = URIRef(f"http://testserver/donnees/{CODE}/batiments/")
    urls = {str(graph.value(one, DCAT.downloadURL)) for one in graph.objects(told, DCAT.distribution)}
    assert f"http://testserver{address}" in urls
