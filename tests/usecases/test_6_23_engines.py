"""6-23, « one page with reports, procedures, bookings, invoices »: the four, each by its engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.serve.bookings import operations as bookings
from beffroi.serve.bookings.lanes import forget_lanes
from beffroi.serve.cases.definition import Requester
from beffroi.serve.payments import operations as payments
from beffroi.serve.payments import queries as bills
from beffroi.serve.procedures.opened import forget_procedures
from bill_makers import AT, SERVICE, keeper, make_bill
from faces.portal.reports.test_filing import HERE, HOLE, SEND, shown, walk
from territory_makers import make_person
from usecases.test_1_08 import wish_of
from usecases.test_6_06 import sent

pytestmark = pytest.mark.django_db
PAGE = "/mes-demandes/"


@pytest.fixture
def town(reporting_town: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    """The small town, where one reports, asks for a bin, books a collection and is billed."""
    settings.STRONG_AUTH = False
    settings.DATA_DIR = tmp_path
    forget_lanes()
    forget_procedures()
    territory.add_service(territory=reporting_town, slug=SERVICE, name="Éducation", at=AT)
    for one in ("1-08", "6-06"):
        catalogue.set_state(one, State.LIVE, territory=reporting_town, by=None, at=timezone.now(), reason="essai")
    yield reporting_town
    forget_lanes()
    forget_procedures()


def test_what_four_engines_made_is_on_one_page(town: str) -> None:
    person = make_person(Role.RESIDENT, territory=town, email="parent@exemple.fr")
    reader = Client()
    user = get_user_model().objects.get(pk=person)
    reader.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    # Before: a word for each, and the way to begin it.
    before = {one.title: one for one in reader.get(PAGE).context["sections"]}
    assert {"Mes signalements", "Mes démarches", "Mes réservations", "Mes factures"} <= set(before)
    assert not any(one.lines for one in before.values())
    # A report and a procedure by their forms, a booking by its door, a bill by the agent who keeps them.
    report = reader.get(walk(reader, HERE, HOLE, {}, SEND)["Location"]).context["info"].number
    sent(reader)
    now = timezone.now()
    booked = bookings.book(
        territory=town, wish=wish_of(town), requester=Requester(person), viewer=Viewer(person), at=now
    )
    by = keeper(town)
    bill = bills.bill(by, town, make_bill(by, town, at=now))
    payments.link_by_agent(by, town, bill.family_id, email="parent@exemple.fr", at=AT)
    page = reader.get(PAGE)
    told = {one.title: [line.title for line in one.lines] for one in page.context["sections"]}
    titles = ("Mes démarches", "Mes signalements", "Mes réservations", "Mes factures")
    assert [len(told[title]) for title in titles] == [1, 1, 1, 1]
    text = shown(page)
    for word in (report, booked.number, bill.number, "Commander un bac"):
        assert word in text
    # Each leads to its own page, which answers; what she must do is said first.
    for section in page.context["sections"]:
        for line in section.lines:
            assert reader.get(line.url).status_code == 200, line.url
    assert f"/factures/{bill.id}/" in [line.url for line in page.context["awaited"]]
    # Nobody else reads any of it.
    stranger = Client()
    other = get_user_model().objects.get(pk=make_person(Role.RESIDENT, territory=town))
    stranger.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert not any(one.lines for one in stranger.get(PAGE).context["sections"])
