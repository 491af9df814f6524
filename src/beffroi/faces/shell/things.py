"""What is known at once of a thing of the town (a lamp): its owner, its guarantee, the works planned there."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.works import days_told
from beffroi.lake import queries as lake
from beffroi.lake.reading import Column
from beffroi.lake.store import DatasetRef
from beffroi.sense.mobility.works.queries import works_near

# What a resident or an agent wants first, by what the keys of the columns hold.
FIRST = ("proprietaire", "gestionnaire", "maitre", "garantie", "travaux", "entretien")
GUARANTEE = "garantie"
NEAR_M = 25.0
# A short one in capitals is an acronym: INSEE, SIRET.
MACHINE_NAME = re.compile(r"[a-z][a-z0-9_]*|[A-Z][A-Z0-9]*_[A-Z0-9_]*|[A-Z]{6,}")
CAMEL_NAME = re.compile(r"[a-z]+(?:[A-Z][a-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class PlannedWorks:
    """Works in the street of a thing, published and not over: their title, their page, the days of each phase."""

    title: str
    url: str
    days: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in words: the title of its dataset, its facts that matter first as (title, value)."""

    kind: str
    facts: tuple[tuple[str, str], ...]


def thing_of(viewer: Viewer, territory: str, dataset: str, feature: str, *, today: date) -> Thing | None:
    """Return what a reader knows at once of a thing, None when the lake holds none of that name for her."""
    ref = DatasetRef(territory, dataset)
    try:
        detail = lake.dataset(viewer, ref)
        properties = json.loads(lake.feature(viewer, ref, feature)).get("properties") or {}
    except NotFound:
        return None
    return Thing(detail.summary.title, first_facts(detail.columns, properties, today=today))


def column_words(column: Column) -> str:
    """Return the title of a column as it is read: a name made for machines loses its underscores.

    >>> from beffroi.lake.reading import Column
    >>> column_words(Column("type_local", "type_local")), column_words(Column("h", "Hauteur de l’arbre"))
    ('Type local', 'Hauteur de l’arbre')
    >>> column_words(Column("nb_voies", "NB_VOIES")), column_words(Column("siret", "SIRET"))
    ('Nb voies', 'SIRET')
    >>> column_words(Column("codebureauvote", "codeBureauVote"))
    'Code bureau vote'
    """
    title = column.title
    if CAMEL_NAME.fullmatch(title):
        return re.sub(r"(?=[A-Z])", " ", title).capitalize()
    if not MACHINE_NAME.fullmatch(title):
        return title
    words = title.replace("_", " ")
    return words.capitalize() if words.isupper() else words[:1].upper() + words[1:]


def first_facts(
    columns: Sequence[Column], properties: dict[str, object], *, today: date
) -> tuple[tuple[str, str], ...]:
    """Return the facts on owner, keeper, guarantee, works and care, those that are known."""
    found = []
    for column in columns:
        value = properties.get(column.key)
        if value not in (None, "") and any(part in column.key for part in FIRST):
            found.append((column_words(column), _told(column, value, today)))
    return tuple(found)


def _told(column: Column, value: object, today: date) -> str:
    day = _day(value)
    if day is None:
        return _("oui") if value is True else _("non") if value is False else column.label(value) or str(value)
    text = date_format(day, "j F Y")
    if GUARANTEE not in column.key:
        return text
    return _("{day} : sous garantie").format(day=text) if day >= today else _("{day} : passée").format(day=text)


def _day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) and len(value) >= 10 else None
    except ValueError:
        return None


def planned_works(territory: str, lon: float | None, lat: float | None, *, at: datetime) -> list[PlannedWorks]:
    """Return the works published in the street of a place, the soonest first."""
    if lon is None or lat is None:
        return []
    found = works_near(territory, lon, lat, at=at, radius_m=NEAR_M)
    return [
        PlannedWorks(one.title, reverse("portal:works-one", args=[one.id]), tuple(days_told(ph) for ph in one.phases))
        for one in found
    ]
