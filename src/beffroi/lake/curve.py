"""The lines of a text put along a curve, without holding them: in files, each of a stretch of it. Knows no Django.

A line is the shortest form that a row has: moving it twice costs half a second of processor per million; sorting
typed rows that do not fit in memory costs three. A first pass drops each line in the file of its stretch; each is then
put in order alone, when its rows are written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from arro3.core import Array, Table

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.lake.connectors.figures import Octets, Positions
from beffroi.lake.connectors.regular import whole_lines
from beffroi.lake.line_names import BLOCK, NAME, Marks, Names, marks_of, ranks_of_equals
from beffroi.lake.reading import Lines

STRETCH_BYTES = 16 << 20
_PART_BYTES = 4 << 20
_MOST_FILES = 300
"""How many stretches there are; half as many files more may be open together: a process is allowed 1,024."""

_NOWHERE = 2**32 - 1
_END, _RETURNED = 10, b"\r\n"
_TWO_OCTETS = 1 << 16
_THREADS = 2
_HALF, _RANK = np.uint64(32), np.uint64(0xFFFFFFFF)

_LOOKED_AT = 1_000
"""How many keys of each stretch are looked at to tell where it begins."""

Keys: TypeAlias = "npt.NDArray[np.uint32]"
Rows: TypeAlias = "npt.NDArray[np.void]"
_ROW = np.dtype([("key", "<u4"), ("size", "<u4"), ("mark", "<u8")])
"""What is kept of a line: its place along the curve, its octets, its mark."""


class TextChanged(BeffroiError):
    """The source is not, when it is written, what it was when it was read."""


def along(x: str, y: str, box: BBox) -> str:
    """Return the SQL of where a point (the SQL of its degrees) stands along the Hilbert curve of `box`."""
    bounds = f"{{'min_x': {box.west!r}, 'min_y': {box.south!r}, 'max_x': {box.east!r}, 'max_y': {box.north!r}}}"
    return f"ST_Hilbert({x}, {y}, {bounds}::BOX_2D)"


def keys_along(con: Any, points: npt.NDArray[np.float32], box: BBox) -> Keys:
    """Return where each of `points` (n, 2), degrees, stands along the Hilbert curve of `box`; NaN stands at the end."""
    # What is handed over row after row is read by one thread: each asks for its share.
    cursors = [con.cursor() for _ in range(_THREADS)]
    with ThreadPoolExecutor(_THREADS) as threads:
        keys = np.concatenate(list(threads.map(partial(_keys_of, box), cursors, np.array_split(points, _THREADS))))
    for cursor in cursors:
        cursor.close()
    return keys


def _keys_of(box: BBox, con: Any, points: npt.NDArray[np.float32]) -> Keys:
    con.register("points", Table.from_pydict({"x": _column(points, 0), "y": _column(points, 1)}))
    at = f"CASE WHEN isnan(x) THEN {_NOWHERE}::UINTEGER ELSE {along('x', 'y', box)} END"
    return np.asarray(con.execute(f"SELECT {at} AS at FROM points").fetchnumpy()["at"], dtype=np.uint32)  # noqa: S608 - ours


def _column(points: npt.NDArray[np.float32], side: int) -> Array:
    return Array(np.ascontiguousarray(points[:, side]))


@dataclass(frozen=True, slots=True)
class Named:
    """Lines in order, each behind its name: the file they are in, their marks, how many equal one before them."""

    file: Path
    marks: Marks
    equals: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines of a stretch of the curve, alone in a file as they were read, and what is kept of each."""

    file: Path
    rows: list[Rows]

    def put_in_order(self, separator: str) -> Named:
        """Put the lines in the order of their keys, those of one key in their own, each behind its name.

        Of equal lines all but the first have their rank in their name.
        """
        rows = np.concatenate(self.rows)
        self.rows.clear()
        keys = rows["key"].astype(np.uint64)
        if keys.min() == keys.max():
            # Of one key, however many they are: they stand as they were read, and are not held.
            names = _names(rows["mark"], np.arange(len(keys)), separator)
            aside = self.file.with_suffix(".named")
            _name_all(self.file, aside, names)
            aside.replace(self.file)
            return Named(self.file, names.marks, len(names.ranks))
        # Each with its rank below it: numbers are put in order in half the time that it takes to rank them.
        keys <<= _HALF
        keys |= np.arange(len(keys), dtype=np.uint64)
        keys.sort()
        order = (keys & _RANK).astype(np.intp)
        # Equal lines are at the same place: most have it for themselves.
        keys >>= _HALF
        near = np.zeros(len(keys), dtype=bool)
        near[1:] = keys[1:] == keys[:-1]
        near[:-1] |= near[1:]
        names = _names(rows["mark"][order], np.flatnonzero(near), separator)
        sizes = rows["size"].astype(np.intp)
        starts = np.cumsum(sizes) - sizes
        # In its own place: a file made again would ask for its memory again.
        with self.file.open("r+b") as handle:
            data = handle.read()
            handle.seek(0)
            handle.write(_named(data, starts[order], sizes[order], names).data)
        return Named(self.file, names.marks, len(names.ranks))


