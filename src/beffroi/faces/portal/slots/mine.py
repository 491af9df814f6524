"""The bookings by the hour of a person, on the page of her requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.portal.own_requests import OwnCase, Told, request_kind
from beffroi.faces.portal.slots.finding import has_slots
from beffroi.faces.shell.slots import state_of_slot
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import KIND, spoken_hour


@request_kind(
    KIND,
    title=gettext_lazy("Mes salles, terrains et rendez-vous"),
    rank=21,
    new=("portal:slot-search", gettext_lazy("Trouver un créneau")),
    is_offered=has_slots,
)
def told_slots(mine: Sequence[OwnCase]) -> Mapping[int, Told]:
    """Return what each booking is of, when, and its page; one query."""
    known = queries.slot_headings([one.case for one in mine], at=timezone.now())
    return {
        one.case.id: Told(
            known[one.case.id].session or _(known[one.case.id].title),
            reverse("portal:followed-slot", args=[one.party.token]),
            f"{known[one.case.id].place_name}, {spoken_hour(known[one.case.id].starts)}",
            *state_of_slot(known[one.case.id]),
        )
        for one in mine
        if one.case.id in known
    }
