"""A message that can be taken back: what was done, and a button that undoes it."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest

TAG = "undo"


def offer_undo(request: HttpRequest, text: str, address: str, **fields: str) -> None:
    """Say that something is done, beside a button that sends `fields` to `address`, which undoes it."""
    messages.success(request, text, extra_tags=f"{TAG}:{json.dumps({'address': address, 'fields': fields})}")


def undo_of(tags: str | None) -> dict[str, object] | None:
    """Return where the button of a message leads and what it sends, None for a message that has none."""
    _before, found, told = (tags or "").partition(f"{TAG}:")
    return json.loads(told) if found else None
