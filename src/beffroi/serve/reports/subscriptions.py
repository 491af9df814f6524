"""Who wishes to hear of the public reports of a street, a district, a drawn zone or a category."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import shapely
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac

from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Access, BadCase, Requester
from beffroi.serve.cases.words import clean_requester, clean_text
from beffroi.serve.reports.categories import category_for
from beffroi.serve.reports.models import Report, Subscription
from beffroi.serve.reports.places import checked_zone

MOST_PER_PERSON = 30


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
    zone: str
    confirmed: bool
    asked_at: datetime
    language: str
    token: str


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
) -> SubscriptionInfo:
    """Subscribe to what is reported in a place or a category; several narrow it together.

    The address of one's own account is told at once; any other only once its owner has followed the link sent to it.

    Raises:
        BadCase: nothing to follow, a restricted category, a false address, or too many subscriptions.
        UnknownCategory: no such category is open here.
    """
    requester = clean_requester(requester)
    email, confirmed = _address(requester, viewer)
    if not any((street, district, category, zone)):
        raise BadCase("rien à suivre", where="subscription", remedy="choisissez une rue, un quartier ou une catégorie")
    if category and category_for(viewer, territory, category).category.access is not Access.PUBLIC:
        raise BadCase(
            "cette catégorie n’est pas publique", where="category", remedy="suivez plutôt votre propre signalement"
        )
    shape = checked_zone(zone) if zone else None
    mine = Subscription.objects.filter(territory=territory, email=email)
    if mine.count() >= MOST_PER_PERSON:
        raise BadCase(
            "{most} abonnements sont déjà ouverts à cette adresse",
            where="email",
            remedy="fermez-en un d’abord",
            most=MOST_PER_PERSON,
        )
    west, south, east, north = shape.bounds if shape is not None else (None, None, None, None)
    row, _ = Subscription.objects.get_or_create(
        territory=territory,
        email=email,
        street=clean_text(street, where="street", limit=120),
        district=clean_text(district, where="district", limit=100),
        category=category,
        zone_wkb=None if shape is None else shape.wkb,
        defaults={
            "person_id": viewer.person_id if confirmed else None,
            "language": requester.language,
            "asked_at": at,
            "confirmed_at": at if confirmed else None,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
        },
    )
    return _info(row)


def _address(requester: Requester, viewer: Viewer) -> tuple[str, bool]:
    own = territory_queries.person(viewer.person_id).email if viewer.person_id is not None else ""
    email = (requester.email or own).lower()
    if not email:
        raise BadCase("l’adresse manque", where="email", remedy="donnez l’adresse où vous prévenir")
    return email, email == own


def confirm_subscription(token: str, *, at: datetime) -> SubscriptionInfo:
    """Confirm a subscription by the link sent to its address.

    Raises:
        SubscriptionNotFound: the token opens none.
    """
    row = _opened_by(token)
    if row.confirmed_at is None:
        row.confirmed_at = at
        row.save(update_fields=["confirmed_at"])
    return _info(row)


def end_subscription(token: str) -> None:
    """End a subscription by its token.

    Raises:
        SubscriptionNotFound: the token opens none.
    """
    _opened_by(token).delete()


def own_subscriptions(viewer: Viewer) -> list[SubscriptionInfo]:
    """Return the viewer's subscriptions, in any town."""
    if viewer.person_id is None:
        return []
    return [_info(row) for row in Subscription.objects.filter(person=viewer.person_id).order_by("pk")]


def subscribers_to(row: Report) -> list[SubscriptionInfo]:
    """Return the confirmed subscriptions that a public report falls in; one per address, the oldest."""
    category = row.case.category
    near = Subscription.objects.filter(territory=row.case.territory).exclude(confirmed_at=None)
    near = near.filter(Q(category="") | Q(category=category))
    near = near.filter(Q(street="") | Q(street__iexact=row.street)) if row.street else near.filter(street="")
    near = near.filter(Q(district="") | Q(district=row.district)) if row.district else near.filter(district="")
    near = near.filter(
        Q(zone_wkb=None) | Q(west__lte=row.lon, east__gte=row.lon, south__lte=row.lat, north__gte=row.lat)
    )
    point = shapely.Point(row.lon, row.lat)
    found: dict[str, SubscriptionInfo] = {}
    for one in near.order_by("pk"):
        if one.zone_wkb is None or shapely.from_wkb(bytes(one.zone_wkb)).covers(point):
            found.setdefault(one.email, _info(one))
    return list(found.values())


def _info(row: Subscription) -> SubscriptionInfo:
    return SubscriptionInfo(
        id=int(row.pk),
        territory=row.territory,
        email=row.email,
        street=row.street,
        district=row.district,
        category=row.category,
        zone="" if row.zone_wkb is None else shapely.to_geojson(shapely.from_wkb(bytes(row.zone_wkb))),
        confirmed=row.confirmed_at is not None,
        asked_at=row.asked_at,
        language=row.language,
        token=f"{row.pk:x}.{_seal(int(row.pk))}",
    )


def _opened_by(token: str) -> Subscription:
    match = re.fullmatch(r"([0-9a-f]{1,15})\.([0-9a-f]{32})", token.strip())
    row = None
    if match is not None and constant_time_compare(match[2], _seal(int(match[1], 16))):
        row = Subscription.objects.filter(pk=int(match[1], 16)).first()
    if row is None:
        raise SubscriptionNotFound("cet abonnement n’existe pas ou plus", remedy="abonnez-vous de nouveau")
    return row


def _seal(key: int) -> str:
    return salted_hmac("beffroi.reports.subscription", str(key), algorithm="sha256").hexdigest()[:32]
