"""How often a dataset is made new: what an agent said, else what its file says, else what its versions show.

A deduced rhythm is the shortest that the versions received have always kept; it is told as such wherever it is shown.
Knows no Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.lake.manifest import Manifest
from beffroi.lake.store import DatasetRef, InForce, Lake

RHYTHM_DAYS = {
    gettext_noop("quotidien"): 2,
    gettext_noop("hebdomadaire"): 9,
    gettext_noop("mensuel"): 38,
    gettext_noop("trimestriel"): 114,
    gettext_noop("semestriel"): 228,
    gettext_noop("annuel"): 456,
}
"""The rhythm a dataset file promises, and the days after which it is late: the period and a quarter of grace."""

OCCASIONAL = gettext_noop("ponctuel")
"""The rhythm of what is made new when something happens: it is never late."""

RHYTHMS = (*RHYTHM_DAYS, OCCASIONAL)

_SPELLED = {
    "quotidienne": "quotidien",
    "journalier": "quotidien",
    "journalière": "quotidien",
    "mensuelle": "mensuel",
    "trimestrielle": "trimestriel",
    "semestrielle": "semestriel",
    "annuelle": "annuel",
    "ponctuelle": OCCASIONAL,
}
_LEAST_ARRIVALS = 4
_LEAST_SPAN = timedelta(days=28)
_MOST_READ = 24


class Origin(StrEnum):
    """Who says the rhythm of a dataset."""

    CHOSEN = "chosen"
    DECLARED = "declared"
    DEDUCED = "deduced"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a dataset is made new, in French words (empty when nothing tells it), and who says so."""

    words: str = ""
    origin: Origin = Origin.NONE

    @property
    def is_deduced(self) -> bool:
        """Tell whether nobody said it: the versions received do."""
        return self.origin is Origin.DEDUCED


def named(words: str) -> str:
    """Return a rhythm as the house writes it; words it does not know are given back as they are.

    >>> named(" Annuelle "), named("à la demande")
    ('annuel', 'à la demande')
    """
    said = words.strip()
    return _SPELLED.get(said.lower(), said.lower() if said.lower() in RHYTHMS else said)


def days_late(rhythm: str, updated: date, *, today: date) -> int | None:
    """Return by how many days data are later than their rhythm allows, 0 in time, None when they promise none.

    >>> days_late("mensuel", date(2026, 1, 1), today=date(2026, 2, 10)), days_late("", date(2026, 1, 1), today=date.max)
    (2, None)
    """
    allowed = RHYTHM_DAYS.get(named(rhythm))
    return None if allowed is None else max(0, (today - updated - timedelta(days=allowed)).days)


def deduced(arrivals: Iterable[date]) -> str:
    """Return the shortest rhythm that all these arrivals kept; empty for fewer than four days of four weeks or more.

    >>> deduced(date(2026, month, 3) for month in (1, 2, 3, 4))
    'mensuel'
    >>> deduced([date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3), date(2026, 1, 4)])
    ''
    """
    days = sorted(set(arrivals))
    if len(days) < _LEAST_ARRIVALS or days[-1] - days[0] < _LEAST_SPAN:
        return ""
    longest = max((later - earlier).days for earlier, later in pairwise(days))
    return next((words for words, allowed in RHYTHM_DAYS.items() if longest <= allowed), "")


def rhythm_of(lake: Lake, ref: DatasetRef, force: InForce, manifest: Manifest) -> Rhythm:
    """Return the rhythm of a dataset in force; `manifest` is that of a version of it."""
    if force.rhythm:
        return Rhythm(force.rhythm, Origin.CHOSEN)
    return unchosen(lake, ref, force, manifest)


def unchosen(lake: Lake, ref: DatasetRef, force: InForce, manifest: Manifest) -> Rhythm:
    """Return the rhythm a dataset has while no agent says another."""
    if words := named(manifest.rhythm):
        return Rhythm(words, Origin.DECLARED)
    words = _shown_by_versions(lake, ref, force.version)
    return Rhythm(words, Origin.DEDUCED if words else Origin.NONE)


@lru_cache(maxsize=4096)
def _shown_by_versions(lake: Lake, ref: DatasetRef, _current: str) -> str:
    # A new version is another one in force: what is remembered holds until then.
    versions = lake.versions(ref)[:_MOST_READ]
    return deduced(_arrivals([lake.manifest(ref, one) for one in versions])) if len(versions) >= _LEAST_ARRIVALS else ""


def _arrivals(manifests: Sequence[Manifest]) -> list[date]:
    """Return the days on which a source came: a version made of corrections keeps the source of the one below."""
    oldest_first = sorted(manifests, key=lambda one: one.created_at)
    return [
        one.created_at.date()
        for before, one in zip([None, *oldest_first[:-1]], oldest_first, strict=True)
        if before is None or not one.source.sha256 or one.source.sha256 != before.source.sha256
    ]
