"""The services of a town, found with the same forgiveness as its places. Their state is a decision, in the registry."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from beffroi.base.catalogue import engine
from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.places.answers import Entry, Kind
from beffroi.sense.places.arrays import Arrays, packed
from beffroi.sense.places.matching import Marked


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
    if not territory:
        return None
    staff = any(viewer.has(role, territory) for role in catalogue.STAFF)
    stamp = (catalogue.states_stamp(), engine.generation(), catalogue.catalogue().fingerprint)
    return _shelf(territory, staff, stamp)


@lru_cache(maxsize=64)
def _shelf(territory: str, staff: bool, _stamp: tuple[int, int, str]) -> ServiceShelf:
    """Return the shelf as long as nobody decides anything; `_stamp` changes whenever it would."""
    titles = {theme.slug: theme.title for theme in catalogue.themes()}
    entries = tuple(
        Entry(
            Kind.SERVICE,
            one.use_case.title,
            id=one.use_case.id,
            details=one.use_case.need,
            words=" ".join(
                (one.use_case.need, one.use_case.promise, *(titles.get(slug, slug) for slug in one.use_case.themes))
            ),
        )
        for one in catalogue.use_cases(territory=territory, states=OPEN_STATES)
        if staff or Audience.RESIDENT in one.use_case.audience
    )
    return ServiceShelf(packed(entries, [0] * len(entries), [()] * len(entries)), entries)
