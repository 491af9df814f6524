"""What those who booked by the hour do next: take another time, give up, confirm what was offered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings.definition import BadBooking, TooLate
from beffroi.serve.bookings.hours.definition import Deposit, Taken
from beffroi.serve.bookings.hours.fair import MARKS, check_fair
from beffroi.serve.bookings.hours.giving import held_agenda, required_time
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.prices import price_of, tariff_of
from beffroi.serve.bookings.hours.reading import slot_info, with_holds
from beffroi.serve.bookings.hours.rules import SlotThing, known_slot_thing
from beffroi.serve.bookings.hours.waiting import offer_freed
from beffroi.serve.bookings.hours.weeks import free_seat, hold, release
from beffroi.serve.bookings.models import Agenda
from beffroi.serve.bookings.queries import booking_not_found
from beffroi.serve.cases import events
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome, Sight
from beffroi.serve.cases.queries import CaseInfo


def locked_slot(number: str) -> tuple[Agenda, Any, SlotThing]:
    """Return a booking with its agenda, both locked, and what it is of.

    Raises:
        BookingNotFound: there is none.
    """
    row = Slot.objects.select_related("agenda").filter(pk=case_queries.case_id_of(number)).first()
    if row is None:
        raise booking_not_found()
    agenda = held_agenda(row)
    Slot.objects.select_for_update().get(pk=row.pk)
    return agenda, with_holds().get(pk=row.pk), known_slot_thing(agenda.use_case)


def works_on(row: Slot, viewer: Viewer) -> bool:
    """Tell whether the viewer is of the service of a booking."""
    return row.case.service in case_queries.services_of(viewer, row.case.territory)


def require_service(row: Slot, by: Viewer) -> None:
    """Let pass an agent of the service of a booking.

    Raises:
        Refused: `by` is not.
    """
    if not works_on(row, by):
        raise Refused(
            gettext_noop("ces réservations sont tenues par le service « {service} », dont vous n’êtes pas"),
            where=case_queries.number_of(row.pk),
            remedy=gettext_noop("demandez à ce service, ou à un administrateur de vous y rattacher"),
            service=row.case.service,
        )


def _require_hers(row: Any, viewer: Viewer, token: str, at: datetime, *, move: bool) -> bool:
    """Let pass the one who made it, in time, and an agent of its service at any time; tell whether it is the agent."""
    if works_on(row, viewer):
        return True
    if not case_queries.is_maker(viewer, row.pk, token=token):
        raise booking_not_found()
    info = slot_info(row, case_queries.case(viewer, case_queries.number_of(row.pk), token=token), at=at)
    if not (info.may_change(at) if move else info.may_cancel(at)):
        raise TooLate(
            gettext_noop("cette réservation ne se change plus en ligne"),
            where="debut",
            remedy=gettext_noop("écrivez ou téléphonez au service : il peut encore le faire"),
        )
    return False


def move_slot(
    *, number: str, place: str, starts: datetime, ends: datetime, viewer: Viewer, at: datetime, token: str = ""
) -> None:
    """Give a booking another time or place in one go: the new time is held before the former is given back.

    Raises:
        BookingNotFound: there is none, or the viewer did not make it and is not of its service.
        TooLate: the term to move it has passed, or an agent has said yes to this very time.
        Taken, TooMany: that time is not free, or is more than her share.
        BadBooking: it is over, it is that very time, or the rules do not know it.
    """
    try:
        with transaction.atomic():
            _move(number, place, starts, ends, viewer, at, token)
    except IntegrityError as error:
        # Another use case that shares the place was first.
        raise Taken(starts) from error


def _move(number: str, place: str, starts: datetime, ends: datetime, viewer: Viewer, at: datetime, token: str) -> None:
    agenda, row, thing = locked_slot(number)
    works = _require_hers(row, viewer, token, at, move=True)
    if not case_queries.case(viewer, number, token=token).is_open:
        raise BadBooking(gettext_noop("cette réservation est terminée"), where="debut",
                         remedy=gettext_noop("prenez-en une autre"))  # fmt: skip
    time = required_time(agenda.territory, thing, place, starts, ends)
    former = row.place
    if (row.place, row.starts_at, row.ends_at) == (place, starts, ends) and row.holds:
        raise BadBooking(gettext_noop("c’est déjà ce créneau"), where="debut",
                         remedy=gettext_noop("choisissez-en un autre"))  # fmt: skip
    row.place, row.starts_at, row.ends_at = place, time.starts.astimezone(UTC), time.ends.astimezone(UTC)
    facts = {mark: getattr(row, mark) for mark in MARKS} | {"starts_at": row.starts_at, "ends_at": row.ends_at}
    if not works:
        makers = case_queries.makers_of(row.pk)
        check_fair(agenda, thing, makers[0] if makers else None, facts, at=at, but=row.pk)
    seat = free_seat(agenda, thing, time, at=at, but=row.pk, any_time=works)
    price, deposit = price_of(tariff_of(thing.rules, row.tariff, time), time)
    row.price_cents, row.deposit_cents = price, deposit
    if deposit and row.deposit == Deposit.NONE:
        row.deposit = Deposit.ASKED
    row.offered_until, row.waits, row.moved = None, False, row.moved + 1
    row.reminded, row.code_told = starts - at < timedelta(hours=thing.rules.remind_hours), False
    row.save()
    hold(row, thing.rules, agenda.territory, seat)
    if row.decide_by is None:
        cases.schedule_case(number=number, day=time.starts.date(), by=viewer if works else None, at=at)
    offer_freed(agenda, thing, former, at=at)


@transaction.atomic
def cancel_slot(*, number: str, viewer: Viewer, at: datetime, token: str = "", reason: str = "") -> None:
    """Give a booking up: its time is kept for who waits for it, or free for somebody else at once.

    Raises:
        BookingNotFound, TooLate: as `move_slot`.
        BadMove: it is over.
    """
    agenda, row, thing = locked_slot(number)
    _require_hers(row, viewer, token, at, move=False)
    if case_queries.is_maker(viewer, row.pk, token=token):
        cases.withdraw_case(number=number, reason=reason, viewer=viewer, token=token, at=at)
    else:
        words = reason or _("Annulé à votre demande.")
        cases.close_case(number=number, outcome=Outcome.WITHDRAWN, reason=words, by=viewer, at=at, reopen_days=0)
    offer_freed(agenda, thing, row.place, at=at)


@transaction.atomic
def confirm_offer(*, number: str, viewer: Viewer, at: datetime, token: str = "") -> None:
    """Take the time that was freed and kept for one who waited.

    Raises:
        BookingNotFound: there is none, or the viewer did not make it.
        TooLate: the offer has ended.
    """
    _agenda, row, thing = locked_slot(number)
    if not (case_queries.is_maker(viewer, row.pk, token=token) or works_on(row, viewer)):
        raise booking_not_found()
    if not row.holds or row.offered_until is None or row.offered_until < at:
        raise TooLate(
            gettext_noop("cette place n’est plus gardée pour vous"),
            where="debut",
            remedy=gettext_noop("cherchez un autre créneau"),
        )
    row.offered_until, row.waits = None, False
    if thing.rules.validation == "agent":
        row.decide_by = max(at, min(at + timedelta(days=thing.rules.validate_days), row.starts_at))
    row.save(update_fields=["offered_until", "waits", "decide_by"])
    if row.decide_by is None:
        day = slot_info(row, case_queries.case_info(row.case, Sight.WORKER), at=at).starts.date()
        cases.schedule_case(number=number, day=day, by=None, at=at)


@transaction.atomic
def end_offer(number: str, at: datetime) -> bool:
    """Give the time that one did not confirm to the next who waits; tell whether there was one to end."""
    agenda, row, thing = locked_slot(number)
    if not row.holds or row.offered_until is None or row.offered_until >= at:
        return False
    cases.close_case(
        number=number,
        outcome=Outcome.EXPIRED,
        reason=_("La place gardée pour vous n’a pas été confirmée à temps : elle est proposée à la personne suivante."),
        by=None,
        at=at,
        reopen_days=0,
    )
    offer_freed(agenda, thing, row.place, at=at)
    return True


def follow_move(info: CaseInfo, kind: str, at: datetime) -> None:
    """Give back the time of a request that ends before it, in the very transaction of its end."""
    if kind == events.CLOSED and Slot.objects.filter(pk=info.id, result="", ends_at__gt=at).exists():
        release(info.id)
