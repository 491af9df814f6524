"""`/feeds/signalements.atom`, `/feeds/alertes.atom`: public reports, zone alerts in force (Atom, RFC 4287)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.time import now
from beffroi.base.territory.queries import CommuneInfo, UnknownTerritory
from beffroi.faces.api.problems import problem
from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases.definition import OUTCOME_TITLES, STATUS_TITLES, BadCase
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.alerting import SEVERITY_TITLES
from beffroi.serve.reports.queries import ReportFilter, ReportInfo
from beffroi.serve.reports.zone_alerts import ZoneAlertInfo, alerts_in_force

MOST = 100
PARAMETERS = ("categorie", "etat", "quartier", "rue", "q", "bbox")
Entries = list[tuple[datetime, str]]


@open_to(EVERYONE)
@require_safe
def report_feed(request: HttpRequest) -> HttpResponse:
    """Give the last changed public reports, narrowed by `categorie`, `etat`, `quartier`, `rue`, `q`, `bbox`."""

    def entries(commune: CommuneInfo) -> Entries:
        page = reports.public_reports(commune.code, _wanted(request), at=now(), size=MOST)
        return [(info.case.changed_at, _entry(request, info)) for info in page.items]

    return _answered(request, "signalements", _("Signalements de {commune}"), entries)


@open_to(EVERYONE)
@require_safe
def alert_feed(request: HttpRequest) -> HttpResponse:
    """Give the zone alerts in force, the last first; `bbox` keeps those whose zone meets it."""

    def entries(commune: CommuneInfo) -> Entries:
        _check_names(request, ("bbox",))
        box = request.GET.get("bbox", "")
        found = alerts_in_force(commune.code, at=now(), bbox=BBox.parsed(box) if box else None)
        return [(one.raised_at, _alert_entry(request, one)) for one in found]

    return _answered(request, "alertes", _("Alertes de {commune}"), entries)


def _answered(request: HttpRequest, name: str, title: str, entries: Callable[[CommuneInfo], Entries]) -> HttpResponse:
    commune: CommuneInfo | None = request.commune  # type: ignore[attr-defined]
    try:
        if commune is None:
            raise UnknownTerritory("cette adresse n’est celle d’aucune commune", where=request.get_host()[:100])
        told = entries(commune)
    except BeffroiError as error:
        return problem(error.http_status, said(error.what), where=error.where, remedy=said(error.remedy))
    feed = _feed(request, commune, name, title.format(commune=commune.name), told)
    answer = HttpResponse(feed, content_type="application/atom+xml; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=300" if name == "signalements" else "public, max-age=60"
    return answer


def _check_names(request: HttpRequest, known: tuple[str, ...]) -> None:
    for name in request.GET:
        if name not in known:
            raise BadCase(
                "paramètre « {name} » inconnu",
                where="filtre",
                remedy="choisissez parmi {known}",
                name=name[:40],
                known=", ".join(known),
            )


def _wanted(request: HttpRequest) -> ReportFilter:
    _check_names(request, PARAMETERS)

    def listed(name: str) -> tuple[str, ...]:
        return tuple(part for value in request.GET.getlist(name) for part in value.split(",") if part)

    box = request.GET.get("bbox", "")
    return ReportFilter(
        categories=listed("categorie"),
        statuses=listed("etat"),
        districts=listed("quartier"),
        street=request.GET.get("rue", "").replace("\0", "")[:120],
        bbox=BBox.parsed(box) if box else None,
        text=request.GET.get("q", "")[:100],
        order="changed",
    )


def _feed(request: HttpRequest, commune: CommuneInfo, name: str, title: str, entries: Entries) -> str:
    here = request.build_absolute_uri()
    site = request.build_absolute_uri("/")
    updated = entries[0][0] if entries else now()
    head = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:georss="http://www.georss.org/georss" xml:lang="fr">',
        _element("id", f"tag:{request.get_host()},2026:{name}/{commune.code}?{request.META['QUERY_STRING']}"),
        _element("title", title),
        _element("updated", updated.isoformat(timespec="seconds")),
        f'<link rel="self" href={quoteattr(here)}/>',
        f'<link rel="alternate" href={quoteattr(site)}/>',
        f"<author>{_element('name', commune.name)}</author>",
    ]
    return "\n".join([*head, *(entry for _at, entry in entries), "</feed>"])


def _alert_entry(request: HttpRequest, alert: ZoneAlertInfo) -> str:
    ring = json.loads(alert.zone)["coordinates"][0]
    severity = _(SEVERITY_TITLES[alert.severity])
    until = timezone.localtime(alert.until)
    end = _("Gravité : {severity}. Jusqu’au {until}.").format(
        severity=severity.lower(), until=f"{until:%d/%m/%Y, %H:%M}"
    )
    return "".join(
        [
            "<entry>",
            _element("id", f"tag:{request.get_host()},2026:alerte/{alert.id}"),
            _element("title", alert.title),
            _element("published", alert.raised_at.isoformat(timespec="seconds")),
            _element("updated", alert.raised_at.isoformat(timespec="seconds")),
            f'<link rel="alternate" href={quoteattr(request.build_absolute_uri(_alerts_page(alert)))}/>',
            f"<category term={quoteattr(alert.severity)} label={quoteattr(severity)}/>",
            _element("summary", f"{alert.text}\n{end}"),
            _element("georss:polygon", " ".join(f"{lat:.6f} {lon:.6f}" for lon, lat, *_height in ring)),
            "</entry>",
        ]
    )


def _alerts_page(alert: ZoneAlertInfo) -> str:
    try:
        return f"{reverse('portal:alerts')}#alerte-{alert.id}"
    except NoReverseMatch:
        return "/"


def _entry(request: HttpRequest, info: ReportInfo) -> str:
    case = info.case
    state = _(OUTCOME_TITLES[case.outcome]) if case.outcome else _(STATUS_TITLES[case.status])
    where = info.address or info.district
    title = f"{_(info.label)} – {where}" if where else _(info.label)
    words = [f"{state}.", case.description, case.answer]
    return "".join(
        [
            "<entry>",
            _element("id", f"tag:{request.get_host()},2026:signalement/{case.number}"),
            _element("title", f"{title} ({state})"),
            _element("published", case.opened_at.isoformat(timespec="seconds")),
            _element("updated", case.changed_at.isoformat(timespec="seconds")),
            f'<link rel="alternate" href={quoteattr(request.build_absolute_uri(_page(case.number)))}/>',
            f"<category term={quoteattr(case.category)} label={quoteattr(_(info.label))}/>",
            _element("summary", "\n".join(part for part in words if part)),
            _element("georss:point", f"{info.lat:.7f} {info.lon:.7f}"),
            "</entry>",
        ]
    )


def _page(number: str) -> str:
    try:
        return reverse("portal:public-report", args=[number])
    except NoReverseMatch:
        return reverse("open311:request", kwargs={"request_id": number, "form": "json"})


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
