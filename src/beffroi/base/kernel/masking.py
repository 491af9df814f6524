"""Groups told only where enough are behind, so that no subtraction tells of fewer.

A group under `least` is masked. What is masked together is what the total leaves once the others are taken away: while
that sum is of fewer than `least`, the smallest group told is masked too. Knows no Django.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 5


def told_groups(counts: Mapping[str, float], least: float = LEAST) -> frozenset[str]:
    """Return the groups that may be told, of how many things are known in each.

    >>> sorted(told_groups({"A": 9, "B": 6, "C": 2}))
    ['A']
    >>> sorted(told_groups({"A": 9, "B": 6, "C": 2, "D": 3}))
    ['A', 'B']
    """
    told = {name: count for name, count in counts.items() if count >= least}
    hidden = sum(count for count in counts.values() if count < least)
    while told and 0 < hidden < least:
        name = min(told, key=lambda one: (told[one], one))
        hidden += told.pop(name)
    return frozenset(told)
