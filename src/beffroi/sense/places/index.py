"""The file of an index: one per territory and class of readers, written once, read by every process.

`entry` and `house` tell what is found; `memory` holds what finds it (see `arrays`), loaded once by each process;
`dataset` says which version of each dataset went in, as which class, and under which rights.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.base.kernel.words import words
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places import arrays
from beffroi.sense.places.answers import Entry, House, Kind
from beffroi.sense.places.arrays import Arrays
from beffroi.sense.places.lexicon import Lexicon
from beffroi.sense.places.opened import Opened

FORMAT = "2"
"""Changes when files written before can no longer be read as they are: they are made again."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dataset (n INTEGER PRIMARY KEY, slug TEXT NOT NULL, version TEXT NOT NULL, mark TEXT NOT NULL);
CREATE TABLE entry (n INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE house (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL, number INTEGER NOT NULL, suffix TEXT NOT NULL, postcode TEXT NOT NULL
);
CREATE TABLE memory (name TEXT PRIMARY KEY, kind TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
"""
_TOLD = tuple(
    field.name for field in fields(Entry) if field.name not in ("kind", "ref", "lon", "lat", "title", "weight")
)


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset as it went into an index: its slug, its version, and the mark of the columns its readers see."""

    slug: str
    version: str
    mark: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one dataset brings to an index: its entries, and the houses of each."""

    source: Source
    entries: Sequence[Entry]
    houses: Sequence[Sequence[House]]


def write_index(path: Path, gathered: Sequence[Gathered]) -> None:
    """Write the index of `gathered` to `path`, a name nobody reads yet."""
    entries = [entry for one in gathered for entry in one.entries]
    houses = [of_entry for one in gathered for of_entry in one.houses]
    origins = [number for number, one in enumerate(gathered) for _entry in one.entries]
    order = arrays.in_order(entries)
    listed = [entries[at] for at in order]
    settled = [sorted(houses[at], key=lambda house: arrays.house_key(house.number, house.suffix)) for at in order]
    packed = arrays.packed(listed, [origins[at] for at in order], settled)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # Nobody reads this file before it is whole: no journal, no waiting for the disk until the end.
        db.executescript("PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        db.execute("BEGIN")
        meta = {"format": FORMAT, "town": json.dumps(sorted(_town_words(entries, houses)))}
        db.executemany("INSERT INTO meta VALUES (?,?)", list(meta.items()))
        sources = [(n, one.source.slug, one.source.version, one.source.mark) for n, one in enumerate(gathered)]
        db.executemany("INSERT INTO dataset VALUES (?,?,?,?)", sources)
        bodies = ((n, origins[at], _told(entries[at])) for n, at in enumerate(order))
        db.executemany("INSERT INTO entry VALUES (?,?,?)", bodies)
        flat = (house for of_entry in settled for house in of_entry)
        rows = ((n, one.id, one.number, one.suffix, one.postcode) for n, one in enumerate(flat))
        db.executemany("INSERT INTO house VALUES (?,?,?,?,?)", rows)
        db.executemany("INSERT INTO memory VALUES (?,?,?)", _in_memory(packed))
        db.execute("COMMIT")


def _town_words(entries: Sequence[Entry], houses: Sequence[Sequence[House]]) -> set[str]:
    """Return the words that say no more than which town this is: its name, its postcodes."""
    streets = [entry for entry in entries if entry.city]
    postcodes = {house.postcode for of_entry in houses for house in of_entry}
    return {word for text in {entry.city for entry in streets} | postcodes for word in words(text)}


def _told(entry: Entry) -> str:
    said = {name: getattr(entry, name) for name in _TOLD}
    kept = {"title": entry.title, "weight": round(entry.weight, 3)} | {name: one for name, one in said.items() if one}
    return json.dumps(kept, ensure_ascii=False)


def _in_memory(packed: Arrays) -> Iterator[tuple[str, str, bytes]]:
    yield "lexicon", "words", "\n".join(packed.lexicon.words).encode()
    for field in fields(Arrays):
        value = getattr(packed, field.name)
        if isinstance(value, np.ndarray):
            yield field.name, value.dtype.str, value.tobytes()


class Index(Opened):
    """One open index. Its arrays are shared by the threads of a process; each reads the texts in its own connection."""

    def __init__(self, path: Path, territory: str, class_name: str) -> None:
        self.territory = territory
        self.class_name = class_name
        super().__init__(path)
        db = self._db
        meta = dict(db.execute("SELECT key, value FROM meta"))
        if meta.get("format") != FORMAT:
            raise FileNotFoundError(path)
        self.town_words = frozenset(json.loads(meta["town"]))
        kept = {name: (kind, data) for name, kind, data in db.execute("SELECT name, kind, data FROM memory")}
        lexicon = kept.pop("lexicon")[1].decode()
        loaded: dict[str, Any] = {name: np.frombuffer(data, dtype=kind) for name, (kind, data) in kept.items()}
        self.arrays = Arrays(lexicon=Lexicon(lexicon.split("\n") if lexicon else []), **loaded)
        self.sources = tuple(
            Source(slug, version, mark)
            for slug, version, mark in db.execute("SELECT slug, version, mark FROM dataset ORDER BY n")
        )

    def entry(self, number: int) -> Entry:
        """Return one entry."""
        (body,) = self._db.execute("SELECT body FROM entry WHERE n = ?", (int(number),)).fetchone()
        return self._read(int(number), body)

    def house(self, number: int) -> House:
        """Return one house, by its place in the arrays of houses."""
        row = self._db.execute("SELECT id, number, suffix, postcode FROM house WHERE n = ?", (int(number),)).fetchone()
        return self._house(int(number), row)

    def of_dataset(self, slug: str) -> Gathered | None:
        """Return what a dataset brought, to be written again in the next file; None when it brought nothing."""
        known = {source.slug: number for number, source in enumerate(self.sources)}
        if slug not in known:
            return None
        rows = self._db.execute("SELECT n, body FROM entry WHERE dataset = ? ORDER BY n", (known[slug],)).fetchall()
        entries = [self._read(number, body) for number, body in rows]
        return Gathered(self.sources[known[slug]], entries, [self._houses_of(number) for number, _body in rows])

    def _houses_of(self, number: int) -> list[House]:
        first, end = int(self.arrays.houses_from[number]), int(self.arrays.houses_from[number + 1])
        if first == end:
            return []
        rows = self._db.execute(
            "SELECT id, number, suffix, postcode FROM house WHERE n >= ? AND n < ? ORDER BY n", (first, end)
        )
        return [self._house(n, row) for n, row in enumerate(rows, start=first)]

    def _house(self, n: int, row: tuple[str, int, str, str]) -> House:
        lon, lat = float(self.arrays.house_lons[n]), float(self.arrays.house_lats[n])
        return House(row[0], row[1], row[2], lon, lat, row[3])

    def _read(self, number: int, body: str) -> Entry:
        said: Mapping[str, Any] = json.loads(body)
        slug = self.sources[int(self.arrays.datasets[number])].slug
        lon, lat = float(self.arrays.lons[number]), float(self.arrays.lats[number])
        kind: Kind = arrays.KINDS[int(self.arrays.kinds[number])]
        nowhere = np.isnan(lon)
        return Entry(
            kind=kind,
            ref=DatasetRef(self.territory, slug),
            lon=None if nowhere else lon,
            lat=None if nowhere else lat,
            **said,
        )


_lock = threading.Lock()
_open: dict[str, tuple[int, Index]] = {}


def opened(path: Path, *, territory: str, class_name: str) -> Index | None:
    """Return the index at `path`, kept by this process until another takes its name; None when there is none."""
    key = str(path)
    try:
        inode = os.stat(key).st_ino  # noqa: PTH116 - at each search
    except FileNotFoundError:
        return None
    kept = _open.get(key)
    if kept is not None and kept[0] == inode:
        return kept[1]
    with _lock:
        try:
            index = Index(path, territory, class_name)
        except (FileNotFoundError, sqlite3.DatabaseError):
            # Of another format, or damaged: made again at the next publication or the next day, never half read.
            return None
        _open[key] = (inode, index)
    return index
