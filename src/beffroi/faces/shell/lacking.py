"""What an open use case waits for in a commune, and where its staff finds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.refreshing import address_of

# Sources that are not one dataset file: title, who publishes it, where.
_ELSEWHERE = {
    "troncons-route": (
        gettext_noop("Rues de la commune : tronçons de route de la BD TOPO, ou un extrait OpenStreetMap"),
        "IGN",
        "https://geoservices.ign.fr/bdtopo",
    ),
    "gtfs": (
        gettext_noop("Horaires d’un réseau de transport (GTFS)"),
        "Point d’accès national aux données de transport",
        "https://transport.data.gouv.fr/",
    ),
}


@dataclass(frozen=True, slots=True)
class LackingData:
    """One dataset that would switch a use case on; `url` is where it, or the form it takes, is published.

    `is_national`: `beffroi territory add` fetches it by itself.
    """

    slug: str
    title: str
    producer: str
    url: str
    is_national: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open use case that residents are not led to, and the data any of which would give it something to show."""

    view: UseCaseView
    data: tuple[LackingData, ...]


@lru_cache(maxsize=1)
def _definitions() -> tuple[Definition, ...]:
    return tuple(load_definitions()[0])


def lacking_data(slugs: Iterable[str], territory: str) -> tuple[LackingData, ...]:
    """Return what is known of each of these datasets, in their order."""
    return tuple(_told(slug, territory) for slug in slugs)


def _told(slug: str, territory: str) -> LackingData:
    if slug in _ELSEWHERE:
        title, producer, url = _ELSEWHERE[slug]
        return LackingData(slug, _(title), producer, url, is_national=False)
    ours = [one for one in _definitions() if not one.fictional]
    found = definition_named(slug, territory, ours)
    if found is None:
        # Only the fictional town has it so far: its title at least says what it is.
        named = next((one.title for one in _definitions() if one.slug == slug), "")
        return LackingData(slug, named or slug, "", "", is_national=False)
    national = bool(found.fetch.url)
    url = address_of(found, territory) if national else found.schema_url
    return LackingData(slug, found.title or slug, found.producer, url, is_national=national)


def waiting_use_cases(views: Iterable[UseCaseView], territory: str) -> list[Waiting]:
    """Return the open use cases among these that wait for data in a territory, with what and where it is."""
    found = ((view, catalogue.lacking(view.use_case, territory)) for view in views if view.is_open)
    return [Waiting(view, lacking_data(slugs, territory)) for view, slugs in found if slugs]
