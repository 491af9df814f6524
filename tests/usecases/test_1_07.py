"""1-07: « share of illegal dumping by district and month against bulky-waste bookings, public monthly figures by
district ».
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from django.test import Client
from django.utils import timezone

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.serve.bookings import operations, queries
from beffroi.serve.bookings.balance import balance
from beffroi.serve.bookings.lanes import forget_lanes
from beffroi.serve.cases.definition import Requester
from beffroi.serve.reports.operations import merge_reports
from beffroi.serve.reports.places import forget_grounds
from faces.portal.reports.test_filing import shown
from faces.portal.small_town import SOUTH, WEST
from serve_makers import agent_of, file_in_town

pytestmark = pytest.mark.django_db
PAGE = "/bilan-encombrants/1-07/"
WEST_LON, EAST_LON, LAT = WEST + 0.004, WEST + 0.016, SOUTH + 0.0096


@pytest.fixture
def town(reporting_town: str) -> str:
    """The small town in two districts, where things are reported, booked and set side by side."""
    at = timezone.now()
    for slug, left in (("est", WEST + 0.01), ("ouest", WEST)):
        shape = shapely.box(left, SOUTH, left + 0.01, SOUTH + 0.02)
        territory.add_zone(territory=reporting_town, kind="quartier", slug=slug, name=slug.title(), shape=shape, at=at)
    for use_case in ("1-07", "1-08"):
        catalogue.set_state(use_case, State.LIVE, territory=reporting_town, by=None, at=at, reason="essai")
    forget_lanes()
    forget_grounds()
    return reporting_town


def report(town: str, lon: float, at: datetime, **more: Any) -> Any:
    return file_in_town(town, "depot-sauvage", lon=lon, lat=LAT, at=at, **more)


def book(town: str, lon: float, count: int) -> list[Any]:
    """Book the first free day of a sector so many times."""
    at, thing = timezone.now(), queries.open_thing(town, "1-08")
    lane, _place, _district = queries.lane_at(town, thing.rules, lon, LAT, at=at)
    day = queries.bookable_days(town, thing, lane, at=at)[0]
    wish = operations.Wish("1-08", day, lon, LAT, items={"meuble": 1}, details={"depot": "cour"})
    return [
        operations.book(territory=town, wish=wish, requester=Requester(email=f"{lon}-{n}@exemple.fr"),
                        viewer=ANONYMOUS, at=at)
        for n in range(count)
    ]  # fmt: skip


def counts(town: str, opened: list[Any]) -> tuple[str, int]:
    """Return the month of what was booked and how many are counted in it."""
    info = queries.booking(ANONYMOUS, opened[0].number, token=opened[0].token, at=timezone.now())
    kept = queries.kept_places(town, "1-08", info.day, info.day)
    return info.district, kept[f"{info.day:%Y-%m}", info.district]


def test_the_public_reads_shares_by_district_and_officials_every_count(
    town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    now = timezone.now()
    three = [report(town, WEST_LON, now) for _ in range(3)]
    report(town, EAST_LON, now)
    # Merged, two reports are one place; another kind, or one found abusive, is none of it.
    merge_reports(number=three[1].number, into=three[0].number, by=agent_of("proprete", town=town), at=now)
    month = f"{timezone.localdate(now):%Y-%m}"
    page = client.get(PAGE, {"mois": month})
    lines = dict(page.context["lines"])
    assert {name: line.reported for name, line in lines.items()} == {"Est": 1, "Ouest": 2}
    assert round(lines["Ouest"].share, 2) == 0.67
    assert {line.kept for line in lines.values()} == {None}
    text = shown(page)
    assert "67 %" in text
    assert "moins de 5" in text
    assert "Ce que ces chiffres ne prouvent pas" in text
    assert page["Cache-Control"] == "public, max-age=600"
    official = signed_in(Role.ELECTED).get(PAGE, {"mois": month})
    assert {line.kept for _name, line in official.context["lines"]} == {0}
    assert official["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(client.get(f"{PAGE}?csv").content.decode("utf-8-sig"))))
    assert [(row["quartier"], row["signalements"], row["rendez_vous"]) for row in rows] == [
        ("Est", "1", ""), ("Ouest", "2", ""),
    ]  # fmt: skip
    assert client.get("/bilan-encombrants/1-08/").status_code == 404


def test_what_is_given_up_is_not_counted(town: str) -> None:
    opened = book(town, WEST_LON, 3)
    assert counts(town, opened) == ("ouest", 3)
    operations.cancel_booking(number=opened[1].number, viewer=ANONYMOUS, token=opened[1].token, at=timezone.now())
    assert counts(town, opened) == ("ouest", 2)


def test_no_small_count_can_be_worked_out() -> None:
    kept = {("2026-01", "a"): 9, ("2026-01", "b"): 3, ("2026-02", "a"): 9, ("2026-02", "b"): 3, ("2026-02", "c"): 2}
    first, second = balance({}, kept, districts=["a", "b", "c"], months=["2026-01", "2026-02"], least=5)
    # In January 3 and none are hidden: their sum says fewer than five, and is not told. In February five are.
    assert ([line.kept for line in first.lines], first.kept) == ([9, None, None], None)
    assert ([line.kept for line in second.lines], second.kept) == ([9, None, None], 14)
    assert [line.share for line in first.lines] == [None, None, None]


def test_what_lies_in_no_district_has_its_line_and_months_begin_with_the_first_count() -> None:
    months = ["2025-12", "2026-01", "2026-02"]
    found = balance({("2026-01", ""): 2}, {}, districts=["a"], months=months, least=5)
    assert [(one.month, [line.district for line in one.lines]) for one in found] == [
        ("2026-01", ["a", ""]), ("2026-02", ["a"]),
    ]  # fmt: skip
    assert [one.month for one in balance({}, {}, districts=["a"], months=months, least=5)] == ["2026-02"]


def test_a_past_month_is_shown_first_and_the_present_one_says_that_it_is_not_over(town: str, client: Client) -> None:
    now = timezone.now()
    before = (timezone.localtime(now).replace(day=1, hour=12) - timedelta(days=1)).replace(day=15)
    report(town, EAST_LON, before)
    page = client.get(PAGE)
    assert page.context["month"].month == f"{before:%Y-%m}"
    assert "n’est pas fini" not in shown(page)
    assert "n’est pas fini" in shown(client.get(PAGE, {"mois": f"{timezone.localdate(now):%Y-%m}"}))
