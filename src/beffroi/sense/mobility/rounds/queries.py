"""What one may ask of rounds: those of one's services, the hours of each vehicle, the gain, the streets it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import SERVICE_PREFIX, Viewer
from beffroi.sense.mobility import live, store
from beffroi.sense.mobility.layers import Layer
from beffroi.sense.mobility.models import Round
from beffroi.sense.mobility.obstacles import ObstacleInfo
from beffroi.sense.mobility.profiles import Profile, load_profiles
from beffroi.sense.mobility.rounds.computing import layers_of, left_out_of, obstacles_of
from beffroi.sense.mobility.rounds.keeping import stops_kept
from beffroi.sense.mobility.rounds.plan import TIP, Plan, Site, Stop, by_id
from beffroi.sense.mobility.rounds.solving import LeftOut, reason
from beffroi.sense.mobility.rounds.timing import Timeline, Totals, timelines, totals
from beffroi.sense.mobility.rounds.travel import Ways, size_key, unpacked
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import pieces_of, street_name

Place = tuple[float, float]


class RoundNotFound(NotFound):
    """No such round, or it is of a service the viewer does not work in."""


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """A round in a list. `state`: ``waiting``, ``computing``, ``ready``, ``failed``; `progress` in percent."""

    id: int
    territory: str
    service: str
    title: str
    day: date
    state: str
    progress: int
    problem: tuple[Sentence, Sentence] | None
    stops: int
    vehicles: int
    created_at: datetime
    computed_at: datetime | None
    use_case: str = ""


@dataclass(frozen=True, slots=True)
class RoundSheet:
    """A round computed: the hours of each vehicle, who is left out, today's round timed on the same streets.

    `changed` tells that obstacles came or went since it was computed; `can_undo`, that a change by hand may be undone.
    """

    summary: RoundSummary
    plan: Plan
    stops: Mapping[str, Stop]
    timelines: tuple[Timeline, ...]
    totals: Totals
    current: tuple[Timeline, ...]
    current_totals: Totals | None
    left_out: tuple[LeftOut, ...]
    obstacles: tuple[ObstacleInfo, ...]
    changed: bool
    can_undo: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """From one thing a vehicle does to the next: the streets in order with the metres on each, and the line."""

    streets: tuple[tuple[str, int], ...]
    line: tuple[Place, ...]


def services_of(viewer: Viewer, territory: str) -> frozenset[str]:
    """Return the services of a territory the viewer works in."""
    classes = viewer.clearances(territory)
    return frozenset(name.removeprefix(SERVICE_PREFIX) for name in classes if name.startswith(SERVICE_PREFIX))


def vehicle_profiles() -> list[Profile]:
    """Return the profiles a round may drive by."""
    return [one for one in load_profiles()[0].values() if one.vehicle]


def rounds(viewer: Viewer, territory: str, *, use_case: str = "", most: int = 100) -> list[RoundSummary]:
    """Return the rounds of the viewer's services, the latest day first; nothing to anyone else.

    `use_case` names the one whose rounds over needs are wanted; none: the rounds over no needs.
    """
    rows = Round.objects.filter(territory=territory, service__in=services_of(viewer, territory), use_case=use_case)
    rows = rows.defer("ways", "order", "history", "sealed_stops").order_by("-day", "-pk")
    return [summary_of(row) for row in rows[:most]]


def rounds_of_day(viewer: Viewer, territory: str, day: date) -> list[int]:
    """Return the numbers of the rounds of a day, computed, of the viewer's services; never those over needs."""
    rows = Round.objects.filter(
        territory=territory, service__in=services_of(viewer, territory), day=day, state=Round.READY,
        use_case="",
    )  # fmt: skip
    return list(rows.order_by("pk").values_list("pk", flat=True))


def seen_round(viewer: Viewer, territory: str, round_id: int, *, lock: bool = False) -> Round:
    """Return the row of a round of the viewer's services.

    Raises:
        RoundNotFound: there is none.
    """
    rows = Round.objects.select_for_update() if lock else Round.objects
    row = rows.filter(pk=round_id, territory=territory).first()
    if row is None or row.service not in services_of(viewer, territory):
        raise RoundNotFound("aucune tournée n° {id} dans vos services", remedy="voyez la liste", id=round_id)
    return row


def round_summary(viewer: Viewer, territory: str, round_id: int) -> RoundSummary:
    """Return where a round stands.

    Raises:
        RoundNotFound: there is none, or it is of another service.
    """
    return summary_of(seen_round(viewer, territory, round_id))


