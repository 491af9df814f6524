"""`/agent/passages/`: what contracts promise, proved on site; the missing visits; the month, on paper."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.reports.paper import statement_pdf
from beffroi.faces.backoffice.reports.queue import code_of
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.places import BadPlace, read_degrees
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase, Upload
from beffroi.serve.reports import visits
from beffroi.serve.reports.visits import PlannedPlace, VisitInfo

BACK_DAYS = 7
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
STATES = {"expected": gettext_lazy("Attendu"), "done": gettext_lazy("Constaté"), "missing": gettext_lazy("Manquant")}
STATE_KINDS = {"expected": "wait", "done": "good", "missing": "bad"}
_HOURS = re.compile(r"(\d{1,2})(?:[h:](\d{2})?)?\s*(?:-|–|à)\s*(\d{1,2})(?:[h:](\d{2})?)?")


class ContractForm(forms.Form):
    """A contract, its places and its days."""

    name = forms.CharField(label=gettext_lazy("Objet du contrat"), max_length=200)
    provider = forms.CharField(label=gettext_lazy("Prestataire"), max_length=200)
    service = forms.ChoiceField(label=gettext_lazy("Service qui suit le contrat"))
    starts_on = forms.DateField(label=gettext_lazy("Début"), widget=_DAY)
    ends_on = forms.DateField(label=gettext_lazy("Fin"), widget=_DAY)
    promised = forms.DecimalField(
        label=gettext_lazy("Part des passages promise, en %"), min_value=0, max_value=100, decimal_places=1, initial=95
    )
    visit = forms.DecimalField(
        label=gettext_lazy("Prix d’un passage, en euros"), min_value=0, decimal_places=2, initial=0, localize=True
    )
    penalty = forms.DecimalField(
        label=gettext_lazy("Pénalité par passage manquant, en euros"),
        min_value=0,
        decimal_places=2,
        initial=0,
        localize=True,
    )
    reach_m = forms.IntegerField(
        label=gettext_lazy("Distance admise pour constater, en mètres"), min_value=10, max_value=2000, initial=150
    )
    places = forms.CharField(
        label=gettext_lazy("Lieux, un par ligne"),
        help_text=gettext_lazy(
            "Nom ; latitude ; longitude ; jours de 1 (lundi) à 7 ; heures. Par exemple : "
            "École Jean-Moulin ; 45,0102 ; 3,0045 ; 135 ; 6h-9h"
        ),
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["service"]).choices = services

    def clean_places(self) -> list[PlannedPlace]:
        """Return the places as written, one a line."""
        lines = [line for line in self.cleaned_data["places"].splitlines() if line.strip()]
        return [_place(line, number) for number, line in enumerate(lines, start=1)]


def _place(line: str, number: int) -> PlannedPlace:
    """Return a place written as « name ; latitude ; longitude ; days ; hours ».

    >>> _place("Gare ; 45,01 ; 3 ; 15 ; 6h30-9h", 1).opens
    datetime.time(6, 30)
    """
    parts = [part.strip() for part in line.split(";")]
    where = _("ligne {n}").format(n=number)
    if len(parts) not in (4, 5):
        raise forms.ValidationError(
            _("{where} : {found} parties au lieu de cinq ; séparez-les par des points-virgules.").format(
                where=where, found=len(parts)
            )
        )
    try:
        lat, lon = read_degrees(parts[1], limit=90), read_degrees(parts[2], limit=180)
    except BadPlace as fault:
        raise forms.ValidationError(f"{where} : {said(fault.what)}") from fault
    opens, closes = time(6), time(20)
    if len(parts) == 5 and parts[4]:
        found = _HOURS.fullmatch(parts[4])
        try:
            if found is None:
                raise ValueError
            opens = time(int(found[1]), int(found[2] or 0))
            closes = time(int(found[3]), int(found[4] or 0))
        except ValueError as fault:
            raise forms.ValidationError(
                _("{where} : heures « {text} » illisibles ; écrivez par exemple 6h-9h30.").format(
                    where=where, text=parts[4][:40]
                )
            ) from fault
    return PlannedPlace(parts[0], lon, lat, parts[3], opens, closes)


@work_source("visits")
def visits_that_miss(request: Request) -> list[WorkCard]:
    """Return the visits of the last week that nobody made, and those to prove today."""
    today, code = timezone.localdate(), code_of(request)
    found = visits.visits(request.viewer, code, first=today - timedelta(days=BACK_DAYS), last=today)
    address = reverse("backoffice:visits")
    return [
        WorkCard(_("Passages manquants"), sum(one.state == "missing" for one in found), address, Urgency.LATE),
        WorkCard(
            _("Passages à constater"),
            sum(one.state == "expected" and one.day == today for one in found),
            address,
            Urgency.TODAY,
        ),
    ]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def visits_page(request: HttpRequest) -> HttpResponse:
    """Show the visits of the day, the missing ones, and the contracts."""
    request = cast(Request, request)
    viewer, territory, today = request.viewer, code_of(request), timezone.localdate()
    recent = visits.visits(viewer, territory, first=today - timedelta(days=BACK_DAYS), last=today)
    names = service_names(territory)
    context = {
        "today": [(one, str(STATES[one.state]), STATE_KINDS[one.state]) for one in recent if one.day == today],
        "missing": [one for one in recent if one.state == "missing"],
        "contracts": [(one, names.get(one.service, one.service)) for one in visits.contracts(viewer, territory)],
        "months": _months(today),
        "services": case_queries.services_of(viewer, territory),
    }
    return render(request, "backoffice/reports/visits.html", context)


def _months(today: date) -> list[date]:
    """Return the first days of this month and of the two before it."""
    this = today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    return [this, last, (last - timedelta(days=1)).replace(day=1)]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def prove(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Prove a visit from where the agent stands; a telephone may send it late, with the moment it was seen."""
    request = cast(Request, request)
    try:
        proved(request, visit_id)
    except (BadPlace, BadCase) as fault:
        messages.error(request, f"{said(fault.what)} ; {said(fault.remedy)}.")
    else:
        messages.success(request, _("Le passage est constaté."))
    return redirect("backoffice:visits")


