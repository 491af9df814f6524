"""The forms of a report: where, what, and by whom; each category adds its own questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from beffroi.faces.shell.addresses import Address, AddressField
from beffroi.faces.shell.places import PlaceForm
from beffroi.faces.shell.questions import question_field
from beffroi.serve.cases.definition import AGENT_MANDATES, MANDATE_TITLES, MandateKind
from beffroi.serve.reports.categories import Category

MOST_WORDS = 4000
DETAIL = "d_"


class PlaceNameField(AddressField):
    """An address that gives the place, or, once the place is known (`is_placed`), any words that help to find it."""

    is_placed = False

    def to_python(self, value: Any) -> Address | None:
        """Return the address found, or the words with no place of their own."""
        if not self.is_placed:
            return super().to_python(value)
        text = getattr(value, "text", None) or (value if isinstance(value, str) else "")
        return Address(text, math.nan, math.nan) if text else None


class WhereForm(PlaceForm):
    """Where it is: a point, an address, a known object or a zone."""

    address = PlaceNameField(
        label=_("Adresse ou repère"),
        help_text=_("Par exemple : 12 rue du Lavoir."),
        required=False,
    )

    def __init__(self, *args: Any, citycode: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(PlaceNameField, self.fields["address"])
        field.citycode = citycode
        field.is_placed = any(self.data.get(name, "").strip() for name in ("lat", "zone"))
        # An address alone is a place.
        self.place_required = not (field.is_placed or self.data.get("address", "").strip())

    def clean(self) -> dict[str, Any]:
        """Take the place from the address when nothing else gives it."""
        values = super().clean()
        address = values.get("address")
        if values.get("lon") is None and values.get("zone") is None and address is not None:
            values |= {"lon": address.lon, "lat": address.lat}
        return values


class WordsForm(forms.Form):
    """What every report may say, whatever its category."""

    description = forms.CharField(
        label=_("Quelques mots"),
        help_text=_("Ce que l’on voit, depuis quand. Pas de nom ni de numéro de téléphone."),
        max_length=MOST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ObstacleForm(forms.Form):
    """How long an obstacle lasts."""

    lasting = forms.ChoiceField(
        label=_("Combien de temps ?"),
        choices=(("non", _("Il ne va pas durer (travaux, véhicule, dépôt)")), ("oui", _("Il est là pour de bon"))),
        initial="non",
        widget=forms.RadioSelect,
    )
    expires_on = forms.DateField(
        label=_("Jusqu’au, si vous le savez"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )


class ContactForm(forms.Form):
    """How to follow the report, without an account."""

    email = forms.EmailField(
        label=_("Votre e-mail"),
        help_text=_("Pour que le service puisse vous écrire. Jamais publié. Gardez aussi le lien de suivi."),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class MandateForm(forms.Form):
    """For whom it is filed, by what right, by one who is signed in."""

    mandate = forms.ChoiceField(label=_("Comment la personne vous l’a demandé"), widget=forms.RadioSelect)
    name = forms.CharField(
        label=_("Nom de la personne"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Son téléphone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    reference = forms.CharField(
        label=_("Mandat signé : sa date, où il est gardé"),
        help_text=_("Demandé à un proche, un facteur ou un aidant ; inutile au guichet et au téléphone."),
        max_length=200,
        required=False,
    )

    def __init__(self, *args: Any, for_agent: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.for_agent = for_agent
        kinds = [kind for kind in MandateKind if for_agent or kind not in AGENT_MANDATES]
        cast(forms.ChoiceField, self.fields["mandate"]).choices = [
            (kind.value, gettext(MANDATE_TITLES[kind])) for kind in kinds
        ]


class DetailsForm(forms.Form):
    """The questions of one category, under the names `d_<code>`."""

    def __init__(self, category: Category, *args: Any, lines: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        # The questions of two categories may share a name: the page of a phone holds them all, each with its own ids.
        kwargs["auto_id"] = f"id_{category.code}_%s"
        super().__init__(*args, **kwargs)
        for question in category.field:
            name = f"{DETAIL}{question.code}"
            given = str(self.data.get(name) or self.initial.get(name) or "")
            self.fields[name] = question_field(question, lines, given)

    def answers(self) -> dict[str, Any]:
        """Return the answers by code, once valid."""
        found = {name.removeprefix(DETAIL): value for name, value in self.cleaned_data.items()}
        return {code: value.isoformat() if hasattr(value, "isoformat") else value for code, value in found.items()}


class NamingForm(forms.Form):
    """Whether one gives one's name, in the categories where nobody is asked for it."""

    named = forms.ChoiceField(
        label=_("Votre nom"),
        choices=(("non", _("Rester anonyme")), ("oui", _("Donner mon nom au service"))),
        initial="non",
        required=False,
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label=_("Nom, si vous le donnez"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Téléphone, si l’on peut vous rappeler"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )

    @property
    def is_named(self) -> bool:
        """Tell whether the name was given on purpose."""
        return bool(self.cleaned_data.get("named") == "oui")
