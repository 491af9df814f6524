"""8-22, of « walk/bike/transit/carpool/park-and-ride trip across communes with time, cost and CO2 ».

On foot, by bicycle, by a shared one (GBFS), by transit, by car alone or shared, by car then transit; and where a cycle
way stops at the border while another goes on beyond, the most used by metre first.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.test import Client

from beffroi.base.kernel.time import now
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.sense.mobility.journeys.factors import factors
from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.transit.store import put_in_place
from sense.mobility.town_graph import place_graph
from sense.mobility.transit_feeds import NETWORK, timetable_of
from serve_makers import make_open_town
from territory_makers import OTHER_TOWN, TOWN, make_town

PAGE = "/trajets/8-22/"
STREET = "A------------------------------------------------------------B"

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR = tmp_path
    make_open_town()
    found = place_graph(TOWN, drawing=STREET, ways={})
    # Bus 1 of the network, its stops moved to both ends of the street.
    (ax, ay), (bx, by) = found["A"], found["B"]
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding,platform_code\n"
        f"G,Gare,{ay},{ax},1,,1,\nG1,Gare,{ay},{ax},0,G,,1\nG2,Gare,{ay},{ax},0,G,2,2\n"
        f"M,Mairie,{by},{bx},0,,1,\nE,Église,45.3,3.3,0,,2,\nX,Dépôt,45.4,3.4,0,,,\n"
    )
    times = NETWORK["stop_times"].replace("08:10:00,08:11:00", "08:02:00,08:03:00")
    made = timetable_of(tmp_path, NETWORK | {"stops": stops, "stop_times": times})
    put_in_place(made.__class__(**{**made.__dict__, "about": made.about | {"territory": TOWN}}), [])
    return found


def text(answer: Any) -> str:
    plain = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def asked(places: dict[str, Any], **more: str) -> dict[str, str]:
    ends = {name: f"{places[letter][0]:.6f}, {places[letter][1]:.6f}" for name, letter in (("de", "A"), ("vers", "B"))}
    return ends | more


def test_each_way_has_its_time_its_cost_and_its_co2(client: Client, places: dict[str, Any]) -> None:
    told = text(client.get(PAGE, asked(places, depart="2026-03-02T07:58")))
    assert "En partant le lundi 2 mars 2026, 7:58" in told
    rows = re.search(r"Longueur (.*?) En transport : partir", told)
    assert rows is not None
    lines = rows[1]
    # 610 m: eight minutes on foot; the bus leaves at 8:00 and arrives at 8:02.
    assert "À pied 8 min gratuit 0 g 610 m" in lines
    assert "En transport 2 min inconnu" in lines
    car = 0.61 * factors().car_eur_km
    assert f"En voiture, seul 2 min {car:.2f} €".replace(".", ",") in lines
    assert f"En voiture, à deux (covoiturage) 2 min {car / 2:.2f} €".replace(".", ",") in lines
    assert "130 g" in lines
    assert "70 g" in lines
    assert "partir à 8:00, arriver à 8:02" in told
    assert "Gare à 8:00, vers Église ; descendre à Mairie à 8:02 (1 arrêt)" in told
    assert "Horaires prévus : Réseau d’essai." in told
    assert "ADEME" in told


def test_a_shared_bicycle_is_a_way_while_its_stations_are_told(
    client: Client, places: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "velos.toml").write_text(
        f'territory = "{TOWN}"\nname = "Vélos d’essai"\ngbfs = "https://velos.test/gbfs.json"\n', encoding="utf-8"
    )
    stations = [
        {"station_id": one, "name": f"Place {one}", "lon": places[one][0], "lat": places[one][1]} for one in "AB"
    ]
    counts = [{"station_id": "A", "num_bikes_available": 3, "num_docks_available": 1},
              {"station_id": "B", "num_bikes_available": 0, "num_docks_available": 7}]  # fmt: skip
    for kind, rows in (("station_information", stations), ("station_status", counts)):
        LiveMessage.objects.create(
            territory=TOWN, feed="gbfs:velos", kind=kind, number=1, fetched_at=now(),
            content=json.dumps({"data": {"stations": rows}}).encode(),
        )  # fmt: skip
    told = text(client.get(PAGE, asked(places)))
    assert "À vélo partagé" in told
    assert "à vélo jusqu’à la station « Place B » (7 places libres)" in told
    assert "jusqu’à la station « Place A » (3 vélos)" in told
    assert "Vélos d’essai près du départ" in told
    assert "Place A 3 1 " in told
    # Another moment than now: nobody knows what a station will have.
    assert "À vélo partagé" not in text(client.get(PAGE, asked(places, depart="2026-03-02T07:58")))
    LiveMessage.objects.update(fetched_at=now() - timedelta(minutes=6))
    told = text(client.get(PAGE, asked(places)))
    assert "Chiffres trop anciens" in told
    assert "À vélo partagé" not in told


def test_a_park_on_the_way_is_left_for_the_bus(
    client: Client, places: dict[str, Any], tmp_path: Path, settings: Any
) -> None:
    (ax, ay), (bx, _by) = places["A"], places["B"]
    settings.LAKE_DIR = tmp_path / "lake"
    found = place_graph(TOWN, "20260302T100000Z-drawn0000001", drawing=f"{STREET}\n|\nC", ways={})
    source = tmp_path / "parkings_bnls.csv"
    source.write_text(
        "id;nom;insee;type_usagers;gratuit;nb_places;nb_pr;Xlong;Ylat\n"
        f"{TOWN}-P-001;Parc de la gare;{TOWN};tous;true;200;80;{ax};{ay}\n"
        f"{TOWN}-P-002;Parc du marché;{TOWN};tous;true;90;0;{bx};{ay}\n",
        encoding="utf-8",
    )
    definition = definition_named("parkings", "", load_definitions()[0])
    done = import_source(
        source, territory=TOWN, at=now(), definition=definition, lake=settings.LAKE_DIR, announce=False
    )
    assert done.version, done.reason
    ends = {"de": "{:.6f}, {:.6f}".format(*found["C"]), "vers": f"{bx:.6f}, {ay:.6f}"}
    told = text(client.get(PAGE, ends | {"depart": "2026-03-02T07:55"}))
    assert "En voiture puis en transport (parc relais) : partir à 7:5" in told
    assert "en voiture jusqu’au parc « Parc de la gare » (80 places de parc relais" in told
    assert "Parc du marché" not in told
    # On a Sunday no bus runs: there is nothing to leave the car for.
    assert "parc relais" not in text(client.get(PAGE, ends | {"depart": "2026-03-01T07:55"}))


def test_obstacles_and_missing_networks_are_told(client: Client, places: dict[str, Any]) -> None:
    # On a Sunday nothing runs: the other ways are there.
    told = text(client.get("/trajets/", asked(places, depart="2026-03-01T08:00")))
    assert "À pied 8 min" in told
    assert "En transport " not in told.partition("Longueur ")[2].partition("Horaires")[0]


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"de": "nulle part"}, 400, ""),
        ({"depart": "demain"}, 400, "Écrivez par exemple 2026-03-29T08:30."),
        ({"de": "9.0, 50.0"}, 400, "aucune rue praticable"),
    ],
)
def test_a_bad_question_gets_a_clear_answer(
    client: Client, places: dict[str, Any], more: dict[str, str], status: int, said: str
) -> None:
    answer = client.get(PAGE, asked(places) | more)
    assert answer.status_code == status
    assert said in text(answer)


def test_without_streets_the_page_says_so(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    make_open_town()
    assert "Pas encore d’itinéraires ici" in text(client.get(PAGE))


GAPS = "/trajets/coupures-cyclables/"
# Two streets of 600 m lead from this commune (west) to the other (east): the border is at their middle. A third of each
# has a cycle way on this side; beyond, that of the north goes on 200 m farther, that of the south 100 m farther.
BORDER = """
A--------------------B-------------------C--------------------D
|                                        |                    |
E--------------------F---------G---------H--------------------I
"""


@pytest.fixture
def border(settings: Any, tmp_path: Path) -> dict[str, tuple[float, float]]:
    settings.DATA_DIR, settings.LAKE_DIR, settings.DEFAULT_COMMUNE = tmp_path, tmp_path / "lake", TOWN
    found = place_graph(TOWN, drawing=BORDER, ways={})
    (west, north), (east, south), (middle, _lat) = found["A"], found["I"], found["G"]
    south, north = south - 0.01, north + 0.01
    make_town(contour=shapely.box(west - 0.01, south, middle, north))
    make_town(OTHER_TOWN, "Castelnau-le-Lez", contour=shapely.box(middle, south, east + 0.01, north))
    published(TOWN, tmp_path, {"Rue haute": (found["A"], found["B"]), "Rue basse": (found["E"], found["F"])})
    return found


def published(town: str, folder: Path, ways: dict[str, tuple[Any, Any]], kind: str = "PISTE CYCLABLE") -> None:
    features = [
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line},
         "properties": {"id_local": f"{town}-{rank}", "nom_voie": name, "ame_d": kind, "date_maj": "2026-01-01"}}
        for rank, (name, line) in enumerate(ways.items())
    ]  # fmt: skip
    source = folder / f"{town}_amenagements_cyclables.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    definition = definition_named("amenagements-cyclables", "", load_definitions()[0])
    done = import_source(source, territory=town, at=now(), definition=definition, lake=folder / "lake", announce=False)
    assert done.version, done.reason


def test_cycle_gaps_at_the_border_are_ranked_by_trips_for_each_metre(
    client: Client, border: dict[str, Any], tmp_path: Path
) -> None:
    published(OTHER_TOWN, tmp_path, {"Cours nord": (border["C"], border["D"]), "Cours sud": (border["G"], border["H"])})
    answer = client.get(GAPS)
    told = text(answer)
    assert "2 coupures" in told
    gaps = answer.context["found"].gaps
    # Each is what its street has no cycle way on: 200 m in the north, 100 m in the south.
    lengths = {one.end.name: one.missing_m for one in gaps}
    assert lengths == {"Rue haute": pytest.approx(200, abs=1), "Rue basse": pytest.approx(100, abs=1)}
    assert [one.worth for one in gaps] == sorted(
        (1000 * one.share / (one.missing_m / 100) for one in gaps), reverse=True
    )
    assert gaps[0].worth > gaps[1].worth > 0
    rows = list(csv.reader(client.get(GAPS, {"csv": "1"}).content.decode("utf-8-sig").splitlines()))
    assert [row[1] for row in rows[1:]] == [one.end.name for one in gaps]
    assert rows[1][2:4] == ["Castelnau-le-Lez", gaps[0].beyond]
    drawn = client.get(f"{GAPS}carte.geojson").json()["features"]
    assert [one["geometry"]["type"] for one in drawn] == ["LineString"] * 2


def test_a_trip_across_the_border_has_its_ways_side_by_side(client: Client, border: dict[str, Any]) -> None:
    ends = {name: "{:.6f}, {:.6f}".format(*border[letter]) for name, letter in (("de", "A"), ("vers", "D"))}
    told = text(client.get(PAGE, ends))
    # 620 m, from this commune to the other.
    for mode in ("À pied 8 min gratuit 0 g", r"À vélo \d min gratuit", "En voiture, seul", r"à deux \(covoiturage\)"):
        assert re.search(mode, told)


def test_a_cycle_way_that_goes_on_is_no_gap_and_one_that_says_none_is_none(
    client: Client, border: dict[str, Any], tmp_path: Path
) -> None:
    published(OTHER_TOWN, tmp_path, {"Cours nord": (border["B"], border["D"])})
    answer = client.get(GAPS)
    assert [one.end.name for one in answer.context["found"].gaps] == []
    assert answer.context["found"].joined == 1
    # What lies north is not on the axis of the south: nothing goes on ahead of it.
    assert "Rue basse, vers Castelnau-le-Lez" in text(answer)
    assert "Rien ne continue" in text(answer)
    published(OTHER_TOWN, tmp_path, {"Cours sud": (border["G"], border["H"])}, kind="AUCUN")
    assert client.get(GAPS).context["found"].gaps == ()


def test_a_neighbour_that_publishes_nothing_is_told_and_not_counted(client: Client, border: dict[str, Any]) -> None:
    answer = client.get(GAPS)
    assert answer.context["found"].gaps == ()
    assert "Castelnau-le-Lez ne publie pas ses aménagements cyclables ici" in text(answer)
    assert "Rue haute, vers Castelnau-le-Lez" in text(answer)
    # Who compares two ways finds it.
    assert GAPS in client.get(PAGE).content.decode()


def test_without_streets_or_cycle_ways_the_gaps_page_says_so(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.LAKE_DIR = tmp_path, tmp_path / "lake"
    make_open_town()
    assert "Pas encore d’itinéraires ici" in text(client.get(GAPS))
    assert client.get(f"{GAPS}carte.geojson").json()["features"] == []
    place_graph(TOWN, drawing=STREET, ways={})
    assert "Aucun aménagement cyclable publié" in text(client.get(GAPS))
