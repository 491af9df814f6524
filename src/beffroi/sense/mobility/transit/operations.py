"""What changes what is known of transit: timetables built from the lake, feeds checked before they are imported."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.sense.mobility.events import TIMETABLE_BUILT
from beffroi.sense.mobility.transit import store
from beffroi.sense.mobility.transit.building import build
from beffroi.sense.mobility.transit.checking import Notice, check
from beffroi.sense.mobility.transit.tables import Feed, Tables, feeds_of, from_lake, from_zip
from beffroi.sense.mobility.transit.timetable import FORM, Timetable


@dataclass(frozen=True, slots=True)
class Built:
    """What became of one feed: its timetable and what is wrong with it; None when nothing had changed."""

    feed: str
    timetable: Timetable | None
    notices: tuple[Notice, ...] = ()


def build_timetables(territory: str, *, at: datetime, announce: bool = True) -> list[Built]:
    """Build the timetable of each feed of a territory that changed in the lake; forget those the lake no longer has."""
    known = feeds_of(territory)
    found = [_built(feed, at=at, announce=announce) for feed in known]
    for gone in set(store.feeds(territory)) - {feed.slug for feed in known}:
        store.forget(territory, gone)
    return found


def _built(feed: Feed, *, at: datetime, announce: bool) -> Built:
    used = feed.versions()
    mark = hashlib.sha256(json.dumps([FORM, used], sort_keys=True).encode()).hexdigest()[:12]
    current = store.current_version(feed.territory, feed.slug)
    if current is not None and current.endswith(mark):
        return Built(feed.slug, None)
    version = f"{at:%Y%m%dT%H%M%SZ}-{mark}"
    timetable, notices = made(from_lake(feed), feed=feed.slug, territory=feed.territory, version=version, at=at)
    stops = feed.parts["stops"]
    timetable.about.update(sources=used, title=stops.title, producer=stops.producer, licence=stops.licence)
    store.put_in_place(timetable, notices)
    if announce:
        payload = {"version": version, "trips": len(timetable.trip_id), "stops": len(timetable.stops.ids)}
        with transaction.atomic():
            record(kind=TIMETABLE_BUILT, subject=f"timetable:{feed.territory}/{feed.slug}", payload=payload,
                   territory=feed.territory, at=at)  # fmt: skip
    return Built(feed.slug, timetable, tuple(notices))


def made(tables: Tables, *, feed: str, territory: str, version: str, at: datetime) -> tuple[Timetable, list[Notice]]:
    """Make the timetable of tables and the report on them."""
    timetable = build(tables, feed=feed, territory=territory, version=version, at=at)
    return timetable, check(tables, timetable, on=at.astimezone(timetable.zone).date())


def check_archive(path: Path, *, at: datetime) -> tuple[Timetable, list[Notice]]:
    """Return what a publisher's archive holds and what is wrong with it; nothing is kept.

    Raises:
        BadFeed: it does not read at all.
    """
    return made(from_zip(path), feed=path.stem, territory="", version="", at=at)
