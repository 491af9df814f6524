"""What a reader asks of the page of a service of the `layers` engine: by age, by kind, open now, near her."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.base.clock.opening import BadHours, is_open, opening_rules
from beffroi.base.clock.queries import holiday_on, region_of
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.itinerary import PlaceField
from beffroi.faces.portal.tables import cell
from beffroi.faces.shell.addresses import Address
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Filter as Declared
from beffroi.lake.layer_settings import Settings
from beffroi.lake.queries import DatasetDetail, DatasetSummary, Filter, Measure
from beffroi.lake.reading import Column

NEAR = "pres"
MOST_CHOICES = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """The hour of the town at which hours are read."""

    territory: str
    at: datetime

    def is_open(self, text: object) -> bool | None:
        """Tell whether hours as published hold now, None when they cannot be read."""
        if not isinstance(text, str):
            return None
        try:
            rules = opening_rules(text)
        except BadHours:
            return None
        region = region_of(self.territory).id
        return is_open(rules, self.at, is_holiday=lambda day: holiday_on(day, region) is not None)


def moment(territory: str, timezone: str, at: datetime) -> Moment:
    """Return the hour of a town at an instant."""
    return Moment(territory, at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of one dataset: rows that meet `where`, and, with `open_column`, those open now."""

    where: tuple[Filter, ...] = ()
    open_column: str = ""


@dataclass(slots=True)
class AskedLayers:
    """The form of a page and what it asks of each dataset; `near` is where the reader is."""

    form: forms.Form | None
    settings: Settings
    near: Address | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_asked(self) -> bool:
        """Tell whether the reader asked for anything."""
        return any(value not in (None, "", False) for value in self.values.values())

    def of(self, slug: str, columns: Sequence[Column]) -> Asked:
        """Return what is asked of a dataset; one on a column it has not keeps nothing out, hours apart."""
        known, where, open_column = {column.key for column in columns}, [], ""
        for one in self.settings.filters_of(slug):
            value = self.values.get(one.name)
            if value in (None, "", False):
                continue
            if one.kind == "open":
                # A dataset without hours has nothing that is known to be open.
                open_column = one.columns[0]
            elif not known.issuperset(one.columns):
                continue
            elif one.kind == "between":
                low, high = one.columns
                where += [Filter(low, "le", str(value)), Filter(high, "ge", str(value))]
            elif one.kind in ("choice", "words"):
                where.append(Filter(one.columns[0], "eq" if one.kind == "choice" else "contains", str(value).strip()))
        return Asked(tuple(where), open_column)


class _Form(forms.Form):
    """Made of what a use case declares; all of it is optional."""

    @cached_property
    def shown(self) -> list[forms.BoundField]:
        """Return the fields, in the order of the file."""
        return list(self)


def asked_layers(
    query: Mapping[str, str],
    settings: Settings,
    shown: Sequence[tuple[DatasetSummary, DatasetDetail]],
    *,
    viewer: Viewer,
    citycode: str,
) -> AskedLayers:
    """Read the query of a page by the filters its use case declares."""
    if not settings.filters and not settings.nearest:
        return AskedLayers(None, settings)
    fields = {one.name: _field(one, shown, viewer) for one in settings.filters}
    if settings.nearest:
        fields[NEAR] = PlaceField(
            label=gettext_lazy("Près de quelle adresse ?"),
            required=False,
            citycode=citycode,
            help_text=gettext_lazy("Les lieux sont alors classés du plus proche au plus lointain, à pied."),
        )
    made = type("LayersForm", (_Form,), {name: one for name, one in fields.items() if one is not None})
    names = set(made.base_fields)  # type: ignore[attr-defined]
    bound = bool(names & set(query))
    # Who looks for the nearest wants it open: ticked until she says otherwise.
    ticked = {one.name: True for one in settings.filters if one.kind == "open" and settings.nearest}
    form = made(query if bound else None, initial=ticked)
    form.label_suffix = ""
    values = form.cleaned_data if bound and (form.is_valid() or form.cleaned_data) else {}
    near = values.get(NEAR)
    return AskedLayers(form, settings, near if isinstance(near, Address) else None, dict(values))


def _field(one: Declared, shown: Sequence[tuple[DatasetSummary, DatasetDetail]], viewer: Viewer) -> forms.Field | None:
    label, text = _(one.label), _(one.help) if one.help else ""
    if one.kind == "between":
        return forms.IntegerField(label=label, required=False, min_value=0, max_value=10**6, help_text=text)
    if one.kind == "open":
        return forms.BooleanField(label=label, required=False, help_text=text)
    if one.kind == "words":
        return forms.CharField(label=label, required=False, max_length=80, help_text=text)
    choices = _choices(one, shown, viewer)
    if not choices:
        return None
    return forms.ChoiceField(label=label, required=False, choices=[("", _("Tous")), *choices], help_text=text)


def _choices(
    one: Declared, shown: Sequence[tuple[DatasetSummary, DatasetDetail]], viewer: Viewer
) -> list[tuple[str, str]]:
    """Return the values of a column in the datasets shown, as a reader reads them, in order."""
    found: dict[str, str] = {}
    for summary, detail in shown:
        column = next((column for column in detail.columns if column.key == one.columns[0]), None)
        if column is None or one.dataset not in ("", summary.ref.slug):
            continue
        counted = lake.aggregate(viewer, summary.ref, group_by=[column.key], measures=[Measure("n")])
        for value, _count in counted.rows:
            if value not in (None, ""):
                key = str(value).lower() if isinstance(value, bool) else str(value)
                found[key] = cell(value, column).text
    listed = sorted(found.items(), key=lambda pair: folded(pair[1]))
    return listed[:MOST_CHOICES]
