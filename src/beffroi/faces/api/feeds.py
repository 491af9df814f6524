"""`/feeds/signalements.atom`, `/feeds/alertes.atom`: public reports, zone alerts in force (Atom, RFC 4287)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

import shapely
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.time import now
from beffroi.base.territory.queries import CommuneInfo, UnknownTerritory
from beffroi.faces.api.problems import problem
from beffroi.faces.shell.access import EVERYONE, open_to
from beffroi.faces.shell.alerts import words_of
from beffroi.faces.shell.sentences import said
from beffroi.serve.alerts import queries as alerts
from beffroi.serve.alerts.definition import AlertInfo
from beffroi.serve.cases.definition import OUTCOME_TITLES, STATUS_TITLES, BadCase
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.queries import ReportFilter, ReportInfo

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

    return answered(request, "signalements", _("Signalements de {commune}"), entries)


@open_to(EVERYONE)
@require_safe
def alert_feed(request: HttpRequest) -> HttpResponse:
    """Give the alerts and news in force, the last first; `bbox`, `quartier`, `sujet`, `projet` narrow them."""

    def entries(commune: CommuneInfo) -> Entries:
        _check_names(request, ("bbox", "quartier", "sujet", "projet"))
        box, project = request.GET.get("bbox", ""), request.GET.get("projet", "")
        found = alerts.in_force(
            commune.code, at=now(), bbox=BBox.parsed(box) if box else None, topic=request.GET.get("sujet", "")[:40],
            district=request.GET.get("quartier", "")[:100],
        )  # fmt: skip
        kept = [one for one in found if project in ("", one.content.project)]
        return [(one.changed_at, _alert_entry(request, one)) for one in kept]

    return answered(request, "alertes", _("Alertes de {commune}"), entries)


def answered(request: HttpRequest, name: str, title: str, entries: Callable[[CommuneInfo], Entries]) -> HttpResponse:
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
        element("id", f"tag:{request.get_host()},2026:{name}/{commune.code}?{request.META['QUERY_STRING']}"),
        element("title", title),
        element("updated", updated.isoformat(timespec="seconds")),
        f'<link rel="self" href={quoteattr(here)}/>',
        f'<link rel="alternate" href={quoteattr(site)}/>',
        f"<author>{element('name', commune.name)}</author>",
    ]
    return "\n".join([*head, *(entry for _at, entry in entries), "</feed>"])


def _alert_entry(request: HttpRequest, one: AlertInfo) -> str:
    words = words_of(one.content, one.territory)
    link = request.build_absolute_uri(_alert_page(one))
    severity = _("Gravité : {severity}.").format(severity=words["severity"].lower()) if words["severity"] else ""
    told = [words["text"], words["instruction"], " ".join(filter(None, (severity, words["when"])))]
    sent_at = one.sent_at or one.changed_at
    return "".join(
        [
            "<entry>",
            element("id", f"tag:{request.get_host()},2026:alerte/{one.id}"),
            element("title", words["title"]),
            element("published", sent_at.isoformat(timespec="seconds")),
            element("updated", one.changed_at.isoformat(timespec="seconds")),
            f'<link rel="alternate" href={quoteattr(link)}/>',
            f"<category term={quoteattr(one.content.topic)} label={quoteattr(words['topic'])}/>",
            element("summary", "\n".join(filter(None, told))),
            *_polygons(one),
            "</entry>",
        ]
    )


def _polygons(one: AlertInfo) -> Iterator[str]:
    for part in shapely.get_parts(one.content.shape) if one.content.shape is not None else ():
        if isinstance(part, shapely.Polygon):
            yield element("georss:polygon", " ".join(f"{lat:.6f} {lon:.6f}" for lon, lat, *_h in part.exterior.coords))


def _alert_page(one: AlertInfo) -> str:
    try:
        return reverse("portal:alert", args=[one.id])
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
            element("id", f"tag:{request.get_host()},2026:signalement/{case.number}"),
            element("title", f"{title} ({state})"),
            element("published", case.opened_at.isoformat(timespec="seconds")),
            element("updated", case.changed_at.isoformat(timespec="seconds")),
            f'<link rel="alternate" href={quoteattr(request.build_absolute_uri(_page(case.number)))}/>',
            f"<category term={quoteattr(case.category)} label={quoteattr(_(info.label))}/>",
            element("summary", "\n".join(part for part in words if part)),
            element("georss:point", f"{info.lat:.7f} {info.lon:.7f}"),
            "</entry>",
        ]
    )


def _page(number: str) -> str:
    try:
        return reverse("portal:public-report", args=[number])
    except NoReverseMatch:
        return reverse("open311:request", kwargs={"request_id": number, "form": "json"})


def element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
