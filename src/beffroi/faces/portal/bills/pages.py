"""The pages of bills: those of one's family, one of them with its paper, and the way to pay it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.own_requests import RequestLine, Section, request_section
from beffroi.faces.shell.access import EVERYONE, SIGNED_IN, Request, open_to
from beffroi.faces.shell.bills import (
    bill_pdf,
    kind_words,
    line_cells,
    mentions,
    month_words,
    move_cells,
    standing_words,
    ways_to_pay,
)
from beffroi.faces.shell.sentences import said
from beffroi.serve.payments import operations, queries
from beffroi.serve.payments.definition import BillInfo, euros
from beffroi.serve.payments.queries import rules_of

UNDER_WAY = timedelta(minutes=20)
STATES = {
    "started": (gettext_lazy("En attente de la réponse de la banque"), "wait"),
    "paid": (gettext_lazy("Paiement reçu"), "good"),
    "refused": (gettext_lazy("Paiement refusé par la banque"), "bad"),
    "abandoned": (gettext_lazy("Paiement abandonné"), "done"),
    "expired": (gettext_lazy("Paiement non effectué"), "done"),
    "failed": (gettext_lazy("Paiement non effectué"), "bad"),
    "held": (gettext_lazy("Paiement en cours de vérification par le service"), "warn"),
    "dismissed": (gettext_lazy("Paiement non retenu"), "bad"),
}


def has_bills(request: Request) -> bool:
    """Tell whether the town of the page bills anything here."""
    return bool(rules_of(territory_of(request)))


class LinkForm(forms.Form):
    """The reference and the code printed on a bill."""

    reference = forms.CharField(
        label=gettext_lazy("Référence de la famille"),
        max_length=20,
        help_text=gettext_lazy("En haut de la facture, par exemple F-1042."),
    )
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        help_text=gettext_lazy("En bas de la facture, douze lettres et chiffres."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def bills(request: HttpRequest) -> HttpResponse:
    """List the bills of one's families; the code of a paper bill brings in those of another."""
    request = cast(Request, request)
    if not has_bills(request):
        raise Http404
    territory = territory_of(request)
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.link_by_code(request.viewer, territory, at=now(), **form.cleaned_data)
        except BeffroiError as error:
            form.add_error("code", f"{said(error.what)} ; {said(error.remedy)}.")
        else:
            messages.success(request, _("Vos factures sont ici."))
            return redirect("portal:bills")
    families = queries.own_families(request.viewer, territory)
    lines = [_told(one) for one in queries.own_bills(request.viewer, territory)]
    context = {
        "form": form,
        "families": [(one, euros(one.credit_cents)) for one in families],
        "lines": lines,
        "due": euros(sum(max(line["info"].due_cents, 0) for line in lines)),
        "owes": any(line["info"].due_cents > 0 for line in lines),
    }
    return _private(render(request, "portal/bills/list.html", context, status=400 if form.errors else 200))


def _told(info: BillInfo) -> dict[str, Any]:
    words, kind = standing_words(info, timezone.localdate())
    return {"info": info, "month": month_words(info.month), "kind": kind_words(info), "state": words, "tag": kind}


@open_to(SIGNED_IN)
@require_safe
def bill(request: HttpRequest, number: int) -> HttpResponse:
    """Show a bill: what for, what the law says, how to pay, what was paid."""
    request = cast(Request, request)
    info = queries.bill(request.viewer, territory_of(request), number)
    context = _told(info) | {
        "lines": [line_cells(one) for one in info.lines],
        "moves": [move_cells(one) for one in info.moves],
        "mentions": mentions(info, rules_of(info.territory)),
        "ways": ways_to_pay(info),
        "may_pay": info.due_cents > 0 and not info.is_cancelled and bool(info.register.gateway),
        "under_way": queries.is_being_paid(info.id, since=now() - UNDER_WAY),
    }
    return _private(render(request, "portal/bills/one.html", context))


@open_to(SIGNED_IN)
@require_safe
def bill_paper(request: HttpRequest, number: int) -> HttpResponse:
    """Give a bill as a PDF."""
    request = cast(Request, request)
    territory = territory_of(request)
    info = queries.bill(request.viewer, territory, number)
    if request.commune is None:
        raise Http404
    code = queries.family_code(request.viewer, territory, info.family_id)
    content = bill_pdf(info, town=request.commune, rules=rules_of(territory), reference=info.family, code=code)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="facture-{info.number}.pdf"'
    return _private(response)


# --- Paying ----------------------------------------------------------------------------------------------------------


