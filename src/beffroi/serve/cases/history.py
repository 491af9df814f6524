"""The history of a request, step by step and word by word; asked through `queries`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Audience, Outcome, Sight, Status
from beffroi.serve.cases.models import Message, Party, Step
from beffroi.serve.cases.numbers import number_of
from beffroi.serve.cases.rights import seen_case


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


def message_text(message_id: int) -> str:
    """Return what a message says, for the rooms that send it on; never shown as such."""
    return Message.objects.filter(pk=message_id).values_list("text", flat=True).first() or ""
