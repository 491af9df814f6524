"""What happened to communes, people and rights, told to whoever subscribed, inside the transaction of the change.

The journal stands above this room: it subscribes at start and writes each event in the same transaction. An error
of a subscriber undoes the change: nothing happens here that the journal does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoryEvent:
    """`actor` is the person who did it, None for the command line. `territory` is empty for a person's account."""

    kind: ClassVar[str] = ""
    at: datetime
    actor: int | None
    territory: str = ""

    @property
    def subject(self) -> str:
        """Return what the event is about, like ``"territory:34172"``."""
        return f"territory:{self.territory}"

    def payload(self) -> dict[str, Any]:
        """Return the event's own facts, ready for JSON; no secret, no e-mail address."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if name not in ("at", "actor", "territory")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoryAdded(TerritoryEvent):
    kind: ClassVar[str] = "territory.added"
    name: str
    fictional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoryChanged(TerritoryEvent):
    kind: ClassVar[str] = "territory.changed"
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxReset(TerritoryEvent):
    kind: ClassVar[str] = "sandbox.reset"
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAdded(TerritoryEvent):
    kind: ClassVar[str] = "zone.added"
    zone: int
    zone_kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAdded(TerritoryEvent):
    kind: ClassVar[str] = "service.added"
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEvent(TerritoryEvent):
    person: int

    @property
    def subject(self) -> str:
        return f"person:{self.person}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCreated(PersonEvent):
    kind: ClassVar[str] = "person.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRenamed(PersonEvent):
    kind: ClassVar[str] = "person.renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDeactivated(PersonEvent):
    kind: ClassVar[str] = "person.deactivated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset(PersonEvent):
    kind: ClassVar[str] = "person.second_factor_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInvited(PersonEvent):
    kind: ClassVar[str] = "person.invited"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(PersonEvent):
    kind: ClassVar[str] = "role.granted"
    role: str
    services: tuple[str, ...] = ()
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(PersonEvent):
    kind: ClassVar[str] = "role.revoked"
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(TerritoryEvent):
    kind: ClassVar[str] = "api_key.created"
    key: int
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(TerritoryEvent):
    kind: ClassVar[str] = "api_key.revoked"
    key: int


Subscriber = Callable[[TerritoryEvent], None]
_subscribers: dict[str, Subscriber] = {}


def subscribe(name: str, subscriber: Subscriber) -> None:
    """Call `subscriber` with every event, inside its transaction. The same `name` replaces the former one."""
    _subscribers[name] = subscriber


def unsubscribe(name: str) -> None:
    """Forget the subscriber called `name`, if any."""
    _subscribers.pop(name, None)


def publish(event: TerritoryEvent) -> None:
    """Tell every subscriber, in the order they subscribed; called by operations inside their transaction."""
    for subscriber in list(_subscribers.values()):
        subscriber(event)
