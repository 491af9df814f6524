"""Read workbooks: XLS, XLSX, ODS. Each sheet that holds a table gives a Reading; the others say why they do not."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import python_calamine

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.tabular import Draft, Numbered, aligned, check_width, loaded, reading_of
from beffroi.lake.detect.dialect import find_dialect
from beffroi.lake.detect.headers import find_header
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Rejects, Unreadable

MOST_BYTES = 256 << 20
MOST_UNPACKED_BYTES = 2 << 30
MOST_RATIO = 300
_HEAD_ROWS = 200
_ABOUT = re.compile(
    r"(?i)m[ée]ta-?donn|metadata|lisez|read ?me|notice|^description|l[ée]gende|dictionnaire|documentation"
)

Row = list[str | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as text: its name and its rows from the first line of the sheet, blank ones included."""

    name: str
    rows: list[Row]
    width: int


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the sheets of a workbook; formulas give the value their program last computed.

    Raises:
        Unreadable: the workbook is protected, damaged or too large, or none of its sheets is a table.
    """
    workbook = _opened(path)
    told: list[Evidence] = []
    sheets = list(_sheets(workbook, options, told, path))
    tables = [sheet for sheet in sheets if not _is_about(sheet, sheets)]
    about = "\n\n".join(_prose(sheet) for sheet in sheets if sheet not in tables)
    told += [
        Evidence("sheet", sheet.name, Sentence("la feuille « {name} » décrit les données", {"name": sheet.name}))
        for sheet in sheets
        if sheet not in tables
    ]
    readings = []
    for sheet in tables:
        reading = _reading(sheet, path, options, con, named=len(tables) > 1)
        reading.description = "\n".join(part for part in (reading.description, about) if part)
        readings.append(reading)
    if not readings:
        raise Unreadable("ce classeur ne contient aucun tableau", where=path.name, remedy="publiez une feuille remplie")
    readings[0].evidences += told
    return readings


def _opened(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "classeur de plus de {limit} Mo", where=path.name, remedy="publiez-le en CSV", limit=MOST_BYTES >> 20
        )
    content = path.read_bytes()
    if content.startswith(b"PK"):
        _refuse_bomb(path)
    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError as error:
        raise Unreadable(
            "ce classeur est protégé par un mot de passe", where=path.name, remedy="enregistrez-le sans mot de passe"
        ) from error
    except python_calamine.CalamineError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> Unreadable:
    return Unreadable(
        "classeur abîmé, incomplet ou d’un format inconnu ({why})",
        where=path.name,
        remedy="ouvrez-le dans un tableur et enregistrez-le à nouveau en XLSX ou ODS",
        why=" ".join(str(error).split())[:160],
    )


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path, error) from error
    limit = MOST_UNPACKED_BYTES if unpacked < MOST_RATIO * path.stat().st_size else 64 << 20
    if unpacked > limit:
        raise Unreadable(
            "ce classeur se déploie en {size} Mo, bien plus qu’un tableau n’en demande",
            where=path.name,
            remedy="publiez-le en CSV",
            size=unpacked >> 20,
        )


def _sheets(workbook: Any, options: ReadOptions, told: list[Evidence], path: Path) -> Iterator[Sheet]:
    found = [meta.name for meta in workbook.sheets_metadata]
    if options.layer and options.layer not in found:
        raise Unreadable(
            "feuille « {layer} » absente",
            where=path.name,
            remedy="feuilles présentes : {known}",
            layer=options.layer,
            known=", ".join(found[:40]),
        )
    for meta in workbook.sheets_metadata:
        if meta.typ != python_calamine.SheetTypeEnum.WorkSheet or (options.layer and meta.name != options.layer):
            continue
        if meta.visible != python_calamine.SheetVisibleEnum.Visible and not options.layer:
            why = Sentence("la feuille « {name} » est masquée : elle n’est pas publiée", {"name": meta.name})
            told.append(Evidence("sheet", meta.name, why))
            continue
        sheet = _sheet(workbook, meta.name, path)
        if sheet.width == 0:
            why = Sentence("la feuille « {name} » est vide", {"name": meta.name})
            told.append(Evidence("sheet", meta.name, why))
            continue
        yield sheet


def _sheet(workbook: Any, name: str, path: Path) -> Sheet:
    try:
        cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise _damaged(path, error) from error
    # Most cells are texts: calling for each would cost as much as all the rest.
    rows = _split_again(
        [[(cell.strip() or None) if type(cell) is str else _text(cell) for cell in row] for row in cells]
    )
    width = _width(rows)
    check_width(width, f"{path.name} [{name}]")
    return Sheet(name, [row if len(row) <= width else row[:width] for row in rows], width)


def _split_again(rows: list[Row]) -> list[Row]:
    """Split the rows of a CSV that was opened with the wrong separator, then saved as a workbook."""
    given = [line for line in _joined(rows[:_HEAD_ROWS]) if line]
    if sum(line.count(";") >= 3 for line in given) < 0.9 * max(1, len(given)):
        return rows
    dialect = find_dialect(given)
    if dialect.separator != ";" or dialect.width < 4:
        return rows
    return _resplit(_joined(rows))


def _joined(rows: Sequence[Row]) -> list[str]:
    return [",".join([cell or "" for cell in row]).rstrip(",") for row in rows]


def _resplit(lines: list[str]) -> list[Row]:
    flat = [line.replace("\n", " ") for line in lines]
    rows: list[Row] = [*csv.reader(flat, delimiter=";")]
    return rows if len(rows) == len(flat) else [[*line.split(";")] for line in flat]


def _width(rows: Sequence[Row]) -> int:
    """Return up to which column some row is filled."""
    width = 0
    for row in rows:
        if any(row[width:]):
            width = next(index for index in range(len(row), 0, -1) if row[index - 1])
    return width


def _text(cell: object) -> str | None:
    """Write a cell as the text detection reads: point decimals, ISO dates; a date without hour has none."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        plain = cell.replace(microsecond=0)
        return plain.date().isoformat() if plain.time() == dt.time() else plain.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)


