"""The scale of a building's state, its components, and the ageing that readings show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from beffroi.base.kernel.sentences import gettext_noop

GRADES: Mapping[int, str] = {
    5: gettext_noop("neuf ou comme neuf"),
    4: gettext_noop("bon état"),
    3: gettext_noop("état moyen : entretien courant"),
    2: gettext_noop("mauvais état : travaux à prévoir"),
    1: gettext_noop("hors d’usage ou dangereux"),
}
"""Ours, and written on every page that shows a grade: five steps, so that two agents give the same."""

WORKS_NEEDED = 2
"""The grade at which works are to be planned."""

COMPONENTS: Mapping[str, str] = {
    "toiture": gettext_noop("Toiture"),
    "facade": gettext_noop("Façades"),
    "structure": gettext_noop("Structure"),
    "menuiseries": gettext_noop("Portes et fenêtres"),
    "chauffage": gettext_noop("Chauffage et ventilation"),
    "electricite": gettext_noop("Électricité"),
    "plomberie": gettext_noop("Eau et sanitaires"),
    "interieur": gettext_noop("Sols, murs et plafonds"),
    "acces": gettext_noop("Accès et accessibilité"),
}
WORK_KINDS: Mapping[str, str] = {
    "construction": gettext_noop("Construction ou extension"),
    "renovation": gettext_noop("Rénovation ou remplacement"),
    "entretien": gettext_noop("Entretien ou réparation"),
    "controle": gettext_noop("Contrôle ou diagnostic"),
}
MAKES_ANEW = ("construction", "renovation")
"""Works after which earlier readings say nothing of what comes."""

LEAST_READINGS = 3
FARTHEST_YEARS = 30
_YEAR_DAYS = 365.2425


@dataclass(frozen=True, slots=True)
class Ageing:
    """How a component ages, from `readings` since `since`.

    `per_year` is the slope in grades (negative: it wears). `year` is when it would reach `WORKS_NEEDED`; None when it
    does not wear, or not within `FARTHEST_YEARS` of the last reading. `spread` is the standard deviation of the
    readings around the line, in grades.
    """

    component: str
    readings: int
    since: date
    until: date
    per_year: float
    year: int | None
    spread: float


def ageing_of(component: str, readings: Sequence[tuple[date, int]], *, anew: date | None = None) -> Ageing | None:
    """Return the ageing that the readings of a component show, None with fewer than `LEAST_READINGS` on distinct days.

    Readings before `anew` (the last works that made it anew) are left out. An estimate, and told as one: the straight
    line that fits the grades best (ordinary least squares, grade = a + b·t), carried on to grade `WORKS_NEEDED`. A
    component does not wear on a straight line for ever: nothing is said beyond `FARTHEST_YEARS`.

    Source: A.-M. Legendre, « Nouvelles méthodes pour la détermination des orbites des comètes », 1805, for the line;
    no published curve of wear is used.

    >>> ageing_of("toiture", [(date(2016, 1, 1), 5), (date(2020, 1, 1), 4), (date(2024, 1, 1), 3)]).year
    2028
    """
    kept = sorted((day, grade) for day, grade in readings if anew is None or day >= anew)
    if len({day for day, _grade in kept}) < LEAST_READINGS:
        return None
    first, last = kept[0][0], kept[-1][0]
    years = np.array([(day - first).days / _YEAR_DAYS for day, _grade in kept])
    grades = np.array([float(grade) for _day, grade in kept])
    slope, start = np.polyfit(years, grades, 1)
    spread = float(np.std(grades - (start + slope * years)))
    return Ageing(
        component, len(kept), first, last, float(slope), _year(first, last, float(slope), float(start)), spread
    )


def _year(first: date, last: date, slope: float, start: float) -> int | None:
    if slope >= -1e-6:
        return None
    reached = first.toordinal() + (WORKS_NEEDED - start) / slope * _YEAR_DAYS
    if reached > last.toordinal() + FARTHEST_YEARS * _YEAR_DAYS:
        return None
    return date.fromordinal(max(round(reached), last.toordinal())).year
