"""What each step of the form shows, and which step is to be mended."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.reports.draft import Draft, lines_for
from beffroi.faces.portal.reports.forms import DetailsForm, MandateForm, NamingForm, ObstacleForm, WhereForm
from beffroi.faces.portal.reports.wording import readers_of, service_names
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.sentences import said
from beffroi.serve.reports import queries
from beffroi.serve.reports.categories import Helpline, OpenCategory
from beffroi.serve.reports.queries import Similar

STEPS = (gettext_noop("Où"), gettext_noop("Quoi"), gettext_noop("Vérifier et envoyer"))
PLACES = {"where": 1, "what": 2, "details": 2, "check": 3}
POPULAR = 8
# What each step shows itself: the rest of what was typed travels hidden.
SHOWN: dict[str, tuple[str, ...]] = {
    "where": (
        *("lat", "lon", "place_object", "zone"),
        *("address", "address_lon", "address_lat", "address_label", "address_choice"),
    ),
    "what": ("category",),
    "details": ("description", "lasting", "expires_on", "photo", "named", "name", "phone"),
    "check": ("email", "key", "mandate", "name", "phone", "reference"),
}
WHERE_FIELDS = {"position": "where", "zone": "where", "address": "where", "feature": "where", "category": "what"}


@dataclass(slots=True)
class Screen:
    """What a step of the form shows: its name, what goes wrong, what was sought."""

    step: str
    problem: str = ""
    problem_at: str = ""
    similar: list[Similar] = field(default_factory=list)
    q: str = ""
    # Shown for what is wrong in it, rather than come to.
    is_wrong: bool = False

    @property
    def number(self) -> int:
        """Return which of the three steps it belongs to."""
        return PLACES[self.step]


def first_wrong(draft: Draft, *, until: str) -> str:
    """Return the first step, up to `until`, whose answers cannot be kept; "" when all can."""
    order = list(PLACES)
    for step in order[: order.index(until) + 1]:
        if any(not form.is_valid() for form in forms_of(draft, step)):
            return step
        if step == "what" and until != "where" and draft.chosen is None:
            return "what"
    return ""


def forms_of(draft: Draft, step: str) -> list[forms.Form]:
    shown: dict[str, list[forms.Form | None]] = {
        "where": [draft.where],
        "details": [draft.words, draft.details, draft.obstacle, draft.naming],
        "check": [draft.mandate, draft.contact],
    }
    return [form for form in shown.get(step, []) if form is not None]


def refused(error: BeffroiError, step: str) -> Screen:
    """Return the step where a refusal of the domain is mended."""
    told = f"{said(error.what)} : {said(error.remedy)}." if error.remedy else f"{said(error.what)}."
    where = error.where if error.where in WHERE_FIELDS or error.where == "photo" else ""
    at = "details" if where == "photo" else WHERE_FIELDS.get(where, step)
    return Screen(at, told[:1].upper() + told[1:], problem_at=error.where)


def context_of(request: Request, draft: Draft, offered: list[OpenCategory], screen: Screen) -> dict[str, Any]:
    chosen, services = draft.chosen, service_names(draft.territory)
    found = queries.found_by_words(offered, screen.q) if screen.q else offered
    unbound = request.method != "POST" or not screen.is_wrong
    return {
        "draft": draft,
        "screen": screen,
        "step_titles": [_(title) for title in STEPS],
        "where": _unbound(draft.where, draft) if unbound else draft.where,
        "words": draft.words,
        "details": _fresh_details(draft) if unbound else draft.details,
        "obstacle": _unbound(draft.obstacle, draft) if unbound and draft.obstacle else draft.obstacle,
        "naming": _unbound(draft.naming, draft) if unbound and draft.naming else draft.naming,
        "contact": draft.contact,
        "mandate": _unbound(draft.mandate, draft) if unbound and draft.mandate else draft.mandate,
        "objects": " ".join(sorted({one.category.object for one in offered if one.category.object})),
        "groups": grouped(found),
        "popular": [] if screen.q or len(found) <= POPULAR else popular(request, found),
        "found_count": len(found),
        "chosen": choice(chosen, services, draft.territory) if chosen else None,
        "choices": [choice(one, services, draft.territory) for one in offered] if screen.step == "where" else [],
        "helplines": helplines_of(offered, chosen),
        "discreet": is_discreet(offered, chosen),
        "hidden": list(draft.hidden(but=_shown_by(draft, screen.step))),
        "key": draft.data.get("key") or secrets.token_urlsafe(24),
        "photos": draft.photo_count() if draft.held else 0,
        "summary": _summary(draft) if screen.step == "check" else [],
        "at": timezone.now(),
        "restricted": chosen is not None and chosen.category.restricted,
    }


def _unbound(form: forms.Form, draft: Draft) -> forms.Form:
    """Return a form with what was typed and without its errors: nobody is reproached for a page just opened."""
    initial = {name: draft.data.get(name) for name in form.fields if draft.data.get(name)}
    if form is draft.where:
        return WhereForm(initial=initial, citycode=draft.territory)
    if isinstance(form, MandateForm):
        return MandateForm(initial=initial, for_agent=form.for_agent)
    return type(form)(initial=initial)


def _fresh_details(draft: Draft) -> DetailsForm | None:
    if draft.chosen is None:
        return None
    initial = {name: value for name, value in draft.data.items() if name.startswith("d_") and value}
    return DetailsForm(draft.category, initial=initial, lines=lines_for(draft.category, draft.territory))


def _shown_by(draft: Draft, step: str) -> tuple[str, ...]:
    """Return the fields that a step shows itself; a name is asked for at one step or another, never at two."""
    if step == "check" and draft.mandate is None:
        return tuple(name for name in SHOWN[step] if name not in ("name", "phone"))
    if step == "details" and draft.naming is None:
        return tuple(name for name in SHOWN[step] if name not in ("named", "name", "phone"))
    return SHOWN[step]


def helplines_of(offered: list[OpenCategory], chosen: OpenCategory | None) -> list[Helpline]:
    """Return whom to call before anything is asked: as the category says, or as all those of the page say."""
    about = [chosen] if chosen else offered
    if not all(one.category.helpline for one in about):
        return []
    return list({one.number: one for category in about for one in category.category.helpline}.values())


def is_discreet(offered: list[OpenCategory], chosen: OpenCategory | None) -> bool:
    """Tell whether all that this page may send is discreet: left at once, and kept nowhere."""
    about = [chosen] if chosen else offered
    return bool(about) and all(one.category.discreet for one in about)


@dataclass(frozen=True, slots=True)
class Choice:
    """A category as the form shows it."""

    code: str
    label: str
    help: str
    photo: str
    geometry: str
    readers: str
    form: DetailsForm
    obstacle: ObstacleForm | None
    naming: NamingForm | None
    restricted: bool
    discreet: bool
    helplines: tuple[Helpline, ...]


def choice(one: OpenCategory, services: Mapping[str, str], territory: str) -> Choice:
    """Return a category as the form shows it, its questions unanswered; `services` are names by slug."""
    category = one.category
    return Choice(
        code=category.code,
        label=_(category.label),
        help=_(category.help) if category.help else "",
        photo=category.photo,
        geometry=category.geometry,
        readers=readers_of(category, services.get(category.service, category.service)),
        form=DetailsForm(category, lines=lines_for(category, territory)),
        obstacle=ObstacleForm() if category.obstacle else None,
        naming=NamingForm(auto_id=f"id_{category.code}_%s") if category.discreet else None,
        restricted=category.restricted,
        discreet=category.discreet,
        helplines=category.helpline,
    )


def grouped(found: Iterable[OpenCategory]) -> list[tuple[str, list[OpenCategory]]]:
    """Return categories by group, in the order of their files."""
    return [
        (_(name) if name else _("Autres"), list(members))
        for name, members in groupby(found, key=lambda one: one.category.group)
    ]


def popular(request: Request, found: list[OpenCategory]) -> list[OpenCategory]:
    """Return the categories most used in the town of late, then those its files name first; restricted ones aside."""
    counts = queries.popular_categories(territory_of(request), at=timezone.now())
    open_ones = [one for one in found if not one.category.restricted]
    return sorted(open_ones, key=lambda one: -counts.get(one.category.code, 0))[:POPULAR]


def _summary(draft: Draft) -> list[tuple[str, str, str]]:
    """Return what will be sent as (title, text, step where it is changed)."""
    first_wrong(draft, until="details")
    place, lines = draft.where.cleaned_data, []
    here = place["address"].label if place.get("address") else ""
    if place.get("lat") is not None:
        point = _("{lat}, {lon}").format(lat=f"{place['lat']:.5f}", lon=f"{place['lon']:.5f}")
        here = here or point
    lines.append((_("Lieu"), here or _("la zone dessinée"), "where"))
    lines.append((_("Catégorie"), _(draft.category.label), "what"))
    for bound in (form for form in (draft.details, draft.obstacle, draft.naming) if form is not None):
        for one in bound:
            value = bound.cleaned_data.get(one.name)
            if value not in (None, "", False):
                shown = dict(getattr(one.field, "choices", ())).get(value, value)
                lines.append((str(one.label), _("oui") if shown is True else str(shown), "details"))
    if words := draft.words.cleaned_data.get("description"):
        lines.append((_("Vos mots"), words, "details"))
    return lines


def similar_to(request: Request, draft: Draft) -> list[Similar]:
    """Return the open reports that may be the one being written."""
    place = draft.where.cleaned_data
    if place.get("lon") is None:
        return []
    dataset, _slash, feature = (place.get("place_object") or "").partition("/")
    return queries.similar_reports(
        request.viewer,
        draft.territory,
        category=draft.category.code,
        lon=place["lon"],
        lat=place["lat"],
        at=timezone.now(),
        text=draft.words.cleaned_data.get("description", ""),
        feature=feature if dataset == draft.category.object else "",
    )
