"""Compute a round in the background: times between its places on its day, then who goes where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from beffroi.base.clock.queries import timezone_of
from beffroi.sense.mobility import live, store
from beffroi.sense.mobility.layers import CLEAR, Layer, laid
from beffroi.sense.mobility.obstacles import ObstacleInfo
from beffroi.sense.mobility.rounds.plan import (
    BadRound,
    Order,
    Plan,
    Stop,
    by_id,
    checked,
    current_order,
)
from beffroi.sense.mobility.rounds.solving import LeftOut, solve
from beffroi.sense.mobility.rounds.timing import with_tips
from beffroi.sense.mobility.rounds.travel import NO_WAY, Ways, size_key, ways_of
from beffroi.sense.mobility.rounds.urgency import hurried
from beffroi.sense.mobility.router import Router

WAYS_SHARE = 0.6
"""About the share of the whole that times between places take."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A round found: who goes where, who is left out, today's round on the same streets, the times it rests on."""

    order: Order
    left_out: tuple[LeftOut, ...]
    current: Order
    ways: Ways
    revision: int


def shift_of(territory: str, day: date, plan: Plan) -> tuple[datetime, datetime]:
    """Return when the first vehicle leaves and when the last is back, in the time zone of the town."""
    zone = timezone_of(territory)
    midnight = datetime.combine(day, time(0), zone)
    first, last = min(one.start_s for one in plan.vehicles), max(one.end_s for one in plan.vehicles)
    return midnight + timedelta(seconds=first), midnight + timedelta(seconds=last)


def layers_of(router: Router, territory: str, day: date, plan: Plan) -> dict[Any, Layer]:
    """Return the costs of each kind of vehicle, with the obstacles and works that stand that day."""
    overlays, _ = live.laid_between(router, territory, *shift_of(territory, day, plan))
    found = {}
    for one in plan.vehicles:
        layer = router.layer(one.driven)
        found[size_key(one)] = laid(layer, overlays.get(one.profile, CLEAR))
    return found


def obstacles_of(territory: str, day: date, plan: Plan) -> list[ObstacleInfo]:
    """Return the obstacles a round of that day reckons with."""
    return live.obstacles_between(territory, *shift_of(territory, day, plan))


def compute(
    territory: str, day: date, plan: Plan, stops: Sequence[Stop], *, tell: Callable[[float], None] = lambda share: None
) -> Computed:
    """Share the stops out and put them in order.

    Raises:
        BadRound: a depot or the tip cannot be reached, or the round makes no sense.
        NoGraph, NoEngine, NoSolver: what it needs is not there.
    """
    checked(plan, stops)
    router = store.router_of(territory)
    revision = live.revision_of(territory)
    layers = layers_of(router, territory, day, plan)
    ways = ways_of(router, layers, plan, stops, tell=lambda share: tell(WAYS_SHARE * share))
    _check_sites(plan, ways)
    order, left_out = solve(
        plan, hurried(plan, stops, ways), ways, tell=lambda share: tell(WAYS_SHARE + (1 - WAYS_SHARE) * share)
    )
    known = by_id(stops)
    current = {
        name: with_tips(plan, plan.vehicle(name), items, known) for name, items in current_order(plan, stops).items()
    }
    return Computed(order, tuple(left_out), current, ways, revision)


def _check_sites(plan: Plan, ways: Ways) -> None:
    for one in plan.vehicles:
        travel, depot, home = ways.travels[one.name], ways.depot[one.name], ways.home[one.name]
        for place, site in ((depot, one.depot), (home, one.home), (ways.tip, plan.tip)):
            if place is None or site is None:
                continue
            away = travel.seconds[depot, place] == NO_WAY or travel.seconds[place, home] == NO_WAY
            if place in travel.barred or away:
                cause = travel.barred.get(place)
                raise BadRound(
                    "« {vehicle} » ne peut pas atteindre « {site} » ({street})", where="depot",
                    remedy="donnez un autre lieu, ou un véhicule plus petit", vehicle=one.name, site=site.name,
                    street=cause.street if cause and cause.street else site.name,
                )  # fmt: skip


def left_out_json(left_out: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Return reasons as they are kept."""
    return [asdict(one) for one in left_out]


def left_out_of(values: Sequence[Mapping[str, Any]]) -> list[LeftOut]:
    """Return reasons kept as JSON."""
    return [LeftOut(**one) for one in values]
