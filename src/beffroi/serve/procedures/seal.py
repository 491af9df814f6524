"""The seal of the house: a signature (Ed25519) of what identifies a document, by a key of this installation alone.

It proves that this installation handed out this very file at that instant. It is an advanced mark of origin at best, no
qualified electronic signature nor seal in the sense of the regulation (EU) 910/2014, art. 3 and 35: no accredited
authority vouches for the key.

Source: RFC 8032 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beffroi.base.kernel.files import written_once


def sealed_words(*, code: str, territory: str, number: str, issued_at: datetime, digest: str) -> bytes:
    """Return the words that are signed: a version, then what identifies the document, one by line."""
    at = issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return "\n".join(("beffroi-sceau-1", code, territory, number, at, digest)).encode()


def seal(words: bytes, *, key: Path) -> str:
    """Return the signature of words in URL-safe base64."""
    return base64.urlsafe_b64encode(_installation_key(key).sign(words)).decode()


def is_ours(words: bytes, signature: str, *, key: Path) -> bool:
    """Tell whether a signature of words was made by the key of this installation."""
    try:
        _installation_key(key).public_key().verify(base64.urlsafe_b64decode(signature), words)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def public_key_pem(key: Path) -> bytes:
    """Return the public key, by which anyone checks a seal without us."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _installation_key(key).public_key().public_bytes(serialization.Encoding.PEM, form)


def _installation_key(path: Path) -> Ed25519PrivateKey:
    """Return the key of this installation, drawn once and kept in `path` (mode 0600): another, and no seal holds."""
    if not path.exists():
        drawn = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        written_once(path, drawn)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: not a key of Ed25519")
    return key
