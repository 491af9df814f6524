"""The page of the homes that leak heat, for those who work on it: districts, map and its tiles, list, file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.directory import count_opening, territory_of, town_datasets
from beffroi.faces.portal.leaks import words
from beffroi.faces.portal.mapping import painted_map
from beffroi.faces.portal.tiles import MVT
from beffroi.faces.shell.access import Request, open_to
from beffroi.faces.shell.answers import private
from beffroi.faces.shell.sheets import sheet_response
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Leaks as Wanted
from beffroi.lake.layer_settings import Settings
from beffroi.lake.queries import DatasetRef
from beffroi.sense.twin.leaks.estimating import COVERAGE, LEAST, LETTERS
from beffroi.sense.twin.leaks.queries import STAFF, Leaks, leaks

PAGE = 25
_ASKED = ("quartier", "classe", "nature")


class BadList(BeffroiError):
    """The address asks for a list that cannot be."""


@dataclass(frozen=True, slots=True, eq=False)
class _Town:
    service: UseCaseView
    found: Leaks | None


def leaks_service(territory: str) -> tuple[UseCaseView, Wanted] | None:
    """Return the use case about homes that leak heat and its settings, None while none is open in a commune."""
    for one in catalogue.use_cases(territory=territory, states=OPEN_STATES) if territory else ():
        settings = one.use_case.settings.get("layers")
        if isinstance(settings, Settings) and settings.leaks is not None:
            return one, settings.leaks
    return None


def estimated_line(viewer: Viewer, territory: str, building: str, datasets: Any) -> words.Line | None:
    """Return what those who work on it are told of the label of a building that has none, None to all others."""
    service = leaks_service(territory) if any(viewer.has(role, territory) for role in STAFF) else None
    found = leaks(viewer, service[1], datasets) if service else None
    home = next((one for one in found.town.homes if one.id == building and not one.letter), None) if found else None
    return words.Line(home, found.town.estimates.get(building), "") if found and home else None


def _town(request: Request) -> _Town:
    """Return the homes of the town of the page.

    Raises:
        Http404: the town has no such service.
    """
    service = leaks_service(territory_of(request))
    if service is None:
        raise Http404
    return _Town(service[0], leaks(request.viewer, service[1], town_datasets(request)))


def _asked(request: Request, found: Leaks) -> dict[str, str]:
    """Read what is asked of the list.

    Raises:
        BadList: a value that no list has.
    """
    known = {
        "quartier": found.names, "classe": tuple(LETTERS), "nature": (words.REAL, words.ESTIMATED, words.UNTOLD),
    }  # fmt: skip
    asked = {key: request.GET.get(key, "") for key in _ASKED}
    for key, value in asked.items():
        if value and value not in known[key]:
            raise BadList(
                gettext_noop("« {text} » n’est pas dans la liste"),
                where=key,
                remedy=gettext_noop("choisissez dans le formulaire"),
                text=value[:40],
            )
    return asked


def _start(request: Request) -> int:
    text = request.GET.get("debut", "0")
    start = whole_number(text)
    if start is None:
        raise BadList(
            gettext_noop("« {text} » n’est pas un rang"),
            where="debut",
            remedy=gettext_noop("écrivez un nombre entier"),
            text=text[:20],
        )
    return start


@open_to(*STAFF)
@require_safe
def homes(request: HttpRequest) -> HttpResponse:
    """Show labels and estimates by district, on the model and as a list of `quartier`, `classe` and `nature`."""
    request = cast(Request, request)
    town = _town(request)
    count_opening(request, town.service)
    context: dict[str, Any] = {"service": town.service.use_case, "found": town.found}
    if town.found is not None:
        found, start = town.found, _start(request)
        asked = _asked(request, found)
        lines, tints = words.lines_of(found, asked), words.tints_of(found)
        box = request.commune.bbox if request.commune else None
        whole = found.town.share()
        context |= {
            "whole": whole, "share": words.share_said(whole), "districts": words.districts_grid(found),
            "tints": tints, "checks": words.check_sentences(found),
            "renting": words.renting_grid(found, timezone.localdate()),
            "config": painted_map(
                request.viewer, town_datasets(request), words.paint_config(tints, _tiles(found)),
                box or found.blocks.bbox,
            ),
            "asked": asked, "names": found.names, "letters": LETTERS,
            "natures": [(words.REAL, _("établie par un diagnostic")), (words.ESTIMATED, _("estimée")),
                        (words.UNTOLD, _("inconnue"))],
            "lines": lines[start : start + PAGE], "first": start + 1, "last": min(start + PAGE, len(lines)),
            "total": len(lines), "size": PAGE, "least": LEAST, "coverage": round(100 * COVERAGE),
        }  # fmt: skip
    return private(render(request, "portal/leaks/homes.html", context))


def _tiles(found: Leaks) -> str:
    ref = found.blocks.ref
    base = reverse("portal:leaks-tile", args=[ref.territory, ref.slug, found.blocks.version, 0, 0, 0])
    return base.removesuffix("0/0/0.mvt") + "{z}/{x}/{y}.mvt"


@open_to(*STAFF)
@require_safe
def homes_csv(request: HttpRequest) -> HttpResponse:
    """Give the list as a file: established labels in one column, what is estimated in others that say so."""
    request = cast(Request, request)
    found = _town(request).found
    if found is None:
        raise Http404
    rows = (line.row for line in words.lines_of(found, _asked(request, found)))
    return sheet_response("etiquettes-etablies-et-estimees.csv", words.HEADS, rows)


@open_to(*STAFF)
@require_safe
def homes_tile(request: HttpRequest, territory: str, slug: str, version: str, z: int, x: int, y: int) -> HttpResponse:
    """Answer one tile of buildings, each with its class: 0 to 6 a label, 7 to 13 an estimate."""
    request = cast(Request, request)
    found, ref = _town(request).found, DatasetRef(territory, slug)
    if found is None or ref != found.blocks.ref:
        raise Http404
    letters = {home.id: home.letter for home in found.town.homes if home.letter}
    tile = lake.classed_tile(
        request.viewer, ref, z, x, y, class_of=lambda one: words.rank_of(found, one, letters), version=version
    )
    response = HttpResponse(status=204) if tile is None else HttpResponse(tile, content_type=MVT)
    return private(response)


urlpatterns: list[URLPattern] = [
    path("passoires/", homes, name="leaks"),
    path("passoires/etiquettes.csv", homes_csv, name="leaks-csv"),
    path(
        "passoires/tuiles/<slug:territory>/<slug:slug>/<str:version>/<int:z>/<int:x>/<int:y>.mvt",
        homes_tile,
        name="leaks-tile",
    ),
]
