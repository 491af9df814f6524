"""What a scenario does: energy and money in a year, light on the public space, by district and by street profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beffroi.sense.twin.lighting.actions import Action, Where
from beffroi.sense.twin.lighting.coverage import Cover, Gap, Links, covers, gaps, linked, profile_shares
from beffroi.sense.twin.lighting.lamps import Lamps
from beffroi.sense.twin.lighting.nights import SLOT_MIN, SLOTS, Nights, slots
from beffroi.sense.twin.lighting.space import Samples
from beffroi.sense.twin.lighting.standards import MOST_KELVIN, PROFILES
from beffroi.sense.twin.plane import Plane

EVENING_MIN, NIGHT_MIN = 21 * 60, 3 * 60
"""The two moments told: the evening, when all lamps burn, and the middle of the night, when some are out."""


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """A town as lighting sees it: its lamps, its public space, which lights what; names by rank of each lamp."""

    plane: Plane
    lamps: Lamps
    samples: Samples
    links: Links
    nights: Nights
    districts: tuple[str, ...]
    district: NDArray[np.intp]
    profile: tuple[str, ...]
    wanted: dict[str, str]
    sources: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Share:
    """Some lamps, what they burn in a year; of a profile, what is lit of the carriageway and of the rest."""

    name: str
    lamps: int
    kwh: float
    area_m2: float = 0.0
    road: float | None = None
    rest: float | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """What a scenario gives. `undimmed` lamps were to be dimmed and cannot; `spent_eur` is what it costs once."""

    lamps: int
    added: int
    changed: int
    undimmed: int
    power_kw: float
    kwh: float
    spent_eur: float
    over_kelvin: int
    districts: tuple[Share, ...]
    profiles: tuple[Share, ...]
    covers: tuple[Cover, ...]
    gaps: tuple[Gap, ...]

    @property
    def dark_m(self) -> float:
        """Return the metres of street left dark in the evening, carriageway or sides."""
        return sum(one.length_m for one in self.gaps)

    def lit(self, moment: str) -> float:
        """Return the share of the whole public space that reaches its class, "evening" or "night"."""
        whole = sum(one.area_m2 for one in self.covers)
        return sum(one.area_m2 * getattr(one, moment) for one in self.covers) / whole if whole else 0.0


@dataclass(slots=True, eq=False)
class _State:
    """The lamps while a scenario is followed; each has a row of `shares`, the part of its power by five minutes."""

    at: NDArray[np.float64]
    power_w: NDArray[np.float64]
    flux_lm: NDArray[np.float64]
    kelvin: NDArray[np.float64]
    led: NDArray[np.bool_]
    regime: NDArray[np.intp]
    shares: list[NDArray[np.float64]]
    changed: NDArray[np.bool_]
    undimmed: NDArray[np.bool_]
    spent_eur: float = 0.0


def effects(lit: Lit, actions: Sequence[Action] = ()) -> Effects:
    """Return what a scenario gives; today when nothing is done."""
    state = _today(lit.lamps)
    known = len(lit.lamps)
    for action in actions:
        if action.kind != "add":
            _act(state, action, _chosen(lit, state, action.where))
    more = [action for action in actions if action.kind == "add"]
    flux, links, power, kelvin, burnt = _with(lit, state, more)
    table = np.array(state.shares)
    hours = table @ lit.nights.by_slot
    kwh = np.concatenate([state.power_w * hours[state.regime], burnt * lit.nights.hours]) / 1000
    moments = [table[state.regime, minute // SLOT_MIN] for minute in (EVENING_MIN, NIGHT_MIN)]
    lux = [_lux(lit, links, np.concatenate([flux[:known] * share, flux[known:]])) for share in moments]
    return Effects(
        lamps=known + len(more), added=len(more), changed=int(state.changed.sum()), undimmed=int(state.undimmed.sum()),
        power_kw=float(power.sum()) / 1000, kwh=float(kwh.sum()),
        spent_eur=state.spent_eur + sum(one.unit_eur for one in more),
        over_kelvin=int((kelvin > MOST_KELVIN).sum()),
        districts=_by_district(lit, kwh[:known], more, kwh[known:]),
        profiles=_by_profile(lit, kwh[:known], lux[0]),
        covers=tuple(covers(lit.samples, lux[0], lux[1], lit.wanted)),
        gaps=tuple(gaps(lit.samples, lux[0], lit.wanted)),
    )  # fmt: skip


def _today(lamps: Lamps) -> _State:
    shares = []
    for told in lamps.regimes:
        share = np.ones(SLOTS)
        if told is not None:
            share[slots(told)] = 0.0
        shares.append(share)
    none = np.zeros(len(lamps), dtype=bool)
    return _State(
        lamps.at, lamps.power_w.copy(), lamps.flux_lm.copy(), lamps.kelvin.copy(), lamps.led.copy(),
        lamps.regime.copy(), shares, none.copy(), none.copy(),
    )  # fmt: skip


def _chosen(lit: Lit, state: _State, where: Where) -> NDArray[np.bool_]:
    chosen = np.ones(len(lit.lamps), dtype=bool)
    if where.district:
        names = np.array([*lit.districts, ""], dtype=object)
        chosen &= names[lit.district] == where.district
    if where.profile:
        chosen &= np.array(lit.profile, dtype=object) == where.profile
    if where.street:
        chosen &= np.array([one.casefold() for one in lit.lamps.streets], dtype=object) == where.street.casefold()
    if where.source:
        chosen &= state.led == (where.source == "led")
    return chosen


def _act(state: _State, action: Action, chosen: NDArray[np.bool_]) -> None:
    if action.kind == "swap":
        state.power_w[chosen], state.flux_lm[chosen] = action.power_w, action.flux_lm
        state.kelvin[chosen], state.led[chosen] = action.kelvin, True
        state.spent_eur += action.unit_eur * int(chosen.sum())
        state.changed |= chosen
        return
    if action.kind == "dim":
        # A discharge lamp needs another ballast to be dimmed: it goes on as it is, and that is told.
        state.undimmed |= chosen & ~state.led
        chosen = chosen & state.led
    state.changed |= chosen
    made: dict[int, int] = {}
    inside = slots((action.start, action.end)) if action.kind != "on" else np.ones(SLOTS, dtype=bool)
    for rank in np.unique(state.regime[chosen]).tolist():
        share = state.shares[rank].copy()
        if action.kind == "on":
            share[:] = 1.0
        elif action.kind == "off":
            share[inside] = 0.0
        else:
            share[inside] = np.minimum(share[inside], action.share)
        made[rank] = len(state.shares)
        state.shares.append(share)
    for rank, other in made.items():
        state.regime[chosen & (state.regime == rank)] = other


def _with(lit: Lit, state: _State, more: Sequence[Action]) -> tuple[Any, ...]:
    """Return flux, links, power, kelvin once lamps are added, and what those draw from the network."""
    if not more:
        return state.flux_lm, [lit.links], state.power_w, state.kelvin, np.array([], dtype=float)
    at = lit.plane.metres(np.array([[one.lon, one.lat] for one in more]))
    links = linked(lit.samples.at, at, np.array([one.height_m for one in more]))
    shifted = Links(links.sample, links.lamp + len(lit.lamps), links.lx_per_lm)
    burnt = np.array([0.0 if one.solar else one.power_w for one in more])
    return (
        np.concatenate([state.flux_lm, [one.flux_lm for one in more]]),
        [lit.links, shifted],
        np.concatenate([state.power_w, burnt]),
        np.concatenate([state.kelvin, [one.kelvin for one in more]]),
        burnt,
    )


def _lux(lit: Lit, links: Sequence[Links], flux: NDArray[np.float64]) -> NDArray[np.float64]:
    found = [one.lux(flux, len(lit.samples)) for one in links]
    return np.sum(found, axis=0)


def _by_district(
    lit: Lit, kwh: NDArray[np.float64], more: Sequence[Action], burnt: NDArray[np.float64]
) -> tuple[Share, ...]:
    count = np.bincount(lit.district, minlength=len(lit.districts) + 1)
    total = np.bincount(lit.district, weights=kwh, minlength=len(lit.districts) + 1)
    found = [Share(name, int(count[rank]), float(total[rank])) for rank, name in enumerate(lit.districts)]
    if count[-1]:
        found.append(Share("", int(count[-1]), float(total[-1])))
    return (*found, Share("added", len(more), float(burnt.sum()))) if more else tuple(found)


def _by_profile(lit: Lit, kwh: NDArray[np.float64], lux: NDArray[np.float64]) -> tuple[Share, ...]:
    shares = profile_shares(lit.samples, lux, lit.wanted)
    names = np.array(lit.profile, dtype=object)
    return tuple(
        Share(name, int((names == name).sum()), float(kwh[names == name].sum()), *shares[name]) for name in PROFILES
    )
