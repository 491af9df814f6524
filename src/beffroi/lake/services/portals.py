"""Portals of open data: CKAN (a package, its resource, its datastore) and Opendatasoft (Explore 2.1, whole exports).

Source: CKAN API guide (action API 3, `datastore_search`); Opendatasoft Explore API 2.1, « Export records ».
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from beffroi.lake.services.way import (
    PAGE_ROWS,
    BadService,
    Layer,
    LayerNeeded,
    Way,
    asked_with,
    bare,
    parameter,
    rows_in,
)

_PACKAGE = re.compile(
    r"(?P<root>.*?)(?:/[a-z]{2}(?:_[A-Z]{2})?)?/dataset/(?P<package>[^/]+)(?:/resource/(?P<resource>[^/]+))?"
)
_ACTION = re.compile(r"(?P<root>.*?)/api/(?:3/)?action/(?P<action>\w+)")
_ODS = re.compile(r"(?P<root>.*?)/(?:explore/dataset|api/explore/v2\.\d/catalog/datasets)/(?P<dataset>[^/]+)")


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that gives all the rows at once, and the name it takes."""

    url: str
    name: str


def ckan(way: Way, url: str, layer: str) -> Iterator[list[dict[str, Any]] | Whole]:
    """Yield the rows of a resource, page by page where the portal holds them as a table, else the file it is."""
    path = urlsplit(url).path
    found = _PACKAGE.match(path) or _ACTION.match(path)
    if found is None:
        raise BadService("adresse sans « /dataset/ »", where=url, remedy="copiez celle de la page du jeu de données")
    named = found.groupdict()
    action = bare(url, f"{named['root']}/api/3/action/")
    wanted = layer or named.get("resource") or parameter(url, "resource_id")
    if not wanted and named.get("action") == "resource_show":
        wanted = parameter(url, "id")
    if not wanted:
        package = named.get("package") or parameter(url, "id")
        known = _resources(_result(way, asked_with(urljoin(action, "package_show"), {"id": package})), url)
        if len(known) != 1:
            raise LayerNeeded(known, where=url)
        wanted = known[0].name
    resource = _result(way, asked_with(urljoin(action, "resource_show"), {"id": wanted}))
    if not resource.get("datastore_active"):
        address = urljoin(url, str(resource.get("url") or ""))
        yield Whole(address, name_of(address, str(resource.get("format") or "")))
        return
    start = 0
    while True:
        ask = {"resource_id": wanted, "limit": PAGE_ROWS, "offset": start, "sort": "_id"}
        result = _result(way, asked_with(urljoin(action, "datastore_search"), ask))
        rows = rows_in(result, "records", url)
        # `_id` numbers the rows of the portal, and changes with each of its loads.
        yield [{"properties": {name: value for name, value in row.items() if name != "_id"}} for row in rows]
        start += len(rows)
        total = result.get("total")
        if not rows or (isinstance(total, int) and start >= total):
            return


def _result(way: Way, url: str) -> dict[str, Any]:
    document = way.document(url)
    result = document.get("result")
    if document.get("success") is not True or not isinstance(result, dict):
        said = document.get("error") or {}
        raise BadService(
            "le portail répond : {said}", where=url, remedy="vérifiez l’adresse et la clé d’accès",
            said=str(said.get("message") if isinstance(said, dict) else said)[:160],
        )  # fmt: skip
    return result


def _resources(package: dict[str, Any], url: str) -> list[Layer]:
    return [
        Layer(str(one["id"]), " — ".join(str(one[key]) for key in ("name", "format") if one.get(key)))
        for one in rows_in(package, "resources", url)
        if one.get("id")
    ]


def opendatasoft(way: Way, url: str, layer: str) -> Iterator[list[dict[str, Any]] | Whole]:
    """Yield the export of a dataset: GeoJSON where its rows have a place, else CSV."""
    found = _ODS.match(urlsplit(url).path)
    if found is None and not layer:
        raise BadService("adresse sans jeu de données", where=url, remedy="copiez celle de sa page, sur le portail")
    dataset = found["dataset"] if found else layer
    root = found["root"] if found else ""
    home = bare(url, f"{root}/api/explore/v2.1/catalog/datasets/{quote(dataset, safe='@')}")
    about = way.document(home)
    if "dataset_id" not in about:
        raise BadService(
            "le portail répond : {said}", where=home, remedy="vérifiez l’adresse",
            said=str(about.get("message") or about.get("error_code") or "")[:160],
        )  # fmt: skip
    query = urlsplit(url).query
    kind = "geojson" if "geo" in (about.get("features") or []) else "csv"
    export = f"{home}/exports/{kind}" + (f"?{query}" if query and found and "/api/" in url else "")
    params = {"lang": "fr"} if kind == "geojson" else {"lang": "fr", "delimiter": ";"}
    if way.bounds.most_rows is not None:
        params["limit"] = str(way.bounds.most_rows)
    yield Whole(asked_with(export, params), f"{dataset}.{kind}")


def name_of(url: str, kind: str = "") -> str:
    """Return the name that the file of an address takes.

    >>> name_of("https://a.example/x/arbres.csv?v=2"), name_of("https://a.example/export", "GeoJSON")
    ('arbres.csv', 'export.geojson')
    """
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", urlsplit(url).path.rstrip("/").rpartition("/")[2]).strip(".-")[:80]
    suffix = re.sub(r"[^a-z0-9]", "", kind.lower())
    return (last or "source") + ("" if "." in last or not suffix else f".{suffix}")
