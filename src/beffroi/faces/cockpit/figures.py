"""The figures of the front page: at most seven, each with its trend, what it is compared with, its source and its page.

A room's pages add theirs by a source, in a module that the addresses of the cockpit import:

    @figure_source("reports", rank=10)
    def reports(asked: Asked) -> Iterable[Figure]:
        yield Figure(_("Signalements en retard"), 4, href=reverse("…"), source=_("Signalements"), date=asked.told, …)

What is not known is left out, never shown as zero nor estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format

from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.charts import Line, Point, line_of

MOST = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """What the figures are asked for: by whom, of which commune, on which day."""

    viewer: Viewer
    commune: CommuneInfo
    today: date

    @property
    def told(self) -> str:
        """Return the day as a reader says it."""
        return date_format(self.today, "j F Y")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it counts, its value and unit, how to read it, where it comes from and what is behind it.

    `trend` holds its values over time, oldest first; `comparison` is a sentence that sets it beside something.
    """

    title: str
    value: float
    unit: str = ""
    note: str = ""
    source: str = ""
    date: str = ""
    href: str = ""
    comparison: str = ""
    trend: tuple[Point, ...] = ()

    @property
    def line(self) -> Line | None:
        """Return the trend as it is drawn, None while there is none."""
        return line_of(self.trend)

    @property
    def change(self) -> float | None:
        """Return by how much the value changed since the first point of the trend, None without one."""
        return None if len(self.trend) < 2 else self.trend[-1].value - self.trend[0].value


Source = Callable[[Asked], Iterable[Figure]]
_sources: dict[str, tuple[int, Source]] = {}


def figure_source(name: str, *, rank: int) -> Callable[[Source], Source]:
    """Register a function that yields figures; the lowest `rank` is shown first, and seven figures at most."""

    def register(source: Source) -> Source:
        _sources[name] = (rank, source)
        return source

    return register


def town_figures(asked: Asked) -> Sequence[Figure]:
    """Return the figures this reader may know, the first of each source before the second of any."""
    ranked = [
        (position, rank, figure)
        for rank, source in sorted(_sources.values(), key=lambda one: one[0])
        for position, figure in enumerate(source(asked))
    ]
    # Stable: sources keep their rank, and none takes all seven places.
    return [figure for _, _, figure in sorted(ranked, key=lambda one: one[:2])][:MOST]
