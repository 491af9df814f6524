"""A layer summed up by district: figures computed in the lake, five classes on a map, the same as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.mapping import base_layers, shown_title
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.portal.showing import known_on
from beffroi.faces.portal.tables import NUMERIC, is_code
from beffroi.faces.portal.templatetags.maps import rounded
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.overlays import Mark
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetSummary, Measure
from beffroi.lake.reading import Column

UNKNOWN = "#b8b2a5"
CLASSES = ("#cfe3e8", "#94c4d1", "#559fb3", "#23748c", "#0f4152")
"""Light to dark, one hue: the order is read without the legend, and by those who do not tell red from green."""

MOST_DISTRICTS = 1_000
COUNT = "nombre"
"""How many things are there, as the address asks for it."""


class NoSynthesis(BeffroiError):
    """What is asked cannot be summed up by district."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One district: its figure, that of the earlier day if one is asked, both None where nothing tells them."""

    id: str
    name: str
    count: int
    value: float | None
    before: float | None

    @property
    def change(self) -> float | None:
        """Return how much the figure grew since the earlier day."""
        return None if self.value is None or self.before is None else self.value - self.before


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A layer by district. `bounds` are the upper ends of the classes but the last; `unit` is that of the figures."""

    layer: DatasetSummary
    title: str
    measure: str
    measure_title: str
    unit: str
    figures: tuple[Figure, ...]
    bounds: tuple[float, ...]
    day: date | None
    before: date | None

    def class_of(self, value: float | None) -> str:
        """Return the class of a figure, from "0" to "4", "" when it is not known."""
        return "" if value is None else str(sum(value > bound for bound in self.bounds))

    @property
    def measures(self) -> bool:
        """Tell whether the figures are more than the count, which has a column of its own."""
        return self.measure != COUNT

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Return the legend: the range of each class with its colour."""
        return (*ranges(self.bounds), Mark("", _("inconnu"), UNKNOWN))


def ranges(bounds: Sequence[float]) -> tuple[Mark, ...]:
    """Return the legend of classes, `bounds` being the upper ends of all but the last: their ranges and colours."""
    ends = [None, *bounds, None]
    return tuple(Mark(str(rank), _range(low, high), CLASSES[rank]) for rank, (low, high) in enumerate(pairwise(ends)))


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return _("toutes les valeurs")
    if low is None:
        return _("jusqu’à {high}").format(high=number(rounded(high)))
    if high is None:
        return _("plus de {low}").format(low=number(rounded(low)))
    return _("plus de {low}, jusqu’à {high}").format(low=number(rounded(low)), high=number(rounded(high)))


def measures_of(detail: DatasetDetail) -> list[tuple[str, str]]:
    """Return what can be asked of a layer: its number, then the mean and the sum of its columns of numbers."""
    columns = [column for column in detail.columns if column.type in NUMERIC and not is_code(column.key)]
    asked = [(COUNT, _("Nombre d’objets"))]
    for column in columns:
        asked.append((f"moyenne:{column.key}", _("Moyenne : {title}").format(title=column.title)))
        asked.append((f"total:{column.key}", _("Total : {title}").format(title=column.title)))
    return asked


def synthesis(
    request: Request, datasets: list[DatasetSummary], *, slug: str, measure: str, day: date | None, before: date | None
) -> Synthesis:
    """Sum up the layer `slug` by district, as the reader may see it, on `day` (today when None).

    Raises:
        NoSynthesis: no such layer, no districts, or no such measure.
    """
    timezone = request.commune.timezone if request.commune else "Europe/Paris"
    now = known_on(request.viewer, datasets, day, timezone=timezone)[0] if day else datasets
    layer = next((one for one in now if one.ref.slug == slug and one.geometry_type), None)
    districts = base_layers([one for one in now if one.geometry_type]).get("districts")
    if layer is None or districts is None:
        raise NoSynthesis(
            gettext_noop("la couche « {slug} » n’est pas connue ce jour-là, ou la commune n’a pas de quartiers"),
            where="couche",
            remedy=gettext_noop("choisissez-la dans la liste"),
            slug=slug[:60],
        )
    detail = lake.dataset(request.viewer, layer.ref, version=layer.version)
    column, wanted = _measure(detail, measure)
    values = _values(request, layer, districts, wanted)
    earlier: dict[str, float | None] = {}
    if before is not None:
        past = known_on(request.viewer, [layer], before, timezone=timezone)[0]
        earlier = {key: pair[1] for key, pair in _values(request, past[0], districts, wanted).items()} if past else {}
    figures = tuple(
        Figure(key, name, *values.get(key, (0, None)), earlier.get(key)) for key, name in _districts(request, districts)
    )
    known = [one.value for one in figures if one.value is not None]
    return Synthesis(
        layer=layer,
        title=shown_title(layer),
        measure=measure,
        measure_title=dict(measures_of(detail))[measure],
        unit=(column.unit or "") if column else "",
        figures=figures,
        bounds=bounds_of(known),
        day=day,
        before=before,
    )


