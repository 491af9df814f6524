"""Timetables on disk and in this process (see `mobility.versions`).

<data>/mobility/<territory>/transit/<feed>/current              name of the version in use
                                          /versions/<version>/  arrays (`timetable.py`), report.json
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from beffroi.base.kernel.errors import NotFound
from beffroi.sense.mobility import store as graphs
from beffroi.sense.mobility import versions
from beffroi.sense.mobility.transit.checking import PERIOD, Notice, in_order, period_notice
from beffroi.sense.mobility.transit.timetable import Timetable, load, save


class NoTimetable(NotFound):
    """No timetable of that name is known."""


def home(territory: str, feed: str = "") -> Path:
    """Return the folder of a territory's timetables, or of one of its feeds."""
    return graphs.home(territory) / "transit" / feed


def put_in_place(timetable: Timetable, notices: Sequence[Notice]) -> None:
    """Save a timetable and its report, and have the next request answered from it."""
    folder = home(str(timetable.about["territory"]), str(timetable.about["feed"]))
    report = json.dumps([one.as_json() for one in notices], ensure_ascii=False)

    def write(made: Path) -> None:
        save(timetable, made)
        (made / "report.json").write_text(report, encoding="utf-8")

    versions.put_in_place(folder, timetable.version, write)


def forget(territory: str, feed: str) -> None:
    """Have nothing answered from this feed any more."""
    shutil.rmtree(home(territory, feed), ignore_errors=True)


def current_version(territory: str, feed: str) -> str | None:
    """Return the version in use, None when there is none."""
    return versions.current_version(home(territory, feed))


def feeds(territory: str) -> list[str]:
    """Return the feeds of a territory that have a timetable, by name."""
    try:
        return sorted(one.name for one in home(territory).iterdir() if (one / "current").is_file())
    except FileNotFoundError:
        return []


# A feed is asked for by anyone: what is no slug would name another folder.
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_TIMETABLES = versions.Newest(load)


def timetable_of(territory: str, feed: str) -> Timetable:
    """Return the timetable of a feed; one put in place meanwhile is taken up here, by any process.

    Raises:
        NoTimetable: none was built.
    """
    try:
        if not _SLUG.fullmatch(feed):
            raise FileNotFoundError(feed)
        return _TIMETABLES.of((territory, feed), home(territory, feed))
    except (FileNotFoundError, NotADirectoryError):
        raise NoTimetable(
            "aucun horaire du réseau « {feed} » pour la commune {territory}",
            remedy="importez son GTFS, puis : beffroi transit build --commune {territory}",
            feed=feed[:60],
            territory=territory or "(aucune)",
        ) from None


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
