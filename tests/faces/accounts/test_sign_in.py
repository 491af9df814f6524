"""Accounts as a person meets them: sign-up, sign-in, second factor, forgotten password."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client

from beffroi.base.territory import operations
from beffroi.base.territory.models import Person, RoleGrant
from beffroi.base.territory.viewer import Role
from territory_makers import AT, PASSWORD, TOWN, make_person, make_town

pytestmark = pytest.mark.django_db

# What follows the setting up of a code application happens once its transaction is committed.
COMMITTED = pytest.mark.django_db(transaction=True)
EMAIL = "camille@exemple.fr"


@pytest.fixture(autouse=True)
def _town(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["territory_makers.QuickArgon2"]
    # Codes change every thirty seconds: not while a test goes from one to its answer.
    moment = time.time()
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", SimpleNamespace(time=lambda: moment))
    cache.clear()
    make_town()


def _account(*roles: Role, email: str = EMAIL) -> int:
    person = make_person(*roles, email=email, password=PASSWORD)
    EmailAddress.objects.create(user_id=person, email=email, verified=True, primary=True)
    return person


def _sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL) -> Any:
    return client.post("/compte/login/", {"login": email, "password": password})


def _code(secret: str, shift: int = 0) -> str:
    counter = next(iter(yield_hotp_counters_from_time())) + shift
    return format_hotp_value(hotp_value(secret, counter))


def _set_up_totp(client: Client) -> str:
    client.post("/compte/reauthenticate/", {"password": PASSWORD})
    secret = str(client.get("/compte/2fa/totp/activate/").context["form"].secret)
    assert client.post("/compte/2fa/totp/activate/", {"code": _code(secret)}).status_code == 302
    return secret


def _agents_page(client: Client) -> int:
    return client.get("/agent/").status_code


def test_signing_up_takes_an_address_and_a_password_and_makes_a_resident() -> None:
    client = Client()
    assert client.post("/compte/signup/", {"email": "Camille@Exemple.fr", "password1": PASSWORD}).status_code == 302
    person = Person.objects.get()
    assert person.email == EMAIL
    assert person.password.startswith("argon2")
    assert list(RoleGrant.objects.values_list("person", "territory", "role")) == [(person.pk, TOWN, "resident")]
    assert "pas encore vérifiée" in client.get("/compte/").content.decode()


def test_the_link_sent_verifies_the_address(mailoutbox: list[Any]) -> None:
    client = Client()
    client.post("/compte/signup/", {"email": EMAIL, "password1": PASSWORD})
    link = re.search(r"http://testserver(/compte/confirm-email/\S+)", mailoutbox[-1].body)
    assert link is not None
    client.post(link[1])
    assert EmailAddress.objects.get().verified
    assert "pas encore vérifiée" not in client.get("/compte/").content.decode()


@pytest.mark.parametrize("password", ["court", "azertyuiop", "camille@exemple.fr", "111111111111"])
def test_a_weak_password_is_refused_on_the_page_and_nothing_typed_is_lost(password: str) -> None:
    page = Client().post("/compte/signup/", {"email": EMAIL, "password1": password})
    assert (page.status_code, Person.objects.count()) == (200, 0)
    assert EMAIL in page.content.decode()


def test_a_wrong_password_and_an_unknown_address_are_answered_alike() -> None:
    _account(Role.RESIDENT)
    wrong = _sign_in(Client(), "pas-le-bon-du-tout")
    unknown = _sign_in(Client(), "pas-le-bon-du-tout", email="inconnue@exemple.fr")
    strip = re.compile(r'value="[^"]*"|name="csrfmiddlewaretoken"[^>]*')
    assert strip.sub("", wrong.content.decode()) == strip.sub("", unknown.content.decode())


def test_a_forgotten_password_is_answered_alike_whether_or_not_the_account_exists(mailoutbox: list[Any]) -> None:
    _account(Role.RESIDENT)
    known = Client().post("/compte/password/reset/", {"email": EMAIL})
    unknown = Client().post("/compte/password/reset/", {"email": "inconnue@exemple.fr"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_where_mail_is_sent_sign_up_does_not_tell_who_has_an_account(settings: Any, mailoutbox: list[Any]) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    _account(Role.RESIDENT)
    known = Client().post("/compte/signup/", {"email": EMAIL, "password1": PASSWORD})
    unknown = Client().post("/compte/signup/", {"email": "nouvelle@exemple.fr", "password1": PASSWORD})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert Person.objects.count() == 2


def test_after_too_many_wrong_passwords_the_right_one_waits() -> None:
    _account(Role.RESIDENT)
    client = Client()
    for _ in range(6):
        _sign_in(client, "pas-le-bon-du-tout")
    assert _sign_in(client).status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_a_reset_link_works_once_and_proves_the_mailbox(mailoutbox: list[Any]) -> None:
    make_person(Role.RESIDENT, email=EMAIL, password=PASSWORD)
    Client().post("/compte/password/reset/", {"email": EMAIL})
    link = re.search(r"http://testserver(/compte/password/reset/key/\S+)", mailoutbox[-1].body)
    assert link is not None
    client = Client()
    form = client.get(link[1], follow=True)
    new = "une-cloche-neuve-sonne"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert Person.objects.get().check_password(new)
    assert EmailAddress.objects.get().verified
    assert "token_fail" in Client().get(link[1], follow=True).context


@COMMITTED
def test_an_agent_must_set_up_a_second_factor_and_then_use_it(settings: Any) -> None:
    settings.STRONG_AUTH = True
    _account(Role.AGENT)
    client = Client()
    _sign_in(client)
    answer = client.get("/agent/?x=1")
    assert answer["Location"] == "/compte/second-facteur/?next=%2Fagent%2F%3Fx%3D1"
    assert "Clé d’accès" in client.get(answer["Location"]).content.decode()
    secret = _set_up_totp(client)
    assert _agents_page(client) == 200
    assert client.get("/compte/second-facteur/?next=/agent/")["Location"] == "/agent/"
    # The next session asks for it before anything opens.
    later = Client()
    assert _sign_in(later)["Location"] == "/compte/2fa/authenticate/"
    assert _agents_page(later) == 302
    cache.clear()
    assert later.post("/compte/2fa/authenticate/", {"code": _code(secret, 1)}).status_code == 302
    assert _agents_page(later) == 200


def test_a_wrong_code_opens_nothing(settings: Any) -> None:
    settings.STRONG_AUTH = True
    _account(Role.AGENT)
    client = Client()
    _sign_in(client)
    secret = _set_up_totp(client)
    later = Client()
    _sign_in(later)
    wrong = str((int(_code(secret)) + 500_000) % 1_000_000).zfill(6)
    assert later.post("/compte/2fa/authenticate/", {"code": wrong}).status_code == 200
    assert "_auth_user_id" not in later.session


@COMMITTED
def test_a_recovery_code_opens_once(settings: Any) -> None:
    settings.STRONG_AUTH = True
    person = _account(Role.ADMINISTRATOR)
    client = Client()
    _sign_in(client)
    _set_up_totp(client)
    codes = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()
    later = Client()
    _sign_in(later)
    assert later.post("/compte/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert _agents_page(later) == 200
    again = Client()
    _sign_in(again)
    again.post("/compte/2fa/authenticate/", {"code": codes[0]})
    assert "_auth_user_id" not in again.session


@COMMITTED
def test_a_session_opened_with_the_password_alone_ends_when_the_first_second_factor_comes(settings: Any) -> None:
    settings.STRONG_AUTH = True
    _account(Role.AGENT)
    owner, thief = Client(), Client()
    _sign_in(owner)
    _sign_in(thief)
    assert thief.get("/compte/").status_code == 200
    _set_up_totp(owner)
    assert owner.get("/compte/").status_code == 200
    assert thief.get("/compte/").status_code == 302


@COMMITTED
def test_taking_the_last_second_factor_away_closes_the_agents_pages(settings: Any) -> None:
    settings.STRONG_AUTH = True
    _account(Role.AGENT)
    client = Client()
    _sign_in(client)
    _set_up_totp(client)
    assert _agents_page(client) == 200
    assert client.post("/compte/2fa/totp/deactivate/").status_code == 302
    assert _agents_page(client) == 302


def test_a_role_given_to_someone_signed_in_asks_for_the_second_factor_at_once(settings: Any) -> None:
    settings.STRONG_AUTH = True
    person = _account(Role.RESIDENT)
    client = Client()
    _sign_in(client)
    assert client.get("/compte/").status_code == 200
    operations.grant_role(person_id=person, territory=TOWN, role=Role.ADMINISTRATOR, by=None, at=AT)
    assert client.get("/agent/").status_code == 302


def test_the_demonstration_may_do_without(settings: Any) -> None:
    settings.STRONG_AUTH = False
    _account(Role.AGENT)
    client = Client()
    _sign_in(client)
    assert _agents_page(client) == 200


@pytest.mark.parametrize("onward", ["https://ailleurs.example/", "//ailleurs.example/", "javascript:alert(1)"])
def test_no_page_of_the_account_sends_elsewhere(onward: str) -> None:
    _account(Role.RESIDENT)
    client = Client()
    answer = client.post(f"/compte/login/?next={onward}", {"login": EMAIL, "password": PASSWORD, "next": onward})
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith("//")
    assert client.get(f"/compte/second-facteur/?next={onward}")["Location"] == "/"


def test_a_person_renames_herself() -> None:
    _account(Role.RESIDENT)
    client = Client()
    _sign_in(client)
    client.post("/compte/", {"name": "Camille D."})
    assert Person.objects.get().name == "Camille D."


def test_sign_in_takes_as_long_for_an_unknown_address(settings: Any) -> None:
    """Argon2 runs in both cases: the ratio of the times stays near one, far from the hundreds it would be without.

    Times of processor: others may keep this machine busy.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    _account(Role.RESIDENT)
    spent = {}
    for email in (EMAIL, "inconnue@exemple.fr"):
        start = time.process_time()
        _sign_in(Client(), "pas-le-bon-du-tout", email=email)
        spent[email] = time.process_time() - start
    assert spent["inconnue@exemple.fr"] > spent[EMAIL] / 5


