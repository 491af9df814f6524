"""The alerts of other authorities: which feeds, asked in turn by a worker, and what is kept of each.

<data>/cap/<name>.toml

    territory = "34172"
    title     = "Vigicrues"                       # who it comes from, as the pages say it
    address   = "https://…/cap.atom"              # one CAP message, or an Atom or RSS index of some
    every_s   = 300

A feed that fails changes nothing but what is said of it. A message that is no CAP 1.2 is left out and told; the others
are kept. Nothing is ever shown as the town's own.
"""

from __future__ import annotations

import logging
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import shapely
from django.conf import settings
from django.db import transaction

from beffroi.base.journal.locks import stream_lock
from beffroi.base.kernel import outside
from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.data_files import read_each, read_table, require_keys
from beffroi.serve.alerts.cap_checks import MOST_BYTES, BadCap, parsed
from beffroi.serve.alerts.cap_reading import Message, links_of, read_message
from beffroi.serve.alerts.models import CapFeed, Received

logger = logging.getLogger(__name__)
FOLDER = "cap"
KEYS = ("territory", "title", "address", "every_s")
SOONEST_S, USUAL_S, LATEST_S = 30, 300, 86_400
LONGEST_WAIT = timedelta(hours=1)
TIMEOUT_S = 20.0
MOST_MESSAGES = 200
MOST_REPLACED = 50
KEPT = timedelta(days=31)
TURN_S = 15
AGENT = "Beffroi (CAP 1.2)"
_ADDRESS = re.compile(r"https?://[^\s/]+/?\S*")


class BadFeed(BeffroiError):
    """A file of `<data>/cap/` does not read, or its feed does not answer."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: the town it is for, its name, who it comes from, where, and how often it is asked."""

    territory: str
    source: str
    title: str
    address: str
    every_s: int


