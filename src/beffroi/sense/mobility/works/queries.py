"""What one may ask of works: those of one's services, those of everyone, streets to choose from, conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import shapely
from django.db.models import Q

from beffroi.base.clock.queries import timezone_of
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.kernel.words import words
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.mobility import store
from beffroi.sense.mobility.graph import METRES_PER_DEGREE
from beffroi.sense.mobility.models import Works
from beffroi.sense.mobility.rounds.queries import services_of
from beffroi.sense.mobility.vocabulary import Kind
from beffroi.sense.mobility.works.computing import Conflict, conflicts_between, load_streets
from beffroi.sense.mobility.works.effects import Effect, from_json
from beffroi.sense.mobility.works.plan import Phase as Phase
from beffroi.sense.mobility.works.plan import Scenario as Scenario
from beffroi.sense.mobility.works.plan import Stretch, scenarios_of, street_names

MOST_STREETS, MOST_SHOWN = 12, 120


class WorksNotFound(NotFound):
    """No such works, or the viewer may not know of them."""


@dataclass(frozen=True, slots=True)
class WorksInfo:
    """Works as one reader sees them. `state`: ``draft``, ``computing``, ``published``, ``ended``.

    `effects` are by scenario, phase and profile, empty until computed; `chosen` is the scenario published, -1 before.
    """

    id: int
    territory: str
    service: str
    title: str
    description: str
    state: str
    progress: int
    problem: tuple[Sentence, Sentence] | None
    scenarios: tuple[Scenario, ...]
    effects: tuple[tuple[tuple[Effect, ...], ...], ...]
    sample: dict[str, object]
    chosen: int
    updated_at: datetime
    computed_at: datetime | None
    published_at: datetime | None

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Return the phases that hold: those published, else those of the first scenario."""
        return self.scenarios[max(0, self.chosen)].phases

    @property
    def turns(self) -> bool:
        """Tell whether it is a change of direction: proposed, where works are announced."""
        return any(phase.direction for one in self.scenarios for phase in one.phases)

    @property
    def first(self) -> date | None:
        return min((one.first for one in self.phases), default=None)

    @property
    def last(self) -> date | None:
        return max((one.last for one in self.phases), default=None)

    @property
    def streets(self) -> list[str]:
        """Return the names of the streets these phases touch."""
        return street_names(self.phases)

    @property
    def detour_streets(self) -> list[str]:
        """Return the streets where those whom these phases turn away go, once their effects are computed."""
        return load_streets(self.told_effects)

    @property
    def told_effects(self) -> tuple[tuple[Effect, ...], ...]:
        """Return the effects of the phases that hold, phase by phase."""
        return self.effects[max(0, self.chosen)] if self.effects else ()


def works(viewer: Viewer, territory: str) -> list[WorksInfo]:
    """Return the works of the viewer's services, the last changed first."""
    rows = Works.objects.filter(territory=territory, service__in=services_of(viewer, territory))
    return [info_of(row) for row in rows.order_by("-updated_at", "-pk")[:200]]


def one_works(viewer: Viewer, territory: str, works_id: int) -> WorksInfo:
    """Return works of the viewer's services.

    Raises:
        WorksNotFound: there are none.
    """
    return info_of(seen_works(viewer, territory, works_id))


def seen_works(viewer: Viewer, territory: str, works_id: int, *, lock: bool = False) -> Works:
    """Return the row of works of the viewer's services.

    Raises:
        WorksNotFound: there are none.
    """
    rows = Works.objects.select_for_update() if lock else Works.objects
    row = rows.filter(pk=works_id, territory=territory).first()
    if row is None or row.service not in services_of(viewer, territory):
        raise WorksNotFound("aucuns travaux n° {id} dans vos services", remedy="voyez la liste", id=works_id)
    return row


def public_works(territory: str, at: datetime, *, street: str = "") -> list[WorksInfo]:
    """Return the works published and not over at `at`, the soonest first; in one street only when it is named."""
    day = at.astimezone(timezone_of(territory)).date() if territory else at.date()
    rows = Works.objects.filter(territory=territory, state=Works.PUBLISHED).filter(Q(last=None) | Q(last__gte=day))
    found = [info_of(row) for row in rows.order_by("first", "pk")]
    wanted = words(street)
    return [
        one for one in found if not one.turns and (not wanted or any(words(name) == wanted for name in one.streets))
    ]


def proposed_directions(territory: str) -> list[WorksInfo]:
    """Return the changes of direction proposed to everyone, the last published first."""
    rows = Works.objects.filter(territory=territory, state=Works.PUBLISHED).order_by("-published_at", "-pk")
    return [one for one in map(info_of, rows) if one.turns]


def proposed_direction(territory: str, works_id: int) -> WorksInfo:
    """Return a change of direction that was proposed to everyone, closed since or not.

    Raises:
        WorksNotFound: there is none.
    """
    return _public(territory, works_id, turns=True)


def works_near(territory: str, lon: float, lat: float, *, at: datetime, radius_m: float) -> list[WorksInfo]:
    """Return the works published and not over that touch a street within `radius_m` of a place (degrees, CRS84)."""
    scale = np.array([METRES_PER_DEGREE * np.cos(np.radians(lat)), METRES_PER_DEGREE])
    origin = shapely.Point(0, 0)

    def is_near(one: Stretch) -> bool:
        line = shapely.linestrings((np.array(one.line) - (lon, lat)) * scale)
        return bool(shapely.distance(line, origin) <= radius_m)

    return [
        one
        for one in public_works(territory, at)
        if any(is_near(stretch) for phase in one.phases for stretch in phase.stretches)
    ]


