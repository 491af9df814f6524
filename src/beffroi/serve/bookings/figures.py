"""How many, how long one waits, what the crews found: month by month, for the service and for officials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from beffroi.base.clock import queries as clock
from beffroi.serve.bookings.definition import Result
from beffroi.serve.bookings.queries import rows_of_period
from beffroi.serve.cases.definition import Outcome


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What was booked for the days of a month (``2026-03``). `wait_days` goes from the asking to the day, in median."""

    month: str
    booked: int
    given_up: int
    done: int
    absent: int
    different: int
    wait_days: float | None

    @property
    def kept(self) -> int:
        """Return how many were not given up."""
        return self.booked - self.given_up


def month_figures(territory: str, use_case: str, *, first: date, last: date) -> list[MonthFigures]:
    """Return the figures of each month that has bookings, the first month first; one query. Nobody is in them."""
    zone = clock.timezone_of(territory)
    months: dict[str, list[tuple[str, str, int]]] = {}
    for day, _district, _lane, result, outcome, opened in rows_of_period(territory, use_case, first, last):
        months.setdefault(f"{day:%Y-%m}", []).append((result, outcome, _wait(day, opened.astimezone(zone))))
    return [_figures(month, rows) for month, rows in sorted(months.items())]


def _wait(day: date, opened: datetime) -> int:
    return max(0, (day - opened.date()).days)


def _figures(month: str, rows: list[tuple[str, str, int]]) -> MonthFigures:
    kept = [wait for _result, outcome, wait in rows if outcome != Outcome.WITHDRAWN]
    found = [result for result, _outcome, _wait in rows]
    return MonthFigures(
        month,
        booked=len(rows),
        given_up=len(rows) - len(kept),
        done=found.count(Result.DONE),
        absent=found.count(Result.ABSENT),
        different=found.count(Result.DIFFERENT),
        wait_days=float(median(kept)) if kept else None,
    )
