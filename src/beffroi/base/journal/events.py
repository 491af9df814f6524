"""What other rooms hear: recorded events, handed to named consumers after commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ANY = "*"


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of the journal, as consumers and the audit read it."""

    id: int
    at: datetime
    kind: str
    subject: str
    territory: str
    actor: int | None
    on_behalf_of: int | None
    payload: Mapping[str, Any]
    redacted: bool = False


Handler = Callable[[RecordedEvent], None]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A name that never changes (its deliveries carry it), the kinds it hears (`*`: all) and what it does."""

    name: str
    kinds: frozenset[str]
    handler: Handler

    def hears(self, kind: str) -> bool:
        return kind in self.kinds or ANY in self.kinds


@dataclass(slots=True)
class _Registry:
    consumers: dict[str, Consumer] = field(default_factory=dict)
    personal_keys: dict[str, frozenset[str]] = field(default_factory=dict)


_REGISTRY = _Registry()


def subscribe(name: str, kinds: Iterable[str], handler: Handler) -> None:
    """Have `handler` called with each event of `kinds` recorded from now on, whichever process records it.

    Call it from the ``ready()`` of the room's application, so that every process knows the same consumers. The handler
    runs in a worker, after commit, outside any transaction, at least once per event, in order for one subject (in no
    order between subjects): it must bear being called twice. When it raises, its subject waits and is tried again,
    later and later; other subjects go on. Subscribing a name again replaces it.
    """
    _REGISTRY.consumers[name] = Consumer(name, frozenset(kinds), handler)


def unsubscribe(name: str) -> None:
    """Forget the consumer `name`; what it has not handled stays in the outbox."""
    _REGISTRY.consumers.pop(name, None)


def consumers() -> tuple[Consumer, ...]:
    """Return the consumers this process knows."""
    return tuple(_REGISTRY.consumers.values())


def consumer(name: str) -> Consumer | None:
    """Return the consumer `name`, or None when this process does not know it."""
    return _REGISTRY.consumers.get(name)


def declare_personal(kind: str, *keys: str) -> None:
    """Say which keys of the payload of `kind` are personal: erasure strikes them out."""
    _REGISTRY.personal_keys[kind] = frozenset(keys)


def personal_keys(kind: str) -> frozenset[str]:
    """Return the keys of the payload of `kind` declared personal."""
    return _REGISTRY.personal_keys.get(kind, frozenset())


def kinds_with_personal_keys() -> frozenset[str]:
    """Return the kinds of events whose payload has keys declared personal."""
    return frozenset(_REGISTRY.personal_keys)
