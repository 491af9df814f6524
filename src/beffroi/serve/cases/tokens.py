"""Tokens that open one row without an account: sealed with the installation's key, written nowhere."""

from __future__ import annotations

import re

from django.utils.crypto import constant_time_compare, salted_hmac


def token_of(kind: str, key: int) -> str:
    """Return the token of a row; `kind` says of what, so that the token of one thing never opens another. 128 bits."""
    return f"{key:x}.{salted_hmac(kind, str(key), algorithm='sha256').hexdigest()[:32]}"


def key_of(kind: str, token: str) -> int | None:
    """Return the row that a token opens, None when it is not one of ours."""
    match = re.fullmatch(r"([0-9a-f]{1,15})\.[0-9a-f]{32}", token.strip())
    key = int(match[1], 16) if match else 0
    if match is None or not constant_time_compare(token.strip(), token_of(kind, key)):
        return None
    return key
