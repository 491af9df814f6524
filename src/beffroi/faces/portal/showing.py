"""What the address of the map asks for: a theme, a day, a box; and the datasets that answer it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.themes import THEMES, Theme, theme
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary

# The folders of datasets that each theme of the catalogue looks into: a theme is a need, a folder a trade.
THEME_FOLDERS: dict[str, frozenset[str]] = {
    "proprete-sante": frozenset({"dechets", "sante", "sante_securite", "environnement"}),
    "securite": frozenset({"securite", "sante_securite", "eclairage", "sous_sol"}),
    "education": frozenset({"education"}),
    "solidarites": frozenset({"social", "accessibilite", "mobilier"}),
    "finances": frozenset({"finances", "immobilier"}),
    "vie-quotidienne": frozenset({"vie_locale", "vie_municipale", "services", "referentiels", "adresses"}),
    "urbanisme": frozenset({"urbanisme", "batiments", "cadastre", "habitat", "relief", "hydrographie"}),
    "mobilites": frozenset({"mobilites", "mobilite", "transports", "transit", "velo", "voirie", "stationnement"}),
    "economie-emploi": frozenset({"economie", "agriculture", "immobilier"}),
    "commerce": frozenset({"economie", "vie_locale"}),
    "logement": frozenset({"habitat", "energie", "immobilier"}),
    "culture-sport-loisirs": frozenset({"culture", "equipements", "espaces_verts"}),
}
MOST_SHOWN, MOST_ROWS = 4, 500
MOST_DAYS = 120
"""A theme opens with its small layers on; the reader asks for the others."""


class BadMapAddress(BeffroiError):
    """The address of the map asks for what cannot be."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the map; `theme` is empty for all, `day` None for today."""

    theme: str = ""
    theme_title: str = ""
    folders: frozenset[str] = frozenset()
    day: date | None = None


def themes_of_map() -> list[tuple[str, str]]:
    """Return the slug and the title of each theme of the catalogue that the map opens on."""
    known = catalogue.themes()
    return [(one.slug, _(one.title)) for one in known if one.slug in THEME_FOLDERS]


def asked_of_map(query: Mapping[str, str]) -> Asked:
    """Read a query string.

    Raises:
        BadMapAddress: a theme nobody knows, or a day that is none.
    """
    slug = query.get("theme", "")
    titles = dict(themes_of_map())
    if slug in titles:
        title, folders = titles[slug], THEME_FOLDERS[slug]
    elif slug.replace("-", "_") in THEMES:
        title, folders = theme(slug).title, frozenset({slug.replace("-", "_")})
    elif slug:
        raise BadMapAddress(
            gettext_noop("le thème « {theme} » n’existe pas"),
            where="theme",
            remedy=gettext_noop("choisissez-le dans la liste de la page /carte/"),
            theme=slug[:40],
        )
    else:
        title, folders = "", frozenset()
    return Asked(slug, title, folders, asked_day(query.get("date", "")))


def asked_day(text: str) -> date | None:
    """Read a day, None when nothing is written.

    Raises:
        BadMapAddress: not a day.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadMapAddress(
            gettext_noop("« {text} » n’est pas une date"),
            where="date",
            remedy=gettext_noop("écrivez-la année-mois-jour, par exemple 2026-03-31"),
            text=text[:20],
        ) from None


def asked_box(text: str) -> BBox | None:
    """Read `bbox`, None when nothing is written.

    Raises:
        BeffroiError: not a box.
    """
    return BBox.parsed(text) if text else None


def known_on(
    viewer: Viewer, datasets: list[DatasetSummary], day: date, *, timezone: str
) -> tuple[list[DatasetSummary], frozenset[str], int]:
    """Return the datasets as they were known at the end of a day.

    With the slugs of those whose version has been replaced since, and how many datasets came later.
    """
    end = datetime.combine(day, time.max, tzinfo=ZoneInfo(timezone))
    known, old = [], set()
    for one in datasets:
        found = next((past for past in lake.versions(viewer, one.ref) if past.created_at <= end), None)
        if found is None:
            continue
        if not found.is_current:
            old.add(one.ref.slug)
            one = lake.dataset(viewer, one.ref, version=found.version).summary
        known.append(one)
    return known, frozenset(old), len(datasets) - len(known)


def days_of_change(viewer: Viewer, datasets: list[DatasetSummary], *, timezone: str) -> list[date]:
    """Return the days when a version of one of the datasets came, the last `MOST_DAYS`, in order."""
    zone = ZoneInfo(timezone)
    days = {past.created_at.astimezone(zone).date() for one in datasets for past in lake.versions(viewer, one.ref)}
    return sorted(days)[-MOST_DAYS:]


def by_theme(datasets: list[DatasetSummary]) -> list[tuple[Theme, list[DatasetSummary]]]:
    """Return the datasets by the theme of their folder, in the order of the titles."""
    groups: dict[str, list[DatasetSummary]] = defaultdict(list)
    for one in datasets:
        groups[one.theme].append(one)
    return sorted(((theme(slug), group) for slug, group in groups.items()), key=lambda pair: folded(pair[0].title))


def shown_first(asked: Asked, datasets: list[DatasetSummary]) -> frozenset[str]:
    """Return the slugs of the layers that are on when the map opens on a theme."""
    theirs = [one for one in datasets if one.theme.replace("-", "_") in asked.folders and one.rows <= MOST_ROWS]
    return frozenset(one.ref.slug for one in theirs[:MOST_SHOWN])
