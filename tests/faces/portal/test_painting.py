"""Buildings in the colours of a dataset: joined by identifier or by place, the unknown unknown, the same as a list."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from django.test import Client

from beffroi.base.catalogue.queries import use_case
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.layers import shown_layers
from beffroi.faces.portal.painting import (
    KINDS,
    KINDS_DARK,
    RAMP,
    RAMP_DARK,
    UNKNOWN,
    UNKNOWN_DARK,
    NoPainting,
    Painting,
    painting,
    ramp,
)
from beffroi.lake import operations, queries, tasks
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.layer_colours import told_apart
from beffroi.lake.layer_settings import Settings
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.lake.store import Lake
from beffroi.sense.twin.colouring import Link, NotOfBuildings
from faces.portal.small_town import CODE

pytestmark = pytest.mark.django_db

# Houses A to D from west to east, 79 m apart and 16 m wide; what is said of them, and by what it is tied to them.
STEP, SIDE = 0.001, 0.0002
HOUSES = {"A": ("RNB-A", 12.0), "B": ("RNB-B", 7.5), "C": ("RNB-C", None), "D": ("", 4.0)}
FILES = {
    "rnb": "rnb_id;addresses;plots\nRNB-A;ad-1,ad-2;P1\nRNB-B;ad-3;P2\nRNB-C;;P2\n",
    "dpe": "numero;etiquette_dpe;etabli;id_rnb\n1;D;2020-05-01;RNB-A\n2;C;2024-01-01;RNB-A\n3;D;2021-01-01;RNB-A\n"
    "4;G;2022-01-01;RNB-B\n5;A;2022-01-01;RNB-Z\n",
    "ventes": "vente;prix_m2;id_parcelle\n1;2000;P1\n2;3000;P1\n3;4500;P1\n4;1500;P2\n",
    "commerces": "siret;secteur;identifiant_ban\n1;Boulangerie;ad-2\n2;Librairie;ad-9\n",
    # In A; 8 m from B; 40 m from any.
    "capteurs": "capteur;mesure;secret;lon;lat\n1;20;9;3.0001;45.0001\n2;30;9;3.0013;45.0001\n3;99;9;3.0016;45.0001\n",
    "menus": "jour;plat\nlundi;soupe\n",
}
AREAS = {"zones": [(-0.0005, 0.0015, "Vieux bourg"), (0.0015, 0.0025, "Faubourg")]}


def square(west: float, east: float, south: float = 45.0, north: float = 45.0 + SIDE) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def collection(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    features = [{"type": "Feature", "properties": told, "geometry": shape} for told, shape in rows]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture(scope="session")
def houses_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four houses and what seven datasets say of them, imported once."""
    folder = tmp_path_factory.mktemp("houses")
    blocks = [
        ({"id": name, "id_rnb": rnb, "hauteur": height}, square(3 + at * STEP, 3 + at * STEP + SIDE))
        for at, (name, (rnb, height)) in enumerate(HOUSES.items())
    ]
    street = {"type": "LineString", "coordinates": [[2.999, 45.0004], [3.0022, 45.0004]]}
    zones = [({"nom": name}, square(3 + west, 3 + east, 44.99, 45.01)) for west, east, name in AREAS["zones"]]
    sources = {
        "batiments.geojson": collection(blocks),
        "zones.geojson": collection(zones),
        "rues.geojson": collection([({"vitesse": 30}, street)]),
    } | {f"{slug}.csv": text for slug, text in FILES.items()}
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
        slug = name.partition(".")[0]
        definition = Definition(
            slug, title=slug.capitalize(), id="id" if slug == "batiments" else None,
            columns={"secret": ColumnDefinition(access="agents")} if slug == "capteurs" else {},
        )  # fmt: skip
        outcome = operations.import_source(
            folder / name, territory=CODE, at=datetime(2026, 3, 2, 9, tzinfo=UTC), definition=definition,
            lake=folder / "lake", announce=False,
        )  # fmt: skip
        assert outcome.version, outcome.reason
        if slug == "batiments":
            tasks.bake_missing_tiles(Lake(folder / "lake"), DatasetRef(CODE, slug), outcome.version)
    return folder / "lake"


@pytest.fixture
def houses(small_town: str, houses_lake: Path, settings: Any) -> str:
    settings.LAKE_DIR = houses_lake
    return small_town


