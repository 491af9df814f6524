"""Who wishes to hear of one public report, or of those of a street, a district, a drawn zone or a category."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely
from django.db import transaction
from django.db.models import Q

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Access, BadCase, Requester
from beffroi.serve.cases.push import devices
from beffroi.serve.cases.tokens import key_of, token_of
from beffroi.serve.cases.words import clean_requester, clean_text
from beffroi.serve.reports import events
from beffroi.serve.reports.abuse import Sender, note_asking
from beffroi.serve.reports.categories import category_for
from beffroi.serve.reports.models import Reader, Report, Subscription
from beffroi.serve.reports.places import checked_zone

MOST_PER_PERSON = 30
ALERTS = "alerts"
ASK_AGAIN_AFTER = timedelta(hours=1)
RHYTHMS = (Reader.HOURLY, Reader.DAILY)
# What `Subscription.privacy` says: renewed, or deleted by the chores of the night.
LIFE = timedelta(days=730)
WARNED_AHEAD = timedelta(days=31)


class SubscriptionNotFound(NotFound):
    """No such subscription, or it is somebody else's."""


@dataclass(frozen=True, slots=True)
class SubscriptionInfo:
    """A subscription; what is empty does not narrow it. `token` confirms it and ends it, without an account."""

    id: int
    territory: str
    email: str
    street: str
    district: str
    category: str
    report: str
    zone: str
    confirmed: bool
    asked_at: datetime
    ends_at: datetime | None
    language: str
    token: str


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """An address that is told of reports of a town, at her rhythm (`RHYTHMS`); `token` opens her subscriptions."""

    id: int
    territory: str
    email: str
    rhythm: str
    language: str
    token: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one wishes to hear of: a report's number, or a place and a category that narrow one another."""

    street: str = ""
    district: str = ""
    category: str = ""
    zone: str = ""
    report: str = ""


@transaction.atomic
def subscribe(
    *,
    territory: str,
    requester: Requester,
    viewer: Viewer,
    at: datetime,
    street: str = "",
    district: str = "",
    category: str = "",
    zone: str = "",
    report: str = "",
    rhythm: str = "",
    sender: Sender | None = None,
    token: str = "",
) -> SubscriptionInfo:
    """Subscribe to one report, or to what is reported in a place or a category; several narrow it together.

    The address of one's own account is told at once, and so is the one that `token` (of a `ReaderInfo`) was sent to;
    any other only once its owner has followed the link sent to it. Asked again within the hour, no second link goes.

    Args:
        rhythm: one of `RHYTHMS`; kept for an address that has none yet, or that is known to be one's own.
        sender: where it comes from (`abuse.sender_of`); limits apply to whoever has neither account nor key.

    Raises:
        BadCase: nothing to follow, a restricted category, a false address, or too many subscriptions.
        UnknownCategory: no such category is open here.
        CaseNotFound: the report is not one that everybody may know of.
        SubscriptionNotFound: the token opens nothing.
        TooMany: too many were asked from there.
    """
    known = reader(token) if token else None
    requester = clean_requester(requester)
    email, is_own = _address(requester, viewer)
    confirmed = is_own or (known is not None and (known.territory, known.email) == (territory, email))
    facts = _checked(territory, Wanted(street, district, category, zone, report))
    note_asking(sender, viewer, territory=territory, at=at)
    mine = Subscription.objects.filter(territory=territory, email=email)
    if mine.count() >= MOST_PER_PERSON:
        raise BadCase(
            "{most} abonnements sont déjà ouverts à cette adresse",
            where="email",
            remedy="fermez-en un d’abord",
            most=MOST_PER_PERSON,
        )
    person = viewer.person_id if is_own else None
    bounds = facts.pop("bounds")
    row, created = Subscription.objects.get_or_create(
        territory=territory,
        email=email,
        **facts,
        defaults={"person_id": person, "language": requester.language, "asked_at": at, **bounds},
    )
    _read_at(row, rhythm, at, sure=confirmed)
    if row.confirmed_at is None and confirmed:
        _confirm(row, at)
    elif row.confirmed_at is None and (created or row.asked_at <= at - ASK_AGAIN_AFTER):
        row.asked_at = at
        row.save(update_fields=["asked_at"])
        _tell(events.SUBSCRIPTION_ASKED, row, at)
    return _info(row)


