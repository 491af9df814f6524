"""The access code of a booking: drawn from its key by the installation's secret, written nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from beffroi.serve.bookings.hours.models import Slot
from beffroi.serve.bookings.hours.rules import SlotSettings


def code_of(slot: Slot, rules: SlotSettings) -> str:
    """Return the digits that open the door for a booking, "" when its place has no lock; moved, it has others."""
    if not rules.code_digits:
        return ""
    seal = salted_hmac("beffroi.bookings.code", f"{slot.pk}:{slot.moved}", algorithm="sha256").digest()
    return str(int.from_bytes(seal[:8], "big") % 10**rules.code_digits).zfill(rules.code_digits)


def code_from(slot: Slot, rules: SlotSettings) -> datetime | None:
    """Return from when the code of a booking is shown, None when its place has no lock."""
    return slot.starts_at - timedelta(minutes=rules.code_before_minutes) if rules.code_digits else None


def is_shown(slot: Slot, rules: SlotSettings, at: datetime) -> bool:
    """Tell whether the code is shown at an instant: a while before, and until the end."""
    start = code_from(slot, rules)
    return start is not None and start <= at < slot.ends_at
