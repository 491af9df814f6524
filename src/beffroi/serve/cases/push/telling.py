"""What happens to a request, told on the devices that wish to know: one sentence, and the page to read the rest.

A notification shows on a locked screen: it never quotes what was written, nor says what the request is about. Each one
is a row before it is sent; the relay's refusal or absence has it tried again, later and later, for a day. A relay that
says that a device is gone (404, 410) has it forgotten at once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.serve.cases import events, outside, queries
from beffroi.serve.cases.definition import OUTCOME_TITLES, Access, CaseNotFound, Outcome
from beffroi.serve.cases.mails import domain_of, follow_path, local_day, parties_to_tell
from beffroi.serve.cases.models import PushDevice, PushMessage
from beffroi.serve.cases.push import protocol
from beffroi.serve.cases.push.devices import devices_told_of, forget
from beffroi.serve.cases.queries import CaseInfo, PartyInfo

logger = logging.getLogger(__name__)

WORTH = timedelta(days=1)
"""How long a relay keeps what it could not hand over, and how long we try: older news is read on the page."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
MOST_FAILURES = 10
GONE = frozenset({404, 410})


def tell_devices(event: RecordedEvent) -> None:
    """Hear what happens to requests and plan a notification for each device that wishes it; heard twice, once."""
    if not settings.PUSH:
        return
    for party in parties_to_tell(event):
        try:
            info, _party = queries.followed_case(party.token)
        except CaseNotFound:
            continue
        discreet = info.access is not Access.PUBLIC
        for device in devices_told_of(party.id, party.person, event.territory, discreet=discreet):
            _plan_news(event, info, party, device)


def _plan_news(event: RecordedEvent, info: CaseInfo, party: PartyInfo, device: PushDevice) -> None:
    with translation.override(device.language):
        title = _("Votre demande {number}").format(number=party.number)
        text = _SENTENCES[event.kind](event, info)
    plan(device, event=event.id, tag=party.number, title=title, text=text, path=follow_path(info, party), at=event.at)


@transaction.atomic
def plan(device: PushDevice, *, event: int, tag: str, title: str, text: str, path: str, at: datetime) -> None:
    """Have a device told of an event of the journal, once; on it, a later one of the same `tag` takes its place."""
    words = {"title": title, "body": text, "path": path, "tag": tag, "lang": device.language}
    row, is_new = PushMessage.objects.get_or_create(
        device=device, event=event, defaults={"tag": tag, "words": words, "created_at": at, "due_at": at}
    )
    if is_new:
        _enqueue(row, at)


def _enqueue(row: PushMessage, due_at: datetime) -> None:
    from beffroi.serve.cases.tasks import send_notification

    send_notification.using(run_after=due_at).enqueue(int(row.pk))


def send(message_id: int, *, at: datetime) -> bool:
    """Send one notification and tell whether the relay took it; planned anew when it did not."""
    # Claimed first: of two workers that hold the same task, one sends.
    claimed = PushMessage.objects.filter(pk=message_id, due_at__lte=at, sent_at=None)
    if not claimed.update(due_at=at + LONGEST_WAIT, attempts=F("attempts") + 1):
        return False
    row = PushMessage.objects.select_related("device").get(pk=message_id)
    status, error = _post(row, at)
    if status and not 200 <= status < 300:
        logger.info("a relay answered %s to notification %s", error, message_id)
    return _noted(row, status, at)


def _post(row: PushMessage, at: datetime) -> tuple[int, str]:
    device = row.device
    own, salt = protocol.new_message_key()
    plain = json.dumps(row.words, ensure_ascii=False).encode()
    body = protocol.encrypted(plain, to=device.public_key, secret=device.secret, own=own, salt=salt)
    key = protocol.installation_key(settings.PUSH_KEY)
    headers = {
        "Authorization": protocol.signed(device.endpoint, key=key, contact=_contact(device.territory), at=at),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(WORTH.total_seconds())),
        # A name that says nothing to the relay, by which the later news of one request takes the earlier's place.
        "Topic": salted_hmac("beffroi.push.topic", f"{device.pk}:{row.tag}", algorithm="sha256").hexdigest()[:32],
    }
    return outside.post(device.endpoint, body, headers)


def _contact(territory: str) -> str:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"mailto:{address}" if "." in address.partition("@")[2] else f"https://{domain_of(territory)}"


@transaction.atomic
def _noted(row: PushMessage, status: int, at: datetime) -> bool:
    device = PushDevice.objects.select_for_update(of=("self",)).filter(pk=row.device_id).first()
    if device is None:
        return False
    if status in GONE:
        forget(device, at)
        return False
    taken = 200 <= status < 300
    given_up = not taken and at - row.created_at >= WORTH
    row.status = status
    if taken or given_up:
        row.words, row.due_at = {}, None
        row.sent_at = at if taken else None
        device.failures = 0 if taken else device.failures + 1
        device.seen_at = at if taken else device.seen_at
    else:
        row.due_at = at + min(LONGEST_WAIT, FIRST_WAIT * 2 ** (row.attempts - 1))
        _enqueue(row, row.due_at)
    row.save()
    if device.failures >= MOST_FAILURES:
        forget(device, at)
    else:
        device.save(update_fields=["failures", "seen_at"])
    return taken


def plan_forgotten(at: datetime) -> None:
    """Plan anew what should have been sent two hours ago, as after a worker that died."""
    for row in PushMessage.objects.filter(due_at__lt=at - 2 * LONGEST_WAIT).order_by("pk"):
        with transaction.atomic():
            PushMessage.objects.filter(pk=row.pk).update(due_at=at)
            _enqueue(row, at)


# --- Sentences, by event: what happened, never what was written -------------------------------------------------------


def _scheduled(event: RecordedEvent, info: CaseInfo) -> str:
    day = date.fromisoformat(str(event.payload["day"]))
    return _("Une intervention est prévue le {day}.").format(day=local_day(info, day))


def _closed(event: RecordedEvent, info: CaseInfo) -> str:
    # As it was then: it may have been reopened since.
    return _("Elle est close : {outcome}.").format(outcome=_(OUTCOME_TITLES[Outcome(str(event.payload["outcome"]))]))


_SENTENCES: Mapping[str, Callable[[RecordedEvent, CaseInfo], str]] = {
    events.ACCEPTED: lambda event, info: _("Un agent l’a prise en charge."),
    events.ASKED: lambda event, info: _("Le service vous pose une question."),
    events.WRITTEN: lambda event, info: _("Le service vous a écrit."),
    events.SCHEDULED: _scheduled,
    events.CLOSED: _closed,
    events.REOPENED: lambda event, info: _("Elle est rouverte."),
    events.JOINED: lambda event, info: _("Elle est suivie avec une autre demande qui concerne la même chose."),
}
KINDS = tuple(_SENTENCES)
