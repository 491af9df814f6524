"""What subscribers are told: gathered as it happens, sent in one message, at most once an hour or once a day."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.clock import queries as clock
from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory import queries as territory
from beffroi.sense.places import queries as places
from beffroi.serve.cases import events as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OUTCOME_TITLES, STATUS_TITLES, Sight
from beffroi.serve.cases.mails import domain_of, message_to, one_click_end, page_url
from beffroi.serve.reports.categories import open_categories
from beffroi.serve.reports.models import News, Reader, Report, Subscription
from beffroi.serve.reports.subscriptions import (
    ReaderInfo,
    SubscriptionInfo,
    SubscriptionNotFound,
    ending_soon,
    note_warned,
    reader_info,
    subscribers_to,
    subscription_of,
    subscriptions_of,
)

logger = logging.getLogger(__name__)

KINDS = (
    cases.OPENED, cases.RELEASED, cases.ACCEPTED, cases.SCHEDULED, cases.CLOSED, cases.REOPENED, cases.JOINED,
)  # fmt: skip
_NEW = frozenset({cases.OPENED, cases.RELEASED})
APART = timedelta(hours=1)
DAILY_AT = time(18)
TRY_AGAIN = timedelta(minutes=15)
# Addresses are far from one another in a village.
ON_THE_STREET_M = 150.0

PAGES: dict[str, str] = {
    "report": "portal:public-report",
    "confirm": "portal:subscription",
    "reader": "portal:subscriptions",
    "end": "portal:subscriptions-end",
}
"""The names of the addresses that messages give."""


def gather(event: RecordedEvent) -> None:
    """Keep what happened to a public report for each of its subscribers, and have each written to when it is time."""
    if event.payload.get("case_kind") != "report":
        return
    found = Report.objects.select_related("case").filter(
        case_queries.public(event.territory, prefix="case__"),
        pk=case_queries.case_id_of(str(event.payload["number"])),
    )
    row = found.first()
    if row is None:
        return
    for one in subscribers_to(row, streets=_streets_near(row)):
        _keep(one, row, event)


def _streets_near(row: Report) -> list[str]:
    """Return the street of the nearest address: what its author wrote may name it otherwise, or not at all."""
    try:
        near = places.reverse(row.lon, row.lat, citycode=row.case.territory)
    except BeffroiError:
        return []
    return [one.hit.entry.title for one in near if one.distance_m <= ON_THE_STREET_M]


@transaction.atomic
def _keep(one: SubscriptionInfo, row: Report, event: RecordedEvent) -> None:
    Reader.objects.get_or_create(
        territory=one.territory, email=one.email, defaults={"language": one.language, "active_at": event.at}
    )
    to = Reader.objects.select_for_update(of=("self",)).get(territory=one.territory, email=one.email)
    if event.actor is not None and event.actor == to.person_id:
        return
    _kept, is_new = News.objects.get_or_create(
        subscription_id=one.id, event=event.id, defaults={"report": row, "is_new": event.kind in _NEW}
    )
    if is_new and to.due_at is None:
        _plan(to, next_moment(to, at=event.at))


def next_moment(to: Reader, *, at: datetime) -> datetime:
    """Return when a reader is next written to of what happens at `at`."""
    if to.rhythm == Reader.DAILY:
        local = at.astimezone(clock.timezone_of(to.territory))
        evening = datetime.combine(local.date(), DAILY_AT, tzinfo=local.tzinfo)
        return evening if evening > at else evening + timedelta(days=1)
    return at if to.written_at is None else max(at, to.written_at + APART)


def _plan(to: Reader, due_at: datetime) -> None:
    """Have a worker write to a reader at `due_at`; in the caller's transaction."""
    from beffroi.serve.reports.tasks import write_to_reader

    to.due_at = due_at
    to.save(update_fields=["due_at"])
    write_to_reader.using(run_after=due_at).enqueue(int(to.pk))


