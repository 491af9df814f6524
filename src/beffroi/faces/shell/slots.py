"""How bookings by the hour are told on every face: where they stand."""

from __future__ import annotations

from django.utils.translation import gettext as _

from beffroi.serve.bookings.hours.definition import PRESENCE_TITLES, STAGE_TITLES, SlotInfo, Stage
from beffroi.serve.cases.definition import Outcome

_KINDS = {
    Stage.CONFIRMED: "good",
    Stage.TO_VALIDATE: "wait",
    Stage.QUEUED: "wait",
    Stage.OFFERED: "warn",
    Stage.LOST: "warn",
    Stage.OVER: "done",
}


def state_of_slot(booked: SlotInfo) -> tuple[str, str]:
    """Return where a booking stands, in words, and the kind of its tag (`status.html`)."""
    if booked.result:
        return _(PRESENCE_TITLES[booked.result]), "good" if booked.case.outcome is Outcome.DONE else "bad"
    if booked.stage is not Stage.OVER:
        return _(STAGE_TITLES[booked.stage]), _KINDS[booked.stage]
    words = {
        Outcome.WITHDRAWN: (_("Annulée"), "done"),
        Outcome.REFUSED: (_("Refusée"), "bad"),
        Outcome.EXPIRED: (_("Sans suite"), "done"),
    }
    return words.get(booked.case.outcome or Outcome.DONE, (_("Passée"), "done"))
