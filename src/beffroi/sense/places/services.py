"""The services of a town, found with the same forgiveness as its places. Their state is a decision, in the registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience, UseCase
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.places.answers import Entry, Kind
from beffroi.sense.places.arrays import Arrays, packed
from beffroi.sense.places.matching import Marked

# An INSEE code (2A and 2B in Corsica) or a SIREN number.
_CODE = re.compile(r"[0-9][0-9AB][0-9]{3}|[0-9]{9}")


@dataclass(frozen=True, slots=True)
class ServiceShelf:
    """The open services of a town, in memory."""

    arrays: Arrays
    entries: tuple[Entry, ...]
    town_words: frozenset[str] = frozenset()

    def entry(self, number: int) -> Entry:
        """Return one service; its id is that of the use case."""
        return self.entries[number]

    def allowed(self, _kinds: Collection[Kind]) -> Callable[[Marked], Marked]:
        """Return what keeps every service."""
        return lambda marked: marked


def shelf_of(viewer: Viewer, territory: str) -> ServiceShelf | None:
    """Return the services that a viewer finds in a territory: those for residents, and for its staff those for them."""
    if not _CODE.fullmatch(territory):
        return None
    staff = any(viewer.has(role, territory) for role in catalogue.STAFF)
    found = tuple(
        one.use_case
        for one in catalogue.with_data(catalogue.use_cases(territory=territory, states=OPEN_STATES), territory)
        if staff or Audience.RESIDENT in one.use_case.audience
    )
    return _shelf(catalogue.catalogue().fingerprint, tuple(one.id for one in found), _Same(found))


@dataclass(frozen=True, slots=True)
class _Same:
    """Use cases that do not count in a cache key: their ids and the catalogue do."""

    use_cases: tuple[UseCase, ...] = field(compare=False)


@lru_cache(maxsize=64)
def _shelf(_catalogue: str, _ids: tuple[str, ...], kept: _Same) -> ServiceShelf:
    titles = {theme.slug: theme.title for theme in catalogue.themes()}
    entries = tuple(
        Entry(
            Kind.SERVICE,
            one.title,
            id=one.id,
            details=one.need,
            words=" ".join((one.need, one.promise, *(titles.get(slug, slug) for slug in one.themes))),
        )
        for one in kept.use_cases
    )
    return ServiceShelf(packed(entries, [0] * len(entries), [()] * len(entries)), entries)
