"""Who reads what: visibility classes, and the columns each may see. Knows no Django.

A dataset and each of its columns are ``public``, for ``agents``, or for a service (``service:<slug>``). A class is
what one kind of reader may see; each distinct class has its own serving index, tiles and downloads, which do not hold
the other columns at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from beffroi.base.territory.viewer import AGENTS, PUBLIC, SERVICE_PREFIX
from beffroi.lake.reading import Column


def clearance(class_name: str) -> frozenset[str]:
    """Return what a reader of this class holds: a service's agents are agents, and agents are the public."""
    return frozenset({PUBLIC, class_name} | ({AGENTS} if class_name != PUBLIC else set()))


def visible(columns: Sequence[Column], clearances: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns a reader with `clearances` may see, in order."""
    held = frozenset(clearances)
    return tuple(column for column in columns if column.access in held)


def classes(access: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the classes a dataset needs, from the widest public to the narrowest; each sees different columns."""
    named = {access, *(column.access for column in columns)}
    ordered = sorted(named | {PUBLIC, AGENTS}, key=lambda name: (name != PUBLIC, name != AGENTS, name))
    kept: dict[tuple[Column, ...], str] = {}
    for name in ordered:
        if access in clearance(name):
            kept.setdefault(visible(columns, clearance(name)), name)
    return tuple(kept.values())


def class_of(clearances: Iterable[str], access: str, columns: Sequence[Column]) -> str | None:
    """Return the class that shows a reader the most, None when the dataset is not for her.

    A reader of two services that each have columns of their own gets the class with more columns from maps and
    features; the table shows her both.
    """
    held = frozenset(clearances)
    if access not in held:
        return None
    open_to_her = [name for name in classes(access, columns) if clearance(name) <= held]
    return max(open_to_her, key=lambda name: len(visible(columns, clearance(name))), default=None)


def in_force(columns: Sequence[Column], accesses: Mapping[str, str]) -> tuple[Column, ...]:
    """Return the columns of a version with the rights in force today, by key; those of the version otherwise."""
    return tuple(replace(column, access=accesses.get(column.key, column.access)) for column in columns)


def signature(columns: Sequence[Column]) -> str:
    """Return a mark of what an artefact holds: one whose mark is not today's must not be served."""
    return hashlib.sha256("\n".join(column.key for column in columns).encode()).hexdigest()[:16]


def file_part(class_name: str) -> str:
    """Return the class as it stands in file names: ``public``, ``agents``, ``service-<slug>``."""
    return class_name.replace(SERVICE_PREFIX, "service-")
