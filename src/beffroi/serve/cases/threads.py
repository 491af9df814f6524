"""What is written about a request: the public word, the thread of each party, the notes of the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import events
from beffroi.serve.cases.definition import Audience, BadCase, Sight, Status
from beffroi.serve.cases.intake import PreparedFile, attach, facts
from beffroi.serve.cases.models import Attachment, Case, Message, Party, Step
from beffroi.serve.cases.numbers import number_of
from beffroi.serve.cases.rights import party_in, seen_case, worked_case
from beffroi.serve.cases.words import clean_text

# Of one party, on one request, until an agent answers: a conversation, not a flood.
MOST_UNANSWERED = 20


@transaction.atomic
def write_to_service(
    *,
    number: str,
    text: str,
    viewer: Viewer,
    at: datetime,
    token: str = "",
    files: Sequence[PreparedFile] = (),
) -> int:
    """Add a party's message to her thread and return its number; it answers a question that was put to her.

    Raises:
        CaseNotFound: the viewer has no place in this request.
        BadCase: empty, too long, or too many messages without an answer.
    """
    case, _, party = seen_case(viewer, number, token=token, lock=True)
    if party is None:
        raise BadCase(
            "vous ne suivez pas cette demande",
            where=number,
            remedy="ouvrez-la par votre lien de suivi, ou suivez-la d’abord",
        )
    attach(case.pk, files, party_id=party.pk, at=at)
    return add_party_message(case, party, text, at=at)


def add_party_message(case: Case, party: Party, text: str, *, at: datetime) -> int:
    """Write a party's message on a locked case; a case that waited for her goes back to work."""
    text = clean_text(text, where="text", required=True)
    _refuse_flood(case, party)
    message = Message.objects.create(case=case, at=at, party=party, audience=Audience.PARTIES, text=text)
    lead = case.lead or case
    if lead.status == Status.WAITING:
        lead.status = Status.ACCEPTED
        Step.objects.create(case=lead, at=at, what="answered", status=lead.status, party=party)
    lead.changed_at = at
    lead.save(update_fields=["status", "changed_at"])
    record(
        kind=events.ANSWERED,
        subject=events.subject_of(number_of(case.pk)),
        payload=facts(case) | {"message": int(message.pk)},
        actor=party.person_id,
        territory=case.territory,
        at=at,
    )
    return int(message.pk)


def _refuse_flood(case: Case, party: Party) -> None:
    last_answer = (
        Message.objects.filter(case=case, party=None, audience=Audience.PARTIES).order_by("-pk").values("pk")[:1]
    )
    since = next((row["pk"] for row in last_answer), 0)
    if Message.objects.filter(case=case, party=party, pk__gt=since).count() >= MOST_UNANSWERED:
        raise BadCase(
            "vous avez envoyé {most} messages sans réponse encore",
            where="text",
            remedy="attendez la réponse du service",
            most=MOST_UNANSWERED,
        )


@transaction.atomic
def write_to_parties(
    *, number: str, text: str, by: Viewer | None, at: datetime, ask: bool = False, public: bool = False
) -> int:
    """Write to those who made or follow a request, and return the message's number.

    Args:
        ask: it is a question: the request waits for their answer.
        public: everybody may read it, on the page of the request.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: a question on a closed request.
    """
    from beffroi.serve.cases.life import move

    case = worked_case(by, number)
    text = clean_text(text, where="text", required=True)
    author = by.person_id if by else None
    audience = Audience.PUBLIC if public else Audience.PARTIES
    message = Message.objects.create(case=case, at=at, author_id=author, audience=audience, text=text)
    details = {"message": int(message.pk)}
    if ask and case.status != Status.WAITING:
        move(case, Status.WAITING, what="asked", kind=events.ASKED, author=author, at=at, details=details)
        return int(message.pk)
    case.changed_at = at
    case.save(update_fields=["changed_at"])
    record(
        kind=events.ASKED if ask else events.WRITTEN,
        subject=events.subject_of(number),
        payload=facts(case) | details,
        actor=author,
        territory=case.territory,
        at=at,
    )
    return int(message.pk)


@transaction.atomic
def add_note(*, number: str, text: str, by: Viewer | None, at: datetime) -> int:
    """Add a note that only the service reads, and return its number; `by` is None for the house.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
    """
    case = worked_case(by, number)
    text = clean_text(text, where="text", required=True)
    note = Message.objects.create(
        case=case, at=at, author_id=by.person_id if by else None, audience=Audience.INTERNAL, text=text
    )
    record(
        kind=events.NOTED,
        subject=events.subject_of(number_of(case.pk)),
        payload=facts(case) | {"message": int(note.pk)},
        actor=by.person_id if by else None,
        territory=case.territory,
        at=at,
    )
    return int(note.pk)


@transaction.atomic
def attach_files(
    *, number: str, files: Sequence[PreparedFile], viewer: Viewer, at: datetime, token: str = ""
) -> list[int]:
    """Attach prepared files to a request, as one of its parties or as its service; return their numbers.

    Raises:
        CaseNotFound: the viewer may not know of it.
        BadCase: she neither follows it nor works in its service.
    """
    case, sight, party = seen_case(viewer, number, token=token, lock=True)
    if sight < Sight.PARTY:
        raise BadCase("vous ne suivez pas cette demande", where=number, remedy="suivez-la d’abord")
    author = None if party is None or sight is Sight.WORKER else party.pk
    keys = attach(case.pk, files, party_id=author, at=at)
    record(
        kind=events.ATTACHED,
        subject=events.subject_of(number_of(case.pk)),
        payload=facts(case) | {"attachments": keys},
        actor=viewer.person_id,
        territory=case.territory,
        at=at,
    )
    return keys


def drop_attachments(case_ids: Sequence[int]) -> int:
    """Let go of the files of requests whose room keeps them no longer, and return how many."""
    found = Attachment.objects.filter(case__in=case_ids)
    count = found.count()
    found.delete()
    return count


@transaction.atomic
def set_told(*, number: str, told: bool, viewer: Viewer, token: str = "") -> None:
    """Have a party told of what happens to a request, or no longer.

    Raises:
        CaseNotFound: the viewer has no place in it.
    """
    case, _, _ = seen_case(viewer, number, token=token)
    party = party_in(viewer, case, token)
    if party is not None:
        Party.objects.filter(pk=party.pk).update(told=told)
