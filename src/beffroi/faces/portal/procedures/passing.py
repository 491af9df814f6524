"""`/demarches/passage/<token>/`: the page of a neighbour or a postman whom a person asked to pass by her home."""

from __future__ import annotations

import secrets
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.procedures import told
from beffroi.serve.procedures import operations, passages


class PassageForm(forms.Form):
    """What was seen from outside."""

    seen = forms.ChoiceField(label=gettext_lazy("Ce que vous avez vu"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Précision"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, seen: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "passage_%s", **kwargs})
        cast(forms.ChoiceField, self.fields["seen"]).choices = [(code, _(words)) for code, words in seen.items()]


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def pass_by(request: HttpRequest, token: str) -> HttpResponse:
    """Show the home to whoever holds its link, while its people are away, and note a passage."""
    request = cast(Request, request)
    at = timezone.now()
    home = passages.home_by_link(token, at)
    form = PassageForm(
        request.POST if request.method == "POST" else None,
        seen=home.rule.choices,
        initial={"key": secrets.token_hex(16)},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            operations.note_by_link(token=token, seen=given["seen"], note=given["note"], key=given["key"], at=at)
        except BeffroiError as fault:
            form.add_error(fault.where if fault.where in form.fields else None, told(fault))
        else:
            messages.success(request, _("Merci : la personne en est prévenue."))
            return redirect("portal:passage", token)
    facts = [(_(label), words) for label, words in passages.asked_of_who_passes(home)]
    context = {"home": home, "facts": facts, "form": form}
    response = render(request, "portal/procedures/passing.html", context, status=400 if form.errors else 200)
    response.headers["Cache-Control"] = "no-store"
    return response