def _measure(detail: DatasetDetail, text: str) -> tuple[Column | None, Measure]:
    if text not in dict(measures_of(detail)):
        raise NoSynthesis(
            gettext_noop("« {measure} » ne se calcule pas sur cette couche"),
            where="mesure",
            remedy=gettext_noop("choisissez la mesure dans la liste"),
            measure=text[:60],
        )
    kind, _colon, key = text.partition(":")
    column = next((one for one in detail.columns if one.key == key), None)
    functions = {COUNT: "count", "moyenne": "mean", "total": "sum"}
    return column, Measure(text, functions[kind], key or None)


def _values(
    request: Request, layer: DatasetSummary, districts: DatasetSummary, measure: Measure
) -> dict[str, tuple[int, float | None]]:
    found = lake.by_area(
        request.viewer,
        layer.ref,
        districts.ref,
        measure=measure,
        version=layer.version,
        areas_version=districts.version,
    )
    return {one.area_id: (one.count, one.value) for one in found}


def _districts(request: Request, districts: DatasetSummary) -> list[tuple[str, str]]:
    page = lake.features(request.viewer, districts.ref, version=districts.version, limit=MOST_DISTRICTS)
    named = name_column(lake.dataset(request.viewer, districts.ref, version=districts.version).columns)
    read = [json.loads(body) for body in page.features]
    names = [str(one["properties"].get(named.key) or "") if named else "" for one in read]
    return [(str(one["id"]), name or str(one["id"])) for one, name in zip(read, names, strict=True)]


def bounds_of(values: Sequence[float]) -> tuple[float, ...]:
    """Return the quintiles, each once: as many districts in each class as can be."""
    if not values:
        return ()
    ends = np.unique(np.quantile(values, [0.2, 0.4, 0.6, 0.8]))
    return tuple(float(end) for end in ends if end < max(values))


def drawn(request: Request, told: Synthesis, districts: DatasetSummary, *, earlier: bool) -> dict[str, Any]:
    """Return the synthesis as GeoJSON: each district with its class, and its figure written on it.

    `earlier` draws the earlier day, in the classes of the later one: two maps side by side say the same with a colour.
    """
    page = lake.features(request.viewer, districts.ref, version=districts.version, limit=MOST_DISTRICTS)
    by_id = {one.id: one for one in told.figures}
    features = []
    for body in page.features:
        feature = json.loads(body)
        figure = by_id[str(feature["id"])]
        value = figure.before if earlier else figure.value
        said = "–" if value is None else f"{number(rounded(value))} {told.unit}".strip()
        feature["properties"] = {
            "classe": told.class_of(value),
            "title": f"{figure.name} : {said}",
            "label": said,
            "url": reverse("portal:sheet", args=[districts.ref.territory, districts.ref.slug, figure.id]),
        }
        features.append(feature)
    return {"type": "FeatureCollection", "features": features}


def overlay_of(told: Synthesis, query: Mapping[str, str], *, earlier: bool) -> dict[str, Any]:
    """Return the synthesis as a layer of the map (see `shell.overlays`)."""
    query = dict(query) | ({"jour": "avant"} if earlier else {})
    return {
        "id": "synthese",
        "title": told.measure_title,
        "url": f"{reverse('portal:synthesis-geojson')}?{urlencode(query)}",
        "list": "#tableau",
        "property": "classe",
        "marks": [[mark.value, mark.label, mark.colour] for mark in told.marks],
        "byBox": False,
        "refreshS": 0,
        "shown": True,
    }
