"""The figures of what residents report: how often the town keeps the delay it announced, and how much it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.faces.cockpit.counted import month_ends
from beffroi.faces.cockpit.figures import Asked, Figure, figure_source
from beffroi.faces.shell.charts import Point
from beffroi.faces.shell.templatetags.shell import number
from beffroi.serve.reports.statistics import By, StatLine, statistics

# That of the page behind the figures.
DAYS = 90


@figure_source("reports", rank=10)
def reports(asked: Asked) -> Iterator[Figure]:
    """Yield the share closed within the delay announced, then how many came in, of the last ninety days."""
    first = asked.today - timedelta(days=DAYS - 1)
    now = next(iter(_lines(asked, "all", first, asked.today)), None)
    if now is None:
        return
    before = next(iter(_lines(asked, "all", first - timedelta(days=DAYS), first - timedelta(days=1))), None)
    ends = month_ends(asked.today)
    # The month under way is left out: what is late in it is not closed yet, and its share would flatter.
    months = _lines(asked, "month", ends[0].replace(day=1), ends[-2])
    page = f"{reverse('backoffice:figures')}?{urlencode({'du': str(first), 'au': str(asked.today)})}"
    if now.within_due is not None:
        yield Figure(
            _("Signalements clos dans le délai"), _percent(now.within_due), unit="%",
            comparison=_beside(None if before is None else before.within_due),
            note=_("{closed} clos, {late} en retard, sur {received} reçus en {days} jours").format(
                closed=number(now.closed), late=number(now.late), received=number(now.received), days=DAYS
            ),
            source=_("Signalements"), date=asked.told, href=page,
            trend=tuple(
                Point(_month(one), _percent(one.within_due)) for one in months if one.within_due is not None
            ),
        )  # fmt: skip
    yield Figure(
        _("Signalements reçus"), now.received,
        unit=_("en {days} jours").format(days=DAYS),
        comparison=_("{n} les {days} jours d’avant").format(n=number(before.received), days=DAYS) if before else "",
        source=_("Signalements"), date=asked.told, href=page,
        trend=tuple(Point(_month(one), one.received) for one in months),
    )  # fmt: skip


def _lines(asked: Asked, by: By, first: date, last: date) -> list[StatLine]:
    zone = clock.timezone_of(asked.commune.code)
    return statistics(
        asked.viewer,
        asked.commune.code,
        since=datetime.combine(first, time(), zone),
        until=datetime.combine(last + timedelta(days=1), time(), zone),
        by=by,
        at=timezone.now(),
    )


def _percent(share: float) -> int:
    return round(100 * share)


def _beside(share: float | None) -> str:
    if share is None:
        return ""
    return _("{n} % les {days} jours d’avant").format(n=_percent(share), days=DAYS)


def _month(line: StatLine) -> str:
    return date_format(date.fromisoformat(f"{line.key}-01"), "F Y")
