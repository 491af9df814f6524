"""Bookings of the fictional town, through the room's own doors: weeks gone by that crews marked, weeks to come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.bookings import operations, queries
from beffroi.serve.bookings.definition import Result, Wish
from beffroi.serve.cases.definition import Requester

# How often people book what.
_LOADS = (
    {"matelas": 1},
    {"meuble": 2},
    {"canape": 1, "meuble": 1},
    {"electromenager": 1},
    {"autre": 2},
    {"matelas": 2},
)
_WEEKS_BACK, _EVERY_DAYS = 11, 2
_NAMES = ("Durand", "Petit", "Moreau", "Leroy", "Garnier", "Faure", "Roussel", "Blanc")


def add_bookings(
    territory: str, *, places: Sequence[tuple[float, float, str]], at: datetime, resident_email: str, seed: int = 108
) -> int:
    """Book at these addresses over the last weeks and the next, and return how many; none where some are.

    Each is made at its own instant, then marked on its day: nine in ten were taken away.
    """
    try:
        thing = queries.open_thing(territory, "1-08")
    except queries.UnknownThing:
        return 0
    first = queries.today_in(territory, at) - timedelta(weeks=_WEEKS_BACK)
    if queries.rows_of_period(territory, thing.use_case, first, first + timedelta(days=365)) or not places:
        return 0
    rng, made = random.Random(seed), 0  # noqa: S311 - the same town each time
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({thing.rules.service})),))
    zone = clock.timezone_of(territory)
    # One transaction, not three hundred: each costs a synchronisation of the disk.
    with transaction.atomic():
        for rank in range(0, _WEEKS_BACK * 7 + 1, _EVERY_DAYS):
            asked = min(datetime.combine(first + timedelta(days=rank), time(10), zone), at)
            for _ in range(3):
                place = places[rng.randrange(len(places))]
                made += _booked(territory, thing, place, rng, agent, asked=asked, now=at)
    person = territory_queries.person_by_email(resident_email)
    if person is not None:
        _own(territory, thing, places[0], person.id, at)
        made += 1
    return made


def _booked(
    territory: str,
    thing: queries.Thing,
    place: tuple[float, float, str],
    rng: random.Random,
    agent: Viewer,
    *,
    asked: datetime,
    now: datetime,
) -> bool:
    day = _first_day(territory, thing, place, asked)
    number = rng.randrange(10**8)
    wish = _wish(thing, day, place, rng.choice(_LOADS))
    requester = Requester(name=rng.choice(_NAMES), phone=f"06{number:08}")
    try:
        opened = operations.book(territory=territory, wish=wish, requester=requester, viewer=ANONYMOUS, at=asked)
    except BeffroiError:
        return False
    noon = datetime.combine(day, time(11), clock.timezone_of(territory))
    if noon < now:
        result = rng.choices([Result.DONE, Result.ABSENT, Result.DIFFERENT], [18, 1, 1])[0]
        operations.mark_booking(number=opened.number, result=result, by=agent, at=noon)
    return True


def _first_day(territory: str, thing: queries.Thing, place: tuple[float, float, str], at: datetime) -> date:
    lane, _place, _district = queries.lane_at(territory, thing.rules, place[0], place[1], at=at)
    return queries.bookable_days(territory, thing, lane, at=at)[0]


def _own(territory: str, thing: queries.Thing, place: tuple[float, float, str], person: int, at: datetime) -> None:
    day = _first_day(territory, thing, place, at)
    wish = _wish(thing, day, place, {"matelas": 1})
    operations.book(territory=territory, wish=wish, requester=Requester(person), viewer=Viewer(person), at=at)


def _wish(thing: queries.Thing, day: date, place: tuple[float, float, str], items: dict[str, int]) -> Wish:
    return Wish(thing.use_case, day, *place, items=items, details={"depot": "trottoir"}, source="demo")
