"""`/agent/signalements/<number>/`: all that its service knows of a report, and what may be done about it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.reports.acts import ACTS, Act, ActForm, Asked, Said
from beffroi.faces.backoffice.reports.queue import row_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import answers_of, service_names, step_title
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.things import Thing, planned_works, thing_of
from beffroi.serve.alerts import queries as alerts
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import MANDATE_TITLES, MandateKind, Outcome, Sight, Status
from beffroi.serve.cases.queries import Entry
from beffroi.serve.reports import desk, orders, queries
from beffroi.serve.reports.desk import TemplateInfo
from beffroi.serve.reports.queries import ReportInfo

WRITERS = {
    "service": gettext_noop("le service"),
    "requester": gettext_noop("un habitant"),
    "house": gettext_noop("Beffroi"),
    "you": gettext_noop("vous"),
}
UNDER_WAY = (Status.WAITING, Status.SCHEDULED)
KINDS = {"closed": "good", "note": "done", "answered": "warn", "reopened": "warn", "held": "bad"}


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def report(request: HttpRequest, number: str) -> HttpResponse:
    """Show a report of the reader's services, or what an agent of the town may know of another's."""
    request = cast(Request, request)
    return _shown(request, _asked(request, number))


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """Do one thing to a report, then show it again, or the next of the queue (`then`)."""
    request = cast(Request, request)
    asked, chosen = _asked(request, number), ACTS.get(name)
    if chosen is None:
        raise Http404
    form = chosen.form(request.POST, request.FILES, asked=asked, auto_id=f"{name}_%s")
    if not form.is_valid():
        return _shown(request, asked, {name: form}, status=400)
    try:
        came = chosen.run(asked, form.cleaned_data)
    except BeffroiError as fault:
        remedy = said(fault.remedy)
        form.add_error(None, f"{said(fault.what)} ; {remedy}." if remedy else said(fault.what))
        return _shown(request, asked, {name: form}, status=fault.http_status)
    messages.success(request, came if isinstance(came, Said) else _(chosen.done))
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    if request.POST.get("then") == "next":
        # It keeps its place in the queue, even once it has left it.
        return redirect(f"{reverse('backoffice:reports-next')}{query or '?'}{'&' if query else ''}apres={number}")
    return redirect(_page_after(asked, number) + query)


def _page_after(asked: Asked, number: str) -> str:
    """Return the page of the report, or the queue when it left the reader's sight by what she just did."""
    try:
        queries.report(asked.viewer, number)
    except BeffroiError:
        return reverse("backoffice:reports")
    return reverse("backoffice:report", args=[number])


def _asked(request: Request, number: str) -> Asked:
    return Asked(queries.report(request.viewer, number), request.viewer, timezone.now())


def _shown(
    request: Request, asked: Asked, bound: dict[str, ActForm] | None = None, *, status: int = 200
) -> HttpResponse:
    info, bound = asked.info, bound or {}
    case, works = info.case, info.case.sight is Sight.WORKER
    names = service_names(asked.territory)
    known = {one.category.code: one.category for one in queries.categories_for(asked.viewer, asked.territory)}
    category = known.get(case.category)
    files = case_queries.attachments(asked.viewer, info.number)
    people = asked.people
    templates = desk.templates(asked.viewer, asked.territory, category=case.category) if works else []
    chosen = next((one for one in templates if str(one.id) == request.GET.get("modele")), None)
    context = {
        "row": row_of(info, names, asked.at),
        "info": info,
        "case": case,
        "works": works,
        "due": _due(info, category),
        "answers": answers_of(category, info),
        "thing": _thing(asked),
        "planned": planned_works(asked.territory, info.lon, info.lat, at=asked.at),
        "photos": [one for one in files if one.media_type.startswith("image/")],
        "assignee": people.get(case.assignee or 0, ""),
        "parties": [(one, _mandate(one.mandate)) for one in case_queries.parties(asked.viewer, info.number)],
        "events": _events(case_queries.thread(asked.viewer, info.number), people, info.number),
        "similar": queries.duplicates_of(asked.viewer, info.number) if works and case.is_open and not case.lead else [],
        "orders": orders.work_orders(asked.viewer, asked.territory, number=info.number) if works else [],
        "today": timezone.localdate(asked.at),
        "acts": _acts(asked, category, bound, chosen) if works else [],
        "may_alert": works and case.is_open and category is not None and category.alert,
        "templates": templates,
        "template": chosen.id if chosen else 0,
        "query": request.GET.urlencode(),
    }
    return render(request, "backoffice/reports/sheet.html", context, status=status)


def _acts(
    asked: Asked, category: Any, bound: dict[str, ActForm], template: TemplateInfo | None
) -> list[tuple[str, Act, ActForm, bool]]:
    """Return what may be done: name, act, form, whether it is unfolded; `template` gives the closing its words."""
    unfolded = "clore" if template else ""
    found = []
    may = {"alerter": False, "finir-l-alerte": False}
    if category and category.alert:
        running = alerts.of_report(asked.territory, asked.info.number, at=asked.at)
        may = {"alerter": True, "finir-l-alerte": bool(running)}
    for name, one in ACTS.items():
        if not one.offered(asked) or not may.get(name, True):
            continue
        form = bound.get(name) or one.form(asked=asked, auto_id=f"{name}_%s")
        if template and name == "clore" and not form.is_bound:
            form.initial = {"reason": template.filled(asked.info), "outcome": template.outcome or Outcome.DONE.value}
        first = one.open and not bound and not unfolded and asked.info.case.status not in UNDER_WAY
        found.append((name, one, form, first or name in bound or name == unfolded))
    return found


def _thing(asked: Asked) -> Thing | None:
    info = asked.info
    if not info.dataset:
        return None
    today = timezone.localdate(asked.at)
    return thing_of(asked.viewer, asked.territory, info.dataset, info.feature, today=today)


def _due(info: ReportInfo, category: Any) -> str:
    """Return by when it is owed, and by what rule."""
    case = info.case
    if case.due_at is None or category is None or not category.due:
        return ""
    rule = clock.rule(category.due)
    when = formats.date_format(timezone.localtime(case.due_at, clock.timezone_of(case.territory)), "j F Y, H:i")
    return _("{when} – {rule}").format(when=when, rule=rule.title)


def _mandate(kind: str) -> str:
    return _(MANDATE_TITLES[MandateKind(kind)]) if kind else ""


def _events(entries: list[Entry], people: dict[int, str], number: str) -> list[dict[str, Any]]:
    """Return the history, the newest first, as `timeline.html` wants it."""
    found = []
    for one in reversed(entries):
        title = step_title(one, for_agent=True)
        if one.of and one.of != number:
            title = f"{title} ({one.of})"
        by = people.get(one.author or 0, "") or _(WRITERS[one.by])
        found.append({"title": title, "at": one.at, "by": by, "text": one.text, "kind": KINDS.get(one.what, "wait")})
    return found
