"""Signing in by an identity provider, against a real one on this machine: right, and wrong in every way we know."""

from __future__ import annotations

import html
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

import oidc_server
from beffroi.base.territory import events, operations
from beffroi.base.territory.models import Person, RoleGrant
from beffroi.base.territory.viewer import Role
from beffroi.config.identity import BadProvider, oidc_providers
from territory_makers import AT, PASSWORD, TOWN, make_person, make_town

pytestmark = pytest.mark.django_db

LUCIE = {
    "sub": "lucie-1",
    "given_name": "Lucie",
    "family_name": "Martin",
    "email": "lucie@exemple.fr",
    "email_verified": True,
}


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@pytest.fixture(scope="module")
def server() -> Iterator[oidc_server.Provider]:
    with oidc_server.running() as provider:
        yield provider


@pytest.fixture
def provider(server: oidc_server.Provider, settings: Any, tmp_path: Path) -> oidc_server.Provider:
    server.person, server.fault, server.signed_userinfo = dict(LUCIE), "", False
    server.asked.clear()
    server.ended.clear()
    file = tmp_path / "identites.toml"
    entry = '[[provider]]\nid = "{kind}"\nname = "{name}"\nkind = "{kind}"\nissuer = "{issuer}"\n'
    entry += f'client_id = "{oidc_server.CLIENT_ID}"\nclient_secret_env = "SECRET"\n'
    names = {"franceconnect": "FranceConnect", "proconnect": "ProConnect", "other": "Ville"}
    file.write_text("".join(entry.format(kind=kind, name=name, issuer=server.issuer) for kind, name in names.items()))
    settings.SOCIALACCOUNT_PROVIDERS = oidc_providers(str(file), {"SECRET": oidc_server.CLIENT_SECRET})
    make_town()
    return server


def _authorized(client: Client, by: str = "other") -> str:
    """Go to the provider as a browser would and return the address it sends the browser back to."""
    away = client.get(f"/compte/oidc/{by}/login/")
    assert away.status_code == 302, away.content
    return _sent_back(away["Location"])


def _sent_back(address: str) -> str:
    try:
        urllib.request.build_opener(_StayHere).open(address)
    except urllib.error.HTTPError as answer:
        back = urlsplit(answer.headers["Location"])
        answer.close()
    return f"{back.path}?{back.query}"


def _signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_person_signs_in_and_becomes_a_resident(provider: oidc_server.Provider) -> None:
    heard: list[str] = []
    events.subscribe("test", lambda event: heard.append(event.kind))
    client = Client()
    answer = client.get(_authorized(client))
    events.unsubscribe("test")
    assert answer.status_code == 302
    assert _signed_in(client)
    person = Person.objects.get()
    assert (person.email, person.name) == ("lucie@exemple.fr", "Lucie Martin")
    assert not person.has_usable_password()
    assert list(RoleGrant.objects.values_list("territory", "role")) == [(TOWN, "resident")]
    assert heard == ["person.created", "role.granted"]


def test_the_exchange_is_tied_to_the_session_by_state_nonce_and_pkce(provider: oidc_server.Provider) -> None:
    client = Client()
    client.get(_authorized(client))
    Client().get(_authorized(client))
    first, second = provider.asked
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]


def test_a_visitor_cannot_add_to_what_is_asked_of_the_provider(provider: oidc_server.Provider) -> None:
    away = Client().get("/compte/oidc/other/login/?auth_params=nonce%3Dmien%26prompt%3Dnone&scope=tout")
    asked = parse_qs(urlsplit(away["Location"]).query)
    assert asked["nonce"] != ["mien"]
    assert "prompt" not in asked
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}


def test_the_same_person_comes_back_to_the_same_account(provider: oidc_server.Provider) -> None:
    for _ in range(2):
        client = Client()
        client.get(_authorized(client))
        assert _signed_in(client)
    assert Person.objects.count() == 1


