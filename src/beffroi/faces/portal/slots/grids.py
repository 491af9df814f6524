"""Times as tables: a day with its places side by side, or the week of one place; alike for eyes and ears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.serve.bookings.definition import spoken
from beffroi.serve.bookings.hours.queries import Moment, Place, SlotThing, Standing

DAYS, PAST = 7, "–"


@dataclass(frozen=True, slots=True)
class GridCell:
    """One square: `word` says how it stands, `query` leads to take it ("": it cannot be), `about` names it aloud."""

    word: str = ""
    kind: str = ""
    query: str = ""
    about: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """The squares of one hour."""

    hour: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of times; `heads` are its columns, a word and a smaller one."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True)
class DayTab:
    """One day of the week shown above the table: how many free times it has."""

    day: date
    free: int
    words: str
    why: str = ""


def day_grid(thing: SlotThing, places: Sequence[Place], found: Sequence[Moment], *, waiting: bool) -> Grid:
    """Return a day, its places side by side."""
    heads = tuple((one.label, _people(one)) for one in places)
    return Grid(heads, _rows(thing, found, [(one.slug, None) for one in places], waiting=waiting))


def week_grid(thing: SlotThing, place: Place, first: date, found: Sequence[Moment], *, waiting: bool) -> Grid:
    """Return the week of one place, its days side by side."""
    days = [first + timedelta(days=rank) for rank in range(DAYS)]
    heads = tuple((spoken(day), "") for day in days)
    return Grid(heads, _rows(thing, found, [(place.slug, day) for day in days], waiting=waiting))


def _people(place: Place) -> str:
    return ngettext("{n} personne", "{n} personnes", place.people).format(n=place.people) if place.people else ""


def _rows(
    thing: SlotThing, found: Sequence[Moment], columns: Sequence[tuple[str, date | None]], *, waiting: bool
) -> tuple[GridRow, ...]:
    by_square: dict[tuple[str, tuple[str, date | None]], Moment] = {}
    for one in found:
        starts = one.time.starts
        for column in ((one.time.place, None), (one.time.place, starts.date())):
            by_square[(f"{starts:%H:%M}", column)] = one
    hours = sorted({hour for hour, column in by_square if column in set(columns)})
    rows = [
        GridRow(hour, tuple(_cell(thing, by_square.get((hour, column)), waiting=waiting) for column in columns))
        for hour in hours
    ]
    # An hour that is past everywhere says nothing.
    return tuple(row for row in rows if any(cell.word not in ("", PAST) for cell in row.cells))


def _cell(thing: SlotThing, one: Moment | None, *, waiting: bool) -> GridCell:
    if one is None:
        return GridCell()
    time = one.time
    query = urlencode({"lieu": time.place, "debut": time.starts.isoformat(), "fin": time.ends.isoformat()})
    about = f"{thing.rules.place_of(time.place).label}, {spoken(time.starts.date())}, {time.starts:%H:%M}"
    detail = " · ".join(filter(None, (_(time.title) if time.title else "", _(time.level) if time.level else "")))
    if one.is_free:
        shared = time.places > 1
        word = ngettext("{n} place", "{n} places", one.left).format(n=one.left) if shared else _("Libre")
        return GridCell(word, "free", query, about, detail)
    if one.standing is Standing.TAKEN:
        return GridCell(_("Attendre") if waiting else _("Pris"), "full", query if waiting else "", about, detail)
    if one.standing is Standing.CLOSED:
        return GridCell(_("Fermé"), "", "", about, _(one.why))
    return GridCell(PAST if one.standing is Standing.SOON else _("Bientôt"), "", "", about, detail)


def day_tabs(first: date, found: Sequence[Moment], closed: dict[date, str]) -> list[DayTab]:
    """Return the days of a week with how many free times each has."""
    tabs = []
    for rank in range(DAYS):
        day = first + timedelta(days=rank)
        free = sum(one.is_free and one.time.starts.date() == day for one in found)
        words = ngettext("{n} libre", "{n} libres", free).format(n=free) if free else _("rien de libre")
        tabs.append(DayTab(day, free, words, closed.get(day, "")))
    return tabs
