"""Call rounds of a register during an alert, and what the people called, or the people themselves, ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.privacy.sealing import seal, unseal
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures import events
from beffroi.serve.procedures.models import Call, CallRound, Card, CardReading, Need
from beffroi.serve.procedures.opened import open_procedures
from beffroi.serve.procedures.register import CardGone, CardInfo, _chosen, _held, _info, note_readings

# Called again so many hours after nobody answered; a third call without answer asks for a visit.
RETRY_HOURS, MOST_CALLS = 2, 3
OUTCOMES = {
    "well": gettext_noop("Elle va bien"),
    "need": gettext_noop("Elle a besoin de quelque chose"),
    "absent": gettext_noop("Pas de réponse"),
    "visit": gettext_noop("Inquiétant : y aller"),
    "rescue": gettext_noop("Secours appelés (15 ou 112)"),
}
# After these, she is not called again in the round.
REACHED = frozenset({"well", "need", "rescue"})


class RoundGone(NotFound):
    """A round does not exist, or is of a register the reader does not keep."""


@dataclass(frozen=True, slots=True)
class RoundInfo:
    """A round of calls: of which register, why, and since when; None for `closed_at` while it goes on."""

    id: int
    use_case: str
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    people: int
    reached: int


@dataclass(frozen=True, slots=True)
class CallInfo:
    """One call."""

    at: datetime
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class ToCall:
    """One person of a round, what her calls gave, and where she stands.

    `state`: ``to-call``, ``later`` (nobody answered, called again at `retry_at`), ``visit``, ``done``.
    """

    card: CardInfo
    calls: tuple[CallInfo, ...]
    state: str
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class NeedInfo:
    """Something asked for: water, a lift, a visit; `taken_at` and `done_at` are None until then."""

    id: int
    card: int
    kind: str
    note: str
    asked_at: datetime
    by_person: bool
    taken_at: datetime | None
    done_at: datetime | None
    name: str = ""
    address: str = ""


# --- Rounds -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def open_round(*, use_case: str, reason: str, by: Viewer, territory: str, at: datetime) -> int:
    """Begin to call the people of a register who agreed, and return the number of the round; one goes on at a time.

    Raises:
        CardGone: the register is not of a service `by` works in.
        BadCase: a round goes on, nobody agreed, or no reason is given.
    """
    _chosen(by, territory, use_case)
    words = clean_text(reason, where="reason", required=True, limit=200)
    # The cards are locked: two agents would each begin the same round.
    cards = Card.objects.select_for_update().filter(territory=territory, use_case=use_case, confirmed_at__isnull=False)
    if not list(cards.values_list("pk", flat=True)):
        raise BadCase("personne n’a encore donné son accord", where="reason", remedy="notez les accords d’abord")
    if CallRound.objects.filter(territory=territory, use_case=use_case, closed_at=None).exists():
        raise BadCase("des appels sont déjà en cours", where="reason", remedy="finissez-les d’abord")
    row = CallRound.objects.create(
        territory=territory, use_case=use_case, reason=words, opened_at=at, opened_by_id=by.person_id
    )
    _tell(events.ROUND_OPENED, row, by, at)
    return int(row.pk)


@transaction.atomic
def close_round(*, round_id: int, by: Viewer, territory: str, at: datetime) -> None:
    """End a round.

    Raises:
        RoundGone: there is none of the reader's registers.
    """
    row = _round(by, round_id, territory)
    row.closed_at = row.closed_at or at
    row.save(update_fields=["closed_at"])
    _tell(events.ROUND_CLOSED, row, by, at)


def rounds(viewer: Viewer, territory: str, use_case: str) -> list[RoundInfo]:
    """Return the rounds of a register, the last first.

    Raises:
        CardGone: it is not of a service the viewer works in.
    """
    _chosen(viewer, territory, use_case)
    return [_told(row) for row in CallRound.objects.filter(territory=territory, use_case=use_case).order_by("-pk")[:20]]


def _told(row: CallRound) -> RoundInfo:
    cards = Card.objects.filter(territory=row.territory, use_case=row.use_case, confirmed_at__isnull=False)
    reached = Call.objects.filter(round=row, outcome__in=REACHED).values("card").distinct().count()
    return RoundInfo(
        int(row.pk), row.use_case, row.reason, row.opened_at, row.closed_at, max(cards.count(), reached), reached
    )


def _round(viewer: Viewer, key: int, territory: str) -> CallRound:
    row = CallRound.objects.filter(pk=key, territory=territory).first()
    try:
        if row is not None:
            _chosen(viewer, territory, row.use_case)
    except CardGone:
        row = None
    if row is None:
        raise RoundGone("ces appels n’existent pas ici", remedy="revenez aux registres")
    return row


def round_list(viewer: Viewer, round_id: int, territory: str, *, at: datetime) -> tuple[RoundInfo, list[ToCall]]:
    """Return a round and whom to call, in order: visits, then to call, then to call again, then done.

    Raises:
        RoundGone: there is none of the reader's registers.
    """
    row = _round(viewer, round_id, territory)
    cards = Card.objects.filter(territory=territory, use_case=row.use_case, confirmed_at__isnull=False)
    calls: dict[int, list[Call]] = {}
    for call in Call.objects.filter(round=row).order_by("at", "pk"):
        calls.setdefault(call.card_id, []).append(call)
    found = [_to_call(_info(one), calls.get(one.pk, []), at) for one in cards.select_related("request__case")]
    note_readings([one.card.id for one in found], CardReading.CALL, by=viewer, at=at)
    order = {"visit": 0, "to-call": 1, "later": 2, "done": 3}
    return _told(row), sorted(found, key=lambda one: (order[one.state], one.card.name.casefold()))


def _to_call(card: CardInfo, calls: list[Call], at: datetime) -> ToCall:
    told = tuple(CallInfo(one.at, one.outcome, unseal(one.note)) for one in calls)
    if not calls:
        return ToCall(card, told, "to-call", None)
    last = calls[-1]
    if last.outcome in REACHED:
        return ToCall(card, told, "done", None)
    unanswered = sum(one.outcome == "absent" for one in calls)
    if last.outcome == "visit" or unanswered >= MOST_CALLS:
        return ToCall(card, told, "visit", None)
    retry = last.at + timedelta(hours=RETRY_HOURS)
    return ToCall(card, told, "later" if retry > at else "to-call", retry)


@transaction.atomic
def note_call(
    *, round_id: int, card_id: int, outcome: str, by: Viewer, territory: str, at: datetime, note: str = "",
    need: str = "",
) -> None:  # fmt: skip
    """Note what a call gave; someone in need makes a need of it, to be followed until it is done.

    Raises:
        RoundGone, CardGone: they are not of the reader's registers.
        BadCase: the round is over, or the outcome or the need is none that there is.
    """
    row = _round(by, round_id, territory)
    held = _held(by, card_id, territory)
    if row.closed_at is not None or held.use_case != row.use_case or held.confirmed_at is None:
        raise BadCase("ces appels sont finis", where="outcome", remedy="ouvrez-en d’autres")
    if outcome not in OUTCOMES:
        raise BadCase("dites ce que l’appel a donné", where="outcome", remedy="choisissez dans la liste")
    words = clean_text(note, where="note", limit=1000)
    Call.objects.create(round=row, card=held, at=at, person_id=by.person_id, outcome=outcome, note=seal(words))
    if outcome == "need":
        _needed(held, need, words, by_person=False, by=by, at=at)
    _tell(events.CALLED, row, by, at, outcome=outcome)


# --- Needs ------------------------------------------------------------------------------------------------------------


def _needed(held: Card, kind: str, note: str, *, by_person: bool, by: Viewer | None, at: datetime) -> int:
    chosen = open_procedures(held.territory).get(held.use_case)
    rule = chosen.procedure.people if chosen else None
    if rule is None or kind not in rule.choices:
        raise BadCase("dites de quoi il s’agit", where="need", remedy="choisissez dans la liste")
    row = Need.objects.create(card=held, kind=kind, note=seal(note), asked_at=at, by_person=by_person)
    record(
        kind=events.NEED_ASKED, subject=f"need:{row.pk}", payload={"register": held.use_case, "need": kind},
        actor=by.person_id if by else None, territory=held.territory, at=at,
    )  # fmt: skip
    return int(row.pk)


@transaction.atomic
def ask_need(
    *, number: str, card_id: int, kind: str, viewer: Viewer, at: datetime, note: str = "", token: str = ""
) -> int:
    """Ask for something, as the one who made the request of a card, and return its number.

    Raises:
        CardGone: it is no card of hers.
        BadCase: it is none of what may be asked for.
    """
    info = case_queries.followed_case(token)[0] if token else case_queries.case(viewer, number)
    held = Card.objects.filter(pk=card_id, request=info.id).first()
    if held is None or info.number != number:
        raise CardGone("cette fiche n’est plus au registre", remedy="rechargez la page")
    return _needed(held, kind, clean_text(note, where="note", limit=500), by_person=True, by=viewer, at=at)


@transaction.atomic
def move_need(*, need_id: int, done: bool, by: Viewer, territory: str, at: datetime) -> None:
    """Take something asked for in charge, or say that it is done.

    Raises:
        CardGone: it is of another service.
    """
    row = Need.objects.select_for_update(of=("self",)).filter(pk=need_id).first()
    if row is None:
        raise CardGone("ce besoin n’existe plus", remedy="rechargez la page")
    held = _held(by, row.card_id, territory)
    row.taken_at = row.taken_at or at
    row.done_at = at if done else None
    row.save(update_fields=["taken_at", "done_at"])
    record(
        kind=events.NEED_MOVED, subject=f"need:{row.pk}", payload={"register": held.use_case, "done": done},
        actor=by.person_id, territory=territory, at=at,
    )  # fmt: skip


def open_needs(viewer: Viewer, territory: str, use_case: str) -> list[NeedInfo]:
    """Return what is asked for and not done yet, the oldest first, with where.

    Raises:
        CardGone: the register is not of a service the viewer works in.
    """
    _chosen(viewer, territory, use_case)
    rows = Need.objects.filter(card__territory=territory, card__use_case=use_case, done_at=None).order_by("pk")
    return [_need(row, with_name=True) for row in rows.select_related("card__request__case")]


def waiting_needs(territory: str, use_case: str) -> int:
    """Return how many things asked for are not done yet; nobody is named."""
    return Need.objects.filter(card__territory=territory, card__use_case=use_case, done_at=None).count()


def needs_of(card_id: int) -> list[NeedInfo]:
    """Return all that was asked for a card that the caller may read, the last first."""
    return [_need(row) for row in Need.objects.filter(card=card_id).order_by("-pk")]


def calls_of(card_id: int) -> list[CallInfo]:
    """Return the calls to a card that the caller may read, the last first."""
    return [
        CallInfo(one.at, one.outcome, unseal(one.note)) for one in Call.objects.filter(card=card_id).order_by("-pk")
    ]


def _need(row: Need, *, with_name: bool = False) -> NeedInfo:
    info = _info(row.card) if with_name else None
    return NeedInfo(
        int(row.pk), row.card_id, row.kind, unseal(row.note), row.asked_at, row.by_person, row.taken_at, row.done_at,
        info.name if info else "", info.address if info else "",
    )  # fmt: skip


def _tell(kind: str, row: CallRound, by: Viewer, at: datetime, **payload: object) -> None:
    record(
        kind=kind, subject=f"calls:{row.pk}", payload={"register": row.use_case, **payload}, actor=by.person_id,
        territory=row.territory, at=at,
    )  # fmt: skip