def test_signed_user_information_is_read(provider: oidc_server.Provider) -> None:
    provider.signed_userinfo = True
    client = Client()
    client.get(_authorized(client, "franceconnect"))
    assert Person.objects.get().name == "Lucie Martin"
    assert provider.asked[0]["acr_values"] == "eidas1"


@pytest.mark.parametrize(
    "fault", [fault for fault in oidc_server.FAULTS if not fault.startswith(("discovery", "wrong issuer ann"))]
)
def test_a_wrong_answer_signs_nobody_in_and_says_so(fault: str, provider: oidc_server.Provider) -> None:
    client = Client()
    back = _authorized(client)
    provider.fault = fault
    answer = client.get(back)
    assert answer.status_code == 401
    assert "La connexion n’a pas abouti" in answer.content.decode()
    assert not _signed_in(client)
    assert not Person.objects.exists()


@pytest.mark.parametrize("fault", ["discovery down", "discovery not json", "wrong issuer announced"])
def test_a_provider_that_cannot_be_reached_is_said_so(fault: str, provider: oidc_server.Provider) -> None:
    client = Client()
    back = _authorized(client)
    provider.fault = fault
    for address in ("/compte/oidc/other/login/", back):
        answer = client.get(address)
        assert answer.status_code == 401
        assert "La connexion n’a pas abouti" in answer.content.decode()


def test_signing_out_ends_the_session_at_the_provider_too(provider: oidc_server.Provider) -> None:
    client = Client()
    client.get(_authorized(client, "franceconnect"))
    page = client.post("/compte/logout/")
    assert (page.status_code, _signed_in(client)) == (200, False)
    address = page["Refresh"].removeprefix("0; url=")
    assert html.escape(address) in page.content.decode()
    assert "Se déconnecter de FranceConnect" in page.content.decode()
    back = _sent_back(address)
    assert provider.ended == ["lucie-1"]
    assert client.get(back).status_code == 200
    # Nothing of it is kept: the next person here signs out of this site alone.
    assert client.post("/compte/logout/").status_code == 302


def test_signing_out_is_enough_here_when_the_provider_has_no_end_of_session(provider: oidc_server.Provider) -> None:
    provider.fault = "no end of session"
    client = Client()
    client.get(_authorized(client))
    assert client.get("/compte/logout/").status_code == 200
    assert _signed_in(client)
    assert client.post("/compte/logout/")["Location"] == "/"
    assert not _signed_in(client)


def test_an_answer_is_used_once(provider: oidc_server.Provider) -> None:
    client = Client()
    back = _authorized(client)
    client.get(back)
    client.logout()
    answer = client.get(back)
    assert (answer.status_code, _signed_in(client)) == (401, False)


def test_an_answer_is_of_no_use_in_another_browser(provider: oidc_server.Provider) -> None:
    back = _authorized(Client())
    thief = Client()
    assert thief.get(back).status_code == 401
    assert not _signed_in(thief)


def test_an_answer_to_one_provider_is_refused_by_another(provider: oidc_server.Provider) -> None:
    client = Client()
    back = _authorized(client, "other").replace("/other/", "/proconnect/")
    assert client.get(back).status_code == 401


@pytest.mark.parametrize("query", ["", "?state=inventé", "?code=x", "?error=server_error", "?state=&code="])
def test_a_made_up_answer_is_refused(query: str, provider: oidc_server.Provider) -> None:
    assert Client().get(f"/compte/oidc/other/login/callback/{query}").status_code == 401


def test_giving_up_at_the_provider_is_not_an_error(provider: oidc_server.Provider) -> None:
    client = Client()
    state = parse_qs(urlsplit(_authorized(client)).query)["state"][0]
    answer = client.get(f"/compte/oidc/other/login/callback/?error=access_denied&state={state}", follow=True)
    assert answer.status_code == 200
    assert "abandonné" in answer.content.decode()


def test_an_unknown_provider_is_not_found(provider: oidc_server.Provider) -> None:
    assert Client().get("/compte/oidc/inconnu/login/").status_code == 404


