"""`/agent/webhooks/`: which other software is told of what happens to public requests, and whether it heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import row_key
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import webhooks
from beffroi.serve.cases.events import KINDS

SHOWN = 20
TITLES = {
    "case.opened": gettext_noop("Reçu"),
    "case.accepted": gettext_noop("Pris en charge"),
    "case.scheduled": gettext_noop("Intervention prévue"),
    "case.closed": gettext_noop("Clos"),
    "case.reopened": gettext_noop("Rouvert"),
}


class WebhookForm(forms.Form):
    """Whom to tell, and of what; of everything when nothing is ticked."""

    url = forms.CharField(
        label=gettext_lazy("Adresse du logiciel à prévenir"),
        help_text=gettext_lazy("Une adresse publique, en https de préférence."),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Ne dire que"),
        choices=[(name, gettext_lazy(TITLES[name])) for name in KINDS if name in TITLES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


@open_to(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show the webhooks of the town with their last deliveries; add one, remove one, wake one that sleeps."""
    request = cast(Request, request)
    form, secret, status = WebhookForm(), "", 200
    if request.method == "POST":
        act = request.POST.get("do", "")
        if act == "add":
            form = WebhookForm(request.POST)
            secret = _added(request, form)
            status = 200 if secret else 400
        else:
            return _done(request, act)
    territory = request.commune.code if request.commune else ""
    hooks = webhooks.webhooks(request.viewer, territory)
    context = {
        "form": form if not secret else WebhookForm(),
        "secret": secret,
        "hooks": [
            {
                "one": one,
                "kinds": [_(TITLES.get(kind, kind)) for kind in one.kinds],
                "deliveries": webhooks.webhook_deliveries(request.viewer, territory, one.id, limit=SHOWN),
            }
            for one in hooks
        ],
    }
    response = render(request, "backoffice/webhooks.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _added(request: Request, form: WebhookForm) -> str:
    """Return the secret of the webhook added, "" when the form says what is wrong."""
    if not form.is_valid() or request.commune is None:
        return ""
    try:
        _id, secret = webhooks.add_webhook(
            territory=request.commune.code, by=request.viewer, at=timezone.now(), **form.cleaned_data
        )
    except BeffroiError as fault:
        form.add_error("url", f"{said(fault.what)} ; {said(fault.remedy)}.")
        return ""
    return secret


Act = Callable[..., None]
ACTS: Mapping[str, tuple[Act, Any]] = {
    "remove": (webhooks.remove_webhook, gettext_lazy("Le webhook est retiré.")),
    "wake": (webhooks.wake_webhook, gettext_lazy("Il est réveillé : ce qui arrive lui sera dit de nouveau.")),
}


def _done(request: Request, act: str) -> HttpResponse:
    number = row_key(request.POST.get("id", ""))
    if act in ACTS and number and request.commune is not None:
        run, words = ACTS[act]
        run(webhook_id=number, territory=request.commune.code, by=request.viewer, at=timezone.now())
        messages.success(request, str(words))
    return redirect("backoffice:webhooks")


urlpatterns = [path("webhooks/", page, name="webhooks")]
