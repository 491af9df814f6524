"""The door: who may open what, whatever the view; on addresses of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from ninja import NinjaAPI

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import operations
from beffroi.base.territory.models import Person
from beffroi.base.territory.viewer import Role
from beffroi.config.urls import urlpatterns as every_page
from beffroi.faces.shell.access import EVERYONE, SIGNED_IN, access_of, open_to, operations_of
from territory_makers import AT, OTHER_TOWN, TOWN, make_key, make_person, make_town

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def _said(request: Any, territory: str = "") -> HttpResponse:
    return HttpResponse(json.dumps(sorted(grant.role for grant in request.viewer.grants)))


def undeclared(request: HttpRequest) -> HttpResponse:
    return HttpResponse("never")


@open_to(EVERYONE)
def untouched(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


@open_to(EVERYONE)
def mistaken(request: HttpRequest) -> HttpResponse:
    raise BeffroiError("colonne « {name} » absente", where="arbres.csv:1", remedy="ajoutez-la", name="insee")


everyone = open_to(EVERYONE)(lambda request: _said(request))
signed_in = open_to(SIGNED_IN)(lambda request: _said(request))
agents = open_to(Role.AGENT, Role.ADMINISTRATOR)(lambda request, territory="": _said(request))
writing = open_to(Role.AGENT, scope="data:write")(lambda request, territory="": _said(request))

api = NinjaAPI(urls_namespace="doorkeeper", docs_url=None, openapi_url=None)


@api.get("/things")
@open_to(EVERYONE)
def list_things(request: HttpRequest) -> list[str]:
    return []


@api.post("/things")
@open_to(Role.AGENT, scope="data:write")
def add_thing(request: HttpRequest) -> list[str]:
    return ["added"]


@api.delete("/things")
def forgotten(request: HttpRequest) -> list[str]:
    return ["deleted"]


urlpatterns = [
    path("nondeclaree/", undeclared),
    path("ouverte/", untouched),
    path("erreur/", mistaken),
    path("api/erreur/", mistaken),
    path("tous/", everyone),
    path("compte-requis/", signed_in),
    path("agents/", agents),
    path("agents/<slug:territory>/", agents),
    path("api/agents/", agents),
    path("api/ecrire/<slug:territory>/", writing),
    path("api/", api.urls),
    *every_page,
]


@pytest.fixture(autouse=True)
def _towns(settings: Any) -> None:
    settings.STRONG_AUTH = False
    settings.DEFAULT_COMMUNE = TOWN
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")


def _signed_in(*roles: Role, territory: str = TOWN) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=make_person(*roles, territory=territory)))
    return client


def _with_key(*scopes: str, territory: str = TOWN) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(*scopes, territory=territory)}"}


def test_a_view_that_declares_nothing_is_closed_to_all() -> None:
    assert Client(headers={"Accept": "application/json"}).get("/nondeclaree/").status_code == 403
    administrator = _signed_in(Role.ADMINISTRATOR)
    assert administrator.get("/nondeclaree/", headers={"Accept": "application/json"}).status_code == 403
    assert administrator.delete("/api/things").status_code == 403


def test_a_public_page_without_credentials_costs_no_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/ouverte/").content == b"open"
        assert Client().get("/tous/").content == b"[]"
        assert Client().get("/api/things").json() == []


def test_a_page_of_an_agent_costs_the_session_the_commune_and_two_queries(django_assert_num_queries: Any) -> None:
    client = _signed_in(Role.AGENT)
    with django_assert_num_queries(4):
        assert client.get("/agents/").status_code == 200


def test_a_visitor_is_sent_to_sign_in_and_back() -> None:
    answer = Client().get("/agents/?page=2")
    assert answer.status_code == 302
    assert answer["Location"] == "/compte/login/?next=%2Fagents%2F%3Fpage%3D2"


def test_a_program_is_told_in_json() -> None:
    answer = Client().get("/api/agents/")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "Identifiez-vous" in answer.json()["title"]


@pytest.mark.parametrize(
    ("roles", "territory", "status"),
    [
        ((Role.AGENT,), TOWN, 200),
        ((Role.ADMINISTRATOR,), TOWN, 200),
        ((Role.RESIDENT,), TOWN, 403),
        ((Role.ELECTED,), TOWN, 403),
        ((), TOWN, 403),
        ((Role.AGENT,), OTHER_TOWN, 403),
    ],
)
def test_a_role_opens_what_it_opens_in_its_territory(roles: tuple[Role, ...], territory: str, status: int) -> None:
    client = _signed_in(*roles, territory=territory)
    assert client.get("/api/agents/").status_code == status
    assert client.get(f"/agents/{TOWN}/", headers={"Accept": "application/json"}).status_code == status


def test_the_territory_named_by_the_address_counts_rather_than_that_of_the_domain() -> None:
    client = _signed_in(Role.AGENT, territory=OTHER_TOWN)
    assert client.get(f"/agents/{OTHER_TOWN}/").status_code == 200


def test_any_account_opens_what_asks_for_one() -> None:
    assert _signed_in().get("/compte-requis/").status_code == 200
    assert Client().get("/compte-requis/").status_code == 302


@pytest.mark.parametrize(
    ("scopes", "territory", "status"),
    [
        (("data:write",), TOWN, 200),
        (("data:agents",), TOWN, 403),
        ((), TOWN, 403),
        (("data:write",), OTHER_TOWN, 403),
    ],
)
def test_a_key_opens_what_its_scope_opens_in_its_territory(
    scopes: tuple[str, ...], territory: str, status: int
) -> None:
    headers = _with_key(*scopes, territory=territory)
    assert Client().get(f"/api/ecrire/{TOWN}/", headers=headers).status_code == status


def test_a_key_is_never_a_person_nor_an_agent_without_a_scope_being_asked() -> None:
    headers = _with_key("data:write", "data:agents")
    assert Client().get("/api/agents/", headers=headers).status_code == 403
    assert Client().get("/compte-requis/", headers={**headers, "Accept": "application/json"}).status_code == 403
    assert Client().get("/tous/", headers=headers).status_code == 200


def test_a_bad_key_is_refused_even_where_everyone_enters() -> None:
    answer = Client().get("/api/things", headers={"Authorization": "Bearer bef_wrong"})
    assert answer.status_code == 401
    assert "invalid_token" in answer["WWW-Authenticate"]


def test_a_bad_key_breaks_no_page() -> None:
    headers = {"Authorization": "Bearer bef_wrong", "Accept": "text/html"}
    assert Client().get("/langue/", headers=headers).status_code == 401
    assert Client().get("/nulle-part/", headers=headers).status_code == 404


def test_a_browser_session_changes_nothing_by_api_without_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(Person.objects.get(pk=make_person(Role.AGENT)))
    refused = client.post("/api/things")
    assert refused.status_code == 403
    assert refused["Content-Type"].startswith("application/problem+json")
    token = "a" * 32
    client.cookies["csrftoken"] = token
    assert client.post("/api/things", headers={"X-CSRFToken": token}).status_code == 200
    assert Client(enforce_csrf_checks=True).post("/api/things", headers=_with_key("data:write")).status_code == 200


def test_nobody_is_asked_for_a_key_rather_than_a_token() -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/things")
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("application/problem+json")


def test_an_unknown_method_is_the_routers_to_refuse() -> None:
    assert Client().put("/api/things").status_code == 405


def test_an_error_a_person_can_mend_is_told_with_its_remedy() -> None:
    answer = Client().get("/api/erreur/")
    assert (answer.status_code, answer.json()["where"]) == (400, "arbres.csv:1")
    assert (answer.json()["title"], answer.json()["remedy"]) == ("colonne « insee » absente", "ajoutez-la")


def test_every_answer_forbids_other_hosts_even_an_unknown_address() -> None:
    for address in ("/ouverte/", "/nulle-part/", "/agents/"):
        policy = Client(headers={"Accept": "application/json"}).get(address)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert "unsafe" not in policy
        assert "*" not in policy


def test_an_agent_without_a_second_factor_is_led_to_one_and_is_nobodys_agent_meanwhile(settings: Any) -> None:
    settings.STRONG_AUTH = True
    client = _signed_in(Role.AGENT, Role.RESIDENT)
    answer = client.get("/agents/")
    assert answer.status_code == 302
    assert answer["Location"] == "/compte/second-facteur/?next=%2Fagents%2F"
    assert client.get("/ouverte/").status_code == 302
    assert client.get("/api/agents/").status_code == 403
    assert "second facteur" in client.get("/api/agents/").json()["title"]
    # A tile or an item that everyone may read is still served, as to a resident.
    assert client.get("/tous/", headers={"Accept": "image/*"}).content == b'["resident"]'


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.ELECTED])
def test_residents_and_elected_officials_are_not_asked_for_a_second_factor(role: Role, settings: Any) -> None:
    settings.STRONG_AUTH = True
    assert _signed_in(role).get("/tous/").status_code == 200


def test_the_commune_of_a_request_is_that_of_its_domain(settings: Any) -> None:
    operations.add_host(domain="castelnau.exemple.fr", territory=OTHER_TOWN, at=AT)
    client = _signed_in(Role.AGENT, territory=OTHER_TOWN)
    assert client.get("/agents/", headers={"Host": "castelnau.exemple.fr:8000"}).status_code == 200
    assert client.get("/agents/", headers={"Accept": "application/json"}).status_code == 403


@pytest.mark.parametrize("who", [(), (EVERYONE, Role.AGENT), (SIGNED_IN, EVERYONE)])
def test_a_declaration_that_says_nothing_clear_is_an_error(who: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="open_to"):
        open_to(*who)


def test_a_scope_that_no_key_can_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="SCOPES"):
        open_to(Role.AGENT, scope="data:all")


def test_the_operations_of_the_api_router_are_found() -> None:
    view = api.urls[0][0].callback
    assert access_of(view, method="HEAD") == access_of(view, method="GET")
    assert {
        operation.view_func.__name__ for pattern in api.urls[0] for operation in operations_of(pattern.callback)
    } >= {
        "list_things",
        "add_thing",
    }
