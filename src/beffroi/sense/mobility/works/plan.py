"""What works are made of: scenarios, their phases, the stretches of street each closes, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.clock.queries import timezone_of
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.sense.mobility.works.directions import COMPASS, DIRECTIONS, MODES, followed

WHO: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    # Who is concerned: what it is called, the kind of obstacle it makes, the profiles its effect is counted on.
    "foot": (gettext_noop("piétons"), "chantier-pietons", ("a-pied",)),
    "bicycle": (gettext_noop("vélos"), "chantier-velos", ("velo",)),
    "car": (gettext_noop("voitures"), "chantier-voitures", ("voiture",)),
    "lorry": (gettext_noop("poids lourds"), "chantier-poids-lourds", ("benne",)),
}
SLOW_KIND = "alternat"
SLOW_PROFILES = ("voiture",)
MOST_SCENARIOS, MOST_PHASES, MOST_STRETCHES, MOST_DAYS = 5, 12, 120, 92
"""Days: of a phase with hours, each of which closes the streets anew."""


class BadWorks(BeffroiError):
    """Works cannot be kept, or published, as they are described."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stretch(_Value):
    """A stretch of street from one crossing to the next: its name, its middle and its line, in degrees (CRS84).

    It is found again by its middle on a later graph.
    """

    name: str
    lon: float
    lat: float
    length_m: float
    line: tuple[tuple[float, float], ...]


class Phase(_Value):
    """From one day to another, both included, some stretches are closed to some, or slow for all vehicles.

    `opens_s` and `closes_s`: hours of each day (seconds since midnight); both 0: day and night. With a `direction` (of
    `directions.DIRECTIONS`), nothing closes: it becomes that of `who`; `contraflow`: bicycles go both ways.
    """

    title: str = ""
    first: date
    last: date
    opens_s: int = Field(default=0, ge=0, le=86_400)
    closes_s: int = Field(default=0, ge=0, le=86_400)
    who: tuple[str, ...] = ()
    alternate: bool = False
    direction: str = ""
    contraflow: bool = False
    stretches: tuple[Stretch, ...] = ()

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def kinds(self) -> list[str]:
        """Return the kinds of obstacle that each stretch becomes; none where only the direction changes."""
        if self.direction:
            return []
        return [WHO[one][1] for one in self.who] + ([SLOW_KIND] if self.alternate else [])

    def profiles(self) -> list[str]:
        """Return the profiles its effect is counted on."""
        found = [profile for one in self.who for profile in WHO[one][2]]
        found += [*(SLOW_PROFILES if self.alternate else ()), *(WHO["bicycle"][2] if self.contraflow else ())]
        return list(dict.fromkeys(found))


class Scenario(_Value):
    """One way of doing the works."""

    title: str = Field(min_length=1, max_length=120)
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """When a phase holds without a break."""

    start: datetime
    end: datetime


def moments(phase: Phase, territory: str) -> Iterator[Moment]:
    """Yield when a phase holds: once from its first day to its last, or every day between its hours."""
    zone = timezone_of(territory)
    if not phase.closes_s:
        yield Moment(
            datetime.combine(phase.first, time(0), zone),
            datetime.combine(phase.last + timedelta(days=1), time(0), zone),
        )
        return
    for offset in range(phase.days):
        midnight = datetime.combine(phase.first + timedelta(days=offset), time(0), zone)
        yield Moment(midnight + timedelta(seconds=phase.opens_s), midnight + timedelta(seconds=phase.closes_s))


def checked(scenarios: Sequence[Scenario]) -> None:
    """Refuse what makes no sense.

    Raises:
        BadWorks: says what, where, and how to mend it.
    """
    if not 1 <= len(scenarios) <= MOST_SCENARIOS:
        raise BadWorks("{count} scénarios", where="scenarios", remedy="de 1 à {most}", count=len(scenarios),
                       most=MOST_SCENARIOS)  # fmt: skip
    if len({bool(phase.direction) for one in scenarios for phase in one.phases}) > 1:
        raise BadWorks("des phases ferment des rues, d'autres changent leur sens", where="scenarios",
                       remedy="faites-en deux dossiers")  # fmt: skip
    if len({one.title for one in scenarios}) < len(scenarios):
        raise BadWorks("deux scénarios ont le même nom", where="scenarios", remedy="donnez à chacun le sien")
    for one in scenarios:
        if len(one.phases) > MOST_PHASES:
            raise BadWorks("{count} phases", where=one.title, remedy="{most} au plus", count=len(one.phases),
                           most=MOST_PHASES)  # fmt: skip
        for phase in one.phases:
            _check_phase(one.title, phase)


def _check_phase(where: str, phase: Phase) -> None:
    if phase.last < phase.first:
        raise BadWorks("une phase finit avant de commencer", where=where, remedy="corrigez ses jours")
    if phase.closes_s and phase.closes_s <= phase.opens_s:
        raise BadWorks("les heures d'une phase finissent avant de commencer", where=where, remedy="corrigez-les")
    if phase.closes_s and phase.days > MOST_DAYS:
        raise BadWorks("une phase à heures fixes dure {days} jours", where=where, days=phase.days, most=MOST_DAYS,
                       remedy="{most} au plus : faites-en deux")  # fmt: skip
    if set(phase.who) - set(WHO) or not (phase.who or phase.alternate):
        raise BadWorks("une phase ne concerne personne", where=where,
                       remedy="dites qui ne passe plus, ou que la circulation est alternée")  # fmt: skip
    if phase.direction or phase.contraflow:
        _check_direction(where, phase)
    if len(phase.stretches) > MOST_STRETCHES:
        raise BadWorks("{count} tronçons", where=where, remedy="{most} au plus", count=len(phase.stretches),
                       most=MOST_STRETCHES)  # fmt: skip


def _check_direction(where: str, phase: Phase) -> None:
    if phase.direction not in DIRECTIONS:
        raise BadWorks("un contresens vélo sans changement de sens", where=where, remedy="dites le sens de la rue")
    if phase.alternate or phase.closes_s or set(phase.who) - set(MODES) or not phase.who:
        raise BadWorks("un sens de circulation vaut jour et nuit, pour des véhicules", where=where,
                       remedy="ôtez les heures, l'alternat et les piétons, ou faites des travaux")  # fmt: skip
    if phase.contraflow and "bicycle" in phase.who:
        raise BadWorks("les vélos suivraient le sens de la rue et son contresens", where=where,
                       remedy="choisissez l'un des deux")  # fmt: skip
    if phase.direction in COMPASS:
        for stretch, along in zip(phase.stretches, followed(phase.stretches, phase.direction), strict=True):
            if along is None:
                raise BadWorks("« {name} » ne va pas de ce côté", where=where, name=stretch.name or "voie sans nom",
                               remedy="choisissez un autre point cardinal, ou ôtez ce tronçon")  # fmt: skip


def scenarios_of(values: Iterable[Mapping[str, Any]]) -> list[Scenario]:
    """Return scenarios kept as JSON."""
    return [Scenario.model_validate(one) for one in values]


def street_names(phases: Iterable[Phase]) -> list[str]:
    """Return the names of the streets that phases touch, in order."""
    return list(dict.fromkeys(one.name for phase in phases for one in phase.stretches if one.name))
