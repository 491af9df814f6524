"""What an alert is written with: what, how grave, where, from when until when; and a project people may follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import shapely
from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.shell.places import PlaceForm, write_zone
from beffroi.serve.alerts.definition import (
    CERTAINTIES,
    DISTRICT,
    SEVERITIES,
    STREET,
    TOWN,
    URGENCIES,
    ZONE,
    Content,
)
from beffroi.serve.alerts.engine import topics
from beffroi.serve.alerts.projects import followable
from beffroi.serve.alerts.writing import area_choices
from beffroi.serve.cases.ground import circle

AREAS = (
    (DISTRICT, gettext_lazy("Des quartiers")),
    (STREET, gettext_lazy("Des rues")),
    (ZONE, gettext_lazy("Une zone : dessinée, ou un cercle autour d’un lieu")),
    (TOWN, gettext_lazy("Toute la commune (une autre personne devra approuver)")),
)
DRIVING = {
    "": gettext_noop("Aucune"),
    "critair-1": gettext_noop("Différenciée : Crit’Air 0 et 1 seulement"),
    "critair-2": gettext_noop("Différenciée : Crit’Air 0, 1 et 2 seulement"),
    "critair-3": gettext_noop("Différenciée : Crit’Air 0 à 3 seulement"),
    "critair-4": gettext_noop("Différenciée : Crit’Air 0 à 4 seulement"),
    "parity": gettext_noop("Alternée : pairs les jours pairs, impairs les jours impairs"),
}
_MOMENT = "%Y-%m-%dT%H:%M"


def _words(label: Any, *, rows: int = 3, required: bool = False, most: int = 2000, **more: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, required=required, max_length=most, widget=widget, **more)


def _choice(label: Any, known: Mapping[str, str], initial: str, *, required: bool = True) -> forms.ChoiceField:
    choices = [(code, gettext_lazy(title)) for code, title in known.items()]
    return forms.ChoiceField(label=label, choices=choices, initial=initial, required=required)


def moment(label: Any, **more: Any) -> forms.DateTimeField:
    """Return a box for a day and an hour, local time."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)
    return forms.DateTimeField(label=label, widget=widget, input_formats=[_MOMENT, "%Y-%m-%d %H:%M"], **more)


