"""The lines of a text put along a curve, without holding them: in files, each of a stretch of it. Knows no Django.

A line is the shortest form that a row has: moving it costs a tenth of a second of processor per million, twice; sorting
typed rows that do not fit in memory costs three. A first pass drops each line in the file of its stretch, a second puts
each file in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from arro3.core import Array, Table

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.lake.connectors.regular import whole_lines
from beffroi.lake.connectors.tabular import table_name
from beffroi.lake.reading import Lines

STRETCH_BYTES = 8 << 20
_PART_BYTES = 4 << 20
_MOST_FILES = 400
"""How many may be open together: a process is allowed 1,024 at least."""

_NOWHERE = 2**32 - 1

Keys: TypeAlias = "npt.NDArray[np.uint32]"


class TextChanged(BeffroiError):
    """The source is not, when it is written, what it was when it was read."""


def along(x: str, y: str, box: BBox) -> str:
    """Return the SQL of where a point (the SQL of its degrees) stands along the Hilbert curve of `box`."""
    bounds = f"{{'min_x': {box.west!r}, 'min_y': {box.south!r}, 'max_x': {box.east!r}, 'max_y': {box.north!r}}}"
    return f"ST_Hilbert({x}, {y}, {bounds}::BOX_2D)"


def keys_along(con: Any, points: npt.NDArray[np.float32], box: BBox) -> Keys:
    """Return where each of `points` (n, 2), degrees, stands along the Hilbert curve of `box`; NaN stands at the end."""
    view = table_name("points")
    con.register(view, Table.from_pydict({"x": _column(points, 0), "y": _column(points, 1)}))
    try:
        at = f"CASE WHEN isnan(x) THEN {_NOWHERE}::UINTEGER ELSE {along('x', 'y', box)} END"
        found = con.execute(f"SELECT {at} AS at FROM {view}").fetchnumpy()  # noqa: S608 - ours
    finally:
        con.unregister(view)
    return np.asarray(found["at"], dtype=np.uint32)


def _column(points: npt.NDArray[np.float32], side: int) -> Array:
    return Array(np.ascontiguousarray(points[:, side]))


def along_curve(lines: Lines, keys: Keys, folder: Path) -> list[Path]:
    """Write the lines in the order of their `keys`, those of one key in their own, and return the files, in order.

    Raises:
        TextChanged: there are no more as many lines as keys.
    """
    bounds = _bounds(keys, lines.path.stat().st_size)
    files = [folder / f"{rank:03}.csv" for rank in range(len(bounds) + 1)]
    stretches = _dropped(lines, keys, bounds, files)
    with ThreadPoolExecutor(2) as threads:
        for _ in threads.map(_put_in_order, files, stretches):
            pass
    return files


def _bounds(keys: Keys, size: int) -> Keys:
    """Return the first key of every stretch but the first: stretches hold about as many lines each."""
    count = min(_MOST_FILES, size // STRETCH_BYTES + 1)
    ordered = np.sort(keys)
    return np.unique(ordered[[len(keys) * rank // count for rank in range(1, count)]])


def _dropped(lines: Lines, keys: Keys, bounds: Keys, files: list[Path]) -> list[list[Keys]]:
    """Drop each line in the file of its stretch; return the keys of the lines of each, in their order."""
    stretches: list[list[Keys]] = [[] for _ in files]
    with ExitStack() as opened:
        handle = opened.enter_context(lines.path.open("rb"))
        targets = [opened.enter_context(file.open("wb", buffering=0)) for file in files]
        for _ in range(lines.skip):
            handle.readline()
        first = 0
        for part in whole_lines(handle, _PART_BYTES):
            texts = part.splitlines(keepends=True)
            here = keys[first : first + len(texts)]
            first += len(texts)
            _check(texts, here, lines.path)
            stretch = np.searchsorted(bounds, here, side="right").astype(np.uint16)
            order = np.argsort(stretch, kind="stable")
            moved, ends = _taken(texts, order), np.cumsum(np.bincount(stretch, minlength=len(files))).tolist()
            for rank, (begin, end) in enumerate(pairwise([0, *ends])):
                if end > begin:
                    targets[rank].write(b"".join(islice(moved, end - begin)))
                    stretches[rank].append(here[order[begin:end]])
        if first != len(keys):
            raise _changed(lines.path)
    return stretches


def _put_in_order(file: Path, stretch: list[Keys]) -> None:
    keys = np.concatenate(stretch) if stretch else np.empty(0, dtype=np.uint32)
    texts = file.read_bytes().splitlines(keepends=True)
    _check(texts, keys, file)
    file.write_bytes(b"".join(_taken(texts, np.argsort(keys, kind="stable"))))


def _taken(texts: list[bytes], order: npt.NDArray[np.intp]) -> Iterator[bytes]:
    """Return the texts in an order: all at once, as nothing in Python is faster."""
    return iter(itemgetter(*order.tolist())(texts) if len(texts) > 1 else texts)


def _check(texts: list[bytes], keys: Keys, path: Path) -> None:
    if len(texts) != len(keys):
        raise _changed(path)


def _changed(path: Path) -> TextChanged:
    return TextChanged(
        "le fichier a changé pendant sa lecture", where=path.name, remedy="relancez quand il ne change plus"
    )