@open_to(SIGNED_IN)
@require_POST
def pay(request: HttpRequest, number: int) -> HttpResponse:
    """Open an operation at the gateway, and lead to the page that says where one goes."""
    request = cast(Request, request)
    try:
        going = operations.start_payment(request.viewer, territory_of(request), number, at=now())
    except BeffroiError as error:
        if error.http_status == 404:
            raise
        messages.error(request, f"{said(error.what)} ; {said(error.remedy)}.")
        return redirect("portal:bill", number)
    return redirect("portal:payment", going.token)


@open_to(EVERYONE)
@require_safe
def payment(request: HttpRequest, token: str) -> HttpResponse:
    """Say where an attempt stands, by the token its payer was told: the way to the gateway, then what it said."""
    request = cast(Request, request)
    told = operations.attempt_of(token)
    words, kind = STATES[told.state]
    context = {
        "told": told,
        "amount": euros(told.amount_cents),
        "state": words,
        "tag": kind,
        "gateway_url": operations.gateway_page(told) if told.state == "started" else "",
        "is_sandbox": told.gateway == "sandbox",
    }
    return _private(render(request, "portal/bills/payment.html", context))


@open_to(EVERYONE)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def payment_return(request: HttpRequest, token: str) -> HttpResponse:
    """Come back from the gateway, by a link or by a form it sends: ask it what happened, then say so."""
    told = operations.attempt_of(token)
    operations.resolve(told.id, at=now())
    return redirect("portal:payment", token)


# The gateway calls it, without any session; nothing it says is believed: it is asked in return.
@csrf_exempt
@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def notification(request: HttpRequest) -> HttpResponse:
    """Hear that something happened to an operation (`idop`, in the address or in the form)."""
    given = request.POST or request.GET
    name = given.get("idop") or given.get("idOp") or ""
    operations.notify(name, at=now())
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def sandbox(request: HttpRequest, operation: str) -> HttpResponse:
    """Stand for the bank in a fictional town: what is pressed here is what a gateway would say."""
    told = operations.sandbox_operation(operation)
    if request.method == "POST":
        press = request.POST.get("do", "")
        outcome, cents = {
            "pay": ("paid", None),
            "silent": ("paid", None),
            "less": ("paid", max(told.amount_cents - 100, 1)),
            "refuse": ("refused", None),
        }.get(press, ("abandoned", None))
        operations.press_sandbox(operation, outcome, cents=cents)
        attempt = operations.attempt_of_operation("sandbox", operation)
        if press != "silent":
            operations.notify(operation, at=now())
        return redirect("portal:payment", attempt.token)
    context = {"told": told, "amount": euros(told.amount_cents)}
    return _private(render(request, "portal/bills/sandbox.html", context))


def _private(response: HttpResponse) -> HttpResponse:
    """Let no cache keep what a family owes, and no other site learn the address."""
    response.headers["Cache-Control"] = "no-store"
    return response


@request_section("bills", rank=30)
def own(request: Request) -> Section:
    """Return the bills of this person's families, for « Mes demandes »."""
    if not queries.is_anywhere():
        return Section(_("Mes factures"), ())
    lines = []
    for info in queries.own_bills(request.viewer, territory_of(request)):
        words, kind = standing_words(info, timezone.localdate())
        detail = f"{info.number} · {info.total}"
        awaited = _("Payez-la en ligne ou par un autre moyen.") if info.due_cents > 0 and not info.is_cancelled else ""
        title = _("{kind}, {month}").format(kind=kind_words(info), month=month_words(info.month).lower())
        lines.append(
            RequestLine(title, reverse("portal:bill", args=[info.id]), _noon(info), words, kind, detail, awaited)
        )
    url = reverse("portal:bills") if lines or has_bills(request) else ""
    return Section(_("Mes factures"), lines, url, _("Toutes mes factures") if lines else _("Retrouver mes factures"))


def _noon(info: BillInfo) -> datetime:
    return datetime.combine(info.issued_on, time(12), tzinfo=timezone.get_current_timezone())


urlpatterns: list[URLPattern] = [
    path("factures/", bills, name="bills"),
    path("factures/<int:number>/", bill, name="bill"),
    path("factures/<int:number>/facture.pdf", bill_paper, name="bill-paper"),
    path("factures/<int:number>/payer/", pay, name="bill-pay"),
    path("paiement/notification/", notification, name="payment-notification"),
    path("paiement/<str:token>/", payment, name="payment"),
    path("paiement/<str:token>/retour/", payment_return, name="payment-return"),
    path("paiement/bac-a-sable/<str:operation>/", sandbox, name="payment-sandbox"),
]