def _is_about(sheet: Sheet, sheets: Sequence[Sheet]) -> bool:
    """Tell a sheet of explanations: its name says so, or it is one column of sentences beside real tables."""
    if len(sheets) == 1:
        return False
    others = [other for other in sheets if other is not sheet and other.width > 1 and not _ABOUT.search(other.name)]
    return bool(others) and (bool(_ABOUT.search(sheet.name)) or sheet.width == 1)


def _prose(sheet: Sheet) -> str:
    lines = (" : ".join(" ".join(cell.split()) for cell in row if cell and cell.strip("-_ =")) for row in sheet.rows)
    return "\n".join(line for line in lines if line)[:10_000]


def _reading(sheet: Sheet, path: Path, options: ReadOptions, con: duck.Connection, *, named: bool) -> Reading:
    where = f"{path.name} [{sheet.name}]"
    declared = options.header_line - 1 if options.header_line else None
    header = find_header(sheet.rows[:_HEAD_ROWS], sheet.width, declared=declared)
    width = max(sheet.width, len(header.titles))
    rejects = Rejects()
    numbered: Iterator[Numbered] = itertools.islice(enumerate(sheet.rows, 1), max(0, header.first_row), None)
    raw, count = loaded(con, aligned(numbered, width, rejects), width)
    draft = Draft(
        where=where,
        header=header,
        rows_read=count + rejects.total,
        rejects=rejects,
        evidences=[Evidence("format", "spreadsheet", Sentence("feuille « {name} »", {"name": sheet.name}))],
        title=sheet.name if named else (header.above[0] if header.above else ""),
        description="\n".join(header.above[0 if named else 1 :]),
    )
    return reading_of(con, raw, draft, options)
