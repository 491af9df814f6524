"""A lot of a building: its use, its surface, and what is said of its occupation, each saying with its source and day.

Sources say different things at different times. The most recent wins; of the same day, the one nearest the ground. The
others are kept beside it. What nothing says is unknown, which is neither occupied nor vacant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from beffroi.base.kernel.sentences import gettext_noop

USES = {
    "logement": gettext_noop("Logement"),
    "commerce": gettext_noop("Commerce"),
    "bureau": gettext_noop("Bureau"),
    "activite": gettext_noop("Activité"),
    "equipement": gettext_noop("Équipement public"),
}
"""The uses that count. Outbuildings have none of their own."""


class Source(StrEnum):
    """Who says it, the surest first."""

    SURVEY = "survey"
    SIRENE = "sirene"
    LOVAC = "lovac"
    TAX = "tax"


SOURCES = {
    Source.SURVEY: gettext_noop("relevé de la commune"),
    Source.SIRENE: gettext_noop("établissement fermé (SIRENE)"),
    Source.LOVAC: gettext_noop("LOVAC"),
    Source.TAX: gettext_noop("fichiers fonciers"),
}
_RANK = {source: rank for rank, source in enumerate(Source)}


@dataclass(frozen=True, slots=True)
class Saying:
    """What a source says of a lot on a day: vacant or occupied."""

    vacant: bool
    source: Source
    day: date


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot. `surface_m2` and `floor` are None where not known; `sayings`, the one that wins first.

    `siret` is the establishment tied to it, empty when none is known; `place`, its longitude and latitude.
    """

    id: str
    building: str
    use: str
    surface_m2: float | None
    floor: int | None
    address: str
    district: str
    siret: str
    place: tuple[float, float] | None
    sayings: tuple[Saying, ...]

    @property
    def vacant(self) -> bool | None:
        """Tell whether it stands vacant, None when nobody says."""
        return self.sayings[0].vacant if self.sayings else None

    @property
    def contradicted(self) -> tuple[Saying, ...]:
        """Return the sayings that lost and say the contrary."""
        return tuple(one for one in self.sayings[1:] if one.vacant is not self.sayings[0].vacant)


def in_order(sayings: Iterable[Saying]) -> tuple[Saying, ...]:
    """Return sayings, the one that wins first: the most recent, then the surest source.

    >>> a = Saying(True, Source.LOVAC, date(2026, 1, 1))
    >>> b = Saying(False, Source.SURVEY, date(2025, 6, 1))
    >>> [one.source.value for one in in_order([b, a])]
    ['lovac', 'survey']
    """
    return tuple(sorted(sayings, key=lambda one: (-one.day.toordinal(), _RANK[one.source])))
