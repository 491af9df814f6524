"""A waiting list: the open requests of a procedure, in an order that is told, and the place offered to the first.

The order is that of the criteria of the file, the first counting before the second, then of the day each was sent.
Whoever declines an offer, or lets it lapse, goes to the end of those who meet the same criteria. Nothing of it is kept:
a criterion corrected, a request withdrawn, and every rank is right at the next reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, BadCase
from beffroi.serve.cases.events import subject_of
from beffroi.serve.cases.words import clean_text
from beffroi.serve.procedures import events
from beffroi.serve.procedures.answers import holds
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.definition import KIND, BadDecision, RequestInfo
from beffroi.serve.procedures.models import Offer, Request
from beffroi.serve.procedures.queries import request


@dataclass(frozen=True, slots=True)
class OfferInfo:
    """A place offered. `until` is the last day to answer; `state` is one of those of `Offer`, its time counted."""

    id: int
    what: str
    until: date
    state: str


@dataclass(frozen=True, slots=True)
class RankInfo:
    """Where a request stands: `rank` of `total`, None once a place was accepted; its last offer; criteria it meets."""

    rank: int | None
    total: int
    offer: OfferInfo | None
    meets: tuple[str, ...]


def meets(procedure: Procedure, answers: dict[str, object]) -> tuple[bool, ...]:
    """Return which criteria of priority these answers meet, in their order."""
    waiting = procedure.waiting
    words = {True: "oui", False: "non"}
    given = {code: words[value] if isinstance(value, bool) else value for code, value in answers.items()}
    return tuple(given.get(one.field) in one.among for one in (waiting.criterion if waiting else ()))


def waits(procedure: Procedure, answers: Mapping[str, object]) -> bool:
    """Tell whether a request with these answers waits for a place."""
    return procedure.waiting is not None and holds(procedure.waiting.when, answers)


def _state(row: Offer, today: date) -> str:
    if row.state == Offer.WAITING and row.until < today:
        return Offer.LAPSED
    return row.state


def _ranked(procedure: Procedure, use_case: str, territory: str, today: date) -> list[Request]:
    """Return the open requests still waiting, in order; a place accepted leaves the list."""
    zone = clock.timezone_of(territory)
    rows = Request.objects.filter(
        case__territory=territory, case__kind=KIND, case__category=use_case,
        case__status__in=[one.value for one in OPEN],
    ).select_related("case").prefetch_related("offers")  # fmt: skip
    keyed = []
    for row in rows.order_by("pk"):
        since, gone = row.case.opened_at, False
        for offer in sorted(row.offers.all(), key=lambda one: one.pk):
            state = _state(offer, today)
            gone = gone or state == Offer.ACCEPTED
            if state in (Offer.DECLINED, Offer.LAPSED):
                since = offer.answered_at or datetime.combine(offer.until + timedelta(days=1), time(0), zone)
        if not gone and waits(procedure, row.answers):
            keyed.append((tuple(not met for met in meets(procedure, row.answers)), since, row.pk, row))
    return [row for *_key, row in sorted(keyed, key=lambda one: one[:3])]


def rank_of(info: RequestInfo, at: datetime) -> RankInfo | None:
    """Return where a request stands on its list; None when its procedure has none, or it is closed.

    It says how many wait, never who: the caller may read the request.
    """
    procedure, case = info.procedure, info.case
    if procedure is None or not waits(procedure, info.answers) or not case.is_open:
        return None
    today = at.astimezone(clock.timezone_of(case.territory)).date()
    keys = [row.pk for row in _ranked(procedure, case.category, case.territory, today)]
    row = Offer.objects.filter(request=case.id).order_by("-pk").first()
    offer = OfferInfo(int(row.pk), row.what, row.until, _state(row, today)) if row else None
    criteria = procedure.waiting.criterion if procedure.waiting else ()
    met = zip(criteria, meets(procedure, dict(info.answers)), strict=True)
    rank = keys.index(case.id) + 1 if case.id in keys else None
    return RankInfo(rank, len(keys), offer, tuple(one.label for one, is_met in met if is_met))


def waiting_list(viewer: Viewer, territory: str, use_case: str, procedure: Procedure, at: datetime) -> list[str]:
    """Return the numbers of the requests that wait, in order, to one who works in the service; nobody else sees any."""
    if procedure.service not in case_queries.services_of(viewer, territory):
        return []
    today = at.astimezone(clock.timezone_of(territory)).date()
    return [case_queries.number_of(row.pk) for row in _ranked(procedure, use_case, territory, today)]


@transaction.atomic
def offer_place(*, number: str, what: str, by: Viewer, at: datetime) -> int:
    """Offer a place to the first of the list and return the number of the offer; its maker is told until when.

    Raises:
        CaseNotFound, Refused: `by` does not work in its service.
        BadDecision: it has no list, another comes first, or an offer of it, or of that place, waits already.
        BadCase: the place has no name.
    """
    cases.require_worker(number=number, by=by)
    info = request(by, number)
    procedure, case = info.procedure, info.case
    waiting = procedure.waiting if procedure is not None and waits(procedure, info.answers) else None
    if procedure is None or waiting is None or not case.is_open:
        raise BadDecision("cette demande n’attend pas sur une liste", where="what", remedy="choisissez-en une autre")
    what = clean_text(what, where="what", required=True, limit=200)
    today = at.astimezone(clock.timezone_of(case.territory)).date()
    # One at a time: two agents would offer the same place, or pass the same person over.
    ranked = _ranked(procedure, case.category, case.territory, today)
    Request.objects.select_for_update(of=("self",)).filter(pk__in=[row.pk for row in ranked[:1]]).first()
    standing = {
        row.pk: offer.what
        for row in ranked
        for offer in row.offers.all()
        if _state(offer, today) == Offer.WAITING
    }  # fmt: skip
    if case.id in standing or what in standing.values():
        raise BadDecision("une offre attend déjà sa réponse", where="what", remedy="attendez-la, ou son dernier jour")
    first = next((row.pk for row in ranked if row.pk not in standing), None)
    if first != case.id:
        raise BadDecision(
            "la liste va dans l’ordre", where="what", remedy="proposez d’abord à {first}",
            first=case_queries.number_of(first) if first else "–",
        )  # fmt: skip
    until = today + timedelta(days=waiting.offer_days)
    row = Offer.objects.create(request_id=case.id, what=what, offered_at=at, until=until)
    text = (
        f"Une place vous est proposée : {what}. Répondez d’ici le {until:%d/%m/%Y} sur la page de suivi de votre "
        "demande ; sans réponse, elle est proposée à la personne suivante et votre demande passe en fin de liste."
    )
    cases.write_to_parties(number=number, text=text, by=by, at=at)
    _tell(events.PLACE_OFFERED, info, by, at, offer=int(row.pk), until=until.isoformat())
    return int(row.pk)


@transaction.atomic
def answer_offer(*, number: str, accepts: bool, viewer: Viewer, at: datetime, token: str = "") -> None:
    """Take a place that was offered, or decline it, as the maker of the request.

    Raises:
        CaseNotFound: she may not know of it.
        BadCase: no offer waits for her answer, or its last day has passed.
    """
    info = request(viewer, number, token=token)
    today = at.astimezone(clock.timezone_of(info.case.territory)).date()
    row = Offer.objects.select_for_update().filter(request=info.case.id, state=Offer.WAITING).order_by("-pk").first()
    if row is None or _state(row, today) != Offer.WAITING:
        raise BadCase("aucune offre n’attend votre réponse", where="offer", remedy="rechargez la page")
    row.state, row.answered_at = (Offer.ACCEPTED if accepts else Offer.DECLINED), at
    row.save(update_fields=["state", "answered_at"])
    text = f"J’accepte : {row.what}." if accepts else f"Je ne prends pas : {row.what}. Je reste sur la liste."
    cases.write_to_service(number=number, text=text, viewer=viewer, token=token, at=at)
    _tell(events.PLACE_ANSWERED, info, viewer, at, offer=int(row.pk), accepted=accepts)


def _tell(kind: str, info: RequestInfo, by: Viewer, at: datetime, **payload: object) -> None:
    record(
        kind=kind, subject=subject_of(info.number), payload={"number": info.number, **payload}, actor=by.person_id,
        territory=info.case.territory, at=at,
    )  # fmt: skip
