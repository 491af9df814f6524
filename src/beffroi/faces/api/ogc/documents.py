"""The documents of the OGC APIs that lead to the data: landing page, conformance, collections, queryables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from beffroi.faces.api.ogc import conformance, tiling
from beffroi.faces.api.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    OPENAPI,
    ROOT,
    SCHEMA,
    Link,
    address,
    link,
)
from beffroi.lake import queries as lake
from beffroi.lake.projecting import CRS84, EVERYWHERE, offered
from beffroi.lake.queries import Seen
from beffroi.lake.reading import Column, ColumnType

RELATION = "http://www.opengis.net/def/rel/ogc/1.0/"

# Media types of the files a dataset can be taken away in.
FILES = {
    "geojson": GEOJSON,
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "gpkg": "application/geopackage+sqlite3",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "gpx": "application/gpx+xml",
    "dxf": "image/vnd.dxf",
}


NAMES = {
    "geojson": "GeoJSON",
    "csv": "CSV",
    "parquet": "GeoParquet",
    "gpkg": "GeoPackage",
    "xlsx": "XLSX",
    "gpx": "GPX",
    "dxf": "DXF",
}


def both(url: str, *, media_type: str = JSON) -> list[Link]:
    """Return the links of a document to itself: in JSON, and as a page."""
    return [
        link(url, "self", media_type, _("Ce document")),
        link(f"{url}?f=html", "alternate", HTML, _("Ce document en page web")),
    ]


def landing(base: str, *, title: str) -> dict[str, Any]:
    """Return the landing page: where everything is."""
    root = base + ROOT
    return {
        "title": title,
        "description": _(
            "Les données de la commune par les interfaces standard de l’OGC. "
            "Sans clé, elles répondent ce que tout le monde peut lire."
        ),
        "links": [
            *both(root),
            link(f"{root}api", "service-desc", OPENAPI, _("La description de l’interface (OpenAPI 3.0)")),
            link(f"{root}api?f=html", "service-doc", HTML, _("La documentation de l’interface")),
            link(f"{root}conformance", "conformance", JSON, _("Les classes de conformité tenues")),
            link(f"{root}conformance", f"{RELATION}conformance", JSON, _("Les classes de conformité tenues")),
            link(f"{root}collections", "data", JSON, _("Les jeux de données")),
            link(f"{root}collections", f"{RELATION}data", JSON, _("Les jeux de données")),
            link(f"{root}collections/catalogue", f"{RELATION}ogc-catalog", JSON, _("Le catalogue des jeux de données")),
            link(f"{base}/dcat.jsonld", "describedby", "application/ld+json", _("Le catalogue en DCAT-AP")),
            link(f"{root}tileMatrixSets", f"{RELATION}tiling-schemes", JSON, _("Les découpages en tuiles")),
        ],
    }


def conformed(base: str) -> dict[str, Any]:
    """Return the conformance classes."""
    return {"conformsTo": list(conformance.ALL), "links": both(f"{base}{ROOT}conformance")}


def collections(base: str, seen: list[Seen], *, catalogue: dict[str, Any]) -> dict[str, Any]:
    """Return the list of the collections a reader may see: the datasets, then the catalogue of their records."""
    return {
        "links": both(f"{base}{ROOT}collections"),
        "crs": list(EVERYWHERE),
        "numberMatched": len(seen) + 1,
        "numberReturned": len(seen) + 1,
        "collections": [*(collection(base, one) for one in seen), catalogue],
    }


def collection(base: str, seen: Seen) -> dict[str, Any]:
    """Return one collection: a dataset."""
    manifest, url = seen.manifest, address(base, seen.ref)
    described: dict[str, Any] = {
        "id": f"{seen.ref.territory}.{seen.ref.slug}",
        "title": manifest.title,
        "description": manifest.description or manifest.title,
        "keywords": [manifest.theme] if manifest.theme else [],
        "itemType": "feature",
        "extent": _extent(seen),
        "crs": list(offered(manifest.bbox)),
        "storageCrs": CRS84,
        "links": _links(base, url, seen),
    }
    if manifest.producer:
        described["attribution"] = manifest.producer
    if manifest.licence:
        described["license"] = manifest.licence
    return described


def _extent(seen: Seen) -> dict[str, Any]:
    extent: dict[str, Any] = {
        "temporal": {
            "interval": [[stamp(lake.first_published(seen)), None]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    }
    if seen.manifest.bbox is not None:
        extent["spatial"] = {"bbox": [list(seen.manifest.bbox)], "crs": CRS84}
    return extent


def _links(base: str, url: str, seen: Seen) -> list[Link]:
    ref = seen.ref
    links = [
        *both(url),
        link(f"{url}/items", "items", GEOJSON, _("Les objets")),
        link(f"{url}/items?f=html", "items", HTML, _("Les objets en page web")),
        link(f"{url}/queryables", f"{RELATION}queryables", SCHEMA, _("Les propriétés à filtrer")),
        link(f"{url}/differences", "related", GEOJSON, _("Ce qui a changé entre deux dates")),
        link(f"{base}/donnees/{ref.territory}/{ref.slug}/", "describedby", HTML, _("La page du jeu de données")),
    ]
    if lake.tiles_ready(seen):
        links.append(link(f"{url}/tiles", tiling.TILESET_RELATION, JSON, _("Les tuiles vectorielles")))
    return links + file_links(base, seen)


def file_links(base: str, seen: Seen) -> list[Link]:
    """Return the links to a dataset as files, in each format it can be taken away in."""
    files = f"{base}/api/datasets/{seen.ref.territory}/{seen.ref.slug}/download/"
    return [
        link(files + name, "enclosure", FILES[name], _("Tout le jeu en {format}").format(format=NAMES[name]))
        for name in lake.formats(seen)
    ]


_JSON_TYPES: dict[ColumnType, dict[str, str]] = {
    ColumnType.TEXT: {"type": "string"},
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.NUMBER: {"type": "number"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATE: {"type": "string", "format": "date"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
    ColumnType.TIME: {"type": "string", "format": "time"},
}
_SHAPES = {
    "Point": "point",
    "MultiPoint": "multipoint",
    "LineString": "linestring",
    "MultiLineString": "multilinestring",
    "Polygon": "polygon",
    "MultiPolygon": "multipolygon",
}


def queryables(base: str, seen: Seen) -> dict[str, Any]:
    """Return what a filter may name: a JSON Schema of the columns the reader may see, and of the shape."""
    url = f"{address(base, seen.ref)}/queryables"
    properties: dict[str, Any] = {column.key: _queryable(column) for column in seen.class_columns}
    kind = seen.manifest.geometry_type
    if kind is not None:
        shape = _SHAPES.get(kind, "any")
        properties["geometry"] = {
            "title": _("Forme"),
            "x-ogc-role": "primary-geometry",
            "format": f"geometry-{shape}",
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url,
        "type": "object",
        "title": seen.manifest.title,
        "properties": properties,
        "additionalProperties": False,
    }


def _queryable(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"title": column.title, **_JSON_TYPES[column.type]}
    if column.description:
        described["description"] = column.description
    if column.unit:
        described["x-ogc-unit"] = column.unit
    return described


def stamp(moment: datetime) -> str:
    """Return a moment as the standards write it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
