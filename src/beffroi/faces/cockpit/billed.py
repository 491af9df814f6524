"""The figure of the bills: the share paid in full by their day; of fewer than ten nothing is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from beffroi.faces.cockpit.figures import Asked, Figure, figure_source
from beffroi.faces.shell.templatetags.shell import number
from beffroi.serve.payments import queries

DAYS = 90
USE_CASE = "6-04"


@figure_source("bills", rank=40)
def bills(asked: Asked) -> Iterator[Figure]:
    """Yield the share of the bills due in the last ninety days that were paid in full by their day."""
    if not queries.is_anywhere():
        return
    last = asked.today - timedelta(days=1)
    first = last - timedelta(days=DAYS - 1)
    told = queries.paid_in_time(asked.commune.code, first=first, last=last)
    if told is None:
        return
    paid, count = told
    before = queries.paid_in_time(
        asked.commune.code, first=first - timedelta(days=DAYS), last=first - timedelta(days=1)
    )
    beside = ""
    if before is not None:
        beside = _("{n} % les {days} jours d’avant").format(n=round(100 * before[0] / before[1]), days=DAYS)
    yield Figure(
        _("Factures réglées à temps"),
        round(100 * paid / count),
        unit="%",
        note=_("{paid} sur les {count} échues en {days} jours").format(
            paid=number(paid), count=number(count), days=DAYS
        ),
        comparison=beside,
        source=_("Factures"),
        date=asked.told,
        href=reverse("portal:service", args=[USE_CASE]),
    )
