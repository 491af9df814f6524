"""The round of the night on the team's phone: read without network, each passage noted once, late or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.outreach.forms import PassageForm
from beffroi.faces.backoffice.outreach.going import going, words_by_source
from beffroi.faces.backoffice.outreach.pages import told
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.rounds.papers import plan_of_round, streets_told
from beffroi.faces.backoffice.rounds.wording import left_out_told, told_lines, vehicle_told
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import script_answer, writer_of
from beffroi.faces.shell.answers import told as fault_told
from beffroi.faces.shell.middleware import FOR_THE_DAY, KEEP_HEADER
from beffroi.sense.mobility.rounds import passages, queries
from beffroi.sense.mobility.rounds.kinds import Kind, kind_for, kinds_for
from beffroi.sense.mobility.rounds.passages import PassageInfo
from beffroi.sense.mobility.rounds.queries import RoundSheet
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def sheet(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show the stops of the night in their order, the next one first told, and by what each is noted."""
    request = cast(Request, request)
    viewer, territory = request.viewer, code_of(request)
    summary = queries.round_summary(viewer, territory, round_id)
    kind = kind_for(viewer, territory, summary.use_case)
    if summary.state != "ready":
        return redirect("backoffice:round-sheet", round_id)
    found = queries.round_sheet(viewer, territory, round_id)
    lines = _lines(request, kind, found)
    context = {
        "outreach": kind,
        "round": summary,
        "told": [vehicle_told(one) for one in found.timelines if one.lines],
        "lines": lines,
        "left": [one for one in lines if one["left"]],
        "next": next((one for one in lines if not one["done"] and not one["left"]), None),
        "drawing": plan_of_round(found),
        # Read without network, the page still says whose night it is: what is written on it is hers.
        "who": writer_of(viewer),
    }
    response = render(request, "backoffice/outreach/sheet.html", context)
    # Taken along on purpose: kept apart from other pages, until the evening or the sign-out.
    # Former notes are not in it.
    response.headers[KEEP_HEADER] = FOR_THE_DAY
    return response


def _lines(request: Request, kind: Kind, found: RoundSheet) -> list[dict[str, Any]]:
    """Return the stops in order, then those nobody goes to, each with what is known of it and what was noted."""
    viewer, territory = request.viewer, code_of(request)
    known = words_by_source(going(viewer, territory, kind, at=timezone.now()))
    noted = passages.passages_of_round(viewer, territory, found.summary.id)
    lines = []
    for timeline in found.timelines:
        ways = queries.legs(found, timeline.vehicle) if timeline.lines else {}
        for place, (line, words) in enumerate(zip(timeline.lines, told_lines(found, timeline), strict=True)):
            if line.kind == "stop":
                lines.append(_line(kind, found, line.stop, known, noted) | {
                    "number": words.number, "time": words.time, "drive": words.drive,
                    "streets": streets_told(ways.get(place)), "left": "",
                })  # fmt: skip
    lines += [
        _line(kind, found, one.stop, known, noted)
        | {"number": 0, "time": "", "drive": "", "streets": "", "left": left_out_told(one)}
        for one in found.left_out
    ]
    return lines


def _line(kind: Kind, found: RoundSheet, stop: str, known: Any, noted: Any) -> dict[str, Any]:
    there = found.stops[stop]
    passage: PassageInfo | None = noted.get(there.source)
    start = {"outcome": passage.outcome, "note": passage.note} if passage else {}
    return {
        "stop": stop,
        "place": there,
        "going": known.get(there.source),
        "done": told(kind, [passage])[0] if passage else None,
        "form": PassageForm(kind=kind, auto_id=f"s{stop}_%s", initial=start),
    }


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def note(request: HttpRequest, round_id: int) -> HttpResponse:
    """Note a passage from a page without scripts."""
    request = cast(Request, request)
    stop = request.POST.get("stop", "")[:40]
    form = PassageForm(request.POST, kind=_kind(request, round_id))
    if not form.is_valid():
        raise Http404
    _noted(request, round_id, stop, form.cleaned_data)
    return redirect(reverse("backoffice:outreach-sheet", args=[round_id]) + f"#arret-{stop}")


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def receive(request: HttpRequest, round_id: int, stop: str) -> JsonResponse:
    """Take what a phone noted, at once or from what it kept; said twice, it is kept once."""
    request = cast(Request, request)
    try:
        form = PassageForm(request.POST, kind=_kind(request, round_id))
        if not form.is_valid():
            name, errors = next(iter(form.errors.items()))
            return script_answer({"title": str(errors[0]), "remedy": "", "where": name}, 400)
        _noted(request, round_id, stop, form.cleaned_data)
    except BeffroiError as fault:
        return script_answer(fault_told(fault), fault.http_status)
    url = reverse("backoffice:outreach-sheet", args=[round_id])
    # The number is shown in what the device sent: a stop, never a place.
    return script_answer({"number": _("arrêt {stop}").format(stop=stop), "url": url}, 201)


def _kind(request: Request, round_id: int) -> Kind:
    territory = code_of(request)
    summary = queries.round_summary(request.viewer, territory, round_id)
    return kind_for(request.viewer, territory, summary.use_case)


def _noted(request: Request, round_id: int, stop: str, data: dict[str, Any]) -> None:
    """Keep a passage; the report it was for, if any, is closed when the need is met."""
    at = timezone.now()
    done = passages.note_passage(
        request.viewer, code_of(request), round_id, stop=stop, outcome=data["outcome"], note=data["note"], at=at,
        done_at=data["done_at"],
    )  # fmt: skip
    if done.closes and done.source.startswith("report:"):
        _close(request, done.source.removeprefix("report:"), at)


def _close(request: Request, number: str, at: datetime) -> None:
    if case_queries.case(request.viewer, number).is_open:
        # What who reported it reads: that somebody went, nothing of whom they met.
        reason = _("Une équipe est passée. Merci de votre attention.")
        cases.close_case(number=number, outcome=Outcome.DONE, reason=reason, by=request.viewer, at=at)


@work_source("outreach")
def waiting(request: Request) -> Iterator[WorkCard]:
    """Yield, to the agents of the service, the needs that wait for a round."""
    territory = code_of(request)
    for kind in kinds_for(request.viewer, territory) if territory else ():
        found = [one for one in going(request.viewer, territory, kind, at=timezone.now()) if not one.usual]
        urgent = any(one.urgency == 2 for one in found)
        url = reverse("backoffice:outreach", args=[kind.use_case])
        yield WorkCard(_(kind.title), len(found), url, Urgency.TODAY if urgent else Urgency.SOON,
                       _("Besoins signalés qui attendent un passage"))  # fmt: skip
