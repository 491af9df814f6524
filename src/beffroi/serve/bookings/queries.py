"""What can be asked about bookings; rights are cut here. See docs/rooms/bookings.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings.balance import BalanceSettings as BalanceSettings
from beffroi.serve.bookings.balance import DistrictLine as DistrictLine
from beffroi.serve.bookings.balance import MonthBalance as MonthBalance
from beffroi.serve.bookings.balance import balance as balance
from beffroi.serve.bookings.balance import months_until as months_until
from beffroi.serve.bookings.definition import KIND, BookingNotFound, Result
from beffroi.serve.bookings.definition import BookingInfo as BookingInfo
from beffroi.serve.bookings.definition import UnknownThing as UnknownThing
from beffroi.serve.bookings.lanes import Lane as Lane
from beffroi.serve.bookings.lanes import lane_at as lane_at
from beffroi.serve.bookings.lanes import lane_of as lane_of
from beffroi.serve.bookings.lanes import lanes as lanes
from beffroi.serve.bookings.models import Booking, DayChange
from beffroi.serve.bookings.things import Thing as Thing
from beffroi.serve.bookings.things import known_thing as known_thing
from beffroi.serve.bookings.things import open_thing as open_thing
from beffroi.serve.bookings.things import open_things as open_things
from beffroi.serve.bookings.turns import Day as Day
from beffroi.serve.bookings.turns import bookable_days as bookable_days
from beffroi.serve.bookings.turns import days_of as days_of
from beffroi.serve.bookings.turns import days_of_lanes as days_of_lanes
from beffroi.serve.bookings.turns import starts_at as starts_at
from beffroi.serve.bookings.turns import today_in as today_in
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import OPEN, CaseNotFound, Outcome, Sight
from beffroi.serve.cases.queries import CaseInfo, PartyInfo


def booking_not_found() -> BookingNotFound:
    """Return the error told alike of what does not exist and of what the reader may not know."""
    return BookingNotFound(
        "cette réservation n’existe pas ou ne vous est pas accessible",
        remedy="vérifiez son numéro, ou ouvrez-la par le lien reçu",
    )


def booking(viewer: Viewer, number: str, *, token: str = "", at: datetime) -> BookingInfo:
    """Return a booking; `token` is the follow-up token of one without an account.

    Raises:
        BookingNotFound: there is none, or the viewer may not know of it.
    """
    try:
        info = cases.case(viewer, number, token=token)
    except CaseNotFound as error:
        raise booking_not_found() from error
    return booking_info(_row(info), info, at=at)


def followed_booking(token: str, *, at: datetime) -> tuple[BookingInfo, PartyInfo]:
    """Return the booking that a follow-up token opens, and whose it is.

    Raises:
        BookingNotFound: the token is none of ours, or opens something else.
    """
    try:
        info, party = cases.followed_case(token)
    except CaseNotFound as error:
        raise booking_not_found() from error
    return booking_info(_row(info), info, at=at), party


def _row(info: CaseInfo) -> Booking:
    row = Booking.objects.select_related("agenda").filter(pk=info.id).first() if info.kind == KIND else None
    if row is None:
        raise booking_not_found()
    return row


def booking_info(row: Booking, info: CaseInfo, *, at: datetime, holds: bool | None = None) -> BookingInfo:
    """Return a row as its reader sees it; the caller has checked her rights."""
    thing, territory = known_thing(row.agenda.use_case), row.agenda.territory
    start = starts_at(territory, thing, row.day)
    labels = {one.code: one.label for one in thing.rules.item}
    return BookingInfo(
        case=info,
        use_case=thing.use_case,
        title=thing.title,
        lane=row.lane,
        lane_name=lane_of(territory, thing.rules, row.lane, at=at).name,
        day=row.day,
        starts_at=start,
        address=row.address,
        lon=row.lon,
        lat=row.lat,
        district=row.district,
        items=tuple((labels.get(code, code), many) for code, many in row.items.items()),
        answers=tuple(_answers(thing, row.details)),
        result=Result(row.result) if row.result else None,
        holds=row.holds.exists() if holds is None else holds,
        change_until=start - timedelta(hours=thing.rules.cancel_hours),
        moved=row.moved,
    )


def _answers(thing: Thing, details: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for question in thing.rules.field:
        if question.code not in details:
            continue
        value = details[question.code]
        if question.type == "boolean":
            yield _(question.label), _("oui") if value else _("non")
        else:
            yield _(question.label), _(question.choices[value]) if value in question.choices else str(value)


def headings(infos: Sequence[CaseInfo]) -> dict[int, tuple[str, date, str]]:
    """Return the title, day and address of each booking, for lists of one's own; one query."""
    rows = Booking.objects.select_related("agenda").filter(pk__in=[one.id for one in infos]).order_by("pk")
    return {row.pk: (known_thing(row.agenda.use_case).title, row.day, row.address) for row in rows}


