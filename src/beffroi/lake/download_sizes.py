"""What each download weighs, told before it is asked for: from files that are there, computing nothing.

GeoParquet, and any file already made, are weighed. The others are guessed from the serving index, by what was measured
on the open data of Montpellier (25/11/2026, 76 datasets, those of 200 rows or more): nine in ten lie between half and
twice the guess for GeoJSON, CSV, GeoPackage and XLSX; GPX and DXF vary more, with the share that shapes have in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from beffroi.lake import rights
from beffroi.lake.downloads import formats, kept_path
from beffroi.lake.manifest import Manifest
from beffroi.lake.reading import Column
from beffroi.lake.store import DatasetRef, Lake

LEAST_GUESS = 1_000_000
"""Under this many bytes a guess says no more than that: the fixed part of each format outweighs the data."""

# Medians of the size of a download over that of the serving index.
_OF_INDEX = {"geojson": 0.73, "csv": 0.18, "gpkg": 0.51, "xlsx": 0.12, "parquet": 0.07, "gpx": 0.57, "dxf": 0.26}


@dataclass(frozen=True, slots=True)
class DownloadSize:
    """The size of a file in bytes; when it is not exact, a guess of which only the order of magnitude holds."""

    size_bytes: int
    is_exact: bool

    @property
    def is_small(self) -> bool:
        """Tell whether all that can be said is that the file is under `LEAST_GUESS`."""
        return not self.is_exact and self.size_bytes < LEAST_GUESS


def download_sizes(
    lake: Lake, manifest: Manifest, class_name: str, columns: Sequence[Column]
) -> dict[str, DownloadSize]:
    """Return what a version weighs in each of its formats, with `columns` only; a few `stat` calls.

    A format is absent when nothing tells: the index of these readers has not been baked.
    """
    folder = lake.version_folder(DatasetRef(manifest.territory, manifest.slug), manifest.version)
    index = folder / f"serving.{rights.file_part(class_name)}.sqlite"
    whole = len(columns) == len(manifest.columns)
    found = {}
    for name in formats(manifest):
        file = (
            folder / "data.parquet"
            if name == "parquet" and whole
            else kept_path(lake, manifest, class_name, columns, name)
        )
        if file.is_file():
            found[name] = DownloadSize(file.stat().st_size, True)
        elif index.is_file():
            found[name] = DownloadSize(_rough(index.stat().st_size * _OF_INDEX[name]), False)
    return found


def _rough(size: float) -> int:
    """Return a size with the one figure that a guess may show."""
    return int(float(f"{size:.0e}"))
