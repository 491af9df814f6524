"""At which level a series stands: by a rule, with hysteresis and a time to last. Knows no Django."""

from __future__ import annotations

from dataclasses import dataclass, replace

from beffroi.sense.live.settings import Rule


@dataclass(frozen=True, slots=True)
class Standing:
    """The level a series stands at, since when, and the one it would go to; instants in milliseconds."""

    level: str = ""
    since: int | None = None
    candidate: str = ""
    candidate_since: int | None = None


def measured(rule: Rule, result: float, capacity: float | None) -> float | None:
    """Return what the levels of a rule are compared with: the result, or its percent of the capacity.

    None when the rule wants a capacity and none is known.
    """
    if not rule.of_capacity:
        return result
    return 100 * result / capacity if capacity else None


def stepped(standing: Standing, rule: Rule, value: float, at: int) -> Standing:
    """Return where a series stands once it has read `value` at `at`; readings come in order.

    >>> from beffroi.sense.live.settings import Level
    >>> rule = Rule(code="x", label="Essai", hysteresis=5, minutes=1, level=(
    ...     Level(code="bas", label="Bas", colour="bleu"), Level(code="haut", label="Haut", colour="rouge", begins=50)))
    >>> first = stepped(Standing(), rule, 10, 0)
    >>> above = stepped(first, rule, 60, 30_000)
    >>> first.level, above.level, above.candidate, stepped(above, rule, 60, 90_000).level
    ('bas', 'bas', 'haut', 'haut')
    """
    if not rule.level:
        return Standing()
    goal = _level_at(rule, value, standing.level)
    if not standing.level:
        return Standing(goal, at)
    if goal == standing.level:
        return replace(standing, candidate="", candidate_since=None)
    since = standing.candidate_since if standing.candidate == goal and standing.candidate_since is not None else at
    if at - since >= rule.minutes * 60_000:
        return Standing(goal, at)
    return replace(standing, candidate=goal, candidate_since=since)


def _level_at(rule: Rule, value: float, current: str) -> str:
    """Return the level of a value; one left downwards is left only once `hysteresis` below where it begins."""
    codes = [one.code for one in rule.level]
    rank = max(place for place, one in enumerate(rule.level) if one.begins is None or value >= one.begins)
    held = codes.index(current) if current in codes else rank
    while held > rank:
        begins = rule.level[held].begins
        if begins is not None and value >= begins - rule.hysteresis:
            return codes[held]
        held -= 1
    return codes[rank]
