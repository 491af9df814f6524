"""How a request goes from one state to the next: each move checked, dated, told to the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import events
from beffroi.serve.cases.definition import FOLLOWING, Access, Audience, BadCase, BadMove, Outcome, Sight, Status
from beffroi.serve.cases.intake import PreparedFile, attach, due_at, facts
from beffroi.serve.cases.models import Case, Message, Step
from beffroi.serve.cases.numbers import case_id_of, number_of
from beffroi.serve.cases.queries import CaseInfo, case_info
from beffroi.serve.cases.rights import seen_case, services_of, worked_case
from beffroi.serve.cases.words import clean_text

REOPEN_DAYS = 30

WITH_EACH_MOVE: dict[str, Callable[[CaseInfo, str, datetime], None]] = {}
"""Of each kind of request, what its room does in the very transaction of a change of state: it is given the request as
its service sees it, the kind of the event and the instant. Each room names its own; what may wait hears the journal."""


def move(
    case: Case,
    to: Status,
    *,
    what: str,
    kind: str,
    author: int | None,
    at: datetime,
    text: str = "",
    details: Mapping[str, Any] | None = None,
    party: int | None = None,
    day: date | None = None,
    back_from: Status | None = None,
) -> None:
    """Take a locked case to a state: its row, a step of its history and an event, in the caller's transaction.

    Args:
        back_from: the only state it may come from, for a move that `FOLLOWING` does not know (a reopening).

    Raises:
        BadMove: that state cannot follow the present one.
    """
    present = Status(case.status)
    if (present is not back_from) if back_from else (to not in FOLLOWING[present]):
        raise BadMove(
            "une demande « {present} » ne devient pas « {wanted} »",
            where=number_of(case.pk),
            remedy="rechargez la page : quelqu’un vient peut-être de la traiter",
            present=present.value,
            wanted=to.value,
        )
    case.status, case.changed_at = to, at
    case.save()
    Step.objects.create(
        case=case,
        at=at,
        what=what,
        status=to,
        outcome=case.outcome,
        service=case.service,
        day=day,
        text=text,
        author_id=author,
        party_id=party,
    )
    record(
        kind=kind,
        subject=events.subject_of(number_of(case.pk)),
        payload=facts(case) | dict(details or {}),
        actor=author,
        territory=case.territory,
        at=at,
    )
    if within := WITH_EACH_MOVE.get(case.kind):
        within(case_info(case, Sight.WORKER), kind, at)


def _person(by: Viewer | None) -> int | None:
    return by.person_id if by else None


@transaction.atomic
def accept_case(*, number: str, by: Viewer | None, at: datetime, text: str = "", publish: bool = True) -> None:
    """Take a request in charge; its words and public files are shown from then on, unless `publish` is false.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: it is closed, held, or followed with another.
    """
    case = worked_case(by, number)
    case.published = publish and case.access == Access.PUBLIC
    text = clean_text(text, where="text")
    move(case, Status.ACCEPTED, what="accepted", kind=events.ACCEPTED, author=_person(by), at=at, text=text)


@transaction.atomic
def schedule_case(*, number: str, day: date, by: Viewer | None, at: datetime, text: str = "") -> None:
    """Say on what day the town comes.

    Raises:
        CaseNotFound, Refused, BadMove: as `accept_case`.
        BadCase: the day is past.
    """
    case = worked_case(by, number)
    if day < at.date():
        raise BadCase(
            "le {day} est passé", where="day", remedy="choisissez aujourd’hui ou un jour à venir", day=day.isoformat()
        )
    case.planned_on = day
    case.published = case.access == Access.PUBLIC
    move(
        case,
        Status.SCHEDULED,
        what="scheduled",
        kind=events.SCHEDULED,
        author=_person(by),
        at=at,
        text=clean_text(text, where="text"),
        details={"day": day.isoformat()},
        day=day,
    )


@transaction.atomic
def close_case(
    *,
    number: str,
    outcome: Outcome,
    reason: str,
    by: Viewer | None,
    at: datetime,
    files: Sequence[PreparedFile] = (),
    reopen_days: int = REOPEN_DAYS,
) -> None:
    """End a request with the reason told to everyone who made or follows it, and to those who follow its joined ones.

    Args:
        files: what shows the result; public when the request is.
        reopen_days: how long those who made it may reopen it, 0 for never; an abuse is not reopened.

    Raises:
        CaseNotFound, Refused, BadMove: as `accept_case`.
        BadCase: no reason is given.
    """
    case = worked_case(by, number)
    case.answer = clean_text(reason, where="reason", required=True)
    case.outcome = Outcome(outcome)
    case.closed_at = at
    may_return = reopen_days > 0 and case.outcome != Outcome.ABUSE
    case.reopen_until = at + timedelta(days=reopen_days) if may_return else None
    case.published = case.outcome != Outcome.ABUSE and (case.published or case.outcome == Outcome.DONE)
    case.published = case.published and case.access == Access.PUBLIC
    attach(case.pk, files, party_id=None, at=at)
    move(
        case,
        Status.CLOSED,
        what="closed",
        kind=events.CLOSED,
        author=_person(by),
        at=at,
        text=case.answer,
        details={"outcome": case.outcome},
    )


@transaction.atomic
def reopen_case(*, number: str, reason: str, viewer: Viewer, at: datetime, token: str = "") -> str:
    """Reopen a closed request, as its service or, in time and with a reason, as one who made or follows it.

    A request followed with another reopens that one. Return the number of what was reopened.

    Raises:
        CaseNotFound: the viewer may not know of it.
        Refused: she has no place in it, or the time to reopen it has passed.
        BadMove: it is not closed.
    """
    case, sight, party = seen_case(viewer, number, token=token, lock=True)
    if case.lead_id is not None:
        case = Case.objects.select_for_update(of=("self",)).get(pk=case.lead_id)
    reason = clean_text(reason, where="reason", required=True)
    if sight < Sight.PARTY:
        raise Refused(
            "seuls ceux qui ont fait ou suivent cette demande peuvent la rouvrir",
            where=number,
            remedy="faites une nouvelle demande",
        )
    if sight is Sight.PARTY and (case.reopen_until is None or at > case.reopen_until) and case.status == Status.CLOSED:
        raise Refused(
            "cette demande ne peut plus être rouverte",
            where=number,
            remedy="faites une nouvelle demande : elle repartira avec sa propre échéance",
        )
    case.outcome, case.answer, case.closed_at, case.reopen_until = "", "", None, None
    case.reopened += 1
    case.due_at = due_at(case.due_rule, at, case.territory)
    author = viewer.person_id if sight is Sight.WORKER else None
    move(
        case,
        Status.ACCEPTED,
        what="reopened",
        kind=events.REOPENED,
        author=author,
        at=at,
        party=party.pk if party is not None else None,
        back_from=Status.CLOSED,
    )
    own = party if party is not None and sight is not Sight.WORKER else None
    # The reason is a message, which its author may have erased; the step keeps only the fact.
    Message.objects.create(
        case_id=party.case_id if own is not None and party is not None else case.pk,
        at=at,
        author_id=author,
        party=own,
        audience=Audience.PARTIES,
        text=reason,
    )
    return number_of(case.pk)


@transaction.atomic
def withdraw_case(*, number: str, reason: str, viewer: Viewer, at: datetime, token: str = "") -> None:
    """End a request at the wish of the one who made it.

    Raises:
        CaseNotFound, Refused: she did not make it.
        BadMove: it is closed, or followed with another.
    """
    case, _, party = seen_case(viewer, number, token=token, lock=True)
    if party is None or not party.made_it:
        raise Refused("seul son auteur peut retirer une demande", where=number, remedy="cessez plutôt de la suivre")
    case.outcome, case.closed_at, case.answer = Outcome.WITHDRAWN, at, clean_text(reason, where="reason")
    move(
        case,
        Status.CLOSED,
        what="closed",
        kind=events.CLOSED,
        author=None,
        party=party.pk,
        at=at,
        details={"outcome": case.outcome},
    )


@transaction.atomic
def hold_case(*, number: str, by: Viewer | None, at: datetime, text: str = "") -> None:
    """Put a doubtful request aside: nobody but its service sees it."""
    case = worked_case(by, number)
    case.published = False
    text = clean_text(text, where="text")
    move(case, Status.HELD, what="held", kind=events.HELD, author=_person(by), at=at, text=text)


@transaction.atomic
def release_case(*, number: str, by: Viewer | None, at: datetime) -> None:
    """Put a request that was held back among those received."""
    case = worked_case(by, number)
    move(
        case,
        Status.RECEIVED,
        what="released",
        kind=events.RELEASED,
        author=_person(by),
        at=at,
        back_from=Status.HELD,
    )


@transaction.atomic
def route_case(*, number: str, service: str, by: Viewer | None, at: datetime, reason: str = "") -> None:
    """Hand a request over to another service of the same town; nobody is in charge of it there yet.

    The caller knows that the service exists. The reason is read by agents only.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: it is closed.
    """
    case = worked_case(by, number)
    if case.status == Status.CLOSED:
        raise BadMove("cette demande est close", where=number, remedy="rouvrez-la avant de la transmettre")
    former = case.service
    if service == former:
        return
    case.service, case.assignee, case.changed_at = service, None, at
    case.save(update_fields=["service", "assignee", "changed_at"])
    Case.objects.filter(lead=case).update(service=service)
    text = clean_text(reason, where="reason")
    Step.objects.create(
        case=case,
        at=at,
        what="routed",
        status=case.status,
        service=service,
        text=text,
        internal=True,
        author_id=_person(by),
    )
    record(
        kind=events.ROUTED,
        subject=events.subject_of(number_of(case.pk)),
        payload=facts(case) | {"from": former},
        actor=_person(by),
        territory=case.territory,
        at=at,
    )


@transaction.atomic
def assign_case(*, number: str, to: Viewer | None, by: Viewer, at: datetime) -> None:
    """Give a request to an agent of its service, or to nobody.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadCase: `to` does not work in its service.
    """
    case = worked_case(by, number)
    if to is not None and case.service not in services_of(to, case.territory):
        raise BadCase(
            "cet agent n’est pas du service « {service} »",
            where="to",
            remedy="choisissez un agent du service, ou transmettez la demande",
            service=case.service,
        )
    case.assignee_id = to.person_id if to else None
    case.changed_at = at
    case.save(update_fields=["assignee", "changed_at"])
    record(
        kind=events.ASSIGNED,
        subject=events.subject_of(number_of(case.pk)),
        payload=facts(case) | {"to": case.assignee_id},
        actor=by.person_id,
        territory=case.territory,
        at=at,
    )


@transaction.atomic
def join_cases(*, number: str, into: str, by: Viewer, at: datetime) -> None:
    """Follow a request with another, its lead: each keeps its thread, files and tokens; the lead's fate is told to all.

    Those joined to it before go to the lead too: there is never a chain.

    Raises:
        CaseNotFound, Refused: `by` does not work in the service of both.
        BadMove: one is closed or held, they are the same, or of two kinds, towns or accesses.
    """
    first, second = sorted((case_id_of(number), case_id_of(into)))
    locked = {key: worked_case(by, number_of(key)) for key in dict.fromkeys((first, second))}
    case, lead = locked[case_id_of(number)], locked[case_id_of(into)]
    same = (case.territory, case.kind, case.access) == (lead.territory, lead.kind, lead.access)
    if case.pk == lead.pk or not same or lead.status in (Status.CLOSED, Status.HELD, Status.JOINED):
        raise BadMove(
            "ces deux demandes ne peuvent pas être suivies ensemble",
            where=number,
            remedy="choisissez une demande ouverte, de même nature et de même confidentialité",
        )
    for follower in Case.objects.select_for_update(of=("self",)).filter(lead=case).order_by("pk"):
        follower.lead = lead
        follower.save(update_fields=["lead"])
    case.lead, case.assignee = lead, None
    move(
        case,
        Status.JOINED,
        what="joined",
        kind=events.JOINED,
        author=by.person_id,
        at=at,
        details={"lead": number_of(lead.pk)},
    )


@transaction.atomic
def part_case(*, number: str, by: Viewer, at: datetime) -> None:
    """Take a request back from its lead: it is received anew, with its own thread as it was.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: it is not joined to another.
    """
    case = worked_case(by, number)
    former = case.lead
    case.lead = None
    details = {"lead": number_of(former.pk) if former else ""}
    move(
        case,
        Status.RECEIVED,
        what="parted",
        kind=events.PARTED,
        author=by.person_id,
        at=at,
        details=details,
        back_from=Status.JOINED,
    )


@transaction.atomic
def reclassify_case(
    *, number: str, category: str, service: str, access: Access, due_rule: str, by: Viewer | None, at: datetime
) -> str:
    """Change what a request is about, with the service, access and due date that follow; return the former category.

    The due date is counted from the intake: a mistake of category gives no delay.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: it is closed, or followed with another.
    """
    case = worked_case(by, number)
    if case.status in (Status.CLOSED, Status.JOINED):
        raise BadMove(
            "une demande close ou jointe à une autre ne change pas de catégorie",
            where=number,
            remedy="rouvrez-la ou séparez-la d’abord",
        )
    former = case.category
    if case.service != service:
        case.assignee = None
    case.category, case.service, case.access = category, service, access
    case.published = case.published and access is Access.PUBLIC
    case.due_rule, case.due_at, case.changed_at = due_rule, due_at(due_rule, case.opened_at, case.territory), at
    case.save()
    # What follows it is seen by those who see it, and by nobody else.
    Case.objects.filter(lead=case).update(service=service, access=access)
    if access is not Access.PUBLIC:
        Case.objects.filter(lead=case).update(published=False)
    Step.objects.create(
        case=case, at=at, what="reclassified", status=case.status, service=service, author_id=_person(by), internal=True
    )
    return former


def require_worker(*, number: str, by: Viewer) -> None:
    """Let one who works in the service of a request pass.

    Raises:
        CaseNotFound, Refused: `by` does not.
    """
    with transaction.atomic():
        worked_case(by, number)
