"""`/api/datasets`: what the lake knows, cut to what the reader may see."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from ninja import Path, Query, Router

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.faces.api.catalogue import TERRITORY_PATTERN, Territory
from beffroi.faces.api.schemas import DatasetDetailOut, DatasetList, ReportOut, RowPage, VersionList
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.sentences import said
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, DatasetSummary, Filter

router = Router(tags=["Données"])

GEOJSON = "application/geo+json"
SLUG_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,99}$"
MAX_OFFSET = 1_000_000_000

Code = Annotated[str, Path(pattern=TERRITORY_PATTERN, description="Code INSEE ou SIREN", examples=["34172"])]
Slug = Annotated[str, Path(pattern=SLUG_PATTERN, description="Nom court du jeu de données", examples=["arbres"])]
Version = Annotated[
    str | None, Query(max_length=80, pattern=r"^[A-Za-z0-9._-]+$", description="Version ; celle en vigueur sinon")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Nombre par page")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Nombre à sauter")]


class BadFilter(BeffroiError):
    """A `where` that is not column:operator:value."""


@router.get("/datasets", response=DatasetList, summary="Les jeux de données")
@open_to(EVERYONE)
def datasets(
    request: Request,
    territory: Territory = None,
    theme: Annotated[str | None, Query(max_length=80, description="Thème")] = None,
    text: Annotated[str, Query(max_length=200, description="Mots cherchés dans le titre et la description")] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Donne les jeux de données que le lecteur peut voir, par titre."""
    found = lake.datasets(request.viewer, territory=territory, theme=theme, text=text)
    page = found[offset : offset + limit]
    following = offset + limit if offset + limit < len(found) else None
    return {
        "total": len(found),
        "datasets": [_summary(one) for one in page],
        "next": None if following is None else _next(request, offset=following),
    }


@router.get("/datasets/{territory}/{slug}", response=DatasetDetailOut, summary="Un jeu de données et ses colonnes")
@open_to(EVERYONE)
def dataset(request: Request, territory: Code, slug: Slug, version: Version = None) -> dict[str, Any]:
    """Donne un jeu de données, ses colonnes lisibles, son origine et ce qui a été déduit à la lecture."""
    detail = lake.dataset(request.viewer, DatasetRef(territory, slug), version=version)
    return _summary(detail.summary) | {
        "columns": [
            {"key": c.key, "title": c.title, "type": c.type.value, "unit": c.unit, "description": c.description}
            for c in detail.columns
        ],
        "crs": detail.crs,
        "source": _source(detail.source),
        "evidences": [{"subject": e.subject, "value": e.value, "why": said(e.why)} for e in detail.evidences],
        "checked_at": detail.checked_at,
    }


@router.get("/datasets/{territory}/{slug}/versions", response=VersionList, summary="Les versions d’un jeu de données")
@open_to(EVERYONE)
def versions(request: Request, territory: Code, slug: Slug) -> dict[str, Any]:
    """Donne toutes les versions, la plus récente d’abord ; aucune n’est jamais écrasée."""
    found = lake.versions(request.viewer, DatasetRef(territory, slug))
    return {
        "versions": [
            {
                "version": one.version,
                "created_at": one.created_at,
                "rows": one.rows,
                "rows_rejected": one.rows_rejected,
                "period": one.period,
                "is_current": one.is_current,
                "source": _source(one.source),
            }
            for one in found
        ]
    }


@router.get("/datasets/{territory}/{slug}/report", response=ReportOut, summary="Le rapport d’import d’une version")
@open_to(EVERYONE)
def report(request: Request, territory: Code, slug: Slug, version: Version = None) -> dict[str, Any]:
    """Dit ce que l’import a lu, gardé et refusé, avec les raisons."""
    found = lake.import_report(request.viewer, DatasetRef(territory, slug), version=version)
    return {
        "rows_read": found.rows_read,
        "rows_kept": found.rows_kept,
        "rows_rejected": found.rows_rejected,
        "rejected_by_reason": dict(found.rejected_by_reason),
        "rejects": [{"line": one.line, "reason": said(one.reason), "excerpt": one.excerpt} for one in found.rejects],
        "warnings": [said(one) for one in found.warnings],
        "corrections": [said(one) for one in found.corrections],
        "crs": found.crs,
        "geometry_types": list(found.geometry_types),
        "licence": found.licence,
        "period": found.period,
    }


