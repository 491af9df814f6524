"""`/regles/`: what applies at a point of the town, in sentences: zone, prescriptions, easements, risks, the unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext
from django.views.decorators.http import require_safe

from beffroi.faces.portal.directory import count_opening, service_of_engine, territory_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.addresses import Address, AddressField, as_typed, nearest_label
from beffroi.faces.shell.places import PlaceForm
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.planning import queries
from beffroi.sense.planning.queries import Applied, How, Kind, Rule, RulesHere

ENGINE = "planning"
TITLES = {
    Kind.PARCEL: gettext_noop("Parcelle"),
    Kind.ZONE: gettext_noop("Zone du plan local d’urbanisme"),
    Kind.PRESCRIPTION: gettext_noop("Prescriptions"),
    Kind.INFORMATION: gettext_noop("Périmètres d’information"),
    Kind.EASEMENT: gettext_noop("Servitudes et patrimoine"),
    Kind.RISK: gettext_noop("Risques"),
    Kind.DISTRICT: gettext_noop("Quartier prioritaire"),
}
NONE = {
    Kind.PARCEL: gettext_noop("Ce point n’est dans aucune parcelle : c’est sans doute le domaine public."),
    Kind.ZONE: gettext_noop("Aucune zone publiée ne contient ce point : demandez en mairie quelle règle s’y applique."),
    Kind.PRESCRIPTION: gettext_noop("Aucune prescription publiée n’atteint ce point ni sa parcelle."),
    Kind.INFORMATION: gettext_noop("Aucun périmètre publié ne contient ce point."),
    Kind.EASEMENT: gettext_noop("Aucune servitude publiée n’atteint ce point ni sa parcelle."),
    Kind.RISK: gettext_noop(
        "Ce point n’est dans aucune zone publiée d’un plan de prévention : cela ne dit pas qu’il est sans risque."
    ),
    Kind.DISTRICT: gettext_noop("Ce point n’est pas dans un quartier prioritaire."),
}
UNKNOWN = {
    Kind.PARCEL: gettext_noop("le cadastre"),
    Kind.ZONE: gettext_noop("les zones du plan local d’urbanisme"),
    Kind.PRESCRIPTION: gettext_noop("les prescriptions du plan"),
    Kind.INFORMATION: gettext_noop("les périmètres d’information du plan"),
    Kind.EASEMENT: gettext_noop("les servitudes d’utilité publique et le patrimoine protégé"),
    Kind.RISK: gettext_noop("les plans de prévention des risques"),
    Kind.DISTRICT: gettext_noop("les quartiers prioritaires"),
}
_PAGE = re.compile(r"#page=(\d+)$")


class RulesForm(PlaceForm):
    """An address, or a point of the map."""

    adresse = AddressField(
        label=gettext_lazy("Adresse"), required=False, help_text=gettext_lazy("Ou touchez la carte, plus bas.")
    )
    place_object = None
    zone = None
    field_order = ("adresse", "lat", "lon")

    def clean(self) -> dict[str, Any]:
        """Take the point of an address written in full; one proposed by the page has already moved the point."""
        values = super().clean()
        address, typed = values.get("adresse"), as_typed(self.data_of_address())
        if isinstance(address, Address) and (values.get("lon") is None or not typed.label):
            values |= {"lon": address.lon, "lat": address.lat}
            for name in ("lon", "lat"):
                self.errors.pop(name, None)
        return values

    def data_of_address(self) -> Any:
        """Return what the field of the address sent."""
        return self["adresse"].value()


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as it is read; `file` is its text where no address is published, `url` where one is."""

    name: str
    url: str
    sentences: tuple[str, ...]
    reach: str
    file: str
    file_url: str
    page: str


@dataclass(frozen=True, slots=True)
class Section:
    """The rules of a kind; `none` is said when there is none. The source is told with its day."""

    kind: str
    title: str
    lines: tuple[Line, ...]
    none: str
    source: str
    updated_at: datetime
    licence: str
    url: str


def sections_of(here: RulesHere) -> list[Section]:
    """Return what was found at a point by kind, in the order one reads a plan."""
    told = []
    for kind, summary in here.sources.items():
        # The first 500 shapes of a box say what is there, not that nothing else is.
        cut = _("Trop d’objets sont publiés ici pour les lire tous : il peut y en avoir d’autres.")
        told.append(
            Section(
                kind.value,
                _(TITLES[kind]),
                tuple(_line(one) for one in here.found.get(kind, ())),
                cut if kind in here.cut else _(NONE[kind]),
                summary.producer,
                summary.updated_at,
                summary.licence,
                reverse("portal:dataset", args=[summary.ref.territory, summary.ref.slug]),
            )
        )
    return told


def _line(one: Applied) -> Line:
    rule = one.rule
    page = _PAGE.search(rule.file)
    parts = [sentence for sentence in (*_what(rule), *_founded(rule)) if sentence]
    return Line(
        _named(rule),
        reverse("portal:sheet", args=[one.ref.territory, one.ref.slug, one.id]),
        tuple(parts),
        _reach(one),
        _PAGE.sub("", rule.file),
        rule.url if rule.url.startswith(("https://", "http://")) else "",
        page[1] if page else "",
    )


