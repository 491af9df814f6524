"""Ask the systems of shared vehicles what they have, as politely as the networks of transit are asked."""

from __future__ import annotations

from datetime import datetime

from beffroi.base.journal.locks import stream_lock
from beffroi.sense.mobility.models import LiveMessage
from beffroi.sense.mobility.shared import gbfs
from beffroi.sense.mobility.shared.sources import System, systems
from beffroi.sense.mobility.transit.polling import ask

SELDOM_S = 3600
"""How often the files that hardly change are asked: where the others are, where stations stand."""


class _Seldom:
    def __init__(self, system: System) -> None:
        self.territory, self.feed, self.every_s = system.territory, system.feed, SELDOM_S


def poll(at: datetime) -> int:
    """Ask every file whose turn has come; return how many answered something new."""
    changed = 0
    for system in systems()[0]:
        with stream_lock("shared", f"{system.territory}/{system.slug}") as held:
            if held:
                changed += _ask_all(system, at)
    return changed


def _ask_all(system: System, at: datetime) -> int:
    seldom = _Seldom(system)
    changed = int(ask(seldom, gbfs.DISCOVERY, system.gbfs, at, read=_found))
    row = LiveMessage.objects.filter(territory=system.territory, feed=system.feed, kind=gbfs.DISCOVERY).first()
    if row is None or row.fetched_at is None:
        return changed
    data, _told_at = gbfs.read(bytes(row.content), where=gbfs.DISCOVERY)
    for kind, address in gbfs.addresses(data).items():
        changed += ask(seldom if kind == gbfs.STATIONS else system, kind, address, at, read=_read)
    return changed


def _read(content: bytes) -> datetime | None:
    return gbfs.read(content, where="gbfs")[1]


def _found(content: bytes) -> datetime | None:
    """Return the instant of a discovery file.

    Raises:
        BadGbfs: it leads to no station nor vehicle.
    """
    data, told_at = gbfs.read(content, where="gbfs")
    if not gbfs.addresses(data):
        raise gbfs.BadGbfs("aucun fichier de stations ni de véhicules", where="gbfs",
                           remedy="donnez l'adresse de gbfs.json")  # fmt: skip
    return told_at