def write_to(reader_id: int, *, at: datetime) -> bool:
    """Send a reader what waits for her, once, and tell whether a message left; tried again later when it cannot.

    What is no longer public at that moment is left out. Nothing is lost nor marked sent before the server of mail has
    taken the message; taken twice, it bears the same ``Message-ID``.
    """
    if not Reader.objects.filter(pk=reader_id, due_at__lte=at).update(due_at=at + TRY_AGAIN):
        return False
    reader = reader_info(Reader.objects.get(pk=reader_id))
    waiting = list(
        News.objects.filter(subscription__territory=reader.territory, subscription__email=reader.email)
        .exclude(subscription__confirmed_at=None)
        .select_related("report__case__lead")
        .order_by("pk")
    )
    message = _digest(reader, waiting)
    try:
        if message is not None:
            message.send()
    except OSError:
        logger.exception("news of %s could not be sent", reader.territory)
        with transaction.atomic():
            _plan(Reader.objects.get(pk=reader_id), at + TRY_AGAIN)
        return False
    _sent(reader, waiting, at, written=message is not None)
    return message is not None


@transaction.atomic
def _sent(reader: ReaderInfo, told: Sequence[News], at: datetime, *, written: bool) -> None:
    News.objects.filter(pk__in=[one.pk for one in told]).delete()
    row = Reader.objects.select_for_update(of=("self",)).filter(pk=reader.id).first()
    if row is None:
        return
    if written:
        row.written_at = row.active_at = at
    row.due_at = None
    row.save(update_fields=["written_at", "active_at", "due_at"])
    # What came while it was being sent.
    if News.objects.filter(subscription__territory=row.territory, subscription__email=row.email).exists():
        _plan(row, next_moment(row, at=at))


def plan_forgotten(at: datetime) -> None:
    """Plan anew what should have been sent an hour ago, and let go of addresses that never confirmed."""
    for row in Reader.objects.filter(due_at__lt=at - APART).order_by("pk"):
        with transaction.atomic():
            _plan(row, at)
    Subscription.objects.filter(confirmed_at=None, asked_at__lt=at - timedelta(days=7)).delete()
    Reader.objects.filter(active_at__lt=at - timedelta(days=7)).exclude(
        email__in=Subscription.objects.values("email")
    ).delete()


def warn_of_ends(at: datetime) -> int:
    """Write to those whose subscriptions end within a month, with the page that renews them; return how many.

    Told tomorrow again when the server of mail does not answer; not at all to one whose end came first.
    """
    written = 0
    for reader_id, ending in ending_soon(at).items():
        reader = reader_info(Reader.objects.get(pk=reader_id))
        try:
            _last_call(reader, ending).send()
        except OSError:
            logger.exception("an end of subscription could not be told in %s", reader.territory)
            continue
        note_warned([one.id for one in ending], at=at)
        written += 1
    return written


# --- Words ------------------------------------------------------------------------------------------------------------


def described(one: SubscriptionInfo) -> str:
    """Return what a subscription is about, in the language of the moment."""
    if one.report:
        return _("le signalement {number}").format(number=one.report)
    parts = []
    if one.category:
        known = open_categories(one.territory).get(one.category)
        parts.append(_(known.category.label) if known else one.category)
    if one.street:
        parts.append(one.street)
    if one.district:
        names = {zone.slug: zone.name for zone in territory.zones(one.territory, "quartier")}
        parts.append(names.get(one.district, one.district))
    if one.zone:
        parts.append(_("la zone que vous avez choisie"))
    return ", ".join(parts)


def ask_to_confirm(event: RecordedEvent) -> None:
    """Send an address the link by which its owner says that she wishes to be told."""
    try:
        one = subscription_of(int(event.payload["id"]))
    except SubscriptionNotFound:
        return
    if one.confirmed:
        return
    name = territory.territory(one.territory).name
    with translation.override(one.language):
        words = [
            _(
                "Quelqu’un, vous sans doute, demande que {town} vous écrive à propos de ce qui est signalé et des "
                "travaux : {what}."
            ).format(town=name, what=described(one)),
            _("Pour le vouloir vraiment, ouvrez cette page et confirmez : {url}").format(
                url=page_url(one.territory, PAGES["confirm"], one.token)
            ),
            _("Si ce n’est pas vous, ne faites rien : rien d’autre ne vous sera envoyé, et cette demande s’efface."),
            name,
        ]
        message = message_to(one.email, one.language, _("Confirmez votre abonnement aux signalements"), words)
    message.extra_headers["Message-ID"] = f"<subscription-{event.id}@{domain_of(one.territory)}>"
    message.send()