@router.get(
    "/datasets/{territory}/{slug}/features",
    summary="Les objets d’une emprise, en GeoJSON",
    openapi_extra={
        "responses": {
            200: {
                "description": "Une page d’objets ; `next` est l’adresse de la suivante",
                "content": {
                    GEOJSON: {
                        "schema": {
                            "type": "object",
                            "required": ["type", "features", "numberReturned"],
                            "properties": {
                                "type": {"const": "FeatureCollection"},
                                "features": {"type": "array", "items": {"type": "object"}},
                                "numberReturned": {"type": "integer"},
                                "numberMatched": {"type": "integer"},
                                "next": {"type": "string"},
                            },
                        }
                    }
                },
            }
        }
    },
)
@open_to(EVERYONE)
def features(
    request: Request,
    territory: Code,
    slug: Slug,
    bbox: Annotated[
        str | None,
        Query(max_length=200, description="ouest,sud,est,nord en degrés", examples=["3.80,43.56,3.94,43.65"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Nombre d’objets par page")] = 100,
    after: Annotated[str | None, Query(max_length=100, description="Curseur donné par la page précédente")] = None,
    version: Version = None,
) -> HttpResponseBase:
    """Donne les objets dont la boîte touche l’emprise, page par page."""
    box = BBox.parsed(bbox) if bbox is not None else None
    page = lake.features(
        request.viewer, DatasetRef(territory, slug), version=version, bbox=box, limit=limit, after=after
    )
    head: dict[str, Any] = {"type": "FeatureCollection", "numberReturned": page.number_returned}
    if page.number_matched is not None:
        head["numberMatched"] = page.number_matched
    if page.next_cursor is not None:
        head["next"] = _next(request, after=page.next_cursor)
    # The fragments are ready bytes of the serving index: they are joined, never parsed.
    body = json.dumps(head).encode()[:-1] + b',"features":[' + b",".join(page.features) + b"]}"
    response = HttpResponse(body, content_type=GEOJSON)
    if page.next_cursor is not None:
        response.headers["Link"] = f'<{head["next"]}>; rel="next"'
    return _varied(response)


@router.get(
    "/datasets/{territory}/{slug}/features/{feature_id}",
    summary="Un objet, en GeoJSON",
    openapi_extra={
        "responses": {200: {"description": "L’objet", "content": {GEOJSON: {"schema": {"type": "object"}}}}}
    },
)
@open_to(EVERYONE)
def feature(
    request: Request,
    territory: Code,
    slug: Slug,
    feature_id: Annotated[str, Path(max_length=200, description="Identifiant de l’objet")],
    version: Version = None,
) -> HttpResponseBase:
    """Donne un objet par son identifiant."""
    body = lake.feature(request.viewer, DatasetRef(territory, slug), feature_id, version=version)
    return _varied(HttpResponse(body, content_type=GEOJSON))


@router.get(
    "/datasets/{territory}/{slug}/rows", response=RowPage, summary="Les lignes d’un tableau, triées et filtrées"
)
@open_to(EVERYONE)
def rows(
    request: Request,
    territory: Code,
    slug: Slug,
    columns: Annotated[
        str | None, Query(max_length=4000, description="Clés des colonnes, séparées par des virgules")
    ] = None,
    where: Annotated[
        list[str],
        Query(
            max_length=20,
            description="colonne:opérateur:valeur, répétable ; opérateurs : " + ", ".join(lake.FILTER_OPS),
            examples=[["hauteur:ge:10"]],
        ),
    ] = [],  # noqa: B006 - read by the router, never changed
    sort: Annotated[
        str | None, Query(max_length=200, description="Clé de la colonne de tri ; précédée de - : décroissant")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
    version: Version = None,
) -> dict[str, Any]:
    """Donne une page du tableau avec le nombre de lignes qui répondent aux filtres."""
    page = lake.table(
        request.viewer,
        DatasetRef(territory, slug),
        version=version,
        columns=[key.strip() for key in columns.split(",") if key.strip()] if columns else None,
        where=[_filter(text) for text in where],
        order_by=sort.removeprefix("-") if sort else None,
        descending=bool(sort and sort.startswith("-")),
        limit=limit,
        offset=offset,
    )
    keys = [column.key for column in page.columns]
    return {
        "total": page.total,
        "columns": [
            {"key": c.key, "title": c.title, "type": c.type.value, "unit": c.unit, "description": c.description}
            for c in page.columns
        ],
        "rows": [
            {"id": row_id, "values": {key: _plain(value) for key, value in zip(keys, row, strict=True)}}
            for row_id, row in zip(page.ids, page.rows, strict=True)
        ],
        "next": None if page.next_offset is None else _next(request, offset=page.next_offset),
    }


@router.get(
    "/datasets/{territory}/{slug}/download/{format}",
    summary="Le jeu de données entier, dans un format usuel",
    openapi_extra={
        "responses": {
            200: {
                "description": "Le fichier",
                "content": {
                    name: {"schema": {"type": "string", "format": "binary"}}
                    for name in (
                        GEOJSON,
                        "text/csv",
                        "application/vnd.apache.parquet",
                        "application/geopackage+sqlite3",
                        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                        "application/gpx+xml",
                        "image/vnd.dxf",
                    )
                },
            }
        }
    },
)
@open_to(EVERYONE)
def download(
    request: Request,
    territory: Code,
    slug: Slug,
    format: Annotated[str, Path(max_length=20, description="Format : " + ", ".join(lake.FORMATS), examples=["csv"])],
    version: Version = None,
) -> HttpResponseBase:
    """Remet le fichier entier, avec les colonnes que le lecteur peut lire."""
    found = lake.download(request.viewer, DatasetRef(territory, slug), format, version=version)
    response: HttpResponseBase
    if found.path is not None:
        response = FileResponse(found.path.open("rb"), content_type=found.media_type)
    else:
        response = StreamingHttpResponse(found.chunks or (), content_type=found.media_type)
    if found.size_bytes is not None:
        response.headers["Content-Length"] = str(found.size_bytes)
    for name, value in found.headers.items():
        response.headers[name] = value
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.filename)}"
    return _varied(response)


def _filter(text: str) -> Filter:
    column, _, rest = text.partition(":")
    op, colon, value = rest.partition(":")
    if not column or op not in lake.FILTER_OPS or (not colon and op != "null"):
        raise BadFilter(
            "filtre « {text} » illisible",
            where="where",
            remedy="écrivez colonne:opérateur:valeur, par exemple hauteur:ge:10 ; opérateurs : {ops}",
            text=text[:80],
            ops=", ".join(lake.FILTER_OPS),
        )
    if op == "null":
        return Filter(column, op, value.lower() not in ("false", "non", "0"))
    return Filter(column, op, value)


def _summary(one: DatasetSummary) -> dict[str, Any]:
    base = f"/api/datasets/{one.ref.territory}/{one.ref.slug}"
    return {
        "id": str(one.ref),
        "territory": one.ref.territory,
        "slug": one.ref.slug,
        "title": one.title,
        "theme": one.theme,
        "description": one.description,
        "producer": one.producer,
        "licence": one.licence,
        "rhythm": one.rhythm,
        "rows": one.rows,
        "geometry_type": one.geometry_type,
        "bbox": list(one.bbox) if one.bbox else None,
        "version": one.version,
        "updated_at": one.updated_at,
        "period": one.period,
        "access": one.access,
        "fictional": one.fictional,
        "links": {
            "page": f"/donnees/{one.ref.territory}/{one.ref.slug}/",
            "self": base,
            "rows": f"{base}/rows",
            "features": f"{base}/features" if one.geometry_type else None,
            "downloads": {name: f"{base}/download/{name}" for name in one.formats},
        },
    }


def _source(source: Any) -> dict[str, Any]:
    return {"name": source.name, "format": source.format, "size_bytes": source.size_bytes, "url": source.url}


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    # JSON has no infinity and no "not a number".
    return None if isinstance(value, float) and value - value != 0 else value


def _next(request: Request, **changed: Any) -> str:
    parameters = [(name, value) for name in request.GET for value in request.GET.getlist(name) if name not in changed]
    return f"{request.path}?{urlencode([*parameters, *changed.items()])}"


def _varied(response: HttpResponseBase) -> HttpResponseBase:
    patch_vary_headers(response, ("Cookie", "Authorization"))
    return response
