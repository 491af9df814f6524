"""The forms of the agents' pages of bookings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from beffroi.serve.bookings.queries import Lane

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DayChangeForm(forms.Form):
    """A day that is not as usual."""

    jour = forms.DateField(label=_("Jour"), widget=_DAY)
    secteur = forms.ChoiceField(label=_("Secteur"), required=False)
    places = forms.IntegerField(
        label=_("Places ce jour-là"), help_text=_("0 ferme le jour."), min_value=0, max_value=1000, initial=0
    )
    motif = forms.CharField(
        label=_("Motif, dit aux habitants"), help_text=_("Par exemple : neige, camion en panne."), max_length=200
    )

    def __init__(self, *args: Any, lanes: Sequence[Lane], **kwargs: Any) -> None:
        kwargs["auto_id"] = "jour_%s"
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["secteur"])
        field.choices = [("", gettext("Tous")), *((one.slug, one.name) for one in lanes if one.slug)]
        if len(field.choices) < 2:
            del self.fields["secteur"]


class ListForm(forms.Form):
    """Which list: a day, a sector."""

    jour = forms.DateField(label=_("Jour"), widget=_DAY, required=False)
    secteur = forms.ChoiceField(label=_("Secteur"), required=False)

    def __init__(self, *args: Any, lanes: Sequence[Lane], **kwargs: Any) -> None:
        kwargs["auto_id"] = "liste_%s"
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["secteur"])
        field.choices = [("", gettext("Tous")), *((one.slug, one.name) for one in lanes if one.slug)]
        if len(field.choices) < 2:
            del self.fields["secteur"]


class MessageForm(forms.Form):
    """A word to the one who booked."""

    text = forms.CharField(label=_("Message à la personne"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
