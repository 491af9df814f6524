"""`/agent/signalements/`: the reports of one's services, the most pressing first, and what is done to many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.faces.backoffice.reports.criteria import QueueForm, as_query, without
from beffroi.faces.backoffice.reports.export import queue_sheet
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.paging import rows_asked
from beffroi.faces.shell.requests import age, service_names, state_kind, state_of
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports import desk, operations, queries
from beffroi.serve.reports.queries import ReportFilter, ReportInfo

OVERLAY = Overlay(
    slug="file",
    title=gettext_noop("Signalements de mes services"),
    address="backoffice:reports-geojson",
    list_address="backoffice:reports",
    property="etat",
    marks=(
        Mark("retard", gettext_noop("En retard"), "#b3261e"),
        Mark("recu", gettext_noop("À prendre en charge"), "#8a5a00"),
        Mark("", gettext_noop("En cours"), "#1f4e79"),
    ),
    roles=frozenset({Role.AGENT}),
    by_box=True,
)


def code_of(request: Request) -> str:
    """Return the code of the town of the page."""
    return request.commune.code if request.commune else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue, as it is read."""

    info: ReportInfo
    state: str
    kind: str
    age: str
    late: bool
    service: str


def row_of(info: ReportInfo, names: dict[str, str], at: datetime) -> Row:
    """Return a report as a line of a list."""
    case = info.case
    return Row(
        info,
        state_of(case),
        state_kind(case),
        age(case.opened_at, at),
        case.is_late(at),
        names.get(case.service, case.service),
    )


@work_source("reports")
def reports_that_wait(request: Request) -> list[WorkCard]:
    """Return what waits in the queues of the reader's services."""
    counts = case_queries.queue_counts(request.viewer, code_of(request), at=timezone.now(), kinds=("report",))
    address = reverse("backoffice:reports")
    totals = {name: sum(getattr(one, name) for one in counts) for name in ("late", "held", "unassigned", "open")}
    return [
        WorkCard(_("Signalements en retard"), totals["late"], f"{address}?retard=on", Urgency.LATE),
        WorkCard(_("Signalements à vérifier"), totals["held"], f"{address}?etat=held", Urgency.TODAY),
        WorkCard(_("Signalements que personne ne suit"), totals["unassigned"], f"{address}?qui=personne", Urgency.SOON),
        WorkCard(
            _("Signalements en cours, au moins") if any(one.is_cut for one in counts) else _("Signalements en cours"),
            totals["open"],
            address,
            Urgency.INFO,
        ),
    ]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """Show the queue of the reader's services."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    form = QueueForm(request.GET, viewer=viewer, territory=territory, at=at)
    address = reverse("backoffice:reports")
    wanted = form.criteria(at) if form.is_valid() else ReportFilter()
    number = whole_number(request.GET.get("page", "1"), digits=6) or 1
    found = queries.queue(viewer, territory, wanted, at=at, page=number, size=rows_asked(request.GET))
    names = service_names(territory)
    if "csv" in request.GET:
        return queue_sheet(viewer, territory, wanted, names=names, at=at)
    counts = case_queries.queue_counts(viewer, territory, at=at, kinds=("report",))
    context = {
        "form": form,
        "active": form.in_force(address) if form.is_valid() else [],
        "clear": address,
        "rows": [row_of(info, names, at) for info in found.items],
        "me": viewer.person_id,
        "found": found,
        "first": (found.page - 1) * found.size + 1,
        "last": (found.page - 1) * found.size + len(found.items),
        "counts": [(names.get(one.service, one.service), one) for one in counts],
        "filters": [
            (name, f"{address}?{_encoded(as_query(kept, viewer, at=at))}")
            for name, kept in desk.saved_filters(viewer, territory)
        ],
        "query": request.GET.urlencode(),
        "file": f"{without(request.GET, 'page')}&csv",
        "bulk_actions": [
            (name, _(one.label), "primary" if name == "accept" else "secondary") for name, one in BULK.items()
        ],
    }
    return render(request, "backoffice/reports/queue.html", context)


def _encoded(fields: Any) -> str:
    data = QueryDict(mutable=True)
    data.update(fields)
    return data.urlencode()


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def next_report(request: HttpRequest) -> HttpResponse:
    """Go to the report that follows `apres` in the queue as filtered, or back to the queue after the last."""
    request = cast(Request, request)
    at, territory = timezone.now(), code_of(request)
    form = QueueForm(request.GET, viewer=request.viewer, territory=territory, at=at)
    wanted = form.criteria(at) if form.is_valid() else ReportFilter()
    number = queries.following(request.viewer, territory, wanted, after=request.GET.get("apres", ""), at=at)
    query = without(request.GET, "apres", "page")
    if number is None:
        messages.info(request, _("C’était le dernier de la file."))
        return redirect(reverse("backoffice:reports") + query)
    return redirect(reverse("backoffice:report", args=[number]) + query)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def reports_geojson(request: HttpRequest) -> HttpResponse:
    """Give the open reports of the reader's services in a box of the map, restricted ones included."""
    request = cast(Request, request)
    territory, at = code_of(request), timezone.now()
    services = tuple(sorted(case_queries.services_of(request.viewer, territory)))
    wanted = ReportFilter(statuses=("open",), services=services, bbox=_box(request.GET.get("bbox", "")))
    found = queries.queue(request.viewer, territory, wanted, at=at, size=1000).items if services else ()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
            "properties": {
                "title": f"{_(one.label)} – {one.number}",
                "url": reverse("backoffice:report", args=[one.number]),
                "etat": "retard" if one.case.is_late(at) else "recu" if one.case.status == "received" else "cours",
            },
        }
        for one in found
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features}, content_type="application/geo+json")


