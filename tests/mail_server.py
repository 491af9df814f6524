"""A real SMTP server on this machine, for the time of a test, and what it was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from servers import PATIENCE_S, free_port


class Box:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def told(self) -> list[tuple[str, str, str]]:
        return [(str(m["To"]), str(m["Subject"]), m.get_content()) for m in self.messages]


@contextmanager
def mail_server(settings: Any) -> Iterator[Box]:
    """Have the site send its messages to a server of its own, by SMTP."""
    found = Box()
    controller = Controller(found, hostname="127.0.0.1", port=free_port(), ready_timeout=PATIENCE_S)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    try:
        yield found
    finally:
        controller.stop()
