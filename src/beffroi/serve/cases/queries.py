"""What can be asked about requests; rights are cut here (`rights`). See docs/rooms/cases.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import store
from beffroi.serve.cases.definition import NEVER, OPEN, Access, Audience, Outcome, Sight, Status, case_not_found
from beffroi.serve.cases.models import Attachment, Case, Message, Party, Step
from beffroi.serve.cases.numbers import case_id_of as case_id_of
from beffroi.serve.cases.numbers import number_of as number_of
from beffroi.serve.cases.numbers import party_of, token_of
from beffroi.serve.cases.rights import party_in, seen_case, sight_of
from beffroi.serve.cases.rights import public as public
from beffroi.serve.cases.rights import readable as readable
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


@dataclass(frozen=True, slots=True)
class PartyInfo:
    """One who made or follows a request. Contacts are for the service; `filed_by` is a person's number."""

    id: int
    person: int | None
    made_it: bool
    name: str
    email: str
    phone: str
    language: str
    told: bool
    mandate: str
    mandate_reference: str
    filed_by: int | None
    since: datetime
    number: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AttachmentInfo:
    """A file of a request, without its bytes; `of` is the number of the request it hangs on."""

    id: int
    of: str
    purpose: str
    audience: Audience
    name: str
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int
    at: datetime
    mine: bool
    from_service: bool


@dataclass(frozen=True, slots=True)
class FileContent:
    """Where the bytes of an attachment stand, for a face to send."""

    path: Path
    media_type: str
    name: str
    public: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a request's history: a step (`what` says which) or a message (`what` is ``message`` or ``note``).

    `by` is ``service``, ``you``, ``requester`` or ``house``; `author` an agent's number, for the service only.
    """

    at: datetime
    what: str
    by: str
    text: str
    status: Status | None = None
    outcome: Outcome | None = None
    day: date | None = None
    service: str = ""
    audience: Audience = Audience.PUBLIC
    author: int | None = None
    of: str = ""


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
    return case_info(party.case, Sight.PARTY), _party_info(party)


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
    return [(case_info(row.case, _own_sight(viewer, row)), _party_info(row)) for row in found]


def own_place(viewer: Viewer, number: str) -> PartyInfo | None:
    """Return the viewer's own place in a request, by her account; None when she has none."""
    if viewer.person_id is None:
        return None
    hers = Party.objects.filter(Q(person=viewer.person_id) | Q(filed_by=viewer.person_id), case=case_id_of(number))
    row = hers.order_by("pk").first()
    return None if row is None else _party_info(row)


def _own_sight(viewer: Viewer, party: Party) -> Sight:
    return sight_of(viewer, party.case, party=party)


def parties(viewer: Viewer, number: str) -> list[PartyInfo]:
    """Return who made and follows a request and those joined to it, with contacts, to its service.

    Anyone else gets an empty list. Mandates are told with who filed.
    """
    row, sight, _ = seen_case(viewer, number)
    if sight is not Sight.WORKER:
        return []
    rows = Party.objects.filter(Q(case=row) | Q(case__lead=row)).order_by("pk")
    return [_party_info(one) for one in rows]


def party_count(number_or_id: int) -> int:
    """Return how many made or follow a request, those of the joined ones included."""
    return Party.objects.filter(Q(case=number_or_id) | Q(case__lead=number_or_id)).count()


def party_counts(case_ids: Iterable[int]) -> dict[int, int]:
    """Return how many made or follow each request, those of the joined ones included; two queries."""
    keys = list(case_ids)
    if not keys:
        return {}
    # Two plain look-ups: asked in one question, with an OR, the database reads every request.
    leads = {key: key for key in keys}
    # In the order of the index: by key alone, SQLite would read every request there is.
    leads |= dict(Case.objects.filter(lead__in=keys).order_by("lead", "pk").values_list("pk", "lead_id"))
    counted = Party.objects.filter(case__in=leads).order_by().values_list("case_id").annotate(Count("pk"))
    found: dict[int, int] = {}
    for case_id, count in counted:
        found[leads[case_id]] = found.get(leads[case_id], 0) + count
    return found


