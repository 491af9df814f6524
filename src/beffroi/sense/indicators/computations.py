"""The computations that a formula cannot say, each by its name: the one door where an indicator needs code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import Viewer
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.indicators.figures import Answer, Computed
from beffroi.sense.indicators.settings import Measure


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison by code found: a value for each line it knows, a sentence about it, what it was read from."""

    values: Mapping[str, float | None]
    note: Sentence | None = None
    sources: tuple[DatasetSummary, ...] = ()


Computation = Callable[[Viewer, str, Measure], Computed]
"""Given the reader, the territory and the measure; raises `Missing` for data that is not there."""

Comparison = Callable[[Viewer, str, Answer], Found]

_computations: dict[str, Computation] = {}
_comparisons: dict[str, Comparison] = {}


def computation(name: str) -> Callable[[Computation], Computation]:
    """Register what `formula = "function"` names."""

    def register(function: Computation) -> Computation:
        _computations[name] = function
        return function

    return register


def comparison(name: str) -> Callable[[Comparison], Comparison]:
    """Register what `besides.function` names."""

    def register(function: Comparison) -> Comparison:
        _comparisons[name] = function
        return function

    return register


def computation_named(name: str) -> Computation:
    """Return a computation by its name; the engine refused the files that name none."""
    return _computations[name]


def comparison_named(name: str) -> Comparison:
    """Return a comparison by its name."""
    return _comparisons[name]


def known_names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of computations, then of comparisons."""
    return frozenset(_computations), frozenset(_comparisons)
