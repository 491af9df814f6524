"""Keep each process abreast of the obstacles: one small read before a route, a new overlay when they changed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from beffroi.base.registry.statements import Question
from beffroi.sense.mobility.layers import Overlay
from beffroi.sense.mobility.models import Obstacle, Revision
from beffroi.sense.mobility.obstacles import ObstacleInfo, Standing, obstacle_kinds, overlays, standing
from beffroi.sense.mobility.router import Router


@dataclass(slots=True)
class _State:
    """What is laid over one router: of which revision, until when it holds, and what stands where."""

    router: Router | None = None
    revision: int = -1
    holds_until: datetime | None = None
    standings: list[Standing] = field(default_factory=list)
    by_segment: dict[int, list[ObstacleInfo]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


# Asked before every route.
_REVISION = Question(lambda territory: Revision.objects.filter(pk=territory).order_by("pk").values_list("number"))
_STATES: dict[str, _State] = {}
_MAKING = threading.Lock()


def told(row: Obstacle) -> ObstacleInfo:
    """Return the read-only form of an obstacle."""
    kind = obstacle_kinds().get(row.kind)
    return ObstacleInfo(
        id=row.pk, territory=row.territory, subject=row.subject, kind=row.kind, title=kind.title if kind else row.kind,
        label=row.label, lon=row.lon, lat=row.lat, radius_m=row.radius_m, starts_at=row.starts_at, until=row.until,
    )  # fmt: skip


def known_obstacles(territory: str, at: datetime) -> list[ObstacleInfo]:
    """Return the obstacles of a territory not ended at `at`, those to come included, oldest first."""
    rows = Obstacle.objects.filter(Q(until__isnull=True) | Q(until__gt=at), territory=territory, ended_at__isnull=True)
    return [told(row) for row in rows.order_by("id")]


def bring_up_to_date(router: Router, territory: str, at: datetime) -> dict[int, list[ObstacleInfo]]:
    """Lay the obstacles of the moment over a router and return them by segment.

    One read of one row when nothing changed. Called before each route, so that none is answered from the past.
    """
    revision = revision_of(territory)
    with _MAKING:
        state = _STATES.setdefault(territory, _State())
    with state.lock:
        current = state.router is router and state.revision == revision
        if current and (state.holds_until is None or at < state.holds_until):
            return state.by_segment
        known = known_obstacles(territory, at)
        # Finding where an obstacle lies is the slow part: one of a thousand that changes has only itself looked for.
        kept = {one.obstacle: one for one in state.standings} if state.router is router else {}
        holding = [one for one in known if one.holds(at)]
        fresh = {one.obstacle: one for one in standing(router, [one for one in holding if one not in kept])}
        now_standing = [kept.get(one) or fresh[one] for one in holding]
        router.lay(overlays(now_standing))
        state.by_segment = _by_segment(now_standing)
        state.standings, state.router, state.revision = now_standing, router, revision
        state.holds_until = _next_change(known, at)
        return state.by_segment


def obstacles_between(territory: str, start: datetime, end: datetime) -> list[ObstacleInfo]:
    """Return the obstacles known today that stand at some moment from `start` to `end`, oldest first."""
    return [one for one in known_obstacles(territory, start) if one.starts_at < end]


def overlays_of(router: Router, obstacles: Iterable[ObstacleInfo]) -> dict[str, Overlay]:
    """Return what obstacles change for each profile, laid over nothing."""
    return overlays(standing(router, obstacles))


def laid_between(
    router: Router, territory: str, start: datetime, end: datetime
) -> tuple[dict[str, Overlay], list[Standing]]:
    """Return what the obstacles of another moment than now change for each profile, and where they stand.

    Nothing is laid over the router: see `layers.laid`.
    """
    found = standing(router, obstacles_between(territory, start, end))
    return overlays(found), found


def laid_at(
    router: Router, territory: str, moment: datetime
) -> tuple[dict[str, Overlay], dict[int, list[ObstacleInfo]]]:
    """Return what the obstacles known today that will stand at `moment` change for each profile, and by segment."""
    standing_then = standing(router, [one for one in known_obstacles(territory, moment) if one.holds(moment)])
    return overlays(standing_then), _by_segment(standing_then)


def revision_of(territory: str) -> int:
    """Return how many times the obstacles of a territory changed."""
    found = _REVISION.first(territory=territory)
    return int(found[0]) if found else 0


def _by_segment(standings: Iterable[Standing]) -> dict[int, list[ObstacleInfo]]:
    found: dict[int, list[ObstacleInfo]] = {}
    for one in standings:
        for segment, _ in one.touched:
            found.setdefault(segment, []).append(one.obstacle)
    return found


def _next_change(known: Iterable[ObstacleInfo], at: datetime) -> datetime | None:
    moments = [moment for one in known for moment in (one.starts_at, one.until) if moment is not None and moment > at]
    return min(moments, default=None)