def _address(requester: Requester, viewer: Viewer) -> tuple[str, bool]:
    own = territory_queries.person(viewer.person_id).email.lower() if viewer.person_id is not None else ""
    email = requester.email.lower() or own
    if not email:
        raise BadCase("l’adresse manque", where="email", remedy="donnez l’adresse où vous prévenir")
    return email, email == own


def _checked(territory: str, wanted: Wanted) -> dict[str, Any]:
    """Return the columns of what is wanted, everything checked."""
    narrow = (wanted.street, wanted.district, wanted.category, wanted.zone)
    if not any((*narrow, wanted.report)):
        raise BadCase("rien à suivre", where="subscription", remedy="choisissez une rue, un quartier ou une catégorie")
    category = category_for(ANONYMOUS, territory, wanted.category).category if wanted.category else None
    if category is not None and category.access is not Access.PUBLIC:
        raise BadCase(
            "cette catégorie n’est pas publique", where="category", remedy="suivez plutôt votre propre signalement"
        )
    shape = checked_zone(wanted.zone) if wanted.zone else None
    west, south, east, north = shape.bounds if shape is not None else (None, None, None, None)
    followed = case_queries.case(ANONYMOUS, wanted.report) if wanted.report else None
    if followed is not None and (any(narrow) or followed.territory != territory):
        raise BadCase(
            "on suit un signalement, ou un lieu et une catégorie",
            where="subscription",
            remedy="demandez l’un puis l’autre",
        )
    return {
        "street": clean_text(wanted.street, where="street", limit=120),
        "district": clean_text(wanted.district, where="district", limit=100),
        "category": wanted.category,
        "report_id": followed.id if followed else None,
        "zone_wkb": None if shape is None else shape.wkb,
        "bounds": {"west": west, "south": south, "east": east, "north": north},
    }


def _read_at(row: Subscription, rhythm: str, at: datetime, *, sure: bool) -> Reader:
    """Return the reader of a subscription, made when there is none; her rhythm changes only when she is sure to be."""
    rhythm = rhythm if rhythm in RHYTHMS else ""
    found, created = Reader.objects.get_or_create(
        territory=row.territory,
        email=row.email,
        defaults={
            "person_id": row.person_id,
            "language": row.language,
            "rhythm": rhythm or Reader.HOURLY,
            "active_at": at,
        },
    )
    if sure and not created:
        found.active_at, found.rhythm = at, rhythm or found.rhythm
        found.person_id = row.person_id or found.person_id
        found.save(update_fields=["active_at", "rhythm", "person"])
    return found


def _confirm(row: Subscription, at: datetime) -> None:
    row.confirmed_at = at
    row.save(update_fields=["confirmed_at"])
    _tell(events.SUBSCRIPTION_CONFIRMED, row, at)


def _tell(kind: str, row: Subscription, at: datetime) -> None:
    record(
        kind=kind,
        subject=f"report_subscription:{row.pk}",
        payload={"id": int(row.pk)},
        actor=row.person_id,
        territory=row.territory,
        at=at,
    )


@transaction.atomic
def confirm_subscription(token: str, *, at: datetime) -> SubscriptionInfo:
    """Confirm a subscription by the link sent to its address.

    Raises:
        SubscriptionNotFound: the token opens none.
    """
    row = _opened_by(token)
    if row.confirmed_at is None:
        _read_at(row, "", at, sure=True)
        _confirm(row, at)
    return _info(row)


@transaction.atomic
def end_subscription(token: str, *, at: datetime) -> None:
    """End a subscription by its token; what waited to be told of it is forgotten.

    Raises:
        SubscriptionNotFound: the token opens none.
    """
    row = _opened_by(token)
    _tell(events.SUBSCRIPTION_ENDED, row, at)
    row.delete()


@transaction.atomic
def end_all_subscriptions(token: str, *, at: datetime) -> None:
    """Write no more to an address, by the token of its reader; done again, there is nothing left to do.

    Raises:
        SubscriptionNotFound: the token is none of ours.
    """
    row = Reader.objects.filter(pk=_key_of(token, _READER)).first()
    if row is None:
        return
    for one in Subscription.objects.filter(territory=row.territory, email=row.email).order_by("pk"):
        _tell(events.SUBSCRIPTION_ENDED, one, at)
        one.delete()
    row.due_at = None
    row.save(update_fields=["due_at"])
    cases.end_topic(topic_of(int(row.pk)), at=at)


