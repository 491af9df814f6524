"""Unfit housing: figures by block for staff; orders, and the acts that publish them; what everybody may read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import shapely
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import PARIS, now
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.faces.portal.directory import count_opening, service_showing, territory_of, town_datasets
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.portal.unfit import words
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.lake.layer_settings import Unfit
from beffroi.sense.twin.unfit import operations, queries
from beffroi.sense.twin.unfit.queries import TownUnfit
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.filters import ReportFilter

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
MOST_BLOCKS = 40
_STEPS = (("fort", 5), ("moyen", 2), ("faible", 1))

OVERLAY = Overlay(
    slug="habitat-indigne-ilots",
    title=gettext_noop("Habitat indigne par îlot"),
    address="portal:unfit-geojson",
    list_address="portal:unfit",
    marks=(
        Mark("fort", gettext_noop("Dossiers, visites et arrêtés : 5 ou plus"), "#743081"),
        Mark("moyen", gettext_noop("De 2 à 4"), "#b03a48"),
        Mark("faible", gettext_noop("Un seul"), "#c26a00"),
    ),
    property="poids",
    theme="habitat",
    roles=frozenset(STAFF),
)


class OrderForm(forms.Form):
    """What publishing an order asks: the reason, and that its notice was checked."""

    numero = forms.CharField(widget=forms.HiddenInput, max_length=200)
    reason = forms.CharField(label=gettext_lazy("Pourquoi le publier ?"), max_length=1000)
    checked = forms.BooleanField(
        label=gettext_lazy("J’ai vérifié que l’arrêté a été notifié et qu’il est toujours en vigueur")
    )


class ReasonForm(forms.Form):
    """Why something is published or undone."""

    reason = forms.CharField(label=gettext_lazy("Pourquoi ?"), max_length=1000)


def _town(request: Request, wanted: Unfit) -> TownUnfit | None:
    """Return the town by block; residents' reports are counted with their service's eyes, then told as the rest."""
    code = territory_of(request)
    eyes = Viewer(None, (Grant(code, Role.AGENT, frozenset({wanted.service})),))
    kept = ReportFilter(categories=(wanted.category,))
    at = [(one.lon, one.lat) for one in reports.map_points(eyes, code, kept, at=now(), limit=5_000)]
    return queries.town_unfit(request.viewer, code, wanted, reported=at)


@open_to(*STAFF)
@require_safe
def unfit(request: HttpRequest) -> HttpResponse:
    """Show figures by block; to the housing service its orders, and every act of publication."""
    request = cast(Request, request)
    service, wanted = service_showing(request, "unfit", Unfit)
    code, today = territory_of(request), now().astimezone(PARIS).date()
    town = _town(request, wanted)
    count_opening(request, service)
    context: dict[str, Any] = {"service": service.use_case, "town": town, "wanted": wanted, "form": ReasonForm()}
    if town is not None:
        shown = town.blocks[:MOST_BLOCKS]
        context |= {
            "grid": words.blocks_grid(_("Les îlots, les plus touchés d’abord"), shown, wanted.least),
            "more": len(town.blocks) - len(shown),
            "map": overlay_map(request.viewer, request.commune, town_datasets(request), replace(OVERLAY, shown=True)),
            "marks": OVERLAY.marks,
        }
        if town.whole:
            context["orders"] = [words.order_line(one, today) for one in queries.orders(request.viewer, code, wanted)]
        if town.whole or request.viewer.has(Role.ADMINISTRATOR, code):
            context["acts"] = words.act_lines(queries.publications(request.viewer, code, wanted), code)
    return private(render(request, "portal/unfit/town.html", context))


@open_to(*STAFF)
@require_safe
def unfit_geojson(request: HttpRequest) -> JsonResponse:
    """Give the blocks that are listed, for the map: the same numbers as the list, no others."""
    request = cast(Request, request)
    _service, wanted = service_showing(request, "unfit", Unfit)
    town, features = _town(request, wanted), []
    for one in town.blocks if town else ():
        step = next((name for name, least in _STEPS if one.weight >= least), "")
        if not step:
            continue
        told = {"title": words.block_name(one.block.number, one.block.streets), "url": reverse("portal:unfit"),
                "poids": step}  # fmt: skip
        shape = json.loads(shapely.to_geojson(shapely.set_precision(one.block.shape, 1e-6)))
        features.append({"type": "Feature", "geometry": shape, "properties": told})
    return private(JsonResponse({"type": "FeatureCollection", "features": features}))


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def unfit_publish(request: HttpRequest) -> HttpResponse:
    """Publish an order (`numero`), or the figures by block without one."""
    request = cast(Request, request)
    _service, wanted = service_showing(request, "unfit", Unfit)
    code, at = territory_of(request), now()
    if "numero" not in request.POST:
        operations.publish_blocks(request.viewer, code, wanted, reason=request.POST.get("reason", ""), at=at)
        messages.success(request, _("Les indicateurs par îlot sont publiés, les petits nombres tus."))
        return redirect("portal:unfit")
    form = OrderForm(request.POST)
    if not form.is_valid():
        return private(_asked(request, request.POST["numero"], wanted, form))
    told = form.cleaned_data
    operations.publish_order(request.viewer, code, wanted, told["numero"], reason=told["reason"], at=at)
    messages.success(request, _("L’arrêté est publié, sans nom ni numéro de logement. Vous pouvez le retirer."))
    return redirect("portal:unfit")


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def unfit_order(request: HttpRequest, order: str) -> HttpResponse:
    """Show an order, what would be published of it, and the form that publishes it."""
    request = cast(Request, request)
    _service, wanted = service_showing(request, "unfit", Unfit)
    return private(_asked(request, order, wanted, None))


def _asked(request: Request, order: str, wanted: Unfit, form: OrderForm | None) -> HttpResponse:
    code, today = territory_of(request), now().astimezone(PARIS).date()
    found = next((one for one in queries.orders(request.viewer, code, wanted) if one.number == order), None)
    if found is None:
        raise queries.OrderNotFound("aucun arrêté de ce numéro", where=order[:40], remedy="revenez à la liste")
    context = {
        "one": words.order_line(found, today),
        "public": queries.public_address(found.address),
        "form": form or OrderForm(initial={"numero": found.number}),
    }
    return render(request, "portal/unfit/order.html", context, status=400 if form is not None else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def unfit_withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Undo a publication."""
    request = cast(Request, request)
    _service, wanted = service_showing(request, "unfit", Unfit)
    reason = request.POST.get("reason", "")
    operations.withdraw(request.viewer, territory_of(request), wanted, number, reason=reason, at=now())
    messages.success(request, _("C’est retiré : le public ne le lit plus. L’acte reste au journal."))
    return redirect("portal:unfit")


