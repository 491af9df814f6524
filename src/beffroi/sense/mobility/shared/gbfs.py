"""Read GBFS as published, versions 2.x and 3.x: stations, what they have now, vehicles left in the street.

Source: MobilityData, General Bikeshare Feed Specification 2.3 and 3.0. Between the two, instants go from seconds to RFC
3339, names from text to a list by language, `bikes` become `vehicles`, and the discovery file loses its languages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from beffroi.base.kernel.errors import BeffroiError

DISCOVERY, STATIONS, STATUS, VEHICLES = "gbfs", "station_information", "station_status", "vehicle_status"
KINDS = (STATIONS, STATUS, VEHICLES)
_BEFORE_3 = {"free_bike_status": VEHICLES}
_ADDRESS = ("https://", "http://")


class BadGbfs(BeffroiError):
    """What a system of shared vehicles sent is no GBFS."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station: degrees (CRS84); `vehicles` and `docks` are those available now, None where nobody tells."""

    id: str
    name: str
    lon: float
    lat: float
    vehicles: int | None = None
    docks: int | None = None

    @property
    def lends(self) -> bool:
        return bool(self.vehicles)

    @property
    def takes_back(self) -> bool:
        return bool(self.docks)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle left in the street that one may take now (degrees, CRS84)."""

    id: str
    lon: float
    lat: float


def read(content: bytes, *, where: str) -> tuple[dict[str, Any], datetime | None]:
    """Return the `data` of a file and the instant it tells.

    Raises:
        BadGbfs: no JSON, or without `data`.
    """
    try:
        told = json.loads(content)
    except ValueError as error:
        raise BadGbfs("ce n'est pas du JSON", where=where, remedy="vérifiez l'adresse du flux GBFS") from error
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, dict):
        raise BadGbfs("pas de « data » : ce n'est pas du GBFS", where=where, remedy="vérifiez l'adresse du flux GBFS")
    return data, instant(told.get("last_updated"))


def instant(value: Any) -> datetime | None:
    """Return an instant of either version, None when it does not read.

    >>> instant(1740734700) == instant("2025-02-28T10:25:00+01:00"), instant("soon")
    (True, None)
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is not None else None
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def addresses(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the address of each file that is of use, from the discovery file; the first language of version 2."""
    feeds = data.get("feeds")
    if feeds is None:
        languages = [one for one in data.values() if isinstance(one, dict)]
        feeds = languages[0].get("feeds") if languages else None
    found: dict[str, str] = {}
    for one in _objects(feeds):
        kind, url = _BEFORE_3.get(str(one.get("name")), str(one.get("name"))), one.get("url")
        if kind in KINDS and isinstance(url, str) and url.startswith(_ADDRESS):
            found.setdefault(kind, url)
    return found


def stations(information: Mapping[str, Any], status: Mapping[str, Any] | None) -> tuple[Station, ...]:
    """Return the stations that are placed, with what they have now when `status` tells it."""
    now = {str(one.get("station_id")): one for one in _objects((status or {}).get("stations"))}
    found = []
    for one in _objects(information.get("stations")):
        place = _place(one)
        if place is not None:
            key = str(one.get("station_id"))
            found.append(Station(key, _text(one.get("name")) or key, *place, *_available(now.get(key))))
    return tuple(found)


def _available(told: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    """Return the vehicles one may take and the places where one may leave one: none at a station that is closed."""
    if told is None:
        return None, None
    there = told.get("is_installed") is not False
    vehicles = _count(told.get("num_vehicles_available", told.get("num_bikes_available")))
    docks = _count(told.get("num_docks_available"))
    if not there or told.get("is_renting") is False:
        vehicles = 0
    if not there or told.get("is_returning") is False:
        docks = 0
    return vehicles, docks


def vehicles(data: Mapping[str, Any]) -> tuple[Vehicle, ...]:
    """Return the vehicles left in the street that are neither reserved nor out of order."""
    found = []
    for one in _objects(data.get("vehicles", data.get("bikes"))):
        place = _place(one)
        taken = one.get("is_reserved") is True or one.get("is_disabled") is True or one.get("station_id") is not None
        if place is not None and not taken:
            found.append(Vehicle(str(one.get("vehicle_id", one.get("bike_id"))), *place))
    return tuple(found)


def _objects(told: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in told if isinstance(one, dict)) if isinstance(told, list) else iter(())


def _place(one: Mapping[str, Any]) -> tuple[float, float] | None:
    lon, lat = one.get("lon"), one.get("lat")
    numbers = all(isinstance(value, int | float) and math.isfinite(value) for value in (lon, lat))
    if lon is None or lat is None or not numbers or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return None
    return float(lon), float(lat)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(told: Any) -> str:
    """Return a name: a text, or the French one of a list by language, else the first."""
    if isinstance(told, str):
        return told
    texts = {str(one.get("language")): str(one.get("text") or "") for one in _objects(told)}
    return texts.get("fr") or next(iter(texts.values()), "")
