"""What agents do with reports beyond the life of their case: close, merge, reclassify, raise an alert, many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Access, Audience, BadCase, Outcome, Requester, Upload
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.operations import Opened
from beffroi.serve.cases.queries import CaseInfo
from beffroi.serve.cases.words import clean_text
from beffroi.serve.reports import events
from beffroi.serve.reports.abuse import Sender, note_asking
from beffroi.serve.reports.categories import category_for, checked_details, open_categories
from beffroi.serve.reports.models import Report
from beffroi.serve.reports.places import checked_zone
from beffroi.serve.reports.ways import tell_routes

Severity = Literal["minor", "moderate", "severe"]
SEVERITIES = ("minor", "moderate", "severe")
LONGEST_ALERT = timedelta(days=30)
# A whole commune, the largest of mainland France (Arles, 759 km²) included.
LARGEST_ALERT_KM2 = 1500.0
MOST_AT_ONCE = 500


def close_report(
    *,
    number: str,
    outcome: Outcome,
    reason: str,
    by: Viewer | None,
    at: datetime,
    photos: Sequence[Upload] = (),
) -> None:
    """End a report with the reason, and the closing photo, told to everyone who made or follows it or one merged in it.

    It may be reopened for as long as its category says.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: it is closed, or merged into another.
        BadCase: no reason, or a photo cannot be read.
    """
    files = cases.prepare_files([_closing(upload) for upload in photos])
    cases.close_case(
        number=number, outcome=outcome, reason=reason, by=by, at=at, files=files, reopen_days=_reopen_days(number, by)
    )


def _closing(upload: Upload) -> Upload:
    return Upload(upload.name, upload.content, Audience.PUBLIC, "closing")


def _reopen_days(number: str, by: Viewer | None) -> int:
    if by is None:
        return cases.REOPEN_DAYS
    info = case_queries.case(by, number)
    known = open_categories(info.territory).get(info.category)
    return known.category.reopen_days if known else cases.REOPEN_DAYS


def merge_reports(*, number: str, into: str, by: Viewer, at: datetime) -> None:
    """Follow a report with another: every reporter keeps her thread, photos and token, and is told of the other's fate.

    Raises:
        CaseNotFound, Refused: `by` does not work in the service of both.
        BadMove: one is closed or held, or they differ in town or access.
    """
    cases.join_cases(number=number, into=into, by=by, at=at)


def separate_report(*, number: str, by: Viewer, at: datetime) -> None:
    """Take a merged report back from the one it follows.

    Raises:
        CaseNotFound, Refused, BadMove: as `cases.operations.part_case`.
    """
    cases.part_case(number=number, by=by, at=at)


def follow_report(
    *,
    number: str,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    photos: Sequence[Upload] = (),
    text: str = "",
    token: str = "",
    sender: Sender | None = None,
) -> Opened:
    """« C'est celui-ci »: follow a report instead of sending it again, with one's own photo, words and token.

    Args:
        sender: where it comes from (`abuse.sender_of`); limits apply to whoever has neither account nor key.

    Raises:
        CaseNotFound: the viewer may not know of it.
        BadCase: a contact, a photo or a text cannot be kept.
        TooMany: too many were asked to be followed from there.
    """
    info = case_queries.case(viewer, number, token=token)
    note_asking(sender, viewer, territory=info.territory, at=at)
    files = cases.prepare_files([Upload(one.name, one.content, Audience.PARTIES, "photo") for one in photos])
    lead = case_queries.case(viewer, info.lead) if info.lead else info
    return cases.follow_case(lead.id, requester=requester, at=at, files=files, text=text)


@transaction.atomic
def reclassify_report(
    *, number: str, category: str, by: Viewer, at: datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Put a report in another category, with its service, its access and its due date counted from the intake.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        UnknownCategory: no such category is open here.
        BadMove: it is closed.
        BadCase: an answer the new category needs is missing.
    """
    info = case_queries.case(by, number)
    chosen = category_for(by, info.territory, category)
    former = cases.reclassify_case(
        number=number,
        category=chosen.category.code,
        service=chosen.category.service,
        access=chosen.category.access,
        due_rule=chosen.category.due,
        by=by,
        at=at,
    )
    row = Report.objects.get(pk=info.id)
    wanted = {one.code for one in chosen.category.field}
    kept = {code: value for code, value in {**row.details, **row.private_details}.items() if code in wanted}
    row.details, row.private_details = checked_details(chosen.category, {**kept, **(details or {})})
    row.use_case = chosen.use_case
    row.save(update_fields=["details", "private_details", "use_case"])
    tell_routes(info.id, at=at)
    secret = Access.SERVICE in (chosen.category.access, info.access)
    record(
        kind=events.RECLASSIFIED,
        subject=subject_of(info.number),
        payload={"number": info.number, "from": "" if secret else former, "to": "" if secret else category},
        actor=by.person_id,
        territory=info.territory,
        at=at,
    )


