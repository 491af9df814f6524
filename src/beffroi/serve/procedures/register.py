"""A register of people whom the town looks after, at their wish: who is on it, who read their card, how one leaves.

A card is the sealed answers of the request that made it. Nobody is called before she agreed, herself or by the answer
noted by an agent. One request may make two cards: each register is agreed to, and left, on its own.

Source: code de l'action sociale et des familles, art. L121-6-1 and R121-2 to R121-12 (register of people who are frail
in a heat wave: on request, oneself or a third party in writing, one purpose, corrected and left at any time).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.privacy.sealing import seal, unseal
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase, CaseNotFound
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.queries import PartyInfo
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures import events
from beffroi.serve.procedures.answers import told_answer
from beffroi.serve.procedures.declaration import Procedure, Register
from beffroi.serve.procedures.definition import OpenProcedure, RequestInfo
from beffroi.serve.procedures.models import Card, CardReading, Request
from beffroi.serve.procedures.opened import open_procedures
from beffroi.serve.procedures.sealed import answers_of

# Fewer people than that in a category are not told apart in a report.
FEW = 5


class CardGone(NotFound):
    """A card does not exist, was taken off the register, or is of a service the reader does not work in."""


@dataclass(frozen=True, slots=True)
class CardInfo:
    """One person on a register, as its service reads her. `confirmed_at` is None while her agreement is awaited."""

    id: int
    number: str
    use_case: str
    name: str
    phone: str
    address: str
    category: str
    answers: Mapping[str, Any]
    by_other: bool
    since: datetime
    confirmed_at: datetime | None
    confirmed_how: str
    helper: str


@dataclass(frozen=True, slots=True)
class ReadingInfo:
    """A reading of a card: on which day, of the card itself or of a list it stood on. The person sees them all."""

    on: date
    what: str


def registers(viewer: Viewer, territory: str) -> dict[str, OpenProcedure]:
    """Return the registers of the services the viewer works in, by use case."""
    mine = case_queries.services_of(viewer, territory)
    known = open_procedures(territory)
    return {key: one for key, one in known.items() if one.procedure.people and one.procedure.service in mine}


def _chosen(viewer: Viewer, territory: str, use_case: str) -> tuple[OpenProcedure, Register]:
    chosen = registers(viewer, territory).get(use_case)
    rule = chosen.procedure.people if chosen else None
    if chosen is None or rule is None:
        raise CardGone("ce registre n’est pas tenu par vos services", remedy="revenez à la liste des registres")
    return chosen, rule


def _day(territory: str, at: datetime) -> date:
    return at.astimezone(clock.timezone_of(territory)).date()


# --- Entering ---------------------------------------------------------------------------------------------------------


def enter(case_id: int, chosen: OpenProcedure, territory: str, answers: Mapping[str, Any], at: datetime) -> None:
    """Make the card, or the cards, of a request that was just sent, in the transaction of its sending."""
    rule = chosen.procedure.people
    if rule is None:
        return
    by_other = answers.get(rule.by) not in rule.oneself
    found = [chosen.use_case]
    other = open_procedures(territory).get(rule.also)
    # Another register of the same service, at the person's wish.
    if other is not None and other.procedure.service == chosen.procedure.service and answers.get(rule.also_if) is True:
        found.append(rule.also)
    for use_case in found:
        Card.objects.create(
            request_id=case_id, territory=territory, use_case=use_case, by_other=by_other, since=at,
            confirmed_at=None if by_other else at,
        )  # fmt: skip


# --- Reading ----------------------------------------------------------------------------------------------------------


def people(viewer: Viewer, territory: str, use_case: str, *, at: datetime, text: str = "") -> list[CardInfo]:
    """Return the people of a register, those whose agreement is awaited first; each card notes that it was read.

    Raises:
        CardGone: the register is not of a service the viewer works in.
    """
    _chosen(viewer, territory, use_case)
    rows = Card.objects.filter(territory=territory, use_case=use_case).select_related("request__case").order_by("pk")
    infos = [one for one in map(_info, rows) if text.casefold() in one.name.casefold()]
    note_readings([one.id for one in infos], CardReading.LIST, by=viewer, at=at)
    return sorted(infos, key=lambda one: (one.confirmed_at is not None, one.name.casefold()))


def card(viewer: Viewer, key: int, territory: str, *, at: datetime) -> CardInfo:
    """Return one card to its service; it notes that it was read, when and by whom.

    Raises:
        CardGone: there is none, or it is of another service.
    """
    info = _info(_held(viewer, key, territory))
    note_readings([info.id], CardReading.CARD, by=viewer, at=at)
    return info


def _held(viewer: Viewer, key: int, territory: str) -> Card:
    row = Card.objects.select_related("request__case").filter(pk=key, territory=territory).first()
    if row is None or row.use_case not in registers(viewer, territory):
        raise CardGone("cette fiche n’est pas au registre", remedy="revenez à la liste")
    return row


def _info(row: Card) -> CardInfo:
    answers = answers_of(row.request)
    chosen = open_procedures(row.territory).get(row.use_case)
    rule = chosen.procedure.people if chosen else None
    value = {key: answers.get(getattr(rule, key)) for key in ("name", "phone", "address", "category")} if rule else {}
    place = value.get("address")
    return CardInfo(
        int(row.pk), case_queries.number_of(row.request_id), row.use_case, str(value.get("name") or "–"),
        str(value.get("phone") or ""), str(place["label"]) if isinstance(place, Mapping) else "",
        str(value.get("category") or ""), answers, row.by_other, row.since, row.confirmed_at, row.confirmed_how,
        unseal(row.helper),
    )  # fmt: skip


def told_card(procedure: Procedure | None, info: CardInfo) -> list[tuple[str, str]]:
    """Return the whole card: question, answer in words."""
    questions = procedure.questions() if procedure else ()
    return [(one.label, told_answer(one, info.answers[one.code])) for one in questions if one.code in info.answers]


def note_readings(keys: Iterable[int], what: str, *, by: Viewer, at: datetime) -> None:
    """Note that an agent read cards: once a day for each of a list, or of the card itself."""
    rows = [CardReading(card_id=key, person_id=by.person_id, on=at.date(), what=what) for key in keys]
    CardReading.objects.bulk_create(rows, ignore_conflicts=True)


def cards_of(info: RequestInfo) -> list[tuple[CardInfo, list[ReadingInfo]]]:
    """Return the cards of a request that the caller may read, as their person, with every reading of each."""
    if info.procedure is None or info.procedure.people is None:
        return []
    rows = Card.objects.filter(request=info.case.id).select_related("request__case").prefetch_related("readings")
    return [
        (_info(row), sorted((ReadingInfo(one.on, one.what) for one in row.readings.all()), key=_latest))
        for row in rows.order_by("pk")
    ]


def _latest(one: ReadingInfo) -> tuple[int, str]:
    return -one.on.toordinal(), one.what


def report(viewer: Viewer, territory: str, use_case: str) -> tuple[int, list[tuple[str, int | None]]]:
    """Return how many agreed to be on a register, and how many in each category: None for fewer than `FEW`.

    When only one category is so hidden, the next smallest is too, or all of them: the total would give it away.

    Raises:
        CardGone: as `people`.
    """
    chosen, rule = _chosen(viewer, territory, use_case)
    rows = Card.objects.filter(territory=territory, use_case=use_case, confirmed_at__isnull=False)
    answers = [answers_of(row.request) for row in rows.select_related("request")]
    question = chosen.procedure.question(rule.category)
    counts = Counter(str(one.get(rule.category) or "") for one in answers)
    found = [(code, counts.get(code, 0)) for code in (question.choices if question else {})]
    hidden = {code for code, count in found if 0 < count < FEW}
    if len(hidden) == 1:
        shown = [(count, code) for code, count in found if count >= FEW]
        hidden |= {min(shown)[1]} if shown else set(dict(found))
    return len(answers), [
        (question.choices[code], None if code in hidden else count) for code, count in found if question
    ]


# --- Agreeing, helping, leaving ---------------------------------------------------------------------------------------


@transaction.atomic
def confirm(*, card_id: int, how: str, by: Viewer, territory: str, at: datetime) -> None:
    """Note that the person agreed to be on the register, and how she said so.

    Raises:
        CardGone: it is of another service.
        BadCase: how is not said.
    """
    row = _held(by, card_id, territory)
    row.confirmed_how = clean_text(how, where="how", required=True, limit=200)
    row.confirmed_at = at
    row.save(update_fields=["confirmed_at", "confirmed_how"])
    _tell(events.CARD_CONFIRMED, row, by, at)


@transaction.atomic
def match_helper(*, card_id: int, helper: str, by: Viewer, territory: str, at: datetime) -> None:
    """Note who helps a person, "" for nobody any more; what is written is sealed, and the person is told.

    Raises:
        CardGone: it is of another service.
        BadCase: she has not agreed yet, or the text cannot be kept.
    """
    row = _held(by, card_id, territory)
    if row.confirmed_at is None:
        raise BadCase("la personne n’a pas encore donné son accord", where="helper", remedy="notez-le d’abord")
    row.helper = seal(clean_text(helper, where="helper", limit=300))
    row.save(update_fields=["helper"])
    if row.helper:
        text = "Une personne vous aidera : son nom est sur cette page."
        cases.write_to_parties(number=case_queries.number_of(row.request_id), text=text, by=by, at=at)
    _tell(events.CARD_MATCHED, row, by, at)


@transaction.atomic
def strike(*, card_id: int, by: Viewer, territory: str, at: datetime) -> None:
    """Take a person off a register, as its service, at her wish or at her death.

    Raises:
        CardGone: it is of another service.
    """
    _struck(_held(by, card_id, territory), by, at)


@transaction.atomic
def leave_register(*, number: str, card_id: int, viewer: Viewer, at: datetime, token: str = "") -> None:
    """Leave a register, as the one who made its request: the card is erased at once.

    Raises:
        CaseNotFound: she may not know of it.
        CardGone: it is no card of that request.
    """
    place: PartyInfo | None
    if token:
        info, place = case_queries.followed_case(token)
    else:
        info, place = case_queries.case(viewer, number), case_queries.own_place(viewer, number)
    if info.number != number or place is None or not place.made_it:
        raise CaseNotFound("cette demande n’existe pas ou ne vous est pas accessible", where=number)
    row = Card.objects.select_related("request__case").filter(pk=card_id, request=info.id).first()
    if row is None:
        raise CardGone("cette fiche n’est plus au registre", remedy="rechargez la page")
    _struck(row, viewer, at)


def strike_all(case_id: int, *, by: Viewer, at: datetime) -> None:
    """Take off every register what a request entered: it was refused, or withdrawn."""
    for row in Card.objects.select_related("request__case").filter(request=case_id).order_by("pk"):
        _struck(row, by, at)


@transaction.atomic
def withdraw_request(*, number: str, reason: str, viewer: Viewer, at: datetime, token: str = "") -> None:
    """Withdraw a request, as the one who made it, and leave the registers it entered.

    Raises:
        CaseNotFound, Refused, BadMove, BadCase: as `cases.operations.withdraw_case`.
    """
    cases.withdraw_case(number=number, reason=reason, viewer=viewer, token=token, at=at)
    strike_all(case_queries.case_id_of(number), by=viewer, at=at)


def _struck(row: Card, by: Viewer, at: datetime) -> None:
    _tell(events.CARD_STRUCK, row, by, at)
    request = row.request_id
    row.delete()
    if not Card.objects.filter(request=request).exists():
        # The last register left: nothing remains of the card.
        Request.objects.filter(pk=request).update(sealed="", answers={}, findings={})


def _tell(kind: str, row: Card, by: Viewer, at: datetime) -> None:
    number = case_queries.number_of(row.request_id)
    record(
        kind=kind, subject=subject_of(number), payload={"number": number, "register": row.use_case},
        actor=by.person_id, territory=row.territory, at=at,
    )  # fmt: skip