def proved(request: Request, visit_id: int) -> VisitInfo:
    """Prove a visit by what a page or a telephone sent.

    Raises:
        BadPlace, BadCase, ContractNotFound: as `visits.prove_visit`.
    """
    at, photo = timezone.now(), request.FILES.get("photo")
    return visits.prove_visit(
        visit_id=visit_id,
        lon=read_degrees(request.POST.get("lon", ""), limit=180),
        lat=read_degrees(request.POST.get("lat", ""), limit=90),
        seen_at=_moment(request.POST.get("seen_at", "")) or at,
        note=request.POST.get("note", ""),
        photo=Upload(photo.name or "photo", photo.read()) if isinstance(photo, UploadedFile) else None,
        by=request.viewer,
        at=at,
    )


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def photo(request: HttpRequest, visit_id: int) -> HttpResponseBase:
    """Give the photo of a visit to its service; `?petite` for the thumbnail."""
    found = visits.visit_photo(cast(Request, request).viewer, visit_id, thumbnail="petite" in request.GET)
    response = FileResponse(found.path.open("rb"), content_type=found.media_type)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else timezone.make_aware(found)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_contract(request: HttpRequest) -> HttpResponse:
    """Write a contract down."""
    request = cast(Request, request)
    territory = code_of(request)
    mine = case_queries.services_of(request.viewer, territory)
    services = [one for one in service_names(territory).items() if one[0] in mine]
    form = ContractForm(request.POST if request.method == "POST" else None, services=services)
    if form.is_valid():
        values = form.cleaned_data
        try:
            visits.add_contract(
                territory=territory,
                **{name: values[name] for name in ("service", "name", "provider", "starts_on", "ends_on", "places")},
                promised_permille=round(values["promised"] * 10),
                visit_cents=round(values["visit"] * 100),
                penalty_cents=round(values["penalty"] * 100),
                reach_m=values["reach_m"],
                by=request.viewer,
                at=timezone.now(),
            )
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            messages.success(request, _("Le contrat est noté ; ses passages des deux semaines à venir sont attendus."))
            return redirect("backoffice:visits")
    context = {"form": form}
    return render(request, "backoffice/reports/contract_new.html", context, status=400 if form.errors else 200)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def statement(request: HttpRequest, contract_id: int, month: str) -> HttpResponse:
    """Show what a contract's provider did in a month (`2026-03`); `?pdf` gives the paper to sign."""
    request = cast(Request, request)
    found = re.fullmatch(r"(\d{4})-(\d{2})", month)
    if found is None:
        raise Http404
    told = visits.monthly_statement(request.viewer, contract_id, year=int(found[1]), month=int(found[2]))
    town = request.commune.name if request.commune else ""
    if "pdf" in request.GET:
        paper = statement_pdf(told, town=town, at=timezone.now())
        response = HttpResponse(paper, content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="constat-{contract_id}-{month}.pdf"'
        return response
    share = told.share_permille
    context = {
        "told": told,
        "month": told.first,
        "share": None if share is None else share / 10,
        "promised": told.contract.promised_permille / 10,
        "due": told.due_cents / 100,
        "word": _("tenu") if told.keeps_promise else _("non tenu"),
    }
    return render(request, "backoffice/reports/statement.html", context)
