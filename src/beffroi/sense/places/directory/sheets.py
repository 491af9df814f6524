"""From the rows of datasets, as one class of readers sees them, to the sheets of a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from beffroi.base.kernel.words import folded
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places.directory.laying import DISTRICT, id_of
from beffroi.sense.places.directory.settings import TYPED_KINDS, DirectorySettings, Facet, Vote

Row = Mapping[str, Any]
Place = tuple[float, float]
Door = Mapping[str, Any]

WHEN, SEPARATOR = "_when", "|"
"""The facet, never shown, of what says when a sheet happens, and what parts its columns."""

UNANIMOUS, SHARED, REFUSED, UNTOLD = "unanime", "partage", "rejete", "inconnu"
LEVEL, RAMP, STEPS = "plain-pied", "rampe", "marches"


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of a sheet: the values told of it, where it is (CRS84, None when not known), its door and its hours."""

    values: Mapping[str, Any]
    lon: float | None = None
    lat: float | None = None
    door: Mapping[str, Any] | None = None
    hours: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One thing of a directory. `values` are by column, as JSON writes them; `facets` the values of each facet.

    `paper` is the address of its document; `text` what is searched and not told.
    """

    ref: DatasetRef
    id: str
    title: str
    about: tuple[str, ...]
    day: str
    values: Mapping[str, Any]
    spots: tuple[Spot, ...]
    facets: Mapping[str, tuple[str, ...]]
    paper: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one dataset, each with its `_id`, and its `lon` and `lat` (None when it is nowhere)."""

    ref: DatasetRef
    rows: Sequence[Row]


Finder = Callable[[str], Place | None]
"""Tells where a street address of the town is, None when it is not known."""

DoorOf = Callable[[str], Door | None]
"""Tells what is known of the door at a street address."""


DistrictOf = Callable[[Place], str]
"""Names the district of a place, empty when it is in none."""


def sheets_of(
    sources: Iterable[Source],
    settings: DirectorySettings,
    *,
    find: Finder,
    door_of: DoorOf,
    district_of: DistrictOf = lambda _: "",
) -> list[Sheet]:
    """Return the sheets in the order in which they are listed; a row without a title has none."""
    made = []
    for source in sources:
        for rows in _gathered(source.rows, settings.together):
            sheet = _sheet(source.ref, rows, settings, find, door_of, district_of)
            if sheet.title:
                made.append(sheet)
    if settings.order == "recent":
        # Twice sorted: of the same day, by title. What has no date comes last.
        return sorted(sorted(made, key=lambda one: folded(one.title)), key=lambda one: one.day, reverse=True)
    return sorted(made, key=lambda one: (folded(one.title), one.id))


def _gathered(rows: Sequence[Row], together: tuple[str, ...]) -> list[list[Row]]:
    if not together:
        return [[row] for row in rows]
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        key = tuple(_text(row.get(one)) for one in together)
        # Without what would tell that they are the same, they are not.
        groups.setdefault(key if all(key) else row["_id"], []).append(row)
    return list(groups.values())


def _sheet(
    ref: DatasetRef,
    rows: Sequence[Row],
    settings: DirectorySettings,
    find: Finder,
    door_of: DoorOf,
    district_of: DistrictOf,
) -> Sheet:
    first = rows[0]
    spots = _spots(rows, settings, find, door_of)
    told = dict.fromkeys((*settings.told, *settings.about, settings.day, settings.hours, *settings.moments,
                          *_vote_columns(settings.vote)))  # fmt: skip
    # Of rows that are one thing, a column tells all they say.
    values = {key: _joined(rows, key) for key in told if key}
    searched = (*settings.title, *settings.about, *settings.words, *settings.told, *settings.place)
    return Sheet(
        ref,
        id_of(first, settings.together),
        " ".join(part for key in settings.title if (part := _text(first.get(key)))),
        tuple(part for key in settings.about if (part := _text(values[key]))),
        _text(first.get(settings.day)) if settings.day else "",
        values,
        spots,
        {one.name: _facet_values(one, rows, spots, settings, district_of) for one in settings.facets}
        | ({WHEN: (SEPARATOR.join(_text(first.get(key)) for key in settings.moments),)} if settings.dates else {}),
        _text(first.get(settings.paper)) if settings.paper else "",
        " ".join(dict.fromkeys(_text(row.get(key)) for row in rows for key in dict.fromkeys(searched))),
    )


