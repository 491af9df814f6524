"""Write the rows of a version: GeoParquet 1.1. Knows no Django."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from beffroi.lake.manifest import BOX, ID
from beffroi.lake.preparing import Prepared
from beffroi.lake.reading import GEOMETRY
from beffroi.lake.sql import literal, name

ROW_GROUP = 61_440
_QUICKLY = ", COMPRESSION_LEVEL 1, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1000"
"""Dictionaries of a fifth of a group were begun for nothing by all that is never twice the same: ids, places. Those of
more than a thousand values are lost: searching in streets takes twice the time."""


def write_rows(con: Any, rows: str, prepared: Prepared, target: Path, *, quickly: bool = False) -> None:
    """Write `rows` (the SQL of a table) in their order, a box per row.

    `quickly`: Zstandard at its first level, the encodings of Parquet 2, which leave it less to do, and dictionaries
    given up sooner: a fifth less of processor, and no more disk.
    """
    columns = [ID, *(column.key for column in prepared.columns)]
    metadata = ""
    if prepared.has_geometry:
        columns += [GEOMETRY, BOX]
        metadata = f", KV_METADATA {{geo: {literal(json.dumps(_geo(prepared)))}}}"
    con.execute(
        # Identifiers are quoted keys, the path is ours.
        f"COPY (SELECT {', '.join(name(key) for key in columns)} FROM {rows}) "  # noqa: S608
        f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, "
        f"GEOPARQUET_VERSION 'NONE'{_QUICKLY if quickly else ''}{metadata})"
    )


def _geo(prepared: Prepared) -> dict[str, Any]:
    """Return GeoParquet's metadata. Without `crs`, the specification says OGC:CRS84."""
    suffix = " Z" if prepared.has_z else ""
    covering = {side: [BOX, side] for side in ("xmin", "ymin", "xmax", "ymax")}
    column = {
        "encoding": "WKB",
        "geometry_types": [kind + suffix for kind in prepared.geometry_types],
        "covering": {"bbox": covering},
        "bbox": list(prepared.bbox or ()),
    }
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