class AlertForm(PlaceForm):
    """An alert or a message."""

    place_object = None
    place_required = False
    topic = forms.ChoiceField(label=gettext_lazy("Sujet"))
    title = forms.CharField(label=gettext_lazy("Titre"), max_length=120)
    text = _words(
        gettext_lazy("Ce qui se passe"), required=True,
        help_text=gettext_lazy("En mots simples : lu sur un téléphone verrouillé et sur un écran de rue."),
    )  # fmt: skip
    instruction = _words(gettext_lazy("Que faire"), rows=2, most=1000)
    severity = _choice(gettext_lazy("Gravité"), SEVERITIES, "Moderate")
    urgency = _choice(gettext_lazy("Urgence"), URGENCIES, "Expected")
    certainty = _choice(gettext_lazy("Certitude"), CERTAINTIES, "Likely")
    driving = _choice(gettext_lazy("Circulation restreinte"), DRIVING, "", required=False)
    starts_at = moment(gettext_lazy("Commence"), required=False, help_text=gettext_lazy("Vide : dès l’envoi."))
    until = moment(gettext_lazy("Finit"))
    area = forms.ChoiceField(label=gettext_lazy("Où"), choices=AREAS, widget=forms.RadioSelect)
    districts = forms.MultipleChoiceField(
        label=gettext_lazy("Quartiers"), required=False, widget=forms.CheckboxSelectMultiple
    )
    streets = _words(gettext_lazy("Rues, une par ligne"), rows=2, most=1000)
    radius_m = forms.IntegerField(
        label=gettext_lazy("Rayon autour du lieu, en mètres"), min_value=20, max_value=20_000, required=False,
        initial=300,
    )  # fmt: skip
    project = forms.ChoiceField(label=gettext_lazy("À ceux qui suivent un projet"), required=False)
    title_en = forms.CharField(label=gettext_lazy("Titre en anglais"), max_length=120, required=False)
    text_en = _words(gettext_lazy("Ce qui se passe, en anglais"))
    instruction_en = _words(gettext_lazy("Que faire, en anglais"), rows=2, most=1000)

    def __init__(self, *args: Any, territory: str, at: datetime, content: Content | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("initial", first_values(content, at))
        super().__init__(*args, **kwargs)
        known = topics(territory).values()
        alerts = [(one.code, _(one.label)) for one in known if not one.is_message]
        news = [(one.code, _(one.label)) for one in known if one.is_message]
        groups = [(_("Alertes"), alerts), (_("Informations, sans gravité"), news)]
        cast(forms.ChoiceField, self.fields["topic"]).choices = [group for group in groups if group[1]]
        districts = area_choices(territory)
        cast(forms.MultipleChoiceField, self.fields["districts"]).choices = districts
        projects = [(one.code, one.title) for one in followable(territory, at=at)]
        cast(forms.ChoiceField, self.fields["project"]).choices = [("", _("Aucun")), *projects]
        if not projects:
            del self.fields["project"]
        if not districts:
            del self.fields["districts"]
            cast(forms.ChoiceField, self.fields["area"]).choices = [one for one in AREAS if one[0] != DISTRICT]
        self.topics = {one.code: one for one in known}

    def clean(self) -> dict[str, Any]:
        """Ask for what the area chosen needs."""
        values = super().clean()
        chosen = values.get("area")
        if self.errors:
            return values
        if chosen == DISTRICT and not values.get("districts"):
            self.add_error("districts", _("Choisissez au moins un quartier."))
        elif chosen == STREET and not values.get("streets"):
            self.add_error("streets", _("Donnez au moins une rue."))
        elif chosen == ZONE and values.get("zone") is None and values.get("lon") is None:
            self.add_error("zone", _("Dessinez la zone, ou montrez un lieu et donnez un rayon."))
        return values

    def content(self) -> Content:
        """Return what a valid form says."""
        values = self.cleaned_data
        topic = self.topics[values["topic"]]
        plain = ("title", "text", "instruction", "severity", "urgency", "certainty", "title_en", "text_en",
                 "instruction_en", "driving", "area", "until", "starts_at", "topic")  # fmt: skip
        return Content(
            **{name: values[name] for name in plain},
            category=topic.category,
            project=values.get("project", ""),
            districts=tuple(values.get("districts") or ()),
            streets=tuple(line.strip() for line in values["streets"].splitlines() if line.strip()),
            zone=self._zone(values) if values["area"] == ZONE else "",
        )

    def _zone(self, values: Mapping[str, Any]) -> str:
        drawn = values.get("zone")
        if drawn is None:
            drawn = circle(values["lon"], values["lat"], float(values.get("radius_m") or 300))
        return str(shapely.to_geojson(drawn))


def first_values(content: Content | None, at: datetime) -> dict[str, Any]:
    """Return what the form shows first: an alert as it is, else one that ends tomorrow evening."""
    if content is None:
        end = timezone.localtime(at).replace(hour=20, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return {"area": DISTRICT, "until": end}
    names = ("title", "text", "instruction", "severity", "urgency", "certainty", "title_en", "text_en",
             "instruction_en", "driving", "area", "until", "starts_at", "topic", "project")  # fmt: skip
    found: dict[str, Any] = {name: getattr(content, name) for name in names}
    found["districts"], found["streets"] = list(content.districts), "\n".join(content.streets)
    shape = content.shape
    if content.area == ZONE and isinstance(shape, shapely.Polygon):
        found["zone"] = write_zone(cast(Any, shape))
    return found


class ProjectForm(forms.Form):
    """A project that people may follow."""

    title = forms.CharField(label=gettext_lazy("Nom du projet"), max_length=120)
    text = _words(gettext_lazy("Ce que c’est"))
    cost = forms.DecimalField(
        label=gettext_lazy("Coût, en euros"), required=False, min_value=0, max_digits=13, decimal_places=2
    )
    district = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)

    def __init__(self, *args: Any, territory: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["district"]).choices = [("", _("Aucun")), *area_choices(territory)]

    def cost_cents(self) -> int | None:
        """Return the cost of a valid form, in cents."""
        cost = self.cleaned_data.get("cost")
        return None if cost is None else int(cost * 100)