def _names(marks: Marks, near: Positions, separator: str) -> Names:
    """Return the names of lines in their order; those at `near` may equal others."""
    return Names(marks, ranks_of_equals(marks, near), separator.encode())


def _name_all(source: Path, target: Path, names: Names) -> None:
    """Write to a file the lines of another, each behind its name."""
    first = 0
    with source.open("rb") as handle, target.open("wb") as out:
        for part in whole_lines(handle, _PART_BYTES):
            starts, lengths = _lines_of(part)
            last = first + len(starts)
            out.write(_named(part, starts, lengths, names.of(first, last)).data)
            first = last


def stretches_of(lines: Lines, keys: Keys, folder: Path) -> list[Stretch]:
    """Drop the lines in files of `folder`, one per stretch of the curve, and return those that hold some, in order.

    Raises:
        TextChanged: there are no more as many lines as keys.
    """
    bounds = _bounds(keys, lines.path.stat().st_size)
    files = [folder / f"{rank:03}.lines" for rank in range(len(bounds) + 1)]
    dropped = _dropped(lines, keys, bounds, files)
    return [Stretch(file, some) for file, some in zip(files, dropped, strict=True) if some]


def _bounds(keys: Keys, size: int) -> Keys:
    """Return the first key of every stretch but the first: stretches hold about as many lines each.

    A key that would fill several (a place given for want of a better one, no place at all) has one of its own.
    """
    count = min(_MOST_FILES, size // STRETCH_BYTES + 1)
    ordered = np.sort(keys[:: len(keys) // (count * _LOOKED_AT) + 1])
    firsts = ordered[[len(ordered) * rank // count for rank in range(1, count)]]
    crowded = firsts[1:][firsts[1:] == firsts[:-1]]
    return np.unique(np.concatenate([firsts, crowded[crowded < _NOWHERE] + np.uint32(1)]))


@dataclass(frozen=True, slots=True)
class _Dropped:
    """Lines in the order of their stretches, what is kept of them, and where those of each stretch end in both."""

    octets: Octets
    rows: Rows
    octet_ends: list[int]
    row_ends: list[int]


def _dropped(lines: Lines, keys: Keys, bounds: Keys, files: list[Path]) -> list[list[Rows]]:
    """Drop each line in the file of its stretch; return what is kept of those of each, in their order."""
    stretches: list[list[Rows]] = [[] for _ in files]
    with ExitStack() as opened:
        handle = opened.enter_context(lines.path.open("rb"))
        targets = [opened.enter_context(file.open("wb")) for file in files]
        for _ in range(lines.skip):
            handle.readline()
        for part in _in_turn(handle, lines, keys, bounds):
            cuts = zip(pairwise([0, *part.octet_ends]), pairwise([0, *part.row_ends]), strict=True)
            for rank, ((begin, end), (first, last)) in enumerate(cuts):
                if end > begin:
                    targets[rank].write(part.octets[begin:end].data)
                    # Copied, so that they are let go with their stretch.
                    stretches[rank].append(part.rows[first:last].copy())
    return stretches


def _in_turn(handle: BinaryIO, lines: Lines, keys: Keys, bounds: Keys) -> Iterator[_Dropped]:
    """Yield the text by parts of whole lines, each in the order of its stretches, by all threads; few are held."""
    looked: deque[tuple[bytes, Future[tuple[Positions, Positions]]]] = deque()
    moving: deque[Future[_Dropped]] = deque()
    first = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for part in chain(whole_lines(handle, _PART_BYTES, bytes(BLOCK)), [b""] * _THREADS):
            looked.append((part, threads.submit(_lines_of, part)))
            if len(looked) <= _THREADS:
                continue
            data, found = looked.popleft()
            last = first + len(found.result()[0])
            if last > len(keys):
                raise _changed(lines.path)
            blank = lines.blank[np.searchsorted(lines.blank, first) : np.searchsorted(lines.blank, last)] - first
            moving.append(threads.submit(_by_stretch, data, *found.result(), keys[first:last], bounds, blank))
            first = last
            if len(moving) > 2 * _THREADS:
                yield moving.popleft().result()
        if first != len(keys):
            raise _changed(lines.path)
        for left in moving:
            yield left.result()


def _by_stretch(
    data: bytes, starts: Positions, lengths: Positions, keys: Keys, bounds: Keys, blank: Positions
) -> _Dropped:
    rows = np.empty(len(keys), dtype=_ROW)
    rows["key"], rows["size"] = keys, lengths
    returned = data[: len(data) - BLOCK].endswith(_RETURNED)
    rows["mark"] = marks_of(data, starts, lengths - (len(_RETURNED) if returned else 1))
    stretch = np.searchsorted(bounds, keys, side="right").astype(np.uint16)
    # Blank lines are put after all the others, and left there.
    stretch[blank] = len(bounds) + 1
    order = np.argsort(stretch, kind="stable")[: len(keys) - len(blank)]
    ends = np.cumsum(np.bincount(stretch, minlength=len(bounds) + 2))[:-1]
    after = lengths[order]
    octets = np.concatenate([[0], np.cumsum(after)])
    target = np.empty(octets[-1], dtype=np.uint8)
    _move(data, starts[order], after, target, octets[:-1])
    return _Dropped(target, rows[order], octets[ends].tolist(), ends.tolist())


def _named(data: bytes, starts: Positions, lengths: Positions, names: Names) -> Octets:
    """Return the lines of a text that are at `starts`, each behind its name."""
    heads, ranked = names.heads(), names.ranked()
    sizes = np.full(len(starts), heads.shape[1])
    for at, text in ranked.items():
        sizes[at] += len(text)
    ends = np.cumsum(lengths + sizes)
    places = ends - lengths
    begins = places - sizes
    target = np.empty(ends[-1] if len(ends) else 0, dtype=np.uint8)
    _texts(target.data, heads.shape[1])[begins] = heads.view(f"V{heads.shape[1]}")[:, 0]
    for at, text in ranked.items():
        target[begins[at] + NAME : places[at]] = np.frombuffer(text + names.separator, dtype=np.uint8)
    _move(data, starts, lengths, target, places)
    return target


def _lines_of(data: bytes) -> tuple[Positions, Positions]:
    """Return where the lines of a text begin, and their lengths."""
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == _END) + 1
    starts = np.concatenate([np.zeros(1, dtype=np.intp), ends[:-1]])[: len(ends)]
    return starts, ends - starts


def _move(data: bytes, starts: Positions, lengths: Positions, target: Octets, places: Positions) -> None:
    """Copy lines of a text to their places: those of one length are moved together, and hold no thread back."""
    # Numbers of two octets are ranked by counting them.
    short = lengths.max(initial=0) < _TWO_OCTETS
    by_length = np.argsort(lengths.astype(np.uint16) if short else lengths, kind="stable")
    starts, places, sizes = starts[by_length], places[by_length], lengths[by_length]
    cuts = [*np.flatnonzero(np.diff(sizes, prepend=-1)).tolist(), len(sizes)]
    for first, last in pairwise(cuts):
        size = int(sizes[first])
        source, moved = _texts(data, size), _texts(target.data, size)
        moved[places[first:last]] = source[starts[first:last]]


def _texts(data: bytes | memoryview, size: int) -> Any:
    """Return the texts of a size that begin at each place; nothing is copied."""
    return np.ndarray(shape=(len(data) - size + 1,), dtype=f"V{size}", buffer=data, strides=(1,))


def _changed(path: Path) -> TextChanged:
    return TextChanged(
        "le fichier a changé pendant sa lecture", where=path.name, remedy="relancez quand il ne change plus"
    )