def painted(slug: str, key: str, viewer: Any = ANONYMOUS) -> Painting:
    return painting(viewer, queries.datasets(viewer, territory=CODE), slug=slug, key=key)


@pytest.mark.parametrize(
    ("slug", "key", "link", "values"),
    [
        ("batiments", "hauteur", Link.OWN, {"A": 12.0, "B": 7.5, "D": 4.0}),
        # Of three labels the one said twice; of no label, nothing.
        ("dpe", "etiquette_dpe", Link.RNB, {"A": "D", "B": "G"}),
        ("dpe", "etabli", Link.RNB, {"A": 2021, "B": 2022}),
        # By the parcels that the register ties to buildings: the median of three sales, one price for two houses.
        ("ventes", "prix_m2", Link.PARCEL, {"A": 3000, "B": 1500, "C": 1500}),
        ("commerces", "secteur", Link.ADDRESS, {"A": "Boulangerie"}),
        ("capteurs", "mesure", Link.POINT, {"A": 20, "B": 30}),
        ("rues", "vitesse", Link.LINE, {"A": 30, "B": 30, "C": 30}),
        ("zones", "nom", Link.AREA, {"A": "Vieux bourg", "B": "Vieux bourg", "C": "Faubourg"}),
    ],
)
def test_a_column_meets_the_buildings_by_identifier_or_by_place(
    slug: str, key: str, link: Link, values: dict[str, Any], houses: str
) -> None:
    found = painted(slug, key).found
    assert (found.link, dict(found.values)) == (link, values)


def test_what_a_reader_may_not_see_colours_nothing_for_her(
    houses: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    with pytest.raises(NoPainting, match="secret"):
        painted("capteurs", "secret")
    page = "/carte/batiments/?couche=capteurs&colonne=secret"
    assert client.get(page).status_code == 400
    agent = signed_in(Role.AGENT).get(page)
    assert agent.status_code == 200
    tile = json.loads(agent.context["config"])["base"][0]["known"]["url"]
    assert client.get(tile.format(z=14, x=8328, y=5893)).status_code == 400
    with pytest.raises(NotOfBuildings, match="ne se rapporte pas aux bâtiments"):
        painted("menus", "plat")


def test_the_page_lists_what_its_map_draws_and_counts_what_is_unknown(
    houses: str, client: Client, tmp_path: Path
) -> None:
    answer = client.get("/carte/batiments/", {"couche": "dpe", "colonne": "etiquette_dpe"})
    drawn: Painting = answer.context["painted"]
    assert [(one.label, one.count) for one in (*drawn.tints, drawn.unknown)] == [("D", 1), ("G", 1), ("inconnu", 2)]
    assert [(item["id"], item["value"]) for item in answer.context["items"]] == [("A", "D"), ("B", "G")]
    only = client.get("/carte/batiments/", {"couche": "dpe", "colonne": "etiquette_dpe", "classe": "1"})
    assert [item["id"] for item in only.context["items"]] == ["B"]
    config = json.loads(answer.context["config"])
    (blocks,) = [one for one in config["base"] if one["role"] == "buildings"]
    assert [label for label, _light, _dark in config["paint"]["tints"]] == ["D", "G", "inconnu"]
    # GDAL reads in the tile what the map draws.
    tile = client.get(blocks["known"]["url"].format(z=14, x=8328, y=5893), headers={"Accept-Encoding": "gzip"})
    assert tile.status_code == 200
    assert tile["Cache-Control"] == "public, max-age=3600"
    path = tmp_path / "5893.mvt"
    path.write_bytes(gzip.decompress(tile.content))
    described, _ids, _shapes, columns = pyogrio.raw.read(path, layer="data")
    read = dict(zip(described["fields"], columns, strict=True))
    told = dict(zip(read["_id"].tolist(), read["_class"].tolist(), strict=True))
    assert {name: rank for name, rank in told.items() if rank == rank} == {"A": 0, "B": 1}
    assert set(told) == set(HOUSES)


def test_the_map_keeps_the_colours_in_its_address(houses: str, client: Client) -> None:
    answer = client.get("/carte/", {"batiments": "ventes:prix_m2", "theme": "urbanisme"})
    page, config = answer.content.decode(), json.loads(answer.context["config"])
    assert config["paint"]["tints"][-1] == ["inconnu", UNKNOWN, UNKNOWN_DARK]
    assert 'name="batiments" value="ventes:prix_m2"' in page
    assert "couche=ventes&amp;colonne=prix_m2#liste" in page
    assert "batiments=ventes%3Aprix_m2" in answer.context["embedded"]
    assert json.loads(client.get("/carte/").context["config"])["paint"] is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("couche=inconnue", "la couche « inconnue » n’est pas connue"),
        ("couche=dpe&colonne=inconnue", "la colonne « inconnue » n’est pas connue"),
        ("couche=dpe&colonne=id_rnb", "la colonne « id_rnb » n’est pas connue"),
        ("couche=dpe&colonne=etiquette_dpe&classe=9", "la classe « 9 » n’est pas dans la légende"),
        ("couche=dpe&colonne=etiquette_dpe&debut=-1", "« -1 » n’est pas un rang"),
    ],
)
def test_what_cannot_colour_is_refused_in_words(query: str, said: str, houses: str, client: Client) -> None:
    answer = client.get(f"/carte/batiments/?{query}")
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_columns_that_make_no_legend_are_not_offered(houses: str, client: Client) -> None:
    offered = client.get("/carte/batiments/", {"couche": "dpe"}).context["columns"]
    assert [one.key for one in offered] == ["etiquette_dpe", "etabli"]
    groups = client.get("/carte/batiments/").context["groups"]
    assert {one.ref.slug for _theme, group in groups for one, _title in group} == {
        *FILES,
        "batiments",
        "zones",
        "rues",
    } - {"menus"}


