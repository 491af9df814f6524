"""Ask operators for the state of their charging points, as politely as the networks of transit are asked."""

from __future__ import annotations

from datetime import datetime

from beffroi.base.journal.locks import stream_lock
from beffroi.sense.mobility.charging import dynamic
from beffroi.sense.mobility.charging.sources import sources
from beffroi.sense.mobility.transit.polling import ask

KIND = "irve-dynamique"


def poll(at: datetime) -> int:
    """Ask every source whose turn has come; return how many answered something new."""
    changed = 0
    for source in sources()[0]:
        with stream_lock("charging", f"{source.territory}/{source.slug}") as held:
            if held:
                changed += ask(source, KIND, source.url, at, read=_told_at)
    return changed


def _told_at(content: bytes) -> datetime | None:
    told = dynamic.read(content, where=KIND)
    return max((one.at for one in told.values()), default=None)
