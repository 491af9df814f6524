"""Which vehicles may drive on a day of pollution, from the alerts in force and the dated rules of `rules/circulation`.

Alternate traffic: even plates on even days, odd plates on odd days; the number of a plate is its group of figures.
Differentiated traffic: the classes of the air-quality certificate (Crit'Air) that the prefect's order names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from beffroi.base.clock import queries as clock
from beffroi.base.clock.restrictions import Restriction, restriction
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.alerts import queries
from beffroi.serve.alerts.definition import AlertInfo, BadAlert

PARITY, CRITAIR = "parity", "critair"
RULES = {PARITY: "circulation.alternee", CRITAIR: "circulation.differenciee"}
ELECTRIC, NONE = "0", "none"
CLASSES = {
    ELECTRIC: gettext_noop("Crit’Air 0 (électrique, hydrogène)"),
    "1": gettext_noop("Crit’Air 1"),
    "2": gettext_noop("Crit’Air 2"),
    "3": gettext_noop("Crit’Air 3"),
    "4": gettext_noop("Crit’Air 4"),
    "5": gettext_noop("Crit’Air 5"),
    NONE: gettext_noop("Sans vignette, ou non classé"),
}
# Since 2009: AB-123-CD; before: 1234 AB 56, the figures that come first. The state's and the army's have others.
_PLATES = (re.compile(r"[A-Z]{2}(\d{3})[A-Z]{2}"), re.compile(r"(\d{1,4})[A-Z]{1,3}(?:\d{2,3}|2[AB])"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A restriction in force: the alert that says so, its kind, the highest class that may drive, its text."""

    alert: AlertInfo
    kind: str
    most: int
    text: Restriction


def rules_of_the_day(territory: str, *, at: datetime) -> list[Rule]:
    """Return the restrictions in force at an instant, by the alerts of the town."""
    found = []
    day = at.astimezone(clock.timezone_of(territory)).date()
    for one in queries.in_force(territory, at=at):
        kind, _dash, most = one.content.driving.partition("-")
        started = one.content.starts_at is None or one.content.starts_at <= at
        if kind and started:
            found.append(Rule(one, kind, int(most or 0), restriction(RULES[kind], day)))
    return found


def may_drive(rule: Rule, day: date, *, plate: str = "", critair: str = "") -> bool | None:
    """Tell whether a vehicle may drive on a day; None when what was given does not say.

    Raises:
        BadAlert: the plate does not read.
    """
    if critair == ELECTRIC and ELECTRIC in rule.text.exempt_classes:
        return True
    if rule.kind == PARITY:
        return None if not plate.strip() else number_of(plate) % 2 == day.day % 2
    if not critair:
        return None
    return critair != NONE and int(critair) <= rule.most


def number_of(plate: str) -> int:
    """Return the number of a plate: what makes it even or odd.

    Raises:
        BadAlert: it is not a French plate.

    >>> number_of("ab 124 cd"), number_of("1235 XY 34")
    (124, 1235)
    """
    bare = re.sub(r"[\s\-.·]", "", plate.upper())
    for pattern in _PLATES:
        if match := pattern.fullmatch(bare):
            return int(match[1])
    raise BadAlert("cette plaque ne se lit pas", where="plate", remedy="écrivez-la comme AB-123-CD ou 1234 AB 56")


def table(rule: Rule, day: date) -> list[tuple[str, bool]]:
    """Return, line by line, who may drive on a day: one reads one's own line and sends nothing."""
    if rule.kind == PARITY:
        lines = [(gettext_noop("Numéro de plaque pair"), day.day % 2 == 0),
                 (gettext_noop("Numéro de plaque impair"), day.day % 2 == 1)]  # fmt: skip
        if ELECTRIC in rule.text.exempt_classes:
            lines.append((CLASSES[ELECTRIC], True))
        return lines
    return [(label, bool(may_drive(rule, day, critair=code))) for code, label in CLASSES.items()]
