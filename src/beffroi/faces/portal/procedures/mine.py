"""The procedures of a person, on the page of her requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.portal.directory import territory_of
from beffroi.faces.portal.own_requests import OwnCase, RequestLine, Section, Told, request_kind, request_section
from beffroi.faces.shell.access import Request
from beffroi.serve.procedures import queries


def has_procedures(request: Request) -> bool:
    """Tell whether the town of the page takes requests by procedures."""
    return bool(queries.open_procedures(territory_of(request)))


@request_kind(
    queries.KIND,
    title=gettext_lazy("Mes démarches"),
    rank=5,
    new=("portal:procedures", gettext_lazy("Faire une démarche")),
    is_offered=has_procedures,
)
def told_procedures(mine: Sequence[OwnCase]) -> Mapping[int, Told]:
    """Return what each is about, and its page; one filed for somebody else is opened by the link of its receipt."""
    titles = queries.headings(one.case for one in mine)
    return {
        one.case.id: Told(
            _(titles[one.case.id]),
            reverse("portal:followed-procedure", args=[one.party.token])
            if one.for_other
            else reverse("portal:procedure-request", args=[one.case.number]),
        )
        for one in mine
    }


@request_section("procedure-drafts", rank=6)
def drafts(request: Request) -> Section:
    """Return the forms under way of this person."""
    found = queries.own_drafts(request.viewer, territory_of(request), at=timezone.now())
    known = queries.open_procedures(territory_of(request)) if found else {}
    lines = [
        RequestLine(
            _(known[one.use_case].title),
            reverse("portal:procedure-form", args=[one.use_case, one.key]),
            one.changed_at,
            _("À finir"),
            "warn",
            _("gardé jusqu’au {day}").format(day=date_format(timezone.localtime(one.expires_at), "j F Y, H:i")),
        )
        for one in found
        if one.use_case in known
    ]
    return Section(_("Mes démarches commencées"), lines)
