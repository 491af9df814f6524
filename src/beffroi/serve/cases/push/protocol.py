"""Web Push as its three standards say: a message only one device reads, and a signature its relay asks for.

The relay is the browser vendor's; it sees when a message passes, its size rounded up, and nothing of what it says.

Source: RFC 8291 (message encryption), RFC 8188 (aes128gcm), RFC 8292 (VAPID), RFC 8030 (the relay's headers).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from beffroi.base.kernel.files import written_once

RECORD_SIZE = 4096
# Lengths alone would tell which sentence was sent.
PADDED_TO = 256
# 4,096 bytes in all (RFC 8291, 4), less the header, the tag and the mark of the end.
MOST_PLAIN = 3839
SIGNED_FOR = timedelta(hours=12)


class BadKey(ValueError):
    """What a device gave is not a key."""


def unpacked(text: str) -> bytes:
    """Return the bytes of URL-safe base64, with or without its padding.

    Raises:
        BadKey: it is not base64.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKey("not base64") from error


def packed(content: bytes) -> str:
    """Return URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes of a public key (uncompressed point)."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def device_key(text: str) -> ec.EllipticCurvePublicKey:
    """Return the public key that a device gave.

    Raises:
        BadKey: it is no point of the curve P-256.
    """
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpacked(text))
    except ValueError as error:
        raise BadKey("not a point of P-256") from error


def encrypted(
    plain: bytes,
    *,
    to: str,
    secret: str,
    own: ec.EllipticCurvePrivateKey,
    salt: bytes,
    padded_to: int = PADDED_TO,
) -> bytes:
    """Return the body that only the device whose key is `to` and whose `secret` it shares can read.

    Args:
        plain: at most `MOST_PLAIN` bytes.
        to, secret: ``p256dh`` and ``auth`` of its subscription, in base64.
        own: a key made for this message alone.
        salt: sixteen random bytes.
        padded_to: the plain text and its mark are rounded up to a multiple of this.

    Raises:
        BadKey: a key is not one.
        ValueError: the message is too long.
    """
    if len(plain) > MOST_PLAIN:
        raise ValueError(f"{len(plain)} bytes, {MOST_PLAIN} at most")
    theirs, ours = device_key(to), point(own.public_key())
    content_key, nonce = _keys(own.exchange(ec.ECDH(), theirs), secret, salt, point(theirs) + ours)
    marked = plain + b"\2"
    marked += b"\0" * (-len(marked) % padded_to)
    header = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(content_key).encrypt(nonce, marked, None)


def deciphered(body: bytes, *, key: ec.EllipticCurvePrivateKey, secret: str) -> bytes:
    """Return what a device reads of a body, by its private key.

    Raises:
        InvalidTag: it was written to another device, or changed on its way.
    """
    salt, sender, record = body[:16], body[21:86], body[86:]
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    content_key, nonce = _keys(key.exchange(ec.ECDH(), theirs), secret, salt, point(key.public_key()) + sender)
    return AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")[:-1]


def _keys(shared: bytes, secret: str, salt: bytes, both: bytes) -> tuple[bytes, bytes]:
    seed = _derived(shared, unpacked(secret), b"WebPush: info\0" + both, 32)
    return (
        _derived(seed, salt, b"Content-Encoding: aes128gcm\0", 16),
        _derived(seed, salt, b"Content-Encoding: nonce\0", 12),
    )


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)


def new_message_key() -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """Return a key and a salt for one message."""
    return ec.generate_private_key(ec.SECP256R1()), os.urandom(16)


def signed(endpoint: str, *, key: ec.EllipticCurvePrivateKey, contact: str, at: datetime) -> str:
    """Return the ``Authorization`` by which a relay knows that the sender is the one the device subscribed to.

    `contact` is the address (``mailto:`` or ``https:``) where the relay's keepers may write.
    """
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((at + SIGNED_FOR).timestamp()), "sub": contact}
    body = ".".join(packed(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(body.encode(), ec.ECDSA(hashes.SHA256())))
    signature = packed(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={body}.{signature}, k={packed(point(key.public_key()))}"


def installation_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key of this installation, drawn once and kept in `path` (mode 0600).

    Every subscription is bound to it: another key, and no device hears us any more.
    """
    if not path.exists():
        drawn = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        written_once(path, drawn)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadKey(f"{path}: not a key of P-256")
    return key