def summary_of(row: Round) -> RoundSummary:
    """Return the summary of a row."""
    told = row.problem
    problem = (Sentence.from_json(told["what"]), Sentence.from_json(told["remedy"])) if told else None
    return RoundSummary(
        int(row.pk), row.territory, row.service, row.title, row.day, row.state, row.progress, problem,
        row.sealed_count or len(row.stops),
        len(row.plan["vehicles"]), row.created_at, row.computed_at, row.use_case,
    )  # fmt: skip


def round_sheet(viewer: Viewer, territory: str, round_id: int) -> RoundSheet:
    """Return a computed round, timed.

    Raises:
        RoundNotFound: there is none, it is of another service, or it is not computed.
    """
    row = seen_round(viewer, territory, round_id)
    if row.state != Round.READY:
        raise RoundNotFound("cette tournée n'est pas calculée", remedy="attendez la fin du calcul", id=round_id)
    return sheet_of(row)


def sheet_of(row: Round) -> RoundSheet:
    """Return the sheet of a row that is ready."""
    plan, stops, ways = opened(row)
    known = by_id(stops)
    mine = tuple(timelines(plan, row.order, known, ways))
    now_done = tuple(timelines(plan, row.current, known, ways)) if row.current else ()
    return RoundSheet(
        summary=summary_of(row), plan=plan, stops=known, timelines=mine, totals=totals(mine), current=now_done,
        current_totals=totals(now_done) if now_done else None, left_out=tuple(_left_out(row, plan, stops, ways)),
        obstacles=tuple(obstacles_of(row.territory, row.day, plan)),
        changed=live.revision_of(row.territory) != row.revision, can_undo=bool(row.history),
    )  # fmt: skip


def opened(row: Round) -> tuple[Plan, list[Stop], Ways]:
    """Return what a row that is ready holds."""
    plan, stops = Plan.model_validate(row.plan), stops_kept(row)
    return plan, stops, unpacked(bytes(row.ways), plan, stops)


def _left_out(row: Round, plan: Plan, stops: Sequence[Stop], ways: Ways) -> list[LeftOut]:
    """Return the reasons found, and one for what was taken out by hand since."""
    told = {one.stop: one for one in left_out_of(row.left_out)}
    served = {item for items in row.order.values() for item in items}
    known = by_id(stops)
    missing = [one for one in stops if one.id not in served]
    return [told.get(one.id) or reason(plan, one, row.order, known, ways) for one in missing]


def site_of(sheet: RoundSheet, timeline: Timeline, rank: int) -> Place | None:
    """Return where the line of a timeline is; None for a break."""
    line = timeline.lines[rank]
    if line.kind == "stop":
        stop = sheet.stops[line.stop]
        return stop.lon, stop.lat
    vehicle = sheet.plan.vehicle(timeline.vehicle)
    site: Site | None = sheet.plan.tip if line.kind == "tip" else vehicle.home if line.kind == "end" else vehicle.depot
    return None if line.kind == "break" or site is None else (site.lon, site.lat)


def legs(sheet: RoundSheet, vehicle: str) -> dict[int, Leg]:
    """Return the streets that lead to each line of a vehicle, by its rank; none for breaks and where no way leads."""
    timeline = next(one for one in sheet.timelines if one.vehicle == vehicle)
    territory = sheet.summary.territory
    router = store.router_of(territory)
    layer = layers_of(router, territory, sheet.summary.day, sheet.plan)[size_key(sheet.plan.vehicle(vehicle))]
    found: dict[int, Leg] = {}
    before: Place | None = None
    for rank in range(len(timeline.lines)):
        place = site_of(sheet, timeline, rank)
        if place is None:
            continue
        leg = _leg(router, layer, before, place, sheet.plan.walk_m) if before is not None else None
        if leg is not None:
            found[rank] = leg
        before = place
    return found


def _leg(router: Router, layer: Layer, start: Place, goal: Place, walk_m: int) -> Leg | None:
    ends = [router.nearest(*one, layer.usable, reach_m=300.0 + walk_m) for one in (start, goal)]
    if ends[0] is None or ends[1] is None:
        return None
    path = router.path(layer, ends[0], ends[1])
    if path is None:
        return None
    streets: list[tuple[str, int]] = []
    line: list[Any] = []
    for piece in pieces_of(path):
        name = street_name(router, piece.segment)
        metres = round(float(router.graph.length_m[piece.segment]) * piece.share)
        if streets and streets[-1][0] == name:
            streets[-1] = (name, streets[-1][1] + metres)
        else:
            streets.append((name, metres))
        line += router.cut(piece.segment, piece.start, piece.stop).tolist()
    return Leg(tuple(streets), tuple((round(lon, 6), round(lat, 6)) for lon, lat in line))


__all__ = ["TIP", "Leg", "RoundSheet", "RoundSummary", "legs", "round_sheet", "rounds"]
