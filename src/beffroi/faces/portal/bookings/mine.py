"""The bookings of a person, on the page of her requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.portal.bookings.choosing import has_bookings
from beffroi.faces.portal.bookings.pages import state_of_booking
from beffroi.faces.portal.own_requests import OwnCase, Told, request_kind
from beffroi.serve.bookings import queries
from beffroi.serve.bookings.definition import KIND


@request_kind(
    KIND,
    title=gettext_lazy("Mes réservations"),
    rank=20,
    new=("portal:bookables", gettext_lazy("Réserver")),
    is_offered=has_bookings,
)
def told_bookings(mine: Sequence[OwnCase]) -> Mapping[int, Told]:
    """Return what each booking is of, where, and its page."""
    known = queries.headings([one.case for one in mine])
    return {
        one.case.id: Told(
            _(known[one.case.id][0]),
            reverse("portal:followed-booking", args=[one.party.token]),
            known[one.case.id][2],
            *state_of_booking(one.case),
        )
        for one in mine
        if one.case.id in known
    }
