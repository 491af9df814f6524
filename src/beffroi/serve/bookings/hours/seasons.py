"""A whole season for an association: the same hours each week, what is free given, the days refused told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings.definition import BadBooking
from beffroi.serve.bookings.hours.deciding import require_works
from beffroi.serve.bookings.hours.definition import KIND, SlotWish, Taken
from beffroi.serve.bookings.hours.giving import checked_facts
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.rules import SlotThing, open_slot_thing
from beffroi.serve.bookings.hours.times import Time, local, why_closed
from beffroi.serve.bookings.hours.weeks import asked_time, free_seat, hold
from beffroi.serve.bookings.models import Agenda
from beffroi.serve.bookings.turns import locked_agenda
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Access, Mandate, Requester
from beffroi.serve.cases.operations import Opened
from beffroi.serve.cases.words import clean_requester

MOST_WEEKS = 53


@dataclass(frozen=True, slots=True)
class Season:
    """What became of a weekly booking: the first of its bookings, the days given, the days refused and why."""

    first: Opened
    given: tuple[date, ...]
    refused: tuple[tuple[date, str], ...]


@transaction.atomic
def book_season(
    *,
    territory: str,
    wish: SlotWish,
    until: date,
    requester: Requester,
    by: Viewer,
    at: datetime,
    mandate: Mandate | None = None,
) -> Season:
    """Book the same hours each week until a day: what is free is given, the rest is told.

    Each week is a booking of its own, moved or given up alone; one receipt tells them all. Neither the calendar nor
    the share of each binds the service.

    Raises:
        Refused: `by` does not work in the service of this thing.
        BadBooking, BadCase: a fact is not as asked, the season is too long, or no day of it is free.
    """
    thing = open_slot_thing(territory, wish.use_case)
    require_works(thing, territory, by)
    requester = clean_requester(requester)
    agenda = locked_agenda(territory, thing.use_case)
    weeks = list(_weeks(territory, wish, until))
    if not weeks or len(weeks) > MOST_WEEKS:
        raise BadBooking(
            gettext_noop("la saison va du premier jour à un an plus tard"),
            where="until",
            remedy=gettext_noop("corrigez le dernier jour"),
        )
    given: list[tuple[date, Opened]] = []
    refused: list[tuple[date, str]] = []
    for week in weeks:
        time = asked_time(territory, thing, week.place, week.starts, week.ends)
        try:
            opened = None if time is None else _given(agenda, thing, week, time, requester, mandate, given, at)
        except (Taken, IntegrityError):
            opened = None
        if opened is None:
            refused.append((week.starts.date(), _why_not(thing, week, known=time is not None)))
        else:
            given.append((week.starts.date(), opened))
    if not given:
        raise BadBooking(
            gettext_noop("aucune de ces dates n’est libre"),
            where="debut",
            remedy=gettext_noop("choisissez une autre heure ou un autre lieu"),
        )
    return Season(given[0][1], tuple(day for day, _opened in given), tuple(refused))


def _weeks(territory: str, wish: SlotWish, until: date) -> Iterator[SlotWish]:
    """Yield the wish of each week: the same hours of the wall, whether or not the hour changes."""
    starts, ends = local(territory, wish.starts), local(territory, wish.ends)
    while starts.date() <= until:
        yield replace(wish, starts=starts, ends=ends)
        starts, ends = starts + timedelta(weeks=1), ends + timedelta(weeks=1)


def _why_not(thing: SlotThing, week: SlotWish, *, known: bool) -> str:
    if known:
        return _("déjà pris, ou fermé par le service")
    return why_closed(thing.rules, thing.rules.place_of(week.place), week.starts.date()) or _("fermé à cette heure")


@transaction.atomic
def _given(
    agenda: Agenda,
    thing: SlotThing,
    week: SlotWish,
    time: Time,
    requester: Requester,
    mandate: Mandate | None,
    given: list[tuple[date, Opened]],
    at: datetime,
) -> Opened:
    """Book one week, in a savepoint of its own: a week that is taken undoes no other."""
    seat = free_seat(agenda, thing, time, at=at, any_time=True)
    facts = checked_facts(thing, week, requester, time, is_agent=True)
    opened = cases.open_case(
        territory=agenda.territory,
        kind=KIND,
        category=thing.use_case,
        service=thing.rules.service,
        requester=requester,
        at=at,
        access=Access.SERVICE,
        mandate=mandate,
        planned_on=time.starts.date(),
    )
    first = given[0][1].case_id if given else opened.case_id
    slot = Slot.objects.create(case_id=opened.case_id, agenda=agenda, **facts)
    Slot.objects.filter(pk=slot.pk).update(series_id=first)
    hold(slot, thing.rules, agenda.territory, seat)
    return opened


def season_of(case_id: int) -> list[tuple[int, datetime, datetime]]:
    """Return the bookings of the season that one is the first of: key, from when to when; nothing of another."""
    rows = Slot.objects.filter(series_id=case_id).order_by("starts_at", "pk")
    return list(rows.values_list("pk", "starts_at", "ends_at"))
