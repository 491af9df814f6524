"""How a request comes in: one transaction, few statements, sent once however often it is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.registry.statements import Insertion, Question
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.cases import events, pictures, store
from beffroi.serve.cases.definition import (
    AGENT_MANDATES,
    NEVER,
    Access,
    AlreadySent,
    Audience,
    BadCase,
    Mandate,
    MandateKind,
    Requester,
    Status,
    Upload,
)
from beffroi.serve.cases.models import Attachment, Case, Party
from beffroi.serve.cases.numbers import number_of, token_of
from beffroi.serve.cases.words import clean_requester, clean_text

MAX_FILES = 5
_CASES, _PARTIES = Insertion(Case), Insertion(Party)
_KEY = re.compile(r"[\x21-\x7e]{8,64}")


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file made safe and already durable in the store, not yet attached to anything."""

    name: str
    media_type: str
    digest: str
    thumbnail: str
    size_bytes: int
    width_px: int
    height_px: int
    audience: Audience
    purpose: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A request as its maker is told of it. `created` is false when the same sending had already been received."""

    case_id: int
    party_id: int
    number: str
    token: str
    created: bool = True


def prepare_files(uploads: Sequence[Upload], *, documents: bool = False) -> list[PreparedFile]:
    """Make the files safe and durable, before and outside any transaction.

    Raises:
        BadCase: more than five, or one is too big, broken or of a type that is not taken.
    """
    if len(uploads) > MAX_FILES:
        raise BadCase(
            "{count} fichiers joints, {most} au plus",
            where="photo",
            remedy="gardez les plus parlants",
            count=len(uploads),
            most=MAX_FILES,
        )
    prepared = []
    for upload in uploads:
        file = pictures.cleaned(upload, documents=documents)
        digest = store.keep(file.content)
        thumbnail = store.keep(file.thumbnail) if file.thumbnail else ""
        prepared.append(
            PreparedFile(
                file.name,
                file.media_type,
                digest,
                thumbnail,
                len(file.content),
                file.width_px,
                file.height_px,
                upload.audience,
                upload.purpose,
            )
        )
    return prepared


def already_sent(territory: str, idempotency_key: str, *, kind: str, category: str) -> Opened | None:
    """Return what an earlier sending with that key opened, None when there was none.

    Raises:
        BadCase: the key is not eight to 64 printable characters without space.
        AlreadySent: the key served for another kind of request.
    """
    if not idempotency_key:
        return None
    if not _KEY.fullmatch(idempotency_key):
        raise BadCase(
            "clé d’envoi « {key} » illisible",
            where="idempotency_key",
            remedy="donnez de 8 à 64 caractères sans espace, par exemple un UUID",
            key=idempotency_key[:64],
        )
    row = _SENT.first(territory=territory, key=idempotency_key)
    if row is None:
        return None
    party_id, case_id, known_kind, known_category = row
    if (known_kind, known_category) != (kind, category):
        raise AlreadySent(
            "cette clé d’envoi a déjà servi à une autre demande ({number})",
            where="idempotency_key",
            remedy="tirez une nouvelle clé pour chaque demande",
            number=number_of(case_id),
        )
    return Opened(case_id, party_id, number_of(case_id), token_of(party_id), created=False)


_SENT = Question(
    lambda territory, key: (
        Party.objects.filter(case__territory=territory, case__idempotency_key=key)
        .order_by("pk")
        .values_list("pk", "case_id", "case__kind", "case__category")
    )
)


# Its kind's room holds the transaction open: a savepoint more would cost two statements at each request.
@transaction.atomic(savepoint=False)
def open_case(
    *,
    territory: str,
    kind: str,
    category: str,
    service: str,
    requester: Requester,
    at: datetime,
    description: str = "",
    access: Access = Access.PUBLIC,
    mandate: Mandate | None = None,
    due_rule: str = "",
    files: Sequence[PreparedFile] = (),
    held: bool = False,
    published: bool = False,
    planned_on: date | None = None,
    idempotency_key: str = "",
) -> Opened:
    """Take a request in and return its number and its follow-up token; its kind's room adds its own in the transaction.

    Ask :func:`already_sent` first. Two sendings of one key at the same instant: the database lets one pass, the other
    gets an ``IntegrityError`` that the caller answers by asking again.

    Args:
        held: put it aside as doubtful; nobody but its service sees it until someone looks.
        published: show its description and its public files at once, not only once accepted.
        due_rule: the rule of ``rules/`` that gives its due date; none when empty.
        planned_on: the day already agreed with the one who asks: it begins as scheduled.

    Raises:
        BadCase: a text or a contact cannot be kept, or the mandate does not hold.
        UnknownRule: no rule has that name.
    """
    requester = clean_requester(requester)
    _check_mandate(requester, mandate)
    case_id = _CASES.one(
        territory=territory,
        kind=kind,
        category=category,
        service=service,
        access=access,
        status=Status.HELD if held else Status.SCHEDULED if planned_on else Status.RECEIVED,
        planned_on=planned_on,
        description=clean_text(description, where="description"),
        published=published and access is Access.PUBLIC and not held,
        opened_at=at,
        changed_at=at,
        due_rule=due_rule,
        due_at=due_at(due_rule, at, territory),
        idempotency_key=idempotency_key or None,
    )
    party_id = _add_party(case_id, requester, mandate=mandate, made_it=True, at=at)
    attach(case_id, files, party_id=party_id, at=at)
    number = number_of(case_id)
    told = _facts(number, kind=kind, category=category, service=service, access=access)
    record(
        kind=events.OPENED,
        subject=events.subject_of(number),
        payload=told | {"held": held, "mandate": mandate.kind if mandate else ""},
        actor=mandate.by if mandate else requester.person,
        on_behalf_of=requester.person if mandate else None,
        territory=territory,
        at=at,
        new_subject=True,
    )
    return Opened(case_id, party_id, number, token_of(party_id))


def due_at(rule: str, at: datetime, territory: str) -> datetime:
    """Return when a request received at `at` is late, `NEVER` without a rule."""
    if not rule:
        return NEVER
    return clock.due_date(rule, at, region_id=clock.region_of(territory).id).expires_at


def facts(case: Case) -> dict[str, object]:
    """Return what every event of a case says; what only a service may know is not said."""
    return _facts(
        number_of(case.pk), kind=case.kind, category=case.category, service=case.service, access=Access(case.access)
    )


def _facts(number: str, *, kind: str, category: str, service: str, access: Access) -> dict[str, object]:
    return {
        "number": number,
        "case_kind": kind,
        "category": "" if access is Access.SERVICE else category,
        "service": service,
        "access": str(access),
    }


def attach(case_id: int, files: Iterable[PreparedFile], *, party_id: int | None, at: datetime) -> list[int]:
    """Attach prepared files to a case and return their numbers."""
    rows = [
        Attachment(
            case_id=case_id,
            party_id=party_id,
            at=at,
            purpose=file.purpose,
            audience=file.audience,
            name=file.name,
            media_type=file.media_type,
            digest=file.digest,
            thumbnail=file.thumbnail,
            size_bytes=file.size_bytes,
            width_px=file.width_px,
            height_px=file.height_px,
        )
        for file in files
    ]
    return [int(row.pk) for row in Attachment.objects.bulk_create(rows)] if rows else []


def mandate_of(viewer: Viewer, territory: str, kind: MandateKind, *, reference: str = "") -> Mandate:
    """Return the mandate by which the viewer files for somebody else.

    Raises:
        Refused: she is not signed in, or takes the part of an agent of a town she does not work for.
    """
    if viewer.person_id is None or (kind in AGENT_MANDATES and AGENTS not in viewer.clearances(territory)):
        raise Refused(
            "vous ne pouvez pas déposer ainsi pour quelqu’un d’autre",
            where="mandate",
            remedy="connectez-vous ; le guichet et le téléphone sont réservés aux agents de la commune",
        )
    return Mandate(kind, viewer.person_id, reference)


def _check_mandate(requester: Requester, mandate: Mandate | None) -> None:
    if mandate is None:
        return
    if mandate.by == requester.person:
        raise BadCase(
            "on ne dépose pas pour soi-même sous mandat", where="mandate", remedy="déposez en votre nom, sans mandat"
        )
    if mandate.kind not in AGENT_MANDATES and not mandate.reference.strip():
        raise BadCase(
            "la référence du mandat manque",
            where="mandate",
            remedy="indiquez la date du mandat signé et où il est gardé",
        )
    if not (requester.name or requester.person):
        raise BadCase("le nom de la personne aidée manque", where="name", remedy="indiquez pour qui vous déposez")


def _add_party(case_id: int, requester: Requester, *, mandate: Mandate | None, made_it: bool, at: datetime) -> int:
    return _PARTIES.one(
        case_id=case_id,
        person_id=requester.person,
        made_it=made_it,
        name=requester.name,
        email=requester.email,
        phone=requester.phone,
        language=requester.language,
        filed_by_id=mandate.by if mandate else None,
        mandate=mandate.kind if mandate else "",
        mandate_reference=clean_text(mandate.reference, where="mandate", limit=200) if mandate else "",
        since=at,
    )


@transaction.atomic
def follow_case(
    case_id: int, *, requester: Requester, at: datetime, files: Sequence[PreparedFile] = (), text: str = ""
) -> Opened:
    """Have somebody else follow a case, with her own thread, files and token; one who does already gets hers again.

    The caller has checked that she may know of it.
    """
    from beffroi.serve.cases.threads import add_party_message

    requester = clean_requester(requester)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
    # An address typed by a stranger never leads to the thread of the one whose address it is: only an account does.
    known = None
    if requester.person is not None:
        known = Party.objects.filter(case=case, person=requester.person).order_by("pk").first()
    party_id = known.pk if known else _add_party(case_id, requester, mandate=None, made_it=False, at=at)
    attach(case_id, files, party_id=party_id, at=at)
    if text.strip():
        add_party_message(case, known or Party.objects.get(pk=party_id), text, at=at)
    number = number_of(case.pk)
    if known is None:
        record(
            kind=events.FOLLOWED,
            subject=events.subject_of(number),
            payload=facts(case) | {"party": party_id},
            actor=requester.person,
            territory=case.territory,
            at=at,
        )
    return Opened(case_id, party_id, number, token_of(party_id), created=known is None)
