"""The families that are billed: their list, one of them, the accounts that see its bills."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.backoffice.bills.forms import FamilyForm, LinkForm, RefundForm
from beffroi.faces.backoffice.bills.months import AGENTS, code_of, told
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.bills import month_words, standing_words
from beffroi.serve.payments import operations, queries
from beffroi.serve.payments.definition import cents_of, euros


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def families(request: HttpRequest) -> HttpResponse:
    """List the families, found by their name or reference; write a new one down."""
    request = cast(Request, request)
    code = code_of(request)
    form = FamilyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            key = operations.save_family(request.viewer, code, at=now(), **form.cleaned_data)
        except BeffroiError as error:
            form.add_error(error.where if error.where in form.fields else None, told(error))
        else:
            messages.success(request, _("La famille est enregistrée."))
            return redirect("backoffice:bills-family", key)
    text = request.GET.get("q", "")[:60]
    found = queries.families(request.viewer, code, text=text)
    context = {"form": form, "families": found, "text": text}
    return render(request, "backoffice/bills/families.html", context, status=400 if form.errors else 200)


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def family(request: HttpRequest, number: int) -> HttpResponse:
    """Show a family and its bills; change it, link an account, ask for a refund."""
    request = cast(Request, request)
    code, do = code_of(request), request.POST.get("do", "")
    info, bills = queries.family(request.viewer, code, number)
    kept = {name: getattr(info, name) for name in FamilyForm.base_fields}
    form = FamilyForm(request.POST if do == "save" else None, initial=kept)
    # Another reference would be another family.
    form.fields["reference"].disabled = True
    link = LinkForm(request.POST if do == "link" else None, prefix="compte")
    registers = queries.registers(request.viewer, code)
    refund = RefundForm(request.POST if do == "refund" else None, prefix="rendre", registers=registers)
    asked = {"save": form, "link": link, "refund": refund}.get(do)
    if do == "renew":
        operations.unlink_members(request.viewer, code, number, at=now())
        messages.success(request, _("Plus aucun compte ne voit ces factures, et l’ancien code ne sert plus."))
        return redirect("backoffice:bills-family", number)
    if asked is not None and asked.is_valid():
        values = dict(asked.cleaned_data)
        try:
            if do == "save":
                operations.save_family(request.viewer, code, at=now(), **values)
            elif do == "link":
                operations.link_by_agent(request.viewer, code, number, email=values["email"], at=now())
            else:
                operations.ask_refund(
                    request.viewer, code, number, register=values["register"], cents=cents_of(values["amount"]),
                    reason=values["reason"], at=now(),
                )  # fmt: skip
        except BeffroiError as error:
            asked.add_error(error.where if error.where in asked.fields else None, told(error))
        else:
            messages.success(request, _("C’est enregistré."))
            return redirect("backoffice:bills-family", number)
    day = timezone.localdate()
    context = {
        "info": info,
        "credit": euros(info.credit_cents),
        "bills": [(one, month_words(one.month), *standing_words(one, day)) for one in bills],
        "form": form,
        "link": link,
        "refund": refund,
        "code": queries.family_code(request.viewer, code, number),
    }
    failed = asked is not None and bool(asked.errors)
    return render(request, "backoffice/bills/family.html", context, status=400 if failed else 200)
