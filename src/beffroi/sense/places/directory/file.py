"""The file of a directory: its sheets in their order, their facets, and an index of all their words.

One SQLite file per use case and class of readers, written aside, read by every process, never changed. Words go through
their stems (see `kernel.stems`); SQLite's own full-text index (FTS5, part of every build of Python) holds them, in two
columns: those of titles, and all the others, documents included.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from beffroi.base.kernel.stems import stems
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places.directory.sheets import Sheet, Spot
from beffroi.sense.places.lexicon import Lexicon
from beffroi.sense.places.opened import Opened

FORMAT = "1"
"""Changes when files written before can no longer be read as they are."""

Numbers = npt.NDArray[np.int64]

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sheet (n INTEGER PRIMARY KEY, slug TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, said BLOB);
CREATE INDEX sheet_id ON sheet (slug, id);
CREATE TABLE facet (name TEXT NOT NULL, value TEXT NOT NULL, numbers BLOB NOT NULL);
CREATE TABLE spot (n INTEGER PRIMARY KEY, sheet INTEGER NOT NULL, lon REAL, lat REAL, hours TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(title, body, content='', tokenize='ascii');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
"""


def write_file(path: Path, sheets: Sequence[Sheet], said: Mapping[str, str], *, stamp: str) -> None:
    """Write a directory to `path`, a name nobody reads yet. `said` is the text of documents, by their address."""
    path.unlink(missing_ok=True)
    facets: dict[tuple[str, str], list[int]] = defaultdict(list)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # Nobody reads this file before it is whole: no journal, no waiting for the disk until the end.
        db.executescript("PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        db.execute("BEGIN")
        for n, sheet in enumerate(sheets):
            text = said.get(sheet.paper, "") if sheet.paper else ""
            packed = zlib.compress(text.encode()) if text else None
            db.execute("INSERT INTO sheet VALUES (?,?,?,?,?)", (n, sheet.ref.slug, sheet.id, _told(sheet), packed))
            title, body = " ".join(stems(sheet.title)), " ".join(stems(f"{sheet.text} {text}"))
            db.execute("INSERT INTO words (rowid, title, body) VALUES (?,?,?)", (n, title, body))
            for name, values in sheet.facets.items():
                for value in values:
                    facets[name, value].append(n)
            db.executemany(
                "INSERT INTO spot (sheet, lon, lat, hours) VALUES (?,?,?,?)",
                [(n, one.lon, one.lat, one.hours) for one in sheet.spots],
            )
        rows = ((name, value, np.array(found, dtype="<i8").tobytes()) for (name, value), found in facets.items())
        db.executemany("INSERT INTO facet VALUES (?,?,?)", rows)
        meta = {"format": FORMAT, "stamp": stamp, "count": str(len(sheets))}
        db.executemany("INSERT INTO meta VALUES (?,?)", list(meta.items()))
        db.execute("COMMIT")
        db.execute("INSERT INTO words (words) VALUES ('optimize')")


def _told(sheet: Sheet) -> str:
    told = {
        "territory": sheet.ref.territory, "title": sheet.title, "about": sheet.about, "day": sheet.day,
        "values": dict(sheet.values), "facets": dict(sheet.facets), "paper": sheet.paper,
        "spots": [[dict(one.values), one.lon, one.lat, dict(one.door) if one.door else None, one.hours]
                  for one in sheet.spots],
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False)


class File(Opened):
    """One open directory: arrays shared by the threads of a process, a connection for each of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        if meta.get("format") != FORMAT:
            raise FileNotFoundError(path)
        self.stamp, self.count = meta["stamp"], int(meta["count"])
        self.facets: dict[str, dict[str, Numbers]] = defaultdict(dict)
        for name, value, numbers in self._db.execute("SELECT name, value, numbers FROM facet ORDER BY value"):
            self.facets[name][value] = np.frombuffer(numbers, dtype="<i8")
        spots = self._db.execute("SELECT sheet, lon, lat, hours FROM spot ORDER BY n").fetchall()
        self.spot_sheets: Numbers = np.array([one[0] for one in spots], dtype=np.int64)
        self.spot_lons = np.array([one[1] for one in spots], dtype=np.float64)
        self.spot_lats = np.array([one[2] for one in spots], dtype=np.float64)
        self.spot_hours = tuple(one[3] for one in spots)
        self._lexicon: Lexicon | None = None

    def matching(self, asked: str) -> Numbers:
        """Return the sheets that answer an FTS5 expression, in their order."""
        # One text of numbers: four times as quick as as many rows.
        (joined,) = self._db.execute("SELECT group_concat(rowid) FROM words WHERE words MATCH ?", (asked,)).fetchone()
        return np.fromstring(joined or "", dtype=np.int64, sep=",")

    def near_word(self, stem: str) -> str:
        """Return the word of the directory that is one slip away, the same when none is."""
        if self._lexicon is None:
            terms = [row[0] for row in self._db.execute("SELECT term FROM vocabulary ORDER BY term")]
            self._lexicon = Lexicon(terms)
        found = self._lexicon.near(stem, most=1 if len(stem) < 7 else 2, open_ended=False)
        best = min(found, key=lambda one: (one[1], one[0]), default=None)
        return stem if best is None else self._lexicon.words[best[0]]

    def sheet(self, number: int) -> Sheet:
        """Return one sheet by its place in the order."""
        row = self._db.execute("SELECT slug, id, body FROM sheet WHERE n = ?", (int(number),)).fetchone()
        return _read(*row)

    def sheet_named(self, slug: str, id: str) -> tuple[int, Sheet] | None:
        """Return the sheet of a row of a dataset and its number, None when there is none."""
        row = self._db.execute("SELECT n, slug, id, body FROM sheet WHERE slug = ? AND id = ?", (slug, id)).fetchone()
        return None if row is None else (row[0], _read(*row[1:]))

    def said(self, number: int) -> str:
        """Return the text of the document of a sheet, empty when it has none."""
        (packed,) = self._db.execute("SELECT said FROM sheet WHERE n = ?", (int(number),)).fetchone()
        return zlib.decompress(packed).decode() if packed else ""

    def sheets(self) -> Iterator[Sheet]:
        """Yield every sheet, in order."""
        for row in self._db.execute("SELECT slug, id, body FROM sheet ORDER BY n"):
            yield _read(*row)


def _read(slug: str, id: str, body: str) -> Sheet:
    told: dict[str, Any] = json.loads(body)
    return Sheet(
        DatasetRef(told["territory"], slug), id, told["title"], tuple(told["about"]), told["day"], told["values"],
        tuple(Spot(*one) for one in told["spots"]),
        {name: tuple(values) for name, values in told["facets"].items()}, told["paper"],
    )  # fmt: skip


_lock = threading.Lock()
_open: dict[str, tuple[int, File]] = {}


def opened(path: Path) -> File | None:
    """Return the directory at `path`, kept by this process until another takes its name; None when there is none."""
    key = str(path)
    try:
        inode = path.stat().st_ino
    except FileNotFoundError:
        return None
    kept = _open.get(key)
    if kept is not None and kept[0] == inode:
        return kept[1]
    with _lock:
        try:
            found = File(path)
        except (FileNotFoundError, sqlite3.DatabaseError):
            # Of another format, or damaged: made again, never half read.
            return None
        _open[key] = (inode, found)
    return found
