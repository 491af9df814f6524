"""Words of a search, tables and base layers: the parts of the portal that need no page."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from beffroi.base.kernel.words import folded, words
from beffroi.base.territory.viewer import PUBLIC
from beffroi.faces.portal.mapping import base_layers
from beffroi.faces.portal.tables import cell
from beffroi.lake.queries import DatasetRef, DatasetSummary
from beffroi.lake.reading import Column, ColumnType


def a_dataset(
    slug: str, geometry: str | None = "Polygon", *, rows: int = 10, theme: str = "", **facts: Any
) -> DatasetSummary:
    values: dict[str, Any] = {
        "ref": DatasetRef("34172", slug),
        "title": slug,
        "theme": theme,
        "description": "",
        "producer": "",
        "licence": "",
        "rhythm": "",
        "rows": rows,
        "geometry_type": geometry,
        "bbox": None,
        "version": "v1",
        "updated_at": datetime(2026, 3, 2, tzinfo=UTC),
        "period": None,
        "access": PUBLIC,
        "fictional": False,
        "formats": (),
    }
    return DatasetSummary(**values | facts)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("l’école de la rue", ["ecole", "rue"]),
        ("bd Hugo", ["boulevard", "hugo"]),
        ("Cœur de ville", ["coeur", "ville"]),
        ("les œuvres", ["oeuvre"]),
        ("  ", []),
    ],
)
def test_words_that_count(text: str, kept: list[str]) -> None:
    assert words(text) == kept


def test_folding_opens_ligatures_and_drops_accents() -> None:
    assert folded("Noël à l’Œuvre") == "noel a l'oeuvre"


@pytest.mark.parametrize(
    ("slug", "geometry", "role"),
    [
        ("bdtopo-batiment-00001", "Polygon", "buildings"),
        ("bdtopo-troncon-de-route-00001", "LineString", "streets"),
        ("filaire-voies", "MultiLineString", "streets"),
        ("cours-d-eau", "LineString", "waterways"),
        ("surfaces-en-eau", "MultiPolygon", "water"),
        ("espaces-verts-surface", "Polygon", "green"),
        ("limite-commune", "Polygon", "limit"),
        ("quartiers", "Polygon", "districts"),
        ("parcelles-agricoles", "Polygon", "fields"),
    ],
)
def test_a_dataset_plays_its_part_of_the_base_map(slug: str, geometry: str, role: str) -> None:
    assert list(base_layers([a_dataset(slug, geometry)])) == [role]


@pytest.mark.parametrize("slug", ["points-d-eau", "batiments-publics-liste", "rnb"])
def test_points_and_tables_are_no_base(slug: str) -> None:
    assert base_layers([a_dataset(slug, "Point"), a_dataset(slug, None)]) == {}


def test_the_water_of_a_flood_is_no_river() -> None:
    known = [a_dataset("hauteurs-eau", rows=900, theme="risques"), a_dataset("surfaces-en-eau", rows=3)]
    assert base_layers(known)["water"].ref.slug == "surfaces-en-eau"
    assert base_layers(known[:1]) == {}


def test_the_theme_settles_between_two_datasets_of_one_role() -> None:
    known = [a_dataset("cadastre-batiments", rows=900), a_dataset("bdtopo-batiment", rows=10, theme="batiments")]
    assert base_layers(known)["buildings"].ref.slug == "bdtopo-batiment"


def test_buildings_that_know_their_height_come_before_those_of_the_cadastre() -> None:
    known = [a_dataset("batiments-cadastre", "Polygon"), a_dataset("batiments", "Polygon")]
    assert base_layers(known)["buildings"].ref.slug == "batiments"


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (None, Column("nom", "Nom"), "–"),
        (True, Column("actif", "Actif", ColumnType.BOOLEAN), "oui"),
        (1234567, Column("habitants", "Habitants", ColumnType.INTEGER), "1\u202f234\u202f567"),
        (34172, Column("code_insee", "INSEE", ColumnType.INTEGER), "34172"),
        (2026, Column("annee", "Année", ColumnType.INTEGER), "2026"),
        (3.25, Column("hauteur", "Hauteur", ColumnType.NUMBER), "3,25"),
        (date(2026, 3, 2), Column("le", "Le", ColumnType.DATE), "02/03/2026"),
    ],
)
def test_values_are_written_as_french_readers_write_them(value: object, column: Column, text: str) -> None:
    assert cell(value, column).text == text
