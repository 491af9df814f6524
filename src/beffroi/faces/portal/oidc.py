"""Sign in with FranceConnect, ProConnect or any OpenID Connect provider, checked more strictly than the library does.

Added to what allauth checks (state, PKCE): the nonce; the signature of the identity token, though it comes straight
from the provider; the issuer announced; signed user information; that both speak of the same person. Whatever a
provider answers wrongly ends on one page that says so, never on an error of ours.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
from allauth.account.models import EmailAddress
from allauth.account.views import LogoutView
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from requests import RequestException

from beffroi.base.territory import operations
from beffroi.faces.shell.access import EVERYONE, open_to

ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
CLOCK_SKEW_S = 60
_SESSION_AT = "oidc_session_at"


class OidcAdapter(OpenIDConnectOAuth2Adapter):
    """One exchange with a provider. `expected_nonce` comes from the state of the session.

    `identity_token` is the token of the exchange once checked: the provider wants it back when the person signs out.
    """

    expected_nonce = ""
    identity_token = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        configured = str(self.get_provider().app.settings["server_url"]).rstrip("/")
        if "/.well-known/" not in configured and str(config.get("issuer", "")).rstrip("/") != configured:
            raise OAuth2Error("the provider announces another issuer")
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        try:
            claims = self._verified(kwargs["response"]["id_token"], app)
            if not secrets.compare_digest(str(claims.get("nonce", "")), self.expected_nonce or "absent"):
                raise OAuth2Error("the identity token answers another request (nonce)")
            person = self._user_info(token.token, app) if "userinfo_endpoint" in self.openid_config else claims
            if person["sub"] != claims["sub"]:
                raise OAuth2Error("user information is about someone else (sub)")
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise OAuth2Error("unusable answer of the identity provider") from error
        self.identity_token = kwargs["response"]["id_token"]
        return self.get_provider().sociallogin_from_response(request, {"userinfo": person, "id_token": claims})

    def _user_info(self, access_token: str, app: SocialApp) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.profile_url, headers={"Authorization": f"Bearer {access_token}"})
            answer.raise_for_status()
        if answer.headers.get("Content-Type", "").startswith("application/jwt"):
            # FranceConnect v2 and ProConnect sign it; it carries no expiry of its own.
            return self._verified(answer.text, app, required=["iss", "aud", "sub"])
        return dict(answer.json())

    def _verified(self, token: str, app: SocialApp, required: list[str] | None = None) -> dict[str, Any]:
        wanted = jwt.get_unverified_header(token).get("kid")
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        keys = [
            key for key in answer.json()["keys"] if key.get("use", "sig") == "sig" and wanted in (None, key.get("kid"))
        ]
        if len(keys) != 1:
            raise OAuth2Error("the identity token is signed with a key the provider does not publish")
        return dict(
            jwt.decode(
                token,
                key=jwt.PyJWK.from_json(json.dumps(keys[0])),
                algorithms=ALGORITHMS,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                leeway=CLOCK_SKEW_S,
                options={"require": required or ["iss", "aud", "sub", "exp", "iat"]},
            )
        )


class OidcProvider(OpenIDConnectProvider):
    oauth2_adapter_class = OidcAdapter

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponseBase:
        nonce = secrets.token_urlsafe(32)
        kwargs["auth_params"] = {**self.get_auth_params(), "nonce": nonce}
        kwargs["scope"] = self.get_scope()
        return super().redirect(request, process, next_url, data, nonce=nonce, **kwargs)

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """Trust an address for linking accounts only when the provider says, by a real `true`, that it verified it."""
        person = data["userinfo"]
        if not isinstance(person.get("email"), str):
            return []
        return [
            EmailAddress(email=person["email"].lower(), verified=person.get("email_verified") is True, primary=True)
        ]

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        person = data["userinfo"]
        parts = (person.get("given_name"), person.get("usual_name") or person.get("family_name"))
        name = " ".join(str(part) for part in parts if part)
        return {"email": person.get("email"), "name": name or person.get("name") or ""}

    @property
    def kind(self) -> str:
        return str(self.app.settings.get("kind", "other"))


class SocialAdapter(DefaultSocialAccountAdapter):
    """What a sign-in by a provider does to accounts: never a role beyond that of resident."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        found = super().get_provider(request, provider, client_id=client_id)
        return OidcProvider(request, app=found.app) if isinstance(found, OpenIDConnectProvider) else found

    def generate_state_param(self, state: dict[str, Any]) -> str:
        # FranceConnect wants 32 characters or more.
        return secrets.token_urlsafe(32)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        user.name = str(data.get("name") or "")[:200]
        return user

    @transaction.atomic
    def save_user(self, request: Any, sociallogin: SocialLogin, form: Any = None) -> Any:
        user = super().save_user(request, sociallogin, form)
        # ProConnect says who an agent is, and nothing of what the agent may do here.
        agent = getattr(sociallogin.provider, "kind", "other") == "proconnect"
        commune = "" if agent or request.commune is None else request.commune.code
        operations.register_person(person_id=user.pk, resident_of=commune, at=timezone.now())
        return user


class CallbackView(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, answer = super()._get_state(request, provider)
        if state is not None:
            self.adapter.expected_nonce = str(state.get("nonce", ""))
        return state, answer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        end = str(self.adapter.openid_config.get("end_session_endpoint") or "")
        if self.adapter.identity_token and urlsplit(end).scheme in ("https", "http"):
            # After signing in, which may have begun a new session.
            name = self.adapter.get_provider().app.name
            request.session[_SESSION_AT] = {"name": name, "end": end, "token": self.adapter.identity_token}
        return answer


def _guarded(step: Callable[..., Any], request: HttpRequest, provider_id: str) -> HttpResponseBase:
    try:
        adapter = OidcAdapter(request, provider_id)
        provider = adapter.get_provider()
    except SocialApp.DoesNotExist:
        raise Http404 from None
    try:
        answer: HttpResponseBase = step(adapter)(request)
        return answer
    except (OAuth2Error, RequestException, KeyError, ValueError, TypeError) as error:
        return render_authentication_error(request, provider, exception=error)


@open_to(EVERYONE, without_second_factor=True)
def login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Send the browser to the provider."""
    return _guarded(OAuth2LoginView.adapter_view, request, provider_id)


@open_to(EVERYONE, without_second_factor=True)
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Take the provider's answer."""
    return _guarded(CallbackView.adapter_view, request, provider_id)


@open_to(EVERYONE, without_second_factor=True)
def logout(request: HttpRequest) -> HttpResponseBase:
    """Sign out of here, then of the provider that signed the person in (OpenID Connect RP-Initiated Logout 1.0).

    A page stands between the two: ours (form-action 'self') may not end a form at another site.
    """
    session = request.session.get(_SESSION_AT)
    answer: HttpResponseBase = LogoutView.as_view()(request)
    if session is None or request.user.is_authenticated:
        return answer
    asked = {
        "id_token_hint": session["token"],
        "post_logout_redirect_uri": request.build_absolute_uri("/"),
        # FranceConnect and ProConnect require one; nothing is done when it comes back.
        "state": secrets.token_urlsafe(32),
    }
    url = f"{session['end']}{'&' if '?' in session['end'] else '?'}{urlencode(asked)}"
    page = render(request, "account/signed_out.html", {"url": url, "name": session["name"]})
    page["Refresh"] = f"0; url={url}"
    return page
