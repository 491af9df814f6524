"""Where else a directory is reached from: the search of the whole town, and the sheet of a thing on the map."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.faces.portal.directory import territory_of
from beffroi.faces.shell.access import Request
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places.directory import queries
from beffroi.sense.places.directory.queries import Asked, DirectorySettings


@dataclass(frozen=True, slots=True)
class FoundDirectory:
    """A directory that answers a search of the town: how many of its sheets, and where they are listed."""

    title: str
    url: str
    count: int


def found_directories(request: Request, text: str) -> list[FoundDirectory]:
    """Return the directories of the town that answer a text, with all the words of their documents."""
    found = []
    for one in _open(request, ""):
        settings: DirectorySettings = one.use_case.settings[queries.ENGINE]
        held = queries.directory(request.viewer, territory_of(request), one.use_case.id, settings)
        count = held.found(Asked(text)).total
        if 0 < count < held.count:
            address = reverse("portal:directory", args=[one.use_case.id])
            found.append(FoundDirectory(_(one.use_case.title), f"{address}?{urlencode({'q': text})}", count))
    return found


def directory_links(request: Request, ref: DatasetRef, feature_id: str, title: str) -> list[tuple[str, str]]:
    """Return the words and the address of a thing's sheet in each directory that tells of it."""
    if ref.territory != territory_of(request):
        return []
    links = []
    for one in _open(request, ref.slug):
        settings: DirectorySettings = one.use_case.settings[queries.ENGINE]
        address = reverse("portal:directory-sheet", args=[one.use_case.id, ref.slug, feature_id])
        if settings.together:
            # Its sheet tells of several rows, and has the number of the first.
            address = f"{reverse('portal:directory', args=[one.use_case.id])}?{urlencode({'q': f'« {title} »'})}"
        links.append((_("Sa fiche : {directory}").format(directory=_(one.use_case.title)), address))
    return links


def _open(request: Request, slug: str) -> list[UseCaseView]:
    """Return the directories open in the town that tell of a dataset, or of any that has one; often without a query."""
    territory = territory_of(request)
    known = [
        one.id
        for one in catalogue.catalogue().use_cases.values()
        if (settings := one.settings.get(queries.ENGINE)) is not None
        and (not slug or slug in settings.datasets)
        and any(lake.what_is_seen(request.viewer, DatasetRef(territory, other)) for other in settings.datasets)
    ]
    if not known or not territory:
        return []
    every = catalogue.use_cases(territory=territory, states=OPEN_STATES)
    return [one for one in every if one.use_case.id in known and queries.ENGINE in one.use_case.settings]
