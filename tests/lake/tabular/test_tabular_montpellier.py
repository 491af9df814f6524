"""The real tabular files of Montpellier: each gives tables that add up or a reason; some are checked closely."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from beffroi.lake.connectors import registry
from beffroi.lake.reading import ColumnType, Reading, ReadOptions, Unreadable

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("BEFFROI_DATA", ROOT.parent / "shared" / "data")) / "montpellier"
EXTENT = (3.75, 43.53, 4.0, 43.70)

# Zip archives of documents only, and one whose shapefile its publisher shipped damaged.
EXPLAINED = {"VilleMTP_MTP_DUPGrandCoeur.zip", "VilleMTP_AggloMTP_PistesCyclables.zip"}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="real data absent: set BEFFROI_DATA")


def tabular_files() -> list[Path]:
    found = [path for suffix in ("csv", "xls", "ods", "xml", "parquet") for path in DATA.rglob(f"*.{suffix}")]
    found += (DATA / "series_temporelles").rglob("*.json")
    found += [
        path for folder in ("transit", "finances", "urbanisme", "velo") for path in (DATA / folder).rglob("*.zip")
    ]
    return sorted(found)


def read(path: Path) -> list[Reading]:
    return registry.read(path, ReadOptions(extent=EXTENT), duckdb.connect())


def one(name: str) -> Reading:
    (path,) = DATA.rglob(name)
    (reading,) = read(path)
    return reading


def column_types(reading: Reading) -> dict[str, ColumnType]:
    return {column.key: column.type for column in reading.columns}


def evidence(reading: Reading, subject: str) -> set[str]:
    return {found.value for found in reading.evidences if found.subject == subject}


def kept(reading: Reading) -> int:
    (count,) = reading.con.execute(f"SELECT count(*) FROM {reading.table}").fetchone() or (0,)
    return int(count)


@pytest.mark.slow
def test_every_file_gives_tables_that_add_up_or_a_reason() -> None:
    refused: set[str] = set()
    rows_read = rows_kept = 0
    for path in tabular_files():
        try:
            readings = read(path)
        except Unreadable:
            refused.add(path.name)
            continue
        for reading in readings:
            rows_read += reading.rows_read
            rows_kept += kept(reading)
            assert kept(reading) + reading.rejects.total == reading.rows_read, path.name
            assert len(reading.rejects.rows) == min(reading.rejects.total, reading.rejects.kept), path.name
            assert all(reject.line for reject in reading.rejects.rows), path.name
    assert refused <= EXPLAINED
    assert rows_kept >= 0.99 * rows_read > 500_000


# Rows as counted in the sources' own inventory, header and titles apart.
@pytest.mark.parametrize(
    ("name", "rows", "columns", "encoding", "separator"),
    [
        ("VilleMTP_MTP_AccERP_2012.csv", 209, 16, "cp1252", ","),
        ("VilleMTP_MTP_AccERP_2014.csv", 212, 17, "cp1252", ";"),
        ("VilleMTP_MTP_AccTrottoir.csv", 7654, 8, "cp1252", ";"),
        ("VilleMTP_MTP_Batiments.csv", 3356, 17, "cp1252", ";"),
        ("OSM_MTP_Commerces.csv", 953, 48, "utf-8", ","),
        ("VilleMTP_MTP_EffectifSco_2014.csv", 120, 25, "cp850", ";"),
        ("TelaBotanica_MTP_InventBota.csv", 4496, 53, "cp1252", ","),
        ("VilleMTP_MTP_BudgetAnt.csv", 9998, 10, "cp1252", ";"),
        ("VilleMTP_MTP_PermisConst.csv", 4738, 18, "cp1252", ";"),
        ("parkings_voitures_velos_suivi_global.csv", 60912, 6, "utf-8", ";"),
        ("VilleMTP_MTP_Europeenne2014.csv", 3275, 17, "cp1252", ";"),
        ("INSEE_MTP_CAFiris_2009.csv", 95, 23, "cp1252", ","),
    ],
)
def test_rows_columns_encoding_and_separator(name: str, rows: int, columns: int, encoding: str, separator: str) -> None:
    reading = one(name)
    assert (reading.rows_read, len(reading.columns)) == (rows, columns)
    assert evidence(reading, "encoding") == {encoding}
    assert evidence(reading, "separator") == {separator}


def test_the_utf16_minutes_have_no_header() -> None:
    reading = one("VilleMTP_MTP_Delibs_Archives.csv")
    assert evidence(reading, "encoding") == {"utf-16"}
    assert reading.columns[0].key == "colonne_1"
    assert reading.rows_read > 23_000


def test_dbase_headers_give_decimal_commas() -> None:
    reading = one("VilleMTP_MTP_AccTrottoir.csv")
    assert column_types(reading)["len"] is ColumnType.NUMBER
    assert evidence(reading, "decimal") == {"comma"}
    (total,) = reading.con.execute(f"SELECT sum(acv_ilar) FROM {reading.table}").fetchone() or (0,)
    assert total == pytest.approx(16_700, rel=0.5)


def test_amounts_with_spaces_between_thousands_are_numbers() -> None:
    reading = one("VilleMTP_MTP_BudgetPri_2014.csv")
    assert column_types(reading)["bp"] is ColumnType.NUMBER
    (largest,) = reading.con.execute(f"SELECT max(bp) FROM {reading.table}").fetchone() or (0,)
    assert largest > 1_000_000


def test_codes_keep_their_zeros() -> None:
    reading = one("AirLR_LR_StationAir.csv")
    (first,) = reading.con.execute(f"SELECT min(station_numbdqa) FROM {reading.table}").fetchone() or ("",)
    assert first.startswith("0")
    assert column_types(reading)["station_codepost"] is ColumnType.TEXT


def test_insee_tables_keep_their_title_and_labels() -> None:
    reading = one("INSEE_MTP_CAFiris_2009.csv")
    assert reading.title.startswith("Bénéficiaires des prestations légales")
    labels = {column.key: column.description for column in reading.columns}
    assert labels["a"] == "Nombre d’allocataires"
    assert column_types(reading)["dc"] is ColumnType.TEXT


@pytest.mark.parametrize(
    ("name", "crs"),
    [
        ("VilleMTP_MTP_Fontaines.csv", "OGC:CRS84"),
        ("VilleMTP_MTP_Monuments.csv", "OGC:CRS84"),
        ("OSM_MTP_Atm_2012.csv", "OGC:CRS84"),
        ("VilleMTP_MTP_SitesProx.csv", "EPSG:2154"),
        ("VilleMTP_MTP_Signalisation.csv", "EPSG:2154"),
    ],
)
def test_coordinates_become_points_in_montpellier(name: str, crs: str) -> None:
    import shapely

    reading = one(name)
    assert (reading.has_geometry, reading.crs) == (True, crs)
    cells = reading.con.execute(f"SELECT geometry FROM {reading.table} WHERE geometry IS NOT NULL").fetchall()
    west, south, east, north = shapely.total_bounds(shapely.from_wkb([cell for (cell,) in cells]))
    assert EXTENT[0] < west < east < EXTENT[2]
    assert EXTENT[1] < south < north < EXTENT[3]


def test_dates_are_read_in_the_french_order() -> None:
    reading = one("VilleMTP_MTP_PermisConst.csv")
    assert column_types(reading)["date_signature_decision_finale"] is ColumnType.DATE
    assert reading.period == ("2000-01-04", "2013-08-30")


def test_a_workbook_of_trees_has_dbase_titles() -> None:
    reading = one("VilleMTP_MTP_ArbresAlign.xls")
    assert reading.rows_read == 23_972
    assert column_types(reading)["hauteur_m"] is ColumnType.INTEGER


def test_a_workbook_of_csv_lines_is_split_again() -> None:
    reading = one("VilleMTP_MTP_Elections.ods")
    assert (reading.rows_read, len(reading.columns)) == (44_846, 17)
    assert column_types(reading)["nombre_de_voix"] is ColumnType.INTEGER


def test_metadata_sheets_describe_the_others() -> None:
    reading = one("VilleMTP_MTP_MarchesConclus_2007.xls")
    assert reading.title.startswith("LISTE DES MARCHES NOTIFIES EN 2007")
    assert len(reading.description) > 200
    assert "Métadonnées" in evidence(reading, "sheet")


def test_gtfs_gives_its_tables_and_its_period() -> None:
    (path,) = DATA.rglob("TaM_GTFS_2026-04.zip")
    tables = {reading.title: reading for reading in read(path)}
    assert tables["stop_times"].rows_read == 355_995
    assert tables["stops"].rows_read == 2_098
    assert tables["stops"].has_geometry
    assert column_types(tables["stop_times"])["arrival_time"] is ColumnType.TEXT
    assert {reading.period for reading in tables.values()} == {("2026-01-05", "2026-03-08")}


def test_a_budget_gives_its_lines() -> None:
    (path,) = DATA.rglob("CA_2018.xml")
    tables = {reading.title: reading for reading in read(path)}
    assert tables["LigneBudget"].rows_read == 1_697
    assert column_types(tables["LigneBudget"])["mtreal"] is ColumnType.NUMBER


def test_counters_by_the_line_have_places() -> None:
    reading = one("Albert_1er.json")
    assert (reading.rows_read, reading.has_geometry) == (91, True)
    assert evidence(reading, "format") == {"ndjson"}


def test_parquet_keeps_its_rows() -> None:
    reading = one("gtfsrt_bronze_2026_3_2.parquet")
    assert (reading.rows_read, len(reading.columns)) == (4_408, 9)
