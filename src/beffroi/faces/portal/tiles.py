"""Map tiles: the shortest public path of the house. No session, no user, no registry for who sends no credentials."""

from __future__ import annotations

import gzip
import re
import zlib
from typing import TypeVar, cast

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.portal.directory import public_service
from beffroi.faces.portal.painting import rank_of
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries
from beffroi.lake.queries import DatasetRef, TilesState

MVT = "application/vnd.mapbox-vector-tile"
# A version never changes: what was read once need not be asked again. A signed-in reader may see more, so hers is hers.
FOR_ALL = "public, max-age=31536000, immutable"
FOR_ONE = "private, max-age=3600"
FOR_NOW = "public, max-age=3600"
Response = TypeVar("Response", bound=HttpResponseBase)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@open_to(EVERYONE)
@require_safe
def tile(request: HttpRequest, territory: str, slug: str, version: str, z: int, x: int, y: int) -> HttpResponse:
    """Answer one vector tile, as baked; 204 where there is nothing, and while tiles are being baked."""
    viewer = cast(Request, request).viewer
    ref = DatasetRef(territory, slug)
    found = queries.tile(viewer, ref, z, x, y, version=version)
    if found is None:
        ready = queries.tiles_state(viewer, ref, version=version) is TilesState.READY
        return _cached(HttpResponse(status=204), request, kept=ready)
    etag = f'"{zlib.crc32(found):08x}-{len(found):x}"'
    if etag in request.headers.get("If-None-Match", ""):
        return _cached(HttpResponse(status=304, headers={"ETag": etag}), request)
    headers = {"ETag": etag}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        found = gzip.decompress(found)
    return _cached(HttpResponse(found, content_type=MVT, headers=headers), request)


@open_to(EVERYONE)
@require_safe
def painted_tile(
    request: HttpRequest,
    territory: str,
    slug: str,
    version: str,
    about: str,
    about_version: str,
    column: str,
    z: int,
    x: int,
    y: int,
) -> HttpResponse:
    """Answer one tile of buildings, each with its class by a column of another dataset (see `painting`).

    `usage` is the service whose classes they are.
    """
    request = cast(Request, request)
    ref, other, asked = DatasetRef(territory, slug), DatasetRef(territory, about), request.GET.get("usage", "")
    use_case = public_service(request, asked).use_case if asked else None
    class_of = rank_of(request.viewer, ref, version, other, about_version, column, use_case)
    found = queries.classed_tile(request.viewer, ref, z, x, y, class_of=class_of, version=version)
    if found is None:
        ready = queries.tiles_state(request.viewer, ref, version=version) is TilesState.READY
        return _cached(HttpResponse(status=204), request, kept=ready)
    response = HttpResponse(found, content_type=MVT)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(
            gzip.compress(found, compresslevel=4), content_type=MVT, headers={"Content-Encoding": "gzip"}
        )
    response = _cached(response, request)
    # Corrections of the data, and the classes of a service, change within a version.
    response.headers["Cache-Control"] = FOR_NOW if request.viewer == ANONYMOUS else FOR_ONE
    return response


@open_to(EVERYONE)
@require_safe
def tilejson(request: HttpRequest, territory: str, slug: str, version: str) -> HttpResponse:
    """Answer the TileJSON of one version; not kept while tiles are being baked, as its zooms may change."""
    viewer = cast(Request, request).viewer
    ref = DatasetRef(territory, slug)
    # Written by hand: reverse() would quote the braces that the map fills in.
    base = reverse("tiles:tilejson", args=[territory, slug, version]).removesuffix(".json")
    url = request.build_absolute_uri(base) + "/{z}/{x}/{y}.mvt"
    document = queries.tilejson(viewer, ref, tiles_url=url, version=version)
    state = queries.tiles_state(viewer, ref, version=version)
    response = JsonResponse(document | {"state": state.value}, json_dumps_params={"ensure_ascii": False})
    return _cached(response, request, kept=state is TilesState.READY)


@open_to(EVERYONE)
@require_safe
def relief_tile(request: HttpRequest, territory: str, version: str, z: int, x: int, y: int) -> HttpResponse:
    """Answer one tile of heights (terrain-RGB PNG); 204 outside the relief, which ends there."""
    found = queries.relief_tile(territory, version, z, x, y)
    response = HttpResponse(status=204) if found is None else HttpResponse(found, content_type="image/png")
    return _cached(response, request)


@open_to(EVERYONE)
@require_safe
def archive(request: HttpRequest, territory: str, slug: str, version: str) -> HttpResponseBase:
    """Answer the PMTiles archive, whole or by range of bytes as its readers ask."""
    found = queries.tiles_archive(cast(Request, request).viewer, DatasetRef(territory, slug), version=version)
    path, size = found.path, found.size_bytes or 0
    assert path is not None  # noqa: S101 - an archive is a file
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None:
        response: HttpResponseBase = FileResponse(
            path.open("rb"), filename=found.filename, content_type=found.media_type
        )
        response.headers["Accept-Ranges"] = "bytes"
        return _cached(response, request)
    first, last = int(asked[1]), min(int(asked[2] or size - 1), size - 1)
    if first > last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    with path.open("rb") as handle:
        handle.seek(first)
        part = handle.read(last - first + 1)
    headers = {"Content-Range": f"bytes {first}-{last}/{size}", "Accept-Ranges": "bytes"}
    return _cached(HttpResponse(part, status=206, content_type=found.media_type, headers=headers), request)


def _cached(response: Response, request: HttpRequest, *, kept: bool = True) -> Response:
    viewer = cast(Request, request).viewer
    response.headers["Cache-Control"] = "no-store" if not kept else FOR_ALL if viewer == ANONYMOUS else FOR_ONE
    response.headers["Vary"] = "Accept-Encoding, Cookie, Authorization"
    # Maps of other sites may show what is public.
    if viewer == ANONYMOUS:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response