def public_photos(case_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Return the pictures of each request meant for everybody, oldest first; show them as its `published` says."""
    keys = list(case_ids)
    found: dict[int, tuple[int, ...]] = {}
    rows = Attachment.objects.filter(case__in=keys, audience=Audience.PUBLIC, media_type__startswith="image/")
    for of, key in rows.order_by("pk").values_list("case_id", "pk") if keys else ():
        found[of] = (*found.get(of, ()), key)
    return found


def message_text(message_id: int) -> str:
    """Return what a message says, for the rooms that send it on; never shown as such."""
    return Message.objects.filter(pk=message_id).values_list("text", flat=True).first() or ""


def public_status(number: str) -> str:
    """Return the state of a request that everyone may know of, "" of any other."""
    row = Case.objects.filter(pk=case_id_of(number)).select_related("lead").first()
    return "" if row is None or sight_of(Viewer(), row) is Sight.NOTHING else case_info(row, Sight.PUBLIC).status.value


def sight(viewer: Viewer, row: Case) -> Sight:
    """Return how much of a row the viewer sees, her own place in it left aside."""
    return sight_of(viewer, row)


def is_maker(viewer: Viewer, case_id: int, *, token: str = "") -> bool:
    """Tell whether the viewer, by her account or her token, made this request."""
    rows = Party.objects.filter(case=case_id, made_it=True)
    if token:
        return rows.filter(pk=party_of(token)).exists()
    return viewer.person_id is not None and rows.filter(person=viewer.person_id).exists()


def told_parties(case_id: int) -> list[PartyInfo]:
    """Return those to tell of what happens to a request: hers and its joined ones', each with her token and number.

    For the rooms that send messages; never shown.
    """
    rows = Party.objects.filter(Q(case=case_id) | Q(case__lead=case_id), told=True).order_by("pk")
    return [_party_info(one) for one in rows]


def made_by(person_id: int, *, alone: bool = False) -> list[int]:
    """Return the keys of the requests a person made; with `alone`, only those that nobody else made too."""
    made = Party.objects.filter(person=person_id, made_it=True).values("case")
    rows = Case.objects.filter(pk__in=made)
    if alone:
        others = Party.objects.filter(case=OuterRef("pk"), made_it=True)
        rows = rows.exclude(Exists(others.filter(Q(person=None) | ~Q(person=person_id))))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def makers_of(case_id: int) -> list[int]:
    """Return the numbers of the people who made a request, those without an account left out."""
    made = Party.objects.filter(case=case_id, made_it=True).exclude(person=None).order_by("pk")
    return list(made.values_list("person_id", flat=True))


def _party_info(row: Party) -> PartyInfo:
    return PartyInfo(
        id=int(row.pk),
        person=row.person_id,
        made_it=row.made_it,
        name=row.name,
        email=row.email,
        phone=row.phone,
        language=row.language,
        told=row.told,
        mandate=row.mandate,
        mandate_reference=row.mandate_reference,
        filed_by=row.filed_by_id,
        since=row.since,
        number=number_of(row.case_id),
        token=token_of(int(row.pk)),
    )


# --- Threads ---------------------------------------------------------------------------------------------------------


def thread(viewer: Viewer, number: str, *, token: str = "") -> list[Entry]:
    """Return the history of a request in order: its steps and what was written, as far as the viewer may read.

    Everyone who may know of it reads the steps and the public word; a party, what the service wrote to the parties and
    what she wrote herself, on it and on its lead; its service, everything, on it and on those joined to it.

    Raises:
        CaseNotFound: there is none, or the viewer may not know of it.
    """
    row, sight, party = seen_case(viewer, number, token=token)
    works = sight is Sight.WORKER
    around = Q(case=row)
    if works:
        around |= Q(case__lead=row)
    if row.lead_id:
        around |= Q(case=row.lead_id)
    steps = Step.objects.filter(around) if works else Step.objects.filter(around, internal=False)
    messages = Message.objects.filter(around)
    if not works:
        hers = Q(audience=Audience.PUBLIC)
        if party is not None:
            hers |= Q(audience=Audience.PARTIES, party=None) | Q(party=party)
        messages = messages.filter(hers)
    entries = [_step_entry(one, works, party) for one in steps.order_by("at", "pk")]
    entries += [_message_entry(one, works, party) for one in messages.order_by("at", "pk")]
    opened = Entry(row.opened_at, "opened", "requester", "", Status.RECEIVED, of=number_of(row.pk))
    return sorted([opened, *entries], key=lambda entry: entry.at)


def _step_entry(row: Step, works: bool, party: Party | None) -> Entry:
    return Entry(
        at=row.at,
        what=row.what,
        by=_by(row.author_id, row.party_id, party),
        text=row.text,
        status=Status(row.status),
        outcome=Outcome(row.outcome) if row.outcome else None,
        day=row.day,
        service=row.service if works else "",
        audience=Audience.INTERNAL if row.internal else Audience.PUBLIC,
        author=row.author_id if works else None,
        of=number_of(row.case_id),
    )


def _message_entry(row: Message, works: bool, party: Party | None) -> Entry:
    return Entry(
        at=row.at,
        what="note" if row.audience == Audience.INTERNAL else "message",
        by=_by(row.author_id, row.party_id, party),
        text=row.text,
        audience=Audience(row.audience),
        author=row.author_id if works else None,
        of=number_of(row.case_id),
    )


def _by(author: int | None, party_id: int | None, party: Party | None) -> str:
    if party_id is not None:
        return "you" if party is not None and party.pk == party_id else "requester"
    return "service"


# --- Files -----------------------------------------------------------------------------------------------------------


def attachments(viewer: Viewer, number: str, *, token: str = "") -> list[AttachmentInfo]:
    """Return the files of a request that the viewer may open, oldest first.

    Raises:
        CaseNotFound: there is none, or the viewer may not know of it.
    """
    row, sight, party = seen_case(viewer, number, token=token)
    around = Q(case=row)
    if sight is Sight.WORKER:
        around |= Q(case__lead=row)
    if row.lead_id:
        around |= Q(case=row.lead_id)
    rows = Attachment.objects.select_related("case").filter(around).order_by("pk")
    return [_attachment_info(one, party) for one in rows if _may_open(one, sight, party)]


def attachment(viewer: Viewer, attachment_id: int, *, token: str = "", thumbnail: bool = False) -> FileContent:
    """Return where the bytes of a file stand, to a viewer who may open it.

    Raises:
        CaseNotFound: there is none, or she may not.
    """
    row = Attachment.objects.select_related("case").filter(pk=attachment_id).first()
    if row is None:
        raise case_not_found()
    party = _party_for(viewer, row.case, token)
    sight = sight_of(viewer, row.case, party=party)
    digest = row.thumbnail if thumbnail and row.thumbnail else row.digest
    path = store.path_of(digest)
    if sight is Sight.NOTHING or not _may_open(row, sight, party) or not path.is_file():
        raise case_not_found()
    media_type = "image/jpeg" if thumbnail and row.thumbnail else row.media_type
    return FileContent(path, media_type, row.name, public=_is_public(row))


def _party_for(viewer: Viewer, row: Case, token: str) -> Party | None:
    """Return the viewer's place in a case or in one that is followed with it: its files are shown to both."""
    if token:
        party = Party.objects.select_related("case").filter(pk=party_of(token)).first()
        return party if party is not None and row.pk in (party.case_id, party.case.lead_id) else None
    if viewer.person_id is None:
        return None
    hers = Party.objects.filter(Q(case=row) | Q(case__lead=row), person=viewer.person_id)
    return hers.order_by("pk").first() or party_in(viewer, row)


def _is_public(row: Attachment) -> bool:
    return row.audience == Audience.PUBLIC and row.case.published and row.case.access == Access.PUBLIC


def _may_open(row: Attachment, sight: Sight, party: Party | None) -> bool:
    if sight is Sight.WORKER or _is_public(row):
        return True
    if sight is Sight.AGENT:
        return row.audience == Audience.PUBLIC
    if party is None:
        return False
    return row.party_id == party.pk or (row.party_id is None and row.audience != Audience.INTERNAL)


def _attachment_info(row: Attachment, party: Party | None) -> AttachmentInfo:
    return AttachmentInfo(
        id=int(row.pk),
        of=number_of(row.case_id),
        purpose=row.purpose,
        audience=Audience(row.audience),
        name=row.name,
        media_type=row.media_type,
        width_px=row.width_px,
        height_px=row.height_px,
        size_bytes=row.size_bytes,
        at=row.at,
        mine=party is not None and row.party_id == party.pk,
        from_service=row.party_id is None,
    )


# --- Queues ----------------------------------------------------------------------------------------------------------


# Written out, not bound: the index of the queue holds open requests only, and SQLite must read so to use it.
OPEN_SQL = "cases_case.status IN ({})".format(", ".join(f"'{one.value}'" for one in OPEN))


# Beyond so many open requests, a service is told « plus de »: as true, and read in milliseconds however many there are.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How much a service has to do: open, late and held requests, and those it has assigned to nobody.

    Counting stops at `MOST_COUNTED` open ones, the most pressing first: each figure is then an « at least ».
    """

    service: str
    open: int
    late: int
    held: int
    unassigned: int

    @property
    def is_cut(self) -> bool:
        """Tell whether there are more than was counted."""
        return self.open >= MOST_COUNTED


def queue_counts(viewer: Viewer, territory: str, *, at: datetime, kinds: Iterable[str] = ()) -> list[QueueCount]:
    """Return the counts of each service the viewer works in; two queries, each by an index."""
    services = sorted(services_of(viewer, territory))
    if not services:
        return []
    wanted = list(kinds)
    rows = Case.objects.filter(territory=territory, service__in=services).order_by()
    if wanted:
        rows = rows.filter(kind__in=wanted)
    held = dict(rows.filter(status=Status.HELD).values_list("service").annotate(n=Count("pk")))
    found = _waiting(territory, services, wanted, at)
    return [_count_of(service, found.get(service, (0, 0, 0)), held.get(service, 0)) for service in services]


def _waiting(territory: str, services: list[str], kinds: list[str], at: datetime) -> dict[str, tuple[int, int, int]]:
    """Return how many are open, late and free in each service: the head of each queue, read in the order of its index.

    Written out: Django can neither limit the parts of a union on SQLite nor aggregate one. The index holds all of it.
    """
    narrowed = f" AND kind IN ({', '.join(['%s'] * len(kinds))})" if kinds else ""
    # Every due date is that early: said, it has SQLite choose the index of the queue.
    head = (
        "SELECT %s AS service, count(*), sum(CASE WHEN due_at < %s THEN 1 ELSE 0 END), "  # noqa: S608 - ours
        "sum(CASE WHEN assignee_id IS NULL THEN 1 ELSE 0 END) FROM (SELECT due_at, assignee_id FROM cases_case "
        f"WHERE {OPEN_SQL} AND territory = %s AND service = %s AND due_at <= %s{narrowed} ORDER BY due_at LIMIT %s) one"
    )
    times = [connection.ops.adapt_datetimefield_value(moment) for moment in (at, NEVER)]
    bound: list[Any] = []
    for service in services:
        bound += [service, times[0], territory, service, times[1], *kinds, MOST_COUNTED]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([head] * len(services)), bound)
        return {service: (many, late or 0, free or 0) for service, many, late, free in cursor.fetchall()}


def _count_of(service: str, waiting: tuple[int, int, int], held: int) -> QueueCount:
    many, late, free = waiting
    return QueueCount(service, open=many, late=late, held=held, unassigned=free)
