"""The life of a building as agents read it: its works, the readings of its state, its ageing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.sense.twin.condition import COMPONENTS, MAKES_ANEW, Ageing, ageing_of
from beffroi.sense.twin.models import Reading, Work


class NotForYou(BeffroiError):
    """The life of a building is for the agents of its commune."""

    http_status = 403


@dataclass(frozen=True, slots=True)
class BuildingRef:
    """One building: a feature of a dataset of a territory. `rnb` is its national identifier, empty when unknown."""

    territory: str
    dataset: str
    feature: str
    name: str = ""
    rnb: str = ""

    @property
    def subject(self) -> str:
        """Return how the journal names it."""
        return f"building:{self.territory}/{self.dataset}/{self.feature}"[:200]

    def filter(self) -> Q:
        """Return what selects its notes: those of this feature, and those of the same national identifier."""
        same = Q(dataset=self.dataset, feature=self.feature)
        return Q(territory=self.territory) & (same | Q(rnb=self.rnb) if self.rnb else same)


@dataclass(frozen=True, slots=True)
class WorkInfo:
    """Something done to a building; `component` is empty for the whole, `cost_eur` None when it is not known."""

    number: int
    kind: str
    component: str
    day: date
    title: str
    by_whom: str
    cost_eur: Decimal | None
    note: str


@dataclass(frozen=True, slots=True)
class ReadingInfo:
    """The state a component was found in."""

    number: int
    component: str
    grade: int
    day: date
    note: str


@dataclass(frozen=True, slots=True)
class Life:
    """Works and readings, newest first; the ageing of each component that has enough readings.

    `spent_eur` is what the works done cost, `planned_eur` those to come; None when no cost is known.
    """

    works: tuple[WorkInfo, ...]
    readings: tuple[ReadingInfo, ...]
    ageings: tuple[Ageing, ...]
    spent_eur: Decimal | None
    planned_eur: Decimal | None

    @property
    def latest(self) -> dict[str, ReadingInfo]:
        """Return the last reading of each component, in the order of the components."""
        found: dict[str, ReadingInfo] = {}
        for reading in self.readings:
            found.setdefault(reading.component, reading)
        return {component: found[component] for component in COMPONENTS if component in found}


@dataclass(frozen=True, slots=True)
class Followed:
    """A building that has notes: how many, the day the last was written, its worst state, the first works foreseen."""

    building: BuildingRef
    works: int
    readings: int
    last: date
    worst: ReadingInfo | None
    year: int | None


def require_agent(viewer: Viewer, territory: str) -> None:
    """Let the agents and administrators of a territory through.

    Raises:
        NotForYou: anybody else.
    """
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)):
        raise NotForYou(
            "la vie des bâtiments est tenue par les agents de la commune",
            remedy="demandez ce rôle à un administrateur",
        )


def life_of(viewer: Viewer, building: BuildingRef, *, today: date) -> Life:
    """Return what was noted of a building; works to come are in it, and change nothing to its ageing yet.

    Raises:
        NotForYou: the viewer is neither agent nor administrator of the territory.
    """
    require_agent(viewer, building.territory)
    works = Work.objects.filter(building.filter(), withdrawn_at=None)
    readings = Reading.objects.filter(building.filter(), withdrawn_at=None)
    return _life(works, readings, today)


def followed(viewer: Viewer, territory: str, *, today: date) -> list[Followed]:
    """Return the buildings of a territory that have notes: works foreseen soonest first, then the worst state.

    Raises:
        NotForYou: the viewer is neither agent nor administrator of the territory.
    """
    require_agent(viewer, territory)
    works: dict[str, list[Work]] = defaultdict(list)
    readings: dict[str, list[Reading]] = defaultdict(list)
    names: dict[str, BuildingRef] = {}
    for work in Work.objects.filter(territory=territory, withdrawn_at=None).order_by("-day", "-pk"):
        works[_key(names, work)].append(work)
    for reading in Reading.objects.filter(territory=territory, withdrawn_at=None).order_by("-day", "-pk"):
        readings[_key(names, reading)].append(reading)
    found = [_followed(building, works[key], readings[key], today) for key, building in names.items()]
    return sorted(found, key=lambda one: (one.year or 9999, one.worst.grade if one.worst else 9, one.building.name))


def _key(names: dict[str, BuildingRef], note: Work | Reading) -> str:
    key = f"rnb:{note.rnb}" if note.rnb else f"{note.dataset}/{note.feature}"
    names.setdefault(key, BuildingRef(note.territory, note.dataset, note.feature, note.building_name, note.rnb))
    return key


def _followed(building: BuildingRef, works: list[Work], readings: list[Reading], today: date) -> Followed:
    life = _life(works, readings, today)
    years = [one.year for one in life.ageings if one.year is not None]
    return Followed(
        building=building,
        works=len(life.works),
        readings=len(life.readings),
        last=max(note.recorded_at for note in (*works, *readings)).date(),
        worst=min(life.latest.values(), key=lambda one: one.grade, default=None),
        year=min(years, default=None),
    )


def _life(works: Iterable[Work], readings: Iterable[Reading], today: date) -> Life:
    done = (
        WorkInfo(one.pk, one.kind, one.component, one.day, one.title, one.by_whom, one.cost_eur, one.note)
        for one in works
    )
    read = (ReadingInfo(one.pk, one.component, one.grade, one.day, one.note) for one in readings)
    return life_from(done, read, today=today)


def life_from(works: Iterable[WorkInfo], readings: Iterable[ReadingInfo], *, today: date) -> Life:
    """Return the life that notes tell, newest first, with the ageing of each component read often enough."""
    done = tuple(sorted(works, key=lambda one: (one.day, one.number), reverse=True))
    read = tuple(sorted(readings, key=lambda one: (one.day, one.number), reverse=True))
    ageings = []
    for component in COMPONENTS:
        mine = [(one.day, one.grade) for one in read if one.component == component]
        anew = [
            one.day for one in done if one.kind in MAKES_ANEW and one.day <= today and one.component in ("", component)
        ]
        if mine and (ageing := ageing_of(component, mine, anew=max(anew, default=None))) is not None:
            ageings.append(ageing)
    spent = [one.cost_eur for one in done if one.cost_eur is not None and one.day <= today]
    planned = [one.cost_eur for one in done if one.cost_eur is not None and one.day > today]
    return Life(done, read, tuple(ageings), _total(spent), _total(planned))


def _total(costs: list[Decimal]) -> Decimal | None:
    return sum(costs, Decimal(0)) if costs else None
