"""At the door: give the request its viewer and commune, refuse what is not open, send the headers that protect."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries
from beffroi.base.territory.viewer import ANONYMOUS, Role, Viewer
from beffroi.faces.shell.access import Access, access_of
from beffroi.faces.shell.sentences import said

logger = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponseBase]

STRONG_ROLES = (Role.AGENT, Role.ADMINISTRATOR)
SECOND_FACTOR_KEY = "beffroi_second_factor"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        # blob: and data: are made by the page itself (map icons, previews of photographs): no host is called.
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = ", ".join(
    (
        "geolocation=(self)",
        "camera=(self)",
        "publickey-credentials-get=(self)",
        "publickey-credentials-create=(self)",
        *(
            f"{feature}=()"
            for feature in (
                "microphone",
                "payment",
                "usb",
                "serial",
                "midi",
                "display-capture",
                "browsing-topics",
            )
        ),
    )
)

# What a device may keep to be read offline: "1", what everyone sees; "day", what one reader takes along for the day.
KEEP_HEADER, FOR_THE_DAY = "X-Beffroi-Keep", "day"
SANDBOX_COOKIE = "beffroi_bac_a_sable"

# Addresses that programs call: they are answered in JSON and never redirected.
PROGRAM_PATHS = ("/api/", "/tuiles/", "/ogc/", "/sta/", "/open311/", "/citymodel/", "/cap/")


class PagesMiddleware(GZipMiddleware):
    """Send pages compressed, five times lighter on a slow line; files and tiles are sent as they are.

    Django pads each answer by a random length, against attacks that guess a secret by the size (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress a page; leave everything else, ranges of files above all."""
        is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
        return super().process_response(request, response) if is_page else response


class HeadersMiddleware:
    """Send the policy that keeps every page on its own host, whatever a view or an error page answers."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


class _Known:
    """What the middleware adds to the class of requests; each is read once, when first asked for."""

    key_error: BeffroiError | None = None

    @cached_property
    def _rights(self) -> tuple[Viewer, bool]:
        try:
            viewer = queries.viewer_of(self)  # type: ignore[arg-type]
        except queries.BadKey as error:
            # Kept rather than raised: even the page that tells of it, or of an unknown address, has a reader.
            self.key_error = error
            return ANONYMOUS, False
        return _cut_to_session(self, viewer)  # type: ignore[arg-type]

    @cached_property
    def viewer(self) -> Viewer:
        viewer, sandbox = self._rights[0], self._sandbox
        # In the sandbox the rights are those of the sandbox alone: nothing real can be touched from there.
        return viewer if sandbox is None else viewer.moved(real=sandbox.sandbox_of, sandbox=sandbox.code)

    @cached_property
    def _sandbox(self) -> queries.CommuneInfo | None:
        """Return the sandbox this browser asked to be in, if the person works for the commune of the page."""
        if self.COOKIES.get(SANDBOX_COOKIE) != "1" or self.real_commune is None:  # type: ignore[attr-defined]
            return None
        viewer, code = self._rights[0], self.real_commune.code
        if viewer.scopes is not None or not any(viewer.has(role, code) for role in STRONG_ROLES):
            return None
        return queries.sandbox_of(code)

    @cached_property
    def needs_second_factor(self) -> bool:
        return self._rights[1]

    @cached_property
    def commune(self) -> queries.CommuneInfo | None:
        return self._sandbox or self.real_commune

    @cached_property
    def real_commune(self) -> queries.CommuneInfo | None:
        return queries.commune_of_host(self.get_host().rpartition(":")[0] or self.get_host())  # type: ignore[attr-defined]


@cache
def _known(kind: Any) -> Any:
    return type(kind.__name__, (_Known, kind), {})


def _cut_to_session(request: HttpRequest, viewer: Viewer) -> tuple[Viewer, bool]:
    """Return the viewer cut to what the session has proved, and whether a second factor is missing."""
    if viewer.person_id is None or not viewer.grants:
        return viewer, False
    if _came_by_franceconnect(request):
        return _only(viewer, (Role.RESIDENT,)), False
    strong = queries.roles_held(viewer, STRONG_ROLES)
    if strong and settings.STRONG_AUTH and not _second_factor_proved(request):
        return _only(viewer, (Role.RESIDENT, Role.ELECTED)), True
    return viewer, False


def _only(viewer: Viewer, roles: tuple[Role, ...]) -> Viewer:
    return Viewer(viewer.person_id, tuple(grant for grant in viewer.grants if grant.role in roles), viewer.scopes)


def _second_factor_proved(request: HttpRequest) -> bool:
    """Tell whether this very session proved a second factor: at sign-in, or by setting one up just now."""
    if request.session.get(SECOND_FACTOR_KEY):
        return True
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def _came_by_franceconnect(request: HttpRequest) -> bool:
    """Tell whether the session was opened by FranceConnect: it proves who a person is, no role."""
    first: dict[str, object] = next(iter(get_authentication_records(request, request.user)), {})
    if first.get("method") != "socialaccount":
        return False
    apps = settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", [])
    return any(
        app["provider_id"] == first.get("provider") and app["settings"]["kind"] == "franceconnect" for app in apps
    )


class AccessMiddleware:
    """Open to each what it declares, and nothing else."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self._csrf = CsrfViewMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        kind: Any = type(request)
        request.__class__ = _known(kind)
        response = self.get_response(request)
        if _same_for_everyone(request, response):
            response.headers[KEEP_HEADER] = "1"
        return response

    def process_view(
        self, request: Any, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        access = access_of(view, method=request.method, url_name=match.url_name or "")
        if access is None:
            logger.error("%s declares no access (see beffroi.faces.shell.access.open_to)", match.route)
            return refusal(request, status=403)
        return self._checked(request, view, access, str(kwargs.get("territory", "")))

    def _checked(
        self, request: Any, view: Callable[..., Any], access: Access, territory: str
    ) -> HttpResponseBase | None:
        carries_key = queries.bearer_of(request) is not None
        if access.everyone and not carries_key and settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if not carries_key and (answer := self._csrf_answer(request, view)) is not None:
            return answer
        viewer: Viewer = request.viewer
        if request.key_error is not None:
            return error_answer(request, request.key_error)
        if request.needs_second_factor and not access.without_second_factor and not _quietly_public(request, access):
            return _to_second_factor(request)
        if access.everyone:
            return None
        if not territory and (access.roles or access.scope):
            territory = request.commune.code if request.commune else ""
        if access.allows(viewer, territory):
            return None
        return refusal(request, status=401 if viewer.person_id is None and viewer.scopes is None else 403)

    def _csrf_answer(self, request: HttpRequest, view: Callable[..., Any]) -> HttpResponseBase | None:
        """Check the origin of a change asked of an API path by a browser session: the router exempts them all."""
        exempt = getattr(view, "csrf_exempt", False)
        if not exempt or request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            return None
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None  # nothing to forge: the caller is nobody, and is told so
        self._csrf.process_request(request)
        answer = self._csrf.process_view(request, _never_exempt, (), {})
        return refusal(request, status=403) if answer is not None and wants_json(request) else answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, BeffroiError):
            return error_answer(request, exception)
        return None


def _same_for_everyone(request: Any, response: HttpResponseBase) -> bool:
    """Tell whether a page shows a resident no more than it shows anyone: a device may keep it to be read offline.

    What staff reads there may be reserved, and a page told not to be stored is not.
    """
    match = request.resolver_match
    if request.method != "GET" or response.status_code != 200 or match is None:
        return False
    if not response.headers.get("Content-Type", "").startswith("text/html") or request.path.startswith("/compte/"):
        return False
    access = access_of(match.func, url_name=match.url_name or "")
    if access is None or not access.everyone or "no-store" in response.headers.get("Cache-Control", ""):
        return False
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return True
    return all(grant.role is Role.RESIDENT for grant in request.viewer.grants)


def _never_exempt() -> HttpResponseBase:
    """Stand in for a view that asks for CSRF protection."""
    raise NotImplementedError


def _quietly_public(request: HttpRequest, access: Access) -> bool:
    """Tell whether a public file (tile, API item) may be read without a second factor: only pages ask for it."""
    return access.everyone and (wants_json(request) or "text/html" not in request.headers.get("Accept", "text/html"))


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks rather than a person: by the address, else by the Accept header."""
    accept = request.headers.get("Accept", "")
    return request.path.startswith(PROGRAM_PATHS) or ("application/json" in accept and "text/html" not in accept)


def _to_second_factor(request: HttpRequest) -> HttpResponseBase:
    if wants_json(request):
        return problem(
            403, _("Votre rôle demande un second facteur, que cette session n'a pas donné."), reverse("second_factor")
        )
    return redirect(f"{reverse('second_factor')}?{urlencode({'next': request.get_full_path()})}")


def refusal(request: HttpRequest, *, status: int) -> HttpResponseBase:
    """Answer someone who may not: sign-in for a person unknown (401), a page or JSON that says so for others (403)."""
    if wants_json(request):
        what = _("Identifiez-vous pour lire ceci.") if status == 401 else _("Vous n'avez pas le droit d'ouvrir ceci.")
        response: HttpResponseBase = problem(status, what, _("Demandez l'accès à un administrateur de la commune."))
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="beffroi"'
    elif status == 401:
        list(get_messages(request))
        response = redirect(f"{_login_url()}?{urlencode({'next': request.get_full_path()})}")
    else:
        response = render(request, "account/refused.html", status=403)
    patch_vary_headers(response, ("Cookie", "Authorization", "Accept"))
    # For the test that walks every address: a redirection to sign-in is the door's, not the view's.
    response.refusal = status  # type: ignore[attr-defined]
    return response


def _login_url() -> str:
    try:
        return reverse("account_login")
    except NoReverseMatch:
        return "/compte/login/"


def problem(status: int, what: str, remedy: str, where: str = "") -> HttpResponse:
    """Answer a program that it is refused, and why (RFC 9457)."""
    told = {"status": status, "title": what, "detail": what, "where": where, "remedy": remedy}
    return JsonResponse(
        told, status=status, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )


def error_answer(request: HttpRequest, error: BeffroiError) -> HttpResponseBase:
    """Answer an error a person can mend: its status, what, where and remedy, in JSON or on a page."""
    what, remedy = said(error.what), said(error.remedy)
    if wants_json(request):
        response: HttpResponseBase = problem(error.http_status, what, remedy, error.where)
    else:
        context = {"what": what, "where": error.where, "remedy": remedy, "status": error.http_status}
        response = render(request, "account/problem.html", context, status=error.http_status)
    if error.http_status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="beffroi", error="invalid_token"'
    return response
