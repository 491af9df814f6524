"""A booking by the hour as its readers see it, and the lists of the service; rights are cut here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.bookings.definition import UnknownThing
from beffroi.serve.bookings.hours.codes import code_from, code_of, is_shown
from beffroi.serve.bookings.hours.definition import KIND, Deposit, Presence, SlotInfo, Stage
from beffroi.serve.bookings.hours.models import Closing, Slot, SlotCell
from beffroi.serve.bookings.hours.rules import SlotThing, known_slot_thing
from beffroi.serve.bookings.hours.times import local, times_of
from beffroi.serve.bookings.queries import booking_not_found
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import OPEN, CaseNotFound, Sight, Status
from beffroi.serve.cases.queries import CaseInfo, PartyInfo


def slot_booking(viewer: Viewer, number: str, *, token: str = "", at: datetime) -> SlotInfo:
    """Return a booking by the hour; `token` is the follow-up token of one without an account.

    Raises:
        BookingNotFound: there is none, or the viewer may not know of it.
    """
    try:
        info = cases.case(viewer, number, token=token)
    except CaseNotFound as error:
        raise booking_not_found() from error
    return slot_info(_row(info), info, at=at)


def followed_slot(token: str, *, at: datetime) -> tuple[SlotInfo, PartyInfo]:
    """Return the booking by the hour that a follow-up token opens, and whose it is.

    Raises:
        BookingNotFound: the token is none of ours, or opens something else.
    """
    try:
        info, party = cases.followed_case(token)
    except CaseNotFound as error:
        raise booking_not_found() from error
    return slot_info(_row(info), info, at=at), party


def with_holds() -> QuerySet[Any]:
    """Return bookings that say whether they hold time (`holds`), with their agenda and request."""
    cells = SlotCell.objects.filter(slot=OuterRef("pk"))
    return Slot.objects.annotate(holds=Exists(cells)).select_related("agenda", "case__lead").order_by("starts_at", "pk")


def _row(info: CaseInfo) -> Any:
    row = with_holds().filter(pk=info.id).first() if info.kind == KIND else None
    if row is None:
        raise booking_not_found()
    return row


def stage_of(row: Any, status: Status) -> Stage:
    """Return where a booking stands, of its row with `holds` and the state of its request."""
    if status in (Status.CLOSED, Status.JOINED, Status.HELD):
        return Stage.OVER
    if not row.holds:
        return Stage.QUEUED if row.waits else Stage.LOST
    if row.offered_until is not None:
        return Stage.OFFERED
    return Stage.CONFIRMED if row.decide_by is None else Stage.TO_VALIDATE


def slot_info(row: Any, info: CaseInfo, *, at: datetime) -> SlotInfo:
    """Return a row of `with_holds` as its reader sees it; the caller has checked her rights."""
    thing, town = known_slot_thing(row.agenda.use_case), row.agenda.territory
    rules, stage = thing.rules, stage_of(row, info.status)
    place = rules.place_of(row.place)
    starts, ends = local(town, row.starts_at), local(town, row.ends_at)
    session = _session_of(town, thing, row, starts)
    tariffs = {one.code: one.label for one in rules.tariff}
    shown = stage is Stage.CONFIRMED and not row.result and is_shown(row, rules, at)
    first_shown = code_from(row, rules)
    return SlotInfo(
        case=info, use_case=thing.use_case, title=thing.title, place=row.place, place_name=place.label,
        address=place.address, starts=starts, ends=ends, session=session[0], link=session[1], people=row.people,
        mode=row.mode, group=row.group, tariff=tariffs.get(row.tariff, row.tariff), price_cents=row.price_cents,
        paid=row.paid, deposit_cents=row.deposit_cents, deposit=Deposit(row.deposit),
        answers=tuple(_answers(thing, row.details)), stage=stage, result=Presence(row.result) if row.result else None,
        change_until=starts - timedelta(hours=rules.cancel_hours),
        offered_until=local(town, row.offered_until) if row.offered_until else None,
        decide_by=local(town, row.decide_by) if stage is Stage.TO_VALIDATE else None,
        code=code_of(row, rules) if shown else "",
        code_from=local(town, first_shown) if first_shown and stage is Stage.CONFIRMED and not row.result else None,
        in_series=row.series_id is not None,
        may_move=rules.validation == "auto" or stage in (Stage.TO_VALIDATE, Stage.LOST),
    )  # fmt: skip


def _session_of(town: str, thing: SlotThing, row: Slot, starts: datetime) -> tuple[str, str]:
    if thing.rules.unit != "session":
        return "", ""
    known = times_of(town, thing, thing.rules.place_of(row.place), starts.date())
    found = next((one for one in known if one.starts == starts), None)
    return (found.title, found.link) if found else ("", "")


def _answers(thing: SlotThing, details: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for question in thing.rules.field:
        if question.code not in details:
            continue
        value = details[question.code]
        if question.type == "boolean":
            yield _(question.label), _("oui") if value else _("non")
        else:
            yield _(question.label), _(question.choices[value]) if value in question.choices else str(value)


def slot_headings(infos: Sequence[CaseInfo], *, at: datetime) -> dict[int, SlotInfo]:
    """Return each booking of a list of one's own; one query."""
    known = {one.id: one for one in infos}
    return {row.pk: slot_info(row, known[row.pk], at=at) for row in with_holds().filter(pk__in=list(known))}


