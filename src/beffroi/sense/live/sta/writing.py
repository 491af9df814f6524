"""What is sent: readings one by one or in arrays, and things with their series (deep insert), by who may send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.live.definition import KEPT_IN, BadReading, BadSensor, Reading, ms_of
from beffroi.sense.live.intake import MOST_AT_ONCE, receive
from beffroi.sense.live.models import Observation, ObservedProperty, Sensor
from beffroi.sense.live.sensors import StreamDraft, ThingDraft, add_stream, add_thing, own_thing
from beffroi.sense.live.sta.asked import NothingThere, steps_of
from beffroi.sense.live.sta.reading import Reader, found_entity, link_to

_CHUNK = 5_000


class BadBody(BeffroiError):
    """What is sent is not what the standard describes; the message says where."""


class NotMade(BeffroiError):
    """This entity is not made by itself."""

    http_status = 405


@dataclass(frozen=True, slots=True)
class Made:
    """An entity made, or a reading that was known already."""

    entity: str
    number: int


def create(reader: Reader, path: str, body: Any, *, at: datetime) -> Made:
    """Make what is sent to a collection; all of it, or nothing.

    Raises:
        BadBody, BadSensor, BadReading: what is sent cannot be.
        NothingThere, UnknownStream: what it belongs to is not there, or not for this sender.
    """
    steps = steps_of(path)
    if not isinstance(body, dict):
        raise BadBody("le corps n’est pas un objet JSON", where=path[:60], remedy="envoyez { … }")
    with transaction.atomic():
        match [(step.name, step.number) for step in steps]:
            case [("Observations", None)]:
                return _observation(reader, _link(body, "Datastream"), body, at)
            case [("Datastreams", int(number)), ("Observations", None)]:
                return _observation(reader, number, body, at)
            case [("Things", None)]:
                return _thing(reader, body, at)
            case [("Datastreams", None)]:
                return _datastream(reader, _link(body, "Thing"), body, at)
            case [("Things", int(number)), ("Datastreams", None)]:
                return _datastream(reader, number, body, at)
    raise NotMade(
        "rien ne se crée à cette adresse", where=path[:60],
        remedy="envoyez à Observations, CreateObservations, Datastreams ou Things ; un lieu, un capteur, une propriété "
        "se donnent avec la chose et la série",
    )  # fmt: skip


def create_observations(reader: Reader, body: Any, *, at: datetime) -> list[str]:
    """Keep the readings of arrays, and return for each its address, or « error » and why it was refused.

    Raises:
        BadBody: the arrays themselves cannot be read: nothing is kept.
    """
    if not isinstance(body, list):
        raise BadBody("le corps n’est pas une liste", where="CreateObservations", remedy="envoyez [ { … } ]")
    readings: list[Reading | BeffroiError] = []
    for group in body:
        readings.extend(_array(group, at))
        if len(readings) > MOST_AT_ONCE:
            raise BadBody(
                "plus de {most} mesures d’un coup", where="dataArray", remedy="envoyez-les en plusieurs fois",
                most=MOST_AT_ONCE,
            )  # fmt: skip
    good = [one for one in readings if isinstance(one, Reading)]
    receipt = receive(reader.viewer, good, at=at)
    numbers = _numbers(good)
    faults: dict[int, BeffroiError] = dict(receipt.refused)
    told, rank = [], -1
    for one in readings:
        if isinstance(one, BeffroiError):
            told.append(f"error: {one}")
            continue
        rank += 1
        fault = faults.get(rank)
        key = numbers.get((one.stream, ms_of(one.at)))
        told.append(f"error: {fault}" if fault or key is None else link_to(reader, "Observations", key))
    return told


def _array(group: Any, at: datetime) -> list[Reading | BeffroiError]:
    if not isinstance(group, dict) or not isinstance(group.get("dataArray"), list):
        raise BadBody("il manque « dataArray »", where="CreateObservations", remedy="Datastream, components, dataArray")
    stream, names = _link(group, "Datastream"), group.get("components")
    if not isinstance(names, list) or "result" not in names:
        raise BadBody("il manque « result »", where="components", remedy='écrivez ["phenomenonTime", "result"]')
    found: list[Reading | BeffroiError] = []
    for row in group["dataArray"]:
        if not isinstance(row, list) or len(row) != len(names):
            raise BadBody(
                "une ligne n’a pas {n} valeurs", where="dataArray", remedy="autant que de components", n=len(names)
            )
        try:
            found.append(_reading(stream, dict(zip(map(str, names), row, strict=True)), at))
        except BeffroiError as fault:
            found.append(fault)
    return found


def _numbers(readings: Sequence[Reading]) -> dict[tuple[int, int], int]:
    """Return the number of each reading kept, by its series and its instant."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for one in readings:
        wanted[one.stream].append(ms_of(one.at))
    found: dict[tuple[int, int], int] = {}
    for stream, instants in wanted.items():
        for start in range(0, len(instants), _CHUNK):
            rows = Observation.objects.filter(datastream_id=stream, at_ms__in=instants[start : start + _CHUNK])
            found |= {(stream, ms): key for key, ms in rows.order_by("pk").values_list("pk", "at_ms")}
    return found


