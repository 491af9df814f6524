"""A list of what services prepare on the streets: one page for rounds, for works and whatever comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.shell.access import Request
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.rounds.queries import services_of


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of the list: where it is told, what is said under its title, and its state (words, kind of badge)."""

    title: str
    url: str
    meta: str
    state: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The words of a list: what it holds, how one adds to it, what is said when it is empty or not ready."""

    title: Any
    lead: Any
    icon: str
    new_url: str
    new_label: Any
    not_ready: Any
    empty: Any
    empty_text: Any


def listing_page(request: Request, page: Listing, lines: Sequence[Line]) -> HttpResponse:
    """Show a list; who belongs to no service may read and not add."""
    territory = code_of(request)
    context = {
        "page": page,
        "lines": lines,
        "can_ask": bool(services_of(request.viewer, territory)),
        "ready": mobility.has_graph(territory),
    }
    return render(request, "backoffice/listing.html", context)
