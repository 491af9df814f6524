"""Works told by e-mail to who follows a street: the same subscriptions as for reports, one message at each step.

Whoever follows a place that the works touch (a street by its name, a district, a drawn zone) is written to when they
are published, published again or taken back. A subscription to a category or to one report says nothing of works.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import shapely
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.words import words
from beffroi.base.territory import queries as territory_queries
from beffroi.sense.mobility.events import WORKS_PUBLISHED
from beffroi.sense.mobility.works import queries as works
from beffroi.serve.cases.mails import domain_of, message_to, page_url
from beffroi.serve.reports import news
from beffroi.serve.reports.models import Subscription
from beffroi.serve.reports.subscriptions import (
    SubscriptionInfo,
    SubscriptionNotFound,
    reader_of,
    subscription_infos,
    subscription_of,
)

logger = logging.getLogger(__name__)
TRY_AGAIN = timedelta(minutes=15)
PAGE, ALL = "portal:works-one", "portal:works"


def tell_followers(event: RecordedEvent) -> None:
    """Have each address that follows one of the streets written to; hears `works.published` and `works.ended`."""
    if event.payload.get("deleted"):
        return
    with transaction.atomic():
        for one in followers(event.territory, _number(event), int(event.payload["chosen"])):
            _enqueue(event.id, one.id, _facts(event))


def _number(event: RecordedEvent) -> int:
    return int(event.subject.removeprefix("works:"))


def _facts(event: RecordedEvent) -> dict[str, Any]:
    told = event.payload
    published = event.kind == WORKS_PUBLISHED
    kept = {name: told[name] for name in ("first", "last", "streets") if name in told}
    return kept | {"works": _number(event), "title": told["title"], "published": published, "over": told.get("over")}


def _enqueue(event_id: int, subscription_id: int, facts: dict[str, Any], *, run_after: datetime | None = None) -> None:
    from beffroi.serve.reports.tasks import write_works

    (write_works.using(run_after=run_after) if run_after else write_works).enqueue(event_id, subscription_id, facts)


def followers(territory: str, works_id: int, scenario: int) -> list[SubscriptionInfo]:
    """Return the confirmed subscriptions to a place that a scenario touches, one per address, the oldest."""
    phases = works.phases_of(territory, works_id, scenario)
    stretches = [one for phase in phases for one in phase.stretches]
    if not stretches:
        return []
    names = {tuple(words(one.name)) for one in stretches if one.name}
    lines = shapely.multilinestrings([shapely.linestrings(one.line) for one in stretches])
    districts = {
        one.slug
        for one in territory_queries.zones(territory, "quartier")
        if shapely.from_wkb(one.shape).intersects(lines)
    }
    rows = Subscription.objects.filter(territory=territory, category="", report=None).exclude(confirmed_at=None)
    found: dict[str, Subscription] = {}
    for row in rows.order_by("pk"):
        if _meets(row, names, districts, lines):
            found.setdefault(row.email, row)
    return subscription_infos(found.values())


def _meets(row: Subscription, names: set[tuple[str, ...]], districts: set[str], lines: shapely.Geometry) -> bool:
    if row.street and tuple(words(row.street)) not in names:
        return False
    if row.district and row.district not in districts:
        return False
    return row.zone_wkb is None or bool(shapely.from_wkb(bytes(row.zone_wkb)).intersects(lines))


def write_works_to(event_id: int, subscription_id: int, facts: dict[str, Any], *, at: datetime) -> None:
    """Write to one address of works, unless she has left; tried again later when it cannot be."""
    try:
        one = subscription_of(subscription_id)
    except SubscriptionNotFound:
        return
    if not one.confirmed:
        return
    try:
        _letter(event_id, one, facts).send()
    except OSError:
        logger.exception("works of %s could not be told", one.territory)
        _enqueue(event_id, subscription_id, facts, run_after=at + TRY_AGAIN)


def _letter(event_id: int, one: SubscriptionInfo, facts: dict[str, Any]) -> EmailMessage:
    reader, town = reader_of(one), territory_queries.territory(one.territory).name
    with translation.override(one.language):
        subject = _subject(facts).format(town=town, title=facts["title"])
        text = [
            *_told(facts, one.territory),
            _("Vous recevez ce message parce que vous suivez : {what}.").format(what=news.described(one)),
            _("Choisir ce que vous suivez et à quel rythme, ou tout arrêter : {url}").format(
                url=page_url(one.territory, news.PAGES["reader"], reader.token)
            ),
            town,
        ]
        message = message_to(one.email, one.language, subject, text)
    message.extra_headers |= {
        "Message-ID": f"<works-{event_id}-{one.id}@{domain_of(one.territory)}>",
        **news.ending_headers(one.territory, reader.token),
    }
    return message


def _subject(facts: dict[str, Any]) -> str:
    if facts["published"]:
        return _("Travaux à {town} : {title}")
    return _("Travaux terminés à {town} : {title}") if facts["over"] else _("Travaux retirés à {town} : {title}")


def _told(facts: dict[str, Any], territory: str) -> Sequence[str]:
    if not facts["published"]:
        end = _("Ces travaux sont terminés.") if facts["over"] else _("La commune a retiré ces travaux.")
        return [end, _("Tous les travaux annoncés : {url}").format(url=page_url(territory, ALL))]
    first, last = (date_format(date.fromisoformat(facts[name]), "j F Y") for name in ("first", "last"))
    return [
        _("Du {first} au {last}.").format(first=first, last=last),
        _("Rues : {streets}.").format(streets=", ".join(facts["streets"])),
        _("Phases, effets et déviations : {url}").format(url=page_url(territory, PAGE, str(facts["works"]))),
    ]
