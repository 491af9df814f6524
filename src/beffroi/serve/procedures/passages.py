"""A home looked after while its people are away: the list of the day, what each passage saw, and its end.

Where the home is and until when it is empty are sealed, and opened for the service, the person and whoever she chose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.crypto import get_random_string

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.privacy.sealing import KeyLost, seal, unseal
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, BadCase, Outcome, Sight
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures import events
from beffroi.serve.procedures.answers import told_answer
from beffroi.serve.procedures.declaration import Passages, Procedure
from beffroi.serve.procedures.definition import KIND, RequestInfo
from beffroi.serve.procedures.models import Passage, Request
from beffroi.serve.procedures.opened import declared, open_procedures
from beffroi.serve.procedures.queries import request
from beffroi.serve.procedures.sealed import answers_of

_SALT = "beffroi.procedures.passage"
# What a telephone without network noted is taken later, not what was before.
LATE = timedelta(days=7)


class LinkOver(NotFound):
    """The link of who passes by is none of ours, or the absence it was made for is over."""


@dataclass(frozen=True, slots=True)
class PassageInfo:
    """One passage. `who` is the answer that says who passes, "" for the service; `calm`: it calls for nothing."""

    at: datetime
    who: str
    seen: str
    note: str
    calm: bool


@dataclass(frozen=True, slots=True)
class Home:
    """A home to pass by: where, until when, what was asked of who passes, the last passage."""

    number: str
    procedure: Procedure
    rule: Passages
    address: dict[str, Any]
    first: date
    last: date
    inside: bool
    answers: dict[str, Any]
    passed: PassageInfo | None
    is_due: bool


def homes_of_the_day(viewer: Viewer, territory: str, at: datetime) -> list[Home]:
    """Return the homes to pass by today, those that wait most first, to one who works in the service."""
    mine = case_queries.services_of(viewer, territory)
    found = []
    for use_case, chosen in open_procedures(territory).items():
        if chosen.procedure.passages is not None and chosen.procedure.service in mine:
            found += [one for one in _homes(territory, use_case, chosen.procedure, at) if one is not None]
    return sorted(found, key=lambda one: (not one.is_due, str(one.address["label"])))


def _homes(territory: str, use_case: str, procedure: Procedure, at: datetime) -> Iterator[Home | None]:
    rows = Request.objects.filter(
        case__territory=territory, case__kind=KIND, case__category=use_case,
        case__status__in=[one.value for one in OPEN],
    ).prefetch_related("passages")  # fmt: skip
    for row in rows.order_by("pk"):
        yield home_of(
            case_queries.number_of(row.pk), procedure, answers_of(row), list(row.passages.all()), territory, at
        )


def home_of(
    number: str, procedure: Procedure, answers: dict[str, Any], rows: list[Passage], territory: str, at: datetime
) -> Home | None:
    """Return a home whose people are away on the day of `at`, None on another day or once its answers are erased."""
    rule = procedure.passages
    if rule is None or rule.first not in answers or rule.last not in answers:
        return None
    zone = clock.timezone_of(territory)
    today = at.astimezone(zone).date()
    first, last = date.fromisoformat(answers[rule.first]), date.fromisoformat(answers[rule.last])
    if not first <= today <= last:
        return None
    latest = max(rows, key=lambda one: one.at, default=None)
    due = latest is None or latest.at.astimezone(zone).date() <= today - timedelta(days=rule.every_days)
    handed = answers.get(rule.by) in rule.handed
    return Home(
        number, procedure, rule, dict(answers[rule.address]), first, last, answers.get(rule.inside) is True, answers,
        None if latest is None else _info(latest, rule), due and not handed,
    )  # fmt: skip


def _info(row: Passage, rule: Passages) -> PassageInfo:
    return PassageInfo(row.at, row.who, rule.choices.get(row.seen, row.seen), unseal(row.note), row.seen in rule.calm)


def passages_of(info: RequestInfo) -> list[PassageInfo]:
    """Return the passages of a request that the caller may read, the last first."""
    rule = info.procedure.passages if info.procedure else None
    if rule is None:
        return []
    return [_info(one, rule) for one in Passage.objects.filter(request=info.case.id).order_by("-at", "-pk")]


# --- Noting -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def note_passage(
    *, number: str, seen: str, by: Viewer, at: datetime, done_at: datetime | None = None, note: str = "", key: str = ""
) -> None:
    """Note a passage as an agent of the service, and tell the person; sent twice with its key, it is one.

    Args:
        done_at: when it was done, if a telephone kept it meanwhile.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadCase: nobody is away then, or what was seen is none of what may be.
    """
    cases.require_worker(number=number, by=by)
    _noted(request(by, number), seen=seen, who="", by=by, at=at, done_at=done_at, note=note, key=key)


@transaction.atomic
def note_by_link(*, token: str, seen: str, at: datetime, note: str = "", key: str = "") -> None:
    """Note a passage as the one whom the person chose, by the link she handed over.

    Raises:
        LinkOver: the absence is over, or the link is none of ours.
        BadCase: what was seen is none of what may be.
    """
    home = home_by_link(token, at)
    info = _linked(home.number)
    who = str(home.answers.get(home.rule.by, ""))
    _noted(info, seen=seen, who=who, by=None, at=at, done_at=None, note=note, key=key)


def _noted(
    info: RequestInfo, *, seen: str, who: str, by: Viewer | None, at: datetime, done_at: datetime | None, note: str,
    key: str,
) -> None:  # fmt: skip
    procedure = info.procedure
    rule = procedure.passages if procedure else None
    if procedure is None or rule is None or not info.case.is_open:
        raise BadCase("cette demande n’attend pas de passage", where="seen", remedy="rechargez la liste")
    moment = done_at or at
    if not at - LATE <= moment <= at + timedelta(minutes=5):
        raise BadCase("ce moment n’est pas celui d’un passage", where="done_at", remedy="notez-le à nouveau")
    if home_of(info.number, procedure, dict(info.answers), [], info.case.territory, moment) is None:
        raise BadCase("personne n’est absent ce jour-là", where="seen", remedy="rechargez la liste")
    if seen not in rule.choices:
        raise BadCase("dites ce que vous avez vu", where="seen", remedy="choisissez dans la liste")
    words = clean_text(note, where="note", limit=1000)
    _row, is_new = Passage.objects.get_or_create(
        request_id=info.case.id, key=key[:64] or get_random_string(32),
        defaults={
            "at": moment, "who": who, "person_id": by.person_id if by else None, "seen": seen, "note": seal(words),
        },
    )  # fmt: skip
    if not is_new:
        return
    # Neither the address nor the days: the message goes by mail.
    calm = seen in rule.calm
    told = "Un passage a été fait : rien d’anormal." if calm else f"Un passage a été fait : {rule.choices[seen]}."
    cases.write_to_parties(number=info.number, text=f"{told} Le détail est sur la page de votre demande.", by=by, at=at)
    if not calm and by is None:
        cases.add_note(
            number=info.number, text=f"Passage par une personne choisie : {rule.choices[seen]}", by=None, at=at
        )
    record(
        kind=events.PASSED, subject=subject_of(info.number), payload={"number": info.number, "calm": calm},
        actor=by.person_id if by else None, territory=info.case.territory, at=at,
    )  # fmt: skip


# --- The link of who passes -------------------------------------------------------------------------------------------


def link_token(info: RequestInfo) -> str:
    """Return the token to hand to the one whom the person chose, "" where the service passes."""
    rule = info.procedure.passages if info.procedure else None
    if rule is None or not info.case.is_open or info.answers.get(rule.by) not in rule.handed:
        return ""
    return signing.Signer(salt=_SALT, sep=".").sign(info.number)


def home_by_link(token: str, at: datetime) -> Home:
    """Return the home that a link opens, while its people are away.

    Raises:
        LinkOver: it is none of ours, the absence has not begun or is over, or the request was withdrawn.
    """
    over = LinkOver("ce lien n’ouvre rien aujourd’hui", remedy="l’absence n’a pas commencé, ou elle est finie")
    try:
        number = signing.Signer(salt=_SALT, sep=".").unsign(token)
        info = _linked(number)
    except (signing.BadSignature, NotFound) as error:
        raise over from error
    rule = info.procedure.passages if info.procedure else None
    if rule is None or info.procedure is None or not info.case.is_open or info.answers.get(rule.by) not in rule.handed:
        raise over
    rows = list(Passage.objects.filter(request=info.case.id))
    home = home_of(number, info.procedure, dict(info.answers), rows, info.case.territory, at)
    if home is None:
        raise over
    return home


def _linked(number: str) -> RequestInfo:
    """Return the request that a link names, as the house itself reads it.

    Raises:
        NotFound: there is none.
    """
    row = Request.objects.select_related("case").filter(pk=case_queries.case_id_of(number)).first()
    if row is None:
        raise LinkOver("ce lien n’ouvre rien aujourd’hui", remedy="demandez-en un autre à qui vous l’a donné")
    known = declared(row.case.category)
    case = case_queries.case_info(row.case, Sight.WORKER)
    return RequestInfo(
        case=case, title=known.title if known else "", procedure=known.procedure if known else None,
        answers=answers_of(row), findings={}, proposal="", fees=(), pieces=(),
    )  # fmt: skip


def asked_of_who_passes(home: Home) -> list[tuple[str, str]]:
    """Return the other answers that whoever passes needs: question, answer in words."""
    rule = home.rule
    known = {rule.first, rule.last, rule.address, rule.by, rule.inside}
    return [
        (one.label, told_answer(one, home.answers[one.code]))
        for one in home.procedure.questions()
        if one.code in home.answers and one.code not in known
    ]


# --- The end ----------------------------------------------------------------------------------------------------------


def end_absences(*, at: datetime) -> int:
    """Close the requests whose people came back, as the house; return how many."""
    count = 0
    rows = Request.objects.filter(case__kind=KIND, case__status__in=[one.value for one in OPEN]).exclude(sealed="")
    for row in rows.select_related("case").order_by("pk"):
        known = declared(row.case.category)
        rule = known.procedure.passages if known else None
        last = _last_day(row, rule) if rule else None
        today = at.astimezone(clock.timezone_of(row.case.territory)).date()
        if rule is None or last is None or date.fromisoformat(last) >= today:
            continue
        made = Passage.objects.filter(request=row).count()
        words = (
            f"Votre absence est finie : {made} passages ont été faits. L’adresse, les dates et les passages sont "
            f"effacés dans {rule.keep_days} jours."
        )
        cases.close_case(
            number=case_queries.number_of(row.pk), outcome=Outcome.DONE, reason=words, by=None, at=at, reopen_days=0
        )
        count += 1
    return count


def _last_day(row: Request, rule: Passages) -> str | None:
    """Return the last day of an absence; None while its key is not on this server: it ends once the key is back."""
    try:
        return answers_of(row).get(rule.last)
    except KeyLost:
        return None
