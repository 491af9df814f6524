"""Which open reports are about the same thing: distance, category, time and wording, over the cells around.

A score goes from 0 to 1: 0.45 for the place (1 at no distance, 0 at the category's own radius), 0.30 for the category
(half for another of its group), 0.10 for time (halved every ten days), 0.15 for the words in common. The same object is
the same thing. From `PROPOSED` on, a report is proposed: in practice the same category within half the radius, or
farther with the same words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from beffroi.serve.cases.definition import OPEN
from beffroi.serve.reports.categories import Category, OpenCategory, folded
from beffroi.serve.reports.models import Report
from beffroi.serve.reports.places import Place, cells_around, distance_m

PROPOSED = 0.55
# Two categories that have nothing in common are the same thing only when it is said in the same words.
SAME_WORDS = 0.5
MOST_CANDIDATES = 600
_WORD = re.compile(r"[a-z0-9]{4,}")


@dataclass(frozen=True, slots=True)
class Likeness:
    """A report that may be the same: its key, how alike (0 to 1) and how far, in metres."""

    case_id: int
    score: float
    distance_m: float
    same_object: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """What likenesses are sought for."""

    category: Category
    place: Place
    text: str
    dataset: str
    feature: str
    at: datetime


def likenesses(
    sought: Sought,
    *,
    territory: str,
    readable: Q,
    categories: Sequence[OpenCategory],
    but: int = 0,
    limit: int = 5,
) -> list[Likeness]:
    """Return the open reports most like what is sought, the most alike first; one query.

    Args:
        readable: the condition of what the reader may know of (`cases.queries.readable`, prefix ``case__``).
        categories: those of the town, for their groups.
        but: the key of a report to leave out: oneself.
    """
    radius = float(sought.category.duplicates_m)
    runs = cells_around(sought.place.lon, sought.place.lat, radius)
    near = Q()
    for first, last in runs:
        near |= Q(cell__gte=first, cell__lte=last)
    if sought.feature:
        near |= Q(dataset=sought.dataset, feature=sought.feature)
    rows = (
        Report.objects.filter(near, readable, case__status__in=OPEN, case__territory=territory)
        .exclude(pk=but)
        .values_list(
            "pk", "lon", "lat", "dataset", "feature", "case__category", "case__opened_at", "case__description"
        )[:MOST_CANDIDATES]
    )
    groups = {one.category.code: one.category.group for one in categories}
    words = _words(sought.text)
    found = []
    for key, lon, lat, dataset, feature, code, opened_at, text in rows:
        far = distance_m(sought.place, Place(lon, lat))
        same = bool(sought.feature) and (dataset, feature) == (sought.dataset, sought.feature)
        if far > radius and not same:
            continue
        kin, alike = _kinship(sought.category, code, groups), _common(words, text)
        if not (kin or same or alike >= SAME_WORDS):
            continue
        score = 0.45 * (1 - min(far / radius, 1)) + 0.30 * kin + 0.15 * alike
        score += 0.10 * 0.5 ** (abs((sought.at - opened_at).total_seconds()) / 864_000)
        if same and code == sought.category.code:
            score = 1.0
        if score >= PROPOSED:
            found.append(Likeness(int(key), round(score, 3), round(far, 1), same))
    return sorted(found, key=lambda one: (-one.score, one.distance_m, one.case_id))[:limit]


def _kinship(category: Category, code: str, groups: dict[str, str]) -> float:
    if code == category.code:
        return 1.0
    return 0.5 if category.group and groups.get(code) == category.group else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(folded(text)))


def _common(words: frozenset[str], text: str) -> float:
    """Return the share of words in common (Jaccard); nothing when one says nothing."""
    if not words or not text:
        return 0.0
    other = _words(text[:500])
    return len(words & other) / len(words | other) if other else 0.0
