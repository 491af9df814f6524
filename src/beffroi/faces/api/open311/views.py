"""The addresses of GeoReport v2. Each answers XML or JSON, errors included, and never more than everyone may read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from beffroi import __version__
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.api.open311 import told
from beffroi.faces.api.open311.asked import MOST, asked_filter, commune_of, number, sent_by
from beffroi.faces.api.open311.received import received, service_of
from beffroi.faces.api.open311.written import Document, refusal, response
from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import CaseNotFound
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.filters import ReportFilter

# Only these statuses are ever answered: the specification wants 404, 403, and 400 for anything else.
_STATUSES = {404: 404, 403: 403}
View = Callable[..., HttpResponseBase]


def _answered(*methods: str) -> Callable[[View], View]:
    """Open a view to everyone, in its methods, and turn its refusals into the specification's errors."""

    def dressed(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, form: str, **named: Any) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return _preflight(methods)
            if request.method not in methods:
                refused = refusal(400, _("Méthodes acceptées : {names}").format(names=", ".join(methods)), form)
                refused.headers["Allow"] = ", ".join(methods)
                return refused
            try:
                return view(request, *args, form=form, **named)
            except BeffroiError as error:
                return refusal(_STATUSES.get(error.http_status, 400), _sentence(error), form)

        return open_to(EVERYONE)(answer)

    return dressed


def _preflight(methods: tuple[str, ...]) -> HttpResponse:
    answer = HttpResponse(status=204)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    answer.headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization, Idempotency-Key"
    return answer


def _sentence(error: BeffroiError) -> str:
    start = f"{error.where} : " if error.where else ""
    end = f" ; {said(error.remedy)}" if error.remedy.template else ""
    return f"{start}{said(error.what)}{end}"


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@_answered("GET", "HEAD")
def discovery(request: HttpRequest, *, form: str) -> HttpResponse:
    """Say where the API is, in which forms, and when its services last changed."""
    base = _base(request)
    changed = catalogue.states_stamp()
    content = {
        "changeset": f"{__version__}.{changed}.{catalogue.catalogue().fingerprint[:12]}",
        "contact": _("Écrivez à la mairie, ou à l’administrateur de cette installation : {url}").format(url=f"{base}/"),
        "key_service": _("Une clé se demande à un administrateur de la commune (droit « reports:write »)."),
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": f"{base}/open311/v2",
                "changeset": f"{__version__}.{changed}",
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }
    return response(Document("discovery", content), form)


@_answered("GET", "HEAD")
def services(request: HttpRequest, *, form: str) -> HttpResponse:
    """List what can be reported."""
    commune = commune_of(request, sent_by(request))
    found = [told.service(category) for category in told.open_services(commune).values()]
    return response(Document("services", found), form)


@_answered("GET", "HEAD")
def service_definition(request: HttpRequest, *, code: str, form: str) -> HttpResponse:
    """Give the questions of one service."""
    commune = commune_of(request, sent_by(request))
    return response(Document("service_definition", told.definition(service_of(commune, code))), form)


@_answered("GET", "HEAD", "POST")
def service_requests(request: HttpRequest, *, form: str) -> HttpResponse:
    """Send a report (POST), or list those that everyone may read."""
    sent = sent_by(request)
    if request.method == "POST":
        content = received(sent, key=request.headers.get("Idempotency-Key", ""), at=now())
        return response(Document("service_requests", content), form)
    commune = commune_of(request, sent)
    at = now()
    wanted = asked_filter(sent, at=at)
    size = number(sent.get("page_size"), where="page_size", low=1, high=MOST, default=MOST)
    page = number(sent.get("page"), where="page", low=1, high=1_000_000, default=1)
    found = _listed(commune.code, wanted, set(told.open_services(commune)), at=at, page=page, size=size)
    content = told.requests(found, commune, base=_base(request), extended=sent.get("extensions") == "true")
    return response(Document("service_requests", content), form)


def _listed(
    territory: str, wanted: ReportFilter, known: set[str], *, at: datetime, page: int, size: int
) -> tuple[reports.ReportInfo, ...]:
    """Return a page of the public reports; what means nothing here is simply not found."""
    if wanted.numbers:
        numbers = tuple(one for one in wanted.numbers if reports.is_number(one))
        wanted = replace(wanted, numbers=numbers)
        if not numbers:
            return ()
    elif wanted.categories:
        wanted = replace(wanted, categories=tuple(sorted(known & set(wanted.categories))))
        if not wanted.categories:
            return ()
    return reports.public_reports(territory, wanted, at=at, page=page, size=size).items


@_answered("GET", "HEAD")
def service_request(request: HttpRequest, *, request_id: str, form: str) -> HttpResponse:
    """Tell one report; it is not paged, so its history always comes with `extensions=true`."""
    sent = sent_by(request)
    commune = commune_of(request, sent)
    info = reports.report(ANONYMOUS, request_id)
    if info.case.territory != commune.code:
        raise CaseNotFound("aucun signalement « {number} » ici", where="service_request_id", number=request_id[:20])
    content = told.requests([info], commune, base=_base(request), extended=sent.get("extensions") == "true")
    return response(Document("service_requests", content), form)


@_answered("GET", "HEAD")
def token(request: HttpRequest, *, token: str, form: str) -> HttpResponse:
    """Give the number behind a token. Numbers are given at once here; the token is the follow-up link's own."""
    commune_of(request, sent_by(request))
    case, _party = cases.followed_case(token)
    content = [{"service_request_id": case.number, "token": token}]
    return response(Document("service_requests", content), form)


@open_to(EVERYONE)
def media(request: HttpRequest, *, attachment: int) -> HttpResponseBase:
    """Send a photo that everyone may see."""
    try:
        content = cases.attachment(ANONYMOUS, attachment)
    except CaseNotFound as error:
        return HttpResponse(_sentence(error), status=404, content_type="text/plain; charset=utf-8")
    # A redrawn photo weighs a few hundred kilobytes.
    return HttpResponse(content.path.read_bytes(), content_type=content.media_type)
