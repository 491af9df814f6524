"""Read the journal: the audit of administrators, what waits in the outbox, whether a worker lives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.models import Delivery, Event, WorkerBeat
from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.territory import queries as territory
from beffroi.base.territory.viewer import Role, Viewer

PAGE = 50
# A worker beats every few seconds; after this long without a beat it is taken for dead.
ALIVE = timedelta(seconds=60)


class AuditRefused(Refused):
    """The audit is for administrators."""


class EventNotFound(NotFound):
    """No such event, or none this administrator may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What to keep; an empty field keeps all. `until` is excluded. A `kind` ending with ``.`` keeps its family."""

    subject: str = ""
    kind: str = ""
    person: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, the newest first; `before` is the cursor of the following page, None on the last one."""

    events: tuple[RecordedEvent, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class WaitingDelivery:
    """One event one consumer could not be handed yet."""

    id: int
    event: RecordedEvent
    consumer: str
    attempts: int
    next_at: datetime
    last_error: str
    dead: bool


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """For `/health`: whether a worker lives, how many deliveries wait or gave up, since when one is due."""

    last_beat: datetime | None
    alive: bool
    waiting: int
    dead: int
    oldest_due: datetime | None


def audited_territories(viewer: Viewer) -> frozenset[str]:
    """Return the codes of the territories whose journal `viewer` may read: those she administers.

    Events of no territory (accounts, retention) are read by whoever administers every commune of the installation;
    then the set holds the empty code too.

    Raises:
        AuditRefused: she administers nothing, or comes with an API key: the audit is for people.
    """
    codes = {grant.territory for grant in viewer.grants if grant.role == Role.ADMINISTRATOR}
    if not codes or viewer.scopes is not None:
        raise AuditRefused("le journal est réservé aux administrateurs", remedy="demandez ce rôle à votre commune")
    if codes >= {commune.code for commune in territory.communes()}:
        codes.add("")
    return frozenset(codes)


def events(
    viewer: Viewer, chosen: EventFilter | None = None, *, before: int | None = None, limit: int = PAGE
) -> EventPage:
    """Return a page of the events `viewer` may read, the newest first.

    Args:
        before: the cursor of the page, taken from the page that precedes.
        limit: events per page, from 1 to 1000.

    Raises:
        AuditRefused: the viewer is no administrator.
    """
    limit = max(1, min(limit, 1000))
    found = _chosen(viewer, chosen or EventFilter())
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = [event.recorded() for event in found.order_by("-pk")[: limit + 1]]
    return EventPage(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


def all_events(viewer: Viewer, chosen: EventFilter | None = None) -> Iterator[RecordedEvent]:
    """Yield every event `viewer` may read, the newest first, page by page: memory stays flat.

    Raises:
        AuditRefused: the viewer is no administrator; raised by the call, before the first event is asked for.
    """
    first = events(viewer, chosen, limit=1000)

    def following() -> Iterator[RecordedEvent]:
        page = first
        while True:
            yield from page.events
            if page.before is None:
                return
            page = events(viewer, chosen, before=page.before, limit=1000)

    return following()


def event(viewer: Viewer, event_id: int) -> RecordedEvent:
    """Return one event.

    Raises:
        AuditRefused: the viewer is no administrator.
        EventNotFound: there is none, or it is of a territory she does not administer.
    """
    found = _chosen(viewer, EventFilter()).filter(pk=event_id).first()
    if found is None:
        raise EventNotFound("aucun événement n° {number}", remedy="vérifiez le numéro", number=event_id)
    return found.recorded()


def event_kinds(viewer: Viewer) -> list[str]:
    """Return the kinds that occur among the events `viewer` may read, sorted."""
    codes = audited_territories(viewer)
    return sorted(Event.objects.filter(territory__in=codes).order_by().values_list("kind", flat=True).distinct())


def waiting_deliveries(viewer: Viewer, *, limit: int = 200) -> list[WaitingDelivery]:
    """Return the deliveries that failed at least once, those given up first.

    Raises:
        AuditRefused: the viewer is no administrator.
    """
    codes = audited_territories(viewer)
    failed = Delivery.objects.filter(event__territory__in=codes, attempts__gt=0).select_related("event")
    return [
        WaitingDelivery(
            id=int(row.pk),
            event=row.event.recorded(),
            consumer=row.consumer,
            attempts=row.attempts,
            next_at=row.next_at,
            last_error=row.last_error,
            dead=row.state == Delivery.DEAD,
        )
        # "dead" sorts before "pending".
        for row in failed.order_by("state", "next_at", "pk")[:limit]
    ]


def delivery_of(viewer: Viewer, delivery_id: int) -> int:
    """Return `delivery_id` when `viewer` may act on it.

    Raises:
        AuditRefused: the viewer is no administrator.
        EventNotFound: it was made meanwhile, or is of a territory she does not administer.
    """
    codes = audited_territories(viewer)
    if not Delivery.objects.filter(pk=delivery_id, event__territory__in=codes).exists():
        raise EventNotFound("cette livraison n'attend plus", remedy="rechargez la page : elle a sans doute abouti")
    return delivery_id


def worker_health(*, at: datetime) -> WorkerHealth:
    """Return whether a worker has given a sign of life lately and what waits for it."""
    beat = WorkerBeat.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
    counts = Delivery.objects.aggregate(
        waiting=Count("pk", filter=Q(state=Delivery.PENDING)),
        dead=Count("pk", filter=Q(state=Delivery.DEAD)),
        oldest=Min("next_at", filter=Q(state=Delivery.PENDING, next_at__lte=at)),
    )
    alive = beat is not None and at - beat <= ALIVE
    return WorkerHealth(beat, alive, counts["waiting"], counts["dead"], counts["oldest"])


def _chosen(viewer: Viewer, chosen: EventFilter) -> QuerySet[Event]:
    found = Event.objects.filter(territory__in=audited_territories(viewer))
    if chosen.subject:
        found = found.filter(subject=chosen.subject)
    if chosen.kind.endswith("."):
        found = found.filter(kind__startswith=chosen.kind)
    elif chosen.kind:
        found = found.filter(kind=chosen.kind)
    if chosen.person is not None:
        person = chosen.person
        found = found.filter(Q(actor=person) | Q(on_behalf_of=person) | Q(subject=f"person:{person}"))
    if chosen.since is not None:
        found = found.filter(at__gte=chosen.since)
    if chosen.until is not None:
        found = found.filter(at__lt=chosen.until)
    return found
