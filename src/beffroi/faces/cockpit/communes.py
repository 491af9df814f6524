"""The communes of a grouping side by side: what each publishes and opens, as far as the reader may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory import queries as territory
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary

USE_CASE = "G-08"


@dataclass(frozen=True, slots=True)
class CommuneLine:
    """One commune. `fresh_percent` is the share of its datasets imported lately, None when it publishes none."""

    commune: CommuneInfo
    datasets: int
    rows: int
    fresh_percent: int | None
    latest: DatasetSummary | None
    services: int
    is_here: bool


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A grouping and its communes; totals are sums over the communes shown."""

    grouping: CommuneInfo
    lines: tuple[CommuneLine, ...]

    @property
    def population(self) -> int:
        """Return the inhabitants of the communes whose population is known."""
        return sum(line.commune.population for line in self.lines)

    @property
    def datasets(self) -> int:
        """Return the datasets of all the communes."""
        return sum(line.datasets for line in self.lines)

    @property
    def rows(self) -> int:
        """Return the rows of all the communes."""
        return sum(line.rows for line in self.lines)


def side_by_side(viewer: Viewer, here: CommuneInfo, *, today: date) -> list[SideBySide]:
    """Return each grouping this page is about with its communes.

    Every count is cut to what the reader may see: an agent of one commune counts the public data of the others.
    """
    limit = today - timedelta(days=fresh_days())
    return [
        SideBySide(one, tuple(_line(viewer, commune, here, limit) for commune in territory.members(one.code)))
        for one in groupings_shown(here)
    ]


def groupings_shown(here: CommuneInfo) -> list[CommuneInfo]:
    """Return the grouping itself, or those a commune belongs to."""
    return [here] if here.kind == "grouping" else territory.groupings_of(here.code)


def fresh_days() -> int:
    """Return how many days an import stays fresh, as the use case's file sets it."""
    one = catalogue.catalogue().use_cases.get(USE_CASE)
    return int(getattr(one.settings.get("tenancy") if one else None, "fresh_days", 365))


def _line(viewer: Viewer, commune: CommuneInfo, here: CommuneInfo, limit: date) -> CommuneLine:
    known = lake.datasets(viewer, territory=commune.code)
    fresh = sum(_day(one.updated_at) >= limit for one in known)
    every = catalogue.use_cases(territory=commune.code, audience=Audience.RESIDENT, states=OPEN_STATES)
    opened = catalogue.with_data(every, commune.code)
    return CommuneLine(
        commune=commune,
        datasets=len(known),
        rows=sum(one.rows for one in known),
        fresh_percent=round(100 * fresh / len(known)) if known else None,
        latest=max(known, key=lambda one: one.updated_at, default=None),
        services=len(opened),
        is_here=commune.code == here.code,
    )


def _day(at: datetime) -> date:
    return at.astimezone(PARIS).date()
