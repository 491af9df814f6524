"""Compute the effects of works in the background, and tell conflicts with other works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from beffroi.base.territory import queries as territories
from beffroi.sense.mobility import live, store
from beffroi.sense.mobility.layers import CLEAR
from beffroi.sense.mobility.rounds.needs import DISTRICT_KIND
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.works.effects import Effect, effect_of
from beffroi.sense.mobility.works.plan import Phase, Scenario, moments, street_names
from beffroi.sense.mobility.works.trips import Sample, sample_of


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two works at odds: on the same streets, or one on the detour of the other, from one day to another.

    Codes: ``same`` (the same street), ``detour`` (they close a street our detours take), ``theirs`` (we close one of
    their detours).
    """

    code: str
    works: int
    title: str
    streets: tuple[str, ...]
    first: date
    last: date


def effects_of(
    territory: str, scenarios: Sequence[Scenario], *, own: str, tell: Callable[[float], None] = lambda share: None
) -> tuple[list[list[list[Effect]]], Sample]:
    """Return the effects of every scenario, phase by phase and profile by profile, and the sample they rest on.

    `own` is how the subjects of these works' own closures begin, so that works published already are not counted twice.

    Raises:
        NoGraph, NoEngine: the streets are not known, or the search is not installed.
    """
    router = store.router_of(territory)
    sample = sample_of(router, territory)
    count = sum(len(phase.profiles()) for one in scenarios for phase in one.phases) or 1
    done = 0
    found: list[list[list[Effect]]] = []
    for scenario in scenarios:
        phases: list[list[Effect]] = []
        for phase in scenario.phases:
            effects = []
            for profile in phase.profiles():
                effects.append(_effect(router, territory, phase, profile, sample, own))
                done += 1
                tell(done / count)
            phases.append(effects)
        found.append(phases)
    return found, sample


def _effect(router: Router, territory: str, phase: Phase, profile: str, sample: Sample, own: str) -> Effect:
    holds = next(moments(phase, territory))
    standing = [
        one for one in live.obstacles_between(territory, holds.start, holds.end) if not one.subject.startswith(own)
    ]
    before = live.overlays_of(router, standing).get(profile, CLEAR)
    named = partial(_district_name, territory)
    return effect_of(router, phase, profile, sample, before=before, district_of=named if phase.direction else None)


def _district_name(territory: str, lon: float, lat: float) -> str:
    return next((one.name for one in territories.zones_at(territory, lon, lat, kind=DISTRICT_KIND)), "")


def conflicts_between(
    mine: Sequence[Phase], loads: Sequence[str], theirs: Sequence[Phase], their_loads: Sequence[str],
    *, works: int, title: str,
) -> list[Conflict]:  # fmt: skip
    """Return how two works are at odds over the days they share; `loads` are the streets of their detours."""
    found: list[Conflict] = []
    shared = [
        (a, b, max(a.first, b.first), min(a.last, b.last))
        for a in mine
        for b in theirs
        if max(a.first, b.first) <= min(a.last, b.last)
    ]
    if not shared:
        return []
    first, last = min(one[2] for one in shared), max(one[3] for one in shared)
    ours, others = street_names([one[0] for one in shared]), street_names([one[1] for one in shared])
    for code, left, right in (("same", ours, others), ("detour", loads, others), ("theirs", ours, their_loads)):
        streets = tuple(name for name in left if name in right)
        if streets:
            found.append(Conflict(code, works, title, streets, first, last))
    return found


def load_streets(effects: Sequence[Sequence[Effect]]) -> list[str]:
    """Return the streets that take the load of a scenario, in order."""
    return list(dict.fromkeys(name for phase in effects for one in phase for name, _ in one.streets))
