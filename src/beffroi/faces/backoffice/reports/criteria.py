"""The filters of the queue: a GET form, the criteria it stands for, and what is in force, ready to be taken away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.requests import service_names
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import STATUS_TITLES, Status
from beffroi.serve.reports import queries
from beffroi.serve.reports.queries import ReportFilter

MINE, NOBODY = "moi", "personne"
AGES = ((1, gettext_lazy("Un jour")), (7, gettext_lazy("Une semaine")), (30, gettext_lazy("Un mois")))
_STATES = (Status.RECEIVED, Status.ACCEPTED, Status.WAITING, Status.SCHEDULED, Status.HELD, Status.CLOSED)


class QueueForm(forms.Form):
    """What the queue may be narrowed to."""

    q = forms.CharField(
        label=gettext_lazy("Mot, rue ou numéro"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    etat = forms.ChoiceField(label=gettext_lazy("État"), required=False)
    service = forms.ChoiceField(label=gettext_lazy("Service"), required=False)
    categorie = forms.ChoiceField(label=gettext_lazy("Catégorie"), required=False)
    quartier = forms.ChoiceField(label=gettext_lazy("Quartier"), required=False)
    qui = forms.ChoiceField(label=gettext_lazy("Suivi par"), required=False)
    age = forms.ChoiceField(label=gettext_lazy("Reçu depuis"), required=False)
    retard = forms.BooleanField(label=gettext_lazy("En retard seulement"), required=False)

    def __init__(self, *args: Any, viewer: Viewer, territory: str, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "filtre_%s", **kwargs})
        self.viewer, self.territory = viewer, territory
        names, mine = service_names(territory), case_queries.services_of(viewer, territory)
        zones = {zone.slug: zone.name for zone in territory_queries.zones(territory, "quartier")}
        known = {one.category.code: one.category for one in queries.categories_for(viewer, territory)}
        every = ("", _("Tous"))
        choices: dict[str, list[tuple[str, Any]]] = {
            "etat": [("", _("En cours")), *((one.value, _(STATUS_TITLES[one])) for one in _STATES)],
            "service": [every, *((slug, names.get(slug, slug)) for slug in sorted(mine))],
            "categorie": [
                ("", _("Toutes")),
                *((code, _(one.label)) for code, one in known.items() if one.service in mine),
            ],
            "quartier": [every, *((slug, zones.get(slug, slug)) for slug in queries.districts(territory, at=at))],
            "qui": [("", _("Peu importe")), (MINE, _("Moi")), (NOBODY, _("Personne"))],
            "age": [("", _("Toujours")), *((str(days), title) for days, title in AGES)],
        }
        for name, values in choices.items():
            cast(forms.ChoiceField, self.fields[name]).choices = values
        for name in ("service", "quartier"):
            if len(choices[name]) <= (2 if name == "service" else 1):
                del self.fields[name]

    def criteria(self, at: datetime) -> ReportFilter:
        """Return the criteria of a valid form."""
        values = self.cleaned_data
        return ReportFilter(
            statuses=_one(values["etat"]),
            services=_one(values.get("service")),
            categories=_one(values["categorie"]),
            districts=_one(values.get("quartier")),
            assignee=self.viewer.person_id if values["qui"] == MINE else None,
            unassigned=values["qui"] == NOBODY,
            since=at - timedelta(days=int(values["age"])) if values["age"] else None,
            late=values["retard"],
            text=values["q"],
        )

    def in_force(self, address: str) -> list[tuple[str, str]]:
        """Return the filters in force as (words, address without this one)."""
        found = []
        for name in self.fields:
            value = self.cleaned_data.get(name)
            if not value:
                continue
            words = str(self.fields[name].label)
            if isinstance(self.fields[name], forms.ChoiceField):
                words = f"{words} : {dict(self.fields[name].choices).get(value, value)}"  # type: ignore[attr-defined]
            elif value is not True:
                words = f"{words} : {value}"
            found.append((words, address + without(cast(QueryDict, self.data), name, "page")))
        return found


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def without(data: QueryDict, *names: str) -> str:
    """Return a query string without some of its names, beginning with « ? »."""
    kept = data.copy()
    for name in names:
        kept.pop(name, None)
    return f"?{kept.urlencode()}"


def as_query(wanted: ReportFilter, viewer: Viewer, *, at: datetime) -> Mapping[str, str]:
    """Return the fields of the form that stand for saved criteria; the age is counted from `at`."""
    days = (at - wanted.since).days if wanted.since else 0
    fields = {
        "q": wanted.text,
        "etat": "".join(wanted.statuses[:1]),
        "service": "".join(wanted.services[:1]),
        "categorie": "".join(wanted.categories[:1]),
        "quartier": "".join(wanted.districts[:1]),
        "qui": NOBODY if wanted.unassigned else MINE if wanted.assignee else "",
        "age": next((str(known) for known, _title in reversed(AGES) if days >= known), ""),
        "retard": "on" if wanted.late else "",
    }
    return {name: value for name, value in fields.items() if value}
