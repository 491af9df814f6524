"""Money: one bill and what came for it, what is unpaid, refunds, the bank's file, the ledger."""

from __future__ import annotations

import secrets
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import row_key
from beffroi.base.kernel.time import now
from beffroi.faces.backoffice.bills.forms import PaymentForm, RegisterForm, StatementForm
from beffroi.faces.backoffice.bills.months import AGENTS, code_of, told
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.bills import kind_words, line_cells, month_words, move_cells, standing_words
from beffroi.faces.shell.sheets import sheet_response
from beffroi.serve.payments import operations, queries
from beffroi.serve.payments.definition import cents_of, euros

LEDGER_HEADS = (
    "ecriture", "instant", "jour", "regie", "genre", "facture", "famille", "compte", "debit_centimes",
    "credit_centimes", "moyen", "reference", "motif",
)  # fmt: skip


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def bill(request: HttpRequest, number: int) -> HttpResponse:
    """Show a bill; record money that came for it, undo a payment, take the bill back."""
    request = cast(Request, request)
    code, do = code_of(request), request.POST.get("do", "")
    info = queries.bill(request.viewer, code, number)
    start = {"amount": euros(max(info.due_cents, 0)), "day": timezone.localdate(), "once": secrets.token_hex(12)}
    form = PaymentForm(request.POST if do == "pay" else None, initial=start)
    try:
        if do == "pay" and form.is_valid():
            values = dict(form.cleaned_data)
            cents = cents_of(values.pop("amount"))
            operations.record_payment(request.viewer, code, number, cents=cents, at=now(), **values)
            return _done(request, _("Le paiement est enregistré."), number)
        if do == "cancel":
            operations.cancel_bill(request.viewer, code, number, reason=request.POST.get("reason", ""), at=now())
            return _done(request, _("La facture est annulée ; ce qui était payé est dû à la famille."), number)
        if do == "reverse":
            key = request.POST.get("entry", "")
            reason = request.POST.get("reason", "")
            operations.reverse_payment(request.viewer, code, row_key(key), reason=reason, at=now())
            return _done(request, _("Le paiement est annulé par l’écriture contraire."), number)
    except BeffroiError as error:
        if do == "pay":
            form.add_error(error.where if error.where in form.fields else None, told(error))
        else:
            messages.error(request, told(error))
            return redirect("backoffice:bills-bill", number)
    words, tag = standing_words(info, timezone.localdate())
    context = {
        "info": info,
        "kind": kind_words(info),
        "month": month_words(info.month),
        "state": words,
        "tag": tag,
        "lines": [line_cells(one) for one in info.lines],
        "moves": [(one, *move_cells(one)) for one in info.moves],
        "attempts": queries.attempts(request.viewer, code, key=number),
        "form": form,
    }
    return render(request, "backoffice/bills/bill.html", context, status=400 if form.errors else 200)


def _done(request: Request, words: str, number: int) -> HttpResponse:
    messages.success(request, words)
    return redirect("backoffice:bills-bill", number)


