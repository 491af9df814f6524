"""The tables of a source by their names: which are its dataset's, which files stand beside it. Loads nothing heavy."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from beffroi.lake.declared import TableOptions
from beffroi.lake.definitions import Definition, definition_for

_YEAR = re.compile(r"(?:19|20)\d{2}")
_EXTENSIONS = (".csv", ".txt", ".dbf", ".shp", ".xlsx", ".ods", ".parquet")


def named(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether the name of a table meets one of the patterns, whatever the case.

    >>> named("30014_ZONE_URBA_20171013", ["*_zone_urba*", "zone_urba*"])
    True
    """
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def files_beside(path: Path, tables: TableOptions) -> list[Path]:
    """Return the files of the same folder that hold linked tables, in order: those of another year are left."""
    patterns = [pattern for one in tables.linked for pattern in one.name]
    if not patterns or not path.parent.is_dir() or path.suffix.lower() == ".zip":
        return []
    years = set(_YEAR.findall(path.stem))
    return [
        other
        for other in sorted(path.parent.iterdir())
        if other.suffix.lower() in _EXTENSIONS
        and other.name != path.name
        and named(other.stem, patterns)
        and (not years or set(_YEAR.findall(other.stem)) in (set(), years))
    ]


def definitions_of(path: Path, territory: str, definitions: Sequence[Definition]) -> list[Definition]:
    """Return every dataset file of what a source holds: several for an archive whose tables several describe.

    One that names the territory wins over the one of everywhere, for the same dataset.
    """
    tables = _tables_in(path)
    matching = [one for one in definitions if one.matches(path.name, territory) and _is_in(one, tables)]
    holding = [one for one in matching if one.tables.rows]
    ours = {one.slug for one in holding if one.territories}
    holding = [one for one in holding if one.territories or one.slug not in ours]
    if holding:
        return sorted(holding, key=lambda one: one.slug)
    found = definition_for(path.name, territory, matching)
    return [found] if found is not None else []


def _is_in(definition: Definition, tables: Sequence[str] | None) -> bool:
    """Tell whether a source of these tables holds the dataset: another theme of the same producer bears such a name."""
    wanted = definition.tables.rows
    return not wanted or tables is None or any(named(name, wanted) for name in tables)


def _tables_in(path: Path) -> list[str] | None:
    """Return the names of the members of an archive, else that of the file; None when only its reading would tell."""
    if path.suffix.lower() in (".gpkg", ".xlsx", ".ods"):
        return None
    if path.suffix.lower() == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                return [PurePosixPath(name).stem for name in archive.namelist()]
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            # What is wrong with it is said by its reading.
            return []
    return [path.stem]
