"""`/agent/accessibilite/`: the works and the measurements that would help most of those who move with difficulty."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.sheets import sheet_response
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.coverage.worth import Worth, worth_doing
from beffroi.sense.mobility.vocabulary import Attribute
from beffroi.sense.mobility.words import barrier

NEEDS = {
    Attribute.WIDTH: gettext_noop("largeur"),
    Attribute.SURFACE: gettext_noop("sol"),
    Attribute.SLOPE: gettext_noop("pente"),
    Attribute.KERB: gettext_noop("ressauts"),
    Attribute.LIGHT: gettext_noop("éclairage"),
    Attribute.STAIRS: gettext_noop("marches"),
}
PROFILES = ("fauteuil-manuel", "fauteuil-electrique", "marche-difficile", "malvoyance", "poussette")


class WorthForm(forms.Form):
    """For whom."""

    profil = forms.ChoiceField(label=gettext_lazy("Pour qui"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {one.slug: one.title for one in mobility.profiles()}
        field = cast(forms.ChoiceField, self.fields["profil"])
        field.choices = [(slug, known[slug]) for slug in PROFILES if slug in known]


@open_to(Role.AGENT, Role.ADMINISTRATOR)
@require_safe
def worth(request: HttpRequest) -> HttpResponse:
    """Show the single barriers worth removing and the streets worth measuring; `?csv` gives them as a file."""
    request = cast(Request, request)
    territory = request.commune.code if request.commune else ""
    form = WorthForm({"profil": request.GET.get("profil", PROFILES[0])})
    context: dict[str, Any] = {"form": form}
    if not form.is_valid():
        return render(request, "backoffice/worth.html", context, status=400)
    try:
        found = worth_doing(territory, profile=mobility.profile(form.cleaned_data["profil"]), at=now())
    except BeffroiError as error:
        context["problem"] = error
        return render(request, "backoffice/worth.html", context, status=error.http_status)
    works, measures = _works(found), _measures(found)
    if "csv" in request.GET:
        heads = [_("genre"), _("quoi"), _("longitude"), _("latitude"), _("ouvre la route à"), _("gagne ou concerne")]
        rows = [[_("travaux"), one["said"], one["lon"], one["lat"], one["opens"], one["saved"]] for one in works]
        rows += [[_("relevé"), f"{one['street']} : {one['missing']}", one["lon"], one["lat"], one["unlocks"],
                  one["passing"]] for one in measures]  # fmt: skip
        return sheet_response(f"accessibilite-{found.profile.slug}.csv", heads, rows)
    context |= {
        "found": found, "works": works, "measures": measures, "people": round(found.people),
        "stuck": round(found.stuck), "undocumented": round(found.undocumented),
    }  # fmt: skip
    return render(request, "backoffice/worth.html", context)


def _works(found: Worth) -> list[dict[str, Any]]:
    return [
        {"said": said(barrier(one.met)), "lon": round(one.met.lon, 6), "lat": round(one.met.lat, 6),
         "opens": round(one.opens), "saved": round(one.saved_min), "trips": one.trips}
        for one in found.works
    ]  # fmt: skip


def _measures(found: Worth) -> list[dict[str, Any]]:
    return [
        {"street": one.street or _("une rue sans nom"), "missing": ", ".join(_(NEEDS[need]) for need in one.missing),
         "lon": round(one.lon, 6), "lat": round(one.lat, 6), "metres": round(one.length_m),
         "unlocks": round(one.unlocks), "passing": round(one.passing)}
        for one in found.measures
    ]  # fmt: skip


urlpatterns = [path("accessibilite/", worth, name="worth")]
