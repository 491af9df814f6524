"""The views of `/ogc/`: they read the request, ask for the answer and carry it, in JSON or as a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.api.ogc import documents, items, openapi, pages, records, tiling
from beffroi.faces.api.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    OPENAPI,
    PROBLEM,
    SCHEMA,
    VARY,
    Answer,
    Parameters,
    as_json,
    chosen_format,
    parameters_of,
    refuse_others,
    unchanged,
)
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, Seen

# The codes of OGC API Common, by status.
_CODES = {400: "InvalidParameterValue", 404: "NotFound", 406: "NotAcceptable"}
_DOCUMENT = {"json": JSON, "html": HTML}

Page = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]


def carried(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Return an answer as Django's response."""
    answer = unchanged(answer, request.headers.get("If-None-Match", ""))
    response = HttpResponse(answer.body, content_type=answer.media_type, status=answer.status, headers=answer.headers)
    if cast(Request, request).viewer == ANONYMOUS:
        # What is public, the pages of other sites may read.
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _guarded(formats: Mapping[str, str]) -> Callable[[View], View]:
    """Choose the format of an address, and answer its errors in it as the standard says."""

    def wrap(view: View) -> View:
        def guarded(request: HttpRequest, **arguments: Any) -> HttpResponse:
            chosen = next(iter(formats))
            try:
                parameters = parameters_of(request.META.get("QUERY_STRING", ""))
                chosen = chosen_format(parameters.get("f"), request.headers.get("Accept", ""), formats)
                response = view(request, parameters=parameters, chosen=chosen, **arguments)
            except BeffroiError as error:
                response = _problem(request, error, as_page=chosen == "html")
            response.headers["Vary"] = VARY
            return response

        guarded.__doc__, guarded.__name__ = view.__doc__, view.__name__
        return open_to(EVERYONE)(require_safe(guarded))

    return wrap


def _problem(request: HttpRequest, error: BeffroiError, *, as_page: bool) -> HttpResponse:
    what, remedy = said(error.what), said(error.remedy)
    if as_page:
        return pages.problem(request, what=what, where=error.where, remedy=remedy, status=error.http_status)
    detail = " ; ".join(part for part in (f"{error.where} : {what}" if error.where else what, remedy) if part)
    body = {
        "type": "about:blank",
        "code": _CODES.get(error.http_status, "InvalidQuery"),
        "status": error.http_status,
        "title": what,
        "description": detail,
        "detail": detail,
        "where": error.where,
        "remedy": remedy,
    }
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=error.http_status, content_type=PROBLEM)