def public_one(territory: str, works_id: int) -> WorksInfo:
    """Return works published, over or not.

    Raises:
        WorksNotFound: there are none, or they are not published.
    """
    return _public(territory, works_id, turns=False)


def _public(territory: str, works_id: int, *, turns: bool) -> WorksInfo:
    row = Works.objects.filter(pk=works_id, territory=territory, state__in=(Works.PUBLISHED, Works.ENDED)).first()
    info = info_of(row) if row is not None else None
    if info is None or info.turns != turns:
        raise WorksNotFound("aucuns travaux publiés sous ce numéro", remedy="voyez la liste", id=works_id)
    return info


def phases_of(territory: str, works_id: int, scenario: int) -> tuple[Phase, ...]:
    """Return the phases of a scenario, whatever the state of the works, for rooms that tell people; none if gone."""
    row = Works.objects.filter(pk=works_id, territory=territory).first()
    known = scenarios_of(row.scenarios) if row is not None else []
    return known[scenario].phases if 0 <= scenario < len(known) else ()


def info_of(row: Works) -> WorksInfo:
    """Return works as they are read."""
    told = row.problem
    problem = (Sentence.from_json(told["what"]), Sentence.from_json(told["remedy"])) if told else None
    effects = tuple(tuple(tuple(from_json(one) for one in phase) for phase in scenario) for scenario in row.effects)
    return WorksInfo(
        int(row.pk), row.territory, row.service, row.title, row.description, row.state, row.progress, problem,
        tuple(scenarios_of(row.scenarios)), effects, row.sample, row.chosen, row.updated_at, row.computed_at,
        row.published_at,
    )  # fmt: skip


def conflicts(info: WorksInfo, scenario: int) -> list[Conflict]:
    """Return how a scenario is at odds with the works of the town published meanwhile, whatever their service."""
    if not 0 <= scenario < len(info.scenarios):
        return []
    phases = info.scenarios[scenario].phases
    loads = load_streets(info.effects[scenario]) if info.effects else []
    found: list[Conflict] = []
    for row in Works.objects.filter(territory=info.territory, state=Works.PUBLISHED).exclude(pk=info.id).order_by("pk"):
        other = info_of(row)
        # A direction proposed is not decided: it hinders nobody yet.
        if other.turns or info.turns:
            continue
        found += conflicts_between(
            phases, loads, other.phases, load_streets(other.told_effects), works=other.id, title=other.title
        )
    return found


# --- Streets to choose from -----------------------------------------------------------------------------------------


def stretches_of(territory: str, street: str) -> list[Stretch]:
    """Return the stretches of the streets whose name holds every word of `street`, along each street.

    Raises:
        NoGraph: no graph of the territory was built.
    """
    wanted = words(street)
    if not wanted:
        return []
    graph = store.router_of(territory).graph
    ranks = [rank for rank, name in enumerate(graph.names) if set(wanted) <= set(words(name))][:MOST_STREETS]
    found: list[Stretch] = []
    for rank in ranks:
        found += [_stretch(territory, int(one)) for one in np.flatnonzero(graph.columns["name"] == rank)]
    return found[:MOST_SHOWN]


def stretches_around(territory: str, lon: float, lat: float, radius_m: float) -> list[Stretch]:
    """Return the stretches within `radius_m` of a place, the nearest first.

    Raises:
        NoGraph: no graph of the territory was built.
    """
    from beffroi.sense.mobility.obstacles import touched_segments

    router = store.router_of(territory)
    touched = [one for one, _ in touched_segments(router, lon, lat, radius_m)]
    found = [_stretch(territory, one) for one in touched if router.graph.columns["kind"][one] not in _NO_STREET]
    x, y = router.graph.metres(lon, lat)

    def away(one: Stretch) -> float:
        ox, oy = router.graph.metres(one.lon, one.lat)
        return float(np.hypot(ox - x, oy - y))

    return sorted(found, key=away)[:MOST_SHOWN]


_NO_STREET = (Kind.FERRY, Kind.LIFT, Kind.ESCALATOR)


def _stretch(territory: str, segment: int) -> Stretch:
    router = store.router_of(territory)
    lon, lat = router.place(segment, 0.5)
    line = tuple((round(x, 6), round(y, 6)) for x, y in router.graph.line(segment).tolist())
    return Stretch(
        name=router.graph.name(segment), lon=round(lon, 7), lat=round(lat, 7),
        length_m=round(float(router.graph.length_m[segment]), 1), line=line,
    )  # fmt: skip


def between_what(territory: str, stretches: Sequence[Stretch]) -> list[tuple[str, str]]:
    """Return the streets met at both ends of each stretch, so that one is told from the next; empty where none is."""
    router = store.router_of(territory)
    graph = router.graph
    everything = np.ones(len(graph), bool)
    found = []
    for one in stretches:
        spot = router.nearest(one.lon, one.lat, everything, reach_m=15.0)
        if spot is None:
            found.append(("", ""))
            continue
        ends = (int(graph.tail[spot.segment]), int(graph.head[spot.segment]))
        found.append((_crossed(graph, ends[0], one.name), _crossed(graph, ends[1], one.name)))
    return found


def _crossed(graph: object, end: int, name: str) -> str:
    first, arcs = graph.walk_first, graph.walk_arcs  # type: ignore[attr-defined]
    for place in range(int(first[end]), int(first[end + 1])):
        other: str = graph.name(int(arcs[place]) >> 1)  # type: ignore[attr-defined]
        if other and other != name:
            return other
    return ""


__all__ = ["Conflict", "WorksInfo", "conflicts", "one_works", "public_one", "public_works", "stretches_of", "works"]
