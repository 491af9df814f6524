"""Those who follow a place, a category or a report, as alerts reach them; what they follow is theirs to change here."""

from __future__ import annotations

from collections.abc import Iterator

import shapely
from django.db.models import Q

from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.audiences import Addressee, Audience, Ground
from beffroi.serve.cases.definition import CaseNotFound
from beffroi.serve.cases.mails import page_url
from beffroi.serve.reports import news
from beffroi.serve.reports.models import Reader, Report, Subscription
from beffroi.serve.reports.subscriptions import SubscriptionNotFound, reader_of, subscription_of, topic_of


def concerned(ground: Ground) -> list[tuple[int, str, str]]:
    """Return the confirmed subscriptions that a ground concerns, one per address, the oldest.

    Whoever follows a place that the zone meets; when it comes from a report, also its category or the report itself.
    """
    report = _report(ground.origin)
    near = Subscription.objects.filter(territory=ground.territory).exclude(confirmed_at=None)
    if report is None:
        near = near.filter(category="", report=None)
    else:
        near = near.filter(Q(category="") | Q(category=report.case.category))
        near = near.filter(Q(report=None) | Q(report=report.pk))
    if ground.zone is not None:
        west, south, east, north = ground.zone.bounds
        near = near.filter(Q(zone_wkb=None) | Q(west__lte=east, east__gte=west, south__lte=north, north__gte=south))
    districts = ground.districts | set(_districts_met(ground))
    street = report.street if report else ""
    found: dict[str, Subscription] = {}
    for one in near.order_by("pk"):
        if _meets(one, ground, districts, street):
            found.setdefault(one.email, one)
    emails = Reader.objects.filter(territory=ground.territory, email__in=found).values_list("email", "pk")
    topics = {email: topic_of(int(key)) for email, key in emails}
    return [(int(one.pk), email, topics.get(email, "")) for email, one in found.items()]


def _report(number: str) -> Report | None:
    if not number:
        return None
    try:
        key = case_queries.case_id_of(number)
    except CaseNotFound:
        return None
    return Report.objects.select_related("case").filter(pk=key).first()


def _districts_met(ground: Ground) -> Iterator[str]:
    for one in territory_queries.zones(ground.territory, "quartier"):
        if ground.zone is None or shapely.from_wkb(one.shape).intersects(ground.zone):
            yield one.slug


def _meets(one: Subscription, ground: Ground, districts: set[str] | frozenset[str], street: str) -> bool:
    if ground.zone is None:
        return True
    if one.street and one.street.casefold() != street.casefold() and not _crosses(one, ground):
        return False
    if one.district and one.district not in districts:
        return False
    return one.zone_wkb is None or bool(shapely.from_wkb(bytes(one.zone_wkb)).intersects(ground.zone))


def _crosses(one: Subscription, ground: Ground) -> bool:
    """Tell whether the street that a subscription names runs through the zone, as the graph of streets knows it."""
    from beffroi.base.kernel.errors import BeffroiError
    from beffroi.sense.mobility.works.queries import stretches_of

    try:
        stretches = stretches_of(one.territory, one.street)
    except BeffroiError:
        return False
    return any(shapely.linestrings(stretch.line).intersects(ground.zone) for stretch in stretches)


def addressee(number: int) -> Addressee | None:
    """Return the reader of a subscription as a message meets her, None once she has left."""
    try:
        one = subscription_of(number)
        reader = reader_of(one)
    except SubscriptionNotFound:
        return None
    if not one.confirmed:
        return None
    return Addressee(
        email=one.email,
        language=one.language,
        device_topic=topic_of(reader.id),
        why=lambda: news.described(one),
        manage_url=page_url(one.territory, news.PAGES["reader"], reader.token),
        headers=news.ending_headers(one.territory, reader.token),
    )


AUDIENCE = Audience(concerned, addressee)
