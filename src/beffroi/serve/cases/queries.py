"""What can be asked about requests; rights are cut here (`rights`). See docs/rooms/cases.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from django.db.models import Q

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import NEVER, OPEN, Access, Outcome, Sight, Status, case_not_found
from beffroi.serve.cases.files import AttachmentInfo as AttachmentInfo
from beffroi.serve.cases.files import FileContent as FileContent
from beffroi.serve.cases.files import attachment as attachment
from beffroi.serve.cases.files import attachments as attachments
from beffroi.serve.cases.files import public_photos as public_photos
from beffroi.serve.cases.history import Entry as Entry
from beffroi.serve.cases.history import message_text as message_text
from beffroi.serve.cases.history import thread as thread
from beffroi.serve.cases.models import Case, Party
from beffroi.serve.cases.numbers import case_id_of as case_id_of
from beffroi.serve.cases.numbers import number_of as number_of
from beffroi.serve.cases.numbers import party_of
from beffroi.serve.cases.people import PartyInfo as PartyInfo
from beffroi.serve.cases.people import is_maker as is_maker
from beffroi.serve.cases.people import made_by as made_by
from beffroi.serve.cases.people import makers_of as makers_of
from beffroi.serve.cases.people import parties as parties
from beffroi.serve.cases.people import party_count as party_count
from beffroi.serve.cases.people import party_counts as party_counts
from beffroi.serve.cases.people import party_info
from beffroi.serve.cases.people import told_parties as told_parties
from beffroi.serve.cases.queues import OPEN_SQL as OPEN_SQL
from beffroi.serve.cases.queues import QueueCount as QueueCount
from beffroi.serve.cases.queues import queue_counts as queue_counts
from beffroi.serve.cases.rights import public as public
from beffroi.serve.cases.rights import readable as readable
from beffroi.serve.cases.rights import seen_case, sight_of
from beffroi.serve.cases.rights import services_of as services_of

Standing = Literal["", "open", "closed"]


@dataclass(frozen=True, slots=True)
class CaseInfo:
    """A request as one reader sees it; what she may not see is empty. A joined one tells the state of its lead."""

    id: int
    number: str
    territory: str
    kind: str
    category: str
    service: str
    access: Access
    status: Status
    outcome: Outcome | None
    description: str
    answer: str
    published: bool
    opened_at: datetime
    changed_at: datetime
    due_at: datetime | None
    planned_on: date | None
    closed_at: datetime | None
    reopen_until: datetime | None
    reopened: int
    lead: str
    assignee: int | None
    sight: Sight

    @property
    def is_open(self) -> bool:
        """Tell whether the town still owes something."""
        return self.status in OPEN

    def is_late(self, at: datetime) -> bool:
        """Tell whether it is open after its due date."""
        return self.is_open and self.due_at is not None and self.due_at < at

    def may_reopen(self, at: datetime) -> bool:
        """Tell whether this reader may reopen it at that instant."""
        in_time = self.reopen_until is not None and at <= self.reopen_until
        return self.status is Status.CLOSED and (self.sight is Sight.WORKER or (self.sight is Sight.PARTY and in_time))


def case_info(row: Case, sight: Sight) -> CaseInfo:
    """Return what a reader of that sight sees of a row whose lead, when it has one, is already read."""
    told = row.lead or row
    works, hers = sight is Sight.WORKER, sight >= Sight.AGENT
    return CaseInfo(
        id=int(row.pk),
        number=number_of(row.pk),
        territory=row.territory,
        kind=row.kind,
        category=row.category,
        service=row.service,
        access=Access(row.access),
        status=Status(told.status),
        outcome=Outcome(told.outcome) if told.outcome else None,
        description=row.description if hers or row.published else "",
        answer=told.answer,
        published=row.published,
        opened_at=row.opened_at,
        changed_at=max(row.changed_at, told.changed_at),
        due_at=None if told.due_at == NEVER else told.due_at,
        planned_on=told.planned_on,
        closed_at=told.closed_at,
        reopen_until=told.reopen_until if hers else None,
        reopened=told.reopened,
        lead=number_of(told.pk) if row.lead_id else "",
        assignee=row.assignee_id if works else None,
        sight=sight,
    )


def case(viewer: Viewer, number: str, *, token: str = "") -> CaseInfo:
    """Return a request; `token` is the follow-up token of one without an account.

    Raises:
        CaseNotFound: there is none, or the viewer may not know of it.
    """
    row, sight, _ = seen_case(viewer, number, token=token)
    return case_info(row, sight)


def followed_case(token: str) -> tuple[CaseInfo, PartyInfo]:
    """Return the request that a follow-up token opens, and whose it is.

    Raises:
        CaseNotFound: the token is none of ours, or what it followed is gone.
    """
    party = Party.objects.select_related("case__lead").filter(pk=party_of(token)).first()
    if party is None:
        raise case_not_found()
    return case_info(party.case, Sight.PARTY), party_info(party)


def own_cases(
    viewer: Viewer, *, kind: str = "", standing: Standing = "", limit: int = 100
) -> list[tuple[CaseInfo, PartyInfo]]:
    """Return what the viewer made, follows, or filed for somebody else, in any town, the last changed first; one query.

    Args:
        standing: ``open`` keeps what is not closed yet, ``closed`` what is; a joined one stands where its lead does.
    """
    if viewer.person_id is None:
        return []
    rows = Party.objects.select_related("case__lead").filter(Q(person=viewer.person_id) | Q(filed_by=viewer.person_id))
    if kind:
        rows = rows.filter(case__kind=kind)
    if standing:
        is_closed = Q(case__status=Status.CLOSED) | Q(case__lead__status=Status.CLOSED)
        rows = rows.filter(is_closed) if standing == "closed" else rows.exclude(is_closed)
    found = rows.order_by("-case__changed_at", "-pk")[:limit]
    return [(case_info(row.case, _own_sight(viewer, row)), party_info(row)) for row in found]


def own_place(viewer: Viewer, number: str) -> PartyInfo | None:
    """Return the viewer's own place in a request, by her account; None when she has none."""
    if viewer.person_id is None:
        return None
    hers = Party.objects.filter(Q(person=viewer.person_id) | Q(filed_by=viewer.person_id), case=case_id_of(number))
    row = hers.order_by("pk").first()
    return None if row is None else party_info(row)


def _own_sight(viewer: Viewer, party: Party) -> Sight:
    return sight_of(viewer, party.case, party=party)


def public_status(number: str) -> str:
    """Return the state of a request that everyone may know of, "" of any other."""
    row = Case.objects.filter(pk=case_id_of(number)).select_related("lead").first()
    return "" if row is None or sight_of(Viewer(), row) is Sight.NOTHING else case_info(row, Sight.PUBLIC).status.value


def sight(viewer: Viewer, row: Case) -> Sight:
    """Return how much of a row the viewer sees, her own place in it left aside."""
    return sight_of(viewer, row)
