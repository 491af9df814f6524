"""The months: units taken in, bills looked at, then sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.bills.forms import DepositForm, UnitsForm
from beffroi.faces.backoffice.work import Urgency, WorkCard, work_source
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.bills import month_words, standing_words
from beffroi.faces.shell.sentences import said
from beffroi.serve.payments import operations, queries
from beffroi.serve.payments.definition import euros, first_of_month

AGENTS = (Role.AGENT, Role.ADMINISTRATOR)


def code_of(request: Request) -> str:
    """Return the commune of the page."""
    return request.commune.code if request.commune else ""


def told(error: BeffroiError) -> str:
    """Return an error as a sentence."""
    text = f"{said(error.what)} ; {said(error.remedy)}."
    return text[:1].upper() + text[1:]


@work_source("bills")
def waiting(request: Request) -> Iterator[WorkCard]:
    """Yield what awaits who keeps the bills: payments held, refunds to decide, bills past their day."""
    code = code_of(request)
    if not queries.may_keep_bills(request.viewer, code) or not queries.keeps_bills(request.viewer, code):
        return
    at = queries.standing(request.viewer, code, day=timezone.localdate())
    yield WorkCard(_("Paiements à vérifier"), at.held, reverse("backoffice:bills-bank"), Urgency.TODAY)
    yield WorkCard(_("Remboursements à décider"), at.refunds, reverse("backoffice:bills-refunds"), Urgency.SOON)
    yield WorkCard(_("Factures échues"), at.late, reverse("backoffice:bills-unpaid"), Urgency.INFO)


@open_to(*AGENTS)
@require_safe
def bills(request: HttpRequest) -> HttpResponse:
    """Show where the bills stand, and the months at work."""
    request = cast(Request, request)
    code = code_of(request)
    standing = queries.standing(request.viewer, code, day=timezone.localdate())
    months = [(month, month_words(month), units, sent) for month, units, sent in queries.months(request.viewer, code)]
    context = {
        "standing": standing,
        "owed": euros(standing.owed_cents),
        "credit": euros(standing.credit_cents),
        "months": months,
        "registers": queries.registers(request.viewer, code),
        "year": timezone.localdate().year,
    }
    return render(request, "backoffice/bills/home.html", context)


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def units(request: HttpRequest) -> HttpResponse:
    """Take in the file of a month, or one line typed by hand; say which lines were refused, and why."""
    request = cast(Request, request)
    code = code_of(request)
    services = sorted({(one.slug, one.title) for rule in queries.rules_of(code) for one in rule.billed})
    by_hand = request.POST.get("do") == "line"
    form = DepositForm(*((request.POST, request.FILES) if request.method == "POST" and not by_hand else ()))
    line = UnitsForm(request.POST if by_hand else None, services=services)
    intake, asked = None, line if by_hand else form
    if request.method == "POST" and asked.is_valid():
        values = asked.cleaned_data
        try:
            if by_hand:
                intake = operations.type_units(request.viewer, code, at=now(), **values)
            else:
                sent = values["file"]
                intake = operations.take_deposit(request.viewer, code, name=sent.name, content=sent.read(), at=now())
        except BeffroiError as error:
            asked.add_error(error.where if error.where in asked.fields else None, told(error))
        else:
            if by_hand:
                messages.success(request, _("La ligne est enregistrée."))
                return redirect("backoffice:bills-units")
    context = {
        "form": form,
        "line": line,
        "intake": intake,
        "months": [(month, month_words(month)) for month in sorted(intake.months)] if intake else (),
        "deposits": queries.deposits(request.viewer, code),
    }
    return render(request, "backoffice/bills/units.html", context, status=400 if asked.errors else 200)


@open_to(*AGENTS)
@require_safe
def month(request: HttpRequest, month: str) -> HttpResponse:
    """Show the bills of a month to be, what is odd about them, and those already sent."""
    request = cast(Request, request)
    code, first = code_of(request), first_of_month(month)
    day = timezone.localdate()
    plans = [
        {
            "plan": plan,
            "total": euros(plan.cents),
            "services": [
                (title, count, euros(cents)) for title, (count, cents) in queries.totals_by_service(plan).items()
            ],
            "families": [(one, euros(one.cents), [_(queries.ODD[name]) for name in one.odd]) for one in plan.families],
            "odd": sum(bool(one.odd) for one in plan.families),
        }
        for plan in queries.month_plans(request.viewer, code, first)
    ]
    sent = [(one, *standing_words(one, day)) for one in queries.month_bills(request.viewer, code, first)]
    context = {"month": first, "title": month_words(first), "plans": plans, "sent": sent}
    return render(request, "backoffice/bills/month.html", context)


@open_to(*AGENTS)
@require_POST
def issue(request: HttpRequest, month: str) -> HttpResponse:
    """Send the bills of a month as they were looked at."""
    request = cast(Request, request)
    first: date = first_of_month(month)
    try:
        keys = operations.issue_month(
            request.viewer, code_of(request), first, register=request.POST.get("register", ""),
            fingerprint=request.POST.get("fingerprint", ""), at=now(),
        )  # fmt: skip
    except BeffroiError as error:
        messages.error(request, told(error))
    else:
        text = ngettext("{n} facture est émise.", "{n} factures sont émises.", len(keys)).format(n=len(keys))
        messages.success(request, text)
    return redirect("backoffice:bills-month", f"{first:%Y-%m}")
