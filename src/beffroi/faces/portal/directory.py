"""What the portal shows of the catalogue and of the lake, cut to the reader and to the town of the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience, UseCaseNotFound
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.faces.portal.finding import folded
from beffroi.faces.shell.access import Request
from beffroi.faces.shell.themes import Theme, theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary


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
    code = territory_of(request)
    return catalogue.use_cases(territory=code, audience=Audience.RESIDENT, states=OPEN_STATES) if code else []


def open_service(request: Request, use_case: str) -> UseCaseView:
    """Return a use case that residents may find, in its state in the town.

    Raises:
        UseCaseNotFound: unknown, or not open here.
    """
    found = catalogue.use_case(use_case, territory=territory_of(request))
    if not found.is_open or Audience.RESIDENT not in found.use_case.audience:
        raise UseCaseNotFound(
            "le service « {id} » n’est pas ouvert dans la commune",
            remedy="la liste des services ouverts est à l’adresse /services/",
            id=use_case[:40],
        )
    return found
