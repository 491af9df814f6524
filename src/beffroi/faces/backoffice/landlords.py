"""The landlords whose software exchanges its stock with the town: what each sent, its buildings, never a reading."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.sense.twin.stock import operations, queries
from beffroi.sense.twin.stock.tables import TABLES

PER_PAGE = 50


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def landlords(request: HttpRequest) -> HttpResponse:
    """List the landlords of the town, and say how another one begins."""
    request = cast(Request, request)
    found = queries.stocks(request.viewer, _code(request))
    administers = request.viewer.has(Role.ADMINISTRATOR, _code(request))
    context = {"stocks": found, "administers": administers, "tables": TABLES.values()}
    return render(request, "backoffice/landlords.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def landlord(request: HttpRequest, siren: str) -> HttpResponse:
    """List the buildings of a landlord."""
    request = cast(Request, request)
    info = next((one for one in queries.stocks(request.viewer, _code(request)) if one.owner == siren), None)
    if info is None:
        raise Http404
    pages = Paginator(queries.buildings(request.viewer, _code(request), siren), PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "stock": info,
        "page": page,
        "first": page.start_index(),
        "last": page.end_index(),
        "previous": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "next": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "backoffice/landlord.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def forget(request: HttpRequest, siren: str) -> HttpResponse:
    """Erase what a landlord has sent; its key still works, and its software may send again."""
    request = cast(Request, request)
    count = operations.forget_stock(request.viewer, _code(request), siren, at=timezone.now())
    messages.success(request, _("%(count)s lignes sont effacées.") % {"count": count})
    return redirect("backoffice:landlords")


def _code(request: Request) -> str:
    return request.commune.code if request.commune else ""


urlpatterns: list[URLPattern | URLResolver] = [
    path("bailleurs/", landlords, name="landlords"),
    path("bailleurs/<str:siren>/", landlord, name="landlord"),
    path("bailleurs/<str:siren>/effacer/", forget, name="landlord-forget"),
]
