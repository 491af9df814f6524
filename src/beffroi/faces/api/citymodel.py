"""`/citymodel/`: the buildings of a zone as CityJSON 2.0, those of a town as 3D Tiles 1.1, as known on any day."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime, time
from typing import cast
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory import queries as territories
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.sense.twin import cityjson, glb, queries, tileset
from beffroi.sense.twin.queries import Sources

CITYJSON, JSON = "application/city+json", "application/json"
# Above the ground, what is built; below it, what a slope hides.
_TALLEST_M, _BELOW_M = 150.0, 10.0
_FINEST, _WIDEST = 20, 12
_FOR_ALL, _FOR_ONE = "public, max-age=31536000, immutable", "private, max-age=3600"


class BadCityModel(BeffroiError):
    """What is asked of the city model cannot be read."""


class NoCityModel(BeffroiError):
    """No building of this territory is known to this reader on that day."""

    http_status = 404


@open_to(EVERYONE)
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Say what can be had here, and how to ask for a zone and a day."""
    commune = cast(Request, request).commune
    links = []
    if commune is not None:
        for name, kind, title in (
            ("citymodel:cityjson", CITYJSON, _("Bâtiments d’une zone (bbox=ouest,sud,est,nord) : CityJSON 2.0")),
            ("citymodel:tileset", JSON, _("Bâtiments de la commune : 3D Tiles 1.1")),
        ):
            address = request.build_absolute_uri(reverse(name, args=[commune.code]))
            links.append({"href": address, "rel": "data", "type": kind, "title": title})
    content = {
        "title": _("Maquette de la ville"),
        "description": _(
            "Ajoutez date=année-mois-jour pour la ville telle que la plateforme la connaissait ce soir-là."
        ),
        "links": links,
    }
    return _answer(request, json.dumps(content, ensure_ascii=False).encode(), JSON)


@open_to(EVERYONE)
@require_safe
def buildings(request: HttpRequest, territory: str) -> HttpResponse:
    """Give the buildings of a zone (the whole territory when no `bbox` is asked) as CityJSON 2.0."""
    viewer, day = cast(Request, request).viewer, _day(request)
    known = _sources(request, territory, day)
    asked = request.GET.get("bbox", "")
    bbox = BBox.parsed(asked) if asked else known.bbox
    assert bbox is not None  # noqa: S101 - located datasets have a box
    found = queries.buildings(viewer, known, bbox)
    body = cityjson.document(found, bbox=bbox, title=_title(territory), day=day or timezone.localdate())
    response = _answer(request, body, CITYJSON)
    response.headers["Content-Disposition"] = f'attachment; filename="{territory}.city.json"'
    return response


@open_to(EVERYONE)
@require_safe
def tiles(request: HttpRequest, territory: str) -> HttpResponse:
    """Give the tileset of a territory: 3D Tiles 1.1, one GLB per square of the map's grid."""
    day = _day(request)
    known = _sources(request, territory, day)
    bbox, relief = known.bbox, lake.relief(territory)
    assert bbox is not None  # noqa: S101 - located datasets have a box
    low, high = (relief.low_m, relief.high_m) if relief else (0.0, 0.0)
    address = reverse("citymodel:tile", args=[territory, 0, 0, 0]).removesuffix("0/0/0.glb") + "{z}/{x}/{y}.glb"
    content = tileset.tileset(
        bbox,
        low_m=low - _BELOW_M,
        high_m=high + _TALLEST_M,
        content=address + (f"?date={day.isoformat()}" if day else ""),
        title=_title(territory),
    )
    return _answer(request, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), JSON)


@open_to(EVERYONE)
@require_safe
def tile(request: HttpRequest, territory: str, z: int, x: int, y: int) -> HttpResponse:
    """Give the buildings whose middle is in a square of the grid, as a GLB."""
    box = _square(z, x, y)
    found = queries.centred_in(
        queries.buildings(_viewer(request), _sources(request, territory, _day(request)), box), box
    )
    lon, lat = tileset.middle(box)
    return _answer(request, glb.glb(found, lon=lon, lat=lat), glb.MEDIA_TYPE)


