"""How many devices open the portal, by day and by month, beside the population; how that is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries
from beffroi.base.catalogue.queries import Span, SpanCount
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.charts import Point, line_of

DAYS, MONTHS = 30, 13


@dataclass(frozen=True, slots=True)
class Row:
    """One day or month as it is shown; `per_hundred` inhabitants, None where the population is not known."""

    when: str
    devices: int
    installed: int
    per_hundred: float | None


def per_hundred(devices: int, population: int | None) -> float | None:
    """Return how many devices there are for a hundred inhabitants, to one decimal.

    >>> per_hundred(123, 2000), per_hundred(123, 0)
    (6.2, None)
    """
    return round(100 * devices / population + 1e-9, 1) if population else None


def months_before(today: date, count: int) -> date:
    """Return the first day of the month that begins `count` months with this one as the last.

    >>> months_before(date(2026, 3, 10), 13)
    datetime.date(2025, 3, 1)
    """
    total = today.year * 12 + today.month - count
    return date(total // 12, total % 12 + 1, 1)


def _rows(counts: Sequence[SpanCount], words: str, population: int | None) -> list[Row]:
    return [
        Row(date_format(one.first_day, words), one.devices, one.installed, per_hundred(one.devices, population))
        for one in counts
    ]


@open_to(Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
@require_safe
def presence(request: HttpRequest) -> HttpResponse:
    """Show the devices of the last thirty days and thirteen months, with what they are for a hundred inhabitants."""
    request = cast(Request, request)
    commune, today = request.commune, timezone.localdate()
    code, population = (commune.code, commune.population) if commune else ("", 0)
    this_month = today.replace(day=1)
    days = queries.presence(code, Span.DAY, first=today - timedelta(days=DAYS - 1), last=today)
    months = queries.presence(code, Span.MONTH, first=months_before(today, MONTHS), last=today)
    by_month = _rows(months, "F Y", population)
    context = {
        "months": by_month[::-1],
        "days": _rows(days, "j F Y", population)[::-1],
        # The present month is not over: it would look like a fall.
        "line": line_of(
            [Point(date_format(one.first_day, "F Y"), one.devices) for one in months if one.first_day < this_month]
        ),
        "population": population,
        "fictional": commune is not None and commune.fictional,
        "today": today,
    }
    return render(request, "backoffice/presence.html", context)


urlpatterns = [path("frequentation/", presence, name="presence")]
