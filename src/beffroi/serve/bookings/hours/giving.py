"""How a booking by the hour comes in: checked whole, then its time given in one short transaction."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.bookings.definition import BadBooking
from beffroi.serve.bookings.hours.definition import KIND, Deposit, SlotWish, Taken, spoken_hour
from beffroi.serve.bookings.hours.fair import check_fair, check_network
from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.prices import price_of, tariff_of
from beffroi.serve.bookings.hours.rules import SlotThing, open_slot_thing
from beffroi.serve.bookings.hours.times import Time, local, opens_on
from beffroi.serve.bookings.hours.weeks import asked_time, free_seat, hold
from beffroi.serve.bookings.intake import digits_of, email_of, sealed
from beffroi.serve.bookings.models import Agenda
from beffroi.serve.bookings.turns import locked_agenda
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Access, Mandate, Requester
from beffroi.serve.cases.operations import Opened
from beffroi.serve.cases.questions import checked_answers
from beffroi.serve.cases.words import clean_requester, clean_text


def book_slot(
    *,
    territory: str,
    wish: SlotWish,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    network: str = "",
    mandate: Mandate | None = None,
) -> Opened:
    """Take a time and return its number and follow-up token; the same sending twice is one booking.

    Args:
        network: where it comes from (an address), sealed and forgotten within a day; limits what has no account.

    Raises:
        UnknownThing: nothing of that name is open here.
        BadCase, BadBooking: an answer, a contact, a tariff or a time is not as asked.
        Taken: the time is not free; it names the nearest that are. With `wish.wait`, one is put on the list instead.
        TooMany: the person, the household, the association or the network holds as much as it may.
    """
    thing = open_slot_thing(territory, wish.use_case)
    return book_slot_of(
        thing, territory=territory, wish=wish, requester=requester, viewer=viewer, at=at, network=network,
        mandate=mandate,
    )  # fmt: skip


def book_slot_of(
    thing: SlotThing,
    *,
    territory: str,
    wish: SlotWish,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    network: str = "",
    mandate: Mandate | None = None,
) -> Opened:
    """Take a time of a thing already chosen; see `book_slot`."""
    known = cases.already_sent(territory, wish.idempotency_key, kind=KIND, category=thing.use_case)
    if known is not None:
        return known
    requester = clean_requester(requester)
    works = thing.rules.service in case_queries.services_of(viewer, territory)
    time = required_time(territory, thing, wish.place, wish.starts, wish.ends)
    facts = checked_facts(thing, wish, requester, time, is_agent=AGENTS in viewer.clearances(territory))
    if viewer.person_id is None and network:
        facts["origin"] = sealed("network", network)
    try:
        with transaction.atomic():
            return _given(thing, territory, wish, requester, facts, time, at, mandate, works=works)
    except IntegrityError as error:
        # Two sendings of one key at the same instant, or two use cases that share the place: the other was first.
        known = cases.already_sent(territory, wish.idempotency_key, kind=KIND, category=thing.use_case)
        if known is None:
            raise Taken(time.starts) from error
        return known


def required_time(territory: str, thing: SlotThing, place: str, starts: datetime, ends: datetime) -> Time:
    """Return the time asked for.

    Raises:
        BadBooking: the rules do not know it.
    """
    time = asked_time(territory, thing, place, starts, ends)
    if time is None:
        raise BadBooking(
            gettext_noop("on ne réserve pas du {start} au {end}"),
            where="debut",
            remedy=gettext_noop("choisissez un des créneaux montrés : ce lieu a ses heures et ses durées"),
            start=spoken_hour(local(territory, starts)),
            end=spoken_hour(local(territory, ends)),
        )
    return time


def _given(
    thing: SlotThing,
    territory: str,
    wish: SlotWish,
    requester: Requester,
    facts: dict[str, Any],
    time: Time,
    at: datetime,
    mandate: Mandate | None,
    *,
    works: bool,
) -> Opened:
    agenda, rules = locked_agenda(territory, thing.use_case), thing.rules
    # Asked again now that nobody else writes: the same key, sent twice at once, must not read « taken ».
    known = cases.already_sent(territory, wish.idempotency_key, kind=KIND, category=thing.use_case)
    if known is not None:
        return known
    check_network(facts.get("origin", ""), at)
    check_fair(agenda, thing, requester.person, facts, at=at)
    seat: int | None = None
    try:
        seat = free_seat(agenda, thing, time, at=at, any_time=works)
    except Taken:
        if not (wish.wait and rules.waiting_hours and may_wait(thing, time, at)):
            raise
        facts["waits"] = True
    at_once = seat is not None and (rules.validation == "auto" or works)
    if seat is not None and not at_once:
        start = time.starts - timedelta(minutes=rules.notice_minutes)
        facts["decide_by"] = max(at, min(at + timedelta(days=rules.validate_days), start))
    facts["reminded"] = time.starts - at < timedelta(hours=rules.remind_hours)
    opened = cases.open_case(
        territory=territory,
        kind=KIND,
        category=thing.use_case,
        service=rules.service,
        requester=requester,
        at=at,
        access=Access.SERVICE,
        mandate=mandate,
        planned_on=time.starts.date() if at_once else None,
        idempotency_key=wish.idempotency_key,
    )
    slot = Slot.objects.create(case_id=opened.case_id, agenda=agenda, **facts)
    if seat is not None:
        hold(slot, rules, territory, seat)
    return opened


def may_wait(thing: SlotThing, time: Time, at: datetime) -> bool:
    """Tell whether one may wait for a time that is taken: its calendar is open and there is time to offer it."""
    soon = at + timedelta(minutes=thing.rules.notice_minutes)
    return bool(thing.rules.waiting_hours) and soon < time.starts and opens_on(thing.rules, time.starts) <= at


def checked_facts(
    thing: SlotThing, wish: SlotWish, requester: Requester, time: Time, *, is_agent: bool
) -> dict[str, Any]:
    """Return the columns of a booking that its maker gives, everything checked.

    Raises:
        BadBooking, BadCase: something is missing or is not as the rules ask.
    """
    rules = thing.rules
    if not (requester.email or requester.phone or requester.person):
        raise _missing("email", gettext_noop("il faut un e-mail ou un téléphone"))
    place, tariff = rules.place_of(wish.place), tariff_of(rules, wish.tariff, time)
    group = clean_text(wish.group, where="group", limit=120) if tariff is not None and tariff.group else ""
    household = clean_text(wish.household, where="household", limit=200)
    if tariff is not None and tariff.group and not group:
        raise _missing("group", gettext_noop("il manque le nom de l’association"))
    if rules.per == "household" and not (household or group):
        raise _missing("household", gettext_noop("il manque votre adresse"))
    if rules.modes and wish.mode not in rules.modes:
        raise _missing("mode", gettext_noop("dites comment se tient le rendez-vous"))
    if wish.people < 1 or (place.people and wish.people > place.people):
        raise BadBooking(
            gettext_noop("« {place} » reçoit {most} personnes au plus"),
            where="people",
            remedy=gettext_noop("choisissez un lieu plus grand, ou venez moins nombreux"),
            place=place.label,
            most=place.people or 1,
        )
    public, private = checked_answers(rules.field, wish.details, asker=thing.title)
    price, deposit = price_of(tariff, time)
    return {
        "place": time.place,
        "starts_at": time.starts.astimezone(UTC),
        "ends_at": time.ends.astimezone(UTC),
        "people": wish.people,
        "mode": wish.mode if rules.modes else "",
        "group": group,
        "tariff": tariff.code if tariff is not None else "",
        "price_cents": price,
        "deposit_cents": deposit,
        "deposit": Deposit.ASKED if deposit else Deposit.NONE,
        "details": public | private,
        "email_mark": sealed("email", email_of(requester).lower()),
        "phone_mark": sealed("phone", digits_of(requester.phone)),
        "household_mark": sealed("household", plain(household)) if rules.per == "household" else "",
        "group_mark": sealed("group", plain(group)),
        "source": "agent" if is_agent else clean_text(wish.source, where="source", limit=20) or "web",
    }


def plain(text: str) -> str:
    """Return a name or an address however it is written: small letters and digits only.

    >>> plain("12, rue du Four") == plain("12 Rue du  four")
    True
    """
    return re.sub(r"\W", "", text.casefold())


def _missing(where: str, what: str) -> BadBooking:
    return BadBooking(what, where=where, remedy=gettext_noop("complétez ce champ"))


def held_agenda(row: Slot) -> Agenda:
    """Return the agenda of a booking, locked; always before the booking, so that no two wait for each other."""
    return locked_agenda(row.agenda.territory, row.agenda.use_case)
