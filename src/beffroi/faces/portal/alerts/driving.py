"""« May I drive today? » A plate or a class comes by POST, is answered and forgotten: no row, no log, no address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.alerts import words_of
from beffroi.faces.shell.sentences import said
from beffroi.serve.alerts import driving
from beffroi.serve.alerts.engine import tells_who_drives


class VehicleForm(forms.Form):
    """A vehicle, by its plate or its class."""

    plate = forms.CharField(
        label=gettext_lazy("Plaque d’immatriculation"), required=False, max_length=20,
        help_text=gettext_lazy("Par exemple AB-123-CD. Lue une fois, gardée nulle part."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    critair = forms.ChoiceField(
        label=gettext_lazy("Vignette Crit’Air"), required=False,
        choices=[("", gettext_lazy("Je ne sais pas")),
                 *((code, label) for code, label in driving.CLASSES.items())],
    )  # fmt: skip


def answered(request: Request) -> HttpResponse:
    """Show the rules of the day, class by class, and the answer for one vehicle when it is asked."""
    territory, at = territory_of(request), now()
    if not tells_who_drives(territory):
        raise Http404
    day = timezone.localdate(at)
    rules = driving.rules_of_the_day(territory, at=at)
    form = VehicleForm(request.POST if request.method == "POST" else None)
    answers: list[dict[str, Any]] = []
    if form.is_valid():
        try:
            answers = [{"rule": rule, **_verdict(rule, form.cleaned_data, day)} for rule in rules]
        except BeffroiError as error:
            form.add_error("plate", f"{said(error.what)} ; {said(error.remedy)}.")
    context = {
        "rules": [(rule, words_of(rule.alert.content, territory), driving.table(rule, day)) for rule in rules],
        "form": form,
        "answers": answers,
        "day": day,
        "asked": form.is_bound and form.is_valid(),
    }
    response = render(request, "portal/alerts/driving.html", context, status=400 if form.errors else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _verdict(rule: driving.Rule, values: dict[str, str], day: Any) -> dict[str, Any]:
    allowed = driving.may_drive(rule, day, plate=values["plate"], critair=values["critair"])
    if allowed is None:
        needed = _("la plaque") if rule.kind == driving.PARITY else _("la vignette Crit’Air")
        return {"label": _("Il faut {what} pour répondre.").format(what=needed), "tone": "wait"}
    return {"label": _("Oui, vous pouvez rouler.") if allowed else _("Non, pas aujourd’hui."),
            "tone": "good" if allowed else "bad"}  # fmt: skip
