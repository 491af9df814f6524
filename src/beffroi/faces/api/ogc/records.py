"""OGC API Records: one catalogue, one record a dataset, searched by words, box, date and id.

Source: OGC 20-004r1, OGC API – Records – Part 1: Core, 1.0.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.kernel.geo import BBox
from beffroi.faces.api.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    ROOT,
    BadParameter,
    Link,
    Parameters,
    address,
    link,
    refuse_others,
    with_query,
)
from beffroi.faces.api.ogc.documents import file_links, stamp
from beffroi.faces.api.ogc.items import after_of, limit_of, period_of
from beffroi.faces.api.vocabularies import licence_uri
from beffroi.lake import queries as lake
from beffroi.lake.projecting import CRS84, known
from beffroi.lake.queries import Seen

ID = "catalogue"
CORE = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core"
READ = ("f", "limit", "after", "bbox", "bbox-crs", "crs", "datetime", "q", "type", "ids", "externalIds")
MAX_IDS = 200
_WORLD = [-180.0, -90.0, 180.0, 90.0]


class UnknownRecord(lake.DatasetNotFound):
    """No record of that id, or none that the reader may know of."""


def catalogue(base: str, *, title: str) -> dict[str, Any]:
    """Return the collection of records."""
    url = f"{base}{ROOT}collections/{ID}"
    return {
        "id": ID,
        "title": _("Catalogue : {title}").format(title=title),
        "description": _("Une fiche par jeu de données : titre, producteur, licence, étendue, formats."),
        "itemType": "record",
        "type": "Collection",
        "conformsTo": [CORE.replace("record-core", "record-collection")],
        "extent": {"spatial": {"bbox": [_WORLD], "crs": CRS84}},
        "crs": [CRS84],
        "storageCrs": CRS84,
        "links": [
            link(url, "self", JSON, _("Ce document")),
            link(f"{url}?f=html", "alternate", HTML, _("Ce document en page web")),
            link(f"{url}/items", "items", GEOJSON, _("Les fiches")),
            link(f"{url}/items?f=html", "items", HTML, _("Les fiches en page web")),
            link(f"{base}/dcat.jsonld", "alternate", "application/ld+json", "DCAT-AP"),
        ],
    }


def page(base: str, seen: list[Seen], parameters: Parameters) -> dict[str, Any]:
    """Return the records that answer a question, in pages.

    Raises:
        BeffroiError: a parameter that cannot be read, or that nobody reads.
    """
    refuse_others(parameters, READ)
    limit, after = limit_of(parameters), after_of(parameters)
    for name in ("crs", "bbox-crs"):
        # A record is a sheet of words: its outline is in degrees only, and says so.
        known(parameters.get(name, CRS84), (CRS84,), where=name)
    found = [one for one in seen if _answers(one, _asked(parameters))]
    shown = found[after + 1 : after + 1 + limit]
    url = f"{base}{ROOT}collections/{ID}/items"
    links = [
        link(with_query(url, parameters), "self", GEOJSON),
        link(with_query(url, parameters | {"f": "html"}), "alternate", HTML),
        link(f"{base}{ROOT}collections/{ID}", "collection", JSON),
    ]
    if after + 1 + limit < len(found):
        links.append(link(with_query(url, parameters | {"after": str(after + limit)}), "next", GEOJSON))
    return {
        "type": "FeatureCollection",
        "numberMatched": len(found),
        "numberReturned": len(shown),
        "links": links,
        "features": [record(base, one) for one in shown],
    }


def record(base: str, seen: Seen) -> dict[str, Any]:
    """Return the record of one dataset."""
    manifest, name = seen.manifest, f"{seen.ref.territory}.{seen.ref.slug}"
    producer = manifest.producer or _("non indiqué")
    return {
        "id": name,
        "type": "Feature",
        "conformsTo": [CORE],
        "time": None if manifest.period is None else {"interval": list(manifest.period)},
        "geometry": _outline(manifest.bbox),
        "properties": {
            "type": "dataset",
            "title": manifest.title,
            "description": manifest.description or manifest.title,
            "keywords": [manifest.theme] if manifest.theme else [],
            "language": {"code": "fr"},
            "created": stamp(lake.first_published(seen)),
            "updated": stamp(manifest.created_at),
            "externalIds": [{"value": str(seen.ref)}],
            "formats": [{"name": one} for one in lake.formats(seen)],
            "contacts": [{"organization": producer, "roles": ["publisher"], "links": [_contact(base, seen)]}],
            "license": licence_uri(manifest.licence) or "other",
            "rights": manifest.licence or _("non indiquée"),
        },
        "links": _links(base, seen, name),
    }


def _contact(base: str, seen: Seen) -> Link:
    return link(f"{base}/donnees/{seen.ref.territory}/{seen.ref.slug}/", "about", HTML)


def _links(base: str, seen: Seen, name: str) -> list[Link]:
    url = f"{base}{ROOT}collections/{ID}"
    return [
        link(f"{url}/items/{name}", "self", GEOJSON),
        link(f"{url}/items/{name}?f=html", "alternate", HTML),
        link(url, "collection", JSON),
        link(address(base, seen.ref), "item", JSON, _("Le jeu de données par OGC API Features")),
        *file_links(base, seen),
    ]


def _outline(box: BBox | None) -> dict[str, Any] | None:
    if box is None:
        return None
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


Asked = dict[str, Any]


def _asked(parameters: Parameters) -> Asked:
    """Return what a record must be.

    Raises:
        BeffroiError: a box, a date or a list that cannot be read.
    """
    asked: Asked = {}
    for name in ("ids", "externalIds", "type", "q"):
        if name in parameters:
            values = [part.strip() for part in parameters[name].split(",") if part.strip()]
            if not values or len(values) > MAX_IDS:
                raise BadParameter(
                    "liste illisible",
                    where=name,
                    remedy="de 1 à {most} valeurs séparées par des virgules",
                    most=MAX_IDS,
                )
            asked[name] = values
    if "bbox" in parameters:
        asked["bbox"] = BBox.parsed(parameters["bbox"])
    if "datetime" in parameters:
        asked["datetime"] = period_of(parameters["datetime"])
    return asked


def _answers(seen: Seen, asked: Asked) -> bool:
    name = f"{seen.ref.territory}.{seen.ref.slug}"
    return (
        ("ids" not in asked or name in asked["ids"])
        and ("externalIds" not in asked or str(seen.ref) in asked["externalIds"])
        and ("type" not in asked or "dataset" in asked["type"])
        and ("q" not in asked or _speaks_of(seen, asked["q"]))
        and ("bbox" not in asked or _meets(seen.manifest.bbox, asked["bbox"]))
        and ("datetime" not in asked or _covers(seen, *asked["datetime"]))
    )


def _speaks_of(seen: Seen, terms: list[str]) -> bool:
    """Tell whether one of the terms (a comma is an « or ») is in the words of a record, its words side by side."""
    manifest = seen.manifest
    words = _folded(f"{manifest.title} {manifest.description} {manifest.theme} {manifest.producer} {seen.ref.slug}")
    return any(" ".join(_folded(term).split()) in words for term in terms)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(mark for mark in plain if not unicodedata.combining(mark)).split())


def _meets(one: BBox | None, other: BBox) -> bool:
    if one is None:
        return False
    if other.west > other.east:
        return _meets(one, other._replace(east=180.0)) or _meets(one, other._replace(west=-180.0))
    return one.west <= other.east and one.east >= other.west and one.south <= other.north and one.north >= other.south


def _covers(seen: Seen, start: datetime | None, end: datetime | None) -> bool:
    """Tell whether the period of a dataset meets the one asked for; a dataset without a period is of no time."""
    if seen.manifest.period is None:
        return False
    first, last = (datetime.fromisoformat(text[:10]).replace(tzinfo=UTC) for text in seen.manifest.period)
    last = last.replace(hour=23, minute=59, second=59)
    return (start is None or start <= last) and (end is None or end >= first)