def topic_of(reader_id: int) -> str:
    """Return the topic by which devices hear of the alerts that a reader's subscriptions meet."""
    return f"{ALERTS}-{reader_id}"


def device_for_alerts(
    *, token: str, device: devices.Subscription, viewer: Viewer, at: datetime, language: str = "fr"
) -> devices.DeviceInfo:
    """Have a device notified of the zone alerts that a reader's subscriptions meet, by the token of the reader.

    Raises:
        SubscriptionNotFound: the token opens nothing.
        Refused, BadCase: as `cases.operations.subscribe_device`.
    """
    known = reader(token)
    return cases.subscribe_device(
        territory=known.territory,
        subscription=device,
        viewer=viewer,
        topic=topic_of(known.id),
        language=language,
        at=at,
    )


@transaction.atomic
def renew_subscriptions(token: str, *, at: datetime) -> int:
    """Have all the confirmed subscriptions of a reader live two years more from now; return how many.

    Raises:
        SubscriptionNotFound: the token opens nothing.
    """
    known = reader(token)
    rows = Subscription.objects.filter(territory=known.territory, email=known.email).exclude(confirmed_at=None)
    Reader.objects.filter(pk=known.id).update(active_at=at)
    return rows.update(confirmed_at=at, warned_at=None)


def ending_soon(at: datetime) -> dict[int, list[SubscriptionInfo]]:
    """Return, by reader, the subscriptions that end within a month and whose owner was not told."""
    told_from, over = at - LIFE + WARNED_AHEAD, at - LIFE
    rows = Subscription.objects.filter(confirmed_at__lte=told_from, confirmed_at__gt=over, warned_at=None)
    found: dict[int, list[SubscriptionInfo]] = {}
    for one in subscription_infos(rows.order_by("territory", "email", "pk")):
        if is_sandbox(one.territory):
            continue
        with suppress(SubscriptionNotFound):
            found.setdefault(reader_of(one).id, []).append(one)
    return found


def note_warned(ids: Iterable[int], *, at: datetime) -> None:
    """Keep that the owner of these subscriptions knows of their end."""
    Subscription.objects.filter(pk__in=list(ids)).update(warned_at=at)


def set_rhythm(token: str, rhythm: str, *, at: datetime) -> None:
    """Have a reader told at another rhythm from her next message on.

    Raises:
        SubscriptionNotFound: the token opens nothing.
        BadCase: it is none of `RHYTHMS`.
    """
    if rhythm not in RHYTHMS:
        raise BadCase("rythme « {rhythm} » inconnu", where="rhythm", remedy="choisissez-en un dans la liste",
                      rhythm=rhythm[:20])  # fmt: skip
    Reader.objects.filter(pk=reader(token).id).update(rhythm=rhythm, active_at=at)


# --- Questions --------------------------------------------------------------------------------------------------------


def subscription(token: str) -> SubscriptionInfo:
    """Return the subscription that its token opens.

    Raises:
        SubscriptionNotFound: the token opens none.
    """
    return _info(_opened_by(token))


def subscription_of(subscription_id: int) -> SubscriptionInfo:
    """Return a subscription by its number, for the rooms' own messages.

    Raises:
        SubscriptionNotFound: it was ended meanwhile.
    """
    row = Subscription.objects.filter(pk=subscription_id).first()
    if row is None:
        raise _not_found()
    return _info(row)


def own_subscriptions(viewer: Viewer) -> list[SubscriptionInfo]:
    """Return the viewer's subscriptions, in any town."""
    if viewer.person_id is None:
        return []
    return _infos(Subscription.objects.filter(person=viewer.person_id))


def subscriptions_of(reader: ReaderInfo) -> list[SubscriptionInfo]:
    """Return the confirmed subscriptions of a reader."""
    rows = Subscription.objects.filter(territory=reader.territory, email=reader.email)
    return _infos(rows.exclude(confirmed_at=None))


