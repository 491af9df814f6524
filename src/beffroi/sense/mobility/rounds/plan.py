"""What a round is asked with: stops, vehicles, a place to unload. Plain values, kept as JSON in the registry.

Times of day are seconds since local midnight; places are degrees (CRS84); amounts are in whatever unit the service
counts in (bins, cubic metres, kilos): the same for stops and vehicles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.profiles import Profile, profile_named

TIP = "tip"
"""The item of an order that is no stop: the vehicle goes and unloads."""
MOST_STOPS, MOST_VEHICLES, MOST_BREAKS = 400, 12, 2
DAY_S = 86_400
LATEST_S = 2 * DAY_S
"""The latest time of a round, which may end after midnight: 25 h is one o'clock the next morning."""
URGENT = 100
"""The priority of a stop one goes to first; 0 is that of the others."""
Order = dict[str, list[str]]
"""What each vehicle does, by its name: the numbers of its stops and `TIP`, in order."""


class BadRound(BeffroiError):
    """A round cannot be computed as it is asked."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Value):
    """From one time of day to another."""

    start_s: int = Field(ge=0, le=LATEST_S)
    end_s: int = Field(ge=0, le=LATEST_S)


class Site(_Value):
    """A place that is no stop: a depot, where one unloads."""

    name: str
    lon: float
    lat: float


class Break(_Value):
    """A rest of `length_s` that begins between two times of day."""

    earliest_s: int = Field(ge=0, le=LATEST_S)
    latest_s: int = Field(ge=0, le=LATEST_S)
    length_s: int = Field(ge=0, le=4 * 3600)


class Stop(_Value):
    """Where a vehicle must go. `vehicle` and `rank` are those of the current round, empty when there is none.

    `windows` are those in which work begins; none: any time. `source` names what it comes from (``report:ABC-1234``).
    `priority` says, up to `URGENT`, who is left out last when time is short; urgent ones are gone to first.
    """

    id: str
    name: str
    lon: float
    lat: float
    amount: float = Field(default=0.0, ge=0)
    service_s: int = Field(default=120, ge=0, le=4 * 3600)
    windows: tuple[Window, ...] = ()
    vehicle: str = ""
    rank: float = 0.0
    source: str = ""
    priority: int = Field(default=0, ge=0, le=URGENT)


class Vehicle(_Value):
    """Who drives what, when. Sizes of 0 are those of the profile; `capacity` None: nothing to count.

    It comes back to its depot, unless it ends at `arrival`.
    """

    name: str = Field(min_length=1, max_length=60)
    profile: str
    start_s: int = Field(ge=0, le=DAY_S)
    end_s: int = Field(ge=0, le=LATEST_S)
    depot: Site
    arrival: Site | None = None
    capacity: float | None = Field(default=None, gt=0)
    width_cm: int = Field(default=0, ge=0, le=600)
    height_cm: int = Field(default=0, ge=0, le=600)
    weight_kg: int = Field(default=0, ge=0, le=60_000)
    breaks: tuple[Break, ...] = ()

    @property
    def home(self) -> Site:
        """Return where its round ends."""
        return self.arrival or self.depot

    @property
    def driven(self) -> Profile:
        """Return the profile it drives by, at its own size."""
        return profile_named(self.profile).sized(
            width_cm=self.width_cm, height_cm=self.height_cm, weight_kg=self.weight_kg
        )


class Plan(_Value):
    """What a round is computed from. `dense` are the hours when one does not stop on main roads.

    `walk_m` is how far a crew carries things to a street its vehicle may use. `teams`: of people, on foot or by bicycle
    as well as in a vehicle.
    """

    vehicles: tuple[Vehicle, ...]
    tip: Site | None = None
    tip_s: int = Field(default=600, ge=0, le=4 * 3600)
    dense: tuple[Window, ...] = ()
    walk_m: int = Field(default=30, ge=5, le=200)
    teams: bool = False

    def vehicle(self, name: str) -> Vehicle:
        """Return a vehicle by its name.

        Raises:
            BadRound: there is none.
        """
        for one in self.vehicles:
            if one.name == name:
                return one
        raise BadRound(
            "aucun véhicule nommé « {name} »", where="vehicle", remedy="choisissez-en un de la tournée", name=name[:60]
        )


def checked(plan: Plan, stops: Sequence[Stop]) -> None:
    """Refuse what no solver could make sense of.

    Raises:
        BadRound: says what, where, and how to mend it.
    """
    _check_counts(plan, stops)
    names = [one.name for one in plan.vehicles]
    if len(set(names)) < len(names):
        raise BadRound("deux véhicules ont le même nom", where="vehicles", remedy="donnez à chacun le sien")
    for one in plan.vehicles:
        if one.end_s <= one.start_s:
            raise BadRound(
                "« {name} » finit avant de commencer", where="vehicles", remedy="corrigez ses heures", name=one.name
            )
        if len(one.breaks) > MOST_BREAKS or any(b.latest_s < b.earliest_s for b in one.breaks):
            raise BadRound(
                "pauses de « {name} » illisibles", where="vehicles", name=one.name,
                remedy="deux pauses au plus, chacune d'une heure au plus tôt à une heure au plus tard",
            )  # fmt: skip
        if not (plan.teams or one.driven.vehicle):
            raise BadRound(
                "« {profile} » n'est pas un profil de véhicule", where="vehicles", remedy="choisissez-en un autre",
                profile=one.profile,
            )  # fmt: skip
    for stop in stops:
        if any(w.end_s < w.start_s for w in stop.windows):
            raise BadRound(
                "« {name} » : des heures finissent avant de commencer", where="stops", remedy="corrigez-les",
                name=stop.name[:80],
            )  # fmt: skip


def _check_counts(plan: Plan, stops: Sequence[Stop]) -> None:
    if not 1 <= len(stops) <= MOST_STOPS:
        raise BadRound(
            "{count} arrêts", where="stops", remedy="de 1 à {most} arrêts", count=len(stops), most=MOST_STOPS
        )
    if not 1 <= len(plan.vehicles) <= MOST_VEHICLES:
        raise BadRound(
            "{count} véhicules", where="vehicles", remedy="de 1 à {most} véhicules", count=len(plan.vehicles),
            most=MOST_VEHICLES,
        )  # fmt: skip
    if len({one.id for one in stops}) < len(stops):
        raise BadRound("deux arrêts ont le même numéro", where="stops", remedy="numérotez-les autrement")


def without(windows: Iterable[Window], barred: Iterable[Window], *, busy_s: int) -> tuple[Window, ...]:
    """Return the windows in which work of `busy_s` may begin and be over before any barred hours begin.

    No windows at all means at any time.

    >>> [(w.start_s, w.end_s) for w in without((), [Window(start_s=100, end_s=200)], busy_s=10)]
    [(0, 90), (200, 172800)]
    """
    left = list(windows) or [Window(start_s=0, end_s=LATEST_S)]
    for bar in barred:
        cut = []
        for one in left:
            before, after = min(one.end_s, bar.start_s - busy_s), max(one.start_s, bar.end_s)
            if one.start_s <= before:
                cut.append(Window(start_s=one.start_s, end_s=before))
            if after <= one.end_s:
                cut.append(Window(start_s=after, end_s=one.end_s))
        left = cut
    return tuple(left)


def current_order(plan: Plan, stops: Sequence[Stop]) -> Order:
    """Return the current round as the stops tell it: by vehicle, then rank; empty when none tells."""
    told = [one for one in stops if one.vehicle]
    order: Order = {}
    for name in (one.name for one in plan.vehicles):
        mine = sorted((one for one in told if one.vehicle == name), key=lambda one: one.rank)
        if mine:
            order[name] = [one.id for one in mine]
    return order


def by_id(stops: Iterable[Stop]) -> Mapping[str, Stop]:
    """Return the stops by their numbers."""
    return {one.id: one for one in stops}


def stops_of(values: Iterable[Mapping[str, Any]]) -> list[Stop]:
    """Return the stops kept as JSON."""
    return [Stop.model_validate(one) for one in values]