def route_report(*, number: str, service: str, by: Viewer, at: datetime, reason: str = "") -> None:
    """Hand a report over to another service of the town.

    Raises:
        BadCase: the town has no such service.
        CaseNotFound, Refused, BadMove: as `cases.operations.route_case`.
    """
    info = case_queries.case(by, number)
    known = [one.slug for one in territory_queries.services(info.territory)]
    if service not in known:
        raise BadCase(
            "le service « {service} » n’existe pas",
            where="service",
            remedy="choisissez parmi {known}",
            service=service[:50],
            known=", ".join(known),
        )
    cases.route_case(number=number, service=service, by=by, at=at, reason=reason)


@transaction.atomic
def raise_alert(
    *, number: str, title: str, text: str, severity: Severity, zone: str, until: datetime, by: Viewer, at: datetime
) -> None:
    """Ask for an alert on a zone, from a report, in one action: the room of alerts hears of it and does the rest.

    The history of the report keeps a note of it.

    Args:
        zone: a GeoJSON polygon, CRS84.
        until: when the alert ends by itself, within a month.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadCase: a text, the zone, the severity or the end cannot be kept, or its category raises no alert.
    """
    info = case_queries.case(by, number)
    cases.require_worker(number=number, by=by)
    _check_alert(info, severity, until, at)
    polygon = checked_zone(zone, most_km2=LARGEST_ALERT_KM2)
    told = {
        "title": clean_text(title, where="title", required=True, limit=120),
        "text": clean_text(text, where="text", required=True, limit=1000),
    }
    record(
        kind=events.ALERT_RAISED,
        subject=subject_of(info.number),
        payload={
            "number": info.number,
            **told,
            "severity": severity,
            "zone": zone,
            "bbox": list(polygon.bounds),
            "until": until.isoformat(),
        },
        actor=by.person_id,
        territory=info.territory,
        at=at,
    )
    local = until.astimezone(clock.timezone_of(info.territory))
    note = f"Alerte de zone : {told['title']}. {told['text']} Jusqu’au {local:%d/%m/%Y, %H:%M}."
    cases.add_note(number=number, text=note, by=by, at=at)


@transaction.atomic
def end_alerts(*, number: str, by: Viewer, at: datetime) -> None:
    """Ask that the alerts raised from a report end before their hour; its history keeps a note of it.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
    """
    info = case_queries.case(by, number)
    cases.require_worker(number=number, by=by)
    record(
        kind=events.ALERT_ENDED,
        subject=subject_of(info.number),
        payload={"number": info.number},
        actor=by.person_id,
        territory=info.territory,
        at=at,
    )
    cases.add_note(number=number, text="Alerte de zone terminée.", by=by, at=at)


def _check_alert(info: CaseInfo, severity: str, until: datetime, at: datetime) -> None:
    known = open_categories(info.territory).get(info.category)
    if known is None or not known.category.alert:
        raise BadCase(
            "les signalements de cette catégorie ne deviennent pas des alertes",
            where=info.number,
            remedy="reclassez-le d’abord dans une catégorie qui le permet",
        )
    if severity not in SEVERITIES or not at < until <= at + LONGEST_ALERT:
        raise BadCase(
            "gravité ou fin de l’alerte impossible",
            where="until",
            remedy="choisissez une gravité parmi {known} et une fin à venir, dans le mois",
            known=", ".join(SEVERITIES),
        )


# --- Many at once -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BulkLine:
    """What came of one report of a bulk action; `problem` is empty when it was done."""

    number: str
    problem: str = ""


def for_each(numbers: Sequence[str], action: Callable[[str], object]) -> list[BulkLine]:
    """Do `action` on each report, each in its own transaction, and tell line by line what came of it.

    Raises:
        BadCase: more than 500 at once.
    """
    if len(numbers) > MOST_AT_ONCE:
        raise BadCase(
            "{count} signalements à la fois, {most} au plus",
            where="numbers",
            remedy="restreignez le filtre",
            count=len(numbers),
            most=MOST_AT_ONCE,
        )
    lines = []
    for number in dict.fromkeys(numbers):
        try:
            action(number)
        except BeffroiError as error:
            lines.append(BulkLine(number, str(error)))
        else:
            lines.append(BulkLine(number))
    return lines