PAGES = (
    "login/",
    "signup/",
    "password/reset/",
    "password/reset/done/",
    "password/reset/key/done/",
    "password/reset/key/1-absent/",
    "confirm-email/",
    "confirm-email/absent/",
    "inactive/",
    "3rdparty/login/cancelled/",
)
OWN_PAGES = (
    "",
    "logout/",
    "email/",
    "password/change/",
    "reauthenticate/",
    "2fa/",
    "2fa/totp/activate/",
    "2fa/webauthn/",
    "2fa/webauthn/add/",
    "3rdparty/",
    "second-facteur/",
)
PROTECTED_PAGES = (
    "2fa/",
    "2fa/totp/deactivate/",
    "2fa/recovery-codes/",
    "2fa/recovery-codes/generate/",
    "2fa/webauthn/add/",
    "2fa/reauthenticate/",
)
ENGLISH = re.compile(
    r">\s*(Sign|Email|Password|Enter|Please|You |Your |The |Change|Confirm|Activate|Add |Security|Not )\b"
)


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_of_sign_in_are_in_french_and_whole(page: str) -> None:
    _is_french_and_whole(Client().get(f"/compte/{page}", follow=True))


@pytest.mark.parametrize("page", OWN_PAGES)
def test_the_pages_of_an_account_are_in_french_and_whole(page: str, settings: Any) -> None:
    settings.STRONG_AUTH = True
    _account(Role.AGENT, Role.ELECTED)
    client = Client()
    _sign_in(client)
    _is_french_and_whole(client.get(f"/compte/{page}", follow=True))


@pytest.mark.parametrize("page", PROTECTED_PAGES)
def test_so_are_those_of_an_account_with_a_second_factor(page: str, settings: Any) -> None:
    settings.STRONG_AUTH = True
    _account(Role.AGENT)
    client = Client()
    _sign_in(client)
    _set_up_totp(client)
    _is_french_and_whole(client.get(f"/compte/{page}", follow=True))


def test_so_is_the_page_that_asks_for_the_second_factor() -> None:
    _account(Role.AGENT)
    client = Client()
    _sign_in(client)
    _set_up_totp(client)
    later = Client()
    _sign_in(later)
    _is_french_and_whole(later.get("/compte/2fa/authenticate/"))


def _is_french_and_whole(answer: Any) -> None:
    assert answer.status_code == 200
    text = answer.content.decode()
    assert not ENGLISH.search(text), ENGLISH.search(text)
    assert text.count("<h1>") == 1
    assert 'lang="fr"' in text
