"""Webhooks: signed, retried until acknowledged, blind to what is not public, deaf to the inside of the house."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from beffroi.base.journal.models import Delivery
from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.time import now
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import outside, webhooks
from beffroi.serve.cases.definition import BadCase
from serve_makers import agent_of, send
from territory_makers import AT, TOWN, administrator

pytestmark = pytest.mark.django_db
ADMIN = administrator()


class Ear(HTTPServer):
    """A server that hears webhooks and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Ear

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def ear(settings: Any) -> Iterator[Ear]:
    settings.WEBHOOK_PRIVATE = True
    server = Ear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _add(ear: Ear, **more: Any) -> tuple[int, str]:
    url = f"http://127.0.0.1:{ear.server_port}/signalements?ville=1"
    return webhooks.add_webhook(territory=TOWN, url=url, by=ADMIN, at=AT, **more)


def _deliver(days: float = 0) -> None:
    while deliver_pending(1000, clock=lambda: now() + timedelta(days=days)):
        pass


def test_a_public_event_is_told_signed_and_once(town: str, ear: Ear) -> None:
    key, secret = _add(ear)
    opened = send()
    _deliver()
    _deliver(1)
    ((headers, body),) = ear.heard
    seconds, _, given = headers["X-Beffroi-Signature"].removeprefix("t=").partition(",v1=")
    assert given == hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert (told["type"], told["number"], told["status"]) == ("case.opened", opened.number, "received")
    assert headers["X-Beffroi-Delivery"] == str(told["id"])
    (line,) = webhooks.webhook_deliveries(ADMIN, TOWN, key)
    assert (line.acknowledged, line.attempts, line.status) == (True, 1, 204)


def test_one_that_fails_is_tried_again_and_the_others_are_not_told_twice(town: str, ear: Ear) -> None:
    deaf, _ = webhooks.add_webhook(territory=TOWN, url="http://127.0.0.1:9/", by=ADMIN, at=AT)
    _add(ear)
    send()
    for day in range(3):
        _deliver(day)
    assert len(ear.heard) == 1
    (line,) = webhooks.webhook_deliveries(ADMIN, TOWN, deaf)
    assert (line.acknowledged, line.attempts, line.status) == (False, 3, 0)
    assert "Refused" in line.error
    webhooks.remove_webhook(webhook_id=deaf, territory=TOWN, by=ADMIN, at=AT)
    _deliver(9)
    assert Delivery.objects.count() == 0


def test_a_redirection_is_not_followed_and_a_lasting_failure_puts_to_sleep(
    town: str, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_FAILURES", 2)
    ear.status = 302
    key, _ = _add(ear)
    send()
    for day in range(4):
        _deliver(day)
    (info,) = webhooks.webhooks(ADMIN, TOWN)
    assert (info.awake, info.failures, info.last_error, len(ear.heard)) == (False, 2, "HTTP 302", 2)
    ear.status = 200
    webhooks.wake_webhook(webhook_id=key, territory=TOWN, by=ADMIN, at=AT)
    send()
    _deliver(5)
    assert webhooks.webhooks(ADMIN, TOWN)[0].failures == 0


def test_what_is_not_public_is_told_to_nobody_and_kinds_are_chosen(town: str, ear: Ear) -> None:
    _add(ear, kinds=["case.accepted"])
    opened = send()
    send("squat")
    cases.add_note(number=opened.number, text="Interne", by=agent_of("proprete"), at=AT)
    cases.accept_case(number=opened.number, by=agent_of("proprete"), at=AT)
    _deliver()
    assert [headers["X-Beffroi-Event"] for headers, _ in ear.heard] == ["case.accepted"]


@pytest.mark.parametrize(
    "url",
    [
        "http://exemple.fr/", "ftp://exemple.fr/", "https://a:b@exemple.fr/", "https://exemple.fr:8080/", "https:///x",
        "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://192.168.1.1/",
        "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "https://100.64.0.1/", "https://[fd00::1]/", "https://224.0.0.1/",
        "https://exemple.fr:x/", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_addresses_of_the_inside_are_refused(town: str, url: str) -> None:
    with pytest.raises(BadCase):
        webhooks.add_webhook(territory=TOWN, url=url, by=ADMIN, at=AT)
    assert outside.post(url, b"", {})[0] == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "169.254.169.254"])
def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    family = 10 if ":" in address else 2
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(family, 1, 6, "", (address, 443))])
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("it was called"))
    status, error = outside.post("https://piege.exemple/", b"", {})
    assert status == 0
    assert "intérieure" in error


def test_only_administrators_and_known_events(town: str) -> None:
    with pytest.raises(Refused):
        webhooks.add_webhook(territory=TOWN, url="https://exemple.fr/", by=agent_of("proprete"), at=AT)
    with pytest.raises(BadCase, match=r"case\.noted"):
        webhooks.add_webhook(territory=TOWN, url="https://exemple.fr/", kinds=["case.noted"], by=ADMIN, at=AT)
    for asked in (webhooks.webhooks, lambda viewer, town: webhooks.webhook_deliveries(viewer, town, 1)):
        with pytest.raises(Refused):
            asked(agent_of("proprete"), TOWN)