@open_to(EVERYONE)
@require_safe
def volumes(request: HttpRequest, territory: str, slug: str, version: str, z: int, x: int, y: int) -> HttpResponse:
    """Give the detailed buildings of one version of a dataset, for the map; 204 where there are none.

    `sur` names the dataset and the version of the blocks the map draws (``slug~version``): those they stand in place of
    are told with them. An address names every version it reads, so its answer never changes.
    """
    viewer, box = _viewer(request), _square(z, x, y)
    detail = lake.dataset(viewer, DatasetRef(territory, slug), version=version)
    found = queries.centred_in(queries.detailed(viewer, detail.summary, box), box)
    if not found:
        return _kept(HttpResponse(status=204), request)
    under, _tilde, under_version = request.GET.get("sur", "").partition("~")
    hidden: list[str] = []
    if under == slug:
        hidden = [one.footprint.id for one in found]
    elif under:
        blocks = lake.dataset(viewer, DatasetRef(territory, under), version=under_version or None).summary
        hidden = queries.replaced(viewer, found, blocks)
    lon, lat = tileset.middle(box)
    extras = {
        "middle": [lon, lat],
        "buildings": [[one.footprint.id, round(one.volume.base_m, 2)] for one in found],
        "hidden": hidden,
    }
    return _kept(HttpResponse(glb.glb(found, lon=lon, lat=lat, extras=extras), content_type=glb.MEDIA_TYPE), request)


def _viewer(request: HttpRequest) -> Viewer:
    return cast(Request, request).viewer


def _sources(request: HttpRequest, territory: str, day: date | None) -> Sources:
    """Return what the model is made of on a day.

    Raises:
        NoCityModel: nothing that this reader may see.
    """
    commune = _commune(territory)
    zone = ZoneInfo(commune.timezone) if commune else PARIS
    at = datetime.combine(day, time.max, tzinfo=zone) if day else None
    known = queries.sources(_viewer(request), territory, at=at)
    if known.bbox is None:
        raise NoCityModel(
            "aucun bâtiment connu pour « {territory} » à cette date",
            where="territory",
            remedy="vérifiez le code de la commune, ou demandez une date plus récente",
            territory=territory,
        )
    return known


def _day(request: HttpRequest) -> date | None:
    text = request.GET.get("date", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadCityModel(
            "« {text} » n’est pas une date",
            where="date",
            remedy="écrivez-la année-mois-jour, par exemple 2026-03-31",
            text=text[:20],
        ) from error


def _square(z: int, x: int, y: int) -> BBox:
    if not (_WIDEST <= z <= _FINEST and x < 1 << z and y < 1 << z):
        raise BadCityModel(
            "la tuile {z}/{x}/{y} n’existe pas",
            where="z/x/y",
            remedy="les tuiles vont du niveau {low} au niveau {high} ; suivez le tileset",
            z=z,
            x=x,
            y=y,
            low=_WIDEST,
            high=_FINEST,
        )
    return tileset.tile_box(z, x, y)


def _commune(code: str) -> CommuneInfo | None:
    """Return the territory of a code, None when the lake knows one that the registry does not."""
    with suppress(NotFound):
        return territories.territory(code)
    return None


def _title(territory: str) -> str:
    commune = _commune(territory)
    return _("Bâtiments de {name}").format(name=commune.name if commune else territory)


def _answer(request: HttpRequest, body: bytes, media_type: str) -> HttpResponse:
    response = HttpResponse(body, content_type=media_type)
    response.headers["Cache-Control"] = "no-cache" if _viewer(request) == ANONYMOUS else "private, no-cache"
    return _shared(response, request)


def _kept(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    response.headers["Cache-Control"] = _FOR_ALL if _viewer(request) == ANONYMOUS else _FOR_ONE
    return _shared(response, request)


def _shared(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    response.headers["Vary"] = "Accept-Encoding, Cookie, Authorization"
    # Other sites may show what is public.
    if _viewer(request) == ANONYMOUS:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response
