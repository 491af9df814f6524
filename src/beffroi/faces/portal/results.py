"""What a search found, as its page shows it: by kind, each thing with its page and its place on the map."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.faces.portal.hours import hours_text
from beffroi.faces.shell.finding import layer_url, map_url, page_url
from beffroi.sense.places.queries import Entry, Found, Hit, Kind, Near

# How a group of results is called, and its icon.
KINDS: dict[Kind, tuple[str, str]] = {
    Kind.SERVICE: (gettext_noop("Services"), "services"),
    Kind.PLACE: (gettext_noop("Lieux"), "position"),
    Kind.STREET: (gettext_noop("Rues et adresses"), "map"),
    Kind.EVENT: (gettext_noop("Agenda"), "calendar"),
    Kind.DATASET: (gettext_noop("Données"), "data"),
    Kind.ORGANISATION: (gettext_noop("Associations et entreprises"), "people"),
    Kind.DOCUMENT: (gettext_noop("Documents et délibérations"), "report"),
}
ONE_OF: dict[Kind, str] = {
    Kind.SERVICE: gettext_noop("Service"),
    Kind.PLACE: gettext_noop("Lieu"),
    Kind.STREET: gettext_noop("Rue"),
    Kind.ADDRESS: gettext_noop("Adresse"),
    Kind.EVENT: gettext_noop("Agenda"),
    Kind.DATASET: gettext_noop("Données"),
    Kind.ORGANISATION: gettext_noop("Organisme"),
    Kind.DOCUMENT: gettext_noop("Document"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """One thing found: its page, its place on the map (empty when it is nowhere), what is told of it."""

    title: str
    url: str
    map_url: str
    category: str
    details: str
    when: str


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one kind, and how many there are in all."""

    kind: Kind
    title: str
    symbol: str
    results: tuple[Result, ...]
    count: int

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left out."""
        return self.count <= len(self.results)


@dataclass(frozen=True, slots=True)
class Around:
    """Something near: `distance` as one says it, in a straight line."""

    title: str
    url: str
    map_url: str
    category: str
    details: str
    when: str
    distance: str


def groups_of(found: Found) -> list[Group]:
    """Return what was found by kind, the kind of the best answer first."""
    by_kind: dict[Kind, list[Hit]] = {}
    for hit in found.hits:
        by_kind.setdefault(hit.entry.kind, []).append(hit)
    return [
        Group(kind, _(KINDS[kind][0]), KINDS[kind][1], tuple(map(_result, hits)), found.counts[kind])
        for kind, hits in by_kind.items()
    ]


def around_of(near: list[Near]) -> list[Around]:
    """Return things near as their list tells them."""
    return [
        Around(
            one.entry.title,
            page_url(Hit(one.entry, 1)),
            layer_url(one.entry),
            one.entry.category,
            _said(one.entry),
            when(one.entry),
            distance_text(one.distance_m),
        )
        for one in near
    ]


def _result(hit: Hit) -> Result:
    entry = hit.entry
    on_map = map_url(hit.lon, hit.lat) if entry.kind is Kind.STREET else layer_url(entry)
    details = " ".join(part for part in (entry.postcode, entry.city) if part) or _said(entry)
    return Result(_title(hit), page_url(hit), on_map, entry.category, details, when(entry))


def _title(hit: Hit) -> str:
    """Return the name of a thing; that of a service, which a file of the product gives, in the reader's language."""
    return _(hit.title) if hit.entry.kind is Kind.SERVICE else hit.title


def _said(entry: Entry) -> str:
    """Return what tells a thing from its like: the need of a service, translated, or the day of a paper in words."""
    details = entry.details
    if entry.kind is Kind.SERVICE:
        return _(details) if details else ""
    # Ten characters may be of anything.
    with suppress(ValueError):
        if len(details) == len("2026-07-14") and (day := parse_date(details)):
            return date_format(day, "j F Y")
    return details


def when(entry: Entry) -> str:
    """Return when a thing is open, or when it takes place, in words; as published when it is written otherwise."""
    if entry.start:
        # A day first: it would be read as an instant at midnight.
        day = parse_date(entry.start) if len(entry.start) == len("2026-07-14") else None
        if day is not None:
            return date_format(day, "l j F Y")
        moment = parse_datetime(entry.start)
        return date_format(moment, "l j F Y, H:i") if moment else entry.start
    return hours_text(entry.hours) or entry.hours


def distance_text(metres: float) -> str:
    """Return a distance as one says it: to ten metres, then to a hundred."""
    if metres < 995:
        return _("{metres} m").format(metres=max(10, int(round(metres, -1))))
    return _("{km} km").format(km=f"{metres / 1000:.1f}".replace(".", _(",")))