def reader(token: str) -> ReaderInfo:
    """Return the reader that her token opens.

    Raises:
        SubscriptionNotFound: the token opens nothing.
    """
    row = Reader.objects.filter(pk=_key_of(token, _READER)).first()
    if row is None:
        raise _not_found()
    return reader_info(row)


def reader_of(one: SubscriptionInfo) -> ReaderInfo:
    """Return the reader of a subscription.

    Raises:
        SubscriptionNotFound: it was ended meanwhile.
    """
    row = Reader.objects.filter(territory=one.territory, email=one.email).first()
    if row is None:
        raise _not_found()
    return reader_info(row)


def own_reader(viewer: Viewer, territory: str) -> ReaderInfo | None:
    """Return the reader at the address of the viewer's account, None when she never subscribed in this town."""
    if viewer.person_id is None:
        return None
    email = territory_queries.person(viewer.person_id).email.lower()
    row = Reader.objects.filter(territory=territory, email=email).first()
    return None if row is None else reader_info(row)


def reader_info(row: Reader) -> ReaderInfo:
    """Return what a reader is, with her token."""
    return ReaderInfo(int(row.pk), row.territory, row.email, row.rhythm, row.language, _token_of(int(row.pk), _READER))


def subscribers_to(row: Report, *, streets: Iterable[str] = ()) -> list[SubscriptionInfo]:
    """Return the confirmed subscriptions that a public report falls in; one per address, the oldest.

    `streets` are names of the street it is in, beside the one its author gave.
    """
    near = Subscription.objects.filter(territory=row.case.territory).exclude(confirmed_at=None)
    near = near.filter(Q(report=None) | Q(report=row) | Q(report__case__lead=row.pk))
    near = near.filter(Q(category="") | Q(category=row.case.category))
    in_street = Q(street="")
    for name in filter(None, {row.street, *streets}):
        in_street |= Q(street__iexact=name)
    near = near.filter(in_street)
    near = near.filter(Q(district="") | Q(district=row.district)) if row.district else near.filter(district="")
    near = near.filter(
        Q(zone_wkb=None) | Q(west__lte=row.lon, east__gte=row.lon, south__lte=row.lat, north__gte=row.lat)
    )
    point = shapely.Point(row.lon, row.lat)
    found: dict[str, Subscription] = {}
    for one in near.order_by("pk"):
        if one.zone_wkb is None or shapely.from_wkb(bytes(one.zone_wkb)).covers(point):
            found.setdefault(one.email, one)
    return subscription_infos(found.values())


def subscription_infos(rows: Iterable[Subscription]) -> list[SubscriptionInfo]:
    """Return what rows of this room are, for its other modules."""
    return [_info(row) for row in rows]


def _infos(rows: Any) -> list[SubscriptionInfo]:
    return [_info(row) for row in rows.order_by("pk")]


def _info(row: Subscription) -> SubscriptionInfo:
    return SubscriptionInfo(
        id=int(row.pk),
        territory=row.territory,
        email=row.email,
        street=row.street,
        district=row.district,
        category=row.category,
        report="" if row.report_id is None else case_queries.number_of(row.report_id),
        zone="" if row.zone_wkb is None else shapely.to_geojson(shapely.from_wkb(bytes(row.zone_wkb))),
        confirmed=row.confirmed_at is not None,
        asked_at=row.asked_at,
        ends_at=None if row.confirmed_at is None else row.confirmed_at + LIFE,
        language=row.language,
        token=_token_of(int(row.pk), _SUBSCRIPTION),
    )


# --- Tokens: sealed with the installation's key, written nowhere ------------------------------------------------------

_SUBSCRIPTION, _READER = "beffroi.reports.subscription", "beffroi.reports.reader"


def _token_of(key: int, kind: str) -> str:
    return token_of(kind, key)


def _key_of(token: str, kind: str) -> int:
    key = key_of(kind, token)
    if key is None:
        raise _not_found()
    return key


def _opened_by(token: str) -> Subscription:
    row = Subscription.objects.filter(pk=_key_of(token, _SUBSCRIPTION)).first()
    if row is None:
        raise _not_found()
    return row


def _not_found() -> SubscriptionNotFound:
    return SubscriptionNotFound("cet abonnement n’existe pas ou plus", remedy="abonnez-vous de nouveau")
