"""An archive that several dataset files describe is, in a plan, one source for each of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from beffroi.lake.definitions import load_definitions
from beffroi.lake.folder import plan
from beffroi.lake.importing import definition_of, named_by_schema

TABLES = ("ZONE_URBA", "PRESCRIPTION_SURF", "PRESCRIPTION_PCT")


def archive(folder: Path, name: str, tables: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as sink:
        for table in tables:
            for suffix in ("shp", "shx", "dbf", "prj"):
                sink.writestr(f"Donnees_geographiques/{table}.{suffix}", b"")


def test_a_plan_of_a_town_gives_a_dataset_for_each_kind_of_table_it_holds(tmp_path: Path) -> None:
    archive(tmp_path, "30014_PLU_20171013.zip", TABLES)
    known = load_definitions()[0]
    groups = named_by_schema(plan(tmp_path), "30014", known)
    assert sorted(group.slug for group in groups) == ["prescriptions-plu", "zonage-plu"]
    for group in groups:
        assert definition_of(group, "30014", known).tables.rows[0].strip("*").split("_")[0] in (
            "zone" if group.slug == "zonage-plu" else "prescription"
        )


def test_an_archive_of_zones_alone_is_the_zones_whatever_else_bears_such_a_name(tmp_path: Path) -> None:
    archive(tmp_path, "200011781_PLUi_20180101.zip", ("ZONE_URBA", "DOC_URBA"))
    known = load_definitions()[0]
    (group,) = named_by_schema(plan(tmp_path), "18007", known)
    assert (group.slug, definition_of(group, "18007", known).slug) == ("zonage-plu", "zonage-plu")


def test_a_second_archive_of_the_same_kind_takes_nothing_from_the_first(tmp_path: Path) -> None:
    archive(tmp_path, "30014_PLU_20171013.zip", TABLES)
    archive(tmp_path, "30015_PLU_20190101.zip", TABLES)
    slugs = [group.slug for group in named_by_schema(plan(tmp_path), "30014", load_definitions()[0])]
    assert len(set(slugs)) == len(slugs) == 4
    assert {"zonage-plu", "prescriptions-plu"} <= set(slugs)


def test_the_fictional_plan_is_that_of_its_town_alone(tmp_path: Path) -> None:
    archive(tmp_path, "00001_PLU_20250115.zip", TABLES)
    known = load_definitions()[0]
    theirs = [definition_of(one, "00001", known) for one in named_by_schema(plan(tmp_path), "00001", known)]
    assert all(one.fictional for one in theirs)
    others = [definition_of(one, "34172", known) for one in named_by_schema(plan(tmp_path), "34172", known)]
    assert len(others) == len(theirs) == 2
    assert not any(one.fictional for one in others)


def test_another_theme_of_the_same_producer_is_not_taken_for_the_one_that_is_described(tmp_path: Path) -> None:
    archive(tmp_path, "BDTOPO_TRONCON_DE_ROUTE_34.zip", ("TRONCON_DE_ROUTE",))
    archive(tmp_path, "BDTOPO_BATI_34.zip", ("BATIMENT", "COMMUNE"))
    known = load_definitions()[0]
    buildings, roads = named_by_schema(plan(tmp_path), "34172", known)
    assert (buildings.slug, definition_of(buildings, "34172", known).slug) == ("batiments", "batiments")
    assert definition_of(roads, "34172", known).slug == roads.slug != "batiments"


def test_what_a_commune_extends_takes_the_national_name(tmp_path: Path) -> None:
    for name in ("VilleMTP_MTP_CameraSurv.geojson", "VilleMTP_MTP_PlacesGIG.geojson"):
        (tmp_path / name).write_text('{"type": "FeatureCollection", "features": []}')
    cameras, parking = named_by_schema(plan(tmp_path), "34172", load_definitions()[0])
    assert (cameras.slug, parking.slug) == ("videoprotection", "places-gig")
    assert definition_of(cameras, "34172", load_definitions()[0]).territories == ("34172",)
