"""The home page and the search."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from beffroi.faces.portal.directory import open_services, shown_themes, town_datasets
from beffroi.faces.portal.finding import found_datasets, found_services
from beffroi.faces.shell.access import EVERYONE, Request, open_to

SHOWN_SERVICES = 6
SHOWN_DATASETS = 6


@open_to(EVERYONE)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what one may do here and what the town knows, search first."""
    request = cast(Request, request)
    known = town_datasets(request)
    services = open_services(request)
    context = {
        "services": services[:SHOWN_SERVICES],
        "services_count": len(services),
        "themes": shown_themes(known),
        "datasets": sorted(known, key=lambda one: one.updated_at, reverse=True)[:SHOWN_DATASETS],
        "datasets_count": len(known),
        "rows_count": sum(one.rows for one in known),
    }
    return render(request, "portal/home.html", context)


@open_to(EVERYONE)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Look for `q` in services, then in datasets; accents and small words do not count."""
    request = cast(Request, request)
    text = request.GET.get("q", "").strip()[:200]
    services = found_services(open_services(request), text) if text else []
    datasets = found_datasets(town_datasets(request), text) if text else []
    context = {"q": text, "services": services, "datasets": datasets, "count": len(services) + len(datasets)}
    return render(request, "portal/search.html", context)
