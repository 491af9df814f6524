"""A recipe in words, and what its forms offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.territory.viewer import AGENTS, PUBLIC, SERVICE_PREFIX, Viewer
from beffroi.lake.crossing.queries import Crossed
from beffroi.lake.crossing.recipe import FUNCTIONS, GRAINS
from beffroi.lake.reading import Column, ColumnType

DATED = (ColumnType.DATE, ColumnType.DATETIME)
FUNCTION_WORDS = {
    "count": gettext_noop("Compter les lignes"),
    "sum": gettext_noop("Total"),
    "mean": gettext_noop("Moyenne"),
    "median": gettext_noop("Médiane"),
    "min": gettext_noop("Minimum"),
    "max": gettext_noop("Maximum"),
    "distinct": gettext_noop("Valeurs différentes"),
}
OPERATOR_WORDS = {
    "contains": gettext_noop("contient"),
    "starts": gettext_noop("commence par"),
    "eq": gettext_noop("est égal à"),
    "ne": gettext_noop("n’est pas"),
    "lt": gettext_noop("est moins que"),
    "le": gettext_noop("est au plus"),
    "gt": gettext_noop("est plus que"),
    "ge": gettext_noop("est au moins"),
    "null": gettext_noop("n’est pas rempli"),
}
GRAIN_WORDS = {"annee": gettext_noop("{column}, par année"), "mois": gettext_noop("{column}, par mois")}
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Offered:
    """What the forms of a page offer, each choice with its words; columns are by dataset."""

    columns: list[tuple[str, Choices]]
    by: list[tuple[str, Choices]]
    functions: Choices
    operators: Choices


def offered(answer: Crossed) -> Offered:
    """Return what may be asked next of an answer: its columns, the things of what it is joined with."""
    things = [(f"@{one.ref.slug}", _("Chaque élément de « {title} »").format(title=one.title))
              for one in answer.sources[1:]]  # fmt: skip
    groups: dict[str, Choices] = {}
    for ref, column, title in answer.references:
        grains = [(f"{ref}:{grain}", _(GRAIN_WORDS[grain]).format(column=column.title)) for grain in GRAINS]
        groups.setdefault(title, []).extend([*(grains if column.type in DATED else []), (ref, column.title)])
    return Offered(
        columns=_grouped(answer),
        by=[*([(_("Par zone ou par objet"), things)] if things else []), *groups.items()],
        functions=[(name, _(FUNCTION_WORDS[name])) for name in FUNCTIONS],
        operators=[(name, _(words)) for name, words in OPERATOR_WORDS.items()],
    )


def _grouped(answer: Crossed) -> list[tuple[str, Choices]]:
    groups: dict[str, Choices] = {}
    for ref, column, title in answer.references:
        unit = f" ({column.unit})" if column.unit else ""
        groups.setdefault(title, []).append((ref, column.title + unit))
    return list(groups.items())


def told_steps(steps: Sequence[str], titles: dict[str, str], columns: dict[str, Column]) -> list[str]:
    """Return each step as a sentence; what is not known any more is said by its own name."""
    return [_told(step, titles, columns) for step in steps]


def _told(step: str, titles: dict[str, str], columns: dict[str, Column]) -> str:
    kind, *words = step.split("|", 3)
    words += [""] * (3 - len(words))

    def column(ref: str) -> str:
        name, _colon, grain = ref.partition(":")
        title = columns[name].title if name in columns else name
        return _(GRAIN_WORDS[grain]).format(column=title) if grain in GRAIN_WORDS else title

    title = titles.get(words[0], words[0])
    if kind == "jeu":
        return _("Partir de « {title} »").format(title=title)
    if kind == "dans":
        return _("Trouver la zone de « {title} » où chaque objet se trouve").format(title=title)
    if kind == "lier":
        there = column(f"{words[0]}.{words[2]}")
        return _("Lier « {title} » : « {ours} » est le même que « {theirs} »").format(
            title=title, ours=column(words[1]), theirs=there
        )
    if kind == "garder":
        value = "" if words[1] == "null" else f" {words[2]}"
        operator = _(OPERATOR_WORDS.get(words[1], words[1]))
        return _("Garder si « {column} » {test}").format(column=column(words[0]), test=operator + value)
    return _summed_up(words, titles, column(words[0]), column(words[2]))


def _summed_up(words: Sequence[str], titles: dict[str, str], by: str, of: str) -> str:
    figure = _(FUNCTION_WORDS.get(words[1], words[1])) + (f" : {of}" if words[2] else "")
    if not words[0]:
        return figure
    named = titles.get(words[0][1:], words[0][1:]) if words[0].startswith("@") else by
    return _("{figure}, par « {by} »").format(figure=figure, by=named)


def measure_words(function: str, column: Column) -> str:
    """Return the head of the column of figures, with its unit.

    >>> measure_words("count", Column("nombre", "Nombre"))
    'Nombre'
    """
    if function == "count":
        return _("Nombre")
    unit = f" ({column.unit})" if column.unit else ""
    return f"{_(FUNCTION_WORDS[function])} : {column.title}{unit}"


def readers(viewer: Viewer, territory: str) -> Choices:
    """Return those whom an agent may give what she made to: all, agents, the services she belongs to."""
    services = sorted(one for one in viewer.clearances(territory) if one.startswith(SERVICE_PREFIX))
    own = [(one, _("Le service {name}").format(name=one.removeprefix(SERVICE_PREFIX))) for one in services]
    return [(AGENTS, _("Les agents")), *own, (PUBLIC, _("Tout le monde : élus, habitants"))]
