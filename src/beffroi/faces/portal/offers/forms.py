"""What one writes to put a thing on offer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from beffroi.faces.shell.places import PlaceForm

DAYS = (7, 14, 30, 60, 90)


class OfferForm(PlaceForm):
    """A thing, where it is to the street, where and when to take it, how long."""

    title = forms.CharField(
        label=_("Quel objet ?"), max_length=80, help_text=_("Par exemple : armoire en pin, deux portes.")
    )
    description = forms.CharField(
        label=_("État, dimensions"),
        required=False,
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Tout le monde le lit : ni téléphone, ni adresse électronique, ni lien."),
    )
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_("Une seule. Le lieu et l’appareil inscrits dans le fichier sont effacés."),
    )
    pickup = forms.CharField(
        label=_("Où et quand le prendre"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Seule la personne qui réserve l’objet le lit. Par exemple : devant le 12, samedi de 10 h à 12 h."),
    )
    days = forms.TypedChoiceField(label=_("Pendant combien de temps ?"), coerce=int, initial=14)
    place_object = None
    zone = None

    def __init__(self, *args: Any, most_days: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [one for one in DAYS if one < most_days]
        choices = [(one, _("{n} jours").format(n=one)) for one in (*known, most_days)]
        self.fields["days"].choices = choices  # type: ignore[attr-defined]
        self.fields["days"].initial = next((one for one in known if one >= 14), most_days)
