"""A relay of notifications as browsers' vendors run one, and devices that read what passes, written from the RFCs.

It shares no code with `beffroi.serve.cases.push`: what it deciphers was written as RFC 8188 and RFC 8291 say.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _hmac(key: bytes, message: bytes) -> bytes:
    made = HMAC(key, SHA256())
    made.update(message)
    return made.finalize()


@dataclass
class Device:
    """What a browser keeps of its subscription: a private key and a secret nobody else has but the sender."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str) -> dict[str, Any]:
        return {"endpoint": endpoint, "keys": {"p256dh": packed(self.public), "auth": packed(self.secret)}}

    def read(self, body: bytes) -> bytes:
        """Decipher one message; whoever lacks the key fails."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert length == 65
        assert len(record) <= size
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.key.exchange(ec.ECDH(), theirs)
        seed = _hmac(_hmac(self.secret, shared), b"WebPush: info\0" + self.public + sender + b"\1")
        root = _hmac(salt, seed)
        key = _hmac(root, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _hmac(root, b"Content-Encoding: nonce\0\1")[:12]
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain[-1] == 2, "the last record says so"
        return plain[:-1]


@dataclass
class Heard:
    """One message as the relay sees it."""

    path: str
    headers: dict[str, str]
    body: bytes


class Relay(ThreadingHTTPServer):
    """Takes messages, checks who signed them as a relay does, and answers `status`."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.status = 201
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def signer(self, one: Heard) -> dict[str, Any]:
        """Return what the sender signed, once its signature, its audience and its time are checked."""
        scheme, _, rest = one.headers["Authorization"].partition(" ")
        token, _, key = rest.removeprefix("t=").partition(", k=")
        assert scheme == "vapid"
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpacked(key))
        return {"key": key} | jwt.decode(
            token, public, algorithms=["ES256"], audience=self.origin, options={"verify_exp": False}
        )


class _Handler(BaseHTTPRequestHandler):
    server: Relay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(Heard(self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def relay() -> Iterator[Relay]:
    server = Relay()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def said(device: Device, one: Heard) -> dict[str, str]:
    return json.loads(device.read(one.body))
