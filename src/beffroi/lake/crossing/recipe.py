"""A recipe: which dataset, joined with which, what is kept of it, and what it is summed up by. Data, never SQL.

It is made of steps, one text each, which an address carries in their order; the last one may be undone:

    jeu|arbres                               the dataset one starts from
    lier|ecoles|code_iris|iris               joined by a key: its column, then that of the other
    dans|quartiers                           joined by place: the area that holds it
    garder|hauteur_m|ge|10                   a condition; `quartiers.nom` is a column of a joined dataset
    resumer|@quartiers|mean|hauteur_m        by each thing of a joined dataset; by a column; by `date:annee`; or in all

Knows no Django.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from beffroi.lake.sql import BadQuery, Filter

FUNCTIONS = ("count", "sum", "mean", "median", "min", "max", "distinct")
GRAINS = ("annee", "mois")
MOST_JOINS, MOST_FILTERS, MOST_TEXT = 3, 12, 200


@dataclass(frozen=True, slots=True)
class Join:
    """Another dataset: by key (`on` here, `to` there), or by place when both are empty."""

    dataset: str
    on: str = ""
    to: str = ""

    @property
    def by_place(self) -> bool:
        """Tell whether the other dataset is joined by where things are."""
        return not self.on


@dataclass(frozen=True, slots=True)
class Summary:
    """What the rows are summed up by and how: `by` is empty, a column, `column:annee`, or `@dataset`."""

    by: str = ""
    function: str = "count"
    column: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an agent asks for. Without a `summary`, its result is rows."""

    dataset: str
    joins: tuple[Join, ...] = ()
    where: tuple[Filter, ...] = ()
    summary: Summary | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the slugs of the datasets it reads, the first one first."""
        return (self.dataset, *(one.dataset for one in self.joins))

    def as_json(self) -> dict[str, Any]:
        """Return the form it is saved in."""
        summary = self.summary
        return {
            "dataset": self.dataset,
            "joins": [{"dataset": one.dataset, "on": one.on, "to": one.to} for one in self.joins],
            "where": [{"column": one.column, "op": one.op, "value": one.value} for one in self.where],
            "summary": summary and {"by": summary.by, "function": summary.function, "column": summary.column},
        }

    def steps(self) -> list[str]:
        """Return its steps, to take it up again."""
        steps = [f"jeu|{self.dataset}"]
        steps += [f"dans|{one.dataset}" if one.by_place else f"lier|{one.dataset}|{one.on}|{one.to}"
                  for one in self.joins]  # fmt: skip
        steps += [f"garder|{one.column}|{one.op}|{one.value}" for one in self.where]
        if self.summary:
            steps.append(f"resumer|{self.summary.by}|{self.summary.function}|{self.summary.column}")
        return steps


def recipe_from_json(payload: Mapping[str, Any]) -> Recipe:
    """Rebuild a recipe written by `Recipe.as_json`."""
    return Recipe(
        payload["dataset"],
        tuple(Join(**one) for one in payload["joins"]),
        tuple(Filter(**one) for one in payload["where"]),
        Summary(**payload["summary"]) if payload["summary"] else None,
    )


def recipe_of(steps: Sequence[str]) -> Recipe:
    """Return the recipe its steps make.

    Raises:
        BadQuery: a step that cannot be read, or one too many.

    >>> recipe_of(["jeu|arbres", "dans|quartiers", "resumer|@quartiers|count|"]).summary
    Summary(by='@quartiers', function='count', column='')
    """
    recipe: Recipe | None = None
    for step in steps:
        kind, *words = step[: MOST_TEXT * 2].split("|", 3)
        reader, count = _STEPS.get(kind, (None, 0))
        if reader is None or len(words) != count or (recipe is None) != (kind == "jeu"):
            raise BadQuery(
                "étape « {step} » illisible", where="e", remedy="reprenez le croisement au début", step=step[:80]
            )
        recipe = reader(recipe, words)
    if recipe is None:
        raise BadQuery("aucun jeu de données choisi", where="e", remedy="choisissez-en un")
    return recipe


def _linked(recipe: Recipe, words: Sequence[str]) -> Recipe:
    if len(recipe.joins) >= MOST_JOINS:
        raise BadQuery(
            "plus de {most} jeux joints", remedy="enregistrez un premier jeu, puis croisez-le", most=MOST_JOINS
        )
    if words[0] in recipe.sources:
        raise BadQuery("« {slug} » est déjà là", remedy="choisissez un autre jeu de données", slug=words[0][:80])
    return replace(recipe, joins=(*recipe.joins, Join(*words)))


def _kept(recipe: Recipe, words: Sequence[str]) -> Recipe:
    if len(recipe.where) >= MOST_FILTERS:
        raise BadQuery("plus de {most} conditions", remedy="retirez-en", most=MOST_FILTERS)
    return replace(recipe, where=(*recipe.where, Filter(words[0], words[1], words[2][:MOST_TEXT])))


def _summed_up(recipe: Recipe, words: Sequence[str]) -> Recipe:
    return replace(recipe, summary=Summary(*words))


_STEPS: dict[str, tuple[Any, int]] = {
    "jeu": (lambda recipe, words: Recipe(words[0]), 1),
    "lier": (_linked, 3),
    "dans": (_linked, 1),
    "garder": (_kept, 3),
    "resumer": (_summed_up, 3),
}
