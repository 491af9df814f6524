"""What one may ask of mobility: profiles, routes, times between places, where one gets in so long, obstacles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility import live, routes, store
from beffroi.sense.mobility.fields import field_of, places_on, seconds_at
from beffroi.sense.mobility.graph import load
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.layers import CLEAR, Layer, laid
from beffroi.sense.mobility.obstacles import ObstacleInfo, ObstacleKind, obstacle_kinds
from beffroi.sense.mobility.profiles import Profile, load_profiles, profile_named
from beffroi.sense.mobility.reach import Isochrone, isochrone_of
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import MOST_ALTERNATIVES, NoWay, Route, Why
from beffroi.sense.mobility.venues import Arrival, arrival
from beffroi.sense.mobility.words import Instruction, instructions

MOST_MATRIX = 50
MOST_MINUTES = 60
MOST_AMONG = 20_000
Place = tuple[float, float]


class TooMany(BeffroiError):
    """More places, alternatives or minutes than an answer may take."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class GraphInfo:
    """What routes are computed on: its version, when it was built, from what."""

    territory: str
    version: str
    built_at: datetime
    segments: int
    bbox: tuple[float, float, float, float]
    origins: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Routes, best first, each with its instructions; or why there is none. Places are those of the streets."""

    profile: Profile
    start: Spot
    goal: Spot
    routes: tuple[Route, ...]
    instructions: tuple[tuple[Instruction, ...], ...]
    why: Why | None
    no_way: NoWay | None
    graph: GraphInfo


@dataclass(frozen=True, slots=True)
class Matrix:
    """Times (seconds) from each source to each target, None where there is no way or no street near."""

    profile: Profile
    seconds: tuple[tuple[float | None, ...], ...]
    graph: GraphInfo


@dataclass(frozen=True, slots=True)
class Nearby:
    """One of the places asked about: its rank among them, and the seconds of the way to it."""

    rank: int
    seconds: float


def profiles() -> list[Profile]:
    """Return the profiles, in the order of lists."""
    return list(load_profiles()[0].values())


def profile(slug: str) -> Profile:
    """Return one profile.

    Raises:
        ProfileNotFound: none is so named.
    """
    return profile_named(slug)


def has_graph(territory: str) -> bool:
    """Tell whether routes can be asked in a territory."""
    return store.current_version(territory) is not None


def graph_info(territory: str) -> GraphInfo:
    """Return what the routes of a territory are computed on.

    Raises:
        NoGraph: no graph was built.
    """
    return _info(store.router_of(territory))


def _info(router: Router) -> GraphInfo:
    graph = router.graph
    origins = tuple((one.title, one.date, one.licence) for one in graph.origins)
    return GraphInfo(str(graph.about["territory"]), graph.version, graph.built_at, len(graph), graph.bbox, origins)


def kinds_of_obstacles() -> list[ObstacleKind]:
    """Return the kinds of obstacles that routes know."""
    return list(obstacle_kinds().values())


def obstacles(territory: str, at: datetime) -> list[ObstacleInfo]:
    """Return the obstacles of a territory that hold at `at`, oldest first."""
    return [one for one in live.known_obstacles(territory, at) if one.holds(at)]


def route(
    territory: str,
    *,
    profile: Profile,
    start: Place,
    goal: Place,
    at: datetime,
    most: int = 1,
    explained: bool = True,
    leaving: datetime | None = None,
) -> Answer:
    """Return up to `most` ways from `start` to `goal` (longitude, latitude), with the obstacles of the moment.

    `explained` also says what the quickest way would have met. `leaving`, another moment than now: the obstacles and
    works known today that will stand then count, and no other.

    Raises:
        NoGraph: no graph of the territory was built. NoEngine: the search is not installed.
        OffTheStreets: a place is far from any street the profile may use.
        TooMany: `most` out of 1…3.
    """
    if not 1 <= most <= MOST_ALTERNATIVES:
        raise TooMany(
            "{most} itinéraires demandés", where="alternatives", remedy="de 1 à {limit}", most=most,
            limit=MOST_ALTERNATIVES,
        )  # fmt: skip
    router = store.router_of(territory)
    known = live.bring_up_to_date(router, territory, at)
    layer = router.layer(profile)
    if leaving is not None:
        overlays, known = live.laid_at(router, territory, leaving)
        layer = laid(layer, overlays.get(profile.slug, CLEAR))
    first = router.spot(*start, layer, where="from")
    last = router.spot(*goal, layer, where="to")
    found = routes.ways(router, layer, first, last, most=most, obstacles=known)
    reason = routes.why(router, layer, first, last, found[0], known) if found and explained else None
    none = None if found else routes.no_way(router, layer, first, last, known)
    told = tuple(tuple(instructions(router, one)) for one in found)
    return Answer(profile, first, last, tuple(found), told, reason, none, _info(router))


def matrix(
    territory: str, *, profile: Profile, sources: Sequence[Place], targets: Sequence[Place], at: datetime
) -> Matrix:
    """Return the times along the best ways from each source to each target.

    Raises:
        NoGraph, NoEngine: see `route`.
        TooMany: more than 50 sources or targets, or none.
    """
    for where, places in (("from", sources), ("to", targets)):
        if not 1 <= len(places) <= MOST_MATRIX:
            raise TooMany("{count} lieux demandés", where=where, remedy="de 1 à {limit}", count=len(places),
                          limit=MOST_MATRIX)  # fmt: skip
    router = store.router_of(territory)
    live.bring_up_to_date(router, territory, at)
    layer = router.layer(profile)
    starts = [router.nearest(*place, layer.usable, reach_m=300.0) for place in sources]
    goals = [router.nearest(*place, layer.usable, reach_m=300.0) for place in targets]
    return Matrix(profile, tuple(_row(router, layer, one, goals) for one in starts), _info(router))


def _row(router: Router, layer: Layer, start: Spot | None, goals: Sequence[Spot | None]) -> tuple[float | None, ...]:
    if start is None:
        return tuple(None for _ in goals)
    found = [router.path(layer, start, goal) if goal is not None else None for goal in goals]
    return tuple(
        None if one is None else float(sum(layer.costs.time[p.arc] * p.share for p in routes.pieces_of(one)))
        for one in found
    )


def nearest(
    territory: str,
    *,
    profile: Profile,
    place: Place,
    among: Sequence[Place],
    at: datetime,
    most: int = 5,
    within_min: float | None = None,
    towards: bool = False,
) -> list[Nearby]:
    """Return which of the places `among` are nearest to `place` by time, soonest first, obstacles of the moment met.

    One search whatever their number. `towards` counts the way from each of them to `place` (who can come), not from
    `place` to them. Those no way leads to are left out, like those beyond `within_min` minutes.

    Raises:
        NoGraph, NoEngine, OffTheStreets: see `route`.
        TooMany: more than 20,000 places.
    """
    if len(among) > MOST_AMONG:
        raise TooMany("{count} lieux demandés", where="among", remedy="{limit} au plus", count=len(among),
                      limit=MOST_AMONG)  # fmt: skip
    router = store.router_of(territory)
    live.bring_up_to_date(router, territory, at)
    layer = router.layer(profile)
    spot = router.spot(*place, layer, where="from")
    field = field_of(router, layer, [spot], backwards=towards)
    seconds, _ = seconds_at(router, layer, field, places_on(router, layer, among))
    limit = np.inf if within_min is None else 60.0 * within_min
    soonest = [rank for rank in np.argsort(seconds, kind="stable").tolist() if seconds[rank] <= limit]
    return [Nearby(rank, float(seconds[rank])) for rank in soonest[:most] if np.isfinite(seconds[rank])]


def isochrone(
    territory: str, *, profile: Profile, start: Place, minutes: Sequence[int], at: datetime
) -> tuple[list[Isochrone], GraphInfo]:
    """Return the ground reached from a place within each number of minutes, widest last.

    Raises:
        NoGraph, NoEngine, OffTheStreets: see `route`.
        TooMany: more than four durations, or one out of 1…60 minutes.
    """
    if not 1 <= len(minutes) <= 4 or not all(1 <= one <= MOST_MINUTES for one in minutes):
        raise TooMany("durées illisibles", where="minutes", remedy="une à quatre durées, de 1 à {most} minutes",
                      most=MOST_MINUTES)  # fmt: skip
    router = store.router_of(territory)
    live.bring_up_to_date(router, territory, at)
    layer = router.layer(profile)
    spot = router.spot(*start, layer, where="from")
    return isochrone_of(router, layer, spot, sorted(set(minutes))), _info(router)


def street_lines(
    territory: str, bbox: tuple[float, float, float, float], *, most: int = 6000
) -> list[tuple[int, list[Place]]]:
    """Return the streets whose box meets `bbox` (west, south, east, north), by their number, to draw under something.

    Main streets first when there are more than `most`.

    Raises:
        NoGraph: no graph of the territory was built.
    """
    graph = store.router_of(territory).graph
    west, south, east, north = bbox
    first, last = np.asarray(graph.offset[:-1]), np.asarray(graph.offset[1:]) - 1
    points = np.asarray(graph.points)
    a, b = points[first], points[last]
    low, high = np.minimum(a, b), np.maximum(a, b)
    inside = (high[:, 0] >= west) & (low[:, 0] <= east) & (high[:, 1] >= south) & (low[:, 1] <= north)
    found = np.flatnonzero(inside)
    if len(found) > most:
        found = found[np.argsort(graph.columns["kind"][found], kind="stable")][:most]
    return [(int(one), [(float(x), float(y)) for x, y in graph.line(int(one))]) for one in found]


def documented_share(territory: str, profile: Profile) -> float:
    """Return the share of the length of the streets this profile may use that is documented for it."""
    router = store.router_of(territory)
    layer = router.layer(profile)
    length = np.asarray(router.graph.length_m)[layer.usable]
    known = layer.costs.documented[layer.usable]
    return float(length[known].sum() / length.sum()) if len(length) else 0.0


__all__ = ["Answer", "Arrival", "GraphInfo", "Matrix", "Nearby", "arrival", "load"]