def _joined(rows: Sequence[Row], key: str) -> Any:
    found = list(dict.fromkeys(as_json(row.get(key)) for row in rows if row.get(key) not in (None, "")))
    return found[0] if len(found) == 1 else ", ".join(map(str, found)) if found else None


def _spots(rows: Sequence[Row], settings: DirectorySettings, find: Finder, door_of: DoorOf) -> tuple[Spot, ...]:
    spots: dict[Any, Spot] = {}
    for row in rows:
        values = {key: as_json(row.get(key)) for key in settings.place}
        address = " ".join(part for key in settings.address if (part := _text(row.get(key))))
        where = (row["lon"], row["lat"])
        if where[0] is None and address:
            where = find(address) or (None, None)
        hours = _text(row.get(settings.hours)) if settings.hours else ""
        key = (tuple(values.items()), where)
        spots.setdefault(key, Spot(values, *where, door_of(address) if settings.venue and address else None, hours))
    return tuple(spots.values())


def _facet_values(
    facet: Facet, rows: Sequence[Row], spots: Sequence[Spot], settings: DirectorySettings, district_of: DistrictOf
) -> tuple[str, ...]:
    if facet.kind == "door":
        return tuple(dict.fromkeys(door_class(one.door) for one in spots))
    if facet.kind == "vote":
        return (outcome(rows[0], settings.vote),)
    if facet.kind in TYPED_KINDS:
        return (SEPARATOR.join(_text(rows[0].get(key)) for key in facet.columns),)
    if facet.kind == "district":
        return _districts(rows, spots, district_of)
    found: dict[str, None] = {}
    for row in rows:
        text = next((part for key in facet.columns if (part := _text(row.get(key)))), "")
        if facet.kind == "year":
            found |= {text[:4]: None} if text[:4].isdigit() else {}
        elif facet.kind == "list":
            found |= dict.fromkeys(several(text))
        elif text:
            found[text] = None
    return tuple(found)


def _districts(rows: Sequence[Row], spots: Sequence[Spot], district_of: DistrictOf) -> tuple[str, ...]:
    """Return the districts of a sheet: those of its places, else the one its seat is in, else that none is told."""
    placed = [(one.lon, one.lat) for one in spots if one.lon is not None and one.lat is not None]
    named = [district_of(one) for one in placed] if placed else [_text(row.get(DISTRICT)) for row in rows]
    return tuple(dict.fromkeys(one for one in named if one)) or (UNTOLD,)


def several(text: str) -> list[str]:
    """Return the values of a cell that holds several: by semicolons, commas or bars, or as a list in brackets.

    >>> several("['shower', 'wifi']"), several("shower; wifi")
    (['shower', 'wifi'], ['shower', 'wifi'])
    """
    bare = text.strip("[]{} ")
    mark = next((one for one in (";", "|", ",") if one in bare), ";")
    return [part for one in bare.split(mark) if (part := one.strip(" '\""))]


def outcome(row: Row, vote: Vote | None) -> str:
    """Return how a vote ended: unanimous (nobody against, nobody abstaining), shared, refused, or not told."""
    if vote is None:
        return UNTOLD
    counts = [_count(row.get(key)) for key in (vote.in_favour, vote.against, vote.abstained)]
    if counts[0] is None:
        return UNTOLD
    ayes, noes, others = (count or 0 for count in counts)
    if noes > ayes:
        return REFUSED
    return SHARED if noes or others else UNANIMOUS


def door_class(door: Door | None) -> str:
    """Return what one meets at a door by its acceslibre columns: level, a ramp, steps, or not known."""
    if not door:
        return UNTOLD
    if _yes(door.get("entree_plain_pied")):
        return LEVEL
    ramp = folded(_text(door.get("entree_marches_rampe")))
    if ramp and ramp not in ("aucune", "non", "false"):
        return RAMP
    return STEPS if door.get("entree_marches") or _text(door.get("entree_plain_pied")) else UNTOLD


def _yes(value: Any) -> bool:
    return value is True or folded(_text(value)) in ("true", "oui", "1")


def _count(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _vote_columns(vote: Vote | None) -> tuple[str, ...]:
    return () if vote is None else (vote.in_favour, vote.against, vote.abstained, vote.voters)


def as_json(value: Any) -> Any:
    """Return a value of a row as JSON writes it: days and moments in ISO 8601."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _text(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return "" if value is None else " ".join(str(value).split())
