"""What agents fill in: a scenario and its price, hours out or dimmed, lamps changed, lamps added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.geo import BBox
from beffroi.faces.shell.places import PlaceForm
from beffroi.sense.twin.lighting.actions import FURNITURE, KINDS, SOURCES, Action, Where
from beffroi.sense.twin.lighting.standards import MOST_KELVIN, PROFILES

_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class ScenarioForm(forms.Form):
    """The name of a scenario and the price it reckons with, stated by the town."""

    title = forms.CharField(label=gettext_lazy("Nom du scénario"), max_length=120)
    price_eur = forms.DecimalField(
        label=gettext_lazy("Prix du kilowattheure, en euros, taxes comprises"),
        min_value=Decimal("0.0001"), max_value=Decimal(2), decimal_places=4, localize=True,
    )  # fmt: skip
    price_source = forms.CharField(
        label=gettext_lazy("D’où vient ce prix"), max_length=200, required=False,
        help_text=gettext_lazy("Par exemple : marché du syndicat d’énergie, 2026."),
    )  # fmt: skip


class _Chosen(forms.Form):
    """Which lamps an act is about."""

    district = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)
    profile = forms.ChoiceField(label=gettext_lazy("Profil de rue"), required=False)
    source = forms.ChoiceField(label=gettext_lazy("Lampes"), required=False)
    street = forms.CharField(label=gettext_lazy("Une seule rue"), required=False, max_length=200)

    def __init__(self, *args: Any, districts: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "district", {name: name for name in sorted(districts)}, empty=_("Toute la commune"))
        choose(self, "profile", {key: _(told) for key, told in PROFILES.items()}, empty=_("Tous les profils"))
        choose(self, "source", {key: _(told) for key, told in SOURCES.items()}, empty=_("Toutes"))
        self.order_fields([*(name for name in self.fields if name not in _CHOSEN), *_CHOSEN])

    def where(self) -> Where:
        """Return the lamps chosen."""
        told = self.cleaned_data
        return Where(told["district"], told["profile"], told["source"], told["street"].strip())


_CHOSEN = ("district", "profile", "source", "street")


class HoursForm(_Chosen):
    """Lamps put out, dimmed, or left on all night."""

    kind = forms.ChoiceField(label=gettext_lazy("Ce que l’on fait"))
    start = forms.TimeField(label=gettext_lazy("De"), widget=_CLOCK, initial=time(23), required=False)
    end = forms.TimeField(label=gettext_lazy("À"), widget=_CLOCK, initial=time(5), required=False)
    share = forms.IntegerField(
        label=gettext_lazy("Puissance gardée, en %"), min_value=5, max_value=95, initial=50, required=False,
        help_text=gettext_lazy("Pour abaisser seulement ; ne vaut que pour les LED."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="heures_%s", **kwargs)
        choose(self, "kind", {key: _(KINDS[key]) for key in ("off", "dim", "on")})

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if told.get("kind") in ("off", "dim") and (told.get("start") is None or told.get("end") is None):
            self.add_error("start", _("Donnez les deux heures, par exemple de 23:00 à 05:00."))
        if told.get("kind") == "dim" and told.get("share") is None:
            self.add_error("share", _("Donnez la puissance gardée, de 5 à 95 %."))
        return told

    def action(self) -> Action:
        """Return the act asked for."""
        told = self.cleaned_data
        start, end = (one.hour * 60 + one.minute if one else 0 for one in (told["start"], told["end"]))
        share = (told["share"] or 100) / 100 if told["kind"] == "dim" else 1.0
        return Action(told["kind"], self.where(), start, end, share)


class _Lamp(forms.Form):
    power_w = forms.FloatField(label=gettext_lazy("Puissance, en watts"), min_value=0, max_value=2000, localize=True)
    flux_lm = forms.FloatField(
        label=gettext_lazy("Flux, en lumens"), min_value=1, max_value=200_000, localize=True,
        help_text=gettext_lazy("Sur la fiche du luminaire ; une LED donne de 100 à 150 lumens par watt."),
    )  # fmt: skip
    kelvin = forms.FloatField(
        label=gettext_lazy("Température de couleur, en kelvins"), min_value=1000, max_value=10_000, initial=2700,
        localize=True,
    )  # fmt: skip
    unit_eur = forms.FloatField(
        label=gettext_lazy("Coût d’un point lumineux posé, en euros"), min_value=0, max_value=100_000, required=False,
        localize=True, help_text=gettext_lazy("Sert à dire en combien d’années la dépense est rendue."),
    )  # fmt: skip

    def clean_kelvin(self) -> float:
        kelvin: float = self.cleaned_data["kelvin"]
        if kelvin > MOST_KELVIN:
            raise forms.ValidationError(
                _("Plus de {k} K : interdit pour l’éclairage des voies posé depuis 2020 (arrêté du 27 décembre 2018, "
                  "art. 3).").format(k=MOST_KELVIN)
            )  # fmt: skip
        return kelvin


class SwapForm(_Lamp, _Chosen):
    """Lamps changed for LED."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="led_%s", **kwargs)

    def action(self) -> Action:
        """Return the act asked for."""
        told = self.cleaned_data
        return Action("swap", self.where(), power_w=told["power_w"], flux_lm=told["flux_lm"], kelvin=told["kelvin"],
                      unit_eur=told["unit_eur"] or 0.0)  # fmt: skip


class AddForm(_Lamp, PlaceForm):
    """A lamp, or lit street furniture, where there is none."""

    zone = None
    place_object = None
    what = forms.ChoiceField(label=gettext_lazy("Ce que l’on pose"))
    height_m = forms.FloatField(
        label=gettext_lazy("Hauteur du feu, en mètres"), min_value=0.3, max_value=40, initial=5, localize=True
    )
    solar = forms.BooleanField(label=gettext_lazy("Solaire : ne prend rien au réseau"), required=False)

    def __init__(self, *args: Any, within: BBox | None = None, **kwargs: Any) -> None:
        super().__init__(*args, within=within, auto_id="ajout_%s", **kwargs)
        choose(self, "what", {key: _(told) for key, told in FURNITURE.items()})

    def action(self) -> Action:
        """Return the act asked for."""
        told = self.cleaned_data
        return Action(
            "add", what=told["what"], lon=told["lon"], lat=told["lat"], height_m=told["height_m"],
            power_w=told["power_w"], flux_lm=told["flux_lm"], kelvin=told["kelvin"], unit_eur=told["unit_eur"] or 0.0,
            solar=told["solar"],
        )  # fmt: skip


def choose(form: forms.Form, field: str, among: Mapping[str, str], *, empty: str = "") -> None:
    """Give a field its choices; `empty` names that of all."""
    choices = [("", empty), *among.items()] if empty else list(among.items())
    form.fields[field].choices = choices  # type: ignore[attr-defined]
