"""The forms of the agents' pages of what is booked by the hour."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from beffroi.faces.shell.questions import question_field
from beffroi.serve.bookings.hours.queries import SlotThing

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_HOUR = forms.TimeInput(attrs={"type": "time", "step": 900}, format="%H:%M")


def _places(form: forms.Form, thing: SlotThing, *, every: bool = True) -> None:
    field = cast(forms.ChoiceField, form.fields["lieu"])
    first = [("", gettext("Tous"))] if every else []
    field.choices = [*first, *((one.slug, gettext(one.label)) for one in thing.rules.place)]


class DeskForm(forms.Form):
    """Which bookings: a day or its week, a place."""

    jour = forms.DateField(label=_("Jour"), widget=_DAY, required=False)
    lieu = forms.ChoiceField(label=_("Lieu"), required=False)
    vue = forms.ChoiceField(label=_("Voir"), required=False, choices=[("", _("Le jour")), ("semaine", _("Sept jours"))])

    def __init__(self, *args: Any, thing: SlotThing, **kwargs: Any) -> None:
        kwargs["auto_id"] = "liste_%s"
        super().__init__(*args, **kwargs)
        _places(self, thing)


class SpanForm(forms.Form):
    """A place, from an instant to another, in the town's hour."""

    lieu = forms.ChoiceField(label=_("Lieu"), required=False)
    jour = forms.DateField(label=_("Du"), widget=_DAY)
    debut = forms.TimeField(label=_("à partir de"), widget=_HOUR)
    dernier = forms.DateField(label=_("Au"), widget=_DAY, required=False, help_text=_("Vide : le même jour."))
    fin = forms.TimeField(label=_("jusqu’à"), widget=_HOUR)
    motif = forms.CharField(label=_("Motif, dit aux habitants"), max_length=200)

    def __init__(self, *args: Any, thing: SlotThing, **kwargs: Any) -> None:
        kwargs["auto_id"] = "fermer_%s"
        super().__init__(*args, **kwargs)
        _places(self, thing)

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return from when to when, once valid."""
        values = self.cleaned_data
        last = values["dernier"] or values["jour"]
        return datetime.combine(values["jour"], values["debut"], zone), datetime.combine(last, values["fin"], zone)


class SeasonForm(forms.Form):
    """The same hours each week, for an association."""

    lieu = forms.ChoiceField(label=_("Lieu"))
    jour = forms.DateField(label=_("Premier jour"), widget=_DAY)
    debut = forms.TimeField(label=_("à partir de"), widget=_HOUR)
    fin = forms.TimeField(label=_("jusqu’à"), widget=_HOUR)
    dernier = forms.DateField(label=_("Dernier jour"), widget=_DAY)
    tarif = forms.ChoiceField(label=_("Tarif"), required=False)
    association = forms.CharField(label=_("Association"), max_length=120)
    name = forms.CharField(label=_("Qui la représente"), max_length=200, required=False)
    email = forms.EmailField(label=_("Son e-mail"), required=False)
    phone = forms.CharField(label=_("Son téléphone"), max_length=30, required=False)

    def __init__(self, *args: Any, thing: SlotThing, **kwargs: Any) -> None:
        kwargs["auto_id"] = "saison_%s"
        super().__init__(*args, **kwargs)
        _places(self, thing, every=False)
        labels = {one.code: gettext(one.label) for one in thing.rules.tariff}
        cast(forms.ChoiceField, self.fields["tarif"]).choices = list(labels.items())
        if len(labels) < 2:
            del self.fields["tarif"]
        for question in thing.rules.field:
            self.fields[f"d_{question.code}"] = question_field(question)

    def answers(self) -> dict[str, Any]:
        """Return the answers to the questions, by code, once valid."""
        return {name[2:]: value for name, value in self.cleaned_data.items() if name.startswith("d_")}
