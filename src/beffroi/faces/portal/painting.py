"""The buildings of the town in the colours of a column: classes, legend, how many each holds, what is unknown.

`batiments=dpe:etiquette_dpe` in the address of the map asks for it; a use case asks for it in its table (`painted`).
Classes are those the use case wrote, else made of the values: each of the few there are, quintiles of numbers, the six
texts most often said. The ramp goes one way from light to dark, on light maps and on dark ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import UseCase
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.layer_look import holds
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.portal.synthesis import bounds_of
from beffroi.faces.portal.tables import NUMERIC, is_code
from beffroi.faces.portal.templatetags.maps import rounded
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.layer_colours import COLOURS, hex_of
from beffroi.lake.layer_settings import Look, LookClass, Settings
from beffroi.lake.queries import DatasetDetail, DatasetRef, DatasetSummary, Measure
from beffroi.lake.reading import SURFACES, Column, ColumnType
from beffroi.sense.twin.colouring import LINKS, Coloured, Link, coloured
from beffroi.sense.twin.queries import town_buildings
from beffroi.sense.twin.written import is_written

UNKNOWN, UNKNOWN_DARK = "#b8b2a5", "#3a4145"
RAMP = ("#f6c95c", "#e08a3c", "#b8475a", "#743081", "#161d52")
RAMP_DARK = ("#ffe9a8", "#f2a65a", "#dd5f74", "#b060c8", "#3f46b8")
"""One order each, told apart without red and without green, and from what is unknown, up to seven steps."""

KINDS = tuple(COLOURS[name] for name in ("bleu", "orange", "vert", "violet", "ciel", "nuit"))
KINDS_DARK = ("#6ea8e8", "#f0a050", "#3fc79a", "#c060c8", "#a8dcf5", "#f2efe6")
MOST_CLASSES, MOST_TEXTS = 7, 40
_DAYS = (ColumnType.DATE, ColumnType.DATETIME)
_IDENTIFIERS = frozenset(key for keys in LINKS.values() for key in keys) | {"id", SURFACES}


class NoPainting(BeffroiError):
    """What is asked cannot colour the buildings."""


@dataclass(frozen=True, slots=True)
class Tint:
    """A class: its words, its colour on a light map and on a dark one, how many buildings it holds."""

    label: str
    colour: str
    dark: str
    count: int


@dataclass(frozen=True, slots=True)
class Scale:
    """How a value finds its class: by the classes of a use case, by its place among `bounds`, or by name."""

    looks: tuple[LookClass, ...] = ()
    bounds: tuple[float, ...] = ()
    names: tuple[Any, ...] = ()
    has_others: bool = False

    def rank(self, value: Any) -> int | None:
        """Return the class of a value, None when nothing is known."""
        if value is None:
            return None
        if self.looks:
            return next((at for at, one in enumerate(self.looks) if holds(one, value)), None)
        if self.names:
            known = self.names.index(value) if value in self.names else None
            return len(self.names) if known is None and self.has_others else known
        return bisect_left(self.bounds, value)


@dataclass(frozen=True, slots=True)
class Painting:
    """The buildings `blocks` in the colours of `column` of `about`; `usage` is the use case that wrote its classes."""

    blocks: DatasetSummary
    about: DatasetSummary
    column: Column
    found: Coloured
    scale: Scale
    tints: tuple[Tint, ...]
    usage: str

    @property
    def known(self) -> int:
        """Return how many buildings something is known of."""
        return sum(one.count for one in self.tints)

    @property
    def unknown(self) -> Tint:
        """Return what stands for the buildings nothing is known of."""
        return Tint(_("inconnu"), UNKNOWN, UNKNOWN_DARK, max(0, self.blocks.rows - self.known))

    @property
    def has_ranges(self) -> bool:
        """Tell whether a class says something else than the value."""
        return not self.scale.names or self.scale.has_others

    @property
    def asked(self) -> str:
        """Return how the address of the map asks for it."""
        asked = f"{self.about.ref.slug}:{self.column.key}"
        return f"{asked}:{self.usage}" if self.usage else asked

    @property
    def query(self) -> str:
        """Return how the address of the list asks for it."""
        kept = {"couche": self.about.ref.slug, "colonne": self.column.key, "usage": self.usage}
        return urlencode({key: value for key, value in kept.items() if value})

    @property
    def link(self) -> str:
        """Say what ties the dataset to the buildings."""
        return {
            Link.OWN: _("la valeur est celle du bâtiment lui-même"),
            Link.RNB: _("les lignes sont rapprochées des bâtiments par leur identifiant national"),
            Link.PARCEL: _("les lignes sont rapprochées des bâtiments par leur parcelle, parfois à plusieurs"),
            Link.ADDRESS: _("les lignes sont rapprochées des bâtiments par leur adresse"),
            Link.POINT: _("chaque point compte pour le bâtiment qui le contient, ou le plus proche à moins de 10 m"),
            Link.LINE: _("chaque bâtiment prend la valeur de la ligne la plus proche, à moins de 30 m"),
            Link.AREA: _("chaque bâtiment prend la valeur de la zone où il se trouve"),
        }[self.found.link]

    def config(self) -> dict[str, Any]:
        """Return what the map needs: the address of the coloured tiles, the colours of the classes, the legend."""
        tints = [*self.tints, self.unknown]
        blocks, about = self.blocks, self.about
        base = reverse("tiles:painted-tile", args=[blocks.ref.territory, blocks.ref.slug, blocks.version,
                       about.ref.slug, about.version, self.column.key, 0, 0, 0])  # fmt: skip
        usage = f"?usage={self.usage}" if self.usage else ""
        return {
            "tiles": base.removesuffix("0/0/0.mvt") + "{z}/{x}/{y}.mvt" + usage,
            "title": self.column.title,
            "tints": [[one.label, one.colour, one.dark] for one in tints],
        }


def painting(
    viewer: Viewer,
    datasets: Sequence[DatasetSummary],
    *,
    slug: str,
    key: str,
    use_case: UseCase | None = None,
    blocks: DatasetSummary | None = None,
) -> Painting:
    """Return the buildings of a town in the colours of column `key` of dataset `slug`, both among `datasets`.

    Raises:
        NoPainting: no buildings, or no such dataset or column for this reader.
        NotOfBuildings: nothing ties its rows to buildings.
    """
    blocks = blocks or town_buildings([one for one in datasets if one.geometry_type])
    about = next((one for one in datasets if one.ref.slug == slug), None)
    if blocks is None or about is None:
        raise NoPainting(
            gettext_noop("la couche « {slug} » n’est pas connue, ou la commune n’a pas de bâtiments"),
            where="couche",
            remedy=gettext_noop("choisissez-la dans la liste de /carte/batiments/"),
            slug=slug[:60],
        )
    column = _column(lake.dataset(viewer, about.ref, version=about.version), key)
    found = coloured(viewer, blocks, about, key, around=datasets)
    look = _look(use_case, slug, key)
    scale, counts = _scaled(found, tuple(look.classes) if look else (), column.type in NUMERIC)
    kept = _tints(scale, counts, column)
    return Painting(blocks, about, column, found, scale, kept, use_case.id if look and use_case else "")


def asked_painting(viewer: Viewer, datasets: Sequence[DatasetSummary], text: str) -> Painting:
    """Read `batiments=jeu:colonne`, or `jeu:colonne:usage` for the classes of a use case.

    Raises:
        NoPainting: not that form, or as `painting`.
        UseCaseNotFound: no such use case.
    """
    slug, key, usage = (*text.split(":", 2), "", "")[:3]
    use_case = catalogue.use_case(usage, territory=datasets[0].ref.territory).use_case if usage and datasets else None
    return painting(viewer, datasets, slug=slug, key=key, use_case=use_case)


def _column(detail: DatasetDetail, key: str) -> Column:
    column = next((one for one in detail.columns if one.key == key and one.key not in _IDENTIFIERS), None)
    if column is None:
        raise NoPainting(
            gettext_noop("la colonne « {key} » n’est pas connue"),
            where="colonne",
            remedy=gettext_noop("choisissez-la dans la liste"),
            key=key[:60],
        )
    return column


def _look(use_case: UseCase | None, slug: str, key: str) -> Look | None:
    """Return the classes a use case writes for a column, None when it writes none."""
    wanted: Settings | None = use_case.settings.get("layers") if use_case else None
    look = wanted.look(slug) if wanted else None
    return look if look and look.column == key else None


@lru_cache(maxsize=6)
def _scaled(found: Coloured, looks: tuple[LookClass, ...], is_number: bool) -> tuple[Scale, tuple[int, ...]]:
    """Return the classes of what was found and how many buildings each holds."""
    values = list(found.values.values())
    scale = Scale(looks=looks) if looks else _scale(values, is_number)
    counts = Counter(scale.rank(value) for value in values)
    most = max((rank for rank in counts if rank is not None), default=-1)
    sizes = (len(looks), len(scale.names) + scale.has_others if scale.names else len(scale.bounds) + 1, most + 1)
    return scale, tuple(counts[rank] for rank in range(sizes[0] or max(sizes[1:])))


def _scale(values: list[Any], is_number: bool) -> Scale:
    times = Counter(values)
    numbers = [one for one in times if isinstance(one, int | float) and not isinstance(one, bool)]
    each = Scale(names=tuple(sorted(times, key=lambda one: (str(type(one)), one))))
    if len(times) <= (MOST_CLASSES if is_ordered(each) else len(KINDS)):
        return each
    if is_number or len(numbers) == len(times):
        return Scale(bounds=bounds_of([float(one) for one in values]))
    names = [name for name, _count in times.most_common(len(KINDS) - 1)]
    return Scale(names=tuple(sorted(names, key=str)), has_others=True)


def _tints(scale: Scale, counts: Sequence[int], column: Column) -> tuple[Tint, ...]:
    if scale.looks:
        return tuple(
            Tint(_(one.label), hex_of(one.colour), "", count) for one, count in zip(scale.looks, counts, strict=True)
        )
    labels = _labels(scale, column)
    light, dark = (ramp(len(labels)), ramp(len(labels), RAMP_DARK)) if is_ordered(scale) else (KINDS, KINDS_DARK)
    return tuple(Tint(*one) for one in zip(labels, light, dark, counts, strict=False))


def is_ordered(scale: Scale) -> bool:
    """Tell whether the classes have an order: numbers, or names of one sign (an energy label)."""
    return all(not isinstance(one, bool | str) or (isinstance(one, str) and len(one) == 1) for one in scale.names)


def ramp(steps: int, anchors: Sequence[str] = RAMP) -> tuple[str, ...]:
    """Return `steps` colours from the first of `anchors` to the last.

    >>> ramp(3)
    ('#f6c95c', '#b8475a', '#161d52')
    """
    ends = [[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in anchors]
    places = [step * (len(ends) - 1) / max(1, steps - 1) for step in range(steps)]
    made = []
    for place in places:
        low = min(int(place), len(ends) - 2)
        mixed = (a + (b - a) * (place - low) for a, b in zip(ends[low], ends[low + 1], strict=True))
        made.append("#" + "".join(f"{round(part):02x}" for part in mixed))
    return tuple(made)


def _labels(scale: Scale, column: Column) -> list[str]:
    unit = f"\u00a0{column.unit}" if column.unit else ""
    if scale.names:
        named = [f"{said(one, column)}{unit if isinstance(one, int | float) else ''}" for one in scale.names]
        return [*named, _("autres valeurs")] if scale.has_others else named
    ends = [None, *scale.bounds, None]
    return [_range(low, high, column) + unit for low, high in pairwise(ends)]


def said(value: Any, column: Column) -> str:
    """Return a value as a legend and a list say it: a year or a code has no thousands."""
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, int | float):
        if column.type in _DAYS or is_code(column.key):
            return str(int(value))
        return number(rounded(value))
    return str(value)


def _range(low: float | None, high: float | None, column: Column) -> str:
    if low is None and high is None:
        return _("toutes les valeurs")
    if low is None:
        return _("jusqu’à {high}").format(high=said(high, column))
    if high is None:
        return _("plus de {low}").format(low=said(low, column))
    return _("plus de {low}, jusqu’à {high}").format(low=said(low, column), high=said(high, column))


# --- What can be asked ------------------------------------------------------------------------------------------------


def colouring_datasets(viewer: Viewer, datasets: Iterable[DatasetSummary]) -> list[DatasetSummary]:
    """Return the datasets that may tell something of buildings: those that have a place, or their identifiers."""
    return [one for one in datasets if _is_placed(one) or _is_tied(viewer, one)]


def _is_placed(summary: DatasetSummary) -> bool:
    return (summary.geometry_type or "").removeprefix("Multi") in ("Point", "LineString", "Polygon")


def _is_tied(viewer: Viewer, summary: DatasetSummary) -> bool:
    detail = lake.dataset(viewer, summary.ref, version=summary.version)
    return is_written(detail) or any(column.key in _IDENTIFIERS - {"id"} for column in detail.columns)


def colouring_columns(viewer: Viewer, about: DatasetSummary) -> list[Column]:
    """Return the columns of a dataset that make a legend: numbers, days, yes or no, texts of few values."""
    detail = lake.dataset(viewer, about.ref, version=about.version)
    able = [one for one in detail.columns if one.key not in _IDENTIFIERS]
    texts = [one for one in able if one.type is ColumnType.TEXT]
    told = _distinct(viewer, about, texts)
    named = name_column(detail.columns)
    few = {
        one.key for one in texts if 1 < told[one.key] <= MOST_TEXTS or (one == named and 1 < told[one.key] < about.rows)
    }
    wanted = (*NUMERIC, *_DAYS, ColumnType.BOOLEAN)
    return [
        one
        for one in able
        if one.key in few or (one.type in wanted and (not is_code(one.key) or "annee" in one.key.split("_")))
    ]


def _distinct(viewer: Viewer, about: DatasetSummary, columns: Sequence[Column]) -> Mapping[str, int]:
    if not columns:
        return {}
    measures = [Measure(one.key, "distinct", one.key) for one in columns]
    (row,) = lake.aggregate(viewer, about.ref, measures=measures, version=about.version).rows
    return dict(zip((one.key for one in columns), row, strict=True))


def rank_of(
    viewer: Viewer, blocks: DatasetRef, version: str, about: DatasetRef, about_version: str, key: str, use_case: Any
) -> Any:
    """Return what tells the class of a building by its `_id`, for the coloured tiles.

    Raises:
        DatasetNotFound: either is not for this viewer.
        NoPainting: as `painting`.
    """
    datasets = lake.datasets(viewer, territory=blocks.territory)
    summaries = [lake.dataset(viewer, blocks, version=version).summary,
                 lake.dataset(viewer, about, version=about_version).summary]  # fmt: skip
    known = [one for one in datasets if one.ref not in (blocks, about)] + summaries
    drawn = painting(viewer, known, slug=about.slug, key=key, use_case=use_case, blocks=summaries[0])
    return lambda building: drawn.scale.rank(drawn.found.values.get(building))
