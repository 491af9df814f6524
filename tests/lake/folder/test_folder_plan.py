"""The plan of a folder and its notices, then a whole import: kept or explained, and unchanged the second time."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beffroi.lake import importing, isolation, report
from beffroi.lake.folder import plan
from beffroi.lake.isolation import Limits
from beffroi.lake.operations import ImportStatus
from beffroi.lake.readme import licence_of, read_notice
from lake.folder import dying_reader
from lake.vector.vector_bases import EXTENT, collection, feature, written, zipped

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
MONTPELLIER = Path(os.environ.get("BEFFROI_DATA", Path(__file__).parents[4] / "shared" / "data")) / "montpellier"
needs_montpellier = pytest.mark.skipif(not MONTPELLIER.is_dir(), reason="the real data of Montpellier are not here")

NOTICE = """
--------------------------------------------------
Fiche métadonnées
--------------------------------------------------
* TITRE : Supports d&#8217;éclairage public
* DESCRIPTION : Les lampes.
.
HAUT : hauteur du mât
* LICENCE : LICENCE OUVERTE / OPEN LICENCE http://www.etalab.gouv.fr/pages/licence-ouverte
* MISE À JOUR : 26/06/2013
* PÉRIODE VALIDITÉE : Annuelle
* PRORIÉTAIRE : Ville
--------------------------------------------------
Site : http://example.org
"""


@pytest.fixture
def folder(tmp_path):
    """A theme with three datasets: lamps in four formats, and two years of a table."""
    theme = tmp_path / "données" / "voirie" / "VilleMTP_MTP_Lampes"
    theme.mkdir(parents=True)
    (theme / "README.txt").write_text(NOTICE)
    lamps = written(tmp_path / "VilleMTP_MTP_Lampes.shp", code="EPSG:2154")
    zipped(theme / "VilleMTP_MTP_Lampes.zip", lamps)
    zipped(theme / "VilleMTP_MTP_Lampes_kml.zip", written(tmp_path / "VilleMTP_MTP_Lampes.kml"))
    written(theme / "VilleMTP_MTP_Lampes.geojson")
    (theme / "VilleMTP_MTP_Lampes.csv").write_text("NOM;N\nComédie;1\nGambetta;2\nAntigone;3\n")
    for year in (2012, 2013):
        (theme / f"VilleMTP_MTP_Pannes_{year}.csv").write_text(f"MOIS;PANNES\n1;{year}\n2;7\n")
    return tmp_path / "données"


def test_twins_are_one_dataset_and_years_stay_apart(folder):
    groups = {group.slug: group for group in plan(folder)}
    assert list(groups) == ["voirie-lampes", "voirie-pannes-2012", "voirie-pannes-2013"]
    lamps = groups["voirie-lampes"]
    assert lamps.path.name == "VilleMTP_MTP_Lampes.zip"
    assert "shapefile" in str(lamps.why)
    assert {twin.path.suffix for twin in lamps.twins} == {".csv", ".geojson", ".zip"}
    assert all(str(twin.why) for twin in lamps.twins)


def test_the_twin_with_clearly_more_objects_is_taken(folder):
    (place,) = folder.glob("*/*")
    (place / "VilleMTP_MTP_Lampes.geojson").write_text(collection(*[feature()] * 10))
    (lamps, *_) = plan(folder)
    assert lamps.path.suffix == ".geojson"
    assert "10 objets, contre 3" in str(lamps.why)


def test_a_typing_mistake_in_a_name_does_not_split_twins(tmp_path):
    (tmp_path / "Ville_Defibrillateurs.csv").write_text("a\n1\n")
    written(tmp_path / "Ville_Defibrilateurs.geojson")
    (group,) = plan(tmp_path)
    assert (group.path.suffix, len(group.twins)) == (".geojson", 1)


def test_namesakes_of_two_folders_have_slugs_of_their_own(tmp_path):
    for place in ("a/2008", "a/2011"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "revenus.csv").write_text("a;b\n1;2\n")
    assert [group.slug for group in plan(tmp_path)] == ["a-2008-revenus", "a-2011-revenus"]


def test_a_notice_says_title_licence_dates_and_columns(folder):
    notice = read_notice(next(folder.rglob("README.txt")))
    assert notice.title == "Supports d’éclairage public"
    assert (notice.updated, notice.rhythm, notice.producer) == ("2013-06-26", "annuelle", "Ville")
    assert notice.columns == {"HAUT": "hauteur du mât"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LICENCE OUVERTE / OPEN LICENCE http://www.etalab.gouv.fr/", "Licence Ouverte 1.0"),
        ("Licence Ouverte / Open Licence version 2.0", "Licence Ouverte 2.0"),
        ("ODbL http://opendatacommons.org/licenses/odbl/", "ODbL 1.0"),
        ("CC-BY-SA http://creativecommons.org/licenses/by-sa/3.0/", "CC BY-SA 3.0"),
        ("APIE", "Licence APIE (information publique)"),
        ("Mentions légales", "Mentions légales"),
        ("", ""),
    ],
)
def test_licences_have_their_usual_name_and_a_reason(text, name):
    found = licence_of(text)
    assert found.name == name
    assert str(found.why)


def imported(folder, lake, **options):
    how = importing.FolderImport(territory="34172", at=AT, lake=lake, extent=EXTENT, **options)
    return importing.import_folder(folder, how)


@pytest.mark.slow
def test_a_folder_is_imported_then_unchanged_then_a_changed_file_is_a_new_version(folder, tmp_path):
    lake = tmp_path / "lake"
    first = imported(folder, lake)
    assert [dataset.status for dataset in first.datasets] == [ImportStatus.PUBLISHED] * 3
    assert first.totals.rows_kept == 7
    again = imported(folder, lake)
    assert [dataset.status for dataset in again.datasets] == [ImportStatus.UNCHANGED] * 3
    changed = next(folder.rglob("*_2013.csv"))
    changed.write_text("MOIS;PANNES\n1;2013\n2;8\n")
    third = imported(folder, lake)
    assert [dataset.status.value for dataset in third.datasets] == ["unchanged", "unchanged", "published"]
    assert report.from_json(json.loads(json.dumps(report.as_json(first)))).totals == first.totals
    text = "\n".join(str(line) for line in report.as_lines(first))
    assert "Lambert-93" in text
    assert "Licence Ouverte 1.0" in text
    assert "laissé" in text


@pytest.mark.slow
def test_a_source_that_hangs_is_refused_and_the_others_go_on(folder, tmp_path):
    limits = Limits(timeout_s=0.0, jobs=1)
    found = imported(folder, tmp_path / "lake", limits=limits)
    assert found.is_explained
    assert all("lecture arrêtée" in str(table.reason) for dataset in found.datasets for table in dataset.tables)


@pytest.mark.slow
def test_a_process_that_dies_costs_its_source_only(folder, tmp_path, monkeypatch):
    # Too little room to import the libraries at all: every child dies, none takes the import with it.
    monkeypatch.setattr(isolation, "_HEADROOM_MB", 0)
    limits = Limits(memory_mb=60, jobs=1, timeout_s=60)
    found = imported(folder, tmp_path / "lake", limits=limits)
    assert found.is_explained
    assert found.totals.refused == 3


@pytest.mark.slow
def test_a_source_read_but_not_durable_when_its_process_dies_is_read_again(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "_serve", dying_reader.dying_while_the_next_is_read)
    lake = tmp_path / "lake"
    found = imported(folder, lake, limits=Limits(jobs=1))
    # The largest was read and lost: read again. The second was being read: the death is laid to it. The third is safe.
    by_size = sorted(found.datasets, key=lambda dataset: (folder / dataset.source).stat().st_size)[::-1]
    statuses = [ImportStatus.PUBLISHED, ImportStatus.REFUSED, ImportStatus.PUBLISHED]
    assert [dataset.status for dataset in by_size] == statuses
    assert "s’est arrêté net" in str(by_size[1].tables[0].reason)
    assert not list(lake.rglob("*.part"))


@pytest.mark.slow
def test_a_source_whose_process_dies_with_nothing_else_to_read_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "_serve", dying_reader.dying_with_nothing_to_read)
    alone = next(folder.rglob("*_2013.csv"))
    how = importing.FolderImport(territory="34172", at=AT, lake=tmp_path / "lake", extent=EXTENT)
    found = importing.import_groups([importing.one_group(alone)], alone, how)
    assert found.totals.refused == 1
    assert "s’est arrêté net" in str(found.datasets[0].tables[0].reason)


@needs_montpellier
def test_the_plan_of_montpellier():
    groups = {group.slug: group for group in plan(MONTPELLIER)}
    assert len(groups) >= 150
    assert groups["voirie-eclairage-public"].title == "Supports d’éclairage public"
    assert groups["voirie-eclairage-public"].path.name == "VilleMTP_MTP_EclairagePublic.zip"
    assert groups["sante-securite-defibrilateurs"].twins
    assert {f"finances-marches-conclus-{year}" for year in range(2006, 2014)} <= groups.keys()


@needs_montpellier
def test_every_notice_of_montpellier_is_understood():
    notices = [read_notice(path) for path in sorted(MONTPELLIER.rglob("README.txt"))]
    assert len(notices) == 87
    assert [n.path for n in notices if not (n.title and n.description and n.licence and n.producer and n.rhythm)] == []


@needs_montpellier
def test_the_boundary_found_in_the_folder_gives_the_extent():
    extent = importing.boundary_extent(plan(MONTPELLIER))
    assert extent == pytest.approx((3.807, 43.573, 3.927, 43.650), abs=1e-3)


def test_a_theme_imported_alone_gives_the_slugs_of_the_whole(folder):
    whole = [group.slug for group in plan(folder)]
    assert [group.slug for group in plan(folder / "voirie")] == whole
