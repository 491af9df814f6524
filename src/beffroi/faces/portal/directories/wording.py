"""How a directory is said: its facets' values, what a sheet tells, its places, its vote, its doors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from beffroi.faces.portal.hours import HoursLine, hours_lines
from beffroi.faces.portal.layers import Fact, fact_of
from beffroi.faces.portal.sheets import told
from beffroi.faces.portal.tables import NUMERIC
from beffroi.faces.shell.things import column_words
from beffroi.lake.reading import Column, ColumnType
from beffroi.sense.places.directory.laying import KEPT_PREFIX
from beffroi.sense.places.directory.queries import (
    LEVEL,
    RAMP,
    REFUSED,
    SHARED,
    STEPS,
    UNANIMOUS,
    UNTOLD,
    DirectorySettings,
    Facet,
    Sheet,
    Spot,
    door_class,
    several,
)

VOTES = {
    UNANIMOUS: gettext_lazy("À l’unanimité"),
    SHARED: gettext_lazy("Avec des voix contre ou des abstentions"),
    REFUSED: gettext_lazy("Rejeté"),
    UNTOLD: gettext_lazy("Vote non renseigné"),
}
DOORS = {
    LEVEL: gettext_lazy("Entrée de plain-pied"),
    RAMP: gettext_lazy("Marches, avec une rampe"),
    STEPS: gettext_lazy("Marches sans rampe connue"),
    UNTOLD: gettext_lazy("Accès non renseigné"),
}
DISTRICTS = {UNTOLD: gettext_lazy("Quartier non renseigné")}

KEPT_DAY = f"{KEPT_PREFIX}date_maj"


def value_words(facet: Facet, value: str) -> str:
    """Return a value of a facet as it is read."""
    words = {"vote": VOTES, "door": DOORS, "district": DISTRICTS}.get(facet.kind, {})
    if value in words:
        return str(words[value])
    return _(facet.choices[value]) if value in facet.choices else value


@dataclass(frozen=True, slots=True)
class PlaceTold:
    """A place of a sheet: its address in the words of its columns, its door, its hours, how far."""

    facts: tuple[Fact, ...]
    door: str
    door_is_known: bool
    door_details: tuple[str, ...]
    hours: tuple[HoursLine, ...]
    hours_as_written: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class VoteTold:
    """A vote as it is drawn: (words, votes, length of the bar out of 100), and its outcome in words."""

    outcome: str
    bars: tuple[tuple[str, int, int], ...]
    voters: int | None


def facts_of(sheet: Sheet, settings: DirectorySettings, columns: Mapping[str, Column]) -> tuple[Fact, ...]:
    """Return what the sheet tells, in the order of its use case; what is not known is left out."""
    return _facts(settings.told, sheet.values, columns, settings.facets)


def booklet_lines(sheet: Sheet, settings: DirectorySettings, columns: Mapping[str, Column]) -> list[str]:
    """Return what is printed of a sheet: what it is, each of its places with its hours, the day its owner said so."""
    told = [" · ".join(sheet.about)]
    for one in places_of(sheet, settings, columns):
        told.append(" · ".join(fact.text for fact in one.facts))
        told.append(" ; ".join(f"{line.when} : {line.times}" for line in one.hours) or one.hours_as_written)
    kept = columns.get(KEPT_DAY)
    if kept is not None and sheet.values.get(KEPT_DAY):
        told.append(f"{kept.title} {_value(sheet.values[KEPT_DAY], kept)}")
    return [line for line in told if line]


def district_facts(sheet: Sheet, settings: DirectorySettings) -> tuple[Fact, ...]:
    """Return the districts of a sheet; one that is not known is left out."""
    told = [(one, [name for name in sheet.facets.get(one.name, ()) if name != UNTOLD])
            for one in settings.facets if one.kind == "district"]  # fmt: skip
    return tuple(Fact(_(one.label), ", ".join(names)) for one, names in told if names)


def places_of(sheet: Sheet, settings: DirectorySettings, columns: Mapping[str, Column]) -> tuple[PlaceTold, ...]:
    """Return the places of a sheet."""
    return tuple(_place(one, settings, columns) for one in sheet.spots)


def _place(spot: Spot, settings: DirectorySettings, columns: Mapping[str, Column]) -> PlaceTold:
    found = door_class(spot.door) if settings.venue else ""
    lines = hours_lines(spot.hours)
    return PlaceTold(
        _facts(settings.place, spot.values, columns, settings.facets),
        str(DOORS[found]) if found else "",
        found not in ("", UNTOLD),
        _door_details(spot.door or {}),
        lines,
        "" if lines else spot.hours,
        spot.lon,
        spot.lat,
    )


def _door_details(door: Mapping[str, Any]) -> tuple[str, ...]:
    said = []
    if door.get("entree_marches") not in (None, "", 0):
        said.append(_("{n} marches").format(n=door["entree_marches"]))
    if door.get("entree_largeur_mini") not in (None, ""):
        said.append(_("porte de {n} cm").format(n=door["entree_largeur_mini"]))
    if door.get("sanitaires_adaptes") is True:
        said.append(_("toilettes adaptées"))
    if door.get("stationnement_ext_pmr") is True:
        said.append(_("place de stationnement réservée"))
    return tuple(said)


def _facts(
    keys: Sequence[str], values: Mapping[str, Any], columns: Mapping[str, Column], facets: Sequence[Facet]
) -> tuple[Fact, ...]:
    coded = {facet.columns[0]: facet for facet in facets if facet.kind == "list" and facet.choices and facet.columns}
    found = []
    for key in keys:
        value, column = values.get(key), columns.get(key)
        if value in (None, "") or column is None:
            continue
        if key in coded:
            listed = ", ".join(value_words(coded[key], one) for one in several(str(value)))
            found.append(Fact(column_words(column), listed))
        elif {"tel", "telephone"} & set(key.split("_")):
            found.append(replace(fact_of(value, column), title=column_words(column)))
        else:
            found.append(Fact(column_words(column), _value(value, column)))
    return tuple(found)


def _value(value: Any, column: Column) -> str:
    # Of rows that are one thing, a column may tell several values, joined: they are read as they are.
    if isinstance(value, str) and column.type in NUMERIC:
        return value
    day = parse_date(value) if column.type is ColumnType.DATE and isinstance(value, str) else None
    text = date_format(day, "l j F Y") if day else told(value, column).text
    return f"{text}\u00a0{column.unit}" if column.unit else text


def vote_of(sheet: Sheet, settings: DirectorySettings) -> VoteTold | None:
    """Return the vote of an act, None when it was not told."""
    wanted = settings.vote
    if wanted is None or sheet.values.get(wanted.in_favour) is None:
        return None
    counts = [int(sheet.values.get(key) or 0) for key in (wanted.in_favour, wanted.against, wanted.abstained)]
    most = max(1, sum(counts))
    names = (_("Pour"), _("Contre"), _("Abstentions"))
    bars = tuple((name, n, round(100 * n / most)) for name, n in zip(names, counts, strict=True))
    (value, *_rest) = next((sheet.facets[one.name] for one in settings.facets if one.kind == "vote"), ("",))
    voters = sheet.values.get(wanted.voters) if wanted.voters else None
    return VoteTold(str(VOTES.get(value, "")), bars, int(voters) if voters is not None else None)
