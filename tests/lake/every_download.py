"""Every format of every dataset, read back by software not written here: GDAL, openpyxl, Python's csv, DuckDB alone.

python tests/lake/every_download.py DATA_DIR      # all that the installation in this folder publishes
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import duckdb
import openpyxl
import pyogrio
import shapely


class Broken(Exception):
    """A file that another reader does not find whole."""


def _csv(path: Path) -> int:
    text = path.read_text(encoding="utf-8-sig")
    csv.field_size_limit(sys.maxsize)
    return sum(1 for _row in csv.DictReader(io.StringIO(text)))


def _features(path: Path) -> int:
    # Read, not counted from the header: each geometry is parsed by GDAL.
    meta, _ids, shapes, _values = pyogrio.raw.read(path, columns=[])
    if path.suffix == ".gpkg" and (kind := meta["geometry_type"] or "").startswith("Multi"):
        kinds = {one.geom_type for one in shapely.from_wkb(shapes) if one is not None}
        if not kinds <= {kind.split()[0]}:
            raise Broken(f"{', '.join(sorted(kinds))} in a layer of {kind}")
    return len(shapes)


def _book(path: Path) -> int:
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        return sum(1 for _row in book.worksheets[0].iter_rows(values_only=True)) - 1


def _parquet(path: Path) -> int:
    with closing(duckdb.connect()) as con:
        said = dict(
            con.execute("SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
        )
        if "geo" in said and "columns" not in json.loads(said["geo"]):
            raise Broken("its GeoParquet metadata name no column")
        found: Any = con.execute("SELECT count(COLUMNS(*)), count(*) FROM read_parquet(?)", [str(path)]).fetchone()
        return int(found[-1])


def _gpx(path: Path) -> int:
    # A dataset of many things is points, or tracks; a thing without a place is in neither.
    return sum(len(_ids(path, layer)) for layer in ("waypoints", "tracks"))


def _ids(path: Path, layer: str) -> Any:
    return pyogrio.raw.read(path, layer=layer, columns=[])[2]


READERS: dict[str, Callable[[Path], int]] = {
    "csv": _csv, "geojson": _features, "gpkg": _features, "xlsx": _book, "parquet": _parquet, "gpx": _gpx,
    "dxf": _features,
}  # fmt: skip
EXACT = {"csv", "geojson", "gpkg", "xlsx", "parquet"}


def judged(format: str, content: bytes, *, rows: int, folder: Path) -> int:
    """Read a file of `rows` things and return how many were found.

    Raises:
        Broken: another reader does not find them; GPX and DXF hold places alone, and parts of them apart.
    """
    path = folder / f"download.{format}"
    path.write_bytes(content)
    try:
        found = READERS[format](path)
    except Exception as fault:
        raise Broken(f"{format}: {type(fault).__name__}: {fault}") from fault
    finally:
        path.unlink()
    if (found != rows) if format in EXACT else (rows > 0 and found == 0):
        raise Broken(f"{format}: {found} of {rows}")
    return found


def main(data: str) -> int:
    """Walk all that an installation publishes; tell what is broken and how many files were read."""
    os.environ |= {"BEFFROI_DATA_DIR": data, "DJANGO_SETTINGS_MODULE": "beffroi.config.settings"}
    import django

    django.setup()
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.lake import queries

    known, files, broken = queries.datasets(ANONYMOUS), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for one in known:
            for name in one.formats:
                made = queries.download(ANONYMOUS, one.ref, name)
                content = made.path.read_bytes() if made.path else b"".join(made.chunks or ())
                files += 1
                try:
                    judged(name, content, rows=one.rows, folder=Path(folder))
                except Broken as fault:
                    broken += 1
                    click.echo(f"{one.ref}: {fault}")
    click.echo(f"{len(known)} datasets, {files} files read by others, {broken} broken")
    return min(broken, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
