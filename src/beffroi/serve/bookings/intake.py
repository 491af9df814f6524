"""How a booking comes in: checked whole, then its place given in one short transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.bookings.definition import KIND, BadBooking, TooMany, Wish, spoken
from beffroi.serve.bookings.lanes import Lane, lane_at
from beffroi.serve.bookings.models import Agenda, Booking
from beffroi.serve.bookings.things import Thing, open_thing
from beffroi.serve.bookings.turns import check_free, hold, locked_agenda, today_in
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import OPEN, Access, Mandate, Outcome, Requester
from beffroi.serve.cases.ground import Place
from beffroi.serve.cases.operations import Opened
from beffroi.serve.cases.questions import checked_answers
from beffroi.serve.cases.words import clean_requester, clean_text

MOST_A_DAY_BY_NETWORK = 10
ORIGIN_KEPT = timedelta(days=1)
YEAR = timedelta(days=365)


def book(
    *,
    territory: str,
    wish: Wish,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    network: str = "",
    mandate: Mandate | None = None,
) -> Opened:
    """Take a place and return its number and follow-up token; the same sending twice is one booking.

    Args:
        network: where it comes from (an address), sealed and forgotten within a day; limits what has no account.

    Raises:
        UnknownThing: nothing of that name is open here.
        BadCase, BadBooking: an answer, a contact or the place is not as asked.
        Full: the day has no place left; it names the nearest that have.
        TooMany: the person, the household or the network holds as many as it may.
    """
    thing = open_thing(territory, wish.use_case)
    return book_in(
        thing,
        territory=territory,
        wish=wish,
        requester=requester,
        viewer=viewer,
        at=at,
        network=network,
        mandate=mandate,
    )


def book_in(
    thing: Thing,
    *,
    territory: str,
    wish: Wish,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    network: str = "",
    mandate: Mandate | None = None,
) -> Opened:
    """Take a place of a thing already chosen; see `book`."""
    known = cases.already_sent(territory, wish.idempotency_key, kind=KIND, category=thing.use_case)
    if known is not None:
        return known
    requester = clean_requester(requester)
    lane, place, district = lane_at(territory, thing.rules, wish.lon, wish.lat, at=at)
    facts = _checked(thing, wish, requester, place, is_agent=AGENTS in viewer.clearances(territory))
    facts |= {"lane": lane.slug, "district": district, "day": wish.day}
    if viewer.person_id is None and network:
        facts["origin"] = sealed("network", network)
    try:
        with transaction.atomic():
            return _given(thing, lane, territory, wish, requester, facts, at, mandate)
    except IntegrityError:
        # Two sendings of one key at the same instant: the other was first.
        known = cases.already_sent(territory, wish.idempotency_key, kind=KIND, category=thing.use_case)
        if known is None:
            raise
        return known


def _given(
    thing: Thing,
    lane: Lane,
    territory: str,
    wish: Wish,
    requester: Requester,
    facts: dict[str, Any],
    at: datetime,
    mandate: Mandate | None,
) -> Opened:
    agenda = locked_agenda(territory, thing.use_case)
    # Asked again now that nobody else writes: the same key, sent twice at once, must not read « full ».
    known = cases.already_sent(territory, wish.idempotency_key, kind=KIND, category=thing.use_case)
    if known is not None:
        return known
    _check_fair(agenda, thing, requester.person, facts, at)
    seat = check_free(agenda, thing, lane, wish.day, at=at)
    opened = cases.open_case(
        territory=territory,
        kind=KIND,
        category=thing.use_case,
        service=thing.rules.service,
        requester=requester,
        at=at,
        access=Access.SERVICE,
        mandate=mandate,
        planned_on=wish.day,
        idempotency_key=wish.idempotency_key,
    )
    booking = Booking.objects.create(case_id=opened.case_id, agenda=agenda, **facts)
    hold(booking, agenda, lane.slug, wish.day, seat)
    return opened


# --- What is asked --------------------------------------------------------------------------------------------------


def _checked(thing: Thing, wish: Wish, requester: Requester, place: Place, *, is_agent: bool) -> dict[str, Any]:
    """Return the columns of a booking that its maker gives, everything checked."""
    if not (requester.email or requester.phone or requester.person):
        raise BadBooking(
            "il faut un e-mail ou un téléphone",
            where="email",
            remedy="l’équipe vous prévient si le jour change ; donnez l’un des deux",
        )
    public, private = checked_answers(thing.rules.field, wish.details, asker=thing.title)
    address = clean_text(wish.address, where="address", limit=200)
    return {
        "lon": place.lon,
        "lat": place.lat,
        "address": address,
        "items": checked_items(thing, wish.items),
        "details": public | private,
        "email_mark": sealed("email", email_of(requester).lower()),
        "phone_mark": sealed("phone", digits_of(requester.phone)),
        "address_mark": sealed("address", f"{place.lon:.5f} {place.lat:.5f}"),
        "source": "agent" if is_agent else clean_text(wish.source, where="source", limit=20) or "web",
    }


def checked_items(thing: Thing, given: Mapping[str, int]) -> dict[str, int]:
    """Return what is brought, by kind, those of which there is none left out.

    Raises:
        BadBooking: a kind that is not taken, too many, or nothing at all.
    """
    known = {one.code: one for one in thing.rules.item}
    kept = {}
    for code, many in given.items():
        if not many:
            continue
        if code not in known:
            raise BadBooking(
                "« {code} » n’est pas pris ici", where="items", remedy="voyez la liste des objets", code=code[:40]
            )
        if not 0 < many <= known[code].most:
            raise BadBooking(
                "« {label} » : {most} au plus",
                where="items",
                remedy="gardez le reste pour une autre fois, ou portez-le à la déchèterie",
                label=known[code].label,
                most=known[code].most,
            )
        kept[code] = many
    if known and not kept:
        raise BadBooking("il manque ce qui est à prendre", where="items", remedy="dites au moins un objet")
    if sum(kept.values()) > thing.rules.most_items:
        raise BadBooking(
            "{count} objets annoncés, {most} au plus",
            where="items",
            remedy="gardez le reste pour une autre fois, ou portez-le à la déchèterie",
            count=sum(kept.values()),
            most=thing.rules.most_items,
        )
    return kept


# --- Fairness -------------------------------------------------------------------------------------------------------


def _check_fair(agenda: Agenda, thing: Thing, person: int | None, facts: Mapping[str, Any], at: datetime) -> None:
    """Let pass one who holds less than she may; the agenda is locked, so that two at once are counted."""
    rules, rows = thing.rules, Booking.objects.filter(agenda=agenda)
    hers = Q(case__parties__person=person, case__parties__made_it=True) if person else Q(pk__in=())
    for mark in ("email_mark", "phone_mark"):
        if facts[mark]:
            hers |= Q(**{mark: facts[mark]})
    # A day gone by that no crew has marked yet is nobody's turn any more.
    is_open = Q(case__status__in=[one.value for one in OPEN], day__gte=today_in(agenda.territory, at))
    mine = rows.filter(hers).distinct()
    held = mine.filter(is_open)
    if (count := held.count()) >= rules.most_open:
        words = gettext_noop("vous avez déjà {count} réservation en cours, le {day}")
        _refuse(words, count, rules.most_open, _first(held.all()))
    if rules.most_at_address:
        there = rows.filter(is_open, address_mark=facts["address_mark"])
        if (count := there.count()) >= rules.most_at_address:
            words = gettext_noop("{count} réservations sont déjà en cours à cette adresse")
            _refuse(words, count, rules.most_at_address)
    if rules.most_a_year:
        served = mine.filter(day__gt=facts["day"] - YEAR).exclude(case__outcome=Outcome.WITHDRAWN)
        if (count := served.count()) >= rules.most_a_year:
            _refuse(gettext_noop("vous avez déjà eu {count} rendez-vous en un an"), count, rules.most_a_year)
    if origin := facts.get("origin"):
        recent = Booking.objects.filter(origin=origin, case__opened_at__gt=at - ORIGIN_KEPT)
        if recent.count() >= MOST_A_DAY_BY_NETWORK:
            raise TooMany(
                "trop de réservations ont été faites d’ici aujourd’hui",
                where="day",
                remedy="ouvrez un compte, ou appelez la mairie",
            )


def _first(rows: Any) -> date | None:
    found: date | None = rows.order_by("day").values_list("day", flat=True).first()
    return found


def _refuse(what: str, count: int, most: int, day: date | None = None) -> None:
    raise TooMany(
        what,
        where="day",
        remedy="la règle est de {most} au plus : déplacez ou annulez ce qui est pris, ou attendez votre tour",
        count=count,
        most=most,
        day=spoken(day) if day else "",
    )


def email_of(requester: Requester) -> str:
    """Return the address by which a person is known again: the one she types, else her account's."""
    if requester.email or requester.person is None:
        return requester.email
    try:
        return territory_queries.person(requester.person).email
    except territory_queries.UnknownPerson:
        return ""


def digits_of(phone: str) -> str:
    """Return a telephone number however it is written.

    >>> digits_of("+33 6 12 34 56 78") == digits_of("06.12.34.56.78")
    True
    """
    return re.sub(r"^(?:0033|33)(?=\d{9}$)", "0", re.sub(r"\D", "", phone))


def sealed(what: str, value: str) -> str:
    """Return a seal that tells two values apart and leads back to neither; "" of nothing."""
    return salted_hmac(f"beffroi.bookings.{what}", value, algorithm="sha256").hexdigest()[:32] if value else ""
