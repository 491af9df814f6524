"""WFS 2.0: `count` and `startIndex`, in the JSON that most servers speak.

Source: OGC 09-025r2 (WFS 2.0.2), 7.6.3.4 (startIndex, count) and 7.7.4.2 (numberMatched, numberReturned).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from beffroi.lake.services.way import (
    PAGE_ROWS,
    BadService,
    Layer,
    LayerNeeded,
    Way,
    asked_with,
    local,
    parameter,
    rows_in,
    xml,
)

_ITS_OWN = (
    "service", "version", "request", "typename", "typenames", "outputformat", "srsname", "count", "maxfeatures",
    "startindex", "acceptversions",
)  # fmt: skip


def pages(way: Way, url: str, layer: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of features of a layer; that of the address, or the only one, when none is named."""
    base = asked_with(url, {}, without=_ITS_OWN)
    root = xml(way.text(asked_with(base, {"service": "WFS", "version": "2.0.0", "request": "GetCapabilities"})), url)
    known = _layers(root)
    wanted = layer or parameter(url, "typenames", "typename") or (known[0].name if len(known) == 1 else "")
    if not wanted:
        raise LayerNeeded(known, where=url)
    ask = {
        "service": "WFS", "version": "2.0.0", "request": "GetFeature", "typeNames": wanted,
        "outputFormat": _json_of(root, url), "srsName": "EPSG:4326", "count": PAGE_ROWS,
    }  # fmt: skip
    start = 0
    while True:
        document = way.document(asked_with(base, ask | {"startIndex": start}))
        found = rows_in(document, "features", url)
        _check_projection(document, url)
        yield found
        start += len(found)
        total = document.get("numberMatched", document.get("totalFeatures"))
        # A server may give fewer than asked: the total alone tells the end, or a page that is empty.
        if not found or (isinstance(total, int) and start >= total):
            return


def _check_projection(document: dict[str, Any], url: str) -> None:
    crs = document.get("crs")
    name = str((crs.get("properties") or {}).get("name", "")) if isinstance(crs, dict) else ""
    if name and "4326" not in name and "CRS84" not in name:
        raise BadService(
            "le service répond en « {crs} », non en longitudes et latitudes", where=url,
            remedy="demandez à qui le publie d’ouvrir EPSG:4326, ou branchez l’adresse d’un fichier", crs=name[:60],
        )  # fmt: skip


def _layers(root: Any) -> list[Layer]:
    found = []
    for kind in (one for one in root.iter() if local(one.tag) == "FeatureType"):
        said = {local(part.tag): (part.text or "").strip() for part in kind}
        if said.get("Name"):
            found.append(Layer(said["Name"], said.get("Title") or said["Name"]))
    return found


def _json_of(root: Any, url: str) -> str:
    """Return the name that a server gives to its GeoJSON."""
    operations = (one for one in root.iter() if local(one.tag) == "Operation" and one.get("name") == "GetFeature")
    values = [
        (value.text or "").strip()
        for operation in operations
        for parameter_ in operation
        if (parameter_.get("name") or "").lower() == "outputformat"
        for value in parameter_.iter()
        if local(value.tag) == "Value"
    ]
    spoken = [one for one in values if "json" in one.lower() and "jsonp" not in one.lower()]
    if values and not spoken:
        raise BadService(
            "ce service WFS ne donne pas de GeoJSON", where=url,
            remedy="demandez-le à qui le publie, ou branchez l’adresse d’un fichier",
        )  # fmt: skip
    # « application/json » is the name that GeoServer, QGIS and deegree share.
    return "application/json" if not spoken or "application/json" in spoken else spoken[0]
