"""The devices that agreed to be notified, what each wishes to hear of, and how it stops.

A device is named by the address its browser's relay gave it: only that device and this house know it, so whoever shows
it may end or change what it hears. A person's own requests are joined to it only while she is signed in, one request
without account only by its follow-up token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import outside
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.cases.models import Party, PushDevice, PushWish
from beffroi.serve.cases.numbers import number_of, party_of
from beffroi.serve.cases.push import protocol
from beffroi.serve.cases.queries import followed_case
from beffroi.serve.cases.words import LANGUAGES

REQUESTS = "requests"
"""The topic of what happens to one's requests; a room that has another one names it and sends by `telling.plan`, to
`devices_of_topic`: ``<subject>-<number>``, of thirty letters at most."""

MOST_PER_PERSON = 10
MOST_PER_PARTY = 5
MOST_ENDPOINT = 1000
TOPICS_AT_ONCE = 10_000
"""How many topics one statement asks for: SQLite holds 32,766 values."""
ADDED, ENDED = "push_device.added", "push_device.ended"


class DeviceNotFound(NotFound):
    """This device is not notified, or no longer."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gives of a device: its relay's address and the two keys to write to it (base64)."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class WishInfo:
    """One thing a device hears of: all the requests of its person, or the one of that number."""

    id: int
    topic: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device hears of, since when."""

    since: datetime
    wishes: tuple[WishInfo, ...]


def application_key() -> str:
    """Return the public key that a browser binds a subscription to, "" where notifications are switched off."""
    if not settings.PUSH:
        return ""
    return protocol.packed(protocol.point(protocol.installation_key(settings.PUSH_KEY).public_key()))


@transaction.atomic
def subscribe_device(
    *,
    territory: str,
    subscription: Subscription,
    viewer: Viewer,
    at: datetime,
    token: str = "",
    topic: str = "",
    language: str = "fr",
) -> DeviceInfo:
    """Have a device notified: of one request by its `token`, else of all those of the person signed in.

    With `topic`, of that of another room instead, which has checked that who asks may hear of it. Asked again, it
    changes nothing but the day the device was last seen. Beyond `MOST_PER_PERSON` devices, or `MOST_PER_PARTY` of one
    request or topic, the one seen longest ago gives way.

    Raises:
        Refused: nobody is signed in and there is no token, or notifications are switched off.
        BadCase: what the browser gave is not a subscription.
        CaseNotFound: the token opens nothing.
    """
    if not settings.PUSH:
        raise Refused(
            "les notifications sont coupées sur cette installation", remedy="laissez une adresse électronique"
        )
    if not token and not topic and viewer.person_id is None:
        raise Refused(
            "rien à annoncer à cet appareil", remedy="connectez-vous, ou ouvrez une demande par son lien de suivi"
        )
    if token:
        followed_case(token)
    row = _kept(territory, _checked(subscription), viewer, at, language)
    party = Party.objects.get(pk=party_of(token)) if token else None
    PushWish.objects.get_or_create(device=row, topic=topic or REQUESTS, party=party)
    if topic:
        _give_way(PushDevice.objects.filter(wishes__topic=topic), MOST_PER_PARTY)
    if party is not None:
        _give_way(PushDevice.objects.filter(wishes__party=party), MOST_PER_PARTY)
    if row.person_id is not None:
        _give_way(PushDevice.objects.filter(person=row.person_id), MOST_PER_PERSON)
    return _info(row)


def _kept(territory: str, subscription: Subscription, viewer: Viewer, at: datetime, language: str) -> PushDevice:
    fresh = {
        "territory": territory,
        "endpoint": subscription.endpoint,
        "public_key": subscription.p256dh,
        "secret": subscription.auth,
        "language": language if language in LANGUAGES else LANGUAGES[0],
        "seen_at": at,
        "failures": 0,
    }
    row, is_new = PushDevice.objects.update_or_create(
        digest=_digest(subscription.endpoint), defaults=fresh, create_defaults=fresh | {"since": at}
    )
    if viewer.person_id is not None and row.person_id != viewer.person_id:
        # Another person on the same device: what it heard of the first one's requests ends.
        row.wishes.filter(party=None).delete()
        row.person_id = viewer.person_id
        row.save(update_fields=["person"])
    if is_new:
        _tell(ADDED, row, at)
    return row


def _checked(subscription: Subscription) -> Subscription:
    where = "subscription"
    if len(subscription.endpoint) > MOST_ENDPOINT:
        raise BadCase("l’adresse de l’appareil est trop longue", where=where, remedy="réessayez depuis la page")
    outside.check_url(subscription.endpoint)
    try:
        protocol.device_key(subscription.p256dh)
        if len(protocol.unpacked(subscription.auth)) != 16:
            raise protocol.BadKey("sixteen bytes")
    except protocol.BadKey as error:
        raise BadCase(
            "les clés de l’appareil ne sont pas celles d’un abonnement", where=where, remedy="réessayez depuis la page"
        ) from error
    return subscription


def _give_way(rows: QuerySet[PushDevice], most: int) -> None:
    old = rows.order_by("-seen_at", "-pk").values_list("pk", flat=True)[most:]
    PushDevice.objects.filter(pk__in=list(old)).delete()


@transaction.atomic
def renew_device(endpoint: str, subscription: Subscription, *, at: datetime) -> None:
    """Write from now on to the new address that the relay gave a device.

    Raises:
        DeviceNotFound: the former address is none that we know.
        BadCase: what the browser gave is not a subscription.
    """
    row, fresh = _row(endpoint), _checked(subscription)
    PushDevice.objects.filter(digest=_digest(fresh.endpoint)).exclude(pk=row.pk).delete()
    row.endpoint, row.digest = fresh.endpoint, _digest(fresh.endpoint)
    row.public_key, row.secret, row.seen_at, row.failures = fresh.p256dh, fresh.auth, at, 0
    row.save()


@transaction.atomic
def end_device(endpoint: str, *, at: datetime) -> None:
    """Notify a device no more and forget it; what waited for it goes too.

    Raises:
        DeviceNotFound: it is none that we know.
    """
    forget(_row(endpoint), at)


@transaction.atomic
def end_wish(endpoint: str, wish: int, *, at: datetime) -> DeviceInfo | None:
    """Have a device hear no more of one thing; with its last one, the device is forgotten and None returned.

    Raises:
        DeviceNotFound: it is none that we know.
    """
    row = _row(endpoint)
    row.wishes.filter(pk=wish).delete()
    if row.wishes.exists():
        return _info(row)
    forget(row, at)
    return None


@transaction.atomic
def end_topic(topic: str, *, at: datetime) -> None:
    """Have no device hear of a topic any more; those that heard of nothing else are forgotten."""
    for row in PushDevice.objects.filter(wishes__topic=topic).order_by("pk"):
        row.wishes.filter(topic=topic).delete()
        if not row.wishes.exists():
            forget(row, at)


def forget(row: PushDevice, at: datetime) -> None:
    """Delete a device, in the caller's transaction, and say so in the journal."""
    _tell(ENDED, row, at)
    row.delete()


