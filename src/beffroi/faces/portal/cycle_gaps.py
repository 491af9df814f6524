"""`/trajets/coupures-cyclables/`: where cycle ways stop at the border of the town, as a list, a map, a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.faces.portal.directory import territory_of, town_datasets
from beffroi.faces.portal.itinerary import distance
from beffroi.faces.portal.mapping import overlay_map
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.overlays import Mark, Overlay
from beffroi.faces.shell.sheets import sheet_response
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.journeys.cyclegaps import BORDER_M, MOST_M, CycleGaps, End, Gap, cycle_gaps

LAYER = Overlay(
    slug="coupures-cyclables",
    title=gettext_noop("Coupures cyclables"),
    address="portal:cycle-gaps-geojson",
    list_address="portal:cycle-gaps",
    property="class",
    marks=(
        Mark("gap", gettext_noop("Coupure : rien pour les vélos entre deux aménagements"), "#b3261e"),
        Mark("straight", gettext_noop("Coupure à vol d’oiseau : aucune rue connue ne joint les deux bouts"), "#c0711f"),
        Mark("unknown", gettext_noop("Aménagement qui s’arrête, la suite n’étant pas publiée"), "#1c2226"),
        Mark("alone", gettext_noop("Aménagement qui s’arrête, sans suite devant lui"), "#7a2f9c"),
    ),
    theme="mobilites",
    shown=True,
)


@dataclass(frozen=True, slots=True)
class ToldGap:
    """A gap as a line of the table: a figure nobody knows is None."""

    where: str
    beyond: str
    commune: str
    missing: str
    trips: int | None
    worth: int | None
    lon: float
    lat: float


@open_to(EVERYONE)
@require_safe
def cycle_gaps_page(request: HttpRequest) -> HttpResponse:
    """List the cycle gaps at the borders, the most used by metre first; `?csv` gives the list as a file."""
    request = cast(Request, request)
    territory = territory_of(request)
    context: dict[str, Any] = {"ready": mobility.has_graph(territory)}
    if not context["ready"]:
        return render(request, "portal/cycle_gaps.html", context)
    try:
        found = cycle_gaps(territory)
    except BeffroiError as error:
        context["problem"] = error
        return render(request, "portal/cycle_gaps.html", context, status=error.http_status)
    if "csv" in request.GET:
        return sheet_response("coupures-cyclables.csv", _heads(), (_row(*one) for one in enumerate(found.gaps, 1)))
    context |= {
        "found": found,
        "gaps": [_told(one) for one in found.gaps],
        "silent": [one.name for one in found.neighbours if one.told_at is None],
        "unknown": _ends(found.unknown),
        "alone": _ends(found.alone),
        "border": distance(BORDER_M),
        "most": distance(MOST_M),
    }
    if found.gaps or found.unknown or found.alone:
        used = _classes(found)
        context["map"] = overlay_map(request.viewer, request.commune, town_datasets(request), LAYER)
        context["marks"] = [(_(mark.label), mark.value) for mark in LAYER.marks if mark.value in used]
    return render(request, "portal/cycle_gaps.html", context)


@open_to(EVERYONE)
@require_safe
def cycle_gaps_geojson(request: HttpRequest) -> HttpResponse:
    """Give the gaps as lines, and the ends that nothing known goes on from as points, for the map."""
    territory = territory_of(cast(Request, request))
    features: list[dict[str, Any]] = []
    if mobility.has_graph(territory):
        found = cycle_gaps(territory)
        features = [one for gap in found.gaps for one in _lines(gap)]
        for kind, ends in (("unknown", found.unknown), ("alone", found.alone)):
            features += [_feature("Point", end.place, kind, _name(end)) for end in ends]
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    response["Cache-Control"] = "no-store"
    return response


def _lines(gap: Gap) -> list[dict[str, Any]]:
    """Return the lines of a gap, for the map."""
    title = f"{_name(gap.end)} ({distance(gap.missing_m)})"
    return [_feature("LineString", line, _class(gap), title) for line in gap.lines]


def _feature(kind: str, coordinates: Any, value: str, title: str) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates},
            "properties": {"class": value, "title": title}}  # fmt: skip


def _class(gap: Gap) -> str:
    return "straight" if gap.share is None else "gap"


def _classes(found: CycleGaps) -> set[str]:
    ends = [name for name, rows in (("unknown", found.unknown), ("alone", found.alone)) if rows]
    return {*(_class(gap) for gap in found.gaps), *ends}


def _name(end: End) -> str:
    return _("{street}, vers {commune}").format(street=end.name or _("rue sans nom"), commune=end.neighbour.name)


def _ends(ends: Iterable[End]) -> list[tuple[str, float, float]]:
    return [(_name(one), *one.place) for one in ends]


def _told(gap: Gap) -> ToldGap:
    lon, lat = gap.end.place
    return ToldGap(
        where=gap.end.name or _("rue sans nom"),
        beyond=gap.beyond or _("rue sans nom"),
        commune=gap.end.neighbour.name,
        missing=distance(gap.missing_m),
        trips=None if gap.share is None else round(1000 * gap.share),
        worth=None if gap.share is None else round(gap.worth),
        lon=lon,
        lat=lat,
    )


def _heads() -> list[str]:
    return [_("rang"), _("aménagement qui s’arrête"), _("commune voisine"), _("reprend"), _("mètres sans aménagement"),
            _("trajets sur 1 000"), _("trajets sur 1 000, par 100 m"), _("longitude"), _("latitude")]  # fmt: skip


def _row(rank: int, gap: Gap) -> list[object]:
    counted = (None, None) if gap.share is None else (round(1000 * gap.share, 1), round(gap.worth, 1))
    lon, lat = gap.end.place
    return [rank, gap.end.name, gap.end.neighbour.name, gap.beyond, round(gap.missing_m), *counted, round(lon, 6),
            round(lat, 6)]  # fmt: skip
