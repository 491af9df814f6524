"""What can be asked about procedures and the requests made by them; rights are cut in the query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from beffroi.base.clock import queries as clock
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import OPEN, CaseNotFound, Sight, Status, case_not_found
from beffroi.serve.cases.queries import CaseInfo, PartyInfo
from beffroi.serve.procedures import fees
from beffroi.serve.procedures.answers import asked as asked
from beffroi.serve.procedures.answers import is_asked as is_asked
from beffroi.serve.procedures.answers import proposal_of as proposal_of
from beffroi.serve.procedures.answers import told_answer as told_answer
from beffroi.serve.procedures.certificates import UnknownCertificate as UnknownCertificate
from beffroi.serve.procedures.certificates import certificate as certificate
from beffroi.serve.procedures.certificates import certificates_of as certificates_of
from beffroi.serve.procedures.certificates import is_same_file as is_same_file
from beffroi.serve.procedures.certificates import public_key as public_key
from beffroi.serve.procedures.certificates import read_code as read_code
from beffroi.serve.procedures.certificates import seal_holds as seal_holds
from beffroi.serve.procedures.definition import KIND as KIND
from beffroi.serve.procedures.definition import CertificateInfo as CertificateInfo
from beffroi.serve.procedures.definition import DraftGone as DraftGone
from beffroi.serve.procedures.definition import DraftInfo as DraftInfo
from beffroi.serve.procedures.definition import FeeInfo as FeeInfo
from beffroi.serve.procedures.definition import OpenProcedure as OpenProcedure
from beffroi.serve.procedures.definition import PieceInfo as PieceInfo
from beffroi.serve.procedures.definition import RequestInfo as RequestInfo
from beffroi.serve.procedures.definition import SilenceInfo as SilenceInfo
from beffroi.serve.procedures.delays import appeal_day as appeal_day
from beffroi.serve.procedures.delays import appeal_notice as appeal_notice
from beffroi.serve.procedures.delays import silence_of
from beffroi.serve.procedures.drafts import draft as draft
from beffroi.serve.procedures.drafts import own_drafts as own_drafts
from beffroi.serve.procedures.fees import fees_of as fees_of
from beffroi.serve.procedures.kept import KeptInfo as KeptInfo
from beffroi.serve.procedures.kept import kept_pieces as kept_pieces
from beffroi.serve.procedures.kept import reusable as reusable
from beffroi.serve.procedures.models import Piece, Request
from beffroi.serve.procedures.opened import declared
from beffroi.serve.procedures.opened import found_by_words as found_by_words
from beffroi.serve.procedures.opened import open_procedures as open_procedures
from beffroi.serve.procedures.opened import procedure_for as procedure_for
from beffroi.serve.procedures.sealed import answers_of
from beffroi.serve.procedures.sites import SiteConflict as SiteConflict
from beffroi.serve.procedures.sites import conflicts as conflicts
from beffroi.serve.procedures.sites import conflicts_of as conflicts_of
from beffroi.serve.procedures.sites import place_of as place_of
from beffroi.serve.procedures.sites import sites as sites

PAGE_SIZE = 50
# Counting stops there: « plus de 10 000 » says as much, and stays quick.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue is narrowed to. `status` is a state of a request, ``late``, or "" for what is open."""

    use_case: str = ""
    status: str = ""
    service: str = ""
    assignee: int | None = None
    unassigned: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue; `names` are those of the makers, by number."""

    items: tuple[RequestInfo, ...]
    names: Mapping[str, str]
    total: int
    page: int
    size: int

    @property
    def has_more(self) -> bool:
        """Tell whether there is a page after this one."""
        return self.page * self.size < self.total


def request(viewer: Viewer, number: str, *, token: str = "") -> RequestInfo:
    """Return a request by its number; `token` is the follow-up token of one without an account.

    Raises:
        CaseNotFound: there is none, it was made by no procedure, or the viewer may not know of it.
    """
    return _told(cases.case(viewer, number, token=token))


def followed_request(token: str) -> tuple[RequestInfo, PartyInfo]:
    """Return the request that a follow-up token opens, and whose it is.

    Raises:
        CaseNotFound: the token is none of ours, or it follows something else.
    """
    case, party = cases.followed_case(token)
    return _told(case), party


def _told(case: CaseInfo) -> RequestInfo:
    row = Request.objects.prefetch_related("pieces").filter(pk=case.id).first()
    if row is None:
        raise case_not_found()
    return _info(row, case)


def _info(row: Request, case: CaseInfo) -> RequestInfo:
    known, hers = declared(case.category), case.sight >= Sight.PARTY
    pieces = sorted(row.pieces.all(), key=lambda one: one.pk) if hers else []
    return RequestInfo(
        case=case,
        title=known.title if known else case.category,
        procedure=known.procedure if known else None,
        answers=answers_of(row) if hers else {},
        findings=row.findings if hers else {},
        proposal=row.proposal if hers else "",
        fees=fees.read(row.fees) if hers else (),
        pieces=tuple(piece_info(one) for one in pieces),
    )


def piece_info(row: Piece) -> PieceInfo:
    """Return what is told of a document asked for."""
    return PieceInfo(int(row.pk), row.code, row.label, row.asked_at, row.until, row.supplied_at)


def silence(info: RequestInfo, at: datetime) -> SilenceInfo | None:
    """Return what the town's silence is worth for a request, None where it is worth nothing, or no longer."""
    if info.procedure is None:
        return None
    today = at.astimezone(clock.timezone_of(info.case.territory)).date()
    return silence_of(info.procedure, info.case, info.pieces, today=today)