def test_a_verified_address_finds_the_account_it_names(provider: oidc_server.Provider) -> None:
    mine = make_person(Role.RESIDENT, email="lucie@exemple.fr", password=PASSWORD)
    EmailAddress.objects.create(user_id=mine, email="lucie@exemple.fr", verified=True, primary=True)
    client = Client()
    client.get(_authorized(client))
    assert client.session["_auth_user_id"] == str(mine)
    assert Person.objects.get().check_password(PASSWORD)


def test_an_account_made_with_someone_elses_address_is_taken_from_who_made_it(provider: oidc_server.Provider) -> None:
    squatted = make_person(Role.RESIDENT, email="lucie@exemple.fr", password=PASSWORD)
    EmailAddress.objects.create(user_id=squatted, email="lucie@exemple.fr", verified=False, primary=True)
    client = Client()
    client.get(_authorized(client))
    assert not Person.objects.get(pk=squatted).check_password(PASSWORD)


@pytest.mark.parametrize("said", [False, None, "false", "true", 1])
def test_an_address_the_provider_did_not_verify_finds_no_account(said: object, provider: oidc_server.Provider) -> None:
    mine = make_person(Role.ADMINISTRATOR, email="lucie@exemple.fr", password=PASSWORD)
    EmailAddress.objects.create(user_id=mine, email="lucie@exemple.fr", verified=True, primary=True)
    provider.person["email_verified"] = said
    client = Client()
    answer = client.get(_authorized(client))
    assert client.session.get("_auth_user_id") != str(mine)
    assert answer.status_code == 302


def test_franceconnect_opens_a_residents_rights_and_no_others(provider: oidc_server.Provider, settings: Any) -> None:
    settings.STRONG_AUTH = False
    mine = make_person(Role.ADMINISTRATOR, Role.RESIDENT, email="lucie@exemple.fr", password=PASSWORD)
    EmailAddress.objects.create(user_id=mine, email="lucie@exemple.fr", verified=True, primary=True)
    client = Client()
    client.get(_authorized(client, "franceconnect"))
    assert client.session["_auth_user_id"] == str(mine)
    seen = client.get("/compte/").wsgi_request.viewer
    assert [grant.role for grant in seen.grants] == [Role.RESIDENT]


def test_proconnect_says_who_an_agent_is_and_gives_no_role(provider: oidc_server.Provider, settings: Any) -> None:
    settings.STRONG_AUTH = False
    client = Client()
    client.get(_authorized(client, "proconnect"))
    assert not RoleGrant.objects.exists()
    operations.grant_role(person_id=Person.objects.get().pk, territory=TOWN, role=Role.AGENT, by=None, at=AT)
    assert client.get("/compte/").wsgi_request.viewer.has(Role.AGENT, TOWN)


def test_the_sign_in_page_offers_each_provider_by_a_plain_link(provider: oidc_server.Provider) -> None:
    page = Client().get("/compte/login/").content.decode()
    for name in ("FranceConnect", "ProConnect", "Ville"):
        assert f"Continuer avec {name}" in page


GOOD = """[[provider]]
id = "ville"
name = "Ville"
issuer = "https://id.exemple.fr"
client_id = "b"
client_secret_env = "S"
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[provider", "illisible"),
        (GOOD.replace('client_id = "b"\n', ""), "client_id"),
        (GOOD + 'kind = "facebook"\n', "facebook"),
        (GOOD.replace('"ville"', '"la ville"'), "la ville"),
        (GOOD.replace('"S"', '"ABSENT"'), "ABSENT"),
        (GOOD + GOOD, "répété"),
        (GOOD.replace("issuer", "emetteur"), "issuer"),
    ],
)
def test_a_broken_file_of_providers_says_what_and_where(text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "identites.toml"
    file.write_text(text)
    with pytest.raises(BadProvider) as caught:
        oidc_providers(str(file), {"S": "secret"})
    assert why in str(caught.value)
    assert "identites.toml" in str(caught.value)


def test_no_file_means_no_provider() -> None:
    assert oidc_providers("") == {}
