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
from beffroi.serve.offers.engine import PROPOSALS, ProposalsSettings, proposals_rules


class ProposalForm(forms.Form):
    """A place and what it gives. `site_web` stays empty: only programs fill it in."""

    nom = forms.CharField(label=gettext_lazy("Nom du lieu"), max_length=120)
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Les services que vous rendez"), widget=forms.CheckboxSelectMultiple
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
    conditions_acces = forms.CharField(
        label=gettext_lazy("Conditions"), required=False, max_length=300,
        help_text=gettext_lazy("Par exemple : sans achat, réservé aux clients, 50 centimes la page."),
    )  # fmt: skip
    telephone = forms.CharField(
        label=gettext_lazy("Téléphone du lieu"), required=False, max_length=30, help_text=gettext_lazy("Public.")
    )
    contact = forms.CharField(
        label=gettext_lazy("Pour vous répondre"), required=False, max_length=120,
        help_text=gettext_lazy("Courriel ou téléphone, lu du seul service, effacé une fois la réponse donnée."),
    )  # fmt: skip
    site_web = forms.CharField(required=False, widget=forms.HiddenInput)


class NeedForm(forms.Form):
    """A service someone lacks, and where. Nothing of who asks is kept but the street."""

    services = forms.ChoiceField(label=gettext_lazy("Le service qui manque"))
    adresse = AddressField(
        label=gettext_lazy("Près de quelle adresse ?"),
        help_text=gettext_lazy("Seuls la rue et un carré de 100 m sont gardés, jamais le numéro."),
    )
    description = forms.CharField(
        label=gettext_lazy("Précisions"), required=False, max_length=600, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Tout le monde le lira : n’écrivez ni nom, ni téléphone."),
    )  # fmt: skip
    site_web = forms.CharField(required=False, widget=forms.HiddenInput)


@open_to(EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def proposal_new(request: HttpRequest, use_case: str) -> HttpResponse:
    """Show the form of a place that asks to stand in a directory, and keep what is sent for its service."""
    request = cast(Request, request)
    service = service_of_engine(request, use_case, PROPOSALS)
    territory = territory_of(request)
    rules = proposals_rules(territory, use_case)
    if service is None or rules is None:
        raise Http404
    form = _form(request, service.use_case.settings[ENGINE], rules)
    sent = False
    if request.method == "POST" and form.is_valid():
        sent = bool(form.cleaned_data["site_web"]) or _send(form, territory, use_case)
    context = {"form": form, "service": service.use_case, "rules": rules, "sent": sent}
    return render(request, "portal/directories/propose.html", context, status=400 if form.errors else 200)


def _form(request: Request, settings: DirectorySettings, rules: ProposalsSettings) -> forms.Form:
    form = (NeedForm if rules.need else ProposalForm)(request.POST or None)
    form.label_suffix = ""
    known = next((one.choices for one in settings.facets if one.kind == "list"), {})
    choices = [(code, _(label)) for code, label in known.items()]
    services = cast(forms.ChoiceField, form.fields["services"])
    services.choices = [("", _("Choisissez")), *choices] if rules.need else choices
    if rules.label:
        services.label = _(rules.label)
    cast(AddressField, form.fields["adresse"]).citycode = territory_of(request)
    return form


def _send(form: forms.Form, territory: str, use_case: str) -> bool:
    told: dict[str, Any] = dict(form.cleaned_data)
    place, contact = told.pop("adresse"), told.pop("contact", "")
    told.pop("site_web")
    asked = told.pop("services")
    labels = dict(cast(forms.ChoiceField, form.fields["services"]).choices)  # type: ignore[arg-type]
    named = {} if "nom" in told else {"nom": str(labels[asked])}
    values = {
        **{key: str(value) for key, value in told.items()},
        **named,
        "services": asked if isinstance(asked, str) else "; ".join(asked),
        "adresse": place.label,
    }
    try:
        proposals.send_proposal(
            territory, use_case, lon=place.lon, lat=place.lat, contact=contact, at=now(), values=values
        )
    except BeffroiError as error:
        form.add_error(
            error.where if error.where in form.fields else None, f"{said(error.what)} ; {said(error.remedy)}."
        )
        return False
    return True


urlpatterns: list[URLPattern] = [
    path("annuaires/<slug:use_case>/inscrire/", proposal_new, name="proposal-new"),
]
