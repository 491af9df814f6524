"""People and rights, as an administrator manages them from the pages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from beffroi.base.territory import operations
from beffroi.base.territory.models import ApiKey, Person, RoleGrant
from beffroi.base.territory.viewer import Role
from beffroi.config.urls import urlpatterns as every_page
from beffroi.faces.backoffice import people_urls
from beffroi.faces.backoffice import urls as backoffice_urls
from territory_makers import AT, OTHER_TOWN, TOWN, make_person, make_town

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [
    path(
        "agent/",
        include(([path("personnes/", include(people_urls.urlpatterns)), *backoffice_urls.urlpatterns], "backoffice")),
    ),
    *every_page,
]


@pytest.fixture
def client(settings: Any) -> Client:
    """The browser of an administrator of the town."""
    settings.STRONG_AUTH = False
    settings.DEFAULT_COMMUNE = TOWN
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    operations.add_service(territory=TOWN, name="Voirie", at=AT)
    browser = Client()
    browser.force_login(Person.objects.get(pk=make_person(Role.ADMINISTRATOR, email="maire@exemple.fr")))
    return browser


def _roles(email: str) -> dict[str, list[str]]:
    grants = RoleGrant.objects.filter(person__email=email)
    return {grant.role: [service.slug for service in grant.services.all()] for grant in grants}


def test_an_invited_agent_chooses_a_password_and_works(client: Client, mailoutbox: list[Any]) -> None:
    answer = client.post(
        "/agent/personnes/inviter/",
        {"email": "Samir@Exemple.fr", "name": "Samir Benali", "role": "agent", "services": ["voirie"]},
        follow=True,
    )
    assert "Samir Benali" in answer.content.decode()
    assert _roles("samir@exemple.fr") == {"agent": ["voirie"]}
    assert "Montpellier" in mailoutbox[0].subject
    assert "Agent" in mailoutbox[0].body
    link = re.search(r"http://testserver(/compte/\S+)", mailoutbox[0].body)
    assert link is not None
    new = Client()
    form = new.get(link[1], follow=True)
    new.post(form.redirect_chain[-1][0], {"password1": "une-cloche-neuve", "password2": "une-cloche-neuve"})
    new.post("/compte/login/", {"login": "samir@exemple.fr", "password": "une-cloche-neuve"})
    assert new.get("/agent/").status_code == 200
    assert new.get("/agent/personnes/").status_code == 403


def test_inviting_someone_who_has_an_account_adds_the_role(client: Client) -> None:
    make_person(Role.RESIDENT, email="lucie@exemple.fr")
    client.post("/agent/personnes/inviter/", {"email": "LUCIE@exemple.fr", "role": "elected"})
    assert set(_roles("lucie@exemple.fr")) == {"resident", "elected"}


@pytest.mark.parametrize(
    "asked", [{"email": "pas une adresse", "role": "agent"}, {"email": "a@exemple.fr", "role": "king"}, {}]
)
def test_a_bad_invitation_is_refused_on_the_page_and_nothing_typed_is_lost(
    asked: dict[str, str], client: Client
) -> None:
    answer = client.post("/agent/personnes/inviter/", {"name": "Tapé avec soin", **asked})
    assert answer.status_code == 400
    assert "Tapé avec soin" in answer.content.decode()
    assert Person.objects.count() == 1


def test_rights_are_changed_from_the_page_until_a_last_day(client: Client) -> None:
    person = make_person(Role.AGENT, email="samir@exemple.fr")
    asked = {"roles": ["agent", "elected"], "services": ["voirie"], "last_day": "2099-12-31"}
    assert client.post(f"/agent/personnes/{person}/", asked).status_code == 302
    assert _roles("samir@exemple.fr") == {"agent": ["voirie"], "elected": []}
    ends = {
        timezone.localtime(end).isoformat()
        for end in RoleGrant.objects.filter(person=person).values_list("valid_until", flat=True)
    }
    assert ends == {"2100-01-01T00:00:00+01:00"}
    page = client.get(f"/agent/personnes/{person}/").content.decode()
    assert 'value="2099-12-31"' in page
    client.post(f"/agent/personnes/{person}/", {"roles": ["elected"]})
    assert _roles("samir@exemple.fr") == {"elected": []}


def test_the_last_administrator_cannot_step_down(client: Client) -> None:
    me = Person.objects.get(email="maire@exemple.fr").pk
    answer = client.post(f"/agent/personnes/{me}/", {"roles": ["agent"]})
    assert answer.status_code == 400
    assert "dernier administrateur" in answer.content.decode()
    assert _roles("maire@exemple.fr") == {"administrator": []}, "neither role is changed"


@pytest.mark.parametrize("page", ["", "fermer/", "second-facteur/"])
def test_people_who_do_not_work_here_are_not_shown(page: str, client: Client) -> None:
    resident = make_person(Role.RESIDENT)
    stranger = make_person(Role.AGENT, territory=OTHER_TOWN)
    for person in (resident, stranger, 999_999):
        assert client.post(f"/agent/personnes/{person}/{page}", {"roles": ["agent"]}).status_code == 404
    assert Person.objects.filter(is_active=False).count() == 0


def test_an_account_is_closed_and_its_sessions_with_it(client: Client) -> None:
    person = make_person(Role.AGENT)
    agent = Client()
    agent.force_login(Person.objects.get(pk=person))
    assert agent.get("/agent/").status_code == 200
    client.post(f"/agent/personnes/{person}/fermer/")
    assert agent.get("/agent/").status_code == 302


def test_nobody_closes_her_own_account_here(client: Client) -> None:
    me = Person.objects.get(email="maire@exemple.fr").pk
    client.post(f"/agent/personnes/{me}/fermer/")
    assert Person.objects.get(pk=me).is_active


def test_a_lost_second_factor_is_removed_and_the_sessions_end(client: Client) -> None:
    person = make_person(Role.AGENT)
    Authenticator.objects.create(user_id=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    agent = Client()
    agent.force_login(Person.objects.get(pk=person))
    client.post(f"/agent/personnes/{person}/second-facteur/")
    assert not Authenticator.objects.exists()
    assert agent.get("/agent/").status_code == 302


def test_a_key_is_shown_once_and_opens_what_it_says(client: Client) -> None:
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    answer = client.post(
        "/agent/personnes/cles/", {"name": "Capteurs", "scopes": ["observations:write"], "last_day": day}
    )
    assert answer["Cache-Control"] == "no-store"
    key = re.search(r"bef_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", answer.content.decode())
    assert key is not None
    listed = client.get("/agent/personnes/").content.decode()
    assert ApiKey.objects.get().prefix in listed
    assert key[0] not in listed
    headers = {"Authorization": f"Bearer {key[0]}"}
    assert Client().get("/langue/", headers=headers).status_code == 200
    client.post(f"/agent/personnes/cles/{ApiKey.objects.get().pk}/fermer/")
    assert Client().get("/langue/", headers=headers).status_code == 401


@pytest.mark.parametrize("day", ["2020-01-01", "2999-01-01", "demain", ""])
def test_a_key_must_end_within_two_years(day: str, client: Client) -> None:
    assert client.post("/agent/personnes/cles/", {"name": "Capteurs", "last_day": day}).status_code == 400
    assert not ApiKey.objects.exists()


def test_a_service_is_named_and_offered(client: Client) -> None:
    client.post("/agent/personnes/services/", {"name": "Espaces verts"})
    assert "Espaces verts" in client.get("/agent/personnes/inviter/").content.decode()


def test_the_list_costs_the_same_for_many(client: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(10):
        make_person(Role.AGENT, services=("voirie",))
    with django_assert_max_num_queries(14):
        assert client.get("/agent/personnes/").status_code == 200
