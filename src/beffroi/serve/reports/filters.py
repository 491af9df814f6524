"""What a list of reports may be asked for: the same filter for pages, queues, feeds, saved filters and Open311."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from beffroi.base.kernel.geo import BBox
from beffroi.serve.cases.definition import OPEN, BadCase, CaseNotFound, Status
from beffroi.serve.cases.numbers import case_id_of
from beffroi.serve.cases.queries import OPEN_SQL
from beffroi.serve.reports.models import Report

PAGE_SIZE = 50
ORDERS = ("newest", "due", "changed")
_GROUPS: Mapping[str, tuple[Status, ...]] = {"open": OPEN, "closed": (Status.CLOSED,)}


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Each criterion given narrows the list. `statuses` are states, or ``open`` and ``closed`` for groups of them.

    `text` is searched in descriptions and addresses, or is a number. `order`: ``newest`` (default), ``due`` (the most
    pressing first), ``changed`` (the last changed first).
    """

    categories: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    street: str = ""
    bbox: BBox | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None
    changed_until: datetime | None = None
    text: str = ""
    assignee: int | None = None
    unassigned: bool = False
    late: bool = False
    reopened: bool = False
    dataset: str = ""
    feature: str = ""
    numbers: tuple[str, ...] = ()
    order: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the criteria given, ready for JSON; read back by :meth:`from_json`."""
        found = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value not in ((), "", None, False):
                found[one.name] = value.isoformat() if isinstance(value, datetime) else value
        return found

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> ReportFilter:
        """Rebuild the filter written by :meth:`as_json`; a criterion it does not know is left out."""
        values: dict[str, Any] = {}
        for one in fields(cls):
            value = payload.get(one.name)
            if value is None:
                continue
            if one.name == "bbox":
                values["bbox"] = BBox(*value)
            elif one.name in ("since", "until", "changed_since", "changed_until"):
                values[one.name] = datetime.fromisoformat(value)
            else:
                values[one.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)


def statuses_of(names: tuple[str, ...]) -> list[Status]:
    """Return the states that names stand for.

    Raises:
        BadCase: a name is neither a state nor a group of states.
    """
    found: list[Status] = []
    for name in names:
        if name in _GROUPS:
            found += _GROUPS[name]
        elif name in list(Status):
            found.append(Status(name))
        else:
            raise BadCase(
                "état « {name} » inconnu",
                where="status",
                remedy="choisissez parmi {known}",
                name=name[:40],
                known=", ".join((*_GROUPS, *Status)),
            )
    return list(dict.fromkeys(found))


def filtered(
    rows: QuerySet[Report], wanted: ReportFilter, *, at: datetime, own: frozenset[str] = frozenset()
) -> QuerySet[Report]:
    """Return the rows that meet every criterion.

    Args:
        own: the services the reader works in: words not published yet, and who is in charge, are sought in those only.

    Raises:
        BadCase: a state is unknown.
        CaseNotFound: one of `numbers` cannot be a number.
    """
    statuses = statuses_of(wanted.statuses)
    if statuses == list(OPEN):
        rows, statuses = rows.extra(where=[OPEN_SQL]), []  # noqa: S610 - constants of ours
    simple: dict[str, Any] = {
        "case__category__in": wanted.categories,
        "case__status__in": statuses,
        "district__in": wanted.districts,
        "street__iexact": wanted.street,
        "case__opened_at__gte": wanted.since,
        "case__opened_at__lt": wanted.until,
        "case__changed_at__gte": wanted.changed_since,
        "case__changed_at__lt": wanted.changed_until,
        "dataset": wanted.dataset,
        "feature": wanted.feature,
        "pk__in": [case_id_of(number) for number in wanted.numbers],
    }
    rows = rows.filter(**{name: value for name, value in simple.items() if value not in ((), [], "", None)})
    if len(wanted.services) == 1:
        # One service is read straight from the index of its queue, in order.
        rows = rows.filter(case__service=wanted.services[0])
    elif wanted.services:
        rows = rows.filter(case__service__in=wanted.services)
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        rows = rows.filter(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)
    if wanted.assignee is not None or wanted.unassigned:
        rows = rows.filter(case__service__in=own, case__assignee=wanted.assignee)
    if wanted.late:
        rows = rows.filter(case__due_at__lt=at, case__status__in=OPEN)
    if wanted.reopened:
        rows = rows.filter(case__reopened__gt=0)
    if text := wanted.text.replace("\0", "").strip():
        rows = rows.filter(_said(text, own))
    return rows


def _said(text: str, own: frozenset[str]) -> Q:
    readable = Q(case__published=True) | Q(case__service__in=own)
    found = Q(address__icontains=text) | (Q(case__description__icontains=text) & readable)
    # What has the form of a number is one; anything else is only words.
    with suppress(CaseNotFound):
        found |= Q(pk=case_id_of(text))
    return found
