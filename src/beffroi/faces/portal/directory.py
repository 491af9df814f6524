"""What the portal shows of the catalogue and of the lake, cut to the reader and to the town of the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from django.http import Http404
from pydantic import BaseModel

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience, State, UseCaseNotFound
from beffroi.base.catalogue.operations import count_use
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.time import now
from beffroi.base.kernel.words import folded
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.lacking import Waiting, waiting_use_cases
from beffroi.faces.shell.themes import Theme, theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary

_Part = TypeVar("_Part", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ShownTheme:
    """A theme and how many datasets it holds for this reader."""

    theme: Theme
    count: int


def territory_of(request: Request) -> str:
    """Return the code of the town this page is about, empty when the installation has none yet."""
    return request.commune.code if request.commune else ""


def town_datasets(request: Request, *, theme: str = "", text: str = "") -> list[DatasetSummary]:
    """Return the datasets of the town that the reader may see, by title."""
    code = territory_of(request)
    if not code:
        return []
    return lake.datasets(request.viewer, territory=code, theme=theme or None, text=text)


def shown_themes(datasets: list[DatasetSummary]) -> list[ShownTheme]:
    """Return the themes of `datasets` with their counts, by title."""
    counts = Counter(one.theme for one in datasets)
    return sorted(
        (ShownTheme(theme(slug), count) for slug, count in counts.items()), key=lambda one: folded(one.theme.title)
    )


def open_services(request: Request) -> list[UseCaseView]:
    """Return the use cases that residents of the town find: live or pilot, and for them."""
    return services_by_public(request)[0]


def services_by_public(request: Request) -> tuple[list[UseCaseView], list[UseCaseView]]:
    """Return the live and pilot use cases of the town: those for residents, then those for its staff only.

    One whose data the town does not have is in neither: nobody is led to a page that has nothing to show.
    """
    code = territory_of(request)
    found = catalogue.with_data(catalogue.use_cases(territory=code, states=OPEN_STATES), code) if code else []
    theirs = [one for one in found if Audience.RESIDENT in one.use_case.audience]
    return theirs, [one for one in found if Audience.RESIDENT not in one.use_case.audience]


def waiting_services(request: Request) -> list[Waiting]:
    """Return the live and pilot use cases whose data the town lacks: for its staff, who may bring them."""
    code = territory_of(request)
    return waiting_use_cases(catalogue.use_cases(territory=code, states=OPEN_STATES), code) if code else []


def public_service(request: Request, use_case: str) -> UseCaseView:
    """Return a use case that has a public page, in its state in the town: all but those still in preparation.

    Whatever its public: who pays for a service and who is administered by it may read what it is for.

    Raises:
        UseCaseNotFound: unknown, or in preparation here.
    """
    found = catalogue.use_case(use_case, territory=territory_of(request))
    if found.state is State.DRAFT:
        raise UseCaseNotFound(
            "le service « {id} » n’est pas ouvert dans la commune",
            remedy="la liste des services ouverts est à l’adresse /services/",
            id=use_case[:40],
        )
    return found


def service_of_engine(request: Request, use_case: str, engine: str) -> UseCaseView | None:
    """Return the use case that a page of an engine is asked for, None when it is asked for none.

    Raises:
        UseCaseNotFound: unknown, or in preparation here.
        Http404: it has nothing to do with this engine.
    """
    if not use_case:
        return None
    found = public_service(request, use_case)
    if engine not in found.use_case.settings:
        raise Http404
    return found


def service_showing(request: Request, part: str, kind: type[_Part]) -> tuple[UseCaseView, _Part]:
    """Return the open use case of the town whose layers have this part (`[layers.<part>]`), and the part.

    Raises:
        Http404: it has none.
    """
    code = territory_of(request)
    for one in catalogue.use_cases(territory=code, states=OPEN_STATES) if code else ():
        found = getattr(one.use_case.settings.get("layers"), part, None)
        if isinstance(found, kind):
            return one, found
    raise Http404


def count_opening(request: Request, found: UseCaseView | None) -> None:
    """Count one use of an open use case by the audience of the reader; of none, or of one not open, nothing."""
    if found is not None and found.is_open:
        territory = territory_of(request)
        audience = catalogue.audience_of(request.viewer, territory)
        count_use(found.use_case.id, territory, now(), audience=audience)
