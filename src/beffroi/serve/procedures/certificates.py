"""Documents handed out: made, sealed, withdrawn, and checked by whoever holds their code."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Audience, Upload
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.mails import domain_of, page_url
from beffroi.serve.cases.operations import PreparedFile
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures import events, seal
from beffroi.serve.procedures.answers import told_answer
from beffroi.serve.procedures.declaration import Delivery, Procedure
from beffroi.serve.procedures.definition import CertificateInfo, RequestInfo
from beffroi.serve.procedures.models import Certificate
from beffroi.serve.procedures.paper import Paper, document_pdf

PURPOSE = "document"
CHECK_PAGE = "portal:verify"
# Crockford's alphabet, as for the numbers of requests: nothing is misread on paper. 20 letters are 100 bits.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


class UnknownCertificate(NotFound):
    """No document of the town bears this code."""


def new_code() -> str:
    """Return a code drawn at random, in four groups of five."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
    return "-".join(letters[start : start + 5] for start in range(0, 20, 5))


def read_code(text: str) -> str:
    """Return a code as it was given, however it was typed; "" when it is none.

    >>> read_code(" 7k2m9 00000 ooooo 11111 ")
    '7K2M9-00000-00000-11111'
    """
    letters = "".join(one for one in text.upper().translate(_READ_AS) if one in _LETTERS)
    return "-".join(letters[start : start + 5] for start in range(0, 20, 5)) if len(letters) == 20 else ""


def made(info: RequestInfo, procedure: Procedure, delivery: Delivery, *, findings: Mapping[str, Any], author: str,
         holder: str, at: datetime) -> tuple[Certificate, PreparedFile]:  # fmt: skip
    """Return the document of a request, its file durable in the store, its row not yet written."""
    territory, code = info.case.territory, new_code()
    facts = facts_of(procedure, delivery, {**info.answers, **findings})
    until = _valid_until(delivery, territory, at)
    paper = Paper(
        title=delivery.title, town=territory_queries.territory(territory).name, territory=territory,
        service=service_name(territory, info.case.service), number=info.number, holder=holder, text=delivery.text,
        article=delivery.article, facts=facts, issued_at=at, valid_until=until, author=author, code=code,
        check_url=check_url(territory, code),
    )  # fmt: skip
    content = document_pdf(paper)
    name = f"{delivery.title.lower().replace(' ', '-').replace('’', '-')}-{info.number}.pdf"
    (file,) = cases.prepare_files([Upload(name, content, Audience.PARTIES, PURPOSE)], documents=True)
    digest = hashlib.sha256(content).hexdigest()
    row = Certificate(
        request_id=info.case.id, code=code, territory=territory, title=delivery.title, number=info.number,
        issued_at=at, valid_until=until, digest=digest, facts=[list(one) for one in facts],
        signature=seal.seal(_words(code, territory, info.number, at, digest), key=settings.SEAL_KEY),
    )  # fmt: skip
    return row, file


def facts_of(procedure: Procedure, delivery: Delivery, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is printed of a request: question and answer; what was not asked is left out."""
    found = [(procedure.question(code), values.get(code)) for code in delivery.facts]
    return [(one.label, told_answer(one, value)) for one, value in found if one is not None and value is not None]


def _valid_until(delivery: Delivery, territory: str, at: datetime) -> date | None:
    if delivery.valid_years is None:
        return None
    day = at.astimezone(clock.timezone_of(territory)).date()
    # The same day, years later; the 29th of February ends on the 28th.
    last = 28 if (day.month, day.day) == (2, 29) else day.day
    return day.replace(year=day.year + delivery.valid_years, day=last)


def service_name(territory: str, slug: str) -> str:
    return next((one.name for one in territory_queries.services(territory) if one.slug == slug), slug)


def check_url(territory: str, code: str) -> str:
    """Return the whole address where a code is checked, as it is printed."""
    return page_url(territory, CHECK_PAGE, code) or f"https://{domain_of(territory)}/verifier/{code}/"


def _words(code: str, territory: str, number: str, at: datetime, digest: str) -> bytes:
    return seal.sealed_words(code=code, territory=territory, number=number, issued_at=at, digest=digest)


def certificate(code: str, *, territory: str) -> CertificateInfo:
    """Return a document of the town by the code it bears.

    Raises:
        UnknownCertificate: none bears it.
    """
    row = Certificate.objects.filter(code=read_code(code), territory=territory).first() if read_code(code) else None
    if row is None:
        raise UnknownCertificate(
            "aucun document de la commune ne porte ce code",
            remedy="vérifiez les vingt lettres et chiffres imprimés sous le document",
        )
    return _info(row)


def certificates_of(number: str) -> list[CertificateInfo]:
    """Return the documents handed out for a request, the last first. The caller may read the request."""
    rows = Certificate.objects.filter(request=case_queries.case_id_of(number))
    return [_info(row) for row in rows.order_by("-issued_at", "-pk")]


def seal_holds(info: CertificateInfo) -> bool:
    """Tell whether the seal kept for a document is this installation's and is of what is said of it."""
    words = _words(info.code, info.territory, info.number, info.issued_at, info.digest)
    return seal.is_ours(words, info.signature, key=settings.SEAL_KEY)


def is_same_file(info: CertificateInfo, content: bytes) -> bool:
    """Tell whether a file is, to the byte, the one that was handed out."""
    return secrets.compare_digest(hashlib.sha256(content).hexdigest(), info.digest)


def public_key() -> bytes:
    """Return the public key of the seal (PEM)."""
    return seal.public_key_pem(settings.SEAL_KEY)


@transaction.atomic
def withdraw_certificate(*, number: str, reason: str, by: Viewer, at: datetime) -> int:
    """Say that the documents handed out for a request stand no more, and tell its maker why; return how many.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadCase: no reason is given.
    """
    cases.require_worker(number=number, by=by)
    reason = clean_text(reason, where="reason", required=True, limit=300)
    rows = Certificate.objects.filter(request=case_queries.case_id_of(number), withdrawn_at=None)
    count = rows.update(withdrawn_at=at, withdrawn_because=reason)
    if count:
        text = f"Le document remis pour votre demande ne vaut plus. Motif : {reason}"
        cases.write_to_parties(number=number, text=text, by=by, at=at)
        record(
            kind=events.CERTIFICATE_WITHDRAWN, subject=subject_of(number), payload={"number": number},
            actor=by.person_id, territory=case_queries.case(by, number).territory, at=at,
        )  # fmt: skip
    return count


def _info(row: Certificate) -> CertificateInfo:
    return CertificateInfo(
        row.code, row.territory, row.title, row.number, row.issued_at, row.valid_until, row.digest, row.signature,
        tuple((name, value) for name, value in row.facts), row.withdrawn_at, row.withdrawn_because,
    )  # fmt: skip