def _base(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _title(request: HttpRequest) -> str:
    commune = cast(Request, request).commune
    return _("Données de {town}").format(town=commune.name) if commune else _("Données de la commune")


def _seen(request: HttpRequest, territory: str, slug: str) -> Seen:
    return lake.seen_dataset(cast(Request, request).viewer, DatasetRef(territory, slug))


@_guarded(_DOCUMENT)
def landing(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Say where everything is."""
    refuse_others(parameters, ("f",))
    document = documents.landing(_base(request), title=_title(request))
    return pages.landing(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(_DOCUMENT)
def conformance(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Tell the conformance classes that are met."""
    refuse_others(parameters, ("f",))
    document = documents.conformed(_base(request))
    return pages.conformance(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded({"json": OPENAPI, "html": HTML})
def api(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Describe every operation."""
    refuse_others(parameters, ("f",))
    document = openapi.document(_base(request), title=_title(request))
    return pages.api(request, document) if chosen == "html" else carried(request, as_json(document, OPENAPI))


@_guarded(_DOCUMENT)
def collections(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """List the datasets the reader may see."""
    refuse_others(parameters, ("f",))
    seen = lake.seen_datasets(cast(Request, request).viewer)
    base = _base(request)
    document = documents.collections(base, seen, catalogue=records.catalogue(base, title=_title(request)))
    return pages.collections(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(_DOCUMENT)
def collection(request: HttpRequest, territory: str, slug: str, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Describe one dataset."""
    refuse_others(parameters, ("f",))
    document = documents.collection(_base(request), _seen(request, territory, slug))
    return pages.collection(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded({"json": SCHEMA, "html": HTML})
def queryables(request: HttpRequest, territory: str, slug: str, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Tell what a filter may name."""
    refuse_others(parameters, ("f",))
    seen = _seen(request, territory, slug)
    document = documents.queryables(_base(request), seen)
    return (
        pages.queryables(request, seen, document) if chosen == "html" else carried(request, as_json(document, SCHEMA))
    )


@_guarded(items.FORMATS)
def features(request: HttpRequest, territory: str, slug: str, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Give a page of features."""
    seen = _seen(request, territory, slug)
    if chosen == "html":
        return pages.features(request, seen, _base(request), parameters)
    return carried(request, items.page(seen, _base(request), parameters))


@_guarded(items.FORMATS)
def feature(
    request: HttpRequest, territory: str, slug: str, feature_id: str, *, parameters: Parameters, chosen: str
) -> HttpResponse:
    """Give one feature."""
    seen = _seen(request, territory, slug)
    answer = items.item(seen, _base(request), feature_id, parameters)
    return pages.feature(request, seen, json.loads(answer.body)) if chosen == "html" else carried(request, answer)


@_guarded(tiling.SET_FORMATS)
def matrix_sets(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """List the ways the world is cut into tiles."""
    refuse_others(parameters, ("f",))
    document = tiling.matrix_sets(_base(request))
    return pages.matrix_sets(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(tiling.SET_FORMATS)
def matrix_set(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Describe WebMercatorQuad."""
    refuse_others(parameters, ("f",))
    document = tiling.matrix_set()
    return pages.matrix_set(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(tiling.SET_FORMATS)
def tilesets(request: HttpRequest, territory: str, slug: str, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """List the tile sets of a dataset."""
    refuse_others(parameters, ("f",))
    seen = _seen(request, territory, slug)
    document = tiling.tilesets(_base(request), seen)
    return pages.tilesets(request, seen, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(tiling.TILESET_FORMATS)
def tileset(request: HttpRequest, territory: str, slug: str, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Describe the tiles of a dataset: as the OGC has it, or as TileJSON."""
    refuse_others(parameters, ("f",))
    seen, base = _seen(request, territory, slug), _base(request)
    if chosen == "tilejson":
        return carried(request, as_json(tiling.tilejson(base, seen), tiling.TILEJSON))
    document = tiling.tileset(base, seen)
    return pages.tileset(request, seen, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(tiling.TILE_FORMATS)
def tile(
    request: HttpRequest,
    territory: str,
    slug: str,
    matrix: str,
    row: str,
    col: str,
    *,
    parameters: Parameters,
    chosen: str,
) -> HttpResponse:
    """Give one vector tile, as baked."""
    gzipped = "gzip" in request.headers.get("Accept-Encoding", "")
    return carried(request, tiling.tile(_seen(request, territory, slug), matrix, row, col, parameters, gzipped=gzipped))


@_guarded(_DOCUMENT)
def catalogue(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Describe the catalogue of records."""
    refuse_others(parameters, ("f",))
    document = records.catalogue(_base(request), title=_title(request))
    return pages.collection(request, document) if chosen == "html" else carried(request, as_json(document))


@_guarded(items.FORMATS)
def all_records(request: HttpRequest, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Give the records that answer a question."""
    seen = lake.seen_datasets(cast(Request, request).viewer)
    document = records.page(_base(request), seen, parameters)
    return pages.records(request, document) if chosen == "html" else carried(request, as_json(document, GEOJSON))


@_guarded(items.FORMATS)
def record(request: HttpRequest, record_id: str, *, parameters: Parameters, chosen: str) -> HttpResponse:
    """Give the record of one dataset."""
    refuse_others(parameters, ("f", "crs"))
    territory, _dot, slug = record_id.partition(".")
    document = records.record(_base(request), _seen(request, territory, slug))
    return pages.record(request, document) if chosen == "html" else carried(request, as_json(document, GEOJSON))


@_guarded({"json": GEOJSON})
def differences(
    request: HttpRequest, territory: str, slug: str, *, parameters: Parameters, chosen: str
) -> HttpResponse:
    """Give what changed between two dates; people have a page of their own on the portal."""
    return carried(request, items.differences(_seen(request, territory, slug), _base(request), parameters))
