"""The reports of a person, on the page of her requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.portal.own_requests import OwnCase, Told, request_kind
from beffroi.faces.portal.reports.listing import has_reports
from beffroi.serve.reports import queries


@request_kind(
    "report",
    title=gettext_lazy("Mes signalements"),
    rank=10,
    new=("portal:report", gettext_lazy("Signaler")),
    is_offered=has_reports,
)
def told_reports(mine: Sequence[OwnCase]) -> Mapping[int, Told]:
    """Return what each report is about, where, and its page."""
    known = queries.headings(one.case for one in mine)
    found = {}
    for one in mine:
        label, address = known.get(one.case.id, (one.case.category, ""))
        # What was filed for somebody else is opened by the link that her receipt bears.
        url = reverse("portal:public-report", args=[one.case.number])
        if one.for_other:
            url = reverse("portal:followed-report", args=[one.party.token])
        found[one.case.id] = Told(_(label), url, address)
    return found
