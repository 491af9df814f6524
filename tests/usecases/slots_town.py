"""A town in which things are booked by the hour: it needs neither lake nor map."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.serve.bookings import operations
from beffroi.serve.bookings.hours import queries
from beffroi.serve.cases.definition import Requester
from territory_makers import make_person, make_town

TOWN = "00001"


@pytest.fixture
def slots_town(db: None, settings: Any) -> Callable[..., str]:
    """Open use cases booked by the hour in a small town."""
    settings.STRONG_AUTH = False

    def opened(*use_cases: str) -> str:
        make_town(TOWN, "Le Bourg", population=812, fictional=True)
        for service in ("sports", "vie-locale", "education", "solidarites", "police-municipale", "voirie"):
            territory.add_service(territory=TOWN, slug=service, name=service.capitalize(), at=timezone.now())
        for use_case in use_cases:
            catalogue.set_state(use_case, State.LIVE, territory=TOWN, by=None, at=timezone.now(), reason="essai")
        return TOWN

    return opened


def agent_client(service: str) -> Client:
    """Return the browser of an agent of a service."""
    person = make_person(Role.AGENT, territory=TOWN, services=(service,))
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def free(use_case: str, place: str = "", *, at: datetime | None = None, days: int = 21) -> list[queries.Time]:
    """Return the free times of a thing, far enough to be given up once taken, and reminded."""
    at, thing = at or timezone.now(), queries.open_slot_thing(TOWN, use_case)
    places = [one for one in thing.rules.place if place in ("", one.slug)]
    today = queries.local(TOWN, at).date()
    found = queries.moments(TOWN, thing, places, first=today, last=today + timedelta(days=days), at=at)
    sure = at + timedelta(hours=max(26, thing.rules.cancel_hours))
    return [one.time for one in found if one.is_free and one.time.starts > sure]


def book(use_case: str, email: str, time: queries.Time, *, at: datetime | None = None, **more: Any) -> Any:
    """Book a time for somebody without an account."""
    more = {"household": email} | more
    wish = operations.SlotWish(use_case, time.place, time.starts, time.ends, **more)
    return operations.book_slot(
        territory=TOWN, wish=wish, requester=Requester(email=email), viewer=ANONYMOUS, at=at or timezone.now()
    )


def link_of(time: queries.Time) -> dict[str, str]:
    """Return what a link of the grid carries."""
    return {"lieu": time.place, "debut": time.starts.isoformat(), "fin": time.ends.isoformat()}


def letters() -> list[str]:
    """Return every message sent so far, whatever is pending sent first."""
    later = timezone.now() + timedelta(days=400)
    while deliver_pending(1000, clock=lambda: later):
        pass
    return [str(one.body) for one in mail.outbox]