@open_to(*AGENTS)
@require_safe
def unpaid(request: HttpRequest) -> HttpResponse:
    """List what is owed, the oldest first; `?csv` gives it as a file."""
    request = cast(Request, request)
    found, day = queries.unpaid_bills(request.viewer, code_of(request)), timezone.localdate()
    if "csv" in request.GET:
        heads = ("facture", "famille", "destinataire", "mois", "echeance", "total_centimes", "du_centimes")
        rows = [
            (one.number, one.family, one.addressee, f"{one.month:%Y-%m}", one.due_on.isoformat(), one.total_cents,
             one.due_cents)
            for one in found
        ]  # fmt: skip
        return sheet_response(f"factures-impayees-{day}.csv", heads, rows)
    context = {
        "lines": [(one, month_words(one.month), *standing_words(one, day)) for one in found],
        "owed": euros(sum(one.due_cents for one in found)),
    }
    return render(request, "backoffice/bills/unpaid.html", context)


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def refunds(request: HttpRequest) -> HttpResponse:
    """List what the town owes families and the refunds asked; another agent than who asked decides."""
    request = cast(Request, request)
    code = code_of(request)
    if request.method == "POST":
        key = request.POST.get("refund", "")
        approve = request.POST.get("do") == "approve"
        try:
            operations.decide_refund(request.viewer, code, row_key(key), approve=approve, at=now())
        except BeffroiError as error:
            messages.error(request, told(error))
        else:
            word = _("Le remboursement est approuvé.") if approve else _("Le remboursement est refusé.")
            messages.success(request, word)
        return redirect("backoffice:bills-refunds")
    context = {
        "owed": [(one, euros(one.credit_cents)) for one in queries.families_owed(request.viewer, code)],
        "refunds": [
            (one, euros(one.cents), one.asked_by_id == request.viewer.person_id)
            for one in queries.refunds(request.viewer, code)
        ],
    }
    return render(request, "backoffice/bills/refunds.html", context)


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def bank(request: HttpRequest) -> HttpResponse:
    """Set a file of the bank beside the ledger; record what a line proves; decide the payments held."""
    request = cast(Request, request)
    code, do = code_of(request), request.POST.get("do", "")
    registers = queries.registers(request.viewer, code)
    form = StatementForm(*((request.POST, request.FILES) if do == "file" else ()), registers=registers)
    compared = None
    try:
        if do == "file" and form.is_valid():
            sent = form.cleaned_data["file"]
            compared = operations.compare_statement(
                request.viewer, code, register=form.cleaned_data["register"], name=sent.name, content=sent.read(),
                at=now(),
            )  # fmt: skip
        elif do in ("count", "held", "dismiss"):
            _decide(request, code, do)
            messages.success(request, _("C’est enregistré."))
            return redirect("backoffice:bills-bank")
    except BeffroiError as error:
        if do != "file":
            messages.error(request, told(error))
            return redirect("backoffice:bills-bank")
        form.add_error(error.where if error.where in form.fields else None, told(error))
    lines = compared.lines if compared else queries.statement_lines(request.viewer, code)
    context = {
        "form": form,
        "compared": compared,
        "lines": [
            (one, euros(one.cents), _(queries.VERDICTS[one.verdict][0]), queries.VERDICTS[one.verdict][1])
            for one in lines
        ],
        "absent": [(one.bill, one.reference, one.day) for one in compared.absent] if compared else (),
        "held": [
            (one, euros(one.amount_cents), euros(one.found_cents or 0))
            for one in queries.attempts(request.viewer, code, state="held")
        ],
    }
    return render(request, "backoffice/bills/bank.html", context, status=400 if form.errors else 200)


def _decide(request: Request, code: str, do: str) -> None:
    key = row_key(request.POST.get("key", ""))
    if do == "count":
        operations.count_line(request.viewer, code, key, at=now())
    else:
        reason = request.POST.get("reason", "")
        operations.decide_held(request.viewer, code, key, count=do == "held", reason=reason, at=now())


@open_to(*AGENTS)
@require_safe
def ledger(request: HttpRequest, year: int) -> HttpResponse:
    """Give the ledger of a year as a file, leg by leg."""
    request = cast(Request, request)
    if not 2000 <= year <= 2100:
        raise Http404
    rows = queries.ledger_rows(request.viewer, code_of(request), year=year)
    return sheet_response(f"grand-livre-{year}.csv", LEDGER_HEADS, rows)


@open_to(*AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """Write who sends the bills, what they must say, how they are paid online."""
    request = cast(Request, request)
    code = code_of(request)
    info = next((one for one in queries.registers(request.viewer, code) if one.slug == slug), None)
    if info is None:
        raise Http404
    kept = {name: getattr(info, name) for name in RegisterForm.base_fields}
    form = RegisterForm(request.POST or None, initial=kept)
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            values["payfip_mode"] = values["payfip_mode"] or "T"
            operations.save_register(request.viewer, code, slug, at=now(), **values)
        except BeffroiError as error:
            form.add_error(error.where if error.where in form.fields else None, told(error))
        else:
            messages.success(request, _("C’est enregistré ; les factures déjà émises ne changent pas."))
            return redirect("backoffice:bills")
    return render(
        request, "backoffice/bills/register.html", {"form": form, "info": info}, status=400 if form.errors else 200
    )
