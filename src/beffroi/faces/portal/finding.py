"""Finding services and datasets by words: accents, capitals and small French words do not count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.words import folded, words
from beffroi.lake.queries import DatasetSummary

Item = TypeVar("Item")


def ranked(items: Iterable[Item], text: str, title: Callable[[Item], str], body: Callable[[Item], str]) -> list[Item]:
    """Return the items that hold every word, those whose title holds them first, then by title."""
    wanted = words(text)
    if not wanted:
        return []
    scored: list[tuple[int, str, int, Item]] = []
    for item in items:
        in_title, everywhere = folded(title(item)), folded(f"{title(item)} {body(item)}")
        if all(word in everywhere for word in wanted):
            missing = sum(word not in in_title for word in wanted)
            scored.append((missing, in_title, len(scored), item))
    return [item for _missing, _title, _order, item in sorted(scored, key=lambda score: score[:3])]


def found_services(services: Iterable[UseCaseView], text: str) -> list[UseCaseView]:
    """Return the services that answer a search, best first."""
    return ranked(services, text, lambda one: one.use_case.title, _service_body)


def _service_body(one: UseCaseView) -> str:
    return " ".join((one.use_case.need, one.use_case.promise, *one.use_case.themes))


def found_datasets(datasets: Iterable[DatasetSummary], text: str) -> list[DatasetSummary]:
    """Return the datasets that answer a search, best first."""
    return ranked(datasets, text, lambda one: one.title, lambda one: f"{one.description} {one.theme} {one.producer}")