def _last_call(reader: ReaderInfo, ending: Sequence[SubscriptionInfo]) -> EmailMessage:
    name = territory.territory(reader.territory).name
    with translation.override(reader.language):
        last = min(one.ends_at for one in ending if one.ends_at)
        words = [
            _("Dans un mois, {town} ne vous écrira plus à propos de :").format(town=name)
            + "".join(f"\n- {described(one)}" for one in ending),
            _("Pour continuer deux ans, ouvrez cette page et pressez « Continuer » : {url}").format(
                url=page_url(reader.territory, PAGES["reader"], reader.token)
            ),
            _("Si vous ne faites rien, ces abonnements et votre adresse s’effacent d’eux-mêmes."),
            name,
        ]
        message = message_to(reader.email, reader.language, _("Vos abonnements aux signalements se terminent"), words)
    message.extra_headers |= {
        "Message-ID": f"<ending-{reader.id}-{last:%Y%m%d}@{domain_of(reader.territory)}>",
        **ending_headers(reader.territory, reader.token),
    }
    return message


def _digest(reader: ReaderInfo, waiting: Sequence[News]) -> EmailMessage | None:
    """Return the message that tells how each report in `waiting` stands, None when nothing is left to tell."""
    by_report: dict[int, list[News]] = {}
    for one in waiting:
        by_report.setdefault(one.report_id, []).append(one)
    public = set(
        Report.objects.filter(case_queries.public(reader.territory, prefix="case__"), pk__in=by_report)
        .order_by()
        .values_list("pk", flat=True)
    )
    kept = {key: news for key, news in by_report.items() if key in public}
    if not kept:
        return None
    name = territory.territory(reader.territory).name
    with translation.override(reader.language):
        new = [_line(news[0].report) for news in kept.values() if any(one.is_new for one in news)]
        changed = [_line(news[0].report) for news in kept.values() if not any(one.is_new for one in news)]
        words = []
        if new:
            words.append("\n".join([_("Nouveaux signalements"), *new]))
        if changed:
            words.append("\n".join([_("Ce qui a changé"), *changed]))
        followed = "\n".join(f"- {described(one)}" for one in subscriptions_of(reader))
        words += [
            _("Vous recevez ce message parce que vous suivez :") + f"\n{followed}",
            _("Choisir ce que vous suivez et à quel rythme, ou tout arrêter : {url}").format(
                url=page_url(reader.territory, PAGES["reader"], reader.token)
            ),
            name,
        ]
        subject = ngettext(
            "Signalements à {town} : une nouvelle", "Signalements à {town} : {n} nouvelles", len(kept)
        ).format(town=name, n=len(kept))
        message = message_to(reader.email, reader.language, subject, words)
    message.extra_headers |= {
        "Message-ID": f"<news-{reader.id}-{waiting[0].pk}@{domain_of(reader.territory)}>",
        **ending_headers(reader.territory, reader.token),
    }
    return message


def ending_headers(territory: str, token: str) -> dict[str, str]:
    """Return the headers by which a reader's mailbox ends it all by itself, without a page (RFC 8058)."""
    return one_click_end(page_url(territory, PAGES["end"], token), list_id=f"signalements.{domain_of(territory)}")


def _line(row: Report) -> str:
    info = case_queries.case_info(row.case, Sight.PUBLIC)
    known = open_categories(info.territory).get(info.category)
    label = _(known.category.label) if known else info.category
    state = _(OUTCOME_TITLES[info.outcome]) if info.outcome else _(STATUS_TITLES[info.status])
    where = f", {row.street}" if row.street else ""
    answer = f"\n  {info.answer}" if info.answer else ""
    url = page_url(info.territory, PAGES["report"], info.number)
    return f"- {label}{where} ({info.number}) : {state}{answer}\n  {url}"
