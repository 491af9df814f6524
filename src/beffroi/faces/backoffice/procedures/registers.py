"""`/agent/registres/`: the registers of people of one's services, their cards, the call rounds, what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.procedures.queue import code_of
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.procedures import told
from beffroi.serve.procedures import calls, register


class RoundForm(forms.Form):
    """Why people are called."""

    reason = forms.CharField(
        label=gettext_lazy("Pourquoi appeler"),
        help_text=gettext_lazy("Par exemple : vigilance orange canicule du 3 au 6 juillet."),
        max_length=200,
    )


class HowForm(forms.Form):
    """How a person said that she agrees."""

    how = forms.CharField(
        label=gettext_lazy("Comment la personne a donné son accord"),
        help_text=gettext_lazy("De vive voix au téléphone, par écrit, accusé de réception sans opposition : et quand."),
        max_length=200,
    )


class HelperForm(forms.Form):
    """Who helps a person."""

    helper = forms.CharField(
        label=gettext_lazy("Qui l’aide : nom et téléphone"),
        help_text=gettext_lazy("Avec son accord ; chiffré. La personne inscrite le lit sur sa page."),
        required=False,
        max_length=300,
    )


class CallForm(forms.Form):
    """What a call gave."""

    outcome = forms.ChoiceField(label=gettext_lazy("Ce que l’appel a donné"), widget=forms.RadioSelect)
    need = forms.ChoiceField(label=gettext_lazy("De quoi a-t-elle besoin ?"), required=False)
    note = forms.CharField(label=gettext_lazy("Précision"), required=False, max_length=1000)

    def __init__(self, *args: Any, needs: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["outcome"]).choices = [(key, _(one)) for key, one in calls.OUTCOMES.items()]
        cast(forms.ChoiceField, self.fields["need"]).choices = [
            ("", _("Rien")), *((key, _(one)) for key, one in needs.items())
        ]  # fmt: skip


@work_source("registers")
def people_to_call(request: Request) -> list[WorkCard]:
    """Return what waits in the registers of the reader's services: agreements, things asked for."""
    territory, waiting = code_of(request), 0
    for use_case in register.registers(request.viewer, territory):
        waiting += calls.waiting_needs(territory, use_case)
    return [WorkCard(_("Besoins de personnes inscrites"), waiting, reverse("backoffice:registers"), Urgency.SOON)]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def registers(request: HttpRequest) -> HttpResponse:
    """List the registers of the reader's services, with how many in each category; nobody is named."""
    request = cast(Request, request)
    territory = code_of(request)
    found = register.registers(request.viewer, territory)
    context = {"lines": [(one, *register.report(request.viewer, territory, key)) for key, one in found.items()]}
    return render(request, "backoffice/procedures/registers.html", context)


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the people of a register, what they ask for, the rounds; begin a round, follow what is asked for."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    text = request.GET.get("q", "").strip()[:100]
    form = RoundForm(request.POST if request.POST.get("do") == "round" else None, auto_id="appels_%s")
    problem = ""
    if request.method == "POST":
        try:
            if form.is_bound and form.is_valid():
                key = calls.open_round(
                    use_case=use_case, reason=form.cleaned_data["reason"], by=viewer, territory=territory, at=at
                )
                return redirect("backoffice:register-calls", key)
            if not form.is_bound:
                _move_need(request, territory)
                messages.success(request, _("C’est noté."))
                return redirect("backoffice:register", use_case)
        except BeffroiError as fault:
            problem = told(fault)
    known = register.people(viewer, territory, use_case, at=at, text=text)
    chosen = register.registers(viewer, territory)[use_case]
    rule = chosen.procedure.people
    context = {
        "chosen": chosen,
        "choices": {key: _(words) for key, words in rule.choices.items()} if rule else {},
        "people": known,
        "q": text,
        "needs": calls.open_needs(viewer, territory, use_case),
        "rounds": calls.rounds(viewer, territory, use_case),
        "form": form,
        "problem": problem,
    }
    status = 400 if problem or form.errors else 200
    return _private(render(request, "backoffice/procedures/register.html", context, status=status))