def _box(text: str) -> BBox | None:
    parts = text.split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        return None
    return BBox(west, south, east, north) if -180 <= west <= east <= 180 and -90 <= south <= north <= 90 else None


# --- Many at once -----------------------------------------------------------------------------------------------------


class NoForm(forms.Form):
    """Nothing more is asked."""


class BulkForm(forms.Form):
    """What an act on several reports asks; it is given what there is to choose from."""

    def __init__(self, *args: Any, services: list[tuple[str, str]], categories: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        offered = {"outcome": outcome_choices(), "service": services, "category": categories}
        for name, choices in offered.items():
            if name in self.fields:
                cast(forms.ChoiceField, self.fields[name]).choices = choices


class BulkCloseForm(BulkForm):
    """How several reports ended."""

    outcome = forms.ChoiceField(label=gettext_lazy("Issue"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Motif, lu par les habitants"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )


class BulkReclassifyForm(BulkForm):
    """What several reports are about."""

    category = forms.ChoiceField(label=gettext_lazy("Catégorie"))


class BulkRouteForm(BulkForm):
    """Where several reports go."""

    service = forms.ChoiceField(label=gettext_lazy("Service"))
    reason = forms.CharField(label=gettext_lazy("Motif"), required=False, max_length=300)


class BulkPlanForm(BulkForm):
    """When several reports are seen to."""

    day = forms.DateField(label=gettext_lazy("Jour"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def outcome_choices() -> list[tuple[str, str]]:
    """Return the ways an agent may end a report."""
    return [
        (Outcome.DONE.value, _("Réglé")),
        (Outcome.ELSEWHERE.value, _("Transmis à un autre organisme")),
        (Outcome.REFUSED.value, _("Sans suite, avec le motif")),
        (Outcome.ABUSE.value, _("Écarté : abus ou envoi sans rapport")),
    ]


@dataclass(frozen=True, slots=True)
class Bulk:
    """What is done to each report ticked; `form` asks for what it needs, None when it needs nothing."""

    label: str
    run: Callable[[str, dict[str, Any], Viewer, datetime], object]
    form: type[BulkForm] | None = None


BULK = {
    "accept": Bulk(
        gettext_noop("Prendre en charge"), lambda number, _v, by, at: cases.accept_case(number=number, by=by, at=at)
    ),
    "mine": Bulk(
        gettext_noop("Je les suis"), lambda number, _v, by, at: cases.assign_case(number=number, to=by, by=by, at=at)
    ),
    "plan": Bulk(
        gettext_noop("Prévoir un jour"),
        lambda number, values, by, at: cases.schedule_case(number=number, day=values["day"], by=by, at=at),
        BulkPlanForm,
    ),
    "route": Bulk(
        gettext_noop("Transmettre à un service"),
        lambda number, values, by, at: operations.route_report(
            number=number, service=values["service"], reason=values["reason"], by=by, at=at
        ),
        BulkRouteForm,
    ),
    "reclassify": Bulk(
        gettext_noop("Changer de catégorie"),
        lambda number, values, by, at: operations.reclassify_report(
            number=number, category=values["category"], by=by, at=at
        ),
        BulkReclassifyForm,
    ),
    "close": Bulk(
        gettext_noop("Clore"),
        lambda number, values, by, at: operations.close_report(
            number=number, outcome=Outcome(values["outcome"]), reason=values["reason"], by=by, at=at
        ),
        BulkCloseForm,
    ),
}


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def reports_at_once(request: HttpRequest) -> HttpResponse:
    """Do one thing to every report ticked, after asking for what it needs; tell line by line what could not be done."""
    request = cast(Request, request)
    back = reverse("backoffice:reports") + (f"?{query}" if (query := request.POST.get("query", "")) else "")
    chosen = BULK.get(request.POST.get("action", ""))
    numbers = [number for number in request.POST.getlist("number") if number]
    if chosen is None or not numbers:
        messages.warning(request, _("Rien n’est fait : cochez au moins un signalement."))
        return redirect(back)
    values: dict[str, Any] = {}
    if chosen.form is not None:
        territory = code_of(request)
        known = [one.category for one in queries.categories_for(request.viewer, territory)]
        form = chosen.form(
            request.POST if "confirmed" in request.POST else None,
            services=list(service_names(territory).items()),
            categories=[(one.code, _(one.label)) for one in known],
        )
        if not form.is_valid():
            context = {
                "form": form,
                "label": _(chosen.label),
                "numbers": numbers,
                "action": request.POST["action"],
                "query": request.POST.get("query", ""),
                "back": back,
            }
            status = 400 if form.is_bound else 200
            return render(request, "backoffice/reports/at_once.html", context, status=status)
        values = form.cleaned_data
    at = timezone.now()
    lines = operations.for_each(numbers, lambda number: chosen.run(number, values, request.viewer, at))
    _tell(request, lines)
    return redirect(back)


def _tell(request: HttpRequest, lines: list[operations.BulkLine]) -> None:
    done = sum(not one.problem for one in lines)
    if done:
        words = ngettext("{n} signalement traité.", "{n} signalements traités.", done)
        messages.success(request, words.format(n=done))
    for one in [one for one in lines if one.problem][:10]:
        messages.error(request, f"{one.number} : {one.problem}")


# --- Filters kept -----------------------------------------------------------------------------------------------------


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def keep_filter(request: HttpRequest) -> HttpResponse:
    """Keep the filters in force under a name, or forget those of a name."""
    request = cast(Request, request)
    territory, at = code_of(request), timezone.now()
    query = QueryDict(request.POST.get("query", ""))
    back = reverse("backoffice:reports") + (f"?{query.urlencode()}" if query else "")
    if "forget" in request.POST:
        desk.delete_filter(territory=territory, name=request.POST["forget"], by=request.viewer)
        messages.success(request, _("Le filtre est oublié."))
        return redirect(back)
    form = QueueForm(query, viewer=request.viewer, territory=territory, at=at)
    wanted = form.criteria(at) if form.is_valid() else ReportFilter()
    try:
        desk.save_filter(territory=territory, name=request.POST.get("name", ""), wanted=wanted, by=request.viewer)
    except BeffroiError as fault:
        messages.error(request, said(fault))
    else:
        messages.success(request, _("Le filtre est gardé ; retrouvez-le en haut de la file."))
    return redirect(back)