def answered(info: RequestInfo) -> list[tuple[str, str, str]]:
    """Return the answers of a request in the order of its form: code, question, answer in words."""
    if info.procedure is None:
        return [(code, code, str(value)) for code, value in info.answers.items()]
    return [
        (one.code, one.label, told_answer(one, info.answers[one.code]))
        for one in info.procedure.questions()
        if one.code in info.answers
    ]


def found(info: RequestInfo) -> list[tuple[str, str, str]]:
    """Return what the service found: code, finding, in words."""
    known = info.procedure.finding if info.procedure else ()
    return [
        (one.code, one.label, told_answer(one, info.findings[one.code])) for one in known if one.code in info.findings
    ]


def headings(infos: Iterable[CaseInfo]) -> dict[int, str]:
    """Return what each request is about; no query."""
    told = {}
    for one in infos:
        known = declared(one.category)
        told[one.id] = known.title if known else one.category
    return told


# --- The queue --------------------------------------------------------------------------------------------------------


def queue(
    viewer: Viewer, territory: str, wanted: QueueFilter, *, at: datetime, page: int = 1, size: int = PAGE_SIZE
) -> QueuePage:
    """Return the requests of the services the viewer works in, the most pressing first; nothing to anyone else."""
    rows = _queued(viewer, territory, wanted, at)
    if rows is None:
        return QueuePage((), {}, 0, page, size)
    total = len(rows.values_list("pk", flat=True)[: MOST_COUNTED + 1])
    shown = list(rows.prefetch_related("pieces", "case__parties")[(page - 1) * size : page * size])
    infos = tuple(_info(row, cases.case_info(row.case, Sight.WORKER)) for row in shown)
    names = {
        cases.number_of(row.pk): next((one.name for one in row.case.parties.all() if one.made_it), "") for row in shown
    }
    return QueuePage(infos, names, total, page, size)


def following(viewer: Viewer, territory: str, wanted: QueueFilter, *, after: str, at: datetime) -> str | None:
    """Return the number of the request that follows one in the viewer's queue, None after the last."""
    rows = _queued(viewer, territory, wanted, at)
    if rows is None:
        return None
    try:
        key = cases.case_id_of(after)
    except CaseNotFound:
        key = 0
    mine = Request.objects.filter(pk=key, case__service__in=cases.services_of(viewer, territory))
    for due_at in mine.values_list("case__due_at", flat=True):
        rows = rows.filter(Q(case__due_at__gt=due_at) | Q(case__due_at=due_at, pk__gt=key))
    first = rows.values_list("pk", flat=True).first()
    return None if first is None else cases.number_of(first)


def _queued(viewer: Viewer, territory: str, wanted: QueueFilter, at: datetime) -> QuerySet[Request] | None:
    mine = cases.services_of(viewer, territory)
    services = sorted(mine & {wanted.service} if wanted.service else mine)
    if not services:
        return None
    rows = Request.objects.select_related("case__lead").filter(case__territory=territory, case__service__in=services)
    rows = rows.filter(_stands(wanted.status, at))
    if wanted.use_case:
        rows = rows.filter(case__category=wanted.use_case)
    if wanted.unassigned:
        rows = rows.filter(case__assignee=None)
    elif wanted.assignee is not None:
        rows = rows.filter(case__assignee=wanted.assignee)
    if wanted.text:
        rows = rows.filter(_speaks_of(wanted.text))
    return rows.order_by("case__due_at", "pk")


def _stands(status: str, at: datetime) -> Q:
    still_open = Q(case__status__in=[one.value for one in OPEN])
    if status == "late":
        return still_open & Q(case__due_at__lt=at)
    return Q(case__status=status) if status in {one.value for one in Status} else still_open


def _speaks_of(text: str) -> Q:
    """Return the condition that keeps the request of that number, or those of people of that name."""
    try:
        return Q(pk=cases.case_id_of(text))
    except CaseNotFound:
        named = Request.objects.filter(case__parties__name__icontains=text[:100]).values("pk")
        return Q(pk__in=named)


def used_procedures(viewer: Viewer, territory: str) -> Sequence[OpenProcedure]:
    """Return the procedures of the services the viewer works in, open here."""
    mine = cases.services_of(viewer, territory)
    return [one for one in open_procedures(territory).values() if one.procedure.service in mine]
