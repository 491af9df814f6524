"""Two counts side by side, by month and district: what was reported in the street, what was booked to be taken away.

[bookings.balance]
reports  = "depot-sauvage"         # a public category of reports
bookings = "1-08"                  # the use case that is booked
least    = 5                       # to the public, nothing is said of fewer bookings
months   = 12

Reports of a public category are each on the public map: their counts hide nothing. Bookings are people's: a count below
`least`, none included, is not told; nor is the month's total, when subtracting what is told from it would tell less
than `least`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from beffroi.serve.cases.questions import CODE

Counts = Mapping[tuple[str, str], int]
"""How many, by (month ``2026-03``, district)."""


class BalanceSettings(BaseModel):
    """What is set side by side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reports: str = Field(pattern=CODE, max_length=60)
    bookings: str = Field(max_length=8)
    least: int = Field(default=5, ge=3, le=100)
    months: int = Field(default=12, ge=2, le=36)


@dataclass(frozen=True, slots=True)
class DistrictLine:
    """The counts of one district in a month. `share` (0 to 1) is its part of the month's reports, None without any;
    `kept` is None when it is not told."""

    district: str
    reported: int
    share: float | None
    kept: int | None


@dataclass(frozen=True, slots=True)
class MonthBalance:
    """The counts of a month (``2026-03``); `kept` is None when the total is not told."""

    month: str
    lines: tuple[DistrictLine, ...]
    reported: int
    kept: int | None


def months_until(day: date, count: int) -> list[str]:
    """Return the last months, that of `day` included, the first month first.

    >>> months_until(date(2026, 2, 3), 3)
    ['2025-12', '2026-01', '2026-02']
    """
    found: list[str] = []
    first = day.replace(day=1)
    for _ in range(count):
        found.append(f"{first:%Y-%m}")
        first = (first - timedelta(days=1)).replace(day=1)
    return found[::-1]


def balance(
    reported: Counts, kept: Counts, *, districts: Sequence[str], months: Sequence[str], least: int
) -> list[MonthBalance]:
    """Return the counts of each month by district, what is fewer than `least` left out of the bookings.

    What is in no district (an empty name) has a line when there is any. The months before the first count of all are
    left out: nothing was counted yet.
    """
    first = min((month for month, _name in (*reported, *kept)), default=months[-1])
    return [_month(month, reported, kept, districts, least) for month in months if month >= min(first, months[-1])]


def _month(month: str, reported: Counts, kept: Counts, districts: Sequence[str], least: int) -> MonthBalance:
    outside = reported.get((month, ""), 0) + kept.get((month, ""), 0)
    names = [*districts, *([""] if outside and "" not in districts else [])]
    seen = {name: reported.get((month, name), 0) for name in names}
    booked = {name: kept.get((month, name), 0) for name in names}
    total, hidden = sum(seen.values()), [many for many in booked.values() if many < least]
    # One count alone, or several that make few, would be told by the total less what is told.
    is_told = not hidden or (len(hidden) > 1 and sum(hidden) >= least)
    lines = tuple(
        DistrictLine(name, seen[name], seen[name] / total if total else None,
                     booked[name] if booked[name] >= least else None)
        for name in names
    )  # fmt: skip
    return MonthBalance(month, lines, total, sum(booked.values()) if is_told else None)


def balanced_example(settings: BalanceSettings, when: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an example's counts come to: ``reported`` and ``kept`` are tables by month, then by district."""
    counts = [{(m, name): n for m, row in when.get(key, {}).items() for name, n in row.items()}
              for key in ("reported", "kept")]  # fmt: skip
    months = sorted({month for one in counts for month, _name in one})
    districts = sorted({name for one in counts for _month, name in one})
    least = settings.least if when.get("by", "citoyen") == "citoyen" else 0
    found = balance(counts[0], counts[1], districts=districts, months=months, least=least)
    return {
        "shares": {one.month: {line.district: round(line.share or 0, 2) for line in one.lines} for one in found},
        "kept": {one.month: {line.district: _said(line.kept) for line in one.lines} for one in found},
        "totals": {one.month: _said(one.kept) for one in found},
    }


def _said(many: int | None) -> int | str:
    return "non dit" if many is None else many