@open_to(EVERYONE)
@require_safe
def unfit_published(request: HttpRequest) -> HttpResponse:
    """Show everybody what the town chose to publish: orders in force, and figures by block."""
    request = cast(Request, request)
    service, wanted = service_showing(request, "unfit", Unfit)
    found = queries.published(territory_of(request), wanted, today=now().astimezone(PARIS).date())
    blocks = next((one for one in found if one.kind == queries.BLOCKS), None)
    context = {
        "service": service.use_case,
        "orders": [words.published_line(one) for one in found if one.kind == queries.ORDER],
        "blocks": blocks,
        "grid": words.published_grid(_("Indicateurs par îlot"), blocks.values) if blocks else None,
        "least": wanted.least,
    }
    return render(request, "portal/unfit/published.html", context)


urlpatterns: list[URLPattern] = [
    path("habitat-indigne/", unfit, name="unfit"),
    path("habitat-indigne/ilots.geojson", unfit_geojson, name="unfit-geojson"),
    path("habitat-indigne/publier/", unfit_publish, name="unfit-publish"),
    path("habitat-indigne/arretes/<str:order>/", unfit_order, name="unfit-order"),
    path("habitat-indigne/publications/<int:number>/retirer/", unfit_withdraw, name="unfit-withdraw"),
    path("habitat-indigne/publie/", unfit_published, name="unfit-published"),
]
