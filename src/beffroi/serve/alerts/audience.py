"""Whom an alert concerns: the followers of this room, and those that other rooms keep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import NamedTuple

import shapely
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.serve.alerts.definition import DISTRICT, PROJECT, TOWN, Content, Reach
from beffroi.serve.alerts.models import Follower, Wish
from beffroi.serve.cases import audiences
from beffroi.serve.cases.audiences import Addressee, Ground
from beffroi.serve.cases.ground import METRES_PER_DEGREE
from beffroi.serve.cases.mails import domain_of, one_click_end, page_url
from beffroi.serve.cases.push.devices import count_of_topics
from beffroi.serve.cases.tokens import token_of

OWN = "alerts"
EDGE_M = 3.0
"""Two districts that share a border do not meet."""

FOLLOWER, WISH = "beffroi.alerts.follower", "beffroi.alerts.wish"
TOPIC = "warnings"
PAGES = {
    "manage": "portal:alerts-followed", "end": "portal:alerts-unfollow", "confirm": "portal:alerts-confirm",
    "alert": "portal:alert", "all": "portal:alerts",
}  # fmt: skip
"""The names of the addresses that messages give."""


class Told(NamedTuple):
    """One whom an alert concerns: ``<room>:<number>``, her address ("" for devices alone), her devices, her quiet."""

    who: str
    email: str
    device_topic: str
    quiet: tuple[time, time] | None = None


def told_of(territory: str, content: Content, *, report: str = "") -> list[Told]:
    """Return whom an alert concerns, nobody twice: an address known to two rooms is told by this one."""
    found = [
        Told(f"{OWN}:{one.pk}", one.email, topic_of(int(one.pk)), _quiet(one))
        for one in own_followers(territory, content)
    ]
    if content.project:
        return found
    known = {one.email.lower() for one in found if one.email}
    ground = Ground(territory, content.shape, frozenset(content.districts), report)
    for room, audience in sorted(audiences.AUDIENCES.items()):
        for number, email, topic in audience.concerned(ground):
            if email.lower() not in known:
                known.add(email.lower())
                found.append(Told(f"{room}:{number}", email, topic))
    return found


def _quiet(one: Follower) -> tuple[time, time] | None:
    if one.quiet_from is None or one.quiet_until is None:
        return None
    return one.quiet_from, one.quiet_until


def own_followers(territory: str, content: Content) -> list[Follower]:
    """Return the confirmed followers of this room whom an alert concerns, by number."""
    near = _near(territory, content)
    shape = inside(content.shape)
    keys = {
        wish.follower_id
        for wish in near.order_by("pk").iterator()
        if (not wish.topics or content.topic in wish.topics) and _meets(wish, content, shape)
    }
    return [one for one in Follower.objects.filter(territory=territory).order_by("pk") if one.pk in keys]


def _near(territory: str, content: Content) -> QuerySet[Wish]:
    rows = Wish.objects.filter(follower__territory=territory).exclude(confirmed_at=None)
    if content.project:
        followed = Q(place=PROJECT, value=content.project)
        if content.area == TOWN:
            return rows.filter(followed)
        return rows.filter(followed | _around(content))
    return rows.exclude(place=PROJECT) if content.shape is None else rows.filter(_around(content))


def _around(content: Content) -> Q:
    if content.shape is None:
        return ~Q(place=PROJECT)
    west, south, east, north = content.shape.bounds
    boxes = Q(west__lte=east, east__gte=west, south__lte=north, north__gte=south)
    return (Q(zone_wkb=None) | boxes) & ~Q(place=PROJECT)


def inside(shape: shapely.Geometry | None) -> shapely.Geometry | None:
    """Return a shape less a few metres along its edge, itself where nothing would be left."""
    if shape is None:
        return None
    smaller = shape.buffer(-EDGE_M / METRES_PER_DEGREE)
    return shape if smaller.is_empty else smaller


def _meets(wish: Wish, content: Content, shape: shapely.Geometry | None) -> bool:
    if wish.place == PROJECT:
        return wish.value == content.project
    if shape is None or wish.zone_wkb is None:
        return True
    if wish.place == DISTRICT and content.area == DISTRICT:
        return wish.value in content.districts
    return bool(shapely.from_wkb(bytes(wish.zone_wkb)).intersects(shape))


def topic_of(follower: int) -> str:
    """Return the topic by which the devices of a follower are told."""
    return f"{TOPIC}-{follower}"


def reach(territory: str, content: Content, *, at: datetime, report: str = "") -> Reach:
    """Return how many an alert would reach if it left at `at`."""
    people = told_of(territory, content, report=report)
    later = sum(held_until(one.quiet, territory, content, at) > at for one in people)
    return Reach(
        mails=sum(bool(one.email) for one in people),
        devices=count_of_topics([one.device_topic for one in people if one.device_topic]),
        followers=len(people),
        later=later,
    )


def held_until(quiet: tuple[time, time] | None, territory: str, content: Content, at: datetime) -> datetime:
    """Return when one with these quiet hours may be told of it: at once, or when they end. Extreme waits for nobody."""
    if quiet is None or content.severity == "Extreme":
        return at
    start, end = quiet
    local = at.astimezone(clock.timezone_of(territory))
    now = local.time()
    is_quiet = start <= now < end if start <= end else (now >= start or now < end)
    if not is_quiet or start == end:
        return at
    day = local.date() if now < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=local.tzinfo)


def addressee(who: str) -> Addressee | None:
    """Return one who is told, None once she has left."""
    room, _colon, number = who.partition(":")
    if room != OWN:
        known = audiences.AUDIENCES.get(room)
        return known.addressee(int(number)) if known else None
    row = Follower.objects.filter(pk=int(number)).first()
    if row is None or not row.wishes.exclude(confirmed_at=None).exists():
        return None
    token = token_of(FOLLOWER, int(row.pk))
    return Addressee(
        email=row.email,
        language=row.language,
        device_topic=topic_of(int(row.pk)),
        why=lambda: ", ".join(described(one) for one in _confirmed(row)),
        manage_url=page_url(row.territory, PAGES["manage"], token),
        headers=one_click_end(
            page_url(row.territory, PAGES["end"], token), list_id=f"alertes.{domain_of(row.territory)}"
        ),
    )


def _confirmed(row: Follower) -> Iterator[Wish]:
    yield from row.wishes.exclude(confirmed_at=None).order_by("pk")


def described(wish: Wish) -> str:
    """Return what a wish is about, in the language in force."""
    return wish.label if wish.label else _("toute la commune")


def in_language(one: Addressee) -> translation.override:
    """Return what speaks to one in her language."""
    return translation.override(one.language)
