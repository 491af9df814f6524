"""Work orders: what a crew does about a report, on which day, in how much time and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Audience, BadCase, BadMove, Outcome, Requester, Upload
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.words import clean_text
from beffroi.serve.reports import events
from beffroi.serve.reports.intake import Submission, file_report
from beffroi.serve.reports.models import Report, WorkOrder

MOST_MINUTES = 60 * 24 * 60
MOST_CENTS = 100_000_000
# What a telephone without network says late is taken, for a week.
LATE_DONE = timedelta(days=7)


class OrderNotFound(NotFound):
    """No such order, or it is of a service the viewer does not work in."""


@dataclass(frozen=True, slots=True)
class OrderInfo:
    """A work order, with the place of its report. `state`: ``planned``, ``done``, ``cancelled``."""

    id: int
    number: str
    territory: str
    service: str
    title: str
    instructions: str
    crew: str
    planned_on: date | None
    state: str
    created_at: datetime
    done_at: datetime | None
    minutes: int | None
    cost_cents: int | None
    report_text: str
    category: str
    lon: float
    lat: float
    address: str

    def is_late(self, day: date) -> bool:
        """Tell whether it should have been done before `day`."""
        return self.state == WorkOrder.PLANNED and self.planned_on is not None and self.planned_on < day


@transaction.atomic
def order_work(
    *,
    number: str,
    title: str,
    by: Viewer,
    at: datetime,
    instructions: str = "",
    crew: str = "",
    planned_on: date | None = None,
) -> int:
    """Order work about a report and return the order's number; a day given is told to those who made the report.

    Raises:
        CaseNotFound, Refused: `by` does not work in the service of the report.
        BadMove: the report is closed.
        BadCase: a text or the day cannot be kept.
    """
    cases.require_worker(number=number, by=by)
    info = case_queries.case(by, number)
    if not info.is_open:
        raise BadMove("ce signalement est clos", where=number, remedy="rouvrez-le avant de commander des travaux")
    row = WorkOrder.objects.create(
        case_id=info.id,
        territory=info.territory,
        service=info.service,
        title=clean_text(title, where="title", required=True, limit=200),
        instructions=clean_text(instructions, where="instructions"),
        crew=clean_text(crew, where="crew", limit=80),
        planned_on=planned_on,
        created_at=at,
        author_id=by.person_id,
    )
    if planned_on is not None:
        cases.schedule_case(number=number, day=planned_on, by=by, at=at)
    _tell(events.ORDERED, row, by, at)
    return int(row.pk)


@transaction.atomic
def order_directly(
    *,
    territory: str,
    submission: Submission,
    title: str,
    by: Viewer,
    at: datetime,
    crew: str = "",
    planned_on: date | None = None,
) -> tuple[str, int]:
    """Order work that nobody reported: an internal report is opened for it; return its number and the order's.

    Raises:
        UnknownCategory, BadCase: as `operations.file_report`.
        Refused: `by` does not work in the category's service.
    """
    opened = file_report(
        territory=territory, submission=submission, requester=Requester(by.person_id), viewer=by, at=at
    )
    if not opened.created:
        known = WorkOrder.objects.filter(case=opened.case_id).order_by("pk").first()
        if known is not None:
            return opened.number, int(known.pk)
    order = order_work(number=opened.number, title=title, by=by, at=at, crew=crew, planned_on=planned_on)
    return opened.number, order


@transaction.atomic
def plan_work(*, order_id: int, crew: str, planned_on: date | None, by: Viewer, at: datetime) -> None:
    """Give an order to a crew, on a day.

    Raises:
        OrderNotFound: none of that number in the viewer's services.
        BadMove: it is done or cancelled.
    """
    row = _locked(order_id, by)
    _require_planned(row)
    row.crew, row.planned_on = clean_text(crew, where="crew", limit=80), planned_on
    row.save(update_fields=["crew", "planned_on"])
    if planned_on is not None:
        cases.schedule_case(number=case_queries.number_of(row.case_id), day=planned_on, by=by, at=at)
    _tell(events.ORDER_PLANNED, row, by, at)


@transaction.atomic
def finish_work(
    *,
    order_id: int,
    by: Viewer,
    at: datetime,
    minutes: int,
    cost_cents: int = 0,
    text: str = "",
    photos: Sequence[Upload] = (),
    close: bool = True,
    idempotency_key: str = "",
    done_at: datetime | None = None,
) -> OrderInfo:
    """Say that the work is done, in how much time (minutes of people) and at what cost; a telephone may say so twice.

    With `close`, the report is closed with `text` and the photos, unless another order about it is still planned.

    Args:
        done_at: when it was done, by the telephone that says so; it may arrive up to a week later.

    Raises:
        OrderNotFound: none of that number in the viewer's services.
        BadMove: it was cancelled, or finished by another sending.
        BadCase: a figure, a text or a photo cannot be kept.
    """
    row = _locked(order_id, by)
    if row.state == WorkOrder.DONE and idempotency_key and row.idempotency_key == idempotency_key:
        return _info(row, _report(row))
    _require_planned(row)
    if not 0 <= minutes <= MOST_MINUTES or not 0 <= cost_cents <= MOST_CENTS:
        raise BadCase(
            "temps ou coût impossible",
            where="minutes",
            remedy="donnez des minutes et des centimes, positifs",
        )
    if done_at is not None and not at - LATE_DONE <= done_at <= at + timedelta(minutes=5):
        raise BadCase("moment impossible", where="done_at", remedy="donnez un moment de la semaine écoulée")
    files = cases.prepare_files([Upload(one.name, one.content, Audience.PUBLIC, "closing") for one in photos])
    row.state, row.done_at, row.done_by_id = WorkOrder.DONE, done_at or at, by.person_id
    row.minutes, row.cost_cents = minutes, cost_cents
    row.report_text = clean_text(text, where="text")
    row.idempotency_key = idempotency_key[:64]
    row.save()
    _tell(events.ORDER_DONE, row, by, at)
    number = case_queries.number_of(row.case_id)
    others = WorkOrder.objects.filter(case=row.case_id, state=WorkOrder.PLANNED).exists()
    if close and not others and case_queries.case(by, number).is_open:
        reason = row.report_text or "L’intervention est faite."
        cases.close_case(number=number, outcome=Outcome.DONE, reason=reason, by=by, at=at, files=files)
    elif files:
        cases.attach_files(number=number, files=files, viewer=by, at=at)
    return _info(row, _report(row))


@transaction.atomic
def cancel_work(*, order_id: int, reason: str, by: Viewer, at: datetime) -> None:
    """Give an order up, with the reason, which its service reads.

    Raises:
        OrderNotFound, BadMove: as `plan_work`.
    """
    row = _locked(order_id, by)
    _require_planned(row)
    row.state, row.report_text = WorkOrder.CANCELLED, clean_text(reason, where="reason", required=True)
    row.save(update_fields=["state", "report_text"])
    _tell(events.ORDER_CANCELLED, row, by, at)


def _locked(order_id: int, by: Viewer) -> WorkOrder:
    row = WorkOrder.objects.select_for_update(of=("self",)).filter(pk=order_id).first()
    if row is None or row.service not in case_queries.services_of(by, row.territory):
        raise _not_found(order_id)
    return row


def _not_found(order_id: int) -> OrderNotFound:
    return OrderNotFound(
        "aucune intervention n° {number} dans vos services", remedy="rechargez la liste", number=order_id
    )


def _require_planned(row: WorkOrder) -> None:
    if row.state != WorkOrder.PLANNED:
        raise BadMove(
            "cette intervention est déjà faite ou annulée", where=str(row.pk), remedy="commandez-en une autre"
        )


def _tell(kind: str, row: WorkOrder, by: Viewer, at: datetime) -> None:
    number = case_queries.number_of(row.case_id)
    record(
        kind=kind,
        subject=subject_of(number),
        payload={"number": number, "order": int(row.pk), "service": row.service},
        actor=by.person_id,
        territory=row.territory,
        at=at,
    )


# --- Questions --------------------------------------------------------------------------------------------------------


def work_orders(
    viewer: Viewer,
    territory: str,
    *,
    service: str = "",
    crew: str = "",
    state: str = "",
    first: date | None = None,
    last: date | None = None,
    number: str = "",
    limit: int = 200,
) -> list[OrderInfo]:
    """Return the orders of the viewer's services, by planned day, those without a day last; nothing to anyone else.

    Args:
        first, last: planned days, both included.
        number: only those about one report.
    """
    mine = case_queries.services_of(viewer, territory)
    rows = WorkOrder.objects.filter(territory=territory, service__in=mine & {service} if service else mine)
    if crew:
        rows = rows.filter(crew=crew)
    if state:
        rows = rows.filter(state=state)
    if first is not None:
        rows = rows.filter(planned_on__gte=first)
    if last is not None:
        rows = rows.filter(planned_on__lte=last)
    if number:
        rows = rows.filter(case=case_queries.case_id_of(number))
    chosen = list(rows.select_related("case__report").order_by("planned_on", "pk")[:limit])
    dated = [row for row in chosen if row.planned_on is not None]
    return [_info(row, row.case.report) for row in (*dated, *(row for row in chosen if row.planned_on is None))]


def work_order(viewer: Viewer, order_id: int) -> OrderInfo:
    """Return one order.

    Raises:
        OrderNotFound: none of that number in the viewer's services.
    """
    row = WorkOrder.objects.select_related("case__report").filter(pk=order_id).first()
    if row is None or row.service not in case_queries.services_of(viewer, row.territory):
        raise _not_found(order_id)
    return _info(row, row.case.report)


def crews(viewer: Viewer, territory: str) -> list[str]:
    """Return the names of the crews that have had work in the viewer's services."""
    mine = case_queries.services_of(viewer, territory)
    rows = WorkOrder.objects.filter(territory=territory, service__in=mine).exclude(crew="")
    return sorted(set(rows.order_by().values_list("crew", flat=True).distinct()))


