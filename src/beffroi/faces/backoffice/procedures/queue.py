"""`/agent/demarches/`: the requests of one's services, the most pressing first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from beffroi.base.kernel.numbers import whole_number
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import age, service_names, state_kind, state_of
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.procedures import queries
from beffroi.serve.procedures.queries import QueueFilter, RequestInfo

STATES = (
    ("", gettext_lazy("En cours")),
    ("late", gettext_lazy("En retard")),
    ("received", gettext_lazy("À prendre en charge")),
    ("waiting", gettext_lazy("Une réponse est attendue de l’habitant")),
    ("scheduled", gettext_lazy("Un jour est prévu")),
    ("closed", gettext_lazy("Closes")),
)
FOLLOWERS = (
    ("", gettext_lazy("Tout le monde")),
    ("moi", gettext_lazy("Moi")),
    ("personne", gettext_lazy("Personne encore")),
)
MOST_EXPORTED = 5000
HEADS = ("numero", "demarche", "demandeur", "etat", "recue_le", "echeance", "jour_prevu", "service")


def code_of(request: Request) -> str:
    """Return the code of the town of the page."""
    return request.commune.code if request.commune else ""


class QueueForm(forms.Form):
    """What the queue may be narrowed to."""

    q = forms.CharField(label=gettext_lazy("Numéro ou nom"), required=False, max_length=100)
    demarche = forms.ChoiceField(label=gettext_lazy("Démarche"), required=False)
    etat = forms.ChoiceField(label=gettext_lazy("État"), choices=STATES, required=False)
    qui = forms.ChoiceField(label=gettext_lazy("Qui la suit"), choices=FOLLOWERS, required=False)

    def __init__(self, data: QueryDict, *, procedures: Sequence[tuple[str, str]]) -> None:
        super().__init__(data, auto_id="filtre_%s")
        cast(forms.ChoiceField, self.fields["demarche"]).choices = [("", _("Toutes")), *procedures]

    def criteria(self, me: int | None) -> QueueFilter:
        """Return the filter that the form asks for; a form that does not hold asks for nothing."""
        values = self.cleaned_data if self.is_valid() else {}
        who = values.get("qui", "")
        return QueueFilter(
            use_case=values.get("demarche", ""),
            status=values.get("etat", ""),
            assignee=me if who == "moi" else None,
            unassigned=who == "personne",
            text=values.get("q", "").strip(),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue, as it is read."""

    info: RequestInfo
    title: str
    name: str
    state: str
    kind: str
    age: str
    late: bool
    service: str
    # The last day to answer: a delay that ends at midnight ends the evening before.
    due_on: date | None


def row_of(info: RequestInfo, names: Mapping[str, str], name: str, at: datetime) -> Row:
    """Return a request as a line of a list."""
    case = info.case
    return Row(
        info, _(info.title), name, state_of(case), state_kind(case), age(case.opened_at, at), case.is_late(at),
        names.get(case.service, case.service), _last_day(case.due_at),
    )  # fmt: skip


def _last_day(due_at: datetime | None) -> date | None:
    return None if due_at is None else timezone.localdate(due_at - timedelta(seconds=1))


@work_source("procedures")
def requests_that_wait(request: Request) -> Iterator[WorkCard]:
    """Yield what waits in the queues of the reader's services."""
    if not queries.open_procedures(code_of(request)):
        return
    counts = case_queries.queue_counts(request.viewer, code_of(request), at=timezone.now(), kinds=(queries.KIND,))
    address = reverse("backoffice:procedures")
    totals = {name: sum(getattr(one, name) for one in counts) for name in ("late", "unassigned", "open")}
    yield WorkCard(_("Démarches en retard"), totals["late"], f"{address}?etat=late", Urgency.LATE)
    yield WorkCard(_("Démarches que personne ne suit"), totals["unassigned"], f"{address}?qui=personne", Urgency.SOON)
    yield WorkCard(_("Démarches en cours"), totals["open"], address, Urgency.INFO)


def read_form(request: Request) -> QueueForm:
    """Return the filters that the address of the page asks for."""
    known = queries.used_procedures(request.viewer, code_of(request))
    return QueueForm(request.GET, procedures=[(one.use_case, _(one.title)) for one in known])


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def procedures(request: HttpRequest) -> HttpResponse:
    """Show the queue of the reader's services; `?csv` gives it as a file."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    form = read_form(request)
    wanted = form.criteria(viewer.person_id)
    names = service_names(territory)
    if "csv" in request.GET:
        return _file(queries.queue(viewer, territory, wanted, at=at, size=MOST_EXPORTED), names, at)
    page = whole_number(request.GET.get("page", "1"), digits=5) or 1
    found = queries.queue(viewer, territory, wanted, at=at, page=max(1, page))
    kept = request.GET.copy()
    kept.pop("page", None)
    query = kept.urlencode()
    used = queries.used_procedures(viewer, territory)
    serving = {one.procedure.service for one in used}
    context = {
        "form": form,
        "is_narrowed": any(value for name, value in request.GET.items() if name != "page"),
        "rows": [row_of(one, names, found.names.get(one.number, ""), at) for one in found.items],
        "found": found,
        "me": viewer.person_id,
        "registers": any(one.procedure.people is not None for one in used),
        "patrols": any(one.procedure.passages is not None for one in used),
        "counts": [
            (names.get(one.service, one.service), one)
            for one in case_queries.queue_counts(viewer, territory, at=at, kinds=(queries.KIND,))
            if one.open or one.service in serving
        ],
        "works": bool(case_queries.services_of(viewer, territory)),
        "query": query,
        "first": (found.page - 1) * found.size + 1,
        "last": (found.page - 1) * found.size + len(found.items),
        "previous": f"?{query}&page={found.page - 1}" if found.page > 1 else "",
        "next": f"?{query}&page={found.page + 1}" if found.has_more else "",
    }
    return render(request, "backoffice/procedures/queue.html", context)


def _file(found: queries.QueuePage, names: Mapping[str, str], at: datetime) -> HttpResponse:
    rows: list[tuple[Any, ...]] = [
        (
            one.number, _(one.title), found.names.get(one.number, ""), state_of(one.case),
            _text(timezone.localdate(one.case.opened_at)),
            _text(_last_day(one.case.due_at)), _text(one.case.planned_on),
            names.get(one.case.service, one.case.service),
        )
        for one in found.items
    ]  # fmt: skip
    return sheet_response(f"demarches-{timezone.localdate(at).isoformat()}.csv", HEADS, rows)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def next_request(request: HttpRequest) -> HttpResponse:
    """Go to the request that follows `apres` in the queue as filtered, or back to the queue after the last."""
    request = cast(Request, request)
    wanted = read_form(request).criteria(request.viewer.person_id)
    after = request.GET.get("apres", "")
    number = queries.following(request.viewer, code_of(request), wanted, after=after, at=timezone.now())
    kept = request.GET.copy()
    kept.pop("apres", None)
    query = f"?{kept.urlencode()}" if kept else ""
    if number is None:
        return redirect(reverse("backoffice:procedures") + query)
    return redirect(reverse("backoffice:procedure", args=[number]) + query)
