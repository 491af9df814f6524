"""What the service does: say yes or no, note who came, hold deposits, close a time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings import events
from beffroi.serve.bookings.definition import BadBooking
from beffroi.serve.bookings.hours.changing import locked_slot, require_service
from beffroi.serve.bookings.hours.definition import DEPOSIT_AFTER, Deposit, Presence, spoken_hour
from beffroi.serve.bookings.hours.models import Closing, Slot
from beffroi.serve.bookings.hours.reading import may_work_slots
from beffroi.serve.bookings.hours.rules import SlotThing, known_slot_thing
from beffroi.serve.bookings.hours.times import local
from beffroi.serve.bookings.hours.waiting import offer_freed
from beffroi.serve.bookings.hours.weeks import release
from beffroi.serve.bookings.turns import locked_agenda
from beffroi.serve.cases import events as case_events
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, Outcome
from beffroi.serve.cases.words import clean_text


@transaction.atomic
def validate_slot(*, number: str, accept: bool, by: Viewer, at: datetime, reason: str = "") -> None:
    """Say yes or no to a booking that waits for it; a no has its reason, and frees the time at once.

    Raises:
        BookingNotFound, Refused: there is none, or `by` is not of its service.
        BadBooking: it waits for no answer.
        BadCase: a no without a reason.
    """
    agenda, row, thing = locked_slot(number)
    require_service(row, by)
    if row.decide_by is None or row.case.status not in OPEN:
        raise BadBooking(gettext_noop("cette réservation n’attend pas de réponse"), where=number,
                         remedy=gettext_noop("rechargez la page : quelqu’un vient peut-être d’y répondre"))  # fmt: skip
    if accept:
        row.decide_by = None
        row.save(update_fields=["decide_by"])
        day = local(agenda.territory, row.starts_at).date()
        cases.schedule_case(number=number, day=day, by=by, at=at, text=clean_text(reason, where="reason"))
        return
    cases.close_case(number=number, outcome=Outcome.REFUSED, reason=reason, by=by, at=at, reopen_days=0)
    offer_freed(agenda, thing, row.place, at=at)


@transaction.atomic
def mark_slot(*, number: str, result: Presence, by: Viewer, at: datetime) -> None:
    """Note whether one came; a mark made by mistake is corrected by the other.

    Raises:
        BookingNotFound, Refused: there is none, or `by` is not of its service.
        BadBooking: it has not begun, or was given up.
    """
    _agenda, row, _thing = locked_slot(number)
    require_service(row, by)
    if row.starts_at > at:
        raise BadBooking(gettext_noop("ce créneau n’a pas commencé"), where=number,
                         remedy=gettext_noop("notez la présence à partir de l’heure dite"))  # fmt: skip
    if row.case.status not in OPEN:
        if not row.result and row.case.outcome != Outcome.DONE:
            raise BadBooking(gettext_noop("cette réservation a été annulée"), where=number,
                             remedy=gettext_noop("rechargez la liste"))  # fmt: skip
        if row.result == result:
            return
        cases.reopen_case(number=number, reason=_("Correction de l’accueil."), viewer=by, at=at)
    row.result = result
    row.save(update_fields=["result"])
    came = result is Presence.PRESENT
    reason = _("Le créneau a eu lieu.") if came else _("Personne n’est venu.")
    outcome = Outcome.DONE if came else Outcome.REFUSED
    cases.close_case(number=number, outcome=outcome, reason=reason, by=by, at=at, reopen_days=0)
    _tell(events.PRESENCE_SAID, number, {"result": result.value}, agenda_of=row, by=by, at=at)


@transaction.atomic
def set_deposit(*, number: str, deposit: Deposit, by: Viewer, at: datetime, note: str = "") -> None:
    """Note that a deposit is received, given back or kept (with a reason); the step before undoes a mistake.

    Raises:
        BookingNotFound, Refused: there is none, or `by` is not of its service.
        BadBooking: that state cannot follow the present one.
    """
    _agenda, row, _thing = locked_slot(number)
    require_service(row, by)
    if deposit not in DEPOSIT_AFTER[Deposit(row.deposit)]:
        raise BadBooking(gettext_noop("la caution ne peut pas passer à cet état"), where=number,
                         remedy=gettext_noop("rechargez la page : quelqu’un vient peut-être de la noter"))  # fmt: skip
    note = clean_text(note, where="note", required=deposit is Deposit.KEPT, limit=500)
    row.deposit = deposit
    row.save(update_fields=["deposit"])
    if deposit in (Deposit.RETURNED, Deposit.KEPT):
        with translation.override(_language(row.pk)):
            words = (
                _("Votre caution vous est rendue.") if deposit is Deposit.RETURNED else _("Votre caution est retenue.")
            )
            cases.write_to_parties(number=number, text=f"{words} {note}".strip(), by=by, at=at)
    _tell(events.DEPOSIT_SAID, number, {"deposit": deposit.value}, agenda_of=row, by=by, at=at)


@transaction.atomic
def set_paid(*, number: str, paid: bool, by: Viewer, at: datetime) -> None:
    """Note that a booking was paid at the counter, or was not after all.

    Raises:
        BookingNotFound, Refused: there is none, or `by` is not of its service.
    """
    _agenda, row, _thing = locked_slot(number)
    require_service(row, by)
    if row.paid == paid:
        return
    row.paid = paid
    row.save(update_fields=["paid"])
    _tell(events.SLOT_PAID, number, {"paid": paid, "cents": row.price_cents}, agenda_of=row, by=by, at=at)


def _language(case_id: int) -> str:
    told = case_queries.told_parties(case_id)
    return told[0].language if told else "fr"


def _tell(kind: str, number: str, payload: dict[str, object], *, agenda_of: Slot, by: Viewer, at: datetime) -> None:
    record(kind=kind, subject=case_events.subject_of(number), payload={"number": number, **payload},
           actor=by.person_id, territory=agenda_of.agenda.territory, at=at)  # fmt: skip


# --- Closing a time --------------------------------------------------------------------------------------------------


@transaction.atomic
def close_time(
    *,
    territory: str,
    use_case: str,
    place: str,
    starts: datetime,
    ends: datetime,
    reason: str,
    by: Viewer,
    at: datetime,
) -> int:
    """Close a place from an instant to another; those who hold it are asked to choose another time. Return how many.

    Args:
        place: one place, or "" for all of the thing.

    Raises:
        Refused: `by` does not work in the service of this thing.
        BadBooking: out of order, past, or a place that does not exist.
    """
    thing = known_slot_thing(use_case)
    require_works(thing, territory, by)
    reason = clean_text(reason, where="reason", required=True, limit=200)
    if not starts < ends or ends <= at:
        raise BadBooking(gettext_noop("la fin doit suivre le début, et n’être pas passée"), where="fin",
                         remedy=gettext_noop("corrigez les heures"))  # fmt: skip
    if place and place not in {one.slug for one in thing.rules.place}:
        raise BadBooking(gettext_noop("ce lieu n’existe pas"), where="place", remedy=gettext_noop("choisissez-en un"))
    agenda = locked_agenda(territory, use_case)
    Closing.objects.create(
        agenda=agenda, place=place, starts_at=starts, ends_at=ends, reason=reason, at=at, author_id=by.person_id
    )
    rows = Slot.objects.filter(
        agenda=agenda, cells__isnull=False, starts_at__lt=ends, ends_at__gt=max(starts, at), case__status__in=OPEN
    )
    rows = rows.filter(place=place) if place else rows
    there = list(rows.select_related("case").distinct().order_by("pk"))
    for row in there:
        _displaced(row, thing, reason, by, at)
    record(
        kind=events.TIME_CLOSED,
        subject=events.subject_of(territory, use_case),
        payload={"place": place, "starts": starts.isoformat(), "ends": ends.isoformat(), "asked": len(there)},
        actor=by.person_id, territory=territory, at=at,
    )  # fmt: skip
    return len(there)


def _displaced(row: Slot, thing: SlotThing, reason: str, by: Viewer, at: datetime) -> None:
    release(row.pk)
    row.offered_until, row.waits, row.decide_by = None, False, None
    row.save(update_fields=["offered_until", "waits", "decide_by"])
    with translation.override(_language(row.pk)):
        words = _(
            "{place}, {when} : ce n’est plus possible ({reason}). Choisissez un autre créneau sur cette page, "
            "ou annulez."
        ).format(
            place=thing.rules.place_of(row.place).label,
            when=spoken_hour(local(row.case.territory, row.starts_at)),
            reason=reason,
        )
        cases.write_to_parties(number=case_queries.number_of(row.pk), text=words, by=by, at=at, ask=True)


@transaction.atomic
def open_time(*, territory: str, use_case: str, closing: int, by: Viewer, at: datetime) -> None:
    """Undo a closing; those who were asked to choose stay where they are, and those who wait are served.

    Raises:
        Refused: `by` does not work in the service of this thing.
    """
    thing = known_slot_thing(use_case)
    require_works(thing, territory, by)
    agenda = locked_agenda(territory, use_case)
    row = Closing.objects.filter(agenda=agenda, pk=closing).first()
    if row is None:
        return
    places = [row.place] if row.place else [one.slug for one in thing.rules.place]
    row.delete()
    for place in places:
        offer_freed(agenda, thing, place, at=at)
    record(
        kind=events.TIME_OPENED,
        subject=events.subject_of(territory, use_case),
        payload={"places": places},
        actor=by.person_id, territory=territory, at=at,
    )  # fmt: skip


def require_works(thing: SlotThing, territory: str, by: Viewer) -> None:
    """Let pass an agent of the service of a thing.

    Raises:
        Refused: `by` is not.
    """
    if not may_work_slots(by, territory, thing):
        raise Refused(
            gettext_noop("ces réservations sont tenues par le service « {service} », dont vous n’êtes pas"),
            where=thing.use_case,
            remedy=gettext_noop("demandez à ce service, ou à un administrateur de vous y rattacher"),
            service=thing.rules.service,
        )
