"""2-15, road accidents: « national accident base imported, black spots ranked with exposure »."""

from __future__ import annotations

import math
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import ImportOutcome, import_source
from beffroi.lake.queries import DatasetRef
from beffroi.sense.mobility.blackspots import poisson_bounds, rate_of, spots

AT = datetime(2026, 3, 2, tzinfo=UTC)

# Rows made by hand after the published description of the base: no real file was at hand.
FILES = {
    "caract-2023.csv": """\
"Num_Acc";"jour";"mois";"an";"hrmn";"lum";"dep";"com";"agg";"int";"atm";"col";"adr";"lat";"long"
"202300000001";"7";"5";"2023";"06:00";"1";"34";"34172";"2";"4";"2";"7";"RUE HAUTE";"43,6100000";"3,8800000"
"202300000002";"7";"5";"2023";"05:30";"5";"34";"34172";"2";"1";"3";"6";"RUE BASSE";"43,6000000";"3,8700000"
"202300000003";"7";"5";"2023";"20:50";"1";"75";"75101";"2";"3";"2";"1";"RUE AUTRE";"48,8600000";"2,3500000"
""",
    "usagers-2023.csv": """"Num_Acc";"id_usager";"num_veh";"place";"catu";"grav";"sexe";"an_nais"
"202300000001";"203 851 184";"A01";"1";"1";"4";"1";"1978"
"202300000001";"203 851 185";"B01";"1";"1";"2";"2";"1997"
"202300000001";"203 851 186";"B01";"10";"3";"3";"2";"1997"
"202300000002";"203 851 187";"A01";"1";"1";"1";"1";"1960"
"202300000002";"203 851 188";"A01";"2";"2";"4";"1";"1961"
""",
    "vehicules-2023.csv": """"Num_Acc";"id_vehicule";"num_veh";"senc";"catv"
"202300000001";"155 680 557";"A01";"1";"30"
"202300000001";"155 680 558";"B01";"1";"07"
"202300000002";"155 680 559";"A01";"1";"01"
""",
    "lieux-2023.csv": """"Num_Acc";"catr";"voie";"circ";"vma"
"202300000001";"4";"RUE HAUTE";"2";"50"
"202300000002";"4";"RUE BASSE";"2";"-1"
""",
    "usagers-2022.csv": """"Num_Acc";"grav"
"202300000002";"2"
""",
}
COLUMNS = [
    "num_acc", "tues", "blesses_graves", "blesses_legers", "pietons", "velos", "deux_roues_motorises", "vitesse_max",
    "gravite",
]  # fmt: skip


def imported(source: Path, folder: Path) -> ImportOutcome:
    definition = definition_named("accidents", "34172", load_definitions()[0])
    return import_source(source, territory="34172", at=AT, definition=definition, lake=folder, announce=False)


@pytest.mark.parametrize("packed", [False, True], ids=["side by side", "in one archive"])
def test_the_four_files_of_a_year_are_read_as_one_accident_a_row(packed: bool, tmp_path: Path, settings: Any) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    source = tmp_path / "caract-2023.csv"
    if packed:
        source = tmp_path / "baac-2023.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name, text in FILES.items():
                if "2023" in name:
                    archive.writestr(name, text)
    outcome = imported(source, tmp_path / "lake")
    assert outcome.version is not None, outcome.reason
    settings.LAKE_DIR = tmp_path / "lake"
    rows = {row[0]: row[1:] for row in lake.rows(ANONYMOUS, DatasetRef("34172", "accidents"), columns=COLUMNS).rows}
    # The victims of another year, and the accident of another town, have left; « -1 » is no speed.
    assert rows == {
        "202300000001": (1, 1, 1, 1, 0, 1, 50, "mortel"),
        "202300000002": (0, 0, 1, 0, 1, 0, None, "léger"),
    }
    columns = {column.key for column in lake.dataset(ANONYMOUS, DatasetRef("34172", "accidents")).columns}
    assert not columns & {"sexe", "an_nais", "grav"}


def test_another_file_of_victims_is_another_version(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    first = imported(tmp_path / "caract-2023.csv", tmp_path / "lake")
    assert imported(tmp_path / "caract-2023.csv", tmp_path / "lake").status.value == "unchanged"
    (tmp_path / "usagers-2023.csv").write_text(
        FILES["usagers-2023.csv"].replace('"2";"2"', '"3";"2"'), encoding="utf-8"
    )
    second = imported(tmp_path / "caract-2023.csv", tmp_path / "lake")
    assert second.status.value == "published"
    assert second.version != first.version


# The exact interval of Garwood (1936) at 90 %, from the tables of the chi-squared law.
@pytest.mark.parametrize(("count", "low", "high"), [(3, 0.818, 7.754), (5, 1.970, 10.513), (10, 5.425, 16.962)])
def test_the_interval_of_a_few_accidents_is_that_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_bounds(count) == (pytest.approx(low, rel=0.02), pytest.approx(high, rel=0.01))


def test_a_rate_is_accidents_over_the_vehicles_that_passed() -> None:
    rate = rate_of(10, per_day=10_000, years=2)
    assert rate.value == pytest.approx(10 / (10_000 * 2 * 365.25 / 1e6))
    assert rate.low < rate.value < rate.high


def test_spots_are_full_circles_that_share_no_accident() -> None:
    rng = np.random.default_rng(5)
    places = np.concatenate([rng.uniform(0, 2_000, (120, 2)), rng.normal((500, 500), 12, (9, 2))])
    found = spots(places, [0.0] * len(places), within_m=50, least=3)
    members = [rank for one in found for rank in one.members]
    assert len(members) == len(set(members))
    assert [len(one.members) for one in found] == sorted((len(one.members) for one in found), reverse=True)
    for one in found:
        assert all(math.dist(places[one.centre], places[rank]) <= 50 for rank in one.members)
    # The first is the fullest circle of all, counted the other way round.
    fullest = max(sum(math.dist(one, other) <= 50 for other in places.tolist()) for one in places.tolist())
    assert len(found[0].members) == fullest
    assert set(range(120, 129)) <= set(found[0].members)


@pytest.mark.django_db
def test_the_page_ranks_the_spots_with_their_traffic_and_says_what_is_not_known(
    layers_town: str, client: Client
) -> None:
    answer = client.get("/services/2-15/")
    table = answer.context["layers"].spots
    (line,) = table.lines
    assert (line.rank, line.street, line.accidents, line.victims) == (1, "RUE HAUTE", "3", "1 tué, 1 hospitalisé")
    assert line.passing.replace("\u202f", " ").replace("\u00a0", " ") == "6 200"
    # 3 accidents in a year where 6,200 vehicles pass a day.
    assert float(line.rate.replace(",", ".")) == pytest.approx(3 / (6_200 * 365.25 / 1e6), abs=0.005)
    assert line.interval
    page = answer.content.decode()
    assert "1 point noir sur 3 accidents (2024)." in page
    assert "Intervalle à 90 %" in page
