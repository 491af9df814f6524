"""`/agent/demarches/<number>/`: a request with its answers and documents, and what may be done about it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.procedures.acts import ACTS, Act, ActForm, Asked
from beffroi.faces.backoffice.procedures.queue import row_of
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.procedures import answers_of, findings_of, told, told_conflicts, told_fees
from beffroi.faces.shell.requests import last_moment, service_names, step_title
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import MANDATE_TITLES, MandateKind, Sight
from beffroi.serve.cases.queries import Entry
from beffroi.serve.procedures import passages, queries, register
from beffroi.serve.procedures.queries import RequestInfo
from beffroi.serve.procedures.receipts import silence_words
from beffroi.serve.procedures.waiting import rank_of, waiting_list

MOST_WAITING, CARD = 20, "card"
WRITERS = {
    "service": gettext_noop("le service"),
    "requester": gettext_noop("l’habitant"),
    "house": gettext_noop("Beffroi"),
    "you": gettext_noop("vous"),
}
KINDS = {"closed": "good", "note": "done", "answered": "warn", "reopened": "warn"}


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def procedure(request: HttpRequest, number: str) -> HttpResponse:
    """Show a request of the reader's services."""
    request = cast(Request, request)
    asked = _asked(request, number)
    if "fragment" in request.GET:
        return render(
            request, "backoffice/procedures/fragment.html", {"info": asked.info, "answers": answers_of(asked.info)}
        )
    return _shown(request, asked)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def act(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """Do one thing to a request, then show it again, or the next of the queue (`then`)."""
    request = cast(Request, request)
    asked, chosen = _asked(request, number), ACTS.get(name)
    if chosen is None:
        raise Http404
    form = chosen.form(request.POST, asked=asked, auto_id=f"{name}_%s")
    if not form.is_valid():
        return _shown(request, asked, {name: form}, status=400)
    try:
        chosen.run(asked, form.cleaned_data)
    except BeffroiError as fault:
        form.add_error(fault.where if fault.where in form.fields else None, told(fault))
        return _shown(request, asked, {name: form}, status=fault.http_status)
    messages.success(request, _(chosen.done))
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    if request.POST.get("then") == "next":
        return redirect(f"{reverse('backoffice:procedures-next')}{query or '?'}{'&' if query else ''}apres={number}")
    return redirect(_page_after(asked, number) + query)


def _page_after(asked: Asked, number: str) -> str:
    """Return the page of the request, or the queue when it left the reader's sight by what she just did."""
    try:
        queries.request(asked.viewer, number)
    except BeffroiError:
        return reverse("backoffice:procedures")
    return reverse("backoffice:procedure", args=[number])


def _asked(request: Request, number: str) -> Asked:
    info = queries.request(request.viewer, number)
    if info.case.sight is not Sight.WORKER:
        # Her own, perhaps: she follows it where residents do.
        raise Http404
    return Asked(info, request.viewer, timezone.now())


def _shown(
    request: Request, asked: Asked, bound: dict[str, ActForm] | None = None, *, status: int = 200
) -> HttpResponse:
    info, bound = asked.info, bound or {}
    case, names = info.case, service_names(asked.territory)
    files = case_queries.attachments(asked.viewer, info.number)
    parties = case_queries.parties(asked.viewer, info.number)
    silence = queries.silence(info, asked.at)
    labels = {one.code: _(one.label) for one in info.procedure.documents} if info.procedure else {}
    labels |= {one.code: one.label for one in info.pieces}
    cards = _cards(asked)
    context = {
        "row": row_of(info, names, next((one.name for one in parties if one.made_it), ""), asked.at),
        "info": info,
        "case": case,
        "procedure": info.procedure,
        "due": _due(info),
        "silence_words": silence_words(silence),
        "silence_is_near": silence is not None
        and silence.day is not None
        and (silence.day - timezone.localdate(asked.at)).days <= 7,
        "answers": answers_of(info),
        "fees": told_fees(info.fees),
        "findings": findings_of(info),
        "address": _place(info),
        "conflicts": told_conflicts(queries.conflicts_of(info, asked.at), outside=False),
        "takes_place": info.procedure is not None and info.procedure.site is not None and case.is_open,
        "passages": passages.passages_of(info),
        "cards": cards,
        "for_agent": True,
        "rank": rank_of(info, asked.at),
        "waiting": _waiting(asked),
        "files": [(one, labels.get(one.purpose, _("Joint à un message"))) for one in files if not one.from_service],
        "documents": [one for one in files if one.from_service],
        "certificates": queries.certificates_of(info.number),
        "assignee": asked.people.get(case.assignee or 0, ""),
        "parties": [(one, _mandate(one.mandate)) for one in parties],
        "events": _events(case_queries.thread(asked.viewer, info.number), asked.people),
        "acts": _acts(asked, bound),
        "query": request.GET.urlencode(),
    }
    return render(request, "backoffice/procedures/sheet.html", context, status=status)


def _cards(asked: Asked) -> list[register.CardInfo]:
    """Return the cards of a request; their answers are on this page: it is read as a card is."""
    found = [one for one, _readings in register.cards_of(asked.info)]
    register.note_readings([one.id for one in found], CARD, by=asked.viewer, at=asked.at)
    return found


def _waiting(asked: Asked) -> list[str]:
    """Return the first of the waiting list, by their numbers."""
    info = asked.info
    if info.procedure is None or info.procedure.waiting is None or not info.case.is_open:
        return []
    return waiting_list(asked.viewer, asked.territory, info.case.category, info.procedure, asked.at)[:MOST_WAITING]


def _acts(asked: Asked, bound: dict[str, ActForm]) -> list[tuple[str, Act, ActForm, bool]]:
    """Return what may be done: name, act, form, whether it is unfolded."""
    found = []
    for name, one in ACTS.items():
        if one.offered(asked):
            form = bound.get(name) or one.form(asked=asked, auto_id=f"{name}_%s")
            found.append((name, one, form, name in bound or (one.open and not bound)))
    return found


def _due(info: RequestInfo) -> str:
    """Return by when it is owed, and by what rule."""
    case, procedure = info.case, info.procedure
    rule = procedure.due_for(info.answers) if procedure else ""
    if case.due_at is None or not rule:
        return ""
    return _("{when} – {rule}").format(when=last_moment(case.due_at), rule=clock.rule(rule).title)


def _place(info: RequestInfo) -> dict[str, Any] | None:
    """Return where the request is on the map: its zone, else the first of its addresses that is known."""
    place = queries.place_of(info.procedure, info.answers) if info.procedure else None
    if place is not None:
        return {"lon": place.zone.centroid.x, "lat": place.zone.centroid.y}
    known = (value for value in info.answers.values() if isinstance(value, dict) and value.get("lon") is not None)
    return next(known, None)


def _mandate(kind: str) -> str:
    return _(MANDATE_TITLES[MandateKind(kind)]) if kind else ""


def _events(entries: list[Entry], people: dict[int, str]) -> list[dict[str, Any]]:
    """Return the history, the newest first, as `timeline.html` wants it."""
    return [
        {
            "title": step_title(one, for_agent=True, kind=queries.KIND),
            "at": one.at,
            "by": people.get(one.author or 0, "") or _(WRITERS[one.by]),
            "text": one.text,
            "kind": KINDS.get(one.what, "wait"),
        }
        for one in reversed(entries)
    ]
