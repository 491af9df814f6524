"""`/agent/demarches/passages/`: the homes to pass by today, read without network; a passage is sent once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.procedures.queue import code_of
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import script_answer, writer_of
from beffroi.faces.shell.answers import told as fault_told
from beffroi.faces.shell.middleware import FOR_THE_DAY, KEEP_HEADER
from beffroi.faces.shell.procedures import told
from beffroi.serve.procedures import operations, passages, queries
from beffroi.serve.procedures.passages import Home


class PassageForm(forms.Form):
    """What was seen, of what the procedure says may be; a telephone adds when."""

    seen = forms.ChoiceField(label=gettext_lazy("Ce que vous avez vu"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Précision"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    done_at = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, seen: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["seen"]).choices = [(code, _(words)) for code, words in seen.items()]

    def clean_done_at(self) -> datetime | None:
        """Return the moment a telephone kept, None where it says none that is one."""
        try:
            found = parse_datetime(self.cleaned_data["done_at"])
        except ValueError:
            return None
        return found if found is not None and timezone.is_aware(found) else None


@work_source("patrol")
def homes_to_pass(request: Request) -> list[WorkCard]:
    """Return the homes that nobody has passed by for as long as is promised."""
    waiting = [one for one in passages.homes_of_the_day(request.viewer, code_of(request), timezone.now()) if one.is_due]
    return [WorkCard(_("Domiciles à surveiller aujourd’hui"), len(waiting), reverse("backoffice:patrol"), Urgency.SOON)]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def patrol(request: HttpRequest) -> HttpResponse:
    """Show the homes to pass by today, those that wait most first, each with the form that notes a passage."""
    return _page(cast(Request, request))


def _page(request: Request, bound: dict[str, PassageForm] | None = None, *, status: int = 200) -> HttpResponse:
    homes, bound = passages.homes_of_the_day(request.viewer, code_of(request), timezone.now()), bound or {}
    context = {
        "lines": [(one, told_home(one), bound.get(one.number) or _form(one)) for one in homes],
        "due": sum(one.is_due for one in homes),
        "today": timezone.localdate(),
        "who": writer_of(request.viewer),
    }
    response = render(request, "backoffice/procedures/patrol.html", context, status=status)
    if status == 200:
        # Taken along on purpose: kept apart from other pages, until the evening or the sign-out.
        response.headers[KEEP_HEADER] = FOR_THE_DAY
    return response


def _form(home: Home, data: Any = None) -> PassageForm:
    return PassageForm(data, seen=home.rule.choices, auto_id=f"p{home.number}_%s")


def told_home(home: Home) -> list[tuple[str, str]]:
    """Return what whoever passes needs to know, in the reader's language where the form has it."""
    return [(_(label), words) for label, words in passages.asked_of_who_passes(home)]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def pass_by(request: HttpRequest, number: str) -> HttpResponse:
    """Note a passage from the page itself."""
    request = cast(Request, request)
    form = _bound(request, number)
    if form.is_valid():
        try:
            _note(request, number, form)
        except BeffroiError as fault:
            form.add_error(fault.where if fault.where in form.fields else None, told(fault))
    if form.errors:
        return _page(request, {number: form}, status=400)
    messages.success(request, _("Le passage est noté ; l’habitant en est prévenu."))
    return redirect("backoffice:patrol")


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_POST
def receive_passage(request: HttpRequest, number: str) -> JsonResponse:
    """Take a passage that a phone sends, at once or from what it kept; answer once however often sent."""
    request = cast(Request, request)
    try:
        form = _bound(request, number)
        if not form.is_valid():
            name, errors = next(iter(form.errors.items()))
            return script_answer({"title": str(errors[0]), "remedy": "", "where": name}, 400)
        _note(request, number, form)
    except BeffroiError as fault:
        return script_answer(fault_told(fault), fault.http_status)
    return script_answer({"number": number, "url": reverse("backoffice:patrol")}, 201)


def _bound(request: Request, number: str) -> PassageForm:
    info = queries.request(request.viewer, number)
    rule = info.procedure.passages if info.procedure else None
    return PassageForm(request.POST, seen=rule.choices if rule else {}, auto_id=f"p{number}_%s")


def _note(request: Request, number: str, form: PassageForm) -> None:
    given = form.cleaned_data
    operations.note_passage(
        number=number, seen=given["seen"], note=given["note"], done_at=given["done_at"], key=given["key"],
        by=request.viewer, at=timezone.now(),
    )  # fmt: skip