PRICED: dict[str, Any] = {
    "datasets": ["ventes"],
    "painted": "ventes",
    "looks": [
        {
            "dataset": "ventes",
            "column": "prix_m2",
            "classes": [
                {"below": 2000, "label": "Moins de 2 000 €", "colour": "bleu"},
                {"label": "Davantage", "colour": "orange"},
            ],
        }
    ],
}


def test_a_use_case_colours_the_buildings_by_its_file(houses: str, client: Client) -> None:
    request = client.get("/").wsgi_request
    service = replace(use_case("9-04").use_case, settings={"layers": Settings(**PRICED)})
    drawn = shown_layers(request, service).painted  # type: ignore[arg-type,union-attr]
    assert drawn is not None
    assert [(one.label, one.count) for one in drawn.tints] == [("Moins de 2 000 €", 2), ("Davantage", 1)]
    assert drawn.usage == "9-04"
    assert "usage=9-04" in drawn.config()["tiles"]
    with pytest.raises(ValueError, match="les classes de « ventes » ne sont pas dans looks"):
        Settings(datasets=["ventes"], painted="ventes")


def test_classes_are_told_apart_without_red_or_green_and_from_the_unknown() -> None:
    for anchors, unknown in ((RAMP, UNKNOWN), (RAMP_DARK, UNKNOWN_DARK)):
        for steps in range(2, 8):
            assert all(told_apart(*pair) for pair in combinations([*ramp(steps, anchors), unknown], 2)), (
                anchors,
                steps,
            )
    for kinds, unknown in ((KINDS, UNKNOWN), (KINDS_DARK, UNKNOWN_DARK)):
        assert all(told_apart(*pair) for pair in combinations([*kinds, unknown], 2))


def test_many_values_make_quintiles_and_rare_texts_others(houses: str) -> None:
    from beffroi.faces.portal.painting import _scale

    numbers = [float(one) for one in range(100)]
    scale = _scale(numbers, True)
    assert [Counter(map(scale.rank, numbers))[rank] for rank in range(5)] == [20] * 5
    texts = [f"rue {at}" for at in range(9) for _time in range(10 - at)]
    scale = _scale(texts, False)
    assert scale.names == tuple(f"rue {at}" for at in range(5))
    assert scale.rank("rue 8") == 5
    assert _scale([True, False], False).names == (False, True)


def test_a_dataset_that_does_not_exist_has_no_tile(houses: str, client: Client) -> None:
    (blocks,) = [one for one in queries.datasets(ANONYMOUS, territory=CODE) if one.ref.slug == "batiments"]
    with pytest.raises(DatasetNotFound):
        queries.classed_tile(ANONYMOUS, DatasetRef(CODE, "rien"), 0, 0, 0, class_of=lambda _one: 0)
    address = f"/tuiles/{CODE}/batiments/{blocks.version}/couleurs/rien/x/y/14/8328/5893.mvt"
    assert client.get(address).status_code == 404
