"""8-11: « travel-time or occupancy profile by hour, sheet for employers to stagger hours »."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
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
from beffroi.sense.mobility.hours import rides
from beffroi.sense.mobility.transit.store import put_in_place
from sense.mobility.town_graph import NORTH, WEST, place_graph
from sense.mobility.transit_feeds import NETWORK, timetable_of
from territory_makers import make_town

PAGE, SHEET = "/heures/8-11/", "/heures/8-11/employeurs/"
TOWN = "00001"
IMPORTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STREET = "A------------------------------------------------------------B"
AVENUE = {6: 100, 7: 300, 8: 900, 9: 500, 10: 400, 11: 400, 12: 400, 16: 500, 17: 870, 18: 600}

pytestmark = pytest.mark.django_db


def _counts() -> str:
    """An avenue counted in the middle of the street, a lane far from it."""
    lines = ["id,point,voie,type_jour,heure,vehicules,capacite,jours_comptes,debut,fin,lon,lat"]
    for hour, count in AVENUE.items():
        where = f"{WEST + 0.004:.6f},{NORTH:.6f}"
        lines.append(f"a{hour},P1,Avenue A,Jour ouvré,{hour},{count},900,10,2026-02-02,2026-02-13,{where}")
        lines.append(f"b{hour},P2,Ruelle B,Samedi,{hour},{count // 10},,2,2026-02-02,2026-02-13,3.2,45.2")
    return "\n".join(lines) + "\n"


def _filling() -> str:
    """Two weekdays and a public holiday (Easter Monday) of a car park, and a rack of bicycles that is no car park."""
    lines = ["Date;Heure;Type;Nom;Places_Libres;Places_Totales"]
    for day in ("2026-03-02", "2026-03-03"):
        lines += [f"{day};{hour:02d}:05;Voiture;Halle;{left};100" for hour, left in ((9, 60), (10, 20), (11, 60))]
    lines += ["2026-04-06;10:05;Voiture;Halle;95;100", "2026-03-02;10:05;Velo;Arceaux;0;10"]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("8-11")
    definitions, _faults = load_definitions()
    for slug, text in (("comptages-horaires", _counts()), ("occupation-parkings", _filling())):
        (folder / f"{slug}.csv").write_text(text, encoding="utf-8")
        outcome = import_source(
            folder / f"{slug}.csv", territory=TOWN, at=IMPORTED, definition=definition_named(slug, "", definitions),
            lake=folder / "lake", announce=False,
        )  # fmt: skip
        assert outcome.version is not None, outcome.reason
    return folder / "lake"


@pytest.fixture
def town(lake: Path, tmp_path: Path, settings: Any) -> dict[str, tuple[float, float]]:
    settings.LAKE_DIR, settings.DATA_DIR = lake, tmp_path
    make_town(TOWN, "Bourg-l’Essai", population=500, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.02))
    found = place_graph(TOWN, drawing=STREET, ways={})
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
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(plain).replace("\u202f", " ").replace("\u00a0", " "))


def _at(place: tuple[float, float]) -> str:
    return f"{place[0]:.6f}, {place[1]:.6f}"


def test_a_street_says_its_peaks_and_the_better_hours(client: Client, town: dict[str, Any]) -> None:
    told = text(client.get(PAGE, {"lieu": "comptages-horaires/Avenue A", "jour": "weekday"}))
    assert "Un jour ouvré, Avenue A est le plus chargé de 8 h à 9 h : 900 véhicules par heure." in told
    assert "Presque autant de 17 h à 18 h : 870 véhicules par heure." in told
    assert "Mieux avant : de 7 h à 8 h, 300 véhicules par heure (67 % de moins)." in told
    assert "Mieux après : de 9 h à 10 h, 500 véhicules par heure (44 % de moins)." in told
    # At its capacity the formula of 1964 gives 15 %; an hour that nobody counted is a dash.
    assert "8 h – 9 h 900 + 15 % pointe" in told
    assert "14 h – 15 h – –" in told
    assert "Mesuré du 2 février 2026 au 13 février 2026. Moyenne de 10 jours de ce genre." in told
    assert "ce n’est pas un temps de parcours" in told
    catalogue.flush_usage()
    assert UseCaseUsage.objects.filter(use_case="8-11").exists()


def test_a_car_park_says_how_full_it_is(client: Client, town: dict[str, Any]) -> None:
    told = text(client.get(PAGE, {"lieu": "occupation-parkings/Halle", "jour": "weekday"}))
    assert "Halle est le plus rempli de 10 h à 11 h : 80 % des places prises." in told
    assert "Moyenne de 2 jours de ce genre." in told
    # Easter Monday counts as a Sunday.
    told = text(client.get(PAGE, {"lieu": "occupation-parkings/Halle", "jour": "sunday"}))
    assert "10 h à 11 h : 5 % des places prises." in told
    assert "Rien n’y fut mesuré ce genre de jour" in text(
        client.get(PAGE, {"lieu": "occupation-parkings/Halle", "jour": "saturday"})
    )


def test_the_page_opens_on_all_places(client: Client, town: dict[str, Any]) -> None:
    told = text(client.get(PAGE))
    assert "Avenue A de 8 h à 9 h 900 véhicules par heure" in told
    assert "Halle de 10 h à 11 h 80 % des places prises" in told
    assert "Arceaux" not in told


def test_the_bus_of_each_hour_is_that_of_the_timetable(town: dict[str, Any]) -> None:
    day = date(2026, 3, 2)
    found = rides.trips(TOWN, start=town["A"], goal=town["B"], on=day, first=7, last=9)
    # The bus leaves at 8:00 and is there at 8:02; nothing leaves between seven and eight.
    assert [(one.hour, one.seconds) for one in found] == [(7, None), (8, pytest.approx(120, abs=5))]
    passes = rides.passes(TOWN, lon=town["A"][0], lat=town["A"][1], on=day)
    assert passes is not None
    assert passes.between(480, 481) >= 1
    assert rides.passes(TOWN, lon=9.0, lat=50.0, on=day) == rides.Passes(day, (), ())


def test_a_trip_says_when_its_streets_are_busy(client: Client, town: dict[str, Any]) -> None:
    told = text(client.get(PAGE, {"t-de": _at(town["A"]), "t-vers": _at(town["B"]), "t-jour": "weekday"}))
    assert "En voiture, 2 min sans circulation (610 m)." in told
    assert (
        "Il passe par 1 rue comptée : Avenue A. Un jour ouvré, le plus chargé de 8 h à 9 h et de 17 h à 18 h." in told
    )
    assert "8 h – 9 h 100 % " in told
    assert "7 h – 8 h 33 % " in told


def test_an_employer_gets_what_other_hours_change(client: Client, town: dict[str, Any]) -> None:
    told = text(client.get(SHEET, {"site": _at(town["A"]), "nom": "Usine", "debut": "09:00", "fin": "17:00"}))
    assert "Décaler les heures de travail : Usine" in told
    assert "Commencer à 7 h 30 : 78 % de véhicules en moins autour du site." in told
    # Half past eight is half of the hour from seven and half of that from eight: 600, a third fewer.
    assert "Dès 8 h 30 (30 min plus tôt) : 33 % de moins." in told
    assert re.search(r"8 h 30 30 min plus tôt 600 − 33 % 600 − 33 %", told)
    assert re.search(r"10 h 00 60 min plus tard 500 − 44 %", told)
    # After seven in the evening nobody counted: a dash, no guess.
    assert re.search(r"18 h 30 90 min plus tard – – \d", told)
    assert "arrêts à moins de 500 m (Gare" in told


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        (f"{PAGE}?lieu=comptages-horaires/Nulle+part&jour=weekday", 400, ""),
        (f"{PAGE}?t-de=nulle+part&t-vers=3.008,45.011&t-jour=weekday", 400, ""),
        (f"{PAGE}?t-de=9.0,50.0&t-vers=9.1,50.0&t-jour=weekday", 400, "aucune rue praticable"),
        (f"{SHEET}?site=3.008,45.011&debut=17:00&fin=09:00", 400, "La fin du travail vient après son début"),
        (f"{SHEET}?site=3.5,45.5&debut=09:00&fin=17:00", 200, "Aucune rue comptée par heure à moins de 1,5 km"),
        ("/heures/12-07/", 404, ""),
    ],
)
def test_a_bad_question_gets_a_clear_answer(
    client: Client, town: dict[str, Any], address: str, status: int, said: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert said in text(answer)


def test_without_counts_the_page_says_so(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.LAKE_DIR = settings.DATA_DIR = tmp_path
    make_town(TOWN, "Bourg-l’Essai", population=500, fictional=True, bbox=BBox(3.0, 45.0, 3.02, 45.02))
    assert "Rien n’est mesuré par heure ici" in text(client.get(PAGE))
