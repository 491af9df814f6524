"""Shops that stand empty: by street, year after year, since when, from what agents found at the door.

A shop is as it was last found by the end of a year; one found only after, or where nobody answered, is not known then
and counts on neither side. A vacancy lasts since the first of the findings that follow one another without an occupant:
it is at least that long.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, Filter
from beffroi.sense.indicators import figures
from beffroi.sense.indicators.computations import computation
from beffroi.sense.indicators.figures import Computed, Sums, Thing
from beffroi.sense.indicators.settings import Measure

LOTS, SURVEY = "locaux", "releves-occupation"
SHOP, EMPTY, TAKEN = "commerce", "vacant", "occupe"
MONTH_DAYS = 30.44
MOST = 500_000
NOWHERE = gettext_noop("Sans adresse")
SURFACE, SINCE, LAST = gettext_noop("Surface"), gettext_noop("Vacant au moins depuis"), gettext_noop("Dernier relevé")
KNOWN = gettext_noop("{known} commerces relevés sur {all} : les autres ne comptent ni d’un côté ni de l’autre.")
_WRITTEN = re.compile(
    r"^\s*\d+\s*(?:bis|ter|quater|[a-z])?\s*,?\s+(?P<street>\D.*?)(?:,?\s+\d{5}\b.*)?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop: where it is, and what was found of it, the oldest first: (day, whether it was empty)."""

    id: str
    address: str
    street: str
    surface_m2: float | None
    found: tuple[tuple[date, bool], ...]

    def state(self, until: date) -> bool | None:
        """Tell whether it stood empty by the end of a day, None when nothing was found yet."""
        return next((empty for day, empty in reversed(self.found) if day <= until), None)

    def empty_since(self, until: date) -> date | None:
        """Return the first of the findings without an occupant that last until a day, None when it is not empty."""
        since = None
        for day, empty in self.found:
            if day <= until:
                since = (since or day) if empty else None
        return since


def street_of(address: str) -> str:
    """Return the street of a written address.

    >>> street_of("12 bis Grande Rue 34000 Ville"), street_of("Place du Marché"), street_of("")
    ('Grande Rue', 'Place du Marché', '')
    """
    match = _WRITTEN.match(address)
    return (match["street"] if match else address).strip()


@computation("vacance-commerciale")
def vacancy_rate(viewer: Viewer, territory: str, measure: Measure) -> Computed:
    """Return the share of shops that stand empty, by street and by year, and the shops empty today.

    Raises:
        Missing: the premises or the survey.
    """
    shops, sources = _read(viewer, territory)
    by_year: dict[str, dict[str, Sums]] = {}
    whole: dict[str, Sums] = {}
    for year in _years(shops):
        lines: dict[str, Sums] = defaultdict(lambda: Sums(top=0.0, bottom=0.0))
        for shop in shops:
            state = shop.state(date(year, 12, 31))
            if state is not None:
                _add(lines[shop.street or NOWHERE], empty=state)
        by_year[str(year)] = dict(lines)
        told = lines.values()
        whole[str(year)] = Sums(
            top=sum(one.top or 0 for one in told), bottom=sum(one.bottom or 0 for one in told),
            rows=sum(one.rows for one in told),
        )  # fmt: skip
    note = Sentence(KNOWN, {"known": sum(bool(one.found) for one in shops), "all": len(shops)})
    return Computed(by_year, whole, sources, _empty(shops), (note,))


@computation("duree-vacance")
def vacancy_months(viewer: Viewer, territory: str, measure: Measure) -> Computed:
    """Return the median months that shops empty today have been so, by street, up to the last finding of all.

    Raises:
        Missing: the premises or the survey.
    """
    shops, sources = _read(viewer, territory)
    until = _last(shops)
    months: dict[str, list[float]] = defaultdict(list)
    for shop in shops if until else ():
        since = shop.empty_since(until or date.max)
        if since is not None and until is not None:
            months[shop.street or NOWHERE].append((until - since).days / MONTH_DAYS)
    year = str(until.year) if until else ""
    lines = {street: Sums(top=statistics.median(some), rows=len(some)) for street, some in months.items()}
    every = [one for some in months.values() for one in some]
    whole = Sums(top=statistics.median(every) if every else None, rows=len(every))
    return Computed({year: lines} if year else {}, {year: whole} if year else {}, sources)


def _add(sums: Sums, *, empty: bool) -> None:
    sums.top = (sums.top or 0) + empty
    sums.bottom = (sums.bottom or 0) + 1
    sums.rows += 1


def _years(shops: Sequence[Shop]) -> range:
    years = [day.year for shop in shops for day, _empty in shop.found]
    return range(min(years), max(years) + 1) if years else range(0)


def _last(shops: Sequence[Shop]) -> date | None:
    return max((shop.found[-1][0] for shop in shops if shop.found), default=None)


def _empty(shops: Sequence[Shop]) -> tuple[Thing, ...]:
    """Return the shops empty today, by street then by number: with their surface and since when."""
    until = _last(shops)
    found = []
    for shop in sorted(shops, key=lambda one: (one.street, one.address, one.id)):
        since = shop.empty_since(until) if until else None
        if since is None:
            continue
        surface = f"{shop.surface_m2:.0f} m²" if shop.surface_m2 else "–"
        facts = ((SURFACE, surface), (SINCE, since.isoformat()), (LAST, shop.found[-1][0].isoformat()))
        found.append(Thing(shop.address or shop.id, shop.street or NOWHERE, facts))
    return tuple(found)


def _read(viewer: Viewer, territory: str) -> tuple[list[Shop], tuple[Any, ...]]:
    known = figures.details(viewer, territory, (LOTS, SURVEY))
    found: dict[str, list[tuple[date, bool]]] = defaultdict(list)
    asked = ["idlocal", "date_releve", "etat"]
    for lot, day, state in lake.rows(viewer, DatasetRef(territory, SURVEY), columns=asked, max_rows=MOST).rows:
        if state in (EMPTY, TAKEN) and (at := _day(day)) is not None:
            found[str(lot)].append((at, state == EMPTY))
    rows = lake.rows(
        viewer, DatasetRef(territory, LOTS), columns=["idlocal", "adresse", "slocal"],
        where=[Filter("usage", "eq", SHOP)], max_rows=MOST,
    ).rows  # fmt: skip
    shops = [
        Shop(str(lot), str(address or ""), street_of(str(address or "")), surface, tuple(sorted(found[str(lot)])))
        for lot, address, surface in rows
    ]
    return shops, tuple(one.summary for one in known.values())


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