# --- For the service ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CrewLine:
    """One stop of the crew: the booking, and whom to call."""

    booking: BookingInfo
    name: str
    phone: str
    email: str


def may_work(viewer: Viewer, territory: str, thing: Thing) -> bool:
    """Tell whether the viewer works in the service of a thing: she reads its lists and marks them."""
    return thing.rules.service in cases.services_of(viewer, territory)


def crew_list(
    viewer: Viewer, territory: str, use_case: str, day: date, *, lane: str | None = None, at: datetime
) -> list[CrewLine]:
    """Return the stops of a day, by sector then by address, to agents of its service; three queries however many.

    Args:
        lane: one sector; None for all.

    Raises:
        UnknownThing: no such thing.
    """
    thing = known_thing(use_case)
    if not may_work(viewer, territory, thing):
        return []
    rows = _held(territory, use_case).filter(day=day)
    if lane is not None:
        rows = rows.filter(lane=lane)
    found = rows.select_related("case__lead", "agenda").prefetch_related("case__parties")
    return [_crew_line(row, at) for row in sorted(found, key=lambda row: (row.lane, _by_street(row.address), row.pk))]


def _held(territory: str, use_case: str) -> QuerySet[Booking]:
    return Booking.objects.filter(agenda__territory=territory, agenda__use_case=use_case, holds__isnull=False).order_by(
        "pk"
    )


def _by_street(address: str) -> tuple[str, int]:
    """Return what sorts addresses as one walks them: by street, then by number."""
    number, _space, street = address.partition(" ")
    return (street.casefold(), int(number)) if number.isdigit() else (address.casefold(), 0)


def _crew_line(row: Booking, at: datetime) -> CrewLine:
    made = [one for one in row.case.parties.all() if one.made_it]
    party = made[0] if made else None
    info = booking_info(row, cases.case_info(row.case, Sight.WORKER), at=at, holds=True)
    return CrewLine(info, party.name if party else "", party.phone if party else "", party.email if party else "")


def unmarked(viewer: Viewer, territory: str, thing: Thing, *, at: datetime) -> tuple[int, date | None]:
    """Return how many stops of days gone by the crew has not marked, and the first of these days; two queries."""
    if not may_work(viewer, territory, thing):
        return 0, None
    rows = _held(territory, thing.use_case).filter(
        day__lt=today_in(territory, at), result="", case__status__in=[one.value for one in OPEN]
    )
    return rows.count(), rows.order_by("day").values_list("day", flat=True).first()


def held_on(territory: str, use_case: str, day: date) -> int:
    """Return how many places are held on a day."""
    return _held(territory, use_case).filter(day=day).count()


@dataclass(frozen=True, slots=True)
class ChangeInfo:
    """A day an agent changed. An empty `lane` is all sectors; a `capacity` of 0 closes it."""

    day: date
    lane: str
    capacity: int
    reason: str


def changes(territory: str, use_case: str, *, since: date) -> list[ChangeInfo]:
    """Return the days that agents changed, from one day on."""
    rows = DayChange.objects.filter(agenda__territory=territory, agenda__use_case=use_case, day__gte=since)
    return [ChangeInfo(one.day, one.lane, one.capacity, one.reason) for one in rows.order_by("day", "lane")]


def rows_of_period(territory: str, use_case: str, first: date, last: date) -> list[tuple[Any, ...]]:
    """Return (day, district, lane, result, outcome, opened_at) of what was booked for a period; for this room."""
    rows = Booking.objects.filter(agenda__territory=territory, agenda__use_case=use_case, day__range=(first, last))
    fields = ("day", "district", "lane", "result", "case__outcome", "case__opened_at")
    return list(rows.order_by("day", "pk").values_list(*fields))


def kept_places(territory: str, use_case: str, first: date, last: date) -> dict[tuple[str, str], int]:
    """Return how many bookings were kept, by (month ``2026-03`` of their day, district); one query.

    What was given up, or lost its day, is not counted. No right is cut: the caller masks what is small.
    """
    found: dict[tuple[str, str], int] = {}
    for day, district, _lane, _result, outcome, _opened in rows_of_period(territory, use_case, first, last):
        if outcome not in (Outcome.WITHDRAWN, Outcome.ABUSE):
            key = (f"{day:%Y-%m}", district)
            found[key] = found.get(key, 0) + 1
    return found
