"""The sheet of a building: what other datasets say of it, in sentences with sources, to whom may read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.faces.portal.buildings import Story, is_building, story_of
from beffroi.lake import operations, queries
from beffroi.lake.definitions import Definition
from beffroi.lake.queries import DatasetRef
from faces.portal.small_town import CODE

pytestmark = pytest.mark.django_db

RNB = "JP8BP25CV22P"
HOUSE = {
    "id": "B1", "usage1": "Résidentiel", "etat": "En service", "date_app": "1932-01-01",
    "nb_logts": 4, "nb_etages": 3, "hauteur": 9.2, "id_rnb": RNB,
}  # fmt: skip
FILES = {
    "rnb": (
        f"rnb_id;status;addresses;plots\n{RNB};constructed;00001_0503_00002;00001000AA0059\n"
        "XXXXXXXXXXXX;constructed;00001_0503_00009;00001000AA0060\n"
    ),
    "dpe": (
        "numero_dpe;date_etablissement_dpe;etiquette_dpe;etiquette_ges;conso_5_usages_par_m2_ep;id_rnb\n"
        f"D1;2021-01-27;D;C;210;{RNB}\nD2;2024-05-02;C;B;150;{RNB}\nD3;2024-05-02;G;G;600;XXXXXXXXXXXX\n"
    ),
    "ventes-immobilieres": (
        "id_mutation;date_mutation;nature_mutation;valeur_fonciere;id_parcelle;type_local\n"
        "2023-1;2023-11-23;Vente;159700;00001000AA0059;Maison\n"
        "2023-1;2023-11-23;Vente;159700;00001000AA0059;Dépendance\n"
        "2022-9;2022-02-01;Vente;99000;00001000AA0060;Maison\n"
    ),
    "habitat-indigne": f"dossier;id_rnb;motif\nHI-1;{RNB};absence de chauffage\n",
}  # fmt: skip
ACCESS = {"habitat-indigne": "service:habitat"}
HABITAT = Viewer(grants=(Grant(CODE, Role.AGENT, frozenset({"habitat"})),))
OTHER_AGENT = Viewer(grants=(Grant(CODE, Role.AGENT, frozenset({"voirie"})),))


@pytest.fixture
def house(small_town: str, settings: Any, tmp_path: Path) -> str:
    """A building and what four other datasets say of it; give its id."""
    settings.LAKE_DIR = tmp_path / "lake"
    square = {"type": "Polygon", "coordinates": [[[3, 45], [3.001, 45], [3.001, 45.001], [3, 45.001], [3, 45]]]}
    feature = {"type": "Feature", "properties": HOUSE, "geometry": square}
    sources = {"batiments.geojson": json.dumps({"type": "FeatureCollection", "features": [feature]})}
    sources |= {f"{slug}.csv": text for slug, text in FILES.items()}
    for name, text in sources.items():
        source = tmp_path / name
        source.write_text(text)
        slug = name.partition(".")[0]
        definition = Definition(
            slug, theme="habitat", producer=f"Producteur de {slug}", access=ACCESS.get(slug, "public"),
            id="id" if slug == "batiments" else None,
        )  # fmt: skip
        outcome = operations.import_source(
            source,
            territory=CODE,
            at=datetime(2026, 3, 2, 9, tzinfo=UTC),
            definition=definition,
            lake=settings.LAKE_DIR,
            announce=False,
        )
        assert outcome.version, outcome.reason
    return "B1"


def told_to(viewer: Viewer, house: str) -> Story:
    detail = queries.dataset(viewer, DatasetRef(CODE, "batiments"))
    feature = json.loads(queries.feature(viewer, detail.summary.ref, house))
    datasets = queries.datasets(viewer, territory=CODE)
    return story_of(viewer, detail, feature["properties"], datasets, altitude_m=26.4)


def test_a_building_is_told_with_what_its_register_ties_to_it(house: str) -> None:
    story = told_to(ANONYMOUS, house)
    said = " ".join(story.sentences)
    assert said == (
        "Usage : résidentiel. Apparu vers 1932. 4 logements. Hauteur : 9,2 m. 3 étages. Le sol y est à 26 m d’altitude."
    )
    chapters = {one.page.split("/")[-2]: one for one in story.chapters}
    assert chapters["rnb"].sentences == (f"Identifiant national : {RNB}.",)
    assert [one[:24] for one in chapters["dpe"].sentences] == ["Classe énergie C, classe", "Classe énergie D, classe"]
    # Its parcel comes from the register; the price stands on both lots of the one sale.
    assert chapters["ventes-immobilieres"].sentences == (
        "Vente, 23 novembre 2023 : 159\u202f700 € (dépendance, maison).",
    )
    assert chapters["ventes-immobilieres"].reach == "sa parcelle"
    assert {one.producer for one in story.chapters} == {f"Producteur de {slug}" for slug in chapters}
    assert "permis" in story.untold


@pytest.mark.parametrize(("viewer", "seen"), [(ANONYMOUS, False), (OTHER_AGENT, False), (HABITAT, True)])
def test_what_is_kept_for_a_service_is_told_to_it_alone(viewer: Viewer, seen: bool, house: str) -> None:
    story = told_to(viewer, house)
    assert any("absence de chauffage" in text for one in story.chapters for text in one.sentences) is seen


def test_a_height_that_is_not_known_is_said_to_be_supposed(house: str) -> None:
    detail = queries.dataset(ANONYMOUS, DatasetRef(CODE, "batiments"))

    def height(**values: Any) -> str:
        return " ".join(story_of(ANONYMOUS, detail, values, [], altitude_m=None).sentences)

    assert height(nb_etages=4) == "Hauteur non mesurée : la maquette le dessine à 12 m, 3 m par étage."
    assert height() == "Hauteur inconnue : la maquette le dessine à 6 m, faute de mieux."


def test_the_page_and_the_panel_of_the_map_tell_it(house: str, client: Client) -> None:
    address = f"/donnees/{CODE}/batiments/fiche/{house}/"
    for query in ({}, {"fragment": ""}):
        page = client.get(address, query).content.decode()
        assert "Bâtiment à usage résidentiel" in page
        assert "Classe énergie C" in page
        assert "Producteur de dpe, version du 2 mars 2026" in page
        assert "chauffage" not in page


def test_only_buildings_have_a_story(small_town: str) -> None:
    known = {one.ref.slug: is_building(one) for one in queries.datasets(ANONYMOUS, territory=CODE)}
    assert [slug for slug, building in known.items() if building] == ["batiments"]
