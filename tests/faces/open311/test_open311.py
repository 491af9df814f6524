"""GeoReport v2, rule by rule: what a client of another city finds here unchanged."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.http import urlencode

from beffroi.base.kernel.time import now
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports import operations, queries
from serve_makers import LAT, LON, agent_of, make_open_town, photo, send
from territory_makers import OTHER_TOWN, TOWN, make_key

pytestmark = pytest.mark.django_db
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("georeport_v2.xsd"))
CLEANER = agent_of("proprete")


@pytest.fixture
def town(db: None, settings: Any) -> str:
    settings.DEFAULT_COMMUNE = TOWN
    return make_open_town()


def _get(client: Client, path: str, expected: int = 200, **query: str) -> Any:
    """Ask in both forms; the XML holds to the schema and says as many things as the JSON, which is returned."""
    xml = client.get(f"/open311/{path}.xml", query)
    answer = client.get(f"/open311/{path}.json", query)
    assert (xml.status_code, answer.status_code) == (expected, expected), answer.content.decode()
    assert xml["Content-Type"] == "text/xml; charset=utf-8"
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    text = xml.content.decode("utf-8")
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    content = answer.json()
    if query.get("extensions") != "true":
        SCHEMA.validate(text)
    if isinstance(content, list):
        item = "error" if expected >= 400 else {"v2/services": "service"}.get(path, "request")
        assert text.count(f"<{item}>") == len(content)
    return content


def _send(client: Client, *, status: int = 200, key: str | None = None, as_json: bool = False, **fields: Any) -> Any:
    given: dict[str, Any] = {"service_code": "depot-sauvage", "lat": str(LAT), "long": str(LON)} | fields
    given["api_key"] = make_key("reports:write") if key is None else key
    given = {name: value for name, value in given.items() if value is not None}
    if as_json:
        answer = client.post("/open311/v2/requests.json", json.dumps(given), content_type="application/json")
    else:
        body = urlencode(given)
        answer = client.post("/open311/v2/requests.json", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


def test_discovery_says_where_and_in_which_forms(client: Client, town: str) -> None:
    for path in ("discovery", "v2/discovery"):
        found = _get(client, path)
        (endpoint,) = found["endpoints"]
        assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
        assert endpoint["url"] == "http://testserver/open311/v2"
        assert endpoint["formats"] == ["text/xml", "application/json"]


def test_services_are_the_public_categories(client: Client, town: str) -> None:
    found = {one["service_code"]: one for one in _get(client, "v2/services")}
    assert found["depot-sauvage"]["metadata"] is False
    assert found["voiture-ventouse"]["metadata"] is True
    assert found["depot-sauvage"]["group"] == "Propreté"
    assert {one["type"] for one in found.values()} == {"realtime"}
    assert not {"squat", "insalubrite", "intervention-voirie"} & set(found)
    in_english = client.get("/open311/v2/services.json", headers={"accept-language": "en"}).json()
    assert {"Street light out"} <= {one["service_name"] for one in in_english}


def test_a_definition_asks_the_questions_of_the_category(client: Client, town: str) -> None:
    found = _get(client, "v2/services/stationnement-genant")
    where, plate = found["attributes"]
    assert (where["code"], where["datatype"], where["required"], where["order"]) == ("ou", "singlevaluelist", True, 1)
    assert {"key": "trottoir", "name": "Sur le trottoir"} in where["values"]
    assert (plate["datatype"], "values" in plate) == ("string", False)
    assert _get(client, "v2/services/depot-sauvage")["attributes"] == []
    for code in ("licorne", "squat", "intervention-voirie"):
        assert _get(client, f"v2/services/{code}", 404)[0]["code"] == 404


def test_a_report_is_sent_by_form_or_json_and_followed_to_its_end(client: Client, town: str) -> None:
    who = {"email": "a@exemple.fr", "first_name": "Zoé", "last_name": "Martin", "phone": "0612345678"}
    what = {"description": "Un matelas\ndevant le 12", "address_string": "12 rue du Four"}
    (told,) = _send(client, **who, **what, media_url="https://photos.exemple/1.jpg")
    number = told["service_request_id"]
    (one,) = _get(client, f"v2/requests/{number}")
    assert (one["status"], one["service_code"], one["description"], one["address"]) == (
        "open", "depot-sauvage", None, "12 rue du Four",
    )  # fmt: skip
    assert (one["lat"], one["long"], one["media_url"]) == (LAT, LON, None)
    assert "Zoé" not in json.dumps(one)
    (party,) = case_queries.parties(CLEANER, number)
    assert (party.name, party.email, party.phone) == ("Zoé Martin", "a@exemple.fr", "0612345678")
    cases.accept_case(number=number, by=CLEANER, at=now())
    assert _get(client, f"v2/requests/{number}")[0]["description"] == "Un matelas\ndevant le 12"
    operations.close_report(
        number=number, outcome=Outcome.DONE, reason="Enlevé & nettoyé (3 < 4).", by=CLEANER, at=now(), photos=(photo(),)
    )
    (one,) = _get(client, f"v2/requests/{number}")
    assert (one["status"], one["status_notes"]) == ("closed", "Enlevé & nettoyé (3 < 4).")
    assert client.get(one["media_url"])["Content-Type"] == "image/jpeg"
    (other,) = _send(
        client,
        as_json=True,
        service_code="voiture-ventouse",
        lat=LAT,
        long=LON,
        attribute={"jours": 9, "plaque": "AA-123-AA"},
    )
    info = queries.report(agent_of("police-municipale"), other["service_request_id"])
    assert (dict(info.details), dict(info.private_details)) == ({"jours": 9}, {"plaque": "AA-123-AA"})
    assert "AA-123" not in json.dumps(_get(client, "v2/requests", extensions="true"))


def test_attributes_come_between_brackets_and_photos_with_the_form(client: Client, town: str) -> None:
    fields = {"attribute[jours]": "4", "attribute[plaque]": ""}
    (told,) = _send(client, service_code="voiture-ventouse", **fields)
    assert queries.report(CLEANER, told["service_request_id"]).details == {"jours": 4}
    form = {"api_key": make_key("reports:write"), "service_code": "depot-sauvage", "lat": str(LAT), "long": str(LON)}
    form["media"] = SimpleUploadedFile("p.jpg", photo().content)  # type: ignore[assignment]
    (told,) = client.post("/open311/v2/requests.json", form).json()
    assert len(queries.report(CLEANER, told["service_request_id"]).photos) == 1


def test_sent_again_with_its_key_it_is_the_same_report(client: Client, town: str) -> None:
    key = make_key("reports:write")
    body = urlencode({"api_key": key, "service_code": "depot-sauvage", "lat": LAT, "long": LON})
    sent = [
        client.post("/open311/v2/requests.json", body, content_type="application/x-www-form-urlencoded",
                    headers={"idempotency-key": "0123456789abcdef"}).json()[0]["service_request_id"]
        for _ in range(2)
    ]  # fmt: skip
    assert sent[0] == sent[1]


@pytest.mark.parametrize("key", ["", "bef_0123456789ab_" + "x" * 43, "nimporte"])
def test_a_missing_or_wrong_key_is_403(client: Client, town: str, key: str) -> None:
    (error,) = _send(client, status=403, key=key)
    assert error["code"] == 403
    assert "api_key" in error["description"]


def test_a_key_without_the_right_or_of_another_town_is_403(client: Client, town: str) -> None:
    make_open_town(OTHER_TOWN, "Castelnau-le-Lez", use_cases=("1-02",))
    _send(client, status=403, key=make_key("data:agents"))
    other = make_key("reports:write", territory=OTHER_TOWN)
    _send(client, status=403, key=other, jurisdiction_id=TOWN)
    # Unsaid, the jurisdiction is the key's own, where nothing can be reported here.
    _send(client, status=404, key=other)


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (400, {"service_code": None}),
        (400, {"service_code": ""}),
        (404, {"service_code": "licorne"}),
        (404, {"service_code": "squat"}),
        (404, {"jurisdiction_id": "99999"}),
        (400, {"lat": None}),
        (400, {"lat": None, "long": None}),
        (400, {"lat": "nan"}),
        (400, {"lat": "1e999"}),
        (400, {"lat": "48.85", "long": "2.35"}),
        (400, {"lat": None, "long": None, "address_string": "rue qui n’existe pas"}),
        (400, {"description": "<b>gras</b>"}),
        (400, {"description": "x" * 4001}),
        (400, {"description": "a\0b"}),
        (400, {"email": "pas une adresse"}),
        (400, {"attribute[couleur]": "bleu"}),
        (400, {"service_code": "voiture-ventouse"}),
    ],
)
def test_what_cannot_be_taken_is_refused_as_the_specification_says(
    client: Client, town: str, status: int, fields: dict[str, Any]
) -> None:
    (error,) = _send(client, status=status, **fields)
    assert error["code"] == status
    assert error["description"]
    assert _get(client, "v2/requests") == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"attribute": 3}', b'{"lat": {}}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_400(client: Client, town: str, body: bytes) -> None:
    answer = client.post("/open311/v2/requests.xml", body, content_type="application/json")
    assert answer.status_code in (400, 403)
    SCHEMA.validate(answer.content.decode())


def _three(client: Client) -> list[str]:
    return [
        _send(client, service_code=code)[0]["service_request_id"]
        for code in ("depot-sauvage", "tag-graffiti", "nid-de-poule")
    ]


def test_requests_are_filtered_by_service_status_and_date(client: Client, town: str) -> None:
    dump, tag, hole = _three(client)
    operations.close_report(number=tag, outcome=Outcome.REFUSED, reason="Privé", by=CLEANER, at=now())

    def ids(**query: str) -> list[str]:
        return sorted(one["service_request_id"] for one in _get(client, "v2/requests", **query))

    assert ids() == ids(status="", service_code="", start_date="", page="") == sorted([dump, tag, hole])
    assert ids(status="open") == sorted([dump, hole])
    assert ids(status="closed") == [tag]
    assert ids(status="open,closed") == sorted([dump, tag, hole])
    assert ids(service_code="nid-de-poule,tag-graffiti") == sorted([tag, hole])
    assert ids(service_code="licorne") == []
    tomorrow, lately = ((now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (1, -2))
    assert ids(start_date=lately, end_date=tomorrow) == sorted([dump, tag, hole])
    assert ids(end_date=lately) == ids(start_date=tomorrow) == []
    assert ids(updated_after=lately, service_code="tag-graffiti") == [tag]
    # Identifiers override everything else, and mean nothing when they are wrong.
    assert ids(service_request_id=f"{dump},{hole},nimporte", status="closed", start_date=tomorrow) == sorted(
        [dump, hole]
    )
    assert ids(service_request_id="nimporte") == []


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "hier"},
        {"start_date": "2026-01-01T00:00:00"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"},
        {"start_date": "2026-03-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"start_date": "9999-12-31T23:59:59Z"},
        {"status": "ouvert"},
        {"page": "0"},
        {"page_size": "1001"},
        {"page": "x" * 50},
    ],
)
def test_a_question_that_cannot_be_read_is_400(client: Client, town: str, query: dict[str, str]) -> None:
    assert _get(client, "v2/requests", 400, **query)[0]["code"] == 400


def test_pages_follow_one_another(client: Client, town: str) -> None:
    numbers = _three(client)
    pages = [_get(client, "v2/requests", page=str(page), page_size="2") for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert {one["service_request_id"] for page in pages for one in page} == set(numbers)


def test_extensions_tell_the_history_and_the_true_state(client: Client, town: str) -> None:
    (told,) = _send(client)
    cases.schedule_case(number=told["service_request_id"], day=now().date() + timedelta(days=2), by=CLEANER, at=now())
    (one,) = _get(client, f"v2/requests/{told['service_request_id']}", extensions="true")
    assert (one["status"], one["extended_attributes"]["detailed_status"]) == ("open", "scheduled")
    assert [note["type"] for note in one["notes"]] == ["opened", "scheduled"]


def test_a_merged_report_is_still_found_by_its_own_number(client: Client, town: str) -> None:
    first, second = _send(client)[0]["service_request_id"], _send(client)[0]["service_request_id"]
    operations.merge_reports(number=second, into=first, by=CLEANER, at=now())
    operations.close_report(number=first, outcome=Outcome.DONE, reason="Fait", by=CLEANER, at=now())
    assert [one["service_request_id"] for one in _get(client, "v2/requests")] == [first]
    for found in (_get(client, "v2/requests", service_request_id=second), _get(client, f"v2/requests/{second}")):
        assert [(one["service_request_id"], one["status"], one["status_notes"]) for one in found] == [
            (second, "closed", "Fait")
        ]


def test_restricted_and_internal_reports_are_nowhere(client: Client, town: str) -> None:
    hidden = [send("squat").number, send("intervention-voirie", viewer=agent_of("voirie")).number]
    held = send("depot-sauvage").number
    cases.hold_case(number=held, by=CLEANER, at=now())
    for number in (*hidden, held):
        assert _get(client, f"v2/requests/{number}", 404)[0]["code"] == 404
        assert _get(client, "v2/requests", service_request_id=number) == []
    long_ago = {"start_date": "2026-03-01T00:00:00Z", "end_date": "2026-03-10T00:00:00Z"}
    assert _get(client, "v2/requests", **long_ago) == []
    assert _get(client, "v2/requests", service_code="squat", **long_ago) == []


def test_a_token_gives_its_number_and_another_jurisdiction_has_its_own(client: Client, town: str) -> None:
    opened = send()
    assert _get(client, f"v2/tokens/{opened.token}") == [{"service_request_id": opened.number, "token": opened.token}]
    assert _get(client, "v2/tokens/1.00", 404)[0]["code"] == 404
    make_open_town(OTHER_TOWN, "Castelnau-le-Lez", use_cases=("1-02",))
    assert len(_get(client, "v2/services", jurisdiction_id=OTHER_TOWN)) == 2
    assert len(_get(client, "v2/services", jurisdiction_id="castelnau-le-lez")) == 2
    assert _get(client, f"v2/requests/{opened.number}", 404, jurisdiction_id=OTHER_TOWN)
    assert _get(client, "v2/services", 404, jurisdiction_id="lyon.fr")


def test_other_methods_and_other_sites(client: Client, town: str) -> None:
    assert client.delete("/open311/v2/requests.json").status_code == 400
    assert client.options("/open311/v2/requests.json")["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert client.get("/open311/v2/services.json")["Access-Control-Allow-Origin"] == "*"
    assert client.get("/open311/v2/services.yaml").status_code == 404
    assert client.get("/open311/v2/media/999.jpg").status_code == 404
