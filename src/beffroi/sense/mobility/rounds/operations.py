"""What one may do with rounds: ask for one, have it computed again, mend it by hand, go back, let it go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.mobility import events
from beffroi.sense.mobility.models import Round
from beffroi.sense.mobility.rounds import queries
from beffroi.sense.mobility.rounds.computing import compute, left_out_json
from beffroi.sense.mobility.rounds.keeping import discreet, discreetly_left, kept, stops_kept
from beffroi.sense.mobility.rounds.passages import forget_notes
from beffroi.sense.mobility.rounds.plan import TIP, BadRound, Order, Plan, Stop, by_id, checked
from beffroi.sense.mobility.rounds.solving import tidy
from beffroi.sense.mobility.rounds.timing import timed, timelines, totals
from beffroi.sense.mobility.rounds.travel import Ways, packed

MOST_UNDO = 30
_SILENT = ("title", "stop", "vehicle")
UP, DOWN, OUT = "up", "down", "out"


@dataclass(frozen=True, slots=True)
class Change:
    """What a change by hand added (or spared): metres, seconds of work, promises broken."""

    metres: int
    work_s: int
    wrong: int


@transaction.atomic
def ask_round(
    *, territory: str, service: str, title: str, day: date, plan: Plan, stops: Sequence[Stop], by: Viewer | None,
    at: datetime, use_case: str = "",
) -> int:  # fmt: skip
    """Keep a round to compute, have a worker compute it, and return its number.

    One over needs names its `use_case`: its stops are sealed, and the journal does not name them.

    Raises:
        Refused: `by` does not work in the service.
        BadRound: stops or vehicles make no sense.
        KeyLost: its stops cannot be sealed.
    """
    if by is not None and service not in queries.services_of(by, territory):
        raise Refused(
            "vous n’êtes pas du service « {service} »", where=territory,
            remedy="demandez à un administrateur de vous y rattacher", service=service[:50],
        )  # fmt: skip
    if not title.strip():
        raise BadRound("la tournée n'a pas de nom", where="title", remedy="donnez-lui-en un")
    checked(plan, stops)
    row = Round.objects.create(
        territory=territory, service=service, title=title.strip()[:200], day=day, plan=plan.model_dump(mode="json"),
        created_at=at, use_case=use_case, **kept(stops, sealed=bool(use_case)),
    )  # fmt: skip
    payload = {"title": row.title, "service": service, "day": day.isoformat(), "stops": len(stops),
               "vehicles": len(plan.vehicles)}  # fmt: skip
    _tell(row, events.ROUND_ASKED, payload, by, at)
    _enqueue(row)
    return int(row.pk)


@transaction.atomic
def compute_again(viewer: Viewer, territory: str, round_id: int, *, at: datetime) -> None:
    """Have a worker compute a round again, on the streets of now; changes by hand can be gone back to.

    Raises:
        RoundNotFound: there is none in the viewer's services.
    """
    row = queries.seen_round(viewer, territory, round_id, lock=True)
    row.state, row.progress, row.problem = Round.WAITING, 0, None
    row.save(update_fields=["state", "progress", "problem"])
    _tell(row, events.ROUND_ASKED, {"title": row.title, "service": row.service, "again": True}, viewer, at)
    _enqueue(row)


def _enqueue(row: Round) -> None:
    from beffroi.sense.mobility.rounds.tasks import compute_round

    compute_round.enqueue(int(row.pk))


def compute_now(round_id: int, *, at: datetime) -> None:
    """Compute a round that waits, telling how far it is; what cannot be computed is kept as a sentence."""
    row = Round.objects.filter(pk=round_id).first()
    if row is None:
        return
    Round.objects.filter(pk=round_id).update(state=Round.COMPUTING, progress=1)
    shown = 1

    def tell(share: float) -> None:
        nonlocal shown
        if int(100 * share) >= shown + 10:
            shown = int(100 * share)
            Round.objects.filter(pk=round_id).update(progress=min(99, shown))

    try:
        plan, stops = Plan.model_validate(row.plan), stops_kept(row)
        found = compute(row.territory, row.day, plan, stops, tell=tell)
    except BeffroiError as fault:
        told = {"what": fault.what.as_json(), "remedy": fault.remedy.as_json()}
        Round.objects.filter(pk=round_id).update(state=Round.FAILED, problem=told)
        return
    sums = totals(timelines(plan, found.order, by_id(stops), found.ways))
    with transaction.atomic():
        row = Round.objects.select_for_update().get(pk=round_id)
        if row.order:
            _remember(row)
        left_out, ways = found.left_out, found.ways
        if row.use_case:
            left_out, ways = tuple(discreetly_left(left_out)), discreet(ways)
        row.order, row.current, row.left_out = found.order, found.current, left_out_json(left_out)
        row.ways, row.revision = packed(ways, plan), found.revision
        row.state, row.progress, row.problem, row.computed_at = Round.READY, 100, None, at
        row.save()
        payload = {"stops": sums.stops, "left_out": len(found.left_out), "metres": sums.metres, "seconds": sums.work_s}
        _tell(row, events.ROUND_COMPUTED, payload, None, at)


@transaction.atomic
def move_item(
    viewer: Viewer, territory: str, round_id: int, *, vehicle: str, index: int, to: str, at: datetime
) -> Change:
    """Move one item of a vehicle, and return what it costs.

    `to` is ``up``, ``down``, ``out`` (served by nobody; for a visit to the tip: done away with), or the name of a
    vehicle, which takes it where it costs least. An empty `vehicle` names the stop by its number in `index`, among
    those left out.

    Raises:
        RoundNotFound: no such round in the viewer's services.
        BadRound: no such item, vehicle or move.
    """
    row = queries.seen_round(viewer, territory, round_id, lock=True)
    plan, stops, ways = queries.opened(row)
    known = by_id(stops)
    order: Order = {name: list(items) for name, items in row.order.items()}
    item = _taken(order, vehicle, index, known)
    before = _sums(plan, row.order, known, ways)
    if to in (UP, DOWN):
        place = index + (-1 if to == UP else 1)
        if not vehicle or not 0 <= place <= len(order[vehicle]):
            raise BadRound("cet arrêt est déjà au bout", where="to", remedy="donnez-le à un autre véhicule")
        order[vehicle].insert(place, item)
    elif to != OUT:
        plan.vehicle(to)
        order[to] = _inserted(plan, to, order.get(to, []), item, known, ways)
    order = {name: tidy(items) for name, items in order.items() if tidy(items)}
    _remember(row)
    row.order = order
    row.save(update_fields=["order", "history"])
    change = _difference(before, _sums(plan, order, known, ways))
    _tell_change(row, "moved", known[item].name if item != TIP else TIP, to, change, viewer, at)
    return change


@transaction.atomic
def add_tip(viewer: Viewer, territory: str, round_id: int, *, vehicle: str, index: int, at: datetime) -> Change:
    """Have a vehicle unload before the item at `index`, and return what it costs.

    Raises:
        RoundNotFound: no such round in the viewer's services.
        BadRound: nowhere to unload, or no such item.
    """
    row = queries.seen_round(viewer, territory, round_id, lock=True)
    plan, stops, ways = queries.opened(row)
    known = by_id(stops)
    items = list(row.order.get(vehicle, ()))
    if plan.tip is None or not 0 < index < len(items):
        raise BadRound("pas de vidage possible ici", where="index", remedy="choisissez un arrêt après le premier")
    before = _sums(plan, row.order, known, ways)
    order = dict(row.order) | {vehicle: tidy([*items[:index], TIP, *items[index:]])}
    _remember(row)
    row.order = order
    row.save(update_fields=["order", "history"])
    change = _difference(before, _sums(plan, order, known, ways))
    _tell_change(row, "moved", TIP, vehicle, change, viewer, at)
    return change


@transaction.atomic
def undo(viewer: Viewer, territory: str, round_id: int, *, at: datetime) -> Change:
    """Go back to the order before the last change, and return what that costs.

    Raises:
        RoundNotFound: no such round in the viewer's services.
        BadRound: nothing was changed.
    """
    row = queries.seen_round(viewer, territory, round_id, lock=True)
    if not row.history:
        raise BadRound("rien à annuler", where="round", remedy="déplacez d'abord un arrêt")
    plan, stops, ways = queries.opened(row)
    known = by_id(stops)
    before = _sums(plan, row.order, known, ways)
    row.order = row.history.pop()
    row.save(update_fields=["order", "history"])
    change = _difference(before, _sums(plan, row.order, known, ways))
    _tell_change(row, "undone", "", "", change, viewer, at)
    return change


@transaction.atomic
def delete_round(viewer: Viewer, territory: str, round_id: int, *, at: datetime) -> None:
    """Let go of a round; the journal keeps that there was one.

    Raises:
        RoundNotFound: there is none in the viewer's services.
    """
    row = queries.seen_round(viewer, territory, round_id, lock=True)
    _tell(row, events.ROUND_DELETED, {"title": row.title}, viewer, at)
    if row.use_case:
        forget_notes(territory, round_id)
    row.delete()


def _taken(order: Order, vehicle: str, index: int, stops: Any) -> str:
    """Take an item out of the order and return it."""
    if not vehicle:
        item, served = str(index), {one for items in order.values() for one in items}
        if item in stops and item not in served:
            return item
    elif vehicle in order and 0 <= index < len(order[vehicle]):
        return order[vehicle].pop(index)
    raise BadRound("cet arrêt n'est plus là", where="index", remedy="rechargez la page")


def _inserted(plan: Plan, vehicle: str, items: list[str], item: str, stops: Any, ways: Ways) -> list[str]:
    """Return the items of a vehicle with one more, where it breaks the fewest promises and takes the least time."""
    driver = plan.vehicle(vehicle)
    tried = [[*items[:place], item, *items[place:]] for place in range(len(items) + 1)]

    def cost(order: list[str]) -> tuple[int, int, int]:
        told = timed(plan, driver, order, stops, ways)
        return told.wrong, told.work_s, told.drive_s

    return min(tried, key=cost)


def _sums(plan: Plan, order: Order, stops: Any, ways: Ways) -> tuple[int, int, int]:
    found = totals(timelines(plan, order, stops, ways))
    return found.metres, found.work_s, found.wrong


def _difference(before: tuple[int, int, int], after: tuple[int, int, int]) -> Change:
    return Change(*(b - a for a, b in zip(before, after, strict=True)))


def _remember(row: Round) -> None:
    row.history = [*row.history, row.order][-MOST_UNDO:]


def _tell_change(row: Round, what: str, stop: str, to: str, change: Change, by: Viewer, at: datetime) -> None:
    payload = {"what": what, "stop": stop, "vehicle": to, "metres": change.metres, "seconds": change.work_s}
    _tell(row, events.ROUND_CHANGED, payload, by, at)


def _tell(row: Round, kind: str, payload: dict[str, Any], by: Viewer | None, at: datetime) -> None:
    actor = by.person_id if by else None
    if row.use_case:
        # The journal is read by others: nothing that was written of a round over needs, nor a place of it.
        payload = {key: value for key, value in payload.items() if key not in _SILENT}
    record(kind=kind, subject=f"round:{row.pk}", payload=payload, actor=actor, territory=row.territory, at=at)