def _move_need(request: Request, territory: str) -> None:
    given = request.POST.get("need", "")
    key = int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 0
    calls.move_need(
        need_id=key, done=request.POST.get("do") == "done", by=request.viewer, territory=territory, at=timezone.now()
    )


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def card(request: HttpRequest, card_id: int) -> HttpResponse:
    """Show one card, which notes that it was read; note the agreement, who helps, or take the person off."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    info = register.card(viewer, card_id, territory, at=at)
    do, bound = request.POST.get("do", ""), {}
    if request.method == "POST" and do in ACTS:
        kind, run, done = ACTS[do]
        form = kind(request.POST, auto_id=f"{do}_%s")
        bound[do] = form
        if form.is_valid():
            try:
                run({"card_id": card_id, "by": viewer, "territory": territory, "at": at, **form.cleaned_data})
            except BeffroiError as fault:
                form.add_error(fault.where if fault.where in form.fields else None, told(fault))
            else:
                messages.success(request, _(done))
                if do == "strike":
                    return redirect("backoffice:register", info.use_case)
                return redirect("backoffice:register-card", card_id)
    chosen = register.registers(viewer, territory)[info.use_case]
    rule = chosen.procedure.people
    context = {
        "info": info,
        "chosen": chosen,
        "facts": [(_(label), words) for label, words in register.told_card(chosen.procedure, info)],
        "choices": {key: _(words) for key, words in rule.choices.items()} if rule else {},
        "needs": calls.needs_of(card_id),
        "calls": [(one, calls.OUTCOMES[one.outcome]) for one in calls.calls_of(card_id)],
        "how_form": bound.get("confirm") or HowForm(auto_id="confirm_%s"),
        "helper_form": bound.get("help") or HelperForm(auto_id="help_%s", initial={"helper": info.helper}),
        "takes_helper": rule is not None and rule.helper and info.confirmed_at is not None,
    }
    status = 400 if any(one.errors for one in bound.values()) else 200
    return _private(render(request, "backoffice/procedures/card.html", context, status=status))


ACTS: Mapping[str, tuple[type[forms.Form], Callable[[dict[str, Any]], None], str]] = {
    "confirm": (HowForm, lambda given: register.confirm(**given), gettext_noop("L’accord est noté.")),
    "help": (HelperForm, lambda given: register.match_helper(**given), gettext_noop("C’est noté.")),
    "strike": (forms.Form, lambda given: register.strike(**given), gettext_noop("La fiche est effacée.")),
}


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def round_of_calls(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show whom to call, those who wait most first; note what each call gave; end the round."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    info, _lines = calls.round_list(viewer, round_id, territory, at=at)
    chosen = register.registers(viewer, territory)[info.use_case]
    rule = chosen.procedure.people
    needs = rule.choices if rule else {}
    wrong: dict[int, CallForm] = {}
    if request.method == "POST" and request.POST.get("do") == "close":
        calls.close_round(round_id=round_id, by=viewer, territory=territory, at=at)
        messages.success(request, _("Les appels sont finis."))
        return redirect("backoffice:register", info.use_case)
    if request.method == "POST":
        given = request.POST.get("card", "")
        key = int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 0
        form = CallForm(request.POST, needs=needs, auto_id=f"c{key}_%s")
        wrong[key] = form
        if form.is_valid():
            try:
                calls.note_call(
                    round_id=round_id, card_id=key, by=viewer, territory=territory, at=at, **form.cleaned_data
                )
            except BeffroiError as fault:
                form.add_error(fault.where if fault.where in form.fields else None, told(fault))
            else:
                messages.success(request, _("L’appel est noté."))
                return redirect("backoffice:register-calls", round_id)
    lines = [
        (one, [(each, calls.OUTCOMES[each.outcome]) for each in one.calls],
         wrong.get(one.card.id) or CallForm(needs=needs, auto_id=f"c{one.card.id}_%s"))
        for one in _lines
    ]  # fmt: skip
    context = {"info": info, "chosen": chosen, "lines": lines}
    return _private(render(request, "backoffice/procedures/calls.html", context, status=400 if wrong else 200))


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
