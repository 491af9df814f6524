"""Timetables on disk and in this process: built aside, put in place whole, the newest one answered from.

<data>/mobility/<territory>/transit/<feed>/current              name of the version in use
                                          /versions/<version>/  arrays (`timetable.py`), report.json
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.files import fsync_folder, fsync_tree, written_whole
from beffroi.sense.mobility import store as graphs
from beffroi.sense.mobility.transit.checking import PERIOD, Notice, in_order, period_notice
from beffroi.sense.mobility.transit.timetable import Timetable, load, save

KEPT = 2
"""Versions kept: the one in use, and the one that processes may still be answering from."""


class NoTimetable(NotFound):
    """No timetable of that name is known."""


def home(territory: str, feed: str = "") -> Path:
    """Return the folder of a territory's timetables, or of one of its feeds."""
    return graphs.home(territory) / "transit" / feed


def put_in_place(timetable: Timetable, notices: Sequence[Notice]) -> None:
    """Save a timetable and its report, and have the next request answered from it."""
    folder = home(str(timetable.about["territory"]), str(timetable.about["feed"]))
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
    try:
        made = aside / timetable.version
        save(timetable, made)
        report = json.dumps([one.as_json() for one in notices], ensure_ascii=False)
        (made / "report.json").write_text(report, encoding="utf-8")
        fsync_tree(aside)
        place = versions / timetable.version
        if place.exists():
            shutil.rmtree(place)
        made.rename(place)
        fsync_folder(versions)
        with written_whole(folder / "current", "w", encoding="utf-8") as handle:
            handle.write(timetable.version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in sorted(versions.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def forget(territory: str, feed: str) -> None:
    """Have nothing answered from this feed any more."""
    shutil.rmtree(home(territory, feed), ignore_errors=True)


def current_version(territory: str, feed: str) -> str | None:
    """Return the version in use, None when there is none."""
    try:
        return (home(territory, feed) / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def feeds(territory: str) -> list[str]:
    """Return the feeds of a territory that have a timetable, by name."""
    try:
        return sorted(one.name for one in home(territory).iterdir() if (one / "current").is_file())
    except FileNotFoundError:
        return []


# A feed is asked for by anyone: what is no slug would name another folder.
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_KNOWN: dict[tuple[str, str], tuple[tuple[str, int], Timetable]] = {}
_LOCK = threading.Lock()


def timetable_of(territory: str, feed: str) -> Timetable:
    """Return the timetable of a feed; one put in place meanwhile is taken up here, by any process.

    Raises:
        NoTimetable: none was built.
    """
    pointer = home(territory, feed) / "current"
    try:
        if not _SLUG.fullmatch(feed):
            raise FileNotFoundError(feed)
        stamp = pointer.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        raise NoTimetable(
            "aucun horaire du réseau « {feed} » pour la commune {territory}",
            remedy="importez son GTFS, puis : beffroi transit build --commune {territory}",
            feed=feed[:60],
            territory=territory or "(aucune)",
        ) from None
    key = (str(pointer), stamp)
    kept = _KNOWN.get((territory, feed))
    if kept is not None and kept[0] == key:
        return kept[1]
    with _LOCK:
        kept = _KNOWN.get((territory, feed))
        if kept is None or kept[0] != key:
            version = pointer.read_text(encoding="utf-8").strip()
            _KNOWN[territory, feed] = (key, load(home(territory, feed) / "versions" / version))
        return _KNOWN[territory, feed][1]


def report_of(territory: str, feed: str, *, on: date) -> list[Notice]:
    """Return what was found wrong with the feed in use, its end told as of a day.

    Raises:
        NoTimetable: none was built.
    """
    timetable = timetable_of(territory, feed)
    path = home(territory, feed) / "versions" / timetable.version / "report.json"
    found = [Notice.from_json(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    ends = period_notice(timetable, on)
    return in_order([*(one for one in found if one.code not in PERIOD), *([ends] if ends else [])])
