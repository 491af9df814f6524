"""Answers by e-mail fetched from a mailbox over IMAP, where no server of mail can leave them in a folder.

Source: RFC 3501 (IMAP4rev1), by the standard library.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from beffroi.base.kernel.errors import BeffroiError
from beffroi.serve.cases.replies import MAX_BYTES, Reply, receive

logger = logging.getLogger(__name__)

ASIDE = "A-part"
TIMEOUT_S = 30
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class MailboxUnreachable(BeffroiError):
    """A mailbox cannot be opened: its address, its name, its password or its server."""


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """Where a mailbox is: ``imaps://user@host:993/INBOX``; ``imap://`` goes over to TLS before anything is said."""

    host: str
    port: int
    user: str
    folder: str
    tls: bool

    @classmethod
    def parsed(cls, text: str) -> MailboxAddress:
        """Read an address.

        Raises:
            MailboxUnreachable: it is not one.

        >>> MailboxAddress.parsed("imaps://suivi%40mairie.fr@courriel.mairie.fr/Reponses").user
        'suivi@mairie.fr'
        """
        parts = urlsplit(text)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username or port == -1:
            raise MailboxUnreachable(
                "« {text} » n’est pas l’adresse d’une boîte",
                where="beffroi mail",
                remedy="écrivez par exemple imaps://suivi%40mairie.fr@courriel.mairie.fr/INBOX",
                text=f"{parts.scheme}://{parts.hostname or ''}",
            )
        tls = parts.scheme == "imaps"
        folder = unquote(parts.path.strip("/")) or "INBOX"
        return cls(parts.hostname, port or (993 if tls else 143), unquote(parts.username), folder, tls)


def receive_imap(address: MailboxAddress, password: str, *, at: datetime) -> Iterator[Reply]:
    """Put every message of a mailbox in its thread; each leaves the folder once it is in, or is left aside.

    One that is interrupted half-way is read again. What is left aside goes to the folder ``A-part``.

    Raises:
        MailboxUnreachable: the server does not answer, or refuses the name, the password or the folder.
    """
    try:
        box = _opened(address, password)
    except (imaplib.IMAP4.error, OSError) as error:
        raise _unreachable(address, error) from error
    try:
        for uid in _answer(box.uid("SEARCH", "UNDELETED"))[0].split():
            yield _read(box, uid.decode("ascii"), at)
    except (imaplib.IMAP4.error, OSError) as error:
        raise _unreachable(address, error) from error
    finally:
        _leave(box)


def _opened(address: MailboxAddress, password: str) -> imaplib.IMAP4:
    secure = ssl.create_default_context()
    if address.tls:
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(address.host, address.port, ssl_context=secure, timeout=TIMEOUT_S)
    else:
        box = imaplib.IMAP4(address.host, address.port, timeout=TIMEOUT_S)
        # A password never goes in clear, but within the machine.
        if address.host not in _LOOPBACK:
            box.starttls(secure)
    try:
        box.login(address.user, password)
        _answer(box.select(_quoted(address.folder)))
    except (imaplib.IMAP4.error, OSError):
        _leave(box)
        raise
    return box


def _read(box: imaplib.IMAP4, uid: str, at: datetime) -> Reply:
    too_big = _size(box, uid) > MAX_BYTES
    reply = Reply(left_aside="trop lourd") if too_big else receive(_content(box, uid), at=at)
    if reply.left_aside:
        logger.info("message %s left aside: %s", uid, reply.left_aside)
        box.create(_quoted(ASIDE))
        _answer(box.uid("COPY", uid, _quoted(ASIDE)))
    _answer(box.uid("STORE", uid, "+FLAGS", r"(\Deleted)"))
    _answer(box.expunge())
    return reply


def _size(box: imaplib.IMAP4, uid: str) -> int:
    found = re.search(rb"RFC822\.SIZE (\d+)", _answer(box.uid("FETCH", uid, "(RFC822.SIZE)"))[0])
    return int(found[1]) if found else 0


def _content(box: imaplib.IMAP4, uid: str) -> bytes:
    """Return a message whole, its mark « read » left as it is."""
    for part in _parts(box.uid("FETCH", uid, "(BODY.PEEK[])")):
        if isinstance(part, tuple):
            return bytes(part[1])
    raise imaplib.IMAP4.error(f"message {uid} came without content")


def _answer(answer: tuple[str, list[Any]]) -> list[bytes]:
    return [part[0] if isinstance(part, tuple) else part or b"" for part in _parts(answer)] or [b""]


def _parts(answer: tuple[str, list[Any]]) -> list[Any]:
    said, parts = answer
    if said != "OK":
        raise imaplib.IMAP4.error(str(parts))
    return parts


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _leave(box: imaplib.IMAP4) -> None:
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        box.logout()


def _unreachable(address: MailboxAddress, error: Exception) -> MailboxUnreachable:
    return MailboxUnreachable(
        "la boîte de {host} ne s’ouvre pas ({reason})",
        where="beffroi mail",
        remedy="vérifiez l’adresse, le nom, le dossier et BEFFROI_IMAP_PASSWORD",
        host=address.host,
        reason=str(error)[:200],
    )
