"""How much waits in the queue of each service; asked through `queries`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import NEVER, OPEN, Status
from beffroi.serve.cases.models import Case
from beffroi.serve.cases.rights import services_of

# Written out, not bound: the index of the queue holds open requests only, and SQLite must read so to use it.
OPEN_SQL = "cases_case.status IN ({})".format(", ".join(f"'{one.value}'" for one in OPEN))


# Beyond so many open requests, a service is told « plus de »: as true, and read in milliseconds however many there are.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How much a service has to do: open, late and held requests, and those it has assigned to nobody.

    Counting stops at `MOST_COUNTED` open ones, the most pressing first: each figure is then an « at least ».
    """

    service: str
    open: int
    late: int
    held: int
    unassigned: int

    @property
    def is_cut(self) -> bool:
        """Tell whether there are more than was counted."""
        return self.open >= MOST_COUNTED


def queue_counts(viewer: Viewer, territory: str, *, at: datetime, kinds: Iterable[str] = ()) -> list[QueueCount]:
    """Return the counts of each service the viewer works in; two queries, each by an index."""
    services = sorted(services_of(viewer, territory))
    if not services:
        return []
    wanted = list(kinds)
    rows = Case.objects.filter(territory=territory, service__in=services).order_by()
    if wanted:
        rows = rows.filter(kind__in=wanted)
    held = dict(rows.filter(status=Status.HELD).values_list("service").annotate(n=Count("pk")))
    found = _waiting(territory, services, wanted, at)
    return [_count_of(service, found.get(service, (0, 0, 0)), held.get(service, 0)) for service in services]


def _waiting(territory: str, services: list[str], kinds: list[str], at: datetime) -> dict[str, tuple[int, int, int]]:
    """Return how many are open, late and free in each service: the head of each queue, read in the order of its index.

    Written out: Django can neither limit the parts of a union on SQLite nor aggregate one. The index holds all of it.
    """
    narrowed = f" AND kind IN ({', '.join(['%s'] * len(kinds))})" if kinds else ""
    # Every due date is that early: said, it has SQLite choose the index of the queue.
    head = (
        "SELECT %s AS service, count(*), sum(CASE WHEN due_at < %s THEN 1 ELSE 0 END), "  # noqa: S608 - ours
        "sum(CASE WHEN assignee_id IS NULL THEN 1 ELSE 0 END) FROM (SELECT due_at, assignee_id FROM cases_case "
        f"WHERE {OPEN_SQL} AND territory = %s AND service = %s AND due_at <= %s{narrowed} ORDER BY due_at LIMIT %s) one"
    )
    times = [connection.ops.adapt_datetimefield_value(moment) for moment in (at, NEVER)]
    bound: list[Any] = []
    for service in services:
        bound += [service, times[0], territory, service, times[1], *kinds, MOST_COUNTED]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([head] * len(services)), bound)
        return {service: (many, late or 0, free or 0) for service, many, late, free in cursor.fetchall()}


def _count_of(service: str, waiting: tuple[int, int, int], held: int) -> QueueCount:
    many, late, free = waiting
    return QueueCount(service, open=many, late=late, held=held, unassigned=free)
