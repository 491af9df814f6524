"""What a town reports most: the order in which categories are offered. Restricted ones are not counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.db.models import Count

from beffroi.serve.cases import queries as cases
from beffroi.serve.reports.models import Report

OF_LATE = timedelta(days=90)
HOUR_S = 3600


def popular_categories(territory: str, *, at: datetime) -> Mapping[str, int]:
    """Return how many public reports each category had in the last ninety days; counted at most once an hour."""
    return _counted(territory, int(at.timestamp()) // HOUR_S)


@lru_cache(maxsize=64)
def _counted(territory: str, hour: int) -> Mapping[str, int]:
    since = datetime.fromtimestamp(hour * HOUR_S, UTC) - OF_LATE
    rows = Report.objects.filter(cases.public(territory, prefix="case__"), case__opened_at__gte=since)
    return dict(rows.order_by().values_list("case__category").annotate(Count("pk")))
