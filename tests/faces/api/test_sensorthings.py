"""SensorThings 1.1 as its clients use it: deep insert, readings, arrays, filters, links opened, pages that follow."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.time import now
from beffroi.sense.live.models import Observation, Thing
from beffroi.sense.live.sta.asked import asked_of
from sense.live.sensors import make_stream, send
from territory_makers import OTHER_TOWN, TOWN, make_key, make_town

pytestmark = pytest.mark.django_db
STA = "/sta/v1.1"
DAY = (now() - timedelta(days=3)).replace(hour=8, minute=0, second=0, microsecond=0)


def stamp(minutes: int = 0) -> str:
    return (DAY + timedelta(minutes=minutes)).isoformat(timespec="seconds").replace("+00:00", "Z")


THING = {
    "name": "Piscine des Tilleuls",
    "description": "Bassin de 25 m",
    "properties": {"access": "public", "use_case": "12-04", "source": "Service des sports"},
    "Locations": [{
        "name": "1 place des Tilleuls", "description": "", "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [3.88, 43.61]},
    }],
    "Datastreams": [{
        "name": "Présents", "description": "", "observationType": "OM_Measurement",
        "unitOfMeasurement": {"name": "personne", "symbol": "pers.", "definition": "https://qudt.org/vocab/unit/NUM"},
        "properties": {"capacity": 200, "low": 0, "high": 400},
        "ObservedProperty": {"name": "Personnes présentes", "definition": "", "description": "",
                             "properties": {"code": "presents"}},
        "Sensor": {"name": "Tripode", "description": "", "encodingType": "text/html", "metadata": "notice"},
        "Observations": [{"phenomenonTime": stamp(), "result": 12}],
    }],
}  # fmt: skip


@pytest.fixture
def town(settings: Any) -> str:
    settings.ROOT_URLCONF = "beffroi.config.urls"
    settings.DEFAULT_COMMUNE = TOWN
    return make_town()


@pytest.fixture
def sensor(town: str) -> Client:
    """A program that has the key of a sensor."""
    return Client(headers={"Authorization": f"Bearer {make_key('observations:write')}"})


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(f"{STA}/{path}", json.dumps(body), content_type="application/json")


def get(path: str, **options: str) -> Any:
    answer = Client().get(f"{STA}/{path}", options)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_thing_comes_with_its_series_and_first_reading_and_is_read_by_its_links(sensor: Client) -> None:
    made = post(sensor, "Things", THING)
    assert made.status_code == 201, made.content
    thing = made.json()
    assert made.headers["Location"] == thing["@iot.selfLink"]
    path = thing["@iot.selfLink"].partition("/sta/v1.1/")[2]
    (series,) = get(f"{path}/Datastreams")["value"]
    assert series["unitOfMeasurement"]["symbol"] == "pers."
    number = series["@iot.id"]
    assert get(f"Datastreams({number})/ObservedProperty")["properties"] == {"code": "presents"}
    assert get(f"Datastreams({number})/Sensor")["name"] == "Tripode"
    assert get(f"{path}/Locations")["value"][0]["location"]["coordinates"] == [3.88, 43.61]
    (reading,) = get(f"Datastreams({number})/Observations")["value"]
    assert (reading["phenomenonTime"], reading["result"]) == (stamp().replace("Z", ".000Z"), 12)
    assert get(f"Observations({reading['@iot.id']})/FeatureOfInterest")["feature"]["type"] == "Point"
    assert get(f"{path}/name") == {"name": "Piscine des Tilleuls"}
    assert Client().get(f"{STA}/{path}/name/$value").content.decode() == "Piscine des Tilleuls"
    refs = get(f"{path}/Datastreams/$ref")["value"]
    assert refs == [{"@iot.selfLink": series["@iot.selfLink"]}]


def test_the_root_lists_the_sets_and_an_old_address_leads_there(town: str) -> None:
    listed = get("")
    assert {one["name"] for one in listed["value"]} >= {"Things", "Datastreams", "Observations", "Locations"}
    for one in listed["value"]:
        assert get(one["name"])["value"] == []
    assert not any("mqtt" in one or "batch" in one for one in listed["serverSettings"]["conformance"])
    moved = Client().post("/api/sta/v1.1/Observations?x=1")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/sta/v1.1/Observations?x=1")


def test_a_reading_is_sent_again_until_acknowledged_and_kept_once(sensor: Client) -> None:
    _thing, number = make_stream(at=now())
    local = stamp(60).replace("Z", "+01:00")
    body = {"phenomenonTime": local, "result": 21.5, "Datastream": {"@iot.id": number}}
    first, second = post(sensor, "Observations", body), post(sensor, f"Datastreams({number})/Observations", body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["Location"] == second.headers["Location"]
    assert first.json()["phenomenonTime"] == stamp().replace("Z", ".000Z")
    assert Observation.objects.count() == 1


def test_arrays_answer_each_reading_in_its_order(sensor: Client) -> None:
    _thing, number = make_stream(at=now(), low=0)
    ahead = (now() + timedelta(days=1)).isoformat()
    rows = [[stamp(), 1], ["hier", 2], [stamp(10), "x"], [ahead, 4], [None, -5]]
    body = [{"Datastream": {"@iot.id": number}, "components": ["phenomenonTime", "result"], "dataArray": rows}]
    answer = post(sensor, "CreateObservations", body)
    assert answer.status_code == 201
    told = answer.json()
    assert [one.startswith("error") for one in told] == [False, True, True, True, False]
    assert "futur" in told[3]
    last = Client().get(told[4]).json()
    assert (last["result"], last["resultQuality"]) == (-5, "out-of-range")
    assert Observation.objects.count() == 2


def test_who_may_not_send_changes_nothing(town: str, sensor: Client) -> None:
    _thing, number = make_stream(at=now())
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    body = {"result": 1, "Datastream": {"@iot.id": number}}
    for headers in ({}, {"Authorization": f"Bearer {make_key('data:agents')}"},
                    {"Authorization": f"Bearer {make_key('observations:write', territory=OTHER_TOWN)}"}):  # fmt: skip
        stranger = Client(headers=headers)
        assert post(stranger, "Observations", body).status_code == 404
        assert post(stranger, "Things", THING).status_code == 403
    assert (Observation.objects.count(), Thing.objects.count()) == (0, 1)


@pytest.fixture
def readings(town: str) -> int:
    """Ten readings of a public series, one of a reserved one by the same sensor; gives the first."""
    at = datetime(2026, 11, 2, 12, tzinfo=UTC)
    _thing, number = make_stream(at=at, sensor="Sonde")
    _secret, reserved = make_stream(at=at, thing="Coffre", access="agents", sensor="Sonde")
    send(number, [(at - timedelta(minutes=rank), float(rank)) for rank in range(10)], at=at)
    send(reserved, [(at, 99)], at=at)
    return number


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("result gt 6", [7, 8, 9]),
        ("6 lt result", [7, 8, 9]),
        ("result ge 2 and result le 3 or result eq 9", [2, 3, 9]),
        ("not (result lt 8)", [8, 9]),
        ("phenomenonTime lt 2026-11-02T11:52:30Z", [8, 9]),
        ("phenomenonTime ge 2026-11-02T12:00:00+00:00", [0]),
        ("Datastream/Thing/name eq 'Piscine' and result ne 0 and result lt 2", [1]),
        ("startswith(Datastream/Thing/name,'Pisc') and result eq 4", [4]),
        ("substringof('zond',Datastream/Sensor/name) and result eq 4", []),
        ("Datastream/Thing/name eq 'Coffre'", []),
    ],
)
def test_filters_compare_readings_and_what_they_lead_to(readings: int, text: str, kept: list[float]) -> None:
    found = get("Observations", **{"$filter": text, "$orderby": "result asc"})
    assert [one["result"] for one in found["value"]] == kept


def test_pages_follow_each_other_to_the_end(readings: int) -> None:
    for path, options in (
        (f"Datastreams({readings})/Observations", {"$top": "4"}),
        (f"Datastreams({readings})/Observations", {"$top": "4", "$filter": "result ge 0", "$orderby": "result desc"}),
        ("Observations", {"$top": "3", "$count": "true"}),
    ):
        page, found = get(path, **options), []
        assert page.get("@iot.count", 10) == 10
        for _turn in range(6):
            found += [one["result"] for one in page["value"]]
            if "@iot.nextLink" not in page:
                break
            page = Client().get(page["@iot.nextLink"]).json()
        assert sorted(found) == [float(rank) for rank in range(10)]


def test_the_last_reading_of_everything_is_one_question_a_level(
    readings: int, django_assert_max_num_queries: Any
) -> None:
    opened = "Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc;$select=result),ObservedProperty)"
    with django_assert_max_num_queries(8):
        (thing,) = get("Things", **{"$expand": opened, "$select": "name,Datastreams"})["value"]
    assert thing["name"] == "Piscine"
    assert thing["Datastreams"][0]["Observations"] == [{"result": 0}]
    assert thing["Datastreams"][0]["ObservedProperty"]["properties"] == {"code": "presents"}
    (again,) = get("Things", **{"$expand": "Datastreams/Observations,Locations"})["value"]
    assert len(again["Datastreams"][0]["Observations"]) == 10
    assert again["Locations"][0]["location"]["type"] == "Point"


def test_a_sensor_two_series_share_tells_of_the_public_one_only(readings: int) -> None:
    (sensor,) = get("Sensors", **{"$expand": "Datastreams"})["value"]
    assert [one["@iot.id"] for one in sensor["Datastreams"]] == [readings]
    assert len(get(f"Sensors({sensor['@iot.id']})/Datastreams")["value"]) == 1
    assert Client().get(f"{STA}/Sensors", {"$filter": "Datastreams/Thing/name eq 'Coffre'"}).status_code == 400
    assert Client().get(f"{STA}/Datastreams({readings + 1})").status_code == 404
    with_key = Client(headers={"Authorization": f"Bearer {make_key('data:agents')}"})
    assert len(with_key.get(f"{STA}/Things").json()["value"]) == 2


def test_readings_come_as_arrays(readings: int) -> None:
    (group,) = get("Observations", **{"$resultFormat": "dataArray", "$top": "2"})["value"]
    assert group["components"] == ["id", "phenomenonTime", "result"]
    assert (group["dataArray@iot.count"], len(group["dataArray"])) == (2, 2)


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("Nothing", {}, 404),
        ("Things(1", {}, 404),
        ("Things(99999999)", {}, 404),
        ("Things/Datastreams", {}, 404),
        ("Observations", {"$filter": "result gt"}, 400),
        ("Observations", {"$filter": "result gt 'x'"}, 400),
        ("Observations", {"$filter": "result gt 1e999"}, 400),
        ("Observations", {"$filter": "(" * 500}, 400),
        ("Observations", {"$filter": "not " * 400 + "result gt 1"}, 400),
        ("Observations", {"$filter": "phenomenonTime gt 2026-99-99T00:00:00Z"}, 400),
        ("Observations", {"$filter": "geo.distance(location, 1) lt 2"}, 400),
        ("Observations", {"$orderby": "secret"}, 400),
        ("Observations", {"$top": "-1"}, 400),
        ("Observations", {"$select": "secret"}, 400),
        ("Things", {"$expand": "Observations"}, 400),
        ("Things", {"$expand": "Datastreams/Thing/Datastreams/Thing/Datastreams/Thing"}, 400),
        ("Things", {"$expand": "Datastreams(("}, 400),
        ("Things", {"$where": "1"}, 400),
        ("Things", {"$resultFormat": "dataArray"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why(readings: int, path: str, options: dict[str, str], status: int) -> None:
    answer = Client(raise_request_exception=False).get(f"{STA}/{path}", options)
    assert answer.status_code == status, answer.content
    assert answer.json()["title"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"nul", b'{"result": NaN}', b'{"result": 1}', b"\xff",
    b'{"result": 1, "Datastream": 3}', b'{"result": true, "Datastream": {"@iot.id": 1}}', b"[" * 3000,
    b'{"result": 1, "Datastream": {"@iot.id": 99999999999999999999999}}'])  # fmt: skip
@pytest.mark.parametrize("path", ["Observations", "CreateObservations", "Things", "Datastreams(1)/Observations"])
def test_what_cannot_be_kept_says_why(sensor: Client, path: str, body: bytes) -> None:
    answer = sensor.post(f"{STA}/{path}", body, content_type="application/json")
    assert 400 <= answer.status_code < 500, answer.content
    assert answer.json()["title"]


def test_a_thing_whose_reading_is_refused_is_not_made(sensor: Client) -> None:
    bad = json.loads(json.dumps(THING))
    bad["Datastreams"][0]["Observations"].append({"result": 1, "phenomenonTime": "2926-01-01T00:00:00Z"})
    answer = post(sensor, "Things", bad)
    assert answer.status_code == 400
    assert "futur" in answer.json()["title"]
    assert not Thing.objects.exists()


def test_options_read_as_written() -> None:
    asked = asked_of({"$expand": "Observations($filter=name eq 'a;b,(c';$top=2),Thing/Locations"})
    assert asked.expand["Observations"].filter == "name eq 'a;b,(c'"
    assert asked.expand["Observations"].top == 2
    assert list(asked.expand["Thing"].expand) == ["Locations"]
