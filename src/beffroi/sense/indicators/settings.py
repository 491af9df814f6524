"""What a use case may say of its indicators: datasets, formula, unit, method, secrecy, comparison. Data, never SQL.

[indicators]
tool  = "declared"
group = "IRIS"                                      # what a line of the tables is
zones = { dataset = "iris", key = "code_iris", name = "nom_iris" }          # when lines are drawn on the map

[[indicators.measures]]
slug    = "seules"
title   = "Ménages d’une seule personne"
formula = "share"                                   # see `FORMULAS`
dataset = "familles-iris"
columns = ["c??_menpseul"]                          # summed; `?` are the two digits of the vintage
per     = ["c??_men"]
by      = "iris"
unit    = "%"
better  = "neither"
method  = "Sur cent ménages, ceux d’une seule personne."
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FORMULAS = ("count", "sum", "mean", "median", "value", "share", "rate", "function")
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z?][a-z0-9_?]{0,80}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Zones(_Table):
    """The dataset whose areas the lines are: the column that lines name them by, and the one of their names."""

    dataset: Slug
    key: Key
    name: Key


class Kept(_Table):
    """A condition on the rows: `column` `op` `value`, as `lake.queries.FILTER_OPS` has them."""

    column: Key
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "starts", "null"]
    value: str | int | float | bool


class Beside(_Table):
    """What a line is set beside: the whole commune, a `column` of a `dataset` where `on` is the same, or a function."""

    title: str = Field(min_length=3)
    whole: bool = False
    dataset: Slug | Literal[""] = ""
    column: Key | Literal[""] = ""
    on: tuple[Key, ...] = ()
    function: Slug | Literal[""] = ""
    note: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum((self.whole, bool(self.dataset and self.column and self.on), bool(self.function))) != 1:
            raise ValueError("une comparaison dit `whole`, ou `dataset`, `column` et `on`, ou `function`")
        return self


class Measure(_Table):
    """One indicator. `per_dataset` holds the columns of `per` when they are not beside `columns`; `uses` are the other
    datasets of a computation by code.

    `year` is the column of the year, empty where a version of the dataset is one vintage. `reason` is the column that
    says why a value is not published. Under `least` (of `counted`, or of rows), a line is masked, and so is what a
    subtraction would tell. Under `frail` (of the denominator, or of the value), it is told to be imprecise.
    `read_as` agents: officials read sums of what agents alone read, never under `least`.
    """

    slug: Slug
    title: str = Field(min_length=3)
    formula: Literal["count", "sum", "mean", "median", "value", "share", "rate", "function"]
    dataset: Slug
    columns: tuple[Key, ...] = ()
    per: tuple[Key, ...] = ()
    per_dataset: Slug | Literal[""] = ""
    factor: float = Field(default=1, gt=0)
    function: Slug | Literal[""] = ""
    uses: tuple[Slug, ...] = ()
    by: Key
    year: Key | Literal[""] = ""
    reason: Key | Literal[""] = ""
    counted: Key | Literal[""] = ""
    where: tuple[Kept, ...] = ()
    unit: str = ""
    unit_column: Key | Literal[""] = ""
    digits: int = Field(default=1, ge=0, le=3)
    better: Literal["up", "down", "neither"]
    method: str = Field(min_length=20)
    least: int = Field(default=0, ge=0, le=10_000)
    frail: float = Field(default=0, ge=0)
    read_as: Literal["reader", "agents"] = "reader"
    besides: tuple[Beside, ...] = ()

    @model_validator(mode="after")
    def _whole_formula(self) -> Self:
        if self.formula in ("sum", "mean", "median", "value", "share", "rate") and not self.columns:
            raise ValueError(f"la formule {self.formula} demande `columns`")
        if self.formula in ("mean", "median", "value") and len(self.columns) != 1:
            raise ValueError(f"la formule {self.formula} se calcule sur une colonne")
        if self.formula in ("share", "rate") and not self.per:
            raise ValueError(f"la formule {self.formula} demande `per`, ce à quoi l’on rapporte")
        if (self.formula == "function") != bool(self.function):
            raise ValueError("`function` nomme le calcul de la formule « function », et d’elle seule")
        if self.read_as == "agents" and self.least < 5:
            raise ValueError("ce que lisent les seuls agents ne se dit aux autres que sous un seuil d’au moins 5")
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the datasets the figures are computed from."""
        return tuple(dict.fromkeys(one for one in (self.dataset, self.per_dataset, *self.uses) if one))


class Declared(_Table):
    """The indicators of a use case. `group` says what one line of their tables is; `review`: a year is a report."""

    tool: Literal["declared"]
    group: str = Field(min_length=2)
    zones: Zones | None = None
    review: bool = False
    notes: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        slugs = [one.slug for one in self.measures]
        if len(set(slugs)) != len(slugs):
            raise ValueError("deux mesures portent le même `slug`")
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the datasets of all its measures, each once."""
        return tuple(dict.fromkeys(slug for one in self.measures for slug in one.datasets))
