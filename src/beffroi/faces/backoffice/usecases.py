"""The life of use cases: what is open, how much it serves, what its pilots hear; switch, undo, retire with export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.catalogue import operations, queries
from beffroi.base.catalogue.definition import AUDIENCE_TITLES, OPEN_STATES, STATE_TITLES, Audience, State
from beffroi.base.catalogue.engine import engine
from beffroi.base.catalogue.exporting import exported
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.time import PARIS, now
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.lacking import lacking_data
from beffroi.faces.shell.sentences import said

RECENT_DAYS = 30
OWN_ID = "G-03"
CURVE_WIDTH, CURVE_HEIGHT = 720, 160

WAITING = "brancher"
TABS: dict[str, tuple[str, frozenset[State]]] = {
    "ouverts": (gettext_noop("En pilote et en service"), OPEN_STATES),
    WAITING: (gettext_noop("À brancher"), OPEN_STATES),
    "preparation": (gettext_noop("En préparation"), frozenset({State.DRAFT})),
    "retires": (gettext_noop("Retirés"), frozenset({State.RETIRED})),
    "tous": (gettext_noop("Tous"), frozenset(State)),
}
BADGES = {State.LIVE: "success", State.PILOT: "info", State.DRAFT: "", State.RETIRED: "warning"}
ACTIONS: dict[State, str] = {
    State.DRAFT: gettext_noop("Remettre en préparation : les habitants ne le voient plus"),
    State.PILOT: gettext_noop("Mettre en pilote : ouvert à l’essai, il recueille des remarques"),
    State.LIVE: gettext_noop("Mettre en service : ouvert à tous"),
    State.RETIRED: gettext_noop("Retirer : fermé à tous, rien n’est perdu"),
}


class NoTown(NotFound):
    """The back office is opened on an installation without a commune."""


class StateForm(forms.Form):
    """A change of state and its reason."""

    state = forms.ChoiceField(label=gettext_lazy("Nouvel état"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Motif"),
        required=False,
        max_length=operations.MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Obligatoire pour revenir en arrière ou retirer. La page d’un service retiré le montre à tous."
        ),
    )

    def __init__(self, *args: Any, present: State, **options: Any) -> None:
        super().__init__(*args, **options)
        reachable = operations.transitions(present)
        cast(forms.ChoiceField, self.fields["state"]).choices = [(to.value, _(ACTIONS[to])) for to, _needs in reachable]


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the usage curve, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A usage curve: bars to draw, and the sentence that says the same."""

    bars: tuple[Bar, ...]
    top: int
    total: int
    first: date
    last: date
    width: int = CURVE_WIDTH
    height: int = CURVE_HEIGHT


def _town(request: Request) -> str:
    if request.commune is None:
        raise NoTown("aucune commune n’est installée", remedy="lancez : beffroi territory add CODE_INSEE --name « … »")
    return request.commune.code


def _today(at: datetime) -> date:
    return at.astimezone(PARIS).date()


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def use_cases(request: HttpRequest) -> HttpResponse:
    """List the use cases of the town by state, with how much they served and how many remarks they drew."""
    request = cast(Request, request)
    town, at = _town(request), now()
    operations.count_use(OWN_ID, town, at, audience=queries.audience_of(request.viewer, town))
    chosen = request.GET.get("etat", "ouverts")
    chosen = chosen if chosen in TABS else "ouverts"
    everything = queries.use_cases(territory=town)
    uses = queries.usage_totals(town, since=_today(at) - timedelta(days=RECENT_DAYS - 1))
    remarks = queries.remark_counts(town)
    waiting = {view.use_case.id for view in everything if view.is_open and queries.lacking(view.use_case, town)}
    rows = [
        {
            "view": view,
            "state": _(STATE_TITLES[view.state]),
            "badge": BADGES[view.state],
            "uses": uses.get(view.use_case.id, 0),
            "remarks": remarks.get(view.use_case.id, 0),
            "unused": view.state is State.LIVE and not uses.get(view.use_case.id),
            "waiting": view.use_case.id in waiting,
        }
        for view in everything
        if view.state in TABS[chosen][1] and (chosen != WAITING or view.use_case.id in waiting)
    ]
    tabs = [
        {
            "title": f"{_(title)} ({len(waiting) if name == WAITING else sum(v.state in states for v in everything)})",
            "url": f"?etat={name}",
            "current": name == chosen,
        }
        for name, (title, states) in TABS.items()
    ]
    context = {"rows": rows, "tabs": tabs, "days": RECENT_DAYS, "problems": queries.problems()}
    return render(request, "backoffice/usecases/list.html", context)


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def use_case(request: HttpRequest, use_case_id: str) -> HttpResponse:
    """Show the life of one use case."""
    return _page(cast(Request, request), use_case_id, form=None)