def costs(viewer: Viewer, territory: str, *, since: date, until: date) -> list[tuple[str, int, int, int]]:
    """Return (service, orders done, minutes, cents) for the days from `since` to `until`, of the viewer's services."""
    totals: dict[str, list[int]] = {}
    rows = WorkOrder.objects.filter(
        Q(done_at__date__gte=since, done_at__date__lte=until),
        territory=territory,
        service__in=case_queries.services_of(viewer, territory),
        state=WorkOrder.DONE,
    )
    for service, minutes, cents in rows.order_by("pk").values_list("service", "minutes", "cost_cents"):
        found = totals.setdefault(service, [0, 0, 0])
        found[0] += 1
        found[1] += minutes or 0
        found[2] += cents or 0
    return [(service, *numbers) for service, numbers in sorted(totals.items())]  # type: ignore[misc]


def _report(row: WorkOrder) -> Report:
    return Report.objects.get(pk=row.case_id)


def _info(row: WorkOrder, report: Report) -> OrderInfo:
    return OrderInfo(
        id=int(row.pk),
        number=case_queries.number_of(row.case_id),
        territory=row.territory,
        service=row.service,
        title=row.title,
        instructions=row.instructions,
        crew=row.crew,
        planned_on=row.planned_on,
        state=row.state,
        created_at=row.created_at,
        done_at=row.done_at,
        minutes=row.minutes,
        cost_cents=row.cost_cents,
        report_text=row.report_text,
        category=row.case.category,
        lon=report.lon,
        lat=report.lat,
        address=report.address,
    )
