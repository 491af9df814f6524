"""How a text file separates its fields, and how its lines make records, with their exact line numbers."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.reading import Evidence

SEPARATORS = (";", "\t", ",", "|")
NAMES = {";": "le point-virgule", "\t": "la tabulation", ",": "la virgule", "|": "la barre verticale"}
NO_SEPARATOR = "\x1f"
"""Stands for the separator of a file that has one column: no such file holds this character."""

# A quoted field may hold a postal address or a polygon; beyond this, the quote was never meant to open a field.
LONGEST_RECORD_LINES = 500
LONGEST_FIELD = 1 << 24
_BATCH = 4096

csv.field_size_limit(LONGEST_FIELD)


class Record(NamedTuple):
    """One record: the 1-based physical line it starts at, its fields, and whether its quotes had to be ignored."""

    line: int
    fields: list[str]
    mended: bool = False


@dataclass(frozen=True, slots=True)
class DialectFound:
    """The separator, the number of fields most records have, and why."""

    separator: str
    width: int
    evidence: Evidence


def find_dialect(lines: list[str], *, declared: str | None = None) -> DialectFound:
    """Find the separator under which the most records of the sample `lines` have the same number of fields."""
    if declared:
        separator = {"\\t": "\t", "tab": "\t"}.get(declared, declared)[:1]
        width, _ = _fit(lines, separator)
        why = Sentence("séparateur imposé par la fiche du jeu de données")
        return DialectFound(separator, width, Evidence("separator", separator, why))
    best, best_score, best_width, best_share = ";", 0.0, 1, 0.0
    for separator in SEPARATORS:
        width, share = _fit(lines, separator)
        # Ragged agreement on many fields beats perfect agreement on one: nearly every line holds one field of itself.
        score = share * share * min(width - 1, 12) ** 0.25 if width > 1 else 0.0
        if score > best_score + 1e-9:
            best, best_score, best_width, best_share = separator, score, width, share
    if best_score < 0.15:
        why = Sentence("aucun séparateur ne découpe régulièrement les lignes : une seule colonne")
        return DialectFound(NO_SEPARATOR, 1, Evidence("separator", "", why))
    why = Sentence(
        "{name} découpe {share} % des lignes lues en {width} champs",
        {"name": NAMES[best], "share": round(100 * best_share), "width": best_width},
    )
    return DialectFound(best, best_width, Evidence("separator", best, why))


def _fit(lines: list[str], separator: str) -> tuple[int, float]:
    widths = Counter(len(record.fields) for record in records(lines, separator) if any(map(str.strip, record.fields)))
    if not widths:
        return 1, 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width == 1 and len(widths) > 1:
        # Title lines hold no separator: they do not vote when the rest of the sample agrees on something wider.
        wider, wider_count = max(((w, c) for w, c in widths.items() if w > 1), key=lambda item: (item[1], item[0]))
        if wider_count * 3 >= count and wider > 2:
            return wider, wider_count / widths.total()
    return width, count / widths.total()


def records(lines: Iterable[str], separator: str, *, width: int | None = None) -> Iterator[Record]:
    """Yield the records of `lines`, each with the physical line it starts at.

    A quote that never closes, or that closes only by swallowing other records, is taken as an ordinary character
    (the record is `mended`), so that one stray inch sign does not lose the rest of the file. `width`, when known,
    is what tells the two readings apart.
    """
    batches = _batched(lines)
    number = 1
    pending: list[str] = []
    while True:
        batch = pending + next(batches, [])
        last = len(batch) == len(pending)
        if not batch:
            return
        taken = yield from _read_batch(batch, number, separator, width, last=last)
        number += taken
        pending = batch[taken:]
        if last and not pending:
            return


def _batched(lines: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(lines)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _read_batch(
    batch: list[str], first: int, separator: str, width: int | None, *, last: bool
) -> Generator[Record, None, int]:
    """Yield the whole records of `batch`; return how many of its lines they took."""
    simple = _simple_rows(batch, separator)
    if simple is not None:
        for offset, fields in enumerate(simple):
            yield Record(first + offset, fields)
        return len(batch)
    at = 0
    while at < len(batch):
        size, record = _one_record(batch, at, first + at, separator, width, last=last)
        if record is None:
            break
        yield record
        at += size
    return at


def _simple_rows(batch: list[str], separator: str) -> list[list[str]] | None:
    """Read the batch at once when each line is a record of its own; None when a quote runs over an end of line."""
    if any(line.count('"') & 1 or "\r" in line for line in batch):
        return None
    try:
        rows = list(csv.reader(batch, delimiter=separator))
    except csv.Error:
        return None
    return rows if len(rows) == len(batch) else None


def _one_record(
    batch: list[str], at: int, line: int, separator: str, width: int | None, *, last: bool
) -> tuple[int, Record | None]:
    """Read the record that starts at `batch[at]`; (0, None) when more lines are needed to know where it ends."""
    end, quotes = at, 0
    while end < len(batch) and end - at < LONGEST_RECORD_LINES:
        quotes += batch[end].count('"')
        end += 1
        if quotes % 2 == 0:
            break
    else:
        if end - at < LONGEST_RECORD_LINES and not last:
            return 0, None
        return 1, Record(line, _unquoted(batch[at], separator), mended=True)
    fields = _parsed(batch[at:end], separator)
    if end - at > 1 and (fields is None or (width is not None and len(fields) != width)):
        alone = _unquoted(batch[at], separator)
        if fields is None or len(alone) == width:
            return 1, Record(line, alone, mended=True)
    if fields is None:
        return 1, Record(line, _unquoted(batch[at], separator), mended=True)
    return end - at, Record(line, fields)


def _parsed(lines: list[str], separator: str) -> list[str] | None:
    clean = [line.replace("\r", " ") + "\n" for line in lines]
    try:
        rows = list(csv.reader(clean, delimiter=separator))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _unquoted(line: str, separator: str) -> list[str]:
    return [field.strip('"') for field in line.split(separator)]
