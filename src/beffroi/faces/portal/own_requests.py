"""My requests: everything a person has asked of the town, on one page, section by section.

A kind of request adds its section, in a module that the addresses of the portal import:

    @request_section("reports", rank=10)
    def my_reports(request: Request) -> Section:
        rows = queries.own_reports(request.viewer)
        lines = [RequestLine(row.title, reverse("portal:report", args=[row.id]), row.opened_at, row.state, "wait") …]
        return Section(_("Mes signalements"), lines, new_url=reverse("portal:report-new"), new_label=_("Signaler"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.faces.shell.access import SIGNED_IN, Request, open_to

WORDS = 14


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request: what, its page, when it was made, where it stands (`kind` is that of `status.html`), a word more."""

    title: str
    url: str
    at: datetime
    status: str
    kind: str = "wait"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The requests of one kind, and where a new one is made; without `new_url` none can be made here."""

    title: str
    lines: Sequence[RequestLine]
    new_url: str = ""
    new_label: str = ""


Source = Callable[[Request], Section]
_sources: dict[str, tuple[int, Source]] = {}


def request_section(name: str, *, rank: int) -> Callable[[Source], Source]:
    """Register the section of one kind of request; the lowest `rank` is shown first."""

    def register(source: Source) -> Source:
        _sources[name] = (rank, source)
        return source

    return register


def own_sections(request: Request) -> list[Section]:
    """Return the sections of this person that hold a request, or where one can be made."""
    ordered = sorted(_sources.values(), key=lambda one: one[0])
    sections = [source(request) for _rank, source in ordered]
    return [section for section in sections if section.lines or section.new_url]


@request_section("remarks", rank=90)
def remarks(request: Request) -> Section:
    """Return the remarks this person left on services on trial."""
    known = catalogue.catalogue().use_cases
    lines = [
        RequestLine(
            Truncator(one.text).words(WORDS),
            reverse("portal:service", args=[one.use_case]),
            one.created_at,
            _("Enregistrée"),
            "done",
            known[one.use_case].title if one.use_case in known else one.use_case,
        )
        for one in catalogue.own_remarks(request.viewer)
    ]
    return Section(_("Mes remarques sur des services à l’essai"), lines)


@open_to(SIGNED_IN)
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """Show everything this person has asked of the town, the newest first in each section."""
    return render(request, "portal/own_requests.html", {"sections": own_sections(cast(Request, request))})


urlpatterns = [path("mes-demandes/", requests, name="own-requests")]
