"""G-06, open data: every dataset in its standard formats, on a standard API, harvested, and told in plain language."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.dataset_chart import dataset_bars
from beffroi.lake import queries
from beffroi.lake.connectors.registry import format_of
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import Unreadable
from faces.portal.small_town import CODE

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


def _rows(name: str, content: bytes) -> int | None:
    """Return how many rows a file holds, read by none of our code; None where a format is only recognised."""
    if name == "csv":
        return len(list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")))))
    if name == "geojson":
        return len(json.loads(content)["features"])
    if name == "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheet = next(one for one in book.namelist() if one.startswith("xl/worksheets/"))
            return book.read(sheet).count(b"<row") - 1
    if name == "gpx":
        assert ElementTree.fromstring(content).tag.endswith("gpx")
        return None
    starts = {"parquet": b"PAR1", "gpkg": b"SQLite format 3", "dxf": b"0"}
    assert content.lstrip().startswith(starts[name]), name
    return None


def test_every_dataset_downloads_answers_and_is_explained(small_town: str, client: Client) -> None:
    known = queries.datasets(ANONYMOUS, territory=small_town)
    assert {"arbres", "marches", "batiments", "rues"} <= {one.ref.slug for one in known}
    for one in known:
        slug = one.ref.slug
        assert set(one.formats) >= (TABLES | {"geojson", "gpkg", "dxf"} if one.geometry_type else TABLES), slug
        for name in one.formats:
            count = _rows(name, _got(client, f"/donnees/{CODE}/{slug}/telecharger/{name}"))
            assert count in (None, one.rows), (slug, name)
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
