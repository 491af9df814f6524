"""Hours where only a day was counted: the total of the day, shared out as it is where the hours were counted.

value(hour) = total of the day × weight of the kind of day × mean share of that hour among the counters of the mode.
Nothing is estimated with fewer than `LEAST_COUNTERS` of them, and an estimate never enters a modal share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from beffroi.sense.mobility.flows.counting import Values
from beffroi.sense.mobility.hours.profiles import HOURS, Day

LEAST_COUNTERS = 3
DAYTIME = range(7, 20)
_PER_WEEK = {Day.WEEKDAY: 5, Day.SATURDAY: 1, Day.SUNDAY: 1}

Days = Mapping[Day, Values]


@dataclass(frozen=True, slots=True)
class Profile:
    """How a day of one kind goes at the counters of a mode: the mean share of each hour, the least and the most.

    `weight`: its total over that of a mean day of the week, None when no counter has all three kinds.
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    weight: float | None
    counters: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Passages an hour, and the least and the most that the profiles of the counters would give."""

    mean: Values
    low: Values
    high: Values


def profiles(counters: Sequence[Days]) -> dict[Day, Profile]:
    """Return the profile of each kind of day known at `LEAST_COUNTERS` counters at least, all hours counted."""
    found = {}
    for kind in Day:
        shares = [_shares(one[kind]) for one in counters if kind in one]
        known = [one for one in shares if one]
        if len(known) < LEAST_COUNTERS:
            continue
        columns = list(zip(*known, strict=True))
        found[kind] = Profile(
            mean=tuple(sum(column) / len(column) for column in columns),
            low=tuple(min(column) for column in columns),
            high=tuple(max(column) for column in columns),
            weight=_weight(counters, kind),
            counters=len(known),
        )
    return found


def _shares(values: Values) -> tuple[float, ...]:
    known = [one for one in values if one is not None]
    total = sum(known)
    return tuple(one / total for one in known) if len(known) == HOURS and total > 0 else ()


def _weight(counters: Sequence[Days], kind: Day) -> float | None:
    totals = dict.fromkeys(Day, 0.0)
    for one in counters:
        if all(each in one and _shares(one[each]) for each in Day):
            for each in Day:
                totals[each] += sum(value or 0.0 for value in one[each])
    mean = sum(_PER_WEEK[each] * totals[each] for each in Day) / 7
    return totals[kind] / mean if mean > 0 else None


def shared_out(total: float, profile: Profile, *, of_kind: bool) -> Estimate | None:
    """Return the hours of a day whose total is known; `of_kind`: that of its kind, else that of a mean day of the year.

    None for a mean day where no counter tells how the kinds of day compare.
    """
    weight = 1.0 if of_kind else profile.weight
    if weight is None:
        return None
    each = ([total * weight * share for share in shares] for shares in (profile.mean, profile.low, profile.high))
    return Estimate(*(tuple(values) for values in each))


def error_of(counters: Sequence[Days], kind: Day) -> float | None:
    """Return the median gap, by day, between what was counted and what the other counters would have made of its total.

    A share of the count (0.2: a fifth); None with too few counters to leave one out.
    """
    gaps = []
    for rank, one in enumerate(counters):
        made = profiles([*counters[:rank], *counters[rank + 1 :]]).get(kind)
        values = one.get(kind)
        if made is None or values is None or not _shares(values):
            continue
        total = sum(value or 0.0 for value in values)
        gaps += [abs(total * made.mean[hour] - seen) / seen for hour in DAYTIME if (seen := values[hour] or 0.0) > 0]
    return median(gaps) if gaps else None
