"""The present instant: the only place of the base that reads the machine's clock.

Functions take ``at``; only the doors of the house (a face, a command, a worker) and a caller that has no instant
of its own call :func:`now`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(tz=UTC)
