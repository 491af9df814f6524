"""How requests are told on every face: where they stand, since when, by whom they are followed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases.definition import OUTCOME_TITLES, STATUS_TITLES, Outcome, Status
from beffroi.serve.cases.queries import CaseInfo

STATUS_KINDS: Mapping[Status, str] = {
    Status.HELD: "bad",
    Status.RECEIVED: "warn",
    Status.ACCEPTED: "wait",
    Status.WAITING: "warn",
    Status.SCHEDULED: "wait",
    Status.CLOSED: "good",
    Status.JOINED: "done",
}


def state_of(case: CaseInfo) -> str:
    """Return where a request stands in words: a closed one says how it ended."""
    if case.status is Status.CLOSED and case.outcome is not None:
        return _(OUTCOME_TITLES[case.outcome])
    return _(STATUS_TITLES[case.status])


def state_kind(case: CaseInfo) -> str:
    """Return the kind of the status tag (`shell/components/status.html`)."""
    if case.status is Status.CLOSED and case.outcome is not Outcome.DONE:
        return "done"
    return STATUS_KINDS[case.status]


def age(since: datetime, at: datetime) -> str:
    """Return how long ago something was, to the day.

    >>> from datetime import UTC
    >>> age(datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 4, 9, tzinfo=UTC))
    'il y a 3 jours'
    """
    days = (timezone.localdate(at) - timezone.localdate(since)).days
    if days <= 0:
        return _("aujourd’hui")
    if days == 1:
        return _("hier")
    return ngettext("il y a {n} jour", "il y a {n} jours", days).format(n=days)


def service_names(territory: str) -> dict[str, str]:
    """Return the names of the services of a town by their slug."""
    return {one.slug: one.name for one in territory_queries.services(territory)}