def _observation(reader: Reader, stream: int, body: Mapping[str, Any], at: datetime) -> Made:
    reading = _reading(stream, body, at)
    receipt = receive(reader.viewer, [reading], at=at)
    if 0 in receipt.refused:
        raise receipt.refused[0]
    return Made("Observations", _numbers([reading])[stream, ms_of(reading.at)])


def _reading(stream: int, body: Mapping[str, Any], at: datetime) -> Reading:
    result = body.get("result")
    if isinstance(result, bool) or not isinstance(result, (int, float)) or abs(result) > 1e300:
        raise BadReading(
            "le résultat n’est pas un nombre", where="result", remedy="envoyez un nombre, sans apostrophes ni unité"
        )
    return Reading(stream, _instant(body.get("phenomenonTime"), at), float(result))


def _instant(value: Any, at: datetime) -> datetime:
    if value is None:
        # The standard: without one, it is when the server received it. To the millisecond, as it is kept.
        return at
    try:
        found = datetime.fromisoformat(str(value))
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadReading(
            "l’instant « {value} » ne se lit pas", where="phenomenonTime", value=str(value)[:40],
            remedy="un instant et son décalage, comme 2026-03-01T08:00:00Z ; pas un intervalle",
        ) from None  # fmt: skip


def _link(body: Mapping[str, Any], name: str) -> int:
    """Return the number of what an entity is linked to."""
    given = body.get(name)
    number = given.get("@iot.id") if isinstance(given, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 18:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**62:
        raise BadBody("il manque son numéro", where=name, remedy='écrivez { "@iot.id": 3 }')
    return number


# --- Deep insert -----------------------------------------------------------------------------------------------------


def _thing(reader: Reader, body: Mapping[str, Any], at: datetime) -> Made:
    places = body.get("Locations")
    place = places[0] if isinstance(places, list) and len(places) == 1 else places
    if not isinstance(place, dict):
        raise BadBody(
            "il manque son lieu",
            where="Locations",
            remedy="une Location, un point GeoJSON ; une chose n’en a qu’un ici",
        )
    lon, lat = _point(place.get("location"))
    told = _object(body, "properties")
    draft = ThingDraft(
        name=_text(body, "name", 120), lon=lon, lat=lat, description=_text(body, "description", 2_000),
        address=_text(place, "name", 200), service=_text(told, "service", 50), source=_text(told, "source", 200),
        access=_text(told, "access", 10) or KEPT_IN, use_case=_text(told, "use_case", 8),
    )  # fmt: skip
    number = add_thing(reader.viewer, reader.territory, draft, at=at)
    for one in _list(body, "Datastreams"):
        _datastream(reader, number, one, at)
    return Made("Things", number)


def _datastream(reader: Reader, thing: int, body: Mapping[str, Any], at: datetime) -> Made:
    if own_thing(reader.viewer, thing).territory != reader.territory:
        raise NothingThere("rien de tel, ou pas pour vous", where=f"Things({thing})", remedy="une chose de la commune")
    unit, told = _object(body, "unitOfMeasurement"), _object(body, "properties")
    every, keep = _number(told, "every_s"), _number(told, "keep_days")
    draft = StreamDraft(
        **_observed(reader, body),
        **_sensor(reader, body),
        name=_text(body, "name", 160),
        description=_text(body, "description", 2_000),
        unit_name=_text(unit, "name", 60),
        unit_symbol=_text(unit, "symbol", 20),
        unit_definition=_text(unit, "definition", 300),
        low=_number(told, "low"),
        high=_number(told, "high"),
        capacity=_number(told, "capacity"),
        every_s=900 if every is None else int(every),
        keep_days=400 if keep is None else int(keep),
    )
    number = add_stream(reader.viewer, thing, draft)
    for one in _list(body, "Observations"):
        _observation(reader, number, one, at)
    return Made("Datastreams", number)


def _observed(reader: Reader, body: Mapping[str, Any]) -> dict[str, Any]:
    given = _object(body, "ObservedProperty")
    if "@iot.id" in given:
        known: ObservedProperty = found_entity(reader, "ObservedProperties", _link(body, "ObservedProperty"))
        return {"property": known.code}
    name = _text(given, "name", 120)
    code = _text(_object(given, "properties"), "code", 60) or name
    if not code:
        raise BadBody("il manque ce qui est mesuré", where="ObservedProperty", remedy='{ "name": "Température" }')
    return {
        "property": code, "property_name": name or code, "property_definition": _text(given, "definition", 300),
        "property_description": _text(given, "description", 2_000),
    }  # fmt: skip


def _sensor(reader: Reader, body: Mapping[str, Any]) -> dict[str, Any]:
    given = _object(body, "Sensor")
    if "@iot.id" in given:
        known: Sensor = found_entity(reader, "Sensors", _link(body, "Sensor"))
        return {"sensor": known.name}
    return {
        "sensor": _text(given, "name", 120), "sensor_description": _text(given, "description", 2_000),
        "sensor_encoding": _text(given, "encodingType", 100) or "text/html",
        "sensor_metadata": _text(given, "metadata", 2_000),
    }  # fmt: skip


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name) or {}
    if not isinstance(found, dict):
        raise BadBody("ce n’est pas un objet JSON", where=name, remedy="écrivez { … }")
    return found


def _list(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or len(found) > 1_000:
        raise BadBody("ce n’est pas une liste d’au plus mille objets", where=name, remedy="écrivez [ { … } ]")
    return found


def _text(body: Mapping[str, Any], name: str, most: int) -> str:
    found = body.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > most or "\x00" in found:
        raise BadBody("ce n’est pas un texte d’au plus {most} caractères", where=name, remedy="corrigez-le", most=most)
    return found


def _number(body: Mapping[str, Any], name: str) -> float | None:
    found = body.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or abs(found) > 1e15:
        raise BadBody("ce n’est pas un nombre", where=name, remedy="écrivez-le sans apostrophes")
    return float(found)


def _point(value: Any) -> tuple[float, float]:
    where = value.get("coordinates") if isinstance(value, dict) and value.get("type") == "Point" else None
    good = isinstance(where, list) and len(where) in (2, 3)
    if not good or not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in where or ()):
        raise BadSensor(
            "le lieu n’est pas un point GeoJSON", where="Locations/location",
            remedy='{ "type": "Point", "coordinates": [3.88, 43.61] } : longitude puis latitude',
        )  # fmt: skip
    lon, lat = (float(one) for one in (where or [])[:2])
    return lon, lat
