"""SensorThings 1.1: the last measure of each datastream, or the observations that an address asks for.

Source: OGC 18-088 (SensorThings API part 1, 1.1), 9.3 ($expand, $orderby, $top) and 9.4.1 (`@iot.nextLink`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from beffroi.lake.services.way import PAGE_ROWS, BadService, Way, asked_with, bare, rows_in

_ROOT = re.compile(r"(?P<root>.*/v1\.[01])(?:/(?P<rest>.*))?$")
_LAST = {
    "$top": 200,
    "$expand": "Thing($expand=Locations),ObservedProperty,Observations($orderby=phenomenonTime desc;$top=1)",
}


def pages(way: Way, url: str, _layer: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the last measure of each datastream; the observations themselves where the address asks for them."""
    found = _ROOT.match(urlsplit(url).path.rstrip("/"))
    if found is None:
        raise BadService("adresse sans « /v1.1 »", where=url, remedy="copiez celle du service SensorThings")
    asks_observations = (found["rest"] or "").endswith("Observations")
    following = (
        asked_with(url, {"$top": PAGE_ROWS, "$orderby": "phenomenonTime asc"})
        if asks_observations
        else asked_with(bare(url, f"{found['root']}/Datastreams"), _LAST)
    )
    told = _observation if asks_observations else _datastream
    while following:
        document = way.document(following)
        rows = rows_in(document, "value", following)
        yield [told(one) for one in rows]
        link = document.get("@iot.nextLink")
        following = urljoin(following, str(link)) if link and rows else ""


def _observation(row: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"date": _moment(row), "valeur": row.get("result")}}


def _datastream(row: dict[str, Any]) -> dict[str, Any]:
    thing, unit = row.get("Thing") or {}, row.get("unitOfMeasurement") or {}
    last: dict[str, Any] = next(iter(row.get("Observations") or []), {})
    places = [one.get("location") for one in thing.get("Locations") or [] if isinstance(one, dict)]
    place = next((one for one in places if isinstance(one, dict)), None)
    return {
        "geometry": place.get("geometry", place) if place else None,
        "properties": {
            "mesure": row.get("name"), "lieu": thing.get("name"),
            "grandeur": (row.get("ObservedProperty") or {}).get("name"), "unite": unit.get("symbol"),
            "valeur": last.get("result"), "date": _moment(last),
        },
    }  # fmt: skip


def _moment(observation: dict[str, Any]) -> str | None:
    """Return when something was observed: the end of an interval."""
    said = observation.get("phenomenonTime") or observation.get("resultTime")
    return str(said).rpartition("/")[2] if said else None