# --- For the service ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One booking of a day, with whom to call."""

    slot: SlotInfo
    name: str
    phone: str
    email: str


def may_work_slots(viewer: Viewer, territory: str, thing: SlotThing) -> bool:
    """Tell whether the viewer works in the service of a thing: she reads its lists and acts on them."""
    return thing.rules.service in cases.services_of(viewer, territory)


def desk_lines(
    viewer: Viewer, territory: str, thing: SlotThing, *, first: date, last: date, place: str = "", at: datetime
) -> list[DeskLine]:
    """Return the bookings of some days, by hour, to agents of their service; three queries however many.

    What is over is left out, but for those marked; what waits comes with the rest.
    """
    if not may_work_slots(viewer, territory, thing):
        return []
    zone = clock.timezone_of(territory)
    start, end = datetime.combine(first, time(0), zone), datetime.combine(last + timedelta(days=1), time(0), zone)
    rows = _of(territory, thing).filter(starts_at__lt=end, ends_at__gt=start)
    if place:
        rows = rows.filter(place=place)
    return [one for one in _lines(rows, at) if one.slot.stage is not Stage.OVER or one.slot.case.outcome == "done"
            or one.slot.result]  # fmt: skip


def to_validate(viewer: Viewer, territory: str, thing: SlotThing, *, at: datetime) -> list[DeskLine]:
    """Return what an agent has to say yes or no to, the first due first; three queries however many."""
    if not may_work_slots(viewer, territory, thing):
        return []
    rows = _of(territory, thing).filter(case__status__in=OPEN, holds=True, decide_by__isnull=False)
    return _lines(rows.order_by("decide_by", "pk"), at)


def deposits_out(viewer: Viewer, territory: str, thing: SlotThing, *, at: datetime) -> list[DeskLine]:
    """Return the bookings past whose deposit is still here; three queries however many."""
    if not may_work_slots(viewer, territory, thing):
        return []
    return _lines(_of(territory, thing).filter(ends_at__lt=at, deposit=Deposit.RECEIVED), at)


def _of(territory: str, thing: SlotThing) -> QuerySet[Any]:
    return with_holds().filter(agenda__territory=territory, agenda__use_case=thing.use_case)


def _lines(rows: QuerySet[Any], at: datetime) -> list[DeskLine]:
    found = []
    for row in rows.prefetch_related("case__parties"):
        made = [one for one in row.case.parties.all() if one.made_it]
        party = made[0] if made else None
        info = slot_info(row, cases.case_info(row.case, Sight.WORKER), at=at)
        name, phone, email = (party.name, party.phone, party.email) if party else ("", "", "")
        found.append(DeskLine(info, name, phone, email))
    return found


def counts_to_validate(territory: str, use_case: str, *, at: datetime) -> tuple[int, int]:
    """Return how many bookings wait for an agent's yes, and how many of them are late; one query."""
    rows = with_holds().filter(
        agenda__territory=territory, agenda__use_case=use_case, case__status__in=OPEN, holds=True,
        decide_by__isnull=False,
    )  # fmt: skip
    due = list(rows.values_list("decide_by", flat=True))
    return len(due), sum(one is not None and one < at for one in due)


@dataclass(frozen=True, slots=True)
class ClosingInfo:
    """A time an agent closed, in the town's hour; an empty `place` is all of a thing."""

    id: int
    place: str
    starts: datetime
    ends: datetime
    reason: str


def closings(territory: str, use_case: str, *, since: datetime) -> list[ClosingInfo]:
    """Return the times agents closed that are not over, the first first."""
    rows = Closing.objects.filter(agenda__territory=territory, agenda__use_case=use_case, ends_at__gt=since)
    return [
        ClosingInfo(one.pk, one.place, local(territory, one.starts_at), local(territory, one.ends_at), one.reason)
        for one in rows.order_by("starts_at", "pk")
    ]


# --- For a lock ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LockCode:
    """A code a lock must take, from when to when, and the booking it belongs to; nobody is named."""

    number: str
    place: str
    code: str
    valid_from: datetime
    valid_until: datetime


def lock_codes(viewer: Viewer, place: str, *, first: datetime, last: datetime) -> list[LockCode]:
    """Return the codes of the bookings confirmed of a place, or of all (""), valid between two instants.

    They are those of the towns the viewer has a grant in; the caller has checked the scope of her key.
    """
    towns = [one.territory for one in viewer.grants]
    rows = with_holds().filter(
        agenda__territory__in=towns, holds=True, case__status__in=OPEN, result="", decide_by=None,
        offered_until=None, starts_at__lt=last, ends_at__gt=first,
    )  # fmt: skip
    if place:
        rows = rows.filter(place=place)
    found = []
    for row in rows:
        try:
            rules = known_slot_thing(row.agenda.use_case).rules
        except UnknownThing:
            continue
        start = code_from(row, rules)
        if start is not None:
            town = row.agenda.territory
            found.append(LockCode(cases.number_of(row.pk), row.place, code_of(row, rules), local(town, row.starts_at),
                                  local(town, row.ends_at)))  # fmt: skip
    return found


def busy_times(territory: str, use_case: str, place: str, *, first: datetime, last: datetime) -> list[Slot]:
    """Return what holds a place between two instants: its key, from when to when; nobody is named. One query."""
    rows = with_holds().filter(
        agenda__territory=territory, agenda__use_case=use_case, place=place, holds=True, starts_at__lt=last,
        ends_at__gt=first,
    )  # fmt: skip
    return list(rows)
