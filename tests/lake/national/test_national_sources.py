"""The national sources on their real files: read by their dataset file, pitfalls handled, schema checked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from beffroi.lake.definitions import definition_for, load_definitions
from beffroi.lake.operations import ImportOutcome, import_source
from beffroi.lake.queries import DatasetRef

AT = datetime(2026, 3, 2, tzinfo=UTC)


def imported(source: Path, territory: str, lake: Path) -> ImportOutcome:
    definition = definition_for(source.name, territory, load_definitions()[0])
    assert definition is not None, source.name
    return import_source(source, territory=territory, at=AT, definition=definition, lake=lake, announce=False)


def rows(ref: DatasetRef, columns: list[str], lake: Path, settings: Any) -> list[tuple[Any, ...]]:
    settings.LAKE_DIR = lake
    return list(queries.rows(ANONYMOUS, ref, columns=columns).rows)


def test_car_sharing_places_of_one_town_leave_a_national_file(open_data: Path, tmp_path: Path, settings: Any) -> None:
    outcome = imported(open_data / "autres/covoiturage/bnlc.csv", "01004", tmp_path)
    assert outcome.version is not None, outcome.reason
    assert {row[0] for row in rows(outcome.ref, ["insee"], tmp_path, settings)} == {"01004"}
    assert any("d’autres communes" in str(one.why) for one in outcome.report.evidences)  # type: ignore[union-attr]


def test_a_charge_point_whose_number_is_not_french_is_told_to_the_publisher(open_data: Path, tmp_path: Path) -> None:
    outcome = imported(open_data / "autres/irve/schema-irve_exemple-valide-statique.csv", "75001", tmp_path)
    assert outcome.report is not None, outcome.reason
    told = {one.column: one.examples for one in outcome.report.schema_faults}
    assert told["id_pdc_itinerance"] == ((3, "ESZUNE1111ER7"),)
    assert told["id_station_itinerance"] == ((3, "ESZUNP395912133460086982"),)


def test_priority_districts_of_montpellier(open_data: Path, tmp_path: Path, settings: Any) -> None:
    outcome = imported(open_data / "autres/dvf_qpv/occitanie/qp.geojson", "34172", tmp_path)
    assert outcome.version is not None, outcome.reason
    codes = [row[0] for row in rows(outcome.ref, ["code_qp"], tmp_path, settings)]
    assert len(codes) == 12
    assert outcome.report is not None
    assert outcome.report.schema_faults == ()


def test_sales_of_the_priority_districts_of_montpellier_are_one_row_each(
    open_data: Path, tmp_path: Path, settings: Any
) -> None:
    outcome = imported(open_data / "autres/dvf_qpv/occitanie/foncier_qp.xlsx", "34172", tmp_path)
    assert outcome.version is not None, outcome.reason
    found = rows(outcome.ref, ["id_mutation", "valeur_fonciere", "surface_logement", "prix_m2"], tmp_path, settings)
    assert len({row[0] for row in found}) == len(found)
    told = [row for row in found if row[3] is not None]
    assert len(told) > 0.5 * len(found)
    assert all(abs(price - value / surface) <= 0.5 for _id, value, surface, price in told)


@pytest.mark.parametrize("commune", ["34172"])
def test_what_no_real_file_was_tried_for_is_read_from_the_rows_of_its_documentation(
    commune: str, tmp_path: Path, settings: Any
) -> None:
    """GeoDAE, BAAC: rows made by hand after the published schemas."""
    dae = tmp_path / "geodae.csv"
    dae.write_text(
        "c_nom,c_lat_coor1,c_long_coor1,c_com_insee,c_acc,c_disp_j,c_disp_h,c_etat_fonct\n"
        'Stade,43.61,3.88,34172,Extérieur,"{lundi,mardi}",{24h/24},En fonctionnement\n'
        "Halle,43.60,3.87,34172,Dehors,{7j/7},{24h/24},En fonctionnement\n",
        encoding="utf-8",
    )
    outcome = imported(dae, commune, tmp_path / "lake")
    found = dict(rows(outcome.ref, ["nom", "horaires"], tmp_path / "lake", settings))
    assert found == {"Stade": "Mo,Tu 00:00-24:00", "Halle": "24/7"}
    assert [(one.column, one.examples) for one in outcome.report.schema_faults] == [("acc", ((3, "Dehors"),))]  # type: ignore[union-attr]
    baac = tmp_path / "caract-2023.csv"
    baac.write_text(
        "Num_Acc;an;lum;dep;com;agg;int;atm;col;adr;lat;long\n"
        "202300000001;2023;-1;34;34172;2;1;1;3;RUE HAUTE;43,6100000;3,8800000\n"
        "202300000002;2023;5;34;34172;2;-1;-1;3;RUE BASSE;43,6000000;3,8700000\n",
        encoding="utf-8",
    )
    outcome = imported(baac, commune, tmp_path / "lake")
    assert outcome.report is not None, outcome.reason
    assert outcome.report.geometry_types == ("Point",)
    assert sorted(map(str, dict(rows(outcome.ref, ["num_acc", "lum"], tmp_path / "lake", settings)).values())) == [
        "5",
        "None",
    ]
