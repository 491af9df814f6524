"""The reports of a person, on the page of her requests."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from beffroi.faces.portal.own_requests import RequestLine, Section, request_section
from beffroi.faces.portal.reports.wording import state_of
from beffroi.faces.shell.access import Request
from beffroi.serve.cases.definition import Outcome, Status
from beffroi.serve.cases.queries import CaseInfo
from beffroi.serve.reports import queries


@request_section("reports", rank=10)
def own_reports(request: Request) -> Section:
    """Return what the person reported or follows, the last changed first."""
    lines = [
        RequestLine(
            _(info.label),
            reverse("portal:public-report", args=[info.number]),
            info.case.opened_at,
            state_of(info.case),
            _kind(info.case),
            f"{info.number} · {info.address}" if info.address else info.number,
        )
        for info, _party in queries.own_reports(request.viewer)
    ]
    if not lines:
        return Section(_("Mes signalements"), lines)
    return Section(_("Mes signalements"), lines, reverse("portal:report"), _("Signaler"))


def _kind(case: CaseInfo) -> str:
    if case.status is Status.WAITING:
        return "warn"
    if case.status is Status.CLOSED:
        return "good" if case.outcome is Outcome.DONE else "done"
    return "wait"
