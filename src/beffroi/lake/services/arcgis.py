"""ArcGIS REST, FeatureServer and MapServer layers: `resultOffset`, until `exceededTransferLimit` is no longer said.

Source: ArcGIS REST API, « Query (Feature Service/Layer) ». Dates come as milliseconds since 1970: the description of
the layer tells which fields are dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from beffroi.lake.services.way import PAGE_ROWS, BadService, Layer, LayerNeeded, Way, asked_with, bare, rows_in

_SERVER = re.compile(r"(?P<root>.*/(?:Feature|Map)Server)(?:/(?P<layer>\d+))?(?:/query)?/?$", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def pages(way: Way, url: str, layer: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of features of a layer; that of the address, or the only one, when none is named."""
    found = _SERVER.match(urlsplit(url).path)
    if found is None:
        raise BadService(
            "adresse sans « FeatureServer » ni « MapServer »", where=url, remedy="copiez celle de la couche"
        )
    number = found["layer"] or layer
    if not number:
        known = _layers(_answer(way, asked_with(bare(url, found["root"]), {"f": "json"})))
        if len(known) != 1:
            raise LayerNeeded(known, where=url)
        number = known[0].name
    home = bare(url, f"{found['root']}/{number}")
    about = _answer(way, asked_with(home, {"f": "json"}))
    fields = [one for one in about.get("fields") or [] if isinstance(one, dict)]
    dates = [str(one.get("name")) for one in fields if one.get("type") == "esriFieldTypeDate"]
    key = about.get("objectIdField") or next(
        (one["name"] for one in fields if one.get("type") == "esriFieldTypeOID"), ""
    )
    ask: dict[str, Any] = {"where": "1=1", "outFields": "*", "outSR": 4326, "f": "geojson"}
    # What the address says itself (a condition, some fields) is kept.
    own = asked_with(f"{home}/query?{urlsplit(url).query}", {}, without=("f", "outSR", "resultOffset"))
    ask = {name: value for name, value in ask.items() if f"{name.lower()}=" not in own.lower()}
    most = min(PAGE_ROWS, int(about.get("maxRecordCount") or PAGE_ROWS))
    ask |= {"resultRecordCount": most} | ({"orderByFields": key} if key else {})
    start = 0
    while True:
        document = _answer(way, asked_with(own, ask | {"resultOffset": start}))
        features = rows_in(document, "features", home)
        yield [_dated(one, dates) for one in features]
        start += len(features)
        more = document.get("exceededTransferLimit") or (document.get("properties") or {}).get("exceededTransferLimit")
        if not features or not more:
            return


def _answer(way: Way, url: str) -> dict[str, Any]:
    """Return an answer; a fault comes with the status 200."""
    document = way.document(url)
    fault = document.get("error")
    if isinstance(fault, dict):
        raise BadService(
            "le service répond : {said}", where=url, remedy="vérifiez l’adresse, la couche et la clé d’accès",
            said=f"{fault.get('code', '')} {fault.get('message', '')}".strip()[:160],
        )  # fmt: skip
    return document


def _layers(document: dict[str, Any]) -> list[Layer]:
    both = [*(document.get("layers") or []), *(document.get("tables") or [])]
    return [Layer(str(one["id"]), str(one.get("name") or one["id"])) for one in both if "id" in one]


def _dated(feature: dict[str, Any], dates: list[str]) -> dict[str, Any]:
    told = feature.get("properties") or {}
    for name in dates:
        if isinstance(told.get(name), int | float):
            told[name] = (_EPOCH + timedelta(milliseconds=told[name])).isoformat()
    return feature