def _named(rule: Rule) -> str:
    if rule.kind is Kind.ZONE:
        return _("Zone {name}").format(name=rule.name)
    if rule.kind is Kind.PARCEL:
        return _("Parcelle {name}").format(name=rule.name)
    return rule.name or _("Sans nom")


def _what(rule: Rule) -> tuple[str, ...]:
    """Return what a rule says, each part a sentence that does not say again what another does."""
    if rule.kind is Kind.PARCEL:
        area = _("Contenance au registre : {n} m².").format(n=number(round(rule.area_m2))) if rule.area_m2 else ""
        return _("Numéro {id}.").format(id=rule.details) if rule.details else "", area
    if rule.height_m is not None:
        return (_("Hauteur maximale : {n} m.").format(n=number(rule.height_m)),)
    said = [rule.details, rule.category]
    kept = [text for rank, text in enumerate(said) if text and text.casefold() not in rule.name.casefold()]
    return tuple(text[:1].upper() + text[1:].rstrip(".") + "." for text in dict.fromkeys(kept))


def _founded(rule: Rule) -> tuple[str, ...]:
    articles = ""
    if rule.articles:
        listed = ", ".join(rule.articles)
        articles = ngettext(
            "Article {articles} du code de l’urbanisme.", "Articles {articles} du code de l’urbanisme.",
            len(rule.articles),
        ).format(articles=listed)  # fmt: skip
    return articles, _dated(rule)


def _dated(rule: Rule) -> str:
    if rule.dated is None:
        return _("La date de ce document n’est pas publiée.") if rule.kind in (Kind.ZONE, Kind.PRESCRIPTION) else ""
    day = date_format(rule.dated, "j F Y")
    if rule.kind is Kind.EASEMENT:
        act = rule.act or _("Acte")
        return _("{act} du {day}.").format(act=act[:1].upper() + act[1:], day=day)
    if rule.kind is Kind.PARCEL:
        return _("Parcelle à jour au {day}.").format(day=day)
    if rule.kind is Kind.RISK:
        return _("Plan daté du {day}.").format(day=day)
    return _("Document approuvé le {day}.").format(day=day)


def _reach(one: Applied) -> str:
    if one.reach.how is How.EDGE:
        return _("À la limite, à moins d’un mètre : le plan ne permet pas de trancher.")
    if one.reach.how is How.NEAR:
        return _("À {n} m de ce point.").format(n=number(max(1, round(one.reach.away_m))))
    if one.reach.how is How.PARCEL:
        return _("Ailleurs sur la parcelle, pas à ce point.")
    return ""


def lead_of(here: RulesHere) -> str:
    """Return the answer in one sentence: the zone, the height written there, how many other rules reach the point."""
    zones = [one.rule.name for one in here.found.get(Kind.ZONE, ()) if one.reach.how is not How.PARCEL]
    others = sum(len(here.found.get(kind, ())) for kind in (Kind.PRESCRIPTION, Kind.EASEMENT, Kind.RISK))
    first = ngettext("Ce point est en zone {zones}", "Ce point est entre les zones {zones}", max(1, len(zones)))
    start = first.format(zones=_(" et ").join(zones)) if zones else _("Aucune zone publiée ne contient ce point")
    height = _(" ; la hauteur y est limitée à {n} m").format(n=number(here.height_m)) if here.height_m else ""
    more = ngettext(
        "{n} prescription, servitude ou risque s’y ajoute.", "{n} prescriptions, servitudes et risques s’y ajoutent.",
        others,
    ).format(n=number(others))  # fmt: skip
    return f"{start}{height}. {more if others else ''}".strip()


@open_to(EVERYONE)
@require_safe
def rules(request: HttpRequest, use_case: str) -> HttpResponse:
    """Tell what applies at an address or at a point (`lat`, `lon`), and what nobody published; nothing is kept."""
    request = cast(Request, request)
    found = service_of_engine(request, use_case, ENGINE)
    if found is None or not request.commune:
        raise Http404
    asked = any(request.GET.get(name, "").strip() for name in ("adresse", "lat", "lon"))
    form = RulesForm(request.GET if asked else None, within=request.commune.bbox)
    cast(AddressField, form.fields["adresse"]).citycode = territory_of(request)
    # Without an address, the point is wanted; with one, it is where the point is.
    form.place_required = not request.GET.get("adresse", "").strip()
    context: dict[str, object] = {"service": found.use_case, "form": form}
    if asked and form.is_valid():
        context |= _answer(request, form, found.use_case.settings[ENGINE])
        count_opening(request, found)
    return render(request, "portal/rules.html", context, status=400 if asked and form.errors else 200)


def _answer(request: Request, form: RulesForm, settings: queries.RulesSettings) -> dict[str, object]:
    lon, lat = form.cleaned_data["lon"], form.cleaned_data["lat"]
    here = queries.rules_at(request.viewer, territory_of(request), lon=lon, lat=lat, settings=settings)
    address = form.cleaned_data.get("adresse")
    return {
        "here": here,
        "label": address.label if isinstance(address, Address) else nearest_label(lon, lat),
        "lead": lead_of(here),
        "sections": sections_of(here),
        "unknown": [_(UNKNOWN[kind]) for kind in here.unknown],
        "lon": lon,
        "lat": lat,
    }


urlpatterns = [path("regles/<slug:use_case>/", rules, name="rules")]
