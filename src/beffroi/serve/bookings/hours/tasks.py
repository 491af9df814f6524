"""What a worker does for bookings by the hour: reminders, access codes, offers that end; at night, what is past."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.serve.bookings.definition import UnknownThing
from beffroi.serve.bookings.hours.changing import end_offer, locked_slot
from beffroi.serve.bookings.hours.definition import KIND, SlotInfo, Stage
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.news import code_message, slot_reminder
from beffroi.serve.bookings.hours.reading import slot_info, with_holds
from beffroi.serve.bookings.hours.rules import known_slot_thing
from beffroi.serve.bookings.hours.waiting import offer_freed
from beffroi.serve.bookings.models import Agenda
from beffroi.serve.bookings.turns import locked_agenda
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, Outcome, Sight

logger = logging.getLogger(__name__)
EVERY_S = 120
ORIGIN_KEPT = timedelta(days=1)
# Time to note who came, before what is past ends by itself.
TO_BE_MARKED = timedelta(days=3)


def often(at: datetime) -> None:
    """Remind, send the codes, end the offers, serve those who wait; done once however often and wherever it runs."""
    for agenda in Agenda.objects.filter(pk__in=Slot.objects.values("agenda")).order_by("pk"):
        try:
            rules = known_slot_thing(agenda.use_case).rules
        except UnknownThing:
            continue
        if rules.remind_hours:
            _tell_each(agenda, at, "reminded", timedelta(hours=rules.remind_hours), slot_reminder)
        if rules.code_digits:
            _tell_each(agenda, at, "code_told", timedelta(minutes=rules.code_before_minutes), code_message)
        if rules.waiting_hours:
            _serve_waiting(agenda, at)


def _tell_each(agenda: Agenda, at: datetime, mark: str, before: timedelta, words: Callable[[SlotInfo], str]) -> None:
    rows = with_holds().filter(
        agenda=agenda, holds=True, ends_at__gt=at, starts_at__lte=at + before, decide_by=None, offered_until=None,
        case__status__in=OPEN, **{mark: False},
    )  # fmt: skip
    for key in list(rows.values_list("pk", flat=True)):
        _told(key, mark, before, words, at)


@transaction.atomic
def _told(key: int, mark: str, before: timedelta, words: Callable[[SlotInfo], str], at: datetime) -> None:
    _agenda, row, _thing = locked_slot(case_queries.number_of(key))
    info = slot_info(row, case_queries.case_info(row.case, Sight.WORKER), at=at)
    # Read again under the lock: moved meanwhile, given up, or told by another worker.
    if getattr(row, mark) or info.stage is not Stage.CONFIRMED or row.starts_at > at + before:
        return
    setattr(row, mark, True)
    row.save(update_fields=[mark])
    told = case_queries.told_parties(key)
    with translation.override(told[0].language if told else "fr"):
        text = words(info)
    cases.write_to_parties(number=info.number, text=text, by=None, at=at)


def _serve_waiting(agenda: Agenda, at: datetime) -> None:
    ended = with_holds().filter(agenda=agenda, holds=True, offered_until__lt=at, case__status__in=OPEN)
    for key in list(ended.values_list("pk", flat=True)):
        end_offer(case_queries.number_of(key), at)
    places = Slot.objects.filter(agenda=agenda, waits=True, offered_until=None, starts_at__gt=at)
    for place in sorted(set(places.values_list("place", flat=True))):
        with transaction.atomic():
            locked = locked_agenda(agenda.territory, agenda.use_case)
            offer_freed(locked, known_slot_thing(agenda.use_case), place, at=at)


def daily(at: datetime) -> None:
    """End what is past; forget where bookings without an account came from, once it limits nothing."""
    Slot.objects.exclude(origin="").filter(case__opened_at__lt=at - ORIGIN_KEPT).update(origin="")
    past = with_holds().filter(ends_at__lt=at - TO_BE_MARKED, case__status__in=OPEN)
    ended = 0
    for row in past:
        served = row.holds and row.decide_by is None and row.offered_until is None
        with translation.override(_language(row.pk)):
            words = _("Le créneau est passé.") if served else _("Ce créneau est passé sans avoir été donné.")
        outcome = Outcome.DONE if served else Outcome.EXPIRED
        cases.close_case(
            number=case_queries.number_of(row.pk), outcome=outcome, reason=words, by=None, at=at, reopen_days=0
        )
        ended += 1
    if ended:
        logger.info("%s bookings of %s are past and ended", ended, KIND)


def _language(case_id: int) -> str:
    told = case_queries.told_parties(case_id)
    return told[0].language if told else "fr"
