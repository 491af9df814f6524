"""Bookings by the hour of the fictional town, through the room's own doors: courts, rooms, an adviser, workshops."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.hours import queries
from beffroi.serve.bookings.hours.definition import Presence
from beffroi.serve.bookings.hours.rules import SlotThing
from beffroi.serve.cases.definition import Requester

_NAMES = ("Durand", "Petit", "Moreau", "Leroy", "Garnier", "Faure", "Roussel", "Blanc")
_WEEKS_BACK = 3
# Of each thing, how many are booked each week and what its questions are answered.
_LIVED = {
    "12-09": (14, {"partenaire": "Alex"}),
    "6-13": (3, {"objet": "Anniversaire"}),
    "4-13": (6, {"sujet": "demarche"}),
    "3-07": (5, {}),
    "8-10": (8, {"immatriculation": "AB-123-CD", "commerce": "Boulangerie du Marché"}),
}


def add_slots(territory: str, *, at: datetime, resident_email: str, seed: int = 1209) -> int:
    """Book over the last weeks and the next, and return how many; none where some are.

    Each is made at its own instant; what is past is marked, what an agent decides is accepted, but for the last.
    """
    rng, made = random.Random(seed), 0  # noqa: S311 - the same town each time
    for thing in queries.open_slot_things(territory):
        if thing.use_case not in _LIVED or _is_lived_in(territory, thing, at):
            continue
        with transaction.atomic():
            for week in range(-_WEEKS_BACK, 1):
                made += _week(territory, thing, rng, asked=at + timedelta(weeks=week), now=at)
            made += _own(territory, thing, resident_email, at)
    return made


def _is_lived_in(territory: str, thing: SlotThing, at: datetime) -> bool:
    day = queries.local(territory, at).date()
    found = queries.slot_figures(territory, thing, first=day - timedelta(days=60), last=day + timedelta(days=60))
    return bool(found.booked)


def _week(territory: str, thing: SlotThing, rng: random.Random, *, asked: datetime, now: datetime) -> int:
    many, details = _LIVED[thing.use_case]
    free = _free(territory, thing, asked)
    made = 0
    for time in rng.sample(free, min(many, len(free))):
        requester = Requester(name=rng.choice(_NAMES), phone=f"06{rng.randrange(10**8):08}")
        try:
            opened = operations.book_slot(
                territory=territory, wish=_wish(thing, time, rng, details), requester=requester, viewer=ANONYMOUS,
                at=asked,
            )  # fmt: skip
        except BeffroiError:
            continue
        _lived(territory, thing, opened.number, time, rng, asked=asked, now=now)
        made += 1
    return made


def _free(territory: str, thing: SlotThing, at: datetime) -> list[queries.Time]:
    first = queries.local(territory, at).date()
    # Rooms are asked for long before, courts from a week to the next.
    last = first + timedelta(days=min(thing.rules.ahead_days, 21))
    found = queries.moments(territory, thing, thing.rules.place, first=first, last=last, at=at)
    return [one.time for one in found if one.is_free]


def _wish(thing: SlotThing, time: queries.Time, rng: random.Random, details: dict[str, str]) -> operations.SlotWish:
    tariffs, modes = thing.rules.tariffs_on(time.starts.date()), thing.rules.modes
    tariff = rng.choice(tariffs) if tariffs else None
    return operations.SlotWish(
        thing.use_case, time.place, time.starts, time.ends, tariff=tariff.code if tariff else "",
        mode=rng.choice(modes) if modes else "", group="Les Amis du Lavoir" if tariff and tariff.group else "",
        details=details, source="demo",
    )  # fmt: skip


def _lived(
    territory: str, thing: SlotThing, number: str, time: queries.Time, rng: random.Random, *, asked: datetime,
    now: datetime,
) -> None:  # fmt: skip
    agent = Viewer(None, (Grant(territory, Role.AGENT, frozenset({thing.rules.service})),))
    if thing.rules.validation == "agent" and asked < now:
        operations.validate_slot(number=number, accept=True, by=agent, at=asked + timedelta(hours=1))
    if time.ends < now:
        result = rng.choices([Presence.PRESENT, Presence.ABSENT], [14, 1])[0]
        operations.mark_slot(number=number, result=result, by=agent, at=time.ends)


def _own(territory: str, thing: SlotThing, email: str, at: datetime) -> int:
    """Have the resident book a court: her page has something to show."""
    person, free = territory_queries.person_by_email(email), _free(territory, thing, at + timedelta(days=2))
    if person is None or thing.use_case != "12-09" or not free:
        return 0
    wish = operations.SlotWish(thing.use_case, free[0].place, free[0].starts, free[0].ends, people=2, source="demo")
    operations.book_slot(
        territory=territory, wish=wish, requester=Requester(person.id), viewer=Viewer(person.id), at=at
    )
    return 1
