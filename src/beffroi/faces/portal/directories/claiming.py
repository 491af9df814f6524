"""The page by which somebody claims a sheet of a directory, proves it, and tells what it says."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.faces.portal.directory import service_of_engine, territory_of
from beffroi.faces.shell.access import SIGNED_IN, Request, open_to
from beffroi.faces.shell.addresses import Address, AddressField
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.sentences import said
from beffroi.sense.places.directory import queries
from beffroi.sense.places.directory.queries import Sheet, SheetNotFound
from beffroi.serve.offers import claims, kept
from beffroi.serve.offers.claims import CHECK, MAIL, ClaimInfo
from beffroi.serve.offers.engine import CLAIMS, ClaimsSettings, claims_rules
from beffroi.serve.offers.known_addresses import hinted, known_address

WAITING, ACCEPTED = "waiting", "accepted"


class ClaimForm(forms.Form):
    """How one proves that a sheet is hers."""

    how = forms.ChoiceField(label=gettext_lazy("Votre preuve"), widget=forms.RadioSelect)
    proof = forms.CharField(
        label=gettext_lazy("Ce que l’agent peut vérifier"), required=False, max_length=600,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """An agent needs something to check."""
        told = super().clean() or {}
        if told.get("how") == CHECK and not told.get("proof"):
            self.add_error("proof", _("Dites ce qui le prouve : un agent le vérifiera."))
        return told


class CodeForm(forms.Form):
    """The code read in the message."""

    code = forms.CharField(
        label=gettext_lazy("Le code reçu"), max_length=12,
        help_text=gettext_lazy("Six chiffres."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class KeepForm(forms.Form):
    """What a keeper says; all of it is public."""

    description = forms.CharField(
        label=gettext_lazy("Ce qu’on y fait"), required=False, max_length=600,
        widget=forms.Textarea(attrs={"rows": 4}), help_text=gettext_lazy("Pour qui, quand, à quel prix."),
    )  # fmt: skip
    adresse = AddressField(
        label=gettext_lazy("Où l’on vous trouve"), required=False,
        help_text=gettext_lazy("Le lieu des activités, jamais un domicile. Vide : aucun lieu n’est montré."),
    )  # fmt: skip
    horaires = forms.CharField(
        label=gettext_lazy("Horaires"), required=False, max_length=200,
        help_text=gettext_lazy("Par exemple : Mo-Fr 09:00-18:00; Sa 10:00-12:00. Sinon, tels quels."),
    )  # fmt: skip
    telephone = forms.CharField(
        label=gettext_lazy("Téléphone"), required=False, max_length=30, help_text=gettext_lazy("Public.")
    )
    courriel = forms.EmailField(
        label=gettext_lazy("Courriel"), required=False, max_length=254, help_text=gettext_lazy("Public.")
    )
    site_web = forms.URLField(label=gettext_lazy("Site"), required=False, max_length=200, assume_scheme="https")
    stopped = forms.BooleanField(
        label=gettext_lazy("Cette activité a cessé : retirer la fiche de l’annuaire"), required=False
    )


@open_to(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, use_case: str, slug: str, feature_id: str) -> HttpResponse:
    """Show where one stands with a sheet, and do what is asked: claim it, prove it, say what it tells, give it up."""
    request = cast(Request, request)
    service = service_of_engine(request, use_case, CLAIMS)
    territory = territory_of(request)
    rules = claims_rules(territory, use_case)
    if service is None or rules is None:
        raise Http404
    mine = claims.own_claim(request.viewer, territory, slug, feature_id)
    sheet = _sheet(request, service.use_case.settings[queries.ENGINE], use_case, slug, feature_id, mine)
    form = _form(request, rules, mine, slug=slug, sheet=feature_id)
    here = reverse("portal:claim", args=[use_case, slug, feature_id])
    if request.method == "POST":
        try:
            if _done(request, form, mine, use_case=use_case, slug=slug, feature_id=feature_id, title=sheet):
                return redirect(here)
        except BeffroiError as error:
            where = error.where if error.where in form.fields else None
            form.add_error(where, f"{said(error.what)} ; {said(error.remedy)}.")
    context = {
        "service": service.use_case, "rules": rules, "mine": mine, "form": form, "title": sheet,
        "sheet_url": reverse("portal:directory-sheet", args=[use_case, slug, feature_id]),
        "hint": _hint(territory, slug, feature_id, rules),
    }  # fmt: skip
    status = 400 if form.is_bound and form.errors else 200
    return private(render(request, "portal/directories/claim.html", context, status=status))


def _sheet(request: Request, settings: Any, use_case: str, slug: str, feature_id: str, mine: ClaimInfo | None) -> str:
    """Return the title of a sheet; one that its keeper has withdrawn is still hers.

    Raises:
        SheetNotFound: there is none.
    """
    held = queries.directory(request.viewer, territory_of(request), use_case, settings)
    try:
        found: Sheet = held.named(slug, feature_id)[1]
    except SheetNotFound:
        if mine is not None and mine.state == ACCEPTED:
            return mine.title
        raise
    return found.title


def _form(request: Request, rules: ClaimsSettings, mine: ClaimInfo | None, *, slug: str, sheet: str) -> forms.Form:
    data = request.POST if request.method == "POST" and request.POST.get("do") != "give-up" else None
    if mine is not None and mine.state == ACCEPTED:
        form: forms.Form = KeepForm(data, initial=_said(mine), label_suffix="")
        cast(AddressField, form.fields["adresse"]).citycode = territory_of(request)
        return form
    if mine is not None and mine.state == WAITING and mine.how == MAIL and request.POST.get("do") != CHECK:
        return CodeForm(data, label_suffix="")
    form = ClaimForm(data, label_suffix="")
    hint = _hint(territory_of(request), slug, sheet, rules)
    by_mail = [(MAIL, _("Un code envoyé à l’adresse connue, {hint}").format(hint=hint))] if hint else []
    how = cast(forms.ChoiceField, form.fields["how"])
    how.choices = [*by_mail, (CHECK, _("La vérification d’un agent"))]
    how.initial = how.choices[0][0]
    form.fields["proof"].help_text = _(rules.proof)
    return form


def _said(mine: ClaimInfo) -> dict[str, Any]:
    place = mine.values.get("adresse", "")
    where = Address(place, mine.lon, mine.lat) if place and mine.lon is not None and mine.lat is not None else None
    return {**mine.values, "adresse": where, "stopped": mine.values.get("active") is False}


def _hint(territory: str, slug: str, sheet: str, rules: ClaimsSettings) -> str:
    found = known_address(territory, slug, sheet, rules)
    return hinted(found) if found else ""


def _done(
    request: Request, form: forms.Form, mine: ClaimInfo | None, *, use_case: str, slug: str, feature_id: str, title: str
) -> bool:
    """Do what was sent; false when the form has to be mended."""
    viewer, territory, at = request.viewer, territory_of(request), now()
    if request.POST.get("do") == "give-up" and mine is not None:
        claims.give_up(viewer, mine.id, at=at)
        kept.publish_kept(territory, at=at)
        messages.success(request, _("Vous ne tenez plus cette fiche ; ce que vous en disiez n’est plus montré."))
        return True
    if not form.is_valid():
        return False
    told = dict(form.cleaned_data)
    if isinstance(form, CodeForm) and mine is not None:
        claims.confirm_claim(viewer, mine.id, code=told["code"], at=at)
        messages.success(request, _("C’est prouvé : vous tenez cette fiche. Dites maintenant ce qu’elle doit dire."))
        return True
    if isinstance(form, KeepForm) and mine is not None:
        place, stopped = told.pop("adresse"), told.pop("stopped")
        values = {**told, "adresse": place.label if place else ""}
        claims.keep_sheet(
            viewer, mine.id, values=values, lon=place.lon if place else None, lat=place.lat if place else None,
            active=not stopped, at=at,
        )  # fmt: skip
        kept.publish_kept(territory, at=at)
        messages.success(request, _("C’est publié, à la date d’aujourd’hui."))
        return True
    claims.claim_sheet(
        viewer, territory, use_case, slug=slug, sheet=feature_id, title=title, how=told["how"], proof=told["proof"],
        at=at,
    )  # fmt: skip
    return True


urlpatterns: list[URLPattern] = [
    path("annuaires/<slug:use_case>/<slug:slug>/<str:feature_id>/tenir/", claim, name="claim"),
]
