"""Answers by e-mail: a message sent to the address that holds a token becomes a message of that thread.

Nobody is believed on the sender's address, which anyone can write: only the token opens a thread. Holiday answers and
bounces are dropped. What was quoted is cut; photos are redrawn as any other.
"""

from __future__ import annotations

import logging
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.serve.cases.definition import Audience, BadCase, CaseNotFound, Upload
from beffroi.serve.cases.intake import MAX_FILES, prepare_files
from beffroi.serve.cases.numbers import party_of
from beffroi.serve.cases.queries import followed_case
from beffroi.serve.cases.threads import write_to_service

logger = logging.getLogger(__name__)

MAX_BYTES = 25 * 1024 * 1024
_TOKEN = re.compile(r"\+([0-9a-f]{1,15}\.[0-9a-f]{32})@")
_RECIPIENTS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
# « Le 3 mars, Mairie a écrit : », « On …, Town wrote: », Outlook's rule, a signature.
_QUOTED = re.compile(
    r"^(>.*|(le|on)\b.{0,200}\b(a écrit|wrote)\s*:.*|-{2,}\s*(message d.origine|original message)\s*-{2,}.*"
    r"|_{10,}|-- ?)$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one message: the request it joined, or why it was left aside."""

    number: str = ""
    left_aside: str = ""


def receive(raw: bytes, *, at: datetime) -> Reply:
    """Put one message in the thread of its token.

    Nothing is raised for a message that cannot be kept: it is told in the answer, and the next ones go on.
    """
    if len(raw) > MAX_BYTES:
        return Reply(left_aside="trop lourd")
    message = BytesParser(policy=policy.default).parsebytes(raw)
    if _is_automatic(message):
        return Reply(left_aside="réponse automatique")
    token = _token_of(message)
    if not token:
        return Reply(left_aside="aucun jeton de suivi")
    try:
        party_of(token)
        info, _party = followed_case(token)
        text = _text_of(message)
        files = prepare_files(_photos_of(message))
        write_to_service(number=info.number, text=text, viewer=ANONYMOUS, token=token, at=at, files=files)
    except CaseNotFound:
        return Reply(left_aside="jeton inconnu")
    except BeffroiError as error:
        return Reply(left_aside=str(error))
    return Reply(number=info.number)


def receive_maildir(folder: Path, *, at: datetime) -> Iterator[Reply]:
    """Put every new message of a Maildir in its thread; each leaves the folder once it is in, or is left aside.

    One that is interrupted half-way is read again. What is left aside goes to the sub-folder ``.A-part``.
    """
    box = mailbox.Maildir(str(folder), create=False)
    aside = mailbox.Maildir(str(folder / ".A-part"), create=True)
    for key in sorted(box.keys()):
        raw = box.get_bytes(key)
        reply = receive(raw, at=at)
        if reply.left_aside:
            logger.info("message %s left aside: %s", key, reply.left_aside)
            aside.add(raw)
        box.remove(key)
        yield reply


def _is_automatic(message: EmailMessage) -> bool:
    said = str(message.get("Auto-Submitted", "no")).lower()
    return said not in ("no", "") or str(message.get("Precedence", "")).lower() in ("bulk", "junk", "auto_reply")


def _token_of(message: EmailMessage) -> str:
    for name in _RECIPIENTS:
        for value in message.get_all(name, []):
            found = _TOKEN.search(str(value).lower())
            if found:
                return found[1]
    return ""


def _text_of(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        raise BadCase("le message est vide", where="text", remedy="écrivez une phrase")
    try:
        content = str(body.get_content())
    except (LookupError, UnicodeError, ValueError):
        payload = body.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if body.get_content_subtype() == "html":
        content = _words_of(content)
    # Markup that a resident types is text; what a mail program adds is cut above.
    content = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", content).replace("<", "‹").replace("\r\n", "\n")
    return _QUOTED.split(content, maxsplit=1)[0].strip()


class _Words(HTMLParser):
    """Keep the words of a page, one line per block."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "head", "blockquote"):
            self._hidden += 1
        elif tag in ("p", "div", "br", "li", "tr"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "head", "blockquote") and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _words_of(page: str) -> str:
    reader = _Words()
    reader.feed(page)
    return "".join(reader.words)


def _photos_of(message: EmailMessage) -> list[Upload]:
    found: list[Upload] = []
    for part in message.iter_attachments():
        if part.get_content_maintype() == "image" and len(found) < MAX_FILES:
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                found.append(Upload(part.get_filename() or "photo", payload, Audience.PARTIES, "photo"))
    return found
