"""An alert raised from a report, until a room of alerts is there to hear of it: told to the subscribers of its zone.

Whoever follows a place that the zone meets (a drawn zone, a district, the street of the report), or the category or the
report itself, is written to at once, one message each, and told on the devices she has for that. Once the engine
`alerts` is registered, it is left to it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import shapely
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from beffroi.base.catalogue.engine import engine
from beffroi.base.clock import queries as clock
from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.mails import domain_of, page_url
from beffroi.serve.cases.push.devices import devices_of_topic
from beffroi.serve.cases.push.telling import plan
from beffroi.serve.reports import news, zone_alerts
from beffroi.serve.reports.models import Report, Subscription
from beffroi.serve.reports.subscriptions import (
    SubscriptionInfo,
    SubscriptionNotFound,
    reader_of,
    subscription_infos,
    subscription_of,
    topic_of,
)

logger = logging.getLogger(__name__)
TRY_AGAIN = timedelta(minutes=15)
MOST_SHOWN = 200
FACTS = ("title", "text", "severity", "until", "alert")
SEVERITY_TITLES = {
    "minor": gettext_noop("Mineure"),
    "moderate": gettext_noop("Modérée"),
    "severe": gettext_noop("Grave"),
}


def alerts_have_a_room() -> bool:
    """Tell whether the engine of alerts is installed: it then hears `report.alert_raised` itself."""
    known = engine("alerts")
    return known is not None and known.registered


def concerned(number: str, zone: shapely.Polygon) -> list[SubscriptionInfo]:
    """Return the confirmed subscriptions an alert on `zone` (CRS84) concerns, one per address, the oldest."""
    row = Report.objects.select_related("case").get(pk=case_queries.case_id_of(number))
    west, south, east, north = zone.bounds
    near = Subscription.objects.filter(territory=row.case.territory).exclude(confirmed_at=None)
    near = near.filter(Q(category="") | Q(category=row.case.category)).filter(Q(report=None) | Q(report=row.pk))
    near = near.filter(Q(zone_wkb=None) | Q(west__lte=east, east__gte=west, south__lte=north, north__gte=south))
    districts = set(_districts_met(row.case.territory, zone))
    found: dict[str, Subscription] = {}
    for one in near.order_by("pk"):
        if _meets(one, zone, districts, row.street):
            found.setdefault(one.email, one)
    return subscription_infos(found.values())


def _districts_met(territory: str, zone: shapely.Polygon) -> Iterator[str]:
    for one in territory_queries.zones(territory, "quartier"):
        if shapely.from_wkb(one.shape).intersects(zone):
            yield one.slug


def _meets(one: Subscription, zone: shapely.Polygon, districts: set[str], street: str) -> bool:
    if one.street and one.street.casefold() != street.casefold():
        return False
    if one.district and one.district not in districts:
        return False
    return one.zone_wkb is None or bool(shapely.from_wkb(bytes(one.zone_wkb)).intersects(zone))


@transaction.atomic
def tell_subscribers(event: RecordedEvent) -> None:
    """Have each address that an alert concerns written to, and its devices told; consumes `report.alert_raised`."""
    from beffroi.serve.reports.tasks import write_alert

    if alerts_have_a_room():
        return
    facts = {name: event.payload[name] for name in FACTS if name in event.payload}
    zone = shapely.from_geojson(event.payload["zone"])
    for one in concerned(str(event.payload["number"]), zone):
        write_alert.enqueue(event.id, one.id, facts)
        _tell_devices(event, one)


def _is_over(facts: dict[str, Any], at: datetime) -> bool:
    """Tell whether an alert is over at that instant: its hour has come, or an agent ended it before."""
    if at >= datetime.fromisoformat(facts["until"]):
        return True
    # Raised before alerts were numbered in their event: its hour alone tells.
    return "alert" in facts and zone_alerts.is_over(int(facts["alert"]), at=at)


def _tell_devices(event: RecordedEvent, one: SubscriptionInfo) -> None:
    """Plan a notification on the devices of a subscriber; an alert is public, so it may be read on a locked screen."""
    if not settings.PUSH:
        return
    name, path = territory_queries.territory(one.territory).name, _alerts_path()
    for device in devices_of_topic(topic_of(reader_of(one).id)):
        with translation.override(device.language):
            title = _("Alerte à {town} : {title}").format(town=name, title=event.payload["title"])
        text = Truncator(str(event.payload["text"])).chars(MOST_SHOWN)
        plan(device, event=event.id, tag=f"alert-{event.id}", title=title, text=text, path=path, at=event.at)


def _alerts_path() -> str:
    try:
        return reverse(news.PAGES["alerts"])
    except NoReverseMatch:
        return ""


def write_alert_to(event_id: int, subscription_id: int, facts: dict[str, Any], *, at: datetime) -> None:
    """Write an alert to one address, unless it is over or she has left; tried again later when it cannot be."""
    from beffroi.serve.reports.tasks import write_alert

    try:
        one = subscription_of(subscription_id)
    except SubscriptionNotFound:
        return
    if not one.confirmed or _is_over(facts, at):
        return
    try:
        _letter(event_id, one, facts).send()
    except OSError:
        logger.exception("an alert of %s could not be sent", one.territory)
        write_alert.using(run_after=at + TRY_AGAIN).enqueue(event_id, subscription_id, facts)


def _letter(event_id: int, one: SubscriptionInfo, facts: dict[str, Any]) -> Any:
    until = datetime.fromisoformat(facts["until"])
    reader, name = reader_of(one), territory_queries.territory(one.territory).name
    with translation.override(one.language):
        local = until.astimezone(clock.timezone_of(one.territory))
        words = [
            facts["text"],
            _("Gravité : {severity}. Jusqu’au {until}.").format(
                severity=_(SEVERITY_TITLES[facts["severity"]]).lower(), until=f"{local:%d/%m/%Y, %H:%M}"
            ),
            _("Les alertes en cours : {url}").format(url=page_url(one.territory, news.PAGES["alerts"])),
            _("Vous recevez cette alerte parce que vous suivez : {what}.").format(what=news.described(one)),
            _("Choisir ce que vous suivez et à quel rythme, ou tout arrêter : {url}").format(
                url=page_url(one.territory, news.PAGES["reader"], reader.token)
            ),
            name,
        ]
        subject = _("Alerte à {town} : {title}").format(town=name, title=facts["title"])
        message = news.message_to(one.email, one.language, subject, words)
    message.extra_headers |= {
        "Message-ID": f"<alert-{event_id}-{one.id}@{domain_of(one.territory)}>",
        **news.ending_headers(one.territory, reader.token),
    }
    return message
