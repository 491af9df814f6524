"""What a reader asks of a directory: words, facets, open now, near which address. All of it is in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.directories.wording import value_words
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.portal.layer_asked import Moment
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.templatetags.shell import number
from beffroi.sense.places.directory.queries import Asked, Directory, Found

TEXT, NEAR, OPEN, START = "q", "pres", "ouvert", "debut"
MOST_CHOICES = 150


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
    names = [one.name for one in settings.facets]
    chosen = {name: query.get(name, "")[:200] for name in names}
    text = query.get(TEXT, "").strip()[:200]
    opened = bool(settings.hours) and query.get(OPEN) == "on"
    found = held.found(Asked(text, chosen, hour.is_open if opened else None))
    form = _form(held, found, query, chosen, citycode)
    near = None
    if NEAR in form.fields and query.get(NEAR):
        form.is_valid()
        near = form.cleaned_data.get(NEAR)
    is_asked = bool(text or opened or near or any(chosen.values()))
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
