"""Opening hours as one says them: « lundi au vendredi : 8 h 30 – 12 h »."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext as _

from beffroi.base.clock.opening import BadHours, OpeningRule, opening_rules
from beffroi.lake.reading import Column

# How columns of hours are called: SCDL, IRVE, OpenStreetMap, and plain French.
_NAMES = ("ouverture", "horaires", "horaire", "opening_hours")


@dataclass(frozen=True, slots=True)
class HoursLine:
    """One line of a timetable: the days and the times, both as read aloud; `is_closed` when nothing is open."""

    when: str
    times: str
    is_closed: bool = False


def tells_hours(column: Column) -> bool:
    """Tell whether a column, by its name, holds opening hours."""
    return any(column.key == name or column.key.endswith(f"_{name}") for name in _NAMES)


def hours_lines(text: Any) -> tuple[HoursLine, ...]:
    """Return opening hours as lines to read; none when the text is written otherwise: show it as it is then."""
    try:
        rules = opening_rules(text) if isinstance(text, str) else ()
    except BadHours:
        return ()
    return tuple(HoursLine(_when(rule), _times(rule), not rule.spans) for rule in rules)


def hours_text(text: Any) -> str:
    """Return opening hours in one sentence, empty when they cannot be read."""
    return " ; ".join(f"{line.when} : {line.times}" for line in hours_lines(text))


def _when(rule: OpeningRule) -> str:
    parts = [_month_names(rule.months)] if rule.months else []
    days = [*_day_groups(rule.days), *([_("jours fériés")] if rule.holidays else [])]
    parts.append(_joined(days) if days else _("tous les jours"))
    return ", ".join(parts)


def _day_groups(days: Sequence[int]) -> list[str]:
    """Return runs of three days and more as « lundi au vendredi », other days by their names."""
    if len(days) == 7:
        return [_("tous les jours")]
    runs: list[list[int]] = [[day] for day in days[:1]]
    for before, day in pairwise(days):
        if day == before + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    said: list[str] = []
    for run in runs:
        names = [str(WEEKDAYS[day]) for day in run]
        said += [_("{first} au {last}").format(first=names[0], last=names[-1])] if len(run) > 2 else names
    return said


def _month_names(months: tuple[int, int]) -> str:
    first, last = (str(MONTHS[month]) for month in months)
    return first if first == last else _("{first} à {last}").format(first=first, last=last)


def _joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("{words} et {last}").format(words=", ".join(words[:-1]), last=words[-1])


def _times(rule: OpeningRule) -> str:
    if not rule.spans:
        return _("fermé")
    if rule.spans == ((0, 1440),):
        return _("24 h sur 24")
    return _joined([f"{_time(start)} – {_time(end)}" for start, end in rule.spans])


def _time(minutes: int) -> str:
    hour, minute = divmod(minutes, 60)
    hour = hour if hour <= 24 else hour - 24
    template = _("{hour} h {minute}") if minute else _("{hour} h")
    # No-break spaces: a line never ends between a number and its unit.
    return template.format(hour=hour, minute=f"{minute:02d}").replace(" ", "\u00a0")
