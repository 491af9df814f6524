"""What a reader asks of a directory: words, facets, open now, near which address. All of it is in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.clock.recurring import weekend_of
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.directories.wording import value_words
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.portal.layer_asked import Moment
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.places.directory import queries
from beffroi.sense.places.directory.queries import Asked, Directory, Found

TEXT, NEAR, OPEN, START = "q", "pres", "ouvert", "debut"
WHEN, FROM, TO = "quand", "du", "au"
MOST_CHOICES = 150
MOMENTS = {
    "aujourdhui": gettext_lazy("Aujourd’hui"),
    "week-end": gettext_lazy("Ce week-end"),
    "semaine": gettext_lazy("Dans les 7 jours"),
    "mois": gettext_lazy("Dans les 30 jours"),
}


class BadPage(BeffroiError):
    """The address asks for a page of a list that cannot be."""


class _Form(forms.Form):
    """Made of what a use case declares; all of it is optional."""

    @cached_property
    def shown(self) -> list[forms.BoundField]:
        """Return the fields, in their order."""
        return list(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader asked, read: its form, what was found, where she is."""

    form: forms.Form
    found: Found
    text: str
    near: Address | None
    is_asked: bool
    start: int


def answer(query: Mapping[str, str], held: Directory, *, hour: Moment, citycode: str) -> Answer:
    """Read the query of a page, and ask the directory.

    Raises:
        BadPage: `debut` is not the rank of a sheet.
    """
    settings = held.settings
    names = [one.name for one in settings.facets if one.kind not in queries.TYPED_KINDS]
    numbers = [one.name for one in settings.facets if one.kind in queries.TYPED_KINDS]
    typed = {name: value for name in numbers if (value := _number(query.get(name, ""))) is not None}
    chosen = {name: query.get(name, "")[:200] for name in names}
    text = query.get(TEXT, "").strip()[:200]
    opened = bool(settings.hours) and query.get(OPEN) == "on"
    span = span_of(query, hour.at) if settings.dates else None
    found = held.found(Asked(text, chosen, hour.is_open if opened else None, typed, span))
    form = _form(held, found, query, chosen, citycode)
    near = None
    if NEAR in form.fields and query.get(NEAR):
        form.is_valid()
        near = form.cleaned_data.get(NEAR)
    when = any(query.get(name) for name in (WHEN, FROM, TO)) if settings.dates else False
    is_asked = bool(text or opened or near or any(chosen.values()) or typed or when)
    return Answer(form, found, text, near if isinstance(near, Address) else None, is_asked, _start(query))


def _form(
    held: Directory, found: Found, query: Mapping[str, str], chosen: Mapping[str, str], citycode: str
) -> forms.Form:
    settings = held.settings
    fields: dict[str, forms.Field] = {
        TEXT: forms.CharField(
            label=gettext_lazy("Que cherchez-vous ?"), required=False, max_length=200,
            help_text=gettext_lazy("Des guillemets gardent les mots ensemble : « école du Lavoir »."),
        )
    }  # fmt: skip
    for facet in settings.facets:
        if facet.kind in queries.TYPED_KINDS:
            fields[facet.name] = forms.IntegerField(label=_(facet.label), required=False, min_value=0, max_value=10_000)
            continue
        values = found.facets.get(facet.name, [])[:MOST_CHOICES]
        listed = [(value, f"{value_words(facet, value)} ({number(count)})") for value, count in values]
        mine = chosen[facet.name]
        if mine and mine not in dict(listed):
            # What was chosen stays chosen, though nothing answers any more.
            listed.append((mine, f"{value_words(facet, mine)} (0)"))
        if listed:
            fields[facet.name] = forms.ChoiceField(
                label=_(facet.label), required=False, choices=[("", _("Tous")), *listed]
            )
    if settings.dates:
        fields |= _date_fields()
    if settings.hours:
        fields[OPEN] = forms.BooleanField(
            label=gettext_lazy("Ouvert maintenant"), required=False,
            help_text=gettext_lazy("Les lieux dont les heures ne sont pas connues ne sont pas montrés."),
        )  # fmt: skip
    if settings.nearest:
        fields[NEAR] = PlaceField(
            label=gettext_lazy("Près de quelle adresse ?"), required=False, citycode=citycode,
            help_text=gettext_lazy("Du plus proche au plus lointain, à pied. L’adresse n’est pas gardée."),
        )  # fmt: skip
    made = type("DirectoryForm", (_Form,), fields)
    # The class has taken its fields out of the table it was made of.
    data: Any = query if set(made.base_fields) & set(query) else None  # type: ignore[attr-defined]
    form: forms.Form = made(data)
    form.label_suffix = ""
    return form


def _date_fields() -> dict[str, forms.Field]:
    day = {"type": "date"}
    return {
        WHEN: forms.ChoiceField(
            label=gettext_lazy("Quand ?"), required=False,
            choices=[("", gettext_lazy("À venir")), *((key, label) for key, label in MOMENTS.items())],
        ),
        FROM: forms.DateField(label=gettext_lazy("Du"), required=False, widget=forms.DateInput(attrs=day)),
        TO: forms.DateField(label=gettext_lazy("Au"), required=False, widget=forms.DateInput(attrs=day)),
    }  # fmt: skip


def span_of(query: Mapping[str, str], at: datetime) -> queries.Span:
    """Return between which instants things must happen: what is chosen, the days given, else from now on for a year."""
    first, last = at, at + timedelta(days=366)
    today = at.date()
    chosen = query.get(WHEN, "")
    if chosen == "aujourdhui":
        last = _midnight(today, 1)
    elif chosen == "week-end":
        saturday, sunday = weekend_of(today)
        first, last = max(at, _midnight(saturday)), _midnight(sunday, 1)
    elif chosen in ("semaine", "mois"):
        last = _midnight(today, 7 if chosen == "semaine" else 30)
    start, end = _day(query.get(FROM, "")), _day(query.get(TO, ""))
    if start is not None:
        first, last = _midnight(start), max(last, _midnight(start, 366)) if end is None and not chosen else last
    if end is not None:
        last = _midnight(end, 1)
    return first, last


def _midnight(day: date, more: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=more), time())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) < 6 else None


def _start(query: Mapping[str, str]) -> int:
    text = query.get(START, "") or "0"
    start = whole_number(text)
    if start is None:
        raise BadPage(
            gettext_noop("« {text} » n’est pas une page de la liste"),
            where=START,
            remedy=gettext_noop("suivez les liens de la liste"),
            text=text[:40],
        )
    return start
