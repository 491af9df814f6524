"""Ask the networks what they tell of the moment, and keep the last message that read well.

An answer that fails (refused, cut short, no GTFS-RT) changes nothing but what is said of it: the message before it
stays, and grows old.
"""

from __future__ import annotations

import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from beffroi.base.journal.locks import stream_lock
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence
from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.transit.messages import read_message
from beffroi.sense.mobility.transit.sources import sources

logger = logging.getLogger(__name__)
TIMEOUT_S = 10.0
MOST_BYTES = 32 << 20
LONGEST_WAIT = timedelta(minutes=5)
AGENT = "Beffroi (https://github.com/beffroi)"
NOT_MODIFIED = 304


class NoAnswer(BeffroiError):
    """A network did not answer, or not wholly."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a network sent; `content` is None when nothing changed since."""

    content: bytes | None
    etag: str = ""
    modified: str = ""


class _NoOtherScheme(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if not newurl.startswith(("https://", "http://")):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_NoOtherScheme)


def poll(at: datetime) -> int:
    """Ask every address whose turn has come; return how many answered something new."""
    known, _ = sources()
    changed = 0
    for source in known:
        with stream_lock("transit", f"{source.territory}/{source.feed}") as held:
            if held:
                for kind, address in source.addresses:
                    changed += ask(source, kind, address, at, read=partial(_told_at, kind))
    return changed


def _told_at(kind: str, content: bytes) -> datetime | None:
    return read_message(content, where=kind).told_at


class Asked(Protocol):
    """Whom an address belongs to, and how often it is asked."""

    @property
    def territory(self) -> str: ...
    @property
    def feed(self) -> str: ...
    @property
    def every_s(self) -> int: ...


def ask(
    source: Asked, kind: str, address: str, at: datetime, *, read: Callable[[bytes], datetime | None]
) -> bool:  # fmt: skip
    """Ask an address whose turn has come and keep its answer; tell whether it said something new.

    `read` returns the instant that a message tells, and raises a `BeffroiError` for one that is not to be kept.
    """
    key = {"territory": source.territory, "feed": source.feed, "kind": kind}
    row = LiveMessage.objects.filter(**key).defer("content").first() or LiveMessage(**key)
    if row.next_at is not None and row.next_at > at and row.address == address:
        return False
    same = row.pk is not None and row.address == address
    try:
        answer = fetched(address, etag=row.etag if same else "", modified=row.modified if same else "")
        told_at = read(answer.content) if answer.content is not None else row.told_at
    except BeffroiError as fault:
        row.failures += 1
        row.problem = Sentence(fault.what.template, fault.what.values).as_json()
        row.address, row.tried_at = address, at
        row.next_at = at + min(timedelta(seconds=source.every_s * 2 ** min(row.failures, 8)), LONGEST_WAIT)
        _save(row, content=None)
        logger.warning("%s/%s %s: %s", source.territory, source.feed, kind, fault)
        return False
    row.address, row.etag, row.modified = address, answer.etag or row.etag, answer.modified or row.modified
    row.failures, row.problem, row.told_at = 0, None, told_at
    row.tried_at = row.fetched_at = at
    row.next_at = at + timedelta(seconds=source.every_s)
    _save(row, content=answer.content)
    return answer.content is not None


def _save(row: LiveMessage, *, content: bytes | None) -> None:
    if content is not None:
        row.content = content
        row.number += 1
        row.save()
    elif row.pk is None:
        row.content = b""
        row.save()
    else:
        row.save(update_fields=["address", "etag", "modified", "told_at", "fetched_at", "tried_at", "next_at",
                                "failures", "problem"])  # fmt: skip


def fetched(address: str, *, etag: str = "", modified: str = "") -> Answer:
    """Ask one address, with what is known of its last answer.

    Raises:
        NoAnswer: no answer in `TIMEOUT_S`, a refusal, an answer cut short or too large.
    """
    headers = {"User-Agent": AGENT, "Accept": "application/x-protobuf, application/octet-stream;q=0.9, */*;q=0.1"}
    headers |= {"If-None-Match": etag} if etag else {}
    headers |= {"If-Modified-Since": modified} if modified else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - sources.py lets only http(s) in
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S) as response:
            length = response.headers.get("Content-Length")
            if length is not None and int(length) > MOST_BYTES:
                raise _too_large(address)
            content = response.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise _too_large(address)
            if length is not None and len(content) < int(length):
                raise http.client.IncompleteRead(content, int(length) - len(content))
            return Answer(content, response.headers.get("ETag") or "", response.headers.get("Last-Modified") or "")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == NOT_MODIFIED:
            return Answer(None)
        raise NoAnswer(
            "le réseau répond {status}", where=address, remedy="réessayé sans cesse", status=error.code
        ) from error
    except http.client.IncompleteRead as error:
        raise NoAnswer("réponse coupée en route", where=address, remedy="réessayé sans cesse") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NoAnswer(
            "le réseau ne répond pas ({reason})", where=address, remedy="vérifiez l'adresse", reason=str(error)[:120]
        ) from error


def _too_large(address: str) -> NoAnswer:
    return NoAnswer("réponse de plus de {most} Mo", where=address, remedy="vérifiez l'adresse", most=MOST_BYTES >> 20)
