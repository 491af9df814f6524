"""What a worker does for bookings: reminders in the morning; at night, what should not be kept."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation

from beffroi.serve.bookings.definition import UnknownThing
from beffroi.serve.bookings.intake import ORIGIN_KEPT
from beffroi.serve.bookings.models import Agenda, Booking
from beffroi.serve.bookings.news import reminder
from beffroi.serve.bookings.queries import booking_info, today_in
from beffroi.serve.bookings.things import known_thing
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, Outcome, Sight, Status

logger = logging.getLogger(__name__)
# What is never closed would be kept for ever.
UNMARKED_KEPT = timedelta(days=30)
_UNMARKED = (
    "Ce rendez-vous est passé et l’équipe n’a rien noté. Si rien n’a été fait, écrivez-nous ou réservez de nouveau."
)


def remind(at: datetime) -> None:
    """Write to those whose day comes, once for each day and however often this runs."""
    sent = 0
    for agenda in Agenda.objects.order_by("pk"):
        try:
            rules = known_thing(agenda.use_case).rules
        except UnknownThing:
            continue
        today = today_in(agenda.territory, at)
        for days in rules.reminder_days:
            day = today + timedelta(days=days)
            waiting = Booking.objects.filter(agenda=agenda, day=day, holds__isnull=False, case__status=Status.SCHEDULED)
            for key in waiting.exclude(reminded_for=today).order_by("pk").values_list("pk", flat=True):
                sent += _remind(key, days, at)
    if sent:
        logger.info("%s reminders of bookings written", sent)


@transaction.atomic
def _remind(key: int, days: int, at: datetime) -> int:
    row = Booking.objects.select_for_update(of=("self",)).select_related("case__lead", "agenda").get(pk=key)
    today = today_in(row.agenda.territory, at)
    # Read again under the lock: moved meanwhile, or reminded by another worker.
    if row.day != today + timedelta(days=days) or row.reminded_for == today or row.case.status != Status.SCHEDULED:
        return 0
    row.reminded_for = today
    row.save(update_fields=["reminded_for"])
    told = case_queries.told_parties(key)
    with translation.override(told[0].language if told else "fr"):
        words = reminder(booking_info(row, case_queries.case_info(row.case, Sight.WORKER), at=at), days)
    cases.write_to_parties(number=case_queries.number_of(key), text=words, by=None, at=at)
    return 1


def daily(at: datetime) -> None:
    """Forget where bookings without an account came from, once it limits nothing; end those that no crew marked."""
    Booking.objects.exclude(origin="").filter(case__opened_at__lt=at - ORIGIN_KEPT).update(origin="")
    forgotten = Booking.objects.filter(day__lt=at.date() - UNMARKED_KEPT, case__status__in=list(OPEN))
    for key in forgotten.order_by("pk").values_list("pk", flat=True):
        cases.close_case(
            number=case_queries.number_of(key), outcome=Outcome.EXPIRED, reason=_UNMARKED, by=None, at=at, reopen_days=0
        )
