"""Where a table starts and what its columns are called: title lines, header rows, dBase headers, keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.reading import GEOMETRY, LINE, ColumnType, Evidence

Row = Sequence[str | None]

_DBASE = re.compile(
    r"^\s*\"?(?P<title>.+?),(?P<type>[CNDFLM])(?:,(?P<size>\d{1,3})(?:,(?P<decimals>\d{1,2}))?)?\"?\s*$"
)
_DBASE_TAIL = re.compile(r"^[CNDFLM]$")
_VALUE = re.compile(
    r"^[+-]?[\d\s\u00a0\u202f]*\d([.,]\d+)?([eE][+-]?\d+)?\s*[%€]?$|^\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}([ T].*)?$"
)
_DATE = re.compile(r"^(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{2}-\d{2})([ T]\d.*)?$")
_YEAR = re.compile(r"^(1[89]|20|21)\d\d$")
# Words a query or a table writer would stumble on.
_RESERVED = {GEOMETRY, LINE, "rowid", "bbox", "id_", "fid"}
_LOOKED_AT = 40
LONGEST_KEY = 60


@dataclass(slots=True)
class HeaderFound:
    """What stands above the data: index of the first data row in the sample, titles, hints, and the lines above."""

    first_row: int
    titles: list[str]
    descriptions: list[str]
    hints: dict[int, ColumnType] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)
    evidences: list[Evidence] = field(default_factory=list)


def filled(row: Row) -> int:
    """Count the cells of `row` that are not blank."""
    return len([cell for cell in row if cell and not cell.isspace()])


def find_header(rows: Sequence[Row], width: int, *, declared: int | None = None) -> HeaderFound:
    """Find the header among the first `rows` of a table `width` columns wide.

    `declared` is the index of the header row imposed by a dataset file.
    """
    index = declared if declared is not None else _header_index(rows, width)
    if index is None:
        return _without_header(rows, width)
    titles = _titles_of(rows[index], width)
    found = HeaderFound(index + 1, titles, [""] * len(titles))
    _unpack_dbase(found)
    _join_upper_row(found, rows, index)
    _take_second_header(found, rows)
    found.above = _sentences(rows[: max(index, 0)])
    # The first title found above by joining is no longer a sentence about the table.
    if index > 0:
        why = Sentence("les {count} premiers enregistrements sont un titre ou sont vides", {"count": index})
        found.evidences.append(Evidence("header", str(index + 1), why))
    return found


def _header_index(rows: Sequence[Row], width: int) -> int | None:
    """Return the index of the first row that names most columns and does not look like data; None without one."""
    needed = width if width <= 2 else max(2, round(0.5 * width))
    for index, row in enumerate(rows[:_LOOKED_AT]):
        if filled(row) < min(needed, _usual_fill(rows[index + 1 :], width)):
            continue
        return None if _looks_like_data(row, rows[index + 1 : index + 1 + _LOOKED_AT]) else index
    full = [index for index, row in enumerate(rows[:_LOOKED_AT]) if filled(row)]
    return full[0] if full and not _looks_like_data(rows[full[0]], rows[full[0] + 1 :]) else None


def _usual_fill(rows: Sequence[Row], width: int) -> int:
    fills = sorted(count for row in rows[:200] if (count := filled(row)) > 1)
    return max(1, fills[len(fills) // 2]) if fills else 1


def _looks_like_data(row: Row, below: Sequence[Row]) -> bool:
    """Tell a data row from a header: it holds numbers or dates where the rows below do too (years are titles)."""
    cells = [(index, cell.strip()) for index, cell in enumerate(row) if cell and cell.strip()]
    values = [index for index, cell in cells if _VALUE.match(cell) and not _YEAR.match(cell)]
    if sum(1 for _, cell in cells if _DATE.match(cell)) == 1:
        return True
    alike = sum(1 for index in values if _share_of_values(below, index) > 0.5)
    if alike and alike * 4 >= len(cells):
        return True
    # The same texts again just below (categories): a header's words do not come back in its own column.
    if values or not below:
        return False
    often = max(3, len(below) * 15 // 100)
    repeated = sum(1 for index, cell in cells if sum(_cell(other, index) == cell for other in below) >= often)
    return len(cells) > 1 and repeated * 2 >= len(cells)


def _share_of_values(rows: Sequence[Row], index: int) -> float:
    cells = [cell for row in rows if (cell := _cell(row, index))]
    return sum(1 for cell in cells if _VALUE.match(cell)) / len(cells) if cells else 0.0


def _cell(row: Row, index: int) -> str:
    return (row[index] or "").strip() if index < len(row) else ""


def _titles_of(row: Row, width: int) -> list[str]:
    cells = [_clean_title(cell) for cell in row]
    while len(cells) > width and not cells[-1]:
        cells.pop()
    split = _resplit_dbase(cells, width)
    return split or [*cells, *[""] * (width - len(cells))]


def _clean_title(cell: str | None) -> str:
    text = unicodedata.normalize("NFC", (cell or "").replace("\ufeff", "").replace("\u00a0", " "))
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())


def _resplit_dbase(cells: list[str], width: int) -> list[str] | None:
    """Put back together a comma-separated dBase header (``NOM,C,254,AGE,N,5,0``) that was cut at its own commas."""
    if len(cells) <= width or sum(1 for cell in cells if _DBASE_TAIL.match(cell)) != width:
        return None
    titles: list[str] = []
    for cell, following in zip(cells, [*cells[1:], ""], strict=True):
        if _DBASE_TAIL.match(following):
            titles.append(cell)
        elif titles:
            titles[-1] += "," + cell
    return titles if len(titles) == width else None


def _unpack_dbase(found: HeaderFound) -> None:
    matches = [_DBASE.match(title) for title in found.titles]
    hits = sum(1 for match in matches if match)
    if hits == 0 or hits * 3 < sum(1 for title in found.titles if title):
        return
    for index, match in enumerate(matches):
        if match:
            found.titles[index] = match["title"].strip()
            found.hints[index] = _dbase_type(match["type"], match["decimals"])
    why = Sentence("{count} titres portent un type dBase (« NOM,C,254 ») : il est séparé du titre", {"count": hits})
    found.evidences.append(Evidence("header", "dBase", why))


def _dbase_type(letter: str, decimals: str | None) -> ColumnType:
    if letter in "NF":
        return ColumnType.NUMBER if letter == "F" or int(decimals or 0) else ColumnType.INTEGER
    return {"D": ColumnType.DATE, "L": ColumnType.BOOLEAN}.get(letter, ColumnType.TEXT)


def _join_upper_row(found: HeaderFound, rows: Sequence[Row], index: int) -> None:
    """Give each title the group named above it, when the row above spans groups of columns (merged cells)."""
    if index == 0:
        return
    upper = rows[index - 1]
    groups = [(at, _clean_title(cell)) for at, cell in enumerate(upper) if cell and cell.strip()]
    repeated = len(set(found.titles)) < len([title for title in found.titles if title])
    if len(groups) < 2 or not repeated or any(_VALUE.match(text) for _, text in groups):
        return
    for at, start in enumerate(found.titles):
        above = [text for position, text in groups if position <= at]
        if start and above and at >= groups[0][0]:
            found.titles[at] = f"{above[-1]} — {start}"
    why = Sentence("l’en-tête tient sur deux lignes : le groupe de colonnes précède chaque titre")
    found.evidences.append(Evidence("header", "2", why))


def _take_second_header(found: HeaderFound, rows: Sequence[Row]) -> None:
    """Take as descriptions a second row of words standing over columns of numbers (codes first, labels below)."""
    if found.first_row >= len(rows) - 1:
        return
    row, below = rows[found.first_row], rows[found.first_row + 1 : found.first_row + 1 + _LOOKED_AT]
    numeric = [index for index in range(len(found.titles)) if _share_of_values(below, index) > 0.8]
    words = sum(1 for index in numeric if _cell(row, index) and not _VALUE.match(_cell(row, index)))
    cells = [_cell(row, index) for index in range(len(found.titles))]
    long = sum(1 for cell in cells if " " in cell)
    if len(numeric) < 3 or words < 0.8 * len(numeric) or long < 0.4 * len(cells):
        return
    found.descriptions = [_clean_title(cell) for cell in cells]
    found.first_row += 1
    why = Sentence("une deuxième ligne d’en-tête explique les codes de la première : elle devient leur description")
    found.evidences.append(Evidence("header", "2", why))


def _without_header(rows: Sequence[Row], width: int) -> HeaderFound:
    first = next(
        (index for index, row in enumerate(rows) if filled(row) and _looks_like_data(row, rows[index + 1 :])), 0
    )
    found = HeaderFound(first, [f"colonne {number}" for number in range(1, width + 1)], [""] * width)
    found.above = _sentences(rows[:first])
    why = Sentence("aucune ligne ne nomme les colonnes : elles sont numérotées")
    found.evidences.append(Evidence("header", "0", why))
    return found


def _sentences(rows: Sequence[Row]) -> list[str]:
    joined = (" ".join(_clean_title(cell) for cell in row if cell and cell.strip()) for row in rows)
    return [text for text in joined if text]


def keys_of(titles: Sequence[str], rename: dict[str, str] | None = None) -> list[str]:
    """Return one key per title: snake_case, ASCII, unique, none that the lake or SQL keeps for itself.

    >>> keys_of(["Nom de l’élève", "Nom de l'eleve", "2013", "", "geometry"])
    ['nom_de_l_eleve', 'nom_de_l_eleve_2', 'c_2013', 'colonne_4', 'geometry_2']
    """
    taken: set[str] = set()
    keys: list[str] = []
    wanted = [_key(title, number, rename or {}) for number, title in enumerate(titles, 1)]
    for key in wanted:
        unique = key
        number = 1
        while unique in taken or unique in _RESERVED:
            number += 1
            unique = f"{key}_{number}"
        taken.add(unique)
        keys.append(unique)
    return keys


def _key(title: str, number: int, rename: dict[str, str]) -> str:
    text = rename.get(title, title).lower().replace("œ", "oe").replace("æ", "ae").replace("°", " ").replace("’", " ")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST_KEY].strip("_")
    if not key:
        return f"colonne_{number}"
    return key if key[0].isalpha() else f"c_{key}"
