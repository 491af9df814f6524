"""What an agent says of a sensor: what it is and where, what it measures, how often, who reads it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.places import PlaceForm
from beffroi.sense.live.operations import StreamDraft, ThingDraft, may_send
from beffroi.sense.live.settings import LiveSettings, settings_of


class SensorForm(PlaceForm):
    """A thing and its first series."""

    zone = None
    place_object = None
    name = forms.CharField(
        label=gettext_lazy("Ce que c’est"), max_length=120,
        help_text=gettext_lazy("Comme les gens le nomment : Piscine des Aulnes, Carrefour de la Halle."),
    )  # fmt: skip
    address = forms.CharField(label=gettext_lazy("Adresse"), max_length=200, required=False)
    service = forms.ChoiceField(
        label=gettext_lazy("Service qui en répond"), required=False,
        help_text=gettext_lazy("Il est prévenu quand un seuil d’alerte est franchi, ou quand le capteur se tait."),
    )  # fmt: skip
    access = forms.ChoiceField(
        label=gettext_lazy("Qui peut le lire"),
        choices=[("agents", gettext_lazy("Les agents de la commune")), ("public", gettext_lazy("Tout le monde"))],
    )
    measures = forms.ChoiceField(
        label=gettext_lazy("Ce qu’il mesure"),
        help_text=gettext_lazy("Ce que lit un service en ligne vient avec ses seuils et sa page."),
    )
    property_name = forms.CharField(
        label=gettext_lazy("Autre mesure : laquelle"), max_length=60, required=False,
        help_text=gettext_lazy("Par exemple : Température de l’eau."),
    )  # fmt: skip
    unit = forms.CharField(
        label=gettext_lazy("Unité"), max_length=20, required=False,
        help_text=gettext_lazy("Telle qu’on la lit : pers., °C, µg/m³."),
    )  # fmt: skip
    capacity = forms.FloatField(
        label=gettext_lazy("Capacité, dans cette unité"), min_value=0.001, required=False, localize=True,
        help_text=gettext_lazy("Ce qui le remplit. Sans elle, une affluence n’a pas de niveau."),
    )  # fmt: skip
    low = forms.FloatField(label=gettext_lazy("Plus petite valeur plausible"), required=False, localize=True)
    high = forms.FloatField(
        label=gettext_lazy("Plus grande valeur plausible"), required=False, localize=True,
        help_text=gettext_lazy("Une mesure hors de ces bornes est gardée, marquée, et ne compte dans aucune moyenne."),
    )  # fmt: skip
    every_min = forms.IntegerField(
        label=gettext_lazy("Une mesure toutes les… minutes"), min_value=1, max_value=10_080, initial=15,
        help_text=gettext_lazy("Il est dit muet quand il a manqué trois fois son tour, une heure au moins."),
    )  # fmt: skip
    keep_days = forms.IntegerField(
        label=gettext_lazy("Jours où chaque mesure est gardée"), min_value=1, max_value=3_660, initial=400,
        help_text=gettext_lazy("Ensuite restent ses heures et ses jours : nombre, moyenne, extrêmes, p95."),
    )  # fmt: skip
    sensor = forms.CharField(label=gettext_lazy("Appareil"), max_length=120, required=False)
    source = forms.CharField(label=gettext_lazy("D’où viennent ses mesures"), max_length=200, required=False)

    field_order = (
        "name", "lat", "lon", "address", "measures", "property_name", "unit", "capacity", "low", "high", "every_min",
        "keep_days", "service", "access", "sensor", "source",
    )  # fmt: skip

    def __init__(self, *args: Any, viewer: Viewer, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = [
            (one.slug, one.name)
            for one in territories.services(territory)
            if may_send(viewer, territory, one.slug)
        ]  # fmt: skip
        self._choices("service", [("", _("L’administration de la commune")), *services])
        self._choices("measures", [*_measures(territory), ("", _("Autre chose"))])
        self.fields["measures"].required = False

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean(self) -> dict[str, Any]:
        """Ask for the name of what is measured, when no service names it."""
        told = super().clean()
        if not told.get("measures") and not told.get("property_name"):
            self.add_error("property_name", _("Dites ce que mesure ce capteur."))
        return told

    @property
    def others(self) -> list[forms.BoundField]:
        """Return the fields that follow its name and its place."""
        return [self[name] for name in self.fields if name not in ("name", "lat", "lon")]

    @property
    def thing(self) -> ThingDraft:
        """Return the thing as it is to be added."""
        told = self.cleaned_data
        use_case = told["measures"].partition("|")[0]
        return ThingDraft(
            told["name"], told["lon"], told["lat"], address=told["address"], service=told["service"],
            access=told["access"], use_case=use_case, source=told["source"],
        )  # fmt: skip

    @property
    def stream(self) -> StreamDraft:
        """Return its first series."""
        told = self.cleaned_data
        use_case, _bar, code = told["measures"].partition("|")
        settings = settings_of(use_case) if use_case else None
        rule = settings.rule(code) if settings is not None else None
        return StreamDraft(
            property=code or told["property_name"],
            property_name=rule.label if rule is not None else told["property_name"],
            sensor=told["sensor"], unit_symbol=told["unit"], capacity=told["capacity"], low=told["low"],
            high=told["high"], every_s=60 * told["every_min"], keep_days=told["keep_days"],
        )  # fmt: skip


def _measures(territory: str) -> list[tuple[str, str]]:
    """Return what the open use cases of a town read, each with its property."""
    found = []
    for view in catalogue.use_cases(territory=territory, engine_name="live"):
        settings = view.use_case.settings.get("live")
        if view.is_open and isinstance(settings, LiveSettings):
            found += [
                (f"{view.use_case.id}|{rule.code}", f"{_(rule.label)} : {_(view.use_case.title)}")
                for rule in settings.property
            ]
    return found


class TrialForm(forms.Form):
    """A reading given by hand: to try a sensor, or because a person is the sensor."""

    stream = forms.IntegerField(widget=forms.HiddenInput)
    result = forms.FloatField(label=gettext_lazy("Mesure relevée maintenant"), localize=True)
