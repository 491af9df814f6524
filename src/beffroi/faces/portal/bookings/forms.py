"""The forms of a booking: the day, what is brought, the questions of the thing, whom to call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from beffroi.faces.shell.questions import question_field
from beffroi.serve.bookings.queries import Thing

ITEM, DETAIL = "o_", "d_"
FIRST_DAYS = 10


class DayForm(forms.Form):
    """Which of the free days."""

    jour = forms.ChoiceField(
        label=_("Quel jour ?"), widget=forms.RadioSelect, error_messages={"required": _("Choisissez un jour.")}
    )

    def __init__(self, *args: Any, days: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days = list(days)
        field = self.fields["jour"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = self.days
        field.error_messages["invalid_choice"] = gettext("Ce jour n’est plus libre : choisissez-en un autre.")

    @property
    def day(self) -> date:
        """Return the day chosen, once valid."""
        return date.fromisoformat(self.cleaned_data["jour"])

    def first_days(self) -> list[Any]:
        """Return the radio buttons of the first days, and of the one chosen."""
        chosen = str(self["jour"].value() or "")
        return [one for rank, one in enumerate(self["jour"]) if rank < FIRST_DAYS or one.data["value"] == chosen]

    def other_days(self) -> list[Any]:
        """Return the radio buttons of the days after."""
        chosen = str(self["jour"].value() or "")
        return [one for rank, one in enumerate(self["jour"]) if rank >= FIRST_DAYS and one.data["value"] != chosen]


class BookForm(DayForm):
    """A whole booking: one page, whatever the thing asks."""

    name = forms.CharField(
        label=_("Votre nom"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}), required=False
    )
    email = forms.EmailField(
        label=_("Votre e-mail"),
        help_text=_("Pour le reçu, le rappel et un changement de jour. Jamais publié."),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=_("Votre téléphone"),
        help_text=_("Pour que l’équipe vous appelle le jour même, s’il le faut."),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def __init__(self, thing: Thing, *args: Any, for_another: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.thing = thing
        for item in thing.rules.item:
            self.fields[f"{ITEM}{item.code}"] = forms.IntegerField(
                label=gettext(item.label), min_value=0, max_value=item.most, required=False, initial=0,
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
            )  # fmt: skip
        for question in thing.rules.field:
            given = str(self.data.get(f"{DETAIL}{question.code}") or "")
            self.fields[f"{DETAIL}{question.code}"] = question_field(question, given=given)
        if for_another:
            # Asked with the mandate, of the person who is helped.
            del self.fields["name"]
            del self.fields["phone"]

    def item_fields(self) -> Iterator[BoundField]:
        """Yield the fields that count what is brought."""
        return (self[name] for name in self.fields if name.startswith(ITEM))

    def question_fields(self) -> Iterator[BoundField]:
        """Yield the questions of the thing."""
        return (self[name] for name in self.fields if name.startswith(DETAIL))

    def contact_fields(self) -> Iterator[BoundField]:
        """Yield whom to call."""
        return (self[name] for name in ("name", "email", "phone") if name in self.fields)

    def clean(self) -> dict[str, Any]:
        """Refuse, beside the fields they concern, what the rules would refuse."""
        values = super().clean() or {}
        rules = self.thing.rules
        many = sum(values.get(f"{ITEM}{item.code}") or 0 for item in rules.item)
        wrong = any(name.startswith(ITEM) for name in self.errors)
        if rules.item and not wrong and not many:
            self.add_error(f"{ITEM}{rules.item[0].code}", gettext("Dites au moins un objet à prendre."))
        if many > rules.most_items:
            words = gettext("{count} objets annoncés, {most} au plus : gardez le reste pour une autre fois.")
            self.add_error(f"{ITEM}{rules.item[0].code}", words.format(count=many, most=rules.most_items))
        return values

    def items(self) -> dict[str, int]:
        """Return what is brought, by code, once valid."""
        found = {name.removeprefix(ITEM): value for name, value in self.cleaned_data.items() if name.startswith(ITEM)}
        return {code: value for code, value in found.items() if value}

    def answers(self) -> dict[str, Any]:
        """Return the answers to the questions, by code, once valid."""
        found = {n.removeprefix(DETAIL): value for n, value in self.cleaned_data.items() if n.startswith(DETAIL)}
        return {code: value.isoformat() if hasattr(value, "isoformat") else value for code, value in found.items()}
