"""All the national sources of a commune, fetched from where their dataset files say they are. Knows no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.lake.definitions import Definition
from beffroi.lake.fetching import NotPublished, Wait, fetch

Told = Callable[[int, int, Definition, int, int | None], Any]
"""Called as a source comes: how many are done, of how many, which, its bytes so far, of how many when it is known."""


@dataclass(frozen=True, slots=True)
class Source:
    """What came of one source: its file, or why there is none. `absent`: it does not exist for this commune."""

    definition: Definition
    path: Path | None = None
    changed: bool = False
    absent: bool = False
    fault: BeffroiError | None = None


def fetched(definitions: Sequence[Definition], territory: str) -> list[Definition]:
    """Return the dataset files that say where they are fetched and are for this commune, by slug."""
    ours = [one for one in definitions if one.fetch.url and not one.fictional]
    return sorted(
        (one for one in ours if not one.territories or territory in one.territories), key=lambda one: one.slug
    )


def address_of(definition: Definition, territory: str) -> str:
    """Return where the source of a commune is.

    >>> from beffroi.lake.declared import FetchOptions
    >>> told = FetchOptions("https://a.example/{department}/{commune}.csv", "x.csv")
    >>> address_of(Definition("x", fetch=told), "97411")
    'https://a.example/974/97411.csv'
    """
    return _placed(definition.fetch.url, territory)


def _placed(text: str, territory: str) -> str:
    department = territory[:3] if territory.startswith(("97", "98")) else territory[:2]
    return text.format(commune=territory, department=department)


def fetch_all(
    definitions: Sequence[Definition],
    territory: str,
    *,
    folder: Path,
    wait: Wait,
    mirror: Path | None = None,
    told: Told = lambda *_said: None,
) -> Iterator[Source]:
    """Yield each source of the commune once it is in `folder`; one that fails costs itself and no other."""
    wanted = fetched(definitions, territory)
    for rank, one in enumerate(wanted):
        target = folder / one.fetch.name.format(commune=territory)
        told(rank, len(wanted), one, 0, None)
        try:
            got = fetch(
                address_of(one, territory),
                target,
                mirror=mirror,
                wait=wait,
                told=lambda done, total, rank=rank, one=one: told(rank, len(wanted), one, done, total),  # type: ignore[misc]
            )
            beside = [
                fetch(_placed(url, territory), folder / _placed(name, territory), mirror=mirror, wait=wait)
                for url, name in one.fetch.beside
            ]
        except BeffroiError as fault:
            yield Source(one, absent=isinstance(fault, NotPublished), fault=fault)
        else:
            yield Source(one, got.path, got.changed or any(other.changed for other in beside))
