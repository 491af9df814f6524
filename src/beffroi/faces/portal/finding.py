"""Finding services and datasets by words: accents, capitals and small French words do not count."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.lake.queries import DatasetSummary

_SMALL = frozenset(
    "a au aux d de des du en et l la le les ou où par pour sur un une dans the of".split()  # noqa: SIM905
)
_ABBREVIATED = {"bd": "boulevard", "av": "avenue", "pl": "place", "st": "saint", "ste": "sainte"}
Item = TypeVar("Item")


def folded(text: str) -> str:
    """Return `text` in small letters without accents; ligatures are opened.

    >>> folded("Cœur d'Érables")
    "coeur d'erables"
    """
    opened = text.lower().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    return "".join(letter for letter in unicodedata.normalize("NFD", opened) if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """Return the words of a search that count, spelled out and without a final s.

    >>> words("les arbres du bd. Hugo")
    ['arbre', 'boulevard', 'hugo']
    """
    found = [word for word in re.findall(r"[a-z0-9]+", folded(text)) if word not in _SMALL]
    spelled = [_ABBREVIATED.get(word, word) for word in found]
    return [word[:-1] if len(word) > 3 and word[-1] in "sx" else word for word in spelled]


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
