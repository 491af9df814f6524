"""`/dcat.jsonld` is DCAT-AP: another reader of RDF finds in it what the profile asks and what harvesters use."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rdflib import DCAT, DCTERMS, FOAF, RDF, Graph, URIRef
from rdflib.namespace import Namespace

from beffroi.faces.api.vocabularies import file_type_uri, frequency_uri, licence_uri, theme_uri

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("town"),
    # rdflib's own reader of JSON-LD still calls what it deprecates.
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
]

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
# What DCAT-AP 3 makes mandatory, then what it recommends and data.gouv.fr reads.
ASKED: dict[Any, tuple[Any, ...]] = {
    DCAT.Catalog: (
        DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.dataset, DCTERMS.language, FOAF.homepage,
    ),
    DCAT.Dataset: (
        DCTERMS.title, DCTERMS.description, DCTERMS.identifier, DCTERMS.publisher, DCAT.contactPoint, DCAT.keyword,
        DCAT.distribution, DCTERMS.spatial, DCTERMS.accrualPeriodicity, DCTERMS.issued, DCTERMS.modified,
        DCTERMS.accessRights, DCAT.landingPage, DCAT.theme,
    ),
    DCAT.Distribution: (DCAT.accessURL, DCTERMS.title),
    DCAT.DataService: (DCAT.endpointURL, DCTERMS.title, DCAT.servesDataset),
    VCARD.Organization: (VCARD.fn, VCARD.hasURL),
    FOAF.Agent: (FOAF.name,),
}  # fmt: skip


@pytest.fixture
def graph(client: Client) -> Graph:
    answer = client.get("/dcat.jsonld")
    assert answer.headers["Content-Type"] == "application/ld+json"
    return Graph().parse(data=answer.content, format="json-ld")


def test_everything_the_profile_asks_is_there(graph: Graph) -> None:
    for kind, properties in ASKED.items():
        subjects = list(graph.subjects(RDF.type, kind))
        assert subjects, kind
        lacking = [(one, name) for one in subjects for name in properties if graph.value(one, name) is None]
        assert lacking == [], kind


def test_only_public_datasets_are_told(graph: Graph) -> None:
    told = list(graph.objects(None, DCAT.dataset))
    assert told == [URIRef("http://testserver/donnees/34172/arbres/")]
    assert "note" not in graph.serialize(format="turtle")


def test_distributions_can_be_fetched(graph: Graph, client: Client) -> None:
    urls = sorted(str(url) for url in graph.objects(None, DCAT.downloadURL))
    assert [url.rpartition("/")[2] for url in urls] == ["csv", "dxf", "geojson", "gpkg", "gpx", "parquet", "xlsx"]
    for url in (*urls, *(str(one) for one in graph.objects(None, DCAT.accessURL))):
        answer = client.get(url.removeprefix("http://testserver"))
        assert answer.status_code == 200
        b"".join(answer)


def test_a_place_is_a_polygon_in_degrees(graph: Graph) -> None:
    (place,) = set(graph.objects(None, DCTERMS.spatial))
    outline = graph.value(place, DCAT.bbox)
    assert str(outline).startswith("POLYGON((3.8")
    assert str(outline.datatype) == "http://www.opengis.net/ont/geosparql#wktLiteral"


@pytest.mark.parametrize(
    ("words", "uri"),
    [
        ("Licence Ouverte 2.0 (ville fictive)", "https://www.etalab.gouv.fr/licence-ouverte-open-licence"),
        ("ODbL", "http://opendatacommons.org/licenses/odbl/1.0/"),
        ("Creative Commons CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
        ("à demander", None),
    ],
)
def test_licences_are_those_that_harvesters_know(words: str, uri: str | None) -> None:
    assert licence_uri(words) == uri


def test_words_become_european_concepts() -> None:
    rhythms = ["annuel", "mensuel", "trimestriel", "semestriel", "quotidien", "ponctuel", "bimestriel", ""]
    codes = [frequency_uri(one).rpartition("/")[2] for one in rhythms]
    assert codes == ["ANNUAL", "MONTHLY", "QUARTERLY", "ANNUAL_2", "DAILY", "IRREG", "BIMONTHLY", "UNKNOWN"]
    assert str(theme_uri("mobilites")).endswith("data-theme/TRAN")
    assert theme_uri("inconnu") is None
    assert str(file_type_uri("csv")).endswith("file-type/CSV")
