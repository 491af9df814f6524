"""`/agent/interventions/`: work orders by day and crew, from their order to their cost; made to be used on a phone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.places import PlaceForm
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Upload
from beffroi.serve.reports import orders, queries
from beffroi.serve.reports.intake import Submission
from beffroi.serve.reports.orders import OrderInfo

AHEAD_DAYS = 14
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
STATES = {"planned": gettext_lazy("Prévue"), "done": gettext_lazy("Faite"), "cancelled": gettext_lazy("Annulée")}
STATE_KINDS = {"planned": "wait", "done": "good", "cancelled": "done"}


class PlanForm(forms.Form):
    """Who goes, and when."""

    crew = forms.CharField(label=gettext_lazy("Équipe"), required=False, max_length=80)
    planned_on = forms.DateField(label=gettext_lazy("Jour prévu"), required=False, widget=_DAY)


class OrderForm(PlanForm):
    """What is to be done."""

    title = forms.CharField(label=gettext_lazy("Travail à faire"), max_length=200)
    instructions = forms.CharField(
        label=gettext_lazy("Consignes"), required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=4000
    )
    field_order = ["title", "instructions", "crew", "planned_on"]


class DirectForm(PlaceForm, OrderForm):
    """Work that nobody reported: where, and of what category."""

    zone = None
    category = forms.ChoiceField(label=gettext_lazy("Catégorie"))
    address = forms.CharField(label=gettext_lazy("Adresse ou repère"), required=False, max_length=300)

    def __init__(self, *args: Any, viewer: Viewer, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = case_queries.services_of(viewer, territory)
        known = [one.category for one in queries.categories_for(viewer, territory) if one.category.service in mine]
        cast(forms.ChoiceField, self.fields["category"]).choices = [(one.code, _(one.label)) for one in known]


class FinishForm(forms.Form):
    """What was done, in how much time, at what cost."""

    text = forms.CharField(
        label=gettext_lazy("Ce qui a été fait, lu par les habitants"), widget=forms.Textarea(attrs={"rows": 3})
    )
    hours = forms.DecimalField(
        label=gettext_lazy("Temps passé, en heures"),
        help_text=gettext_lazy("Toutes personnes comprises : deux agents pendant une heure font 2."),
        min_value=0,
        max_value=1000,
        decimal_places=2,
        localize=True,
    )
    cost = forms.DecimalField(
        label=gettext_lazy("Fournitures et location, en euros"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        localize=True,
    )
    photo = forms.FileField(
        label=gettext_lazy("Photo après intervention"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    close = forms.BooleanField(label=gettext_lazy("Clore le signalement"), required=False, initial=True)
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    done_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)


class CancelForm(forms.Form):
    """Why it is given up."""

    reason = forms.CharField(label=gettext_lazy("Motif"), max_length=1000)


@dataclass(frozen=True, slots=True)
class Line:
    """One order, as it is read."""

    order: OrderInfo
    state: str
    kind: str
    late: bool


def _line(order: OrderInfo, today: date) -> Line:
    return Line(order, str(STATES[order.state]), STATE_KINDS[order.state], order.is_late(today))


@work_source("orders")
def orders_that_wait(request: Request) -> list[WorkCard]:
    """Return the work orders of the reader's services that are late or for today."""
    today = timezone.localdate()
    planned = orders.work_orders(request.viewer, code_of(request), state="planned", last=today)
    late = sum(one.is_late(today) for one in planned)
    address = reverse("backoffice:orders")
    return [
        WorkCard(_("Interventions en retard"), late, address, Urgency.LATE),
        WorkCard(_("Interventions du jour"), len(planned) - late, address, Urgency.TODAY),
    ]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def work_orders(request: HttpRequest) -> HttpResponse:
    """Show the orders to come by day, late ones first, then those without a day and those just done."""
    request = cast(Request, request)
    viewer, territory, today = request.viewer, code_of(request), timezone.localdate()
    crew = request.GET.get("equipe", "")
    planned = orders.work_orders(viewer, territory, state="planned", crew=crew)
    done = orders.work_orders(viewer, territory, state="done", crew=crew, first=today - timedelta(days=AHEAD_DAYS))
    days: dict[date | None, list[Line]] = {}
    for one in planned:
        days.setdefault(one.planned_on, []).append(_line(one, today))
    names = service_names(territory)
    spent = orders.costs(viewer, territory, since=today.replace(day=1), until=today)
    context = {
        "days": list(days.items()),
        "done": [_line(one, today) for one in reversed(done)][:20],
        "crews": orders.crews(viewer, territory),
        "crew": crew,
        "today": today,
        "spent": [(names.get(name, name), count, minutes / 60, cents / 100) for name, count, minutes, cents in spent],
        "services": case_queries.services_of(viewer, territory),
    }
    return render(request, "backoffice/reports/orders.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_order(request: HttpRequest) -> HttpResponse:
    """Order work about a report (`?signalement=`), or about what nobody reported; the map gives `?lat=&lon=&objet=`."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    number = request.GET.get("signalement", "")
    info = queries.report(viewer, number) if number else None
    data = request.POST if request.method == "POST" else None
    form: OrderForm = (
        OrderForm(data, initial={"title": _(info.label)})
        if info
        else DirectForm(data, viewer=viewer, territory=territory, initial=_begun(request))
    )
    if form.is_valid():
        values = form.cleaned_data
        shared = {name: values[name] for name in ("title", "crew", "planned_on")} | {"by": viewer, "at": at}
        try:
            if info:
                order = orders.order_work(number=number, instructions=values["instructions"], **shared)
            else:
                _number, order = orders.order_directly(territory=territory, submission=_submission(values), **shared)
        except BeffroiError as fault:
            form.add_error(None, said(fault.what))
        else:
            messages.success(request, _("L’intervention est commandée."))
            return redirect("backoffice:order", order)
    context = {"form": form, "info": info, "placed": not info}
    return render(request, "backoffice/reports/order_new.html", context, status=400 if form.errors else 200)


def _begun(request: Request) -> dict[str, str]:
    """Return the place that the map gave: shown in the fields, judged when they are sent."""
    given = (("lat", "lat"), ("lon", "lon"), ("place_object", "objet"))
    return {field: request.GET[name][:200] for field, name in given if name in request.GET}


def _submission(values: dict[str, Any]) -> Submission:
    dataset, _slash, feature = values.get("place_object", "").partition("/")
    return Submission(
        category=values["category"],
        lon=values["lon"],
        lat=values["lat"],
        description=values["instructions"] or values["title"],
        address=values["address"],
        dataset=dataset if feature else "",
        feature=feature,
        idempotency_key=secrets.token_hex(16),
        source="agent",
    )


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def work_order(request: HttpRequest, order_id: int) -> HttpResponse:
    """Show one order; plan it, finish it or give it up."""
    request = cast(Request, request)
    order = orders.work_order(request.viewer, order_id)
    action = request.POST.get("action", "")
    kinds: dict[str, tuple[type[forms.Form], dict[str, Any]]] = {
        "plan": (PlanForm, {"crew": order.crew, "planned_on": order.planned_on}),
        "finish": (FinishForm, {"close": True, "key": secrets.token_hex(16)}),
        "cancel": (CancelForm, {}),
    }
    shown = {
        name: kind(
            request.POST if action == name else None,
            request.FILES if action == name else None,
            initial=initial,
            auto_id=f"{name}_%s",
        )
        for name, (kind, initial) in kinds.items()
    }
    form = shown.get(action)
    if form is not None and form.is_valid():
        try:
            _act(action, order_id, form.cleaned_data, request.viewer)
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}")
        else:
            messages.success(request, _("C’est noté."))
            return redirect("backoffice:order", order_id)
    context = {
        "line": _line(order, timezone.localdate()),
        "order": order,
        "service": service_names(order.territory).get(order.service, order.service),
        "hours": None if order.minutes is None else order.minutes / 60,
        "cost": None if order.cost_cents is None else order.cost_cents / 100,
        **{f"{name}_form": one for name, one in shown.items()},
    }
    return render(request, "backoffice/reports/order.html", context, status=400 if form and form.errors else 200)


def _act(action: str, order_id: int, values: dict[str, Any], by: Viewer) -> None:
    at = timezone.now()
    if action == "plan":
        orders.plan_work(order_id=order_id, crew=values["crew"], planned_on=values["planned_on"], by=by, at=at)
    elif action == "cancel":
        orders.cancel_work(order_id=order_id, reason=values["reason"], by=by, at=at)
    else:
        finish(order_id, values, by)


def finish(order_id: int, values: dict[str, Any], by: Viewer) -> OrderInfo:
    """Finish an order with the values of a valid `FinishForm`; return it as it then is."""
    photo = values["photo"]
    return orders.finish_work(
        order_id=order_id,
        minutes=round(values["hours"] * 60),
        cost_cents=round((values["cost"] or 0) * 100),
        text=values["text"],
        photos=[Upload(photo.name, photo.read())] if photo else [],
        close=values["close"],
        idempotency_key=values["key"],
        done_at=values["done_at"],
        by=by,
        at=timezone.now(),
    )
