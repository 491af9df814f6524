"""How a procedure is sent: checked whole against its file, then written in one short transaction, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from beffroi.base.clock import queries as clock
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import Access, BadCase, Mandate, Requester
from beffroi.serve.cases.operations import Opened, PreparedFile
from beffroi.serve.procedures import drafts, fees, register
from beffroi.serve.procedures.answers import checked_answers, proposal_of
from beffroi.serve.procedures.definition import KIND, OpenProcedure
from beffroi.serve.procedures.kept import keep_pieces
from beffroi.serve.procedures.models import Draft, Request
from beffroi.serve.procedures.opened import procedure_for
from beffroi.serve.procedures.sealed import written
from beffroi.serve.procedures.sites import place_of

# What stands for the name of one who enters a register: the card says who, sealed.
ON_A_REGISTER = "Fiche chiffrée"


def file_request(
    *,
    territory: str,
    use_case: str,
    answers: Mapping[str, Any],
    requester: Requester,
    at: datetime,
    files: Sequence[PreparedFile] = (),
    mandate: Mandate | None = None,
    idempotency_key: str = "",
) -> Opened:
    """Take a request in and return its number and its follow-up token; sent again with its key, it is the same one.

    Args:
        answers: by code of question, documents left out.
        files: documents, made safe by `cases.prepare_files`; the `purpose` of each is the code of its question.
        mandate: from `cases.operations.mandate_of`, when it is filed for somebody else.

    Raises:
        UnknownProcedure: it is not open in the town.
        BadCase: an answer, a document or a contact is missing or cannot be kept; `where` names it.
        AlreadySent: the key served for another kind of request.
    """
    known = cases.already_sent(territory, idempotency_key, kind=KIND, category=use_case)
    if known is not None:
        return known
    chosen = procedure_for(territory, use_case)
    return file_in(
        chosen, territory=territory, answers=answers, requester=requester, at=at, files=files, mandate=mandate,
        idempotency_key=idempotency_key,
    )  # fmt: skip


def file_in(
    chosen: OpenProcedure,
    *,
    territory: str,
    answers: Mapping[str, Any],
    requester: Requester,
    at: datetime,
    files: Sequence[PreparedFile] = (),
    mandate: Mandate | None = None,
    idempotency_key: str = "",
) -> Opened:
    """Take a request in by a procedure already chosen; see `file_request`."""
    procedure = chosen.procedure
    today = at.astimezone(clock.timezone_of(territory)).date()
    kept = checked_answers(procedure, answers, today=today, files=Counter(one.purpose for one in files))
    # Refused while the form can still be corrected.
    place_of(procedure, kept)
    asked = {one.code for one in procedure.documents}
    _check_requester(chosen, requester, mandate)
    if procedure.people is not None:
        requester = _unnamed(requester)
    try:
        with transaction.atomic():
            opened = cases.open_case(
                territory=territory,
                kind=KIND,
                category=chosen.use_case,
                service=procedure.service,
                requester=requester,
                at=at,
                access=Access.SERVICE,
                mandate=mandate,
                due_rule=procedure.due_for(kept),
                files=[one for one in files if one.purpose in asked],
                idempotency_key=idempotency_key,
            )
            told = fees.fees_of(procedure, kept, on=today, files={one.purpose for one in files})
            Request.objects.create(
                case_id=opened.case_id,
                proposal=proposal_of(procedure, kept),
                fees=fees.kept(told),
                **written(procedure, kept),
            )
            register.enter(opened.case_id, chosen, territory, kept, at)
            Draft.objects.filter(key=idempotency_key, territory=territory).delete()
    except IntegrityError:
        # Two sendings of one key at the same instant: the other was first.
        known = cases.already_sent(territory, idempotency_key, kind=KIND, category=chosen.use_case)
        if known is None:
            raise
        return known
    return opened


def _unnamed(requester: Requester) -> Requester:
    """Return who enters a register as it may be kept in clear: an account, never a name, a mail or a phone.

    The base alone would else tell who is on the register; who holds no account follows it by the link of the receipt.
    """
    return Requester(requester.person, name=ON_A_REGISTER, language=requester.language)


def _check_requester(chosen: OpenProcedure, requester: Requester, mandate: Mandate | None) -> None:
    if not requester.name.strip():
        raise BadCase("votre nom manque", where="name", remedy="écrivez-le comme sur vos papiers")
    if chosen.procedure.account and requester.person is None and mandate is None:
        raise BadCase("cette démarche demande un compte", where="name", remedy="connectez-vous, ou venez à la mairie")
    # The card of a register says, sealed, how to reach the person.
    named = chosen.procedure.people is None
    if mandate is None and named and not (requester.email or requester.phone or requester.person):
        raise BadCase(
            "ni adresse électronique ni téléphone : le service ne pourrait pas vous joindre", where="email",
            remedy="donnez l’un ou l’autre",
        )  # fmt: skip


def send_draft(
    key: str,
    *,
    territory: str,
    use_case: str,
    answers: Mapping[str, Any],
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    mandate: Mandate | None = None,
    keep: bool = False,
) -> Opened:
    """Send a form under way with the files it holds, and let go of it; sent again, it is the same request.

    Args:
        keep: its owner agrees that the documents that can serve again be kept for her next requests.

    Raises:
        DraftGone: there is none of hers, and none was sent under that key.
        UnknownProcedure, BadCase: as `file_request`.
    """
    known = cases.already_sent(territory, key, kind=KIND, category=use_case)
    if known is not None:
        return known
    held = drafts.draft(key, territory=territory, viewer=viewer, at=at)
    opened = file_request(
        territory=territory, use_case=held.use_case, answers=answers, requester=requester, at=at,
        files=drafts.sent_files(held), mandate=mandate, idempotency_key=held.key,
    )  # fmt: skip
    if keep:
        keep_pieces(procedure_for(territory, held.use_case).procedure, held, viewer=viewer, at=at)
    return opened
