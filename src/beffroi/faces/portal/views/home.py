"""The home page, the search, and what is around."""

from __future__ import annotations

import json
from collections import Counter
from typing import cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directories.finding import found_directories
from beffroi.faces.portal.directory import open_services, shown_themes, territory_of, town_datasets
from beffroi.faces.portal.reports.listing import offer_reports
from beffroi.faces.portal.results import KINDS, ONE_OF, around_of, groups_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import AddressField
from beffroi.faces.shell.alerts import told as alert_told
from beffroi.sense.places import queries as places
from beffroi.sense.places.queries import Found
from beffroi.serve.alerts.queries import in_force
from beffroi.serve.offers.queries import found_offers, is_anywhere

SHOWN_SERVICES = 12
SHOWN_DATASETS = 6
SHOWN_ALERTS = 3
SHOWN_OF_EACH = 5
SHOWN_OF_ONE = 60


class AroundForm(forms.Form):
    """Where one is, or wants to be; sent in the address, kept nowhere but on the device."""

    ou = AddressField(label=gettext_lazy("Votre adresse"), help_text=gettext_lazy("Par exemple : 12 rue des Tanneurs."))


def _around_form(request: Request) -> AroundForm:
    form = AroundForm(request.GET if "ou" in request.GET else None)
    field = cast(AddressField, form.fields["ou"])
    field.citycode = territory_of(request)
    return form


def search_words() -> str:
    """Return what the search box says of each kind of suggestion, as JSON for its script."""
    return json.dumps({kind.value: _(title) for kind, title in ONE_OF.items()}, ensure_ascii=False)


@open_to(EVERYONE)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what one may do here and what the town knows, search first."""
    request = cast(Request, request)
    known = town_datasets(request)
    services = in_turn(open_services(request))
    may_report = offer_reports(services)
    context = {
        "kinds": search_words(),
        "around": _around_form(request),
        "may_report": may_report,
        "alerts": _alerts(request),
        "services": services[:SHOWN_SERVICES],
        "services_count": len(services),
        "service_themes": themes_of(services),
        "themes": shown_themes(known),
        "datasets": sorted(known, key=lambda one: one.updated_at, reverse=True)[:SHOWN_DATASETS],
        "datasets_count": len(known),
        "rows_count": sum(one.rows for one in known),
    }
    return render(request, "portal/home.html", context)


def _alerts(request: Request) -> list[dict[str, object]]:
    """Return the alerts that the home page shows; news of a project stay on their own page."""
    at = timezone.now()
    found = [one for one in in_force(territory_of(request), at=at) if not one.content.is_message]
    return [alert_told(one, at) for one in found[:SHOWN_ALERTS]]


def in_turn(services: list[UseCaseView]) -> list[UseCaseView]:
    """Return services so that the first of each theme come first: the start of the list shows what there is.

    What is said of the platform itself comes last.
    """
    seen: Counter[str] = Counter()
    ranks = {}
    for one in services:
        theme = next(iter(one.use_case.themes), "")
        ranks[one.use_case.id] = (not one.use_case.workshop, seen[theme])
        seen[theme] += 1
    return sorted(services, key=lambda one: ranks[one.use_case.id])


def themes_of(services: list[UseCaseView]) -> list[dict[str, object]]:
    """Return the twelve themes that residents browse by, and how many open services each has."""
    counts = Counter(slug for one in services for slug in one.use_case.themes)
    return [{"theme": theme, "count": counts[theme.slug]} for theme in catalogue.themes() if theme.workshop]


@open_to(EVERYONE)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Look for `q` everywhere, and show the answers by kind; `genre` keeps one kind."""
    request = cast(Request, request)
    text = request.GET.get("q", "").strip()[: places.MOST_LETTERS]
    kind = next((one for one in KINDS if one.value == request.GET.get("genre")), None)
    found = Found()
    if text:
        limit = SHOWN_OF_ONE if kind else SHOWN_OF_EACH
        # Every kind is counted, whichever is shown.
        found = places.search(request.viewer, territory_of(request), text, limit=limit)
    groups = groups_of(found)
    # They stand in no index: what was taken a moment ago is not found.
    given = found_offers(ANONYMOUS, territory_of(request), text, at=timezone.now()) if text and is_anywhere() else []
    held = found_directories(request, text) if text else []
    context = {
        "q": text,
        "directories": held,
        "offers": given[:SHOWN_OF_EACH],
        "kinds": search_words(),
        "instead": found.instead,
        "groups": [group for group in groups if kind in (None, group.kind)],
        "filters": groups,
        "chosen": kind,
        "count": found.total + len(given) + sum(one.count for one in held if not found.total),
    }
    return render(request, "portal/search.html", context)


@open_to(EVERYONE)
@require_safe
def around(request: HttpRequest) -> HttpResponse:
    """Tell what is near an address: the nearest thing of each sort, in a straight line."""
    request = cast(Request, request)
    form = _around_form(request)
    here, near = None, []
    if form.is_valid():
        here = form.cleaned_data["ou"]
        near = around_of(places.around(request.viewer, territory_of(request), here.lon, here.lat, limit=30))
    # An address that may be several is no mistake: the page asks which.
    return render(request, "portal/around.html", {"around": form, "here": here, "near": near})
