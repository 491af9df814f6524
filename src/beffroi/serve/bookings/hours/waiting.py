"""The waiting list: a time that is freed is kept some hours for the one who waits for it and has had least."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.serve.bookings.hours.definition import Taken, spoken_hour
from beffroi.serve.bookings.hours.fair import times_had
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.reading import with_holds
from beffroi.serve.bookings.hours.rules import SlotThing
from beffroi.serve.bookings.hours.times import local
from beffroi.serve.bookings.hours.weeks import asked_time, free_seat, hold
from beffroi.serve.bookings.models import Agenda
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN


def offer_freed(agenda: Agenda, thing: SlotThing, place: str, *, at: datetime) -> int:
    """Keep each free time of a place for the one who waits for it and has had least; return how many are offered.

    The agenda is locked by the caller: nobody takes the time between the one who left it and the one who waited.
    """
    soon = at + timedelta(minutes=thing.rules.notice_minutes)
    rows = with_holds().filter(
        agenda=agenda, place=place, waits=True, holds=False, starts_at__gt=soon, case__status__in=OPEN
    )
    waiting = [(times_had(agenda, row, _person_of(row.pk), at), row.case.opened_at, row.pk, row) for row in rows]
    done = 0
    for _had, _since, _key, row in sorted(waiting, key=lambda one: one[:3]):
        done += _offered(agenda, thing, row, at)
    return done


def _person_of(case_id: int) -> int | None:
    makers = case_queries.makers_of(case_id)
    return makers[0] if makers else None


def _offered(agenda: Agenda, thing: SlotThing, row: Slot, at: datetime) -> int:
    time = asked_time(agenda.territory, thing, row.place, row.starts_at, row.ends_at)
    if time is None:
        return 0
    try:
        seat = free_seat(agenda, thing, time, at=at)
    except Taken:
        return 0
    hold(row, thing.rules, agenda.territory, seat)
    last = time.starts - timedelta(minutes=thing.rules.notice_minutes)
    row.offered_until = min(at + timedelta(hours=thing.rules.waiting_hours), last)
    row.save(update_fields=["offered_until"])
    told = case_queries.told_parties(row.pk)
    with translation.override(told[0].language if told else "fr"):
        words = _(
            "Une place s’est libérée : {place}, {when}. Elle est gardée pour vous jusqu’au {until}. Confirmez sur "
            "cette page ; passé ce délai, elle est proposée à la personne suivante."
        ).format(
            place=thing.rules.place_of(row.place).label,
            when=spoken_hour(time.starts),
            until=spoken_hour(local(agenda.territory, row.offered_until)),
        )
    cases.write_to_parties(number=case_queries.number_of(row.pk), text=words, by=None, at=at, ask=True)
    return 1