@dataclass(frozen=True, slots=True)
class ReceivedInfo:
    """An alert of another authority, with its source. `told` are its words by name."""

    source: str
    told: dict[str, str]
    sent_at: datetime
    starts_at: datetime | None
    until: datetime


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed goes: when it was last read, what went wrong, which of its messages could not be kept."""

    feed: Feed
    read_at: datetime | None
    problem: str
    refused: tuple[str, ...]


def feeds() -> tuple[list[Feed], list[BadFeed]]:
    """Return the feeds of this installation, and why each other file does not read."""
    return read_each(Path(settings.DATA_DIR) / FOLDER, read_feed, BadFeed)


def read_feed(path: Path) -> Feed:
    """Read one file.

    Raises:
        BadFeed: says the file, the key and the remedy.
    """
    where = f"{FOLDER}/{path.name}"
    told = read_table(path, where=where, refused=BadFeed)
    missing = [key for key in KEYS[:3] if not isinstance(told.get(key), str) or not told[key].strip()]
    require_keys(unknown=[key for key in told if key not in KEYS], missing=missing, known=KEYS, where=where,
                 refused=BadFeed)  # fmt: skip
    if not _ADDRESS.fullmatch(told["address"]):
        raise BadFeed("adresse « {address} » illisible", where=where, remedy="donnez une adresse https://…",
                      address=told["address"][:80])  # fmt: skip
    every_s = told.get("every_s", USUAL_S)
    if not isinstance(every_s, int) or not SOONEST_S <= every_s <= LATEST_S:
        raise BadFeed("every_s hors des bornes", where=where, remedy="de {least} à {most} secondes", least=SOONEST_S,
                      most=LATEST_S)  # fmt: skip
    return Feed(told["territory"], path.stem[:60], told["title"].strip()[:120], told["address"], every_s)


def poll(at: datetime) -> int:
    """Ask every feed whose turn has come, and return how many messages are new."""
    return sum(ask(one, at) for one in feeds()[0] if _is_due(one, at))


def _is_due(feed: Feed, at: datetime) -> bool:
    row = CapFeed.objects.filter(territory=feed.territory, source=feed.source).first()
    return row is None or row.next_at is None or row.next_at <= at


def ask(feed: Feed, at: datetime) -> int:
    """Read one feed and keep what is new of it; return how many messages are."""
    with stream_lock(FOLDER, f"{feed.territory}/{feed.source}") as held:
        if not held:
            return 0
        row, _is_new = CapFeed.objects.get_or_create(territory=feed.territory, source=feed.source)
        row.tried_at = at
        try:
            found, refused = _read(feed)
        except BeffroiError as error:
            row.failures += 1
            row.problem = str(error)[:500]
            row.next_at = at + min(timedelta(seconds=feed.every_s * 2 ** min(row.failures, 8)), LONGEST_WAIT)
            row.save()
            logger.warning("%s/%s: %s", feed.territory, feed.source, error)
            return 0
        new = sum(keep(feed, one, at=at) for one in sorted(found, key=lambda one: one.sent_at))
        row.failures, row.problem, row.refused, row.read_at = 0, "", refused, at
        row.next_at = at + timedelta(seconds=feed.every_s)
        row.save()
        return new


def _read(feed: Feed) -> tuple[list[Message], list[str]]:
    """Return the messages of a feed, and why each other one could not be kept.

    Raises:
        BadFeed: it does not answer. BadCap: it is neither a message nor an index.
    """
    root = parsed(fetched(feed.address))
    links = links_of(root)
    if links is None:
        one = read_message(root, territory=feed.territory)
        return ([one] if one is not None else []), []
    found, refused = [], []
    for link in links[:MOST_MESSAGES]:
        address = urljoin(feed.address, link)
        try:
            message = read_message(fetched(address), territory=feed.territory)
        except (BadCap, BadFeed) as error:
            refused.append(f"{address[:120]} : {error}"[:300])
            continue
        if message is not None:
            found.append(message)
    return found, refused


def fetched(address: str) -> bytes:
    """Return what an address of the outside world answers: never one of the inside, unless the town named it.

    Raises:
        BadFeed: no answer, a refusal, or too much.
    """
    headers = {"User-Agent": AGENT, "Accept": "application/cap+xml, */*;q=0.5"}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - outside.opener only opens http(s)
    try:
        way = outside.opener(allowed=outside.public_or(settings.INNER_HOSTS))
        with way.open(request, timeout=TIMEOUT_S) as response:
            content = response.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise BadFeed("réponse {status}", where=address[:120], remedy="réessayé sans cesse",
                      status=error.code) from error  # fmt: skip
    except (OSError, ValueError, outside.InsideAddress) as error:
        raise BadFeed("sans réponse ({reason})", where=address[:120], remedy="vérifiez l’adresse",
                      reason=str(error)[:120]) from error  # fmt: skip
    if len(content) > MOST_BYTES:
        raise BadFeed("réponse de plus de {most} Mo", where=address[:120], remedy="vérifiez l’adresse",
                      most=MOST_BYTES >> 20)  # fmt: skip
    return bytes(content)


@transaction.atomic
def keep(feed: Feed, message: Message, *, at: datetime) -> bool:
    """Keep a message, and let it take the place of those it replaces; tell whether it is new.

    A message that does not concern the town is not kept, yet what it replaces goes: the danger has moved away.
    """
    own = Received.objects.filter(territory=feed.territory, source=feed.source)
    for sender, identifier in message.replaces[:MOST_REPLACED]:
        # Only its own sender speaks for a message.
        if sender != message.sender:
            continue
        # Not come yet, it is known to be over all the same: feeds do not keep the order.
        row, is_unknown = own.get_or_create(
            territory=feed.territory, source=feed.source, sender=sender, identifier=identifier[:200],
            defaults={"sent_at": message.sent_at, "told": {}, "until": at + KEPT, "received_at": at, "replaced_at": at},
        )  # fmt: skip
        if not is_unknown and row.replaced_at is None:
            row.replaced_at = at
            row.save(update_fields=["replaced_at"])
    if message.kind == "Cancel" or not message.concerns or message.until <= at:
        return False
    zone = message.zone
    bounds = dict(zip(("west", "south", "east", "north"), zone.bounds, strict=True)) if zone is not None else {}
    _row, is_new = own.get_or_create(
        territory=feed.territory, source=feed.source, sender=message.sender, identifier=message.identifier,
        defaults={
            "sent_at": message.sent_at, "told": message.told | {"source": feed.title}, "starts_at": message.starts_at,
            "until": message.until, "received_at": at, "zone_wkb": None if zone is None else shapely.to_wkb(zone),
            **bounds,
        },
    )  # fmt: skip
    return is_new


def received(territory: str, *, at: datetime) -> list[ReceivedInfo]:
    """Return the alerts of other authorities in force for a town, the gravest then the last first."""
    order = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
    rows = Received.objects.filter(territory=territory, replaced_at=None, until__gt=at).order_by("-sent_at", "pk")
    found = [ReceivedInfo(row.told["source"], row.told, row.sent_at, row.starts_at, row.until) for row in rows[:50]]
    return sorted(found, key=lambda one: order.index(one.told["severity"]))


def states(territory: str) -> list[FeedState]:
    """Return how the feeds of a town go."""
    rows = {row.source: row for row in CapFeed.objects.filter(territory=territory)}
    found = []
    for feed in feeds()[0]:
        if feed.territory == territory:
            row = rows.get(feed.source)
            found.append(
                FeedState(feed, row.read_at, row.problem, tuple(row.refused)) if row else FeedState(feed, None, "", ())
            )
    return found


def forget_old(at: datetime) -> None:
    """Delete what has been over for a month."""
    Received.objects.filter(until__lt=at - KEPT).delete()