@open_to(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def change_state(request: HttpRequest, use_case_id: str) -> HttpResponse:
    """Take the use case to another state; what is missing is told beside the form, which keeps what was typed."""
    request = cast(Request, request)
    if request.method != "POST":
        return redirect("backoffice:usecase", use_case_id=use_case_id)
    town = _town(request)
    form = StateForm(request.POST, present=queries.use_case(use_case_id, territory=town).state)
    if form.is_valid():
        try:
            operations.set_state(
                use_case_id,
                State(form.cleaned_data["state"]),
                territory=town,
                by=request.viewer,
                at=now(),
                reason=form.cleaned_data["reason"],
            )
        except operations.StateRefused as error:
            form.add_error("reason", f"{said(error.what)} ; {said(error.remedy)}")
        else:
            messages.success(request, _("C’est fait. Vous pouvez annuler cette décision ci-dessous."))
            return redirect("backoffice:usecase", use_case_id=use_case_id)
    return _page(request, use_case_id, form=form, status=422)


@open_to(Role.ADMINISTRATOR)
@require_POST
def undo(request: HttpRequest, use_case_id: str, number: int) -> HttpResponse:
    """Take back the last decision."""
    request = cast(Request, request)
    try:
        operations.undo_state(use_case_id, number=number, territory=_town(request), by=request.viewer, at=now())
    except operations.StateRefused as error:
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}")
    else:
        messages.success(request, _("La décision est annulée."))
    return redirect("backoffice:usecase", use_case_id=use_case_id)


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def export(request: HttpRequest, use_case_id: str) -> HttpResponse:
    """Give all that is held about the use case, as a ZIP without names."""
    request = cast(Request, request)
    town, at = _town(request), now()
    operations.flush_usage()
    body = exported(request.viewer, use_case_id, town, at=at)
    name = f"usage-{use_case_id}-{town}-{_today(at):%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="application/zip", headers=headers)


def _page(request: Request, use_case_id: str, *, form: StateForm | None, status: int = 200) -> HttpResponse:
    town, at = _town(request), now()
    view = queries.use_case(use_case_id, territory=town)
    one = view.use_case
    days = int(getattr(one.settings.get("lifecycle"), "usage_days", 90))
    last = _today(at)
    usage = queries.usage(use_case_id, territory=town, first=last - timedelta(days=days - 1), last=last)
    decisions = queries.decisions(use_case_id, town)
    known = engine(one.engine)
    installed = known is not None and known.registered and not one.unset
    administers = request.viewer.has(Role.ADMINISTRATOR, town)
    may_change = administers and installed
    context = {
        "view": view,
        "one": one,
        "state": _(STATE_TITLES[view.state]),
        "lacking": lacking_data(queries.lacking(one, town), town) if view.is_open else (),
        "insee": town,
        "badge": BADGES[view.state],
        "audience": ", ".join(_(AUDIENCE_TITLES[item]) for item in one.audience),
        "engine": _(known.title) if known else one.engine,
        "installed": installed,
        "administers": administers,
        "form": (form or StateForm(present=view.state)) if may_change else None,
        "decisions": [{"decision": item, "state": _(STATE_TITLES[item.state])} for item in decisions],
        "undoable": decisions[0] if decisions and may_change else None,
        "curve": _curve(usage),
        "usage_rows": [
            [formats.date_format(day.day, "SHORT_DATE_FORMAT"), *(day.by_audience.get(item, 0) for item in Audience)]
            for day in reversed(usage)
            if day.total
        ],
        "usage_columns": [_("Jour"), *(_(AUDIENCE_TITLES[item]) for item in Audience)],
        "remarks": queries.remarks(request.viewer, use_case_id, town),
        "days": days,
    }
    return render(request, "backoffice/usecases/detail.html", context, status=status)


def _curve(usage: list[queries.DayUsage]) -> Curve:
    top = max((day.total for day in usage), default=0)
    step = CURVE_WIDTH / len(usage)
    bars = []
    for position, day in enumerate(usage):
        height = day.total / top * CURVE_HEIGHT if top else 0.0
        bars.append(
            Bar(round(position * step, 2), round(CURVE_HEIGHT - height, 2), round(step * 0.8, 2), round(height, 2))
        )
    return Curve(tuple(bars), top, sum(day.total for day in usage), usage[0].day, usage[-1].day)


urlpatterns = [
    path("usages/", use_cases, name="usecases"),
    path("usages/<str:use_case_id>/", use_case, name="usecase"),
    path("usages/<str:use_case_id>/etat/", change_state, name="usecase-state"),
    path("usages/<str:use_case_id>/annuler/<int:number>/", undo, name="usecase-undo"),
    path("usages/<str:use_case_id>/export.zip", export, name="usecase-export"),
]
