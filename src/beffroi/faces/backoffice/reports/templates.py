"""`/agent/signalements/reponses/`: words ready to send, kept by each service."""

from __future__ import annotations

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
from beffroi.base.kernel.numbers import row_key
from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.reports.queue import code_of, outcome_choices
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.requests import service_names
from beffroi.faces.shell.sentences import said
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.reports import desk, queries


class TemplateForm(forms.Form):
    """Words ready to send."""

    title = forms.CharField(label=gettext_lazy("Titre, pour la retrouver"), max_length=120)
    text = forms.CharField(
        label=gettext_lazy("Texte"),
        help_text=gettext_lazy("{numero}, {categorie} et {adresse} sont remplacés par ceux du signalement."),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=4000,
    )
    service = forms.ChoiceField(label=gettext_lazy("Service"))
    category = forms.ChoiceField(label=gettext_lazy("Catégorie"), required=False)
    outcome = forms.ChoiceField(label=gettext_lazy("Issue proposée"), required=False)

    def __init__(self, *args: Any, services: list[tuple[str, str]], categories: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["service"]).choices = services
        cast(forms.ChoiceField, self.fields["category"]).choices = [("", _("Toutes")), *categories]
        cast(forms.ChoiceField, self.fields["outcome"]).choices = [("", _("Aucune")), *outcome_choices()]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def templates(request: HttpRequest) -> HttpResponse:
    """List the words ready to send of the reader's services; keep new ones, forget some."""
    request = cast(Request, request)
    viewer, territory, at = request.viewer, code_of(request), timezone.now()
    if forgotten := row_key(request.POST.get("forget", "")):
        desk.delete_template(template_id=forgotten, territory=territory, by=viewer, at=at)
        messages.success(request, _("La réponse type est oubliée."))
        return redirect("backoffice:templates")
    mine, names = case_queries.services_of(viewer, territory), service_names(territory)
    known = [one.category for one in queries.categories_for(viewer, territory) if one.category.service in mine]
    form = TemplateForm(
        request.POST if request.method == "POST" else None,
        services=[(slug, names.get(slug, slug)) for slug in sorted(mine)],
        categories=[(one.code, _(one.label)) for one in known],
    )
    if form.is_valid():
        try:
            desk.save_template(territory=territory, by=viewer, at=at, **form.cleaned_data)
        except BeffroiError as fault:
            form.add_error(None, f"{said(fault.what)} ; {said(fault.remedy)}.")
        else:
            messages.success(request, _("La réponse type est gardée."))
            return redirect("backoffice:templates")
    labels = {one.code: _(one.label) for one in known}
    kept = [
        (one, names.get(one.service, _("Tous les services")), labels.get(one.category, ""))
        for one in desk.templates(viewer, territory)
    ]
    context = {"form": form, "kept": kept, "mine": mine}
    return render(request, "backoffice/reports/templates.html", context, status=400 if form.errors else 200)
