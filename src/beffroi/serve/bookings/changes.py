"""What happens to a booking after it is made: moved, given up, marked by the crew; and a day that changes for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings import events
from beffroi.serve.bookings.definition import RESULT_TITLES, BadBooking, Result, TooLate, spoken
from beffroi.serve.bookings.lanes import Lane, lane_of, lanes
from beffroi.serve.bookings.models import Agenda, Booking, DayChange
from beffroi.serve.bookings.queries import booking_info, booking_not_found
from beffroi.serve.bookings.things import Thing, known_thing
from beffroi.serve.bookings.turns import bookable_days, check_free, free, hold, locked_agenda
from beffroi.serve.cases import events as case_events
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, Outcome
from beffroi.serve.cases.words import clean_text

_REASONS = {
    Result.DONE: gettext_noop("L’équipe est passée et a tout enlevé."),
    Result.ABSENT: gettext_noop("L’équipe est passée : rien n’était déposé."),
    Result.DIFFERENT: gettext_noop("L’équipe est passée : ce n’était pas ce qui était annoncé, elle ne l’a pas pris."),
}


def _locked(number: str) -> tuple[Agenda, Booking, Thing]:
    """Return a booking with its agenda, locked; the agenda always first, so that no two wait for each other."""
    row = Booking.objects.select_related("agenda").filter(pk=case_queries.case_id_of(number)).first()
    if row is None:
        raise booking_not_found()
    agenda = locked_agenda(row.agenda.territory, row.agenda.use_case)
    locked = Booking.objects.select_for_update(of=("self",)).select_related("case__lead", "agenda").get(pk=row.pk)
    return agenda, locked, known_thing(agenda.use_case)


def _require_hers(row: Booking, thing: Thing, viewer: Viewer, token: str, at: datetime) -> None:
    """Let pass the one who made it, in time, and an agent of its service at any time."""
    if row.case.service in case_queries.services_of(viewer, row.case.territory):
        return
    if not case_queries.is_maker(viewer, row.pk, token=token):
        raise booking_not_found()
    info = booking_info(row, case_queries.case(viewer, case_queries.number_of(row.pk), token=token), at=at)
    if not info.may_change(at):
        raise TooLate(
            "il est trop tard pour changer ce rendez-vous en ligne",
            where="day",
            remedy="appelez la mairie : l’équipe est peut-être déjà en route",
        )


@transaction.atomic
def move_booking(*, number: str, day: date, viewer: Viewer, at: datetime, token: str = "", text: str = "") -> None:
    """Give a booking another day in one go: the new place is held before the former is given back.

    Raises:
        BookingNotFound: there is none, or the viewer did not make it and is not of its service.
        TooLate: the term to move it has passed.
        Full: that day has no place; it names the nearest that have.
        BadBooking: it is over, or it is that very day.
    """
    agenda, row, thing = _locked(number)
    _require_hers(row, thing, viewer, token, at)
    lane = lane_of(agenda.territory, thing.rules, row.lane, at=at)
    if row.case.status not in OPEN:
        raise BadBooking("ce rendez-vous est terminé", where="day", remedy="prenez-en un autre")
    if day == row.day and row.holds.exists():
        raise BadBooking("c’est déjà le {day}", where="day", remedy="choisissez un autre jour", day=spoken(day))
    _moved(agenda, row, lane, day, check_free(agenda, thing, lane, day, at=at), at=at, text=text)


def _moved(
    agenda: Agenda, row: Booking, lane: Lane, day: date, seat: int, *, at: datetime, text: str, by: Viewer | None = None
) -> None:
    hold(row, agenda, lane.slug, day, seat)
    row.day, row.reminded_for, row.moved = day, None, row.moved + 1
    row.save(update_fields=["day", "reminded_for", "moved"])
    cases.schedule_case(number=case_queries.number_of(row.pk), day=day, by=by, at=at, text=text)


@transaction.atomic
def cancel_booking(*, number: str, viewer: Viewer, at: datetime, token: str = "", reason: str = "") -> None:
    """Give a booking up: its place is free for somebody else at once.

    Raises:
        BookingNotFound, TooLate: as `move_booking`.
        BadMove: it is over.
    """
    _agenda, row, thing = _locked(number)
    _require_hers(row, thing, viewer, token, at)
    if case_queries.is_maker(viewer, row.pk, token=token):
        cases.withdraw_case(number=number, reason=reason, viewer=viewer, token=token, at=at)
    else:
        words = reason or _("Annulé à votre demande.")
        cases.close_case(number=number, outcome=Outcome.WITHDRAWN, reason=words, by=viewer, at=at, reopen_days=0)


@transaction.atomic
def mark_booking(*, number: str, result: Result, by: Viewer, at: datetime, note: str = "") -> None:
    """Say what the crew found; a mark made by mistake is corrected by another.

    Raises:
        BookingNotFound, Refused: `by` may not know of it, or is not of its service.
        BadBooking: its day has not come, or it was given up.
    """
    agenda, row, _thing = _locked(number)
    cases.require_worker(number=number, by=by)
    today = at.astimezone(clock.timezone_of(agenda.territory)).date()
    if row.day > today:
        raise BadBooking(
            "ce rendez-vous est le {day}", where=number, remedy="marquez-le ce jour-là", day=spoken(row.day)
        )
    note = clean_text(note, where="note", limit=500)
    if row.case.status not in OPEN:
        if not row.result:
            raise BadBooking("ce rendez-vous a été annulé", where=number, remedy="rechargez la liste")
        if row.result == result and not note:
            return
        cases.reopen_case(number=number, reason=_("Correction de l’équipe."), viewer=by, at=at)
    row.result = result
    row.save(update_fields=["result"])
    reason = " ".join(filter(None, (_(_REASONS[result]), note)))
    outcome = Outcome.DONE if result is Result.DONE else Outcome.REFUSED
    cases.close_case(number=number, outcome=outcome, reason=reason, by=by, at=at, reopen_days=0)
    record(
        kind=events.RESULT_SAID,
        subject=case_events.subject_of(number),
        payload={"number": number, "result": result.value, "title": RESULT_TITLES[result]},
        actor=by.person_id,
        territory=agenda.territory,
        at=at,
    )


# --- Days -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """What a changed day did to those who had booked it: given another day, or asked to choose one."""

    moved: int = 0
    asked: int = 0


@transaction.atomic
def change_day(
    *, territory: str, use_case: str, day: date, lane: str, capacity: int, reason: str, by: Viewer, at: datetime
) -> Changed:
    """Close a day, or give it another capacity; those whose place goes are kept one on the next free day, and told.

    The last to have booked go first. One who finds no free day is asked to choose later.

    Args:
        lane: a sector, or "" for all of them.
        capacity: 0 closes it.

    Raises:
        Refused: `by` does not work in the service of this thing.
        BadBooking: no reason, a day that is past, or a sector that does not exist.
    """
    thing = known_thing(use_case)
    _require_service(thing, territory, by)
    reason = clean_text(reason, where="reason", required=True, limit=200)
    if day < at.astimezone(clock.timezone_of(territory)).date():
        raise BadBooking("le {day} est passé", where="day", remedy="choisissez un jour à venir", day=spoken(day))
    known = [one for one in lanes(territory, thing.rules, at=at) if lane in ("", one.slug)]
    if not known:
        raise BadBooking("le secteur « {lane} » n’existe pas", where="lane", remedy="choisissez-en un", lane=lane[:40])
    agenda = locked_agenda(territory, use_case)
    DayChange.objects.update_or_create(
        agenda=agenda, lane=lane, day=day,
        defaults={"capacity": capacity, "reason": reason, "at": at, "author_id": by.person_id},
    )  # fmt: skip
    done = [_emptied(agenda, thing, one, day, capacity, reason, by, at) for one in known]
    changed = Changed(sum(one.moved for one in done), sum(one.asked for one in done))
    _tell(agenda, day, lane, capacity, changed, by, at)
    return changed


def _emptied(
    agenda: Agenda, thing: Thing, lane: Lane, day: date, capacity: int, reason: str, by: Viewer, at: datetime
) -> Changed:
    rows = Booking.objects.filter(holds__agenda=agenda, holds__lane=lane.slug, holds__day=day, result="")
    there = list(rows.select_for_update(of=("self",)).select_related("case").order_by("pk"))
    moved = 0
    for row in there[capacity:]:
        later = next((one for one in bookable_days(agenda.territory, thing, lane, at=at) if one > day), None)
        with translation.override(_language(row.pk)):
            if later is None:
                _ask_another(row, day, reason, by, at)
            else:
                seat = check_free(agenda, thing, lane, later, at=at)
                _moved(agenda, row, lane, later, seat, at=at, text=_kept_one(day, later, reason), by=by)
                moved += 1
    return Changed(moved, len(there[capacity:]) - moved)


def _kept_one(day: date, later: date, reason: str) -> str:
    words = _(
        "Le {day} n’est plus possible ({reason}). Nous vous avons gardé le {new} : gardez-le, choisissez un autre jour "
        "ou annulez, sur cette page."
    )
    return words.format(day=spoken(day), reason=reason, new=spoken(later))


def _ask_another(row: Booking, day: date, reason: str, by: Viewer, at: datetime) -> None:
    words = _(
        "Le {day} n’est plus possible ({reason}), et aucun autre jour n’est encore libre. Choisissez-en un sur cette "
        "page dès qu’une place se libère."
    ).format(day=spoken(day), reason=reason)
    free(row.pk)
    cases.write_to_parties(number=case_queries.number_of(row.pk), text=words, by=by, at=at, ask=True)


def _language(case_id: int) -> str:
    told = case_queries.told_parties(case_id)
    return told[0].language if told else "fr"


@transaction.atomic
def restore_day(*, territory: str, use_case: str, day: date, lane: str, by: Viewer, at: datetime) -> None:
    """Have a day as the rules say again; those who were moved stay where they are.

    Raises:
        Refused: `by` does not work in the service of this thing.
    """
    thing = known_thing(use_case)
    _require_service(thing, territory, by)
    agenda = locked_agenda(territory, use_case)
    DayChange.objects.filter(agenda=agenda, lane=lane, day=day).delete()
    _tell(agenda, day, lane, None, Changed(), by, at)


def _require_service(thing: Thing, territory: str, by: Viewer) -> None:
    if thing.rules.service not in case_queries.services_of(by, territory):
        raise Refused(
            "ces réservations sont tenues par le service « {service} », dont vous n’êtes pas",
            where=thing.use_case,
            remedy="demandez à ce service, ou à un administrateur de vous y rattacher",
            service=thing.rules.service,
        )


def _tell(
    agenda: Agenda, day: date, lane: str, capacity: int | None, changed: Changed, by: Viewer, at: datetime
) -> None:
    record(
        kind=events.DAY_CHANGED,
        subject=events.subject_of(agenda.territory, agenda.use_case),
        payload={
            "day": day.isoformat(), "lane": lane, "capacity": capacity, "moved": changed.moved, "asked": changed.asked,
        },
        actor=by.person_id,
        territory=agenda.territory,
        at=at,
    )  # fmt: skip
