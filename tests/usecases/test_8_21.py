"""8-21: « counters and aggregated sources by mode on one map, hour slider, modal share, estimated values told »."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.models import UseCaseUsage
from beffroi.base.kernel.geo import BBox
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source
from territory_makers import make_town

PAGE, MAP = "/flux/8-21/", "/flux/8-21/carte.geojson"
TOWN = "00000"
IMPORTED = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
MONDAY = date(2026, 6, 1)
# Twenty-four hours: nothing till seven, 100 from 8 to 9 (a tenth of the day), 60 or 70 till nine in the evening.
DAY = [0] * 7 + [40, 100, 60, 70, 60, 80, 90, 70, 60, 80, 110, 90, 60, 30, 0, 0, 0]
WALKERS = [value // 2 for value in DAY]

pytestmark = pytest.mark.django_db


def _sites() -> str:
    lines = ["site_id,site_name,fr_insee_code,xlong,ylat"]
    lines += [f"{key},{name},{TOWN},{lon},45.0110" for key, name, lon in (
        ("H", "Halle", 3.0020), ("P", "Pont", 3.0060), ("Q", "Quai", 3.0100), ("M", "Mail", 3.0140))]  # fmt: skip
    return "\n".join(lines) + "\n"


def _channels() -> str:
    """The market hall counts three modes and, by quarters of an hour, lorries; the bridge bicycles by the day."""
    told = [("H-w", "H", "PEDESTRIAN", 3600), ("H-b", "H", "BIKE", 3600), ("H-c", "H", "CAR", 3600),
            ("H-t", "H", "TRUCK", 900), ("P-b", "P", "BIKE", 86400), ("P-w", "P", "PEDESTRIAN", 3600),
            ("Q-b", "Q", "BIKE", 3600), ("Q-x", "Q", '"BIKE,E-SCOOTER"', 3600), ("M-b", "M", "BIKE", 3600),
            ("M-w", "M", "PEDESTRIAN", 3600)]  # fmt: skip
    lines = ["channel_id,site_id,mobility_type,time_step", *(f"{a},{b},{c},{d}" for a, b, c, d in told)]
    return "\n".join(lines) + "\n"


def _measures() -> str:
    lines = ["channel_id,counter_id,start_datetime,end_datetime,count"]

    def write(channel: str, start: datetime, step_s: int, count: float | str) -> None:
        # The town is two hours ahead of universal time in June.
        begin, end = (moment - timedelta(hours=2) for moment in (start, start + timedelta(seconds=step_s)))
        lines.append(f"{channel},{channel},{begin:%Y-%m-%dT%H:%M:%SZ},{end:%Y-%m-%dT%H:%M:%SZ},{count}")

    for offset in range(2):
        midnight = datetime.combine(MONDAY + timedelta(days=offset), datetime.min.time())
        for hour, value in enumerate(DAY):
            at = midnight + timedelta(hours=hour)
            for channel in ("H-c", "Q-b", "M-b"):
                write(channel, at, 3600, value)
            # The bicycles of the hall are out of order on the second day; nobody walked past the bridge's at eight.
            write("H-b", at, 3600, value if offset == 0 else 0)
            write("H-w", at, 3600, WALKERS[hour])
            write("P-w", at, 3600, "" if hour == 8 else WALKERS[hour])
            write("Q-x", at, 3600, value)
            # A counter that never saw anyone at noon.
            write("M-w", at, 3600, 5 if hour == 8 else 0)
            for quarter in range(4):
                write("H-t", at + timedelta(minutes=15 * quarter), 900, 2 + hour % 2 if 7 <= hour < 20 else 0)
        write("P-b", midnight, 86400, 500)
    return "\n".join(lines) + "\n"


def _hourly() -> str:
    lines = ["id,point,voie,type_jour,heure,vehicules,jours_comptes,debut,fin,lon,lat"]
    for street in range(4):
        for kind, weight in (("Jour ouvré", 10), ("Samedi", 5), ("Dimanche", 5)):
            lines += [f"{street}{kind[0]}{hour},{street},Avenue {street},{kind},{hour},{value * weight},10,2026-03-02,"
                      f"2026-03-15,3.0{street}0,45.0200" for hour, value in enumerate(DAY)]  # fmt: skip
    return "\n".join(lines) + "\n"


def _daily() -> str:
    def street(key: str, name: str, lat: float) -> str:
        return (f'{{"type":"Feature","properties":{{"id":"{key}","voie":"{name}","tmja":6000,"annee":2025}},"geometry":'
                f'{{"type":"LineString","coordinates":[[3.0,{lat}],[3.001,{lat}]]}}}}')  # fmt: skip

    # The second lies on a street counted by hour: it is not estimated there.
    rows = street("R1", "Route du Nord", 45.03), street("R2", "Avenue 0", 45.02)
    return f'{{"type":"FeatureCollection","features":[{",".join(rows)}]}}'


def _streets() -> str:
    return ('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"T1","nom_voie":"Rue Haute"},'
            '"geometry":{"type":"LineString","coordinates":[[3.002,45.012],[3.004,45.012]]}}]}')  # fmt: skip


def _sample() -> str:
    return ("id,troncon,mobility_type,type_jour,heure,trajets,source\n1,T1,BIKE,Jour ouvré,8,24,Panel\n"
            "2,T1,BIKE,Jour ouvré,9,4,Panel\n")  # fmt: skip


SOURCES = {
    "comptage-sites": _sites, "comptage-canaux": _channels, "comptage-mesures": _measures,
    "comptages-horaires": _hourly, "comptages-routiers": _daily, "troncons-route": _streets, "flux-agreges": _sample,
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("8-21")
    definitions, _faults = load_definitions()
    for slug, text in SOURCES.items():
        source = text()
        path = folder / f"{slug}.{'geojson' if source.startswith('{') else 'csv'}"
        path.write_text(source, encoding="utf-8")
        outcome = import_source(path, territory=TOWN, slug=slug, at=IMPORTED, lake=folder / "lake", announce=False,
                                definition=definition_named(slug, TOWN, definitions))  # fmt: skip
        assert outcome.version is not None, outcome.reason
    return folder / "lake"


@pytest.fixture
def town(lake: Path, tmp_path: Path, settings: Any) -> str:
    settings.LAKE_DIR, settings.DATA_DIR = lake, tmp_path
    make_town(TOWN, "Bourg-l’Essai", population=500, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.04))
    return TOWN


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(plain).replace("\u202f", " ").replace("\u00a0", " "))


def rows(client: Client, **asked: str) -> dict[tuple[str, str], dict[str, str]]:
    """The file of an hour, by place and mode."""
    answer = client.get(PAGE, {"jour": "weekday", "heure": "8", "csv": "1"} | asked)
    found = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    return {(row["lieu"], row["mode"]): row for row in found}


def test_every_mode_is_counted_in_the_time_of_the_town(client: Client, town: str) -> None:
    found = rows(client)
    assert found["Halle", "Piétons"]["passages de l’heure"] == "50.0"
    # Four quarters of an hour make the hour; two days of 100 cars are a mean of 100.
    assert found["Halle", "Poids lourds"]["passages de l’heure"] == "8.0"
    assert found["Halle", "Voitures et fourgonnettes"]["passages de l’heure"] == "100.0"
    assert {row["nature"] for key, row in found.items() if key[0] == "Halle"} == {"mesuré"}
    assert found["Avenue 1", "Véhicules à moteur, tous ensemble"]["passages de l’heure"] == "1000.0"


def test_a_broken_counter_is_told_and_nothing_counted_is_not_zero(client: Client, town: str) -> None:
    found = rows(client)
    # The day of zeros is left out of the mean: 100, not 50.
    assert found["Halle", "Vélos"] | {"longitude": "", "latitude": ""} == {
        "lieu": "Halle", "mode": "Vélos", "passages de l’heure": "100.0", "nature": "mesuré", "au moins": "",
        "au plus": "", "jours laissés de côté, en panne": "1", "longitude": "", "latitude": "",
    }  # fmt: skip
    assert found["Pont", "Piétons"]["passages de l’heure"] == ""
    assert found["Mail", "Piétons"]["passages de l’heure"] == ""
    told = text(client.get(PAGE, {"heure": "8"}))
    assert "Halle, vélos : le 2 juin 2026 n’est pas retenu." in told
    assert "Mail, piétons : 2 jours ne sont pas retenus, du 1 juin 2026 au 2 juin 2026." in told
    assert "Mail compteur en panne 100" in told
    assert "Pont pas compté à cette heure" in told


def test_the_modal_share_is_of_what_was_counted(client: Client, town: str) -> None:
    told = text(client.get(PAGE, {"heure": "8"}))
    # 50 on foot, 100 by bicycle, 100 by car, 8 lorries.
    assert (
        "Là où l’on compte à la fois à pied, à vélo et à moteur (1 lieu) : vélos 39 %, voitures et fourgonnettes 39 %, "
        "piétons 19 %, poids lourds 3 %."
    ) in told
    assert re.search(r"Halle 19 % 39 % 39 % 3 % (– )?260", told)
    # At the bridge bicycles are told by the day alone, at the quay they are counted with scooters.
    assert "Pont pas de part : un des modes n’a pas été compté à cette heure" in told
    assert "Quai pas de part : plusieurs modes comptés ensemble" in told
    assert "Route du Nord" not in told.partition("Part de chaque mode")[2].partition("Compteurs en panne")[0]
    # At three in the morning nobody passes: a share of nothing is none.
    assert re.search(r"Halle – – – –", text(client.get(PAGE, {"heure": "3"})))


def test_an_estimate_says_it_is_one(client: Client, town: str) -> None:
    found = rows(client)
    # The day of the bridge, 500, of which a tenth passes from 8 to 9 at the three other counters of bicycles.
    share = DAY[8] / sum(DAY)
    estimate = found["Pont", "Vélos"]
    assert (estimate["nature"], estimate["passages de l’heure"]) == ("estimé", str(round(500 * share, 1)))
    # 6,000 a mean day; weekdays weigh twice weekends: 10 against (5 × 10 + 5 + 5) / 7.
    road = found["Route du Nord", "Véhicules à moteur, tous ensemble"]
    assert road["nature"] == "estimé"
    assert float(road["passages de l’heure"]) == pytest.approx(6000 * 10 / (60 / 7) * share, abs=0.1)
    assert road["au moins"] == pytest.approx(road["au plus"])
    assert not any(row["nature"] == "estimé" for key, row in found.items() if key[0] == "Avenue 0")
    told = text(client.get(PAGE, {"heure": "8"}))
    assert re.search(r"Route du Nord Véhicules à moteur, tous ensemble 700 estimé, de 700 à 700", told)
    assert "tour à tour : véhicules à moteur, tous ensemble 0 %." in told


def test_a_sample_is_no_count_and_keeps_its_threshold(client: Client, town: str) -> None:
    assert rows(client)["Rue Haute", "Vélos"]["nature"] == "vu par un échantillon"
    assert rows(client, heure="9")["Rue Haute", "Vélos"]["passages de l’heure"] == ""
    assert "Rue Haute Vélos 24 trajets d’un échantillon, pas un comptage" in text(client.get(PAGE, {"heure": "8"}))


def test_one_map_draws_the_hour_of_the_slider(client: Client, town: str) -> None:
    page = client.get(PAGE, {"heure": "17", "mode": "velo"}).content.decode()
    assert re.search(r'type="range"[^>]*name="heure"|name="heure"[^>]*type="range"', page)
    assert 'href="?jour=weekday&amp;mode=velo&amp;heure=18"' in page
    assert "/flux/8-21/carte.geojson?jour=weekday&amp;mode=velo&amp;heure=17" in page
    found = client.get(MAP, {"jour": "weekday", "heure": "8", "mode": ""}).json()["features"]
    by_title = {one["properties"]["title"]: one for one in found}
    walked = by_title["Halle, piétons : 50 (mesuré, moyenne de 2 jours)"]
    assert walked["properties"]["mode"] == "pieton"
    assert "hollow" not in walked["properties"]
    assert walked["geometry"] == {"type": "Point", "coordinates": [3.002, 45.011]}
    hollow = [title for title, one in by_title.items() if one["properties"].get("hollow")]
    assert any(title.startswith("Route du Nord") and "estimé" in title for title in hollow)
    assert any(title.startswith("Rue Haute") for title in hollow)
    broken = next(one for title, one in by_title.items() if title.startswith("Mail, piétons"))
    assert broken["properties"]["mode"] == "inconnu"
    assert {one["properties"]["mode"] for one in client.get(MAP, {"mode": "velo"}).json()["features"]} <= {
        "velo", "inconnu"
    }  # fmt: skip
    catalogue.flush_usage()
    assert UseCaseUsage.objects.filter(use_case="8-21").exists()


@pytest.mark.parametrize(("asked", "status"), [({"heure": "24"}, 400), ({"jour": "lundi"}, 400), ({"mode": "x"}, 400)])
def test_a_bad_question_gets_a_clear_answer(client: Client, town: str, asked: dict[str, str], status: int) -> None:
    answer = client.get(PAGE, asked)
    assert answer.status_code == status
    assert 'class="errorlist"' in answer.content.decode()
    assert client.get(MAP, asked).status_code == status


def test_without_counts_the_page_says_so(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.LAKE_DIR = settings.DATA_DIR = tmp_path
    make_town(TOWN, "Bourg-l’Essai", population=500, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.02))
    assert "Rien n’est compté par mode ici" in text(client.get(PAGE))
    assert client.get("/flux/8-11/").status_code == 404
