"""Columns ready to be filtered: one folder of arrays per column, made when a filter first names it. Knows no Django.

<lake>/.cache/.columns/<territory>/<slug>/<version>/<key>/values.npy        one number per row, in the order of the data
                                                         /order.npy, sorted.npy  the rows and their values, by value
                                                         /text.npy, starts.npy   the distinct texts, sorted, for a text

Row `n` is feature `n` of the serving index. A folder holds one column, so that the rights of a reader are the columns
she may name. It appears whole, is read in memory map, and may be deleted at any time: it is made again if asked.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from beffroi.lake import sql
from beffroi.lake.manifest import BOX
from beffroi.lake.reading import Column, ColumnType

BLOCK = 256
KEPT_VERSIONS = 4
NONE = np.iinfo(np.int64).min
"""What stands for no value in whole numbers, dates and moments; −1 does in texts and booleans, NaN in numbers."""

Array = npt.NDArray[Any]
_BOXES = "_boxes"
_END = b"\x00"

# How a column is written: the SQL of its number, and the type of the array.
_WRITTEN: dict[ColumnType, tuple[str, str]] = {
    ColumnType.INTEGER: (f"coalesce({{0}}, {NONE})", "int64"),
    ColumnType.NUMBER: ("CASE WHEN isfinite({0}) THEN {0} ELSE 'NaN'::DOUBLE END", "float64"),
    ColumnType.BOOLEAN: ("coalesce(CAST({0} AS TINYINT), -1)", "int8"),
    ColumnType.DATE: (f"coalesce(epoch_us(CAST({{0}} AS TIMESTAMP)), {NONE})", "int64"),
    ColumnType.DATETIME: (f"coalesce(epoch_us({{0}}), {NONE})", "int64"),
}


@dataclass(frozen=True)
class Texts:
    """The distinct texts of a column in the order of their UTF-8 bytes; the code of a text is its rank."""

    blob: Array
    starts: Array

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts) - 1

    def at(self, code: int) -> bytes:
        """Return the text of a code."""
        return bytes(self.blob[self.starts[code] : self.starts[code + 1] - 1])

    def rank(self, text: str, *, after: bool = False) -> int:
        """Return how many texts are before `text`, itself included with `after`."""
        wanted, low, high = text.encode("utf-8", "surrogatepass"), 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self.at(middle)
            if found < wanted or (after and found == wanted):
                low = middle + 1
            else:
                high = middle
        return low

    def matching(self, pattern: re.Pattern[bytes]) -> Array:
        """Return the codes of the texts in which `pattern` (which stays within one text) is found."""
        found = np.fromiter((match.start() for match in pattern.finditer(self.blob.tobytes())), dtype=np.int64)
        return np.unique(np.searchsorted(self.starts, found, side="right") - 1)

    @cached_property
    def folds(self) -> dict[tuple[bool, bool], list[str]]:
        """Return the texts without capitals or accents, made when first asked: see `filter_values`."""
        return {}


@dataclass(frozen=True)
class Stored:
    """One column in memory map: `values` by row, `order` the rows by value, `sorted` the values in that order."""

    values: Array
    order: Array
    sorted: Array
    texts: Texts | None = None


@dataclass(frozen=True)
class Boxes:
    """The boxes of features in degrees, `sides` of shape (4, n): west, south, east, north, NaN without geometry.

    `blocks` (4, m) sums up every `BLOCK` consecutive ones; `placed` counts those that have a box.
    """

    sides: Array
    blocks: Array
    placed: int


@lru_cache(maxsize=256)
def _opened(folder: str, _inode: int) -> Stored:
    home = Path(folder)
    texts = Texts(_mapped(home / "text.npy"), _mapped(home / "starts.npy")) if (home / "text.npy").exists() else None
    return Stored(_mapped(home / "values.npy"), _mapped(home / "order.npy"), _mapped(home / "sorted.npy"), texts)


def _mapped(path: Path) -> Array:
    # A plain array over the map: each slice of NumPy's own class costs five times more.
    return np.load(path, mmap_mode="r").view(np.ndarray)


@lru_cache(maxsize=64)
def _opened_boxes(folder: str, _inode: int) -> Boxes:
    sides = _mapped(Path(folder, "values.npy"))
    return Boxes(sides, np.load(f"{folder}/blocks.npy"), int(np.count_nonzero(~np.isnan(sides[0]))))


def column(home: Path, data: Path, asked: Column) -> Stored:
    """Return a column of the version whose rows are in `data`, made when it is not there. `home` is `home_of`."""
    return _kept(home / asked.key, lambda aside: _write_column(data, asked, aside), _opened)


def boxes(home: Path, data: Path) -> Boxes:
    """Return the boxes of the features of a version, made when they are not there."""
    return _kept(home / _BOXES, lambda aside: _write_boxes(data, aside), _opened_boxes)


def home_of(root: Path, territory: str, slug: str, version: str) -> Path:
    """Return the folder of the columns of a version."""
    return root / ".cache" / ".columns" / territory / slug / version


_making = threading.Lock()


def _kept(folder: Path, write: Any, opened: Any) -> Any:
    name = str(folder)
    with suppress(FileNotFoundError):
        return opened(name, os.stat(name).st_ino)  # noqa: PTH116 - fast path
    with _making:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _forget_others(folder.parent)
            aside = folder.with_name(f".{os.getpid()}-{folder.name}.part")
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            try:
                write(aside)
                # Another process may have made it meanwhile: the same, since a version never changes.
                with suppress(OSError):
                    aside.rename(folder)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    return opened(name, folder.stat().st_ino)


def _forget_others(home: Path) -> None:
    """Drop the columns of the versions used the longest ago; a reader that holds them open keeps them."""
    others = sorted((path for path in home.parent.iterdir() if path != home), key=lambda path: path.stat().st_mtime)
    for old in others[: max(0, len(others) - KEPT_VERSIONS + 1)]:
        shutil.rmtree(old, ignore_errors=True)


def _rows(con: Any, data: Path, selected: str, values: list[Any] | None = None) -> dict[str, Array]:
    source = f"read_parquet({sql.literal(str(data))}, file_row_number = true)"
    query = f"SELECT {selected} FROM {source} ORDER BY file_row_number"  # noqa: S608 - quoted keys, our path
    found: dict[str, Array] = con.execute(query, values or []).fetchnumpy()
    return found


def _write_column(data: Path, asked: Column, aside: Path) -> None:
    quoted = sql.name(asked.key)
    with closing(sql.connect(threads=2)) as con:
        if asked.type in _WRITTEN:
            expression, kind = _WRITTEN[asked.type]
            found = _rows(con, data, f"{expression.format(quoted)} AS v")
            _write_values(np.asarray(found["v"]).astype(kind, copy=False), aside)
            return
        _write_texts(con, data, f"replace(CAST({quoted} AS VARCHAR), chr(0), ' ')", aside)


def _write_values(values: Array, aside: Path) -> None:
    """Write the values and their order; rows of one value stay in their own order, those without one come apart."""
    order = np.argsort(values, kind="stable").astype(np.int32)
    np.save(aside / "values.npy", values)
    np.save(aside / "order.npy", order)
    np.save(aside / "sorted.npy", values[order])


def _write_texts(con: Any, data: Path, text: str, aside: Path) -> None:
    """Write each distinct text once, in order, and its rank on every row."""
    source = f"read_parquet({sql.literal(str(data))}, file_row_number = true)"
    con.execute(
        f"CREATE TEMP TABLE texts AS SELECT v, CAST(row_number() OVER (ORDER BY v) - 1 AS INTEGER) AS code "  # noqa: S608
        f"FROM (SELECT DISTINCT {text} AS v FROM {source}) WHERE v IS NOT NULL"
    )
    codes = con.execute(
        f"WITH told AS (SELECT file_row_number AS n, {text} AS v FROM {source}) "  # noqa: S608
        "SELECT coalesce(texts.code, -1) AS v FROM told LEFT JOIN texts ON told.v = texts.v ORDER BY told.n"
    ).fetchnumpy()["v"]
    _write_values(np.asarray(codes, dtype=np.int32), aside)
    cursor = con.execute("SELECT v FROM texts ORDER BY code")
    pieces: list[bytes] = []
    while batch := cursor.fetchmany(50_000):
        pieces += [row[0].encode() + _END for row in batch]
    starts = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(piece) for piece in pieces], out=starts[1:])
    np.save(aside / "text.npy", np.frombuffer(b"".join(pieces), dtype=np.uint8))
    np.save(aside / "starts.npy", starts)


def _write_boxes(data: Path, aside: Path) -> None:
    with closing(sql.connect(threads=2)) as con:
        sides = ", ".join(
            f"coalesce({BOX}.{side}, 'NaN'::DOUBLE) AS {side}" for side in ("xmin", "ymin", "xmax", "ymax")
        )
        found = _rows(con, data, sides)
    whole = np.stack([np.asarray(found[side], dtype=np.float64) for side in ("xmin", "ymin", "xmax", "ymax")])
    starts = np.arange(0, max(1, whole.shape[1]), BLOCK)
    if whole.shape[1]:
        lows = [np.fmin.reduceat(whole[side], starts) for side in (0, 1)]
        highs = [np.fmax.reduceat(whole[side], starts) for side in (2, 3)]
        blocks = np.stack([*lows, *highs])
    else:
        blocks = np.empty((4, 0))
    np.save(aside / "values.npy", whole)
    np.save(aside / "blocks.npy", blocks)