def device(endpoint: str) -> DeviceInfo:
    """Return what a device hears of.

    Raises:
        DeviceNotFound: it is none that we know.
    """
    return _info(_row(endpoint))


def devices_told_of(party: int, person: int | None, territory: str, *, discreet: bool) -> list[PushDevice]:
    """Return the devices that wish to hear of the request of a party; for this package.

    A `discreet` request is told only on a device that wished to hear of that very one: others may see the screen.
    """
    theirs = Q(wishes__party=party)
    if person is not None and not discreet:
        theirs |= Q(wishes__party=None, wishes__topic=REQUESTS, person=person)
    return list(PushDevice.objects.filter(theirs, territory=territory).distinct().order_by("pk"))


def devices_of_topic(topic: str) -> list[PushDevice]:
    """Return the devices that wish to hear of another room's topic; for that room and `telling.plan`."""
    return list(PushDevice.objects.filter(wishes__topic=topic).distinct().order_by("pk"))


def count_of_topics(topics: Sequence[str]) -> int:
    """Return how many devices hear of one of these topics, however many: a statement holds some thousands of them."""
    heard: set[int] = set()
    for start in range(0, len(topics), TOPICS_AT_ONCE):
        some = topics[start : start + TOPICS_AT_ONCE]
        heard.update(PushDevice.objects.filter(wishes__topic__in=some).values_list("pk", flat=True))
    return len(heard)


def _row(endpoint: str) -> PushDevice:
    row = PushDevice.objects.filter(digest=_digest(endpoint)).first()
    if row is None:
        raise DeviceNotFound("cet appareil ne reçoit pas de notifications", remedy="activez-les depuis cette page")
    return row


def _info(row: PushDevice) -> DeviceInfo:
    wishes = row.wishes.select_related("party").order_by("pk")
    return DeviceInfo(
        row.since,
        tuple(WishInfo(one.pk, one.topic, number_of(one.party.case_id) if one.party else "") for one in wishes),
    )


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode("utf-8", "replace")).hexdigest()


def _tell(kind: str, row: PushDevice, at: datetime) -> None:
    record(kind=kind, subject=f"push_device:{row.pk}", payload={}, actor=row.person_id, territory=row.territory, at=at)
