"""The form by which a place asks to stand in a directory: no account, a service looks before anything is public."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import service_of_engine, territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import AddressField
from beffroi.faces.shell.sentences import said
from beffroi.sense.places.directory.queries import ENGINE, DirectorySettings
from beffroi.serve.offers import proposals
from beffroi.serve.offers.engine import PROPOSALS, proposals_rules


class ProposalForm(forms.Form):
    """A place and what it gives for nothing. `site_web` stays empty: only programs fill it in."""

    nom = forms.CharField(label=gettext_lazy("Nom du lieu"), max_length=120)
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Ce que vous offrez gratuitement"), widget=forms.CheckboxSelectMultiple
    )
    adresse = AddressField(label=gettext_lazy("Adresse"), help_text=gettext_lazy("Par exemple : 12 rue du Lavoir."))
    horaires_accueil = forms.CharField(
        label=gettext_lazy("Horaires"), required=False, max_length=200,
        help_text=gettext_lazy("Par exemple : Mo-Fr 09:00-18:00; Sa 10:00-12:00. Sinon, tels quels."),
    )  # fmt: skip
    description = forms.CharField(
        label=gettext_lazy("Précisions"), required=False, max_length=600, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Ce qu’il faut demander, à qui. Tout le monde le lira."),
    )  # fmt: skip
    telephone = forms.CharField(
        label=gettext_lazy("Téléphone du lieu"), required=False, max_length=30, help_text=gettext_lazy("Public.")
    )
    contact = forms.CharField(
        label=gettext_lazy("Pour vous répondre"), required=False, max_length=120,
        help_text=gettext_lazy("Courriel ou téléphone, lu du seul service, effacé une fois la réponse donnée."),
    )  # fmt: skip
    site_web = forms.CharField(required=False, widget=forms.HiddenInput)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def proposal_new(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the form of a place that asks to stand in a directory, and keep what is sent for its service."""
    request = cast(Request, request)
    service = service_of_engine(request, use_case, PROPOSALS)
    territory = territory_of(request)
    if service is None or proposals_rules(territory, use_case) is None:
        raise Http404
    form = _form(request, service.use_case.settings[ENGINE])
    sent = False
    if request.method == "POST" and form.is_valid():
        sent = bool(form.cleaned_data["site_web"]) or _send(form, territory, use_case)
    context = {"form": form, "service": service.use_case, "sent": sent}
    return render(request, "portal/directories/propose.html", context, status=400 if form.errors else 200)


def _form(request: Request, settings: DirectorySettings) -> ProposalForm:
    form = ProposalForm(request.POST or None)
    form.label_suffix = ""
    choices = next((one.choices for one in settings.facets if one.kind == "list"), {})
    form.fields["services"].choices = [(code, _(label)) for code, label in choices.items()]  # type: ignore[attr-defined]
    cast(AddressField, form.fields["adresse"]).citycode = territory_of(request)
    return form


def _send(form: ProposalForm, territory: str, use_case: str) -> bool:
    values: dict[str, Any] = form.cleaned_data
    place = values["adresse"]
    try:
        proposals.send_proposal(
            territory, use_case, lon=place.lon, lat=place.lat, contact=values["contact"], at=now(),
            values={
                **{key: str(values[key]) for key in ("nom", "horaires_accueil", "description", "telephone")},
                "services": "; ".join(values["services"]), "adresse": place.label,
            },
        )  # fmt: skip
    except BeffroiError as error:
        form.add_error(
            error.where if error.where in form.fields else None, f"{said(error.what)} ; {said(error.remedy)}."
        )
        return False
    return True


urlpatterns: list[URLPattern] = [
    path("annuaires/<slug:use_case>/inscrire/", proposal_new, name="proposal-new"),
]
