"""Fill an SQLite R*Tree at once, from boxes already in spatial order.

Inserting a million boxes one by one takes SQLite some ten seconds; packing its nodes from the Hilbert order and writing
them as its documentation lays them out takes one, and gives a tighter tree.

Source: https://sqlite.org/rtree.html (§6, shadow tables) and the comments of ext/rtree/rtree.c; `rtreecheck` agrees.
"""

from __future__ import annotations

import sqlite3

import numpy as np
import numpy.typing as npt

_CELL = np.dtype([("number", ">i8"), ("west", ">f4"), ("east", ">f4"), ("south", ">f4"), ("north", ">f4")])
_ROOT = 1
_AT_ONCE = 200_000


def fill(index: sqlite3.Connection, table: str, numbers: npt.NDArray[np.int64], boxes: npt.NDArray[np.float64]) -> None:
    """Write every box into the empty R*Tree `table`.

    `numbers` are the row numbers, shape (n,); `boxes` are west, south, east, north in degrees, shape (n, 4), without
    NaN, in an order where neighbours are near.
    """
    if not len(numbers):
        return
    node_bytes = index.execute(f"SELECT length(data) FROM {table}_node WHERE nodeno = {_ROOT}").fetchone()[0]  # noqa: S608
    per_node = (node_bytes - 4) // _CELL.itemsize
    cells = _cells(numbers, boxes)
    depth, next_node = 0, _ROOT + 1
    while len(cells) > per_node:
        starts = np.arange(0, len(cells), per_node)
        nodes = np.arange(next_node, next_node + len(starts), dtype=np.int64)
        owners = np.repeat(nodes, np.diff(np.append(starts, len(cells))))
        _link(index, table, cells, owners, leaf=depth == 0)
        _write(index, table, nodes, [cells[start : start + per_node] for start in starts], node_bytes, depth=0)
        cells, next_node, depth = _parents(cells, starts, nodes), next_node + len(starts), depth + 1
    _link(index, table, cells, np.full(len(cells), _ROOT), leaf=depth == 0)
    _write(index, table, np.array([_ROOT]), [cells], node_bytes, depth=depth)


def _cells(numbers: npt.NDArray[np.int64], boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.void]:
    cells = np.empty(len(numbers), dtype=_CELL)
    cells["number"] = numbers
    for side, position, outwards in (("west", 0, -1), ("south", 1, -1), ("east", 2, 1), ("north", 3, 1)):
        exact = boxes[:, position]
        single = exact.astype(np.float32)
        short = (single > exact) if outwards < 0 else (single < exact)
        # Rounded outwards: the tree may find too much, never too little.
        cells[side] = np.where(short, np.nextafter(single, np.float32(outwards * np.inf)), single)
    return cells


def _parents(
    cells: npt.NDArray[np.void], starts: npt.NDArray[np.int64], nodes: npt.NDArray[np.int64]
) -> npt.NDArray[np.void]:
    parents = np.empty(len(starts), dtype=_CELL)
    parents["number"] = nodes
    for side in ("west", "south"):
        parents[side] = np.minimum.reduceat(cells[side].astype(np.float32), starts)
    for side in ("east", "north"):
        parents[side] = np.maximum.reduceat(cells[side].astype(np.float32), starts)
    return parents


def _link(
    index: sqlite3.Connection,
    table: str,
    cells: npt.NDArray[np.void],
    owners: npt.NDArray[np.int64],
    *,
    leaf: bool,
) -> None:
    """Say in which node each row (leaf) or child node lies."""
    target = f"{table}_rowid (rowid, nodeno)" if leaf else f"{table}_parent (nodeno, parentnode)"
    numbers = cells["number"]
    for start in range(0, len(cells), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        pairs = zip(numbers[part].tolist(), owners[part].tolist(), strict=True)
        index.executemany(f"INSERT INTO {target} VALUES (?,?)", pairs)  # noqa: S608


def _write(
    index: sqlite3.Connection,
    table: str,
    nodes: npt.NDArray[np.int64],
    contents: list[npt.NDArray[np.void]],
    node_bytes: int,
    *,
    depth: int,
) -> None:
    rows = (
        (
            int(node),
            (depth.to_bytes(2, "big") + len(cells).to_bytes(2, "big") + cells.tobytes()).ljust(node_bytes, b"\0"),
        )
        for node, cells in zip(nodes, contents, strict=True)
    )
    index.executemany(f"INSERT OR REPLACE INTO {table}_node VALUES (?,?)", rows)  # noqa: S608
