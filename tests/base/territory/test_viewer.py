from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from beffroi.base.territory import operations, queries
from beffroi.base.territory.models import ApiKey, Person
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from territory_makers import AT, OTHER_TOWN, TOWN, administrator, make_key, make_person, make_town

pytestmark = pytest.mark.django_db


def test_a_request_without_credentials_asks_nothing_of_the_registry(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):
        assert queries.viewer_of(RequestFactory().get("/"), at=AT) is ANONYMOUS


def test_a_viewer_costs_one_query_beside_the_person_however_many_services(django_assert_num_queries: object) -> None:
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    slugs = tuple(operations.add_service(territory=TOWN, name=f"Service {n}", at=AT) for n in range(4))
    person_id = make_person(Role.AGENT, Role.RESIDENT, services=slugs)
    operations.grant_role(person_id=person_id, territory=OTHER_TOWN, role=Role.ELECTED, by=None, at=AT)
    request = RequestFactory().get("/")
    request.user = Person.objects.get(pk=person_id)
    request.COOKIES["sessionid"] = "x"
    with django_assert_num_queries(1):
        viewer = queries.viewer_of(request, at=AT)
    assert viewer.person_id == person_id
    assert set(viewer.grants) == {
        Grant(TOWN, Role.AGENT, frozenset(slugs)),
        Grant(TOWN, Role.RESIDENT),
        Grant(OTHER_TOWN, Role.ELECTED),
    }


def test_an_anonymous_session_is_anonymous() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    request.COOKIES["sessionid"] = "x"
    assert queries.viewer_of(request, at=AT) is ANONYMOUS


@pytest.mark.parametrize(
    ("start_days", "end_days", "held"),
    [(-1, None, True), (1, None, False), (-2, -1, False), (-2, 1, True), (-1, 0, False)],
)
def test_a_role_holds_from_its_start_until_its_end(start_days: int, end_days: int | None, held: bool) -> None:
    make_town()
    person = make_person()
    operations.grant_role(
        person_id=person,
        territory=TOWN,
        role=Role.ELECTED,
        by=None,
        at=AT,
        valid_from=AT + timedelta(days=start_days),
        valid_until=None if end_days is None else AT + timedelta(days=end_days),
    )
    assert queries.viewer_of_person(person, at=AT).has(Role.ELECTED, TOWN) is held


def test_a_closed_account_has_no_role() -> None:
    make_town()
    person = make_person(Role.AGENT)
    operations.deactivate_person(person_id=person, territory=TOWN, by=administrator(), at=AT)
    assert queries.viewer_of_person(person, at=AT).grants == ()


def test_an_agent_of_a_grouping_does_not_reach_into_its_communes() -> None:
    make_town()
    operations.add_grouping(siren="243400017", name="3M", members=[TOWN], at=AT)
    viewer = queries.viewer_of_person(make_person(Role.AGENT, territory="243400017"), at=AT)
    assert viewer.clearances("243400017") == {"public", "agents"}
    assert viewer.clearances(TOWN) == {"public"}


@pytest.mark.parametrize(
    ("viewer", "classes"),
    [
        (ANONYMOUS, {"public"}),
        (Viewer(1, (Grant(TOWN, Role.RESIDENT),)), {"public"}),
        (Viewer(1, (Grant(TOWN, Role.ELECTED),)), {"public"}),
        (Viewer(1, (Grant(TOWN, Role.ADMINISTRATOR),)), {"public", "agents"}),
        (Viewer(1, (Grant(TOWN, Role.AGENT, frozenset({"voirie"})),)), {"public", "agents", "service:voirie"}),
        (Viewer(1, (Grant(OTHER_TOWN, Role.AGENT, frozenset({"voirie"})),)), {"public"}),
        (Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset()), {"public"}),
        (Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:write"})), {"public"}),
        (Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:agents"})), {"public", "agents"}),
    ],
)
def test_clearances(viewer: Viewer, classes: set[str]) -> None:
    assert viewer.clearances(TOWN) == classes


def _with_key(key: str) -> object:
    return RequestFactory().get("/api/", headers={"Authorization": f"Bearer {key}"})


def test_a_key_is_an_agent_of_its_territory_cut_to_its_scopes(django_assert_num_queries: object) -> None:
    make_town()
    request = _with_key(make_key("data:agents"))
    with django_assert_num_queries(2):
        viewer = queries.viewer_of(request, at=AT)
    assert viewer == Viewer(None, (Grant(TOWN, Role.AGENT),), frozenset({"data:agents"}))
    with django_assert_num_queries(1):
        queries.viewer_of(request, at=AT + timedelta(hours=1))
    assert ApiKey.objects.get().last_used_on == AT.date()
    queries.viewer_of(request, at=AT + timedelta(days=1))
    assert ApiKey.objects.get().last_used_on == AT.date() + timedelta(days=1)


@pytest.mark.parametrize("key", ["", "bef_", "bef_0123456789ab_" + "A" * 43, "x" * 5000, "bef_é_" + "A" * 43])
def test_an_unknown_key_is_refused_rather_than_taken_for_a_visitor(key: str) -> None:
    with pytest.raises(queries.BadKey, match="inconnue"):
        queries.viewer_of_key(key, at=AT)


def test_a_key_of_the_right_prefix_and_the_wrong_secret_is_refused() -> None:
    make_town()
    key = make_key()
    with pytest.raises(queries.BadKey):
        queries.viewer_of_key(key[:-1] + ("A" if key[-1] != "A" else "B"), at=AT)


def test_expired_and_revoked_keys_are_refused() -> None:
    make_town()
    key = make_key(days=1)
    assert queries.viewer_of_key(key, at=AT).scopes == frozenset()
    with pytest.raises(queries.BadKey):
        queries.viewer_of_key(key, at=AT + timedelta(days=1))
    operations.revoke_api_key(key_id=ApiKey.objects.get().pk, territory=TOWN, by=administrator(), at=AT)
    with pytest.raises(queries.BadKey):
        queries.viewer_of_key(key, at=AT)


def test_a_key_of_another_territory_is_not_revoked() -> None:
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    key = make_key()
    operations.revoke_api_key(key_id=ApiKey.objects.get().pk, territory=OTHER_TOWN, by=administrator(OTHER_TOWN), at=AT)
    assert queries.viewer_of_key(key, at=AT).scopes == frozenset()


def test_other_schemes_than_bearer_are_left_to_whoever_set_them() -> None:
    request = RequestFactory().get("/", headers={"Authorization": "Basic dTpw"})
    assert queries.viewer_of(request, at=AT) is ANONYMOUS
