"""What an agent does with a request: corrects it, asks for a document, notes what she found, decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase, Outcome
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.operations import PreparedFile
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures import certificates, events, fees, register, site_works
from beffroi.serve.procedures.answers import checked_answers, checked_findings, proposal_of, told_answer
from beffroi.serve.procedures.declaration import Decision, Procedure
from beffroi.serve.procedures.definition import BadDecision, RequestInfo
from beffroi.serve.procedures.delays import appeal_notice
from beffroi.serve.procedures.models import Certificate, Change, Piece, Request
from beffroi.serve.procedures.queries import request
from beffroi.serve.procedures.sealed import written
from beffroi.serve.procedures.sites import place_of

OTHER_PIECE = "autre"
# The time given to bring a document when the agent says nothing.
PIECE_DAYS = 15


def _tell(kind: str, number: str, by: Viewer | None, at: datetime, territory: str, **payload: Any) -> None:
    record(
        kind=kind, subject=subject_of(number), payload={"number": number, **payload},
        actor=by.person_id if by else None, territory=territory, at=at,
    )  # fmt: skip


def _worked(number: str, by: Viewer) -> tuple[RequestInfo, Procedure]:
    """Return a request whose lock the caller's transaction holds, to one who works in its service.

    Raises:
        CaseNotFound, Refused: she does not.
        BadDecision: its procedure is no longer declared.
    """
    cases.require_worker(number=number, by=by)
    Request.objects.select_for_update(of=("self",)).filter(pk=case_queries.case_id_of(number)).first()
    info = request(by, number)
    if info.procedure is None:
        raise BadDecision(
            "la démarche « {id} » n’est plus décrite par aucun fichier", where=number,
            remedy="écrivez à l’habitant, ou remettez son fichier", id=info.case.category,
        )  # fmt: skip
    return info, info.procedure


# --- Answers ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def edit_answers(*, number: str, answers: Mapping[str, Any], reason: str, by: Viewer, at: datetime) -> list[str]:
    """Correct the answers of an open request and tell its maker what changed and why; return the codes that did.

    Args:
        answers: those that change, by code; None takes one away.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadDecision: it is closed.
        BadCase: an answer cannot be, or no reason is given.
    """
    info, procedure = _worked(number, by)
    if not info.case.is_open:
        raise BadDecision("cette demande est close", where=number, remedy="rouvrez-la avant de la corriger")
    reason = clean_text(reason, where="reason", required=True, limit=1000)
    given = {code: value for code, value in {**info.answers, **answers}.items() if value is not None}
    # A date was judged on the day it was sent: an old one must not block the correction of another answer.
    kept = checked_answers(procedure, given, today=_day(info.case.territory, info.case.opened_at))
    place_of(procedure, kept)
    codes = sorted({*kept, *info.answers})
    changes = [
        {"code": code, "before": info.answers.get(code), "after": kept.get(code)}
        for code in codes
        if info.answers.get(code) != kept.get(code)
    ]
    if not changes:
        raise BadCase("rien ne change", where="answers", remedy="corrigez une réponse, ou écrivez à l’habitant")
    Request.objects.filter(pk=info.case.id).update(
        proposal=proposal_of(procedure, kept), fees=_fees(info, procedure, kept, info.findings, by),
        **written(procedure, kept),
    )  # fmt: skip
    if procedure.sealed:
        # What was sealed is not written again in clear: that it changed is told, its words are read on the page.
        changes = [{"code": one["code"], "before": None, "after": None} for one in changes]
    Change.objects.create(request_id=info.case.id, at=at, author_id=by.person_id, changes=changes, reason=reason)
    lines = [_change_line(procedure, one) for one in changes]
    text = "\n".join(["Le service a corrigé votre demande :", *lines, f"Motif : {reason}"])
    cases.write_to_parties(number=number, text=text, by=by, at=at)
    _tell(events.ANSWERS_EDITED, number, by, at, info.case.territory, codes=[str(one["code"]) for one in changes])
    return [str(one["code"]) for one in changes]


def _fees(
    info: RequestInfo, procedure: Procedure, answers: Mapping[str, Any], findings: Mapping[str, Any], by: Viewer
) -> list[dict[str, Any]]:
    """Return what the request costs now, by the tariffs of the day it was sent."""
    if not procedure.fee:
        return []
    files = {one.purpose for one in case_queries.attachments(by, info.number)}
    day = _day(info.case.territory, info.case.opened_at)
    return fees.kept(fees.fees_of(procedure, answers, on=day, files=files, findings=findings))


def _change_line(procedure: Procedure, change: Mapping[str, Any]) -> str:
    question = procedure.question(str(change["code"]))
    if question is None:
        return f"– {change['code']}"
    if procedure.sealed:
        return f"– {question.label} : corrigé, à lire sur la page de votre demande"

    def word(value: Any) -> str:
        return "sans réponse" if value is None else f"« {told_answer(question, value)} »"

    return f"– {question.label} {word(change['before'])} devient {word(change['after'])}"


def _day(territory: str, at: datetime) -> date:
    return at.astimezone(clock.timezone_of(territory)).date()


# --- Documents --------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_piece(
    *, number: str, code: str, by: Viewer, at: datetime, label: str = "", text: str = "", until: date | None = None
) -> int:
    """Ask the maker of a request for a document and return its number; the count of silence stops meanwhile.

    Args:
        code: a document of the procedure, or ``autre``, which `label` then names.
        until: the last day to bring it (fifteen days by default).

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadCase: no such document, no name, or a day that is past.
        BadMove: the request is closed.
    """
    info, procedure = _worked(number, by)
    known = next((one for one in procedure.documents if one.code == code), None)
    if known is None and code != OTHER_PIECE:
        raise BadCase(
            "cette démarche ne connaît pas la pièce « {code} »",
            where="code",
            remedy="choisissez dans la liste",
            code=code[:40],
        )
    name = known.label if known else clean_text(label, where="label", required=True, limit=200)
    today = _day(info.case.territory, at)
    last = until or today + timedelta(days=PIECE_DAYS)
    if last < today:
        raise BadCase(
            "le {day} est passé", where="until", remedy="laissez au moins quelques jours", day=last.isoformat()
        )
    row = Piece.objects.create(request_id=info.case.id, code=code, label=name, asked_at=at, until=last)
    words = [f"Il nous faut encore une pièce, d’ici le {last:%d/%m/%Y} : {name}", clean_text(text, where="text"),
             "Joignez-la sur la page de suivi de votre demande, ou apportez-la à la mairie."]  # fmt: skip
    cases.write_to_parties(number=number, text="\n".join(filter(None, words)), by=by, at=at, ask=True)
    _tell(events.PIECE_ASKED, number, by, at, info.case.territory, piece=int(row.pk), until=last.isoformat())
    return int(row.pk)


@transaction.atomic
def supply_piece(
    *, number: str, piece: int, files: Sequence[PreparedFile], viewer: Viewer, at: datetime, token: str = ""
) -> None:
    """Bring a document that was asked for, as the maker of the request; the last one sends it back to work.

    Raises:
        CaseNotFound: she may not know of it.
        BadCase: nothing is brought, or that document is not awaited.
    """
    info = request(viewer, number, token=token)
    row = Piece.objects.select_for_update(of=("self",)).filter(pk=piece, request=info.case.id, supplied_at=None).first()
    if row is None:
        raise BadCase("cette pièce n’est pas attendue", where="piece", remedy="rechargez la page")
    if not files:
        raise BadCase("aucun fichier n’est joint", where="files", remedy="choisissez une photo ou un PDF")
    cases.attach_files(number=number, files=files, viewer=viewer, token=token, at=at)
    row.supplied_at = at
    row.save(update_fields=["supplied_at"])
    if Piece.objects.filter(request=info.case.id, supplied_at=None).exists():
        cases.add_note(number=number, text=f"Pièce reçue : {row.label}", by=None, at=at)
    else:
        cases.write_to_service(number=number, text=f"Pièce jointe : {row.label}", viewer=viewer, token=token, at=at)
    _tell(events.PIECE_SUPPLIED, number, viewer, at, info.case.territory, piece=int(row.pk))


# --- Decision ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def record_findings(*, number: str, findings: Mapping[str, Any], by: Viewer, at: datetime) -> None:
    """Note what the service found, on the spot or on file; what is given replaces what was, None takes it away.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadDecision: it is closed.
        BadCase: a finding cannot be.
    """
    info, procedure = _worked(number, by)
    if not info.case.is_open:
        raise BadDecision("cette demande est close", where=number, remedy="rouvrez-la d’abord")
    merged = {code: value for code, value in {**info.findings, **findings}.items() if value not in (None, "")}
    kept = checked_findings(procedure.finding, merged, today=_day(info.case.territory, at))
    Request.objects.filter(pk=info.case.id).update(findings=kept, fees=_fees(info, procedure, info.answers, kept, by))
    _tell(events.FINDINGS_RECORDED, number, by, at, info.case.territory, codes=sorted(kept))


def decide(*, number: str, decision: str, by: Viewer, at: datetime, reason: str = "", quality: str = "") -> str:
    """End a request by one of the decisions of its procedure; return the code of the document handed out, or "".

    Args:
        reason: in the agent's words, read by the maker; a refusal cannot do without.
        quality: in what capacity she decides, beside her name (« responsable du service »).

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadMove: it is closed.
        BadDecision: no such decision, a finding or the reason is missing.
    """
    with transaction.atomic():
        info, procedure = _worked(number, by)
    chosen = procedure.decision_named(decision)
    if chosen is None:
        raise BadDecision(
            "cette démarche ne connaît pas cette décision", where="decision", remedy="choisissez-en une autre"
        )
    _check_ready(info, procedure, chosen, reason)
    author = _author(info, by, quality)
    letter = _letter(info, procedure, chosen, clean_text(reason, where="reason"), author, at)
    row, files = None, []
    if chosen.delivers and procedure.delivery is not None:
        row, file = certificates.made(
            info, procedure, procedure.delivery, findings=info.findings, author=author, holder=holder_of(by, number),
            at=at,
        )  # fmt: skip
        files = [file]
    with transaction.atomic():
        cases.close_case(
            number=number, outcome=Outcome(chosen.outcome), reason=letter, by=by, at=at, files=files,
            reopen_days=chosen.reopen_days,
        )  # fmt: skip
        if row is not None:
            # What was handed out before, if the request was reopened, stands no more.
            Certificate.objects.filter(request=info.case.id, withdrawn_at=None).update(
                withdrawn_at=at, withdrawn_because=f"Remplacé par le document {row.code}"
            )
            row.save(force_insert=True)
            site_works.announce(info, procedure, by=by, at=at)
        if chosen.outcome == "refused":
            register.strike_all(info.case.id, by=by, at=at)
        code = row.code if row else ""
        _tell(events.DECIDED, number, by, at, info.case.territory, decision=chosen.code, certificate=code)
    return code


def _check_ready(info: RequestInfo, procedure: Procedure, chosen: Decision, reason: str) -> None:
    for code in chosen.needs:
        if code not in info.findings:
            question = procedure.question(code)
            raise BadDecision(
                "il manque un constat : {label}", where=code, remedy="notez-le avant de décider",
                label=question.label if question else code,
            )  # fmt: skip
    if chosen.reason and len(reason.strip()) < 10:
        raise BadDecision(
            "cette décision doit être motivée", where="reason",
            remedy="dites en une phrase ou deux les faits et la règle qui la fondent (CRPA, art. L211-2 et L211-5)",
        )  # fmt: skip


def _author(info: RequestInfo, by: Viewer, quality: str) -> str:
    """Return by whom a decision is taken: told by a teleservice, it needs no signature but names its author.

    Source: CRPA, art. L212-1 and L212-2; Conseil d'État, avis 489189 of 5 March 2024.
    """
    service = certificates.service_name(info.case.territory, info.case.service)
    name = ""
    if by.person_id is not None:
        known = territory_queries.person(by.person_id)
        name = known.name or known.email
    quality = clean_text(quality, where="quality", limit=100)
    return ", ".join(filter(None, ("Pour le maire", name, quality, f"service {service}")))


def holder_of(by: Viewer, number: str) -> str:
    """Return the name of the one a request is for, as its service knows it."""
    return next((one.name for one in case_queries.parties(by, number) if one.made_it), "") or "–"


def _letter(info: RequestInfo, procedure: Procedure, chosen: Decision, reason: str, author: str, at: datetime) -> str:
    words = chosen.letter.replace("{numero}", info.number).replace("{titre}", info.title)
    words = words.replace("{proposition}", info.proposal).replace("{tarif}", fees.told_fees(info.fees))
    for code, value in info.findings.items():
        question = procedure.question(code)
        words = words.replace(f"{{{code}}}", told_answer(question, value) if question else str(value))
    words = words.replace("{motif}", reason) if "{motif}" in words else "\n\n".join(filter(None, (words, reason)))
    parts = [words, author]
    if chosen.appeal:
        parts.append(appeal_notice(info.case.territory, at))
    return "\n\n".join(parts)
