"""The buildings in the colours of a dataset: what to choose, the map, its legend with counts, the same as a list."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.words import folded
from beffroi.faces.portal.buildings import use_of
from beffroi.faces.portal.directory import public_service, town_datasets
from beffroi.faces.portal.mapping import painted_map, shown_title
from beffroi.faces.portal.painting import (
    NoPainting,
    Painting,
    colouring_columns,
    colouring_datasets,
    painting,
    said,
)
from beffroi.faces.portal.showing import by_theme
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetSummary
from beffroi.sense.twin.heights import height_of
from beffroi.sense.twin.queries import town_buildings

PAGE = 25


@open_to(EVERYONE)
@require_safe
def painted_buildings(request: HttpRequest) -> HttpResponse:
    """Colour the buildings by `colonne` of `couche`; list those of the class `classe`, from `debut`, with their value.

    `usage` is the service whose classes they take.
    """
    request = cast(Request, request)
    datasets = town_datasets(request)
    blocks = town_buildings([one for one in datasets if one.geometry_type])
    able = colouring_datasets(request.viewer, datasets)
    about = next((one for one in datasets if one.ref.slug == request.GET.get("couche", "")), None)
    columns = colouring_columns(request.viewer, about) if about else []
    context: dict[str, Any] = {
        "groups": [(theme, [(one, shown_title(one)) for one in group]) for theme, group in by_theme(able)],
        "about": about,
        "columns": columns,
        "blocks": blocks,
        "painted": None,
    }
    if request.GET.get("colonne") or (request.GET.get("couche") and about is None):
        service = public_service(request, request.GET["usage"]) if request.GET.get("usage") else None
        context |= _painted(request, datasets, service)
    return render(request, "portal/painting.html", context)


def _painted(request: Request, datasets: list[DatasetSummary], service: UseCaseView | None) -> dict[str, Any]:
    drawn = painting(
        request.viewer,
        datasets,
        slug=request.GET.get("couche", ""),
        key=request.GET.get("colonne", ""),
        use_case=service.use_case if service else None,
    )
    chosen, first = _asked_class(request, drawn), _asked_first(request)
    ids = _ids(drawn, chosen)
    box = request.commune.bbox if request.commune else None
    return {
        "painted": drawn,
        "title": shown_title(drawn.about),
        "service": service,
        "config": painted_map(request.viewer, datasets, drawn.config(), box or drawn.blocks.bbox),
        "chosen": chosen,
        "items": [_item(request, drawn, one) for one in ids[first : first + PAGE]],
        "first": first + 1,
        "last": min(first + PAGE, len(ids)),
        "total": len(ids),
        "size": PAGE,
    }


def _asked_class(request: Request, drawn: Painting) -> int | None:
    text = request.GET.get("classe", "")
    if not text:
        return None
    rank = whole_number(text)
    if rank is None or rank >= len(drawn.tints):
        raise NoPainting(
            gettext_noop("la classe « {text} » n’est pas dans la légende"),
            where="classe",
            remedy=gettext_noop("choisissez-la dans le tableau"),
            text=text[:20],
        )
    return rank


def _asked_first(request: Request) -> int:
    text = request.GET.get("debut", "0")
    rank = whole_number(text)
    if rank is None:
        raise NoPainting(
            gettext_noop("« {text} » n’est pas un rang"),
            where="debut",
            remedy=gettext_noop("écrivez un nombre entier"),
            text=text[:20],
        )
    return rank


def _ids(drawn: Painting, chosen: int | None) -> list[str]:
    """Return the buildings known, of one class if one is chosen: class by class, then by value."""
    rank, values = drawn.scale.rank, drawn.found.values
    known = ((rank(value), value, one) for one, value in values.items())
    kept = [(at, value, one) for at, value, one in known if at is not None and chosen in (None, at)]
    return [one for _at, _value, one in sorted(kept, key=_order)]


def _order(line: tuple[int, Any, str]) -> tuple[int, float, str, str]:
    at, value, one = line
    is_number = isinstance(value, int | float)
    return at, float(value) if is_number else 0.0, "" if is_number else folded(str(value)), one


def _item(request: Request, drawn: Painting, building: str) -> dict[str, Any]:
    """Return how the list tells a building: its use and its height, its value, its class."""
    blocks, value = drawn.blocks, drawn.found.values[building]
    try:
        values = json.loads(lake.feature(request.viewer, blocks.ref, building, version=blocks.version))["properties"]
    except DatasetNotFound:
        # Retired on the map since the version was made.
        values = {}
    use = use_of(values)
    rank = drawn.scale.rank(value)
    unit = drawn.column.unit if isinstance(value, int | float) else ""
    return {
        "id": building,
        "name": _("Bâtiment à usage {use}").format(use=use) if use else _("Bâtiment"),
        "height_m": height_of(values),
        "value": f"{said(value, drawn.column)}\u00a0{unit}" if unit else said(value, drawn.column),
        "tint": drawn.tints[rank] if rank is not None else drawn.unknown,
    }
