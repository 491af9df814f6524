"""Add and change things, their sensors and their series. Every change and its event are one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import queries as territories
from beffroi.base.territory.engine import slug_of
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.live import events
from beffroi.sense.live.definition import ACCESSES, ACTIVE, KEPT_IN, SUSPENDED, BadSensor, UnknownStream
from beffroi.sense.live.intake import may_send
from beffroi.sense.live.models import Datastream, ObservedProperty, Sensor, Thing
from beffroi.sense.live.settings import settings_of

MOST_KEPT_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class ThingDraft:
    """Something that has sensors, and where it stands (CRS84 degrees)."""

    name: str
    lon: float
    lat: float
    description: str = ""
    address: str = ""
    service: str = ""
    access: str = KEPT_IN
    use_case: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class StreamDraft:
    """A series: what is observed (`property` its code, `property_name` its words), by what, in which unit."""

    property: str
    name: str = ""
    property_name: str = ""
    property_definition: str = ""
    property_description: str = ""
    sensor: str = ""
    sensor_description: str = ""
    sensor_encoding: str = "text/html"
    sensor_metadata: str = ""
    description: str = ""
    unit_name: str = ""
    unit_symbol: str = ""
    unit_definition: str = ""
    low: float | None = None
    high: float | None = None
    capacity: float | None = None
    every_s: int = 900
    keep_days: int = 400


@transaction.atomic
def add_thing(viewer: Viewer, territory: str, draft: ThingDraft, *, at: datetime) -> int:
    """Add a thing and return its number.

    Raises:
        Refused: the viewer gives no readings in this town.
        BadSensor: its name is empty, its place is no place, its readers or its use case are unknown.
    """
    _check(viewer, territory, draft.service)
    if not draft.name.strip():
        raise BadSensor("la chose n’a pas de nom", where="name", remedy="nommez-la comme les gens la nomment")
    if not (-180 <= draft.lon <= 180 and -90 <= draft.lat <= 90):
        raise BadSensor("ce n’est pas un lieu", where="location", remedy="longitude puis latitude, en degrés")
    if draft.access not in ACCESSES:
        raise BadSensor(
            "« {access} » ne dit pas qui peut lire", where="access", remedy="public ou agents", access=draft.access[:20]
        )
    if draft.service and draft.service not in {one.slug for one in territories.services(territory)}:
        raise BadSensor(
            "aucun service ne s’appelle « {service} »", where="service", remedy="prenez un service de la commune",
            service=draft.service[:50],
        )  # fmt: skip
    if draft.use_case and settings_of(draft.use_case) is None:
        raise BadSensor(
            "l’usage « {use_case} » ne lit aucun capteur", where="use_case", remedy="laissez vide, ou choisissez-en un",
            use_case=draft.use_case[:8],
        )  # fmt: skip
    row = Thing.objects.create(
        territory=territory, name=draft.name.strip()[:120], description=draft.description, address=draft.address[:200],
        lon=draft.lon, lat=draft.lat, service=draft.service, access=draft.access, use_case=draft.use_case,
        source=draft.source[:200], made_at=at,
    )  # fmt: skip
    record(
        kind=events.THING_ADDED, subject=f"thing:{row.pk}", payload={"name": row.name, "use_case": row.use_case},
        actor=viewer.person_id, territory=territory, at=at, new_subject=True,
    )  # fmt: skip
    return row.pk


@transaction.atomic
def add_stream(viewer: Viewer, thing: int, draft: StreamDraft) -> int:
    """Add a series to a thing and return its number; its property and its sensor are made when they are new.

    Raises:
        UnknownStream: no such thing, or not for this viewer.
        BadSensor: the property has no name, the range is upside down, a number is out of bounds.
    """
    row = own_thing(viewer, thing)
    code = slug_of(draft.property)[:60].strip("-")
    if not code:
        raise BadSensor("ce qui est mesuré n’a pas de nom", where="ObservedProperty", remedy="nommez-le : temperature")
    if draft.low is not None and draft.high is not None and draft.low >= draft.high:
        raise BadSensor("la plage commence après sa fin", where="low", remedy="donnez le plus petit d’abord")
    if not 1 <= draft.every_s <= 7 * 86_400:
        raise BadSensor(
            "le rythme attendu n’est pas possible", where="every_s", remedy="d’une seconde à sept jours, en secondes"
        )
    if not 1 <= draft.keep_days <= MOST_KEPT_DAYS:
        raise BadSensor("la durée de conservation n’est pas possible", where="keep_days", remedy="de 1 à 3660 jours")
    observed, _ = ObservedProperty.objects.get_or_create(
        territory=row.territory,
        code=code,
        defaults={
            "name": (draft.property_name or draft.property)[:120],
            "definition": draft.property_definition[:300],
            "description": draft.property_description,
        },
    )
    sensor, _ = Sensor.objects.get_or_create(
        territory=row.territory,
        name=(draft.sensor or "Capteur non décrit")[:120],
        defaults={
            "description": draft.sensor_description,
            "encoding_type": draft.sensor_encoding[:100],
            "metadata": draft.sensor_metadata,
        },
    )
    made = Datastream.objects.create(
        thing=row, sensor=sensor, property=observed, name=(draft.name or f"{observed.name}, {row.name}")[:160],
        description=draft.description, unit_name=draft.unit_name[:60], unit_symbol=draft.unit_symbol[:20],
        unit_definition=draft.unit_definition[:300], low=draft.low, high=draft.high, capacity=draft.capacity,
        every_s=draft.every_s, keep_days=draft.keep_days,
    )  # fmt: skip
    return made.pk


@transaction.atomic
def suspend_thing(viewer: Viewer, thing: int, *, at: datetime) -> None:
    """Listen no more to a thing: its readings are refused, its pages say it is suspended; nothing is lost."""
    _turn(viewer, thing, SUSPENDED, at)


@transaction.atomic
def resume_thing(viewer: Viewer, thing: int, *, at: datetime) -> None:
    """Listen to a thing again."""
    _turn(viewer, thing, ACTIVE, at)


def _turn(viewer: Viewer, thing: int, state: str, at: datetime) -> None:
    row = own_thing(viewer, thing)
    if row.state == state:
        return
    row.state = state
    row.save(update_fields=["state"])
    record(
        kind=events.THING_CHANGED, subject=f"thing:{row.pk}", payload={"state": state}, actor=viewer.person_id,
        territory=row.territory, at=at,
    )  # fmt: skip


def own_thing(viewer: Viewer, thing: int) -> Thing:
    """Return the row of a thing that this viewer may change.

    Raises:
        UnknownStream: no such thing, or not for this viewer.
    """
    row = Thing.objects.filter(pk=thing).first()
    if row is None or not may_send(viewer, row.territory, row.service):
        raise UnknownStream(
            "aucun capteur n’a le numéro {number}, ou pas pour vous",
            where=f"Things({thing})",
            remedy="seuls le changent son service et l’administration de la commune",
            number=thing,
        )
    return row


def _check(viewer: Viewer, territory: str, service: str) -> None:
    if not may_send(viewer, territory, service):
        raise Refused(
            "vous ne pouvez pas ajouter de capteur ici",
            where=territory,
            remedy="il faut être agent de son service, ou une clé qui a le droit d’envoyer des mesures",
        )
