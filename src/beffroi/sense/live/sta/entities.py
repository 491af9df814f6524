"""The eight entities of SensorThings: their properties, how each is asked of the registry, and how they are linked.

A thing of this house stands at one place and does not move: its Location, its HistoricalLocation and the
FeatureOfInterest of its readings bear its own number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import models

from beffroi.sense.live.definition import MARKED, instant
from beffroi.sense.live.models import Datastream, Observation, ObservedProperty, Sensor, Thing

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
GEOJSON = "application/geo+json"
TEXT, NUMBER, MILLISECONDS, INSTANT = "text", "number", "milliseconds", "instant"


@dataclass(frozen=True, slots=True)
class Column:
    """A property that may be compared and sorted by: its name in the registry and its kind."""

    path: str
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Link:
    """A navigation from one entity to another.

    `path` leads to it in a comparison; rows of the other side are those whose `theirs` is the `ours` of this side.
    """

    entity: str
    many: bool
    path: str
    theirs: str = "pk"
    ours: str = "pk"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity set."""

    name: str
    single: str
    model: type[models.Model]
    to_thing: str
    shown: Callable[[Any], dict[str, Any]]
    columns: Mapping[str, Column] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    related: tuple[str, ...] = ()


def written(at: datetime) -> str:
    """Return an instant as the standard writes it.

    >>> written(datetime(2026, 3, 1, 8, tzinfo=UTC))
    '2026-03-01T08:00:00.000Z'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place(row: Thing) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [row.lon, row.lat]}


def _thing(row: Thing) -> dict[str, Any]:
    told = {"service": row.service, "use_case": row.use_case, "source": row.source, "access": row.access}
    properties = {key: value for key, value in told.items() if value}
    return {"name": row.name, "description": row.description, "properties": properties | {"state": row.state}}


def _location(row: Thing) -> dict[str, Any]:
    return {
        "name": row.address or row.name, "description": row.address, "encodingType": GEOJSON, "location": _place(row),
    }  # fmt: skip


def _feature(row: Thing) -> dict[str, Any]:
    return {"name": row.name, "description": row.description, "encodingType": GEOJSON, "feature": _place(row)}


def _sensor(row: Sensor) -> dict[str, Any]:
    return {
        "name": row.name, "description": row.description, "encodingType": row.encoding_type, "metadata": row.metadata,
    }  # fmt: skip


def _datastream(row: Datastream) -> dict[str, Any]:
    told = {"low": row.low, "high": row.high, "capacity": row.capacity, "level": row.level or None}
    properties = {key: value for key, value in told.items() if value is not None}
    return {
        "name": row.name,
        "description": row.description,
        "observationType": MEASUREMENT,
        "unitOfMeasurement": {
            "name": row.unit_name or None, "symbol": row.unit_symbol or None, "definition": row.unit_definition or None,
        },
        "observedArea": _place(row.thing),
        "properties": properties | {"every_s": row.every_s, "keep_days": row.keep_days},
    }  # fmt: skip


def _observation(row: Observation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "phenomenonTime": written(instant(row.at_ms)), "result": row.result, "resultTime": None,
    }  # fmt: skip
    if row.quality == MARKED:
        shown["resultQuality"] = "out-of-range"
    return shown


_NAMED = {"id": Column("pk", NUMBER), "name": Column("name"), "description": Column("description")}
ENTITIES: dict[str, Entity] = {
    one.name: one
    for one in (
        Entity(
            "Things", "Thing", Thing, "", _thing, _NAMED,
            {
                "Locations": Link("Locations", True, ""),
                "HistoricalLocations": Link("HistoricalLocations", True, ""),
                "Datastreams": Link("Datastreams", True, "streams__", theirs="thing_id"),
            },
        ),
        Entity(
            "Locations", "Location", Thing, "", _location, _NAMED,
            {
                "Things": Link("Things", True, ""),
                "HistoricalLocations": Link("HistoricalLocations", True, ""),
            },
        ),
        Entity(
            "HistoricalLocations", "HistoricalLocation", Thing, "",
            lambda row: {"time": written(row.made_at)},
            {"id": Column("pk", NUMBER), "time": Column("made_at", INSTANT)},
            {"Thing": Link("Things", False, ""), "Locations": Link("Locations", True, "")},
        ),
        Entity(
            "Sensors", "Sensor", Sensor, "streams__thing__", _sensor,
            {**_NAMED, "encodingType": Column("encoding_type"), "metadata": Column("metadata")},
            {"Datastreams": Link("Datastreams", True, "", theirs="sensor_id")},
        ),
        Entity(
            "ObservedProperties", "ObservedProperty", ObservedProperty, "streams__thing__",
            lambda row: {"name": row.name, "definition": row.definition, "description": row.description,
                         "properties": {"code": row.code}},
            {**_NAMED, "definition": Column("definition"), "properties/code": Column("code")},
            {"Datastreams": Link("Datastreams", True, "", theirs="property_id")},
        ),
        Entity(
            "Datastreams", "Datastream", Datastream, "thing__", _datastream,
            {**_NAMED, "unitOfMeasurement/name": Column("unit_name"), "unitOfMeasurement/symbol": Column("unit_symbol"),
             "properties/level": Column("level")},
            {
                "Thing": Link("Things", False, "thing__", ours="thing_id"),
                "Sensor": Link("Sensors", False, "sensor__", ours="sensor_id"),
                "ObservedProperty": Link("ObservedProperties", False, "property__", ours="property_id"),
                "Observations": Link("Observations", True, "", theirs="datastream_id"),
            },
            related=("thing",),
        ),
        Entity(
            "Observations", "Observation", Observation, "datastream__thing__", _observation,
            {"id": Column("pk", NUMBER), "result": Column("result", NUMBER),
             "phenomenonTime": Column("at_ms", MILLISECONDS)},
            {
                "Datastream": Link("Datastreams", False, "datastream__", ours="datastream_id"),
                "FeatureOfInterest": Link(
                    "FeaturesOfInterest", False, "datastream__thing__", ours="datastream.thing_id"
                ),
            },
            related=("datastream",),
        ),
        Entity(
            "FeaturesOfInterest", "FeatureOfInterest", Thing, "", _feature, _NAMED,
            {"Observations": Link("Observations", True, "", theirs="datastream__thing_id")},
        ),
    )
}  # fmt: skip
"""By the name of the set. A link without `path` to another table cannot be compared through: from a sensor that two
series share, it would tell of the one that this reader may not read."""
