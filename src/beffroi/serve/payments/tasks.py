"""What a worker does: ask the gateways again about what they have not told, or told and was lost."""

from __future__ import annotations

from datetime import datetime

from beffroi.serve.payments import paying

TURN_S = 60


def ask_again(at: datetime) -> None:
    """Ask about the operations whose turn has come."""
    paying.ask_waiting(at)
