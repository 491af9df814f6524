"""8-24: « quays and freight stations mapped, a declared goods flow compared by road and by river or rail plus last
mile: km, cost, time, CO2, trucks avoided »."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.test import Client

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue import queries as catalogue_queries
from beffroi.base.catalogue.models import UseCaseUsage
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Role
from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.freight_settings import Freight
from beffroi.lake.operations import import_source
from beffroi.sense.mobility.freight.comparing import Known, Leg, Way, carried
from beffroi.sense.mobility.freight.lines import along_m, straight_m
from desk_makers import sign_in_agent
from territory_makers import make_person, make_town

PAGE, SERVICE = "/fret/", "/services/8-24/"
TOWN = "00000"
IMPORTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# A degree of latitude is 111.195 km: the river goes one degree north, then bends; the sea port is at its end.
_RIVER = '{"type":"LineString","coordinates":[[3.0,45.0],[3.2,45.5],[3.0,46.0]]}'
SOURCES = {
    "ports-fluviaux": "id,nom,tonnage_max_t,marchandises,lon,lat\nA,Quai Haut,1500,vrac,3.001,45.0\n"
                      "B,Port de Mer,3000,\"vrac, conteneurs\",3.0,46.0\n",
    "gares-fret": "CODE_UIC;LIBELLE;FRET;VOYAGEURS;CODE_LIGNE;COMMUNE;X_WGS84;Y_WGS84\n"
                  "1;Bourg-Fret;O;N;1;BOURG;3.02;45.0\n2;Bourg-Halte;N;O;1;BOURG;3.0;45.0\n"
                  "3;Triage;O;N;1;LOIN;3.02;46.0\n",
    "voies-navigables": '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"nom":"L’Onde"},'
                        f'"geometry":{_RIVER}}}]}}',
}  # fmt: skip
ASKED = {"quoi": "Granulats", "tonnes": "10000", "emballage": "vrac", "sens": "part", "ici": "3.0, 45.01"}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("8-24")
    definitions, _faults = load_definitions()
    for slug, source in SOURCES.items():
        path = folder / f"{slug}.{'geojson' if source.startswith('{') else 'csv'}"
        path.write_text(source, encoding="utf-8")
        outcome = import_source(path, territory=TOWN, slug=slug, at=IMPORTED, lake=folder / "lake", announce=False,
                                definition=definition_named(slug, TOWN, definitions))  # fmt: skip
        assert outcome.version is not None, outcome.reason
    return folder / "lake"


@pytest.fixture
def town(lake: Path, tmp_path: Path, settings: Any) -> str:
    settings.LAKE_DIR, settings.DATA_DIR, settings.STRONG_AUTH = lake, tmp_path, False
    make_town(TOWN, "Bourg-l’Essai", population=500, fictional=True, bbox=BBox(2.9, 44.9, 3.1, 45.1))
    return TOWN


@pytest.fixture
def agent(town: str) -> Client:
    return sign_in_agent(town=TOWN)[0]


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(plain).replace("\u202f", " ").replace("\u00a0", " "))


def far_end(client: Client, name: str) -> str:
    found = re.search(rf'<option value="([^"]+)"[^>]*>{name}<', client.get(PAGE).content.decode())
    assert found is not None
    return found[1]


def test_quays_and_stations_are_mapped_and_listed(agent: Client) -> None:
    told = text(agent.get(SERVICE))
    for name in ("Quai Haut", "Port de Mer", "Bourg-Fret", "Triage", "Comparer un flux par la route"):
        assert name in told
    # A stop of passengers takes no goods.
    assert "Bourg-Halte" not in told


def test_a_flow_by_river_is_told_door_to_door(agent: Client) -> None:
    told = text(agent.get(PAGE, ASKED | {"ailleurs": far_end(agent, "Port de Mer")}))
    assert "Granulats : 10 000 tonnes par an" in told
    # By road, the straight line to the sea (110.1 km) and a third: 143 km; by water, along the bend of the river.
    river_km = 2 * straight_m((3.0, 45.0), (3.2, 45.5)) / 1000
    assert 115 < river_km < 116.5
    assert "camion, de 3.0, 45.01 à Port de Mer : 143 km (à vol d’oiseau, × 1,3)" in told
    assert f"bateau, de Quai Haut à Port de Mer : {round(river_km)} km (le long du réseau)" in told
    assert "camion, de 3.0, 45.01 à Quai Haut : 1,4 km (à vol d’oiseau, × 1,3)" in told
    # 10,000 t × 143.1 km × 79 g = 113 t; by water 21.5 to 44.3 g, and the last mile by lorry.
    assert "CO₂ 113 t 26 à 52 t 12 t" in told
    assert "Par le fleuve : 61 à 87 t de CO₂ par an de moins" in told
    # 500 lorries of 20 t; ten boats of 1,000 t; the last mile takes 500 lorries, for 1.4 km.
    assert re.search(r"Trajets de camion, derniers kilomètres compris 500 500 1 000", told)
    assert "Bateaux ou trains – 10 10" in told
    assert "500 longs trajets de camions évités dans l’année (70 800 km en charge de moins)" in told
    # Two hours and a half by road; by water 13 hours at 9 km/h and six to handle.
    assert "Temps, de porte à porte 3 h 19 h" in told
    assert "ADEME" in told
    assert "vers 2012" in told


def test_a_gap_that_is_not_sure_is_told_so(agent: Client) -> None:
    told = text(agent.get(PAGE, ASKED | {"ailleurs": far_end(agent, "Port de Mer")}))
    # Road 85,860 €; river 39,000 to 57,000 € and 30,000 € of handling: 70,000 to 88,000.
    assert re.search(r"de − 15 \d00 à \+ 1 \d+ € par an : l’écart n’est pas sûr", told)
    assert "Un écart n’est dit sûr que si les deux bornes vont dans le même sens." in told


def test_by_rail_without_a_known_line_the_distance_is_straight(agent: Client) -> None:
    told = text(agent.get(PAGE, ASKED | {"ailleurs": far_end(agent, "Triage")}))
    assert "train, de Bourg-Fret à Triage : 145 km (à vol d’oiseau, × 1,3)" in told
    assert re.search(r"Par le rail : 10\d t de CO₂ par an de moins", told)


def test_goods_go_only_where_they_are_taken(agent: Client) -> None:
    boxes = ASKED | {"emballage": "conteneurs", "ailleurs": far_end(agent, "Port de Mer")}
    told = text(agent.get(PAGE, boxes))
    # The upper quay takes bulk alone: nothing else is near the town. Stations say nothing, none is left out.
    assert "Par le fleuve : aucune chaîne" in told
    assert "train, de Bourg-Fret à Triage" in told
    far = ASKED | {"lieu": "7.5, 48.5"}
    told = text(agent.get(PAGE, far))
    assert "Par le fleuve : aucune chaîne" in told
    assert "Par le rail : aucune chaîne" in told


def test_a_way_comes_as_it_goes(agent: Client) -> None:
    told = text(agent.get(PAGE, ASKED | {"sens": "vient", "ailleurs": far_end(agent, "Port de Mer")}))
    assert "De Port de Mer à 3.0, 45.01" in told
    assert "bateau, de Port de Mer à Quai Haut" in told


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Choisissez un port ou une gare, ou donnez un autre lieu"),
        ({"lieu": "3.5, 45.5", "ailleurs": "river/A"}, "Choisissez un port ou une gare, ou donnez un autre lieu"),
        ({"lieu": "3.5, 45.5", "tonnes": "0"}, "Tonnes par an"),
        ({"lieu": "nulle part"}, "Ou un autre lieu"),
    ],
)
def test_a_bad_question_gets_a_clear_answer(agent: Client, asked: dict[str, str], said: str) -> None:
    answer = agent.get(PAGE, ASKED | asked)
    assert answer.status_code == 400
    assert said in text(answer)


def test_officials_read_it_and_residents_do_not(client: Client, town: str, django_user_model: Any) -> None:
    assert client.get(PAGE).status_code in (302, 403)
    official = django_user_model.objects.get(pk=make_person(Role.ELECTED, territory=TOWN))
    client.force_login(official, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(PAGE, ASKED | {"lieu": "3.0, 46.0"})
    assert answer.status_code == 200
    assert "private" in answer.headers["Cache-Control"]
    catalogue.flush_usage()
    assert UseCaseUsage.objects.filter(use_case="8-24").exists()


def test_the_network_is_followed_only_where_it_joins() -> None:
    river, canal = shapely.LineString([(3, 45), (3, 45.5)]), shapely.LineString([(3, 45.5), (3.5, 45.5)])
    found = along_m([river, canal], (3.0, 45.1), (3.4, 45.5))
    assert found == pytest.approx(0.4 * 111_195 * (1 + 0.7009), rel=0.01)
    apart = shapely.LineString([(3.01, 45.5), (3.5, 45.5)])
    assert along_m([river, apart], (3.0, 45.1), (3.4, 45.5)) is None
    assert along_m([river], (3.0, 45.1), (3.4, 45.5)) is None


def test_a_town_writes_its_own_figures() -> None:
    shipped = catalogue_queries.catalogue().use_cases["8-24"].settings["layers"].freight
    own = Freight.model_validate(shipped.model_dump() | {"road": shipped.road.model_dump() | {"payload_t": 10}})
    legs = [Leg(Way.ROAD, "a", "b", 10.0, Known.STREETS)]
    assert carried(Way.ROAD, legs, tonnes=95, wanted=shipped).lorries == 5
    assert carried(Way.ROAD, legs, tonnes=95, wanted=own).lorries == 10
