"""Read delimited text (CSV, TSV, TXT) as French publishers make it.

Regular files (every record on one line, every line the same number of fields) go straight to DuckDB's parallel reader;
the others are read record by record, which repairs what can be and knows the physical line of what cannot.
"""

# ruff: noqa: S608 — names in SQL are made here and quoted; no value is pasted unquoted

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from beffroi.lake import duck
from beffroi.lake.connectors.announced import announced
from beffroi.lake.connectors.figures import Watched
from beffroi.lake.connectors.profile import looked_for
from beffroi.lake.connectors.regular import regular
from beffroi.lake.connectors.tabular import (
    Draft,
    Numbered,
    Raw,
    Row,
    aligned,
    check_width,
    loaded,
    reading_of,
    table_name,
)
from beffroi.lake.detect.dialect import NO_SEPARATOR, DialectFound, find_dialect, records
from beffroi.lake.detect.encoding import EncodingFound, decoded_lines, find_encoding
from beffroi.lake.detect.headers import HeaderFound, filled, find_header
from beffroi.lake.detect.values import DECIMAL, TEXT_NULLS, quoted
from beffroi.lake.manifest import ID
from beffroi.lake.reading import LINE, Reading, ReadOptions, Rejects, Unreadable

HEAD_LINES = 400
FAST_FROM_BYTES = 4_000_000
"""Below this size, reading in Python costs less than preparing the parallel reader."""

_LEAST_LINE = 200_000
"""DuckDB reads by parts of sixteen times the longest line it is told of, each by one thread: told of lines of 20 MB, as
once, it took a file of 300 MB by one thread alone, and memory anew for each part."""

ONCE_UP_TO_BYTES = 128 << 20
"""Up to this size the text is parsed once and held while its columns are typed; above, it is parsed again instead."""


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read one delimited text file into one typed table.

    Raises:
        Unreadable: it is empty, binary, or wider than the limit.
    """
    found = find_encoding(path, declared=options.encoding)
    head = list(itertools.islice(decoded_lines(path, found), HEAD_LINES))
    if not any(line.strip() for line in head):
        raise Unreadable("ce fichier est vide", where=path.name, remedy="publiez un fichier qui contient des lignes")
    dialect = find_dialect(head, declared=options.separator)
    check_width(dialect.width, path.name)
    if dialect.separator == NO_SEPARATOR:
        _refuse_prose(head, path)
    header, first_line = _header(head, dialect, options)
    evidences = [found.evidence, dialect.evidence]
    width = max(dialect.width, len(header.titles))
    check_width(width, path.name)
    rejects = Rejects()
    with ExitStack() as aside:
        raw, count = None, 0
        if path.stat().st_size >= FAST_FROM_BYTES and width >= 2:
            folder = aside.enter_context(tempfile.TemporaryDirectory(dir=options.work_dir, prefix="beffroi-csv-"))
            text = Text(path, dialect.separator, width, first_line - 1)
            raw, count = _fast(text, found, header, Path(folder), con, options)
        if raw is None:
            rows = _records(path, found, dialect.separator, width, first_line)
            raw, count = loaded(con, aligned(rows, width, rejects), width)
        draft = Draft(
            where=path.name,
            header=header,
            rows_read=count + rejects.total,
            rejects=rejects,
            evidences=evidences,
            title=header.above[0] if header.above else "",
            description="\n".join(header.above[1:]),
        )
        return [reading_of(con, raw, draft, options)]


def _refuse_prose(head: list[str], path: Path) -> None:
    """Refuse a text meant to be read: one column, many lines of several words."""
    lines = [line for line in head if line.strip()]
    prose = sum(1 for line in lines if len(line.split()) >= 4)
    if len(lines) >= 3 and prose * 3 >= len(lines) and path.suffix.lower() not in (".csv", ".tsv"):
        raise Unreadable(
            "ce texte n’est pas un tableau : aucun séparateur ne le découpe en colonnes",
            where=path.name,
            remedy="publiez la donnée en CSV ; un texte d’accompagnement se nomme README.txt",
        )


def _header(head: list[str], dialect: DialectFound, options: ReadOptions) -> tuple[HeaderFound, int]:
    """Return the header and the physical line (1-based) where the data start."""
    sample = list(records(head, dialect.separator, width=dialect.width))
    rows: list[Row] = [record.fields for record in sample]
    declared = None
    if options.header_line is not None:
        wanted = options.header_line
        declared = next((index for index, record in enumerate(sample) if record.line >= wanted), 0)
    header = find_header(rows, dialect.width, declared=declared)
    if header.first_row < len(sample):
        return header, sample[header.first_row].line
    return header, len(head) + 1


def _records(path: Path, found: EncodingFound, separator: str, width: int, first_line: int) -> Iterator[Numbered]:
    lines = itertools.islice(decoded_lines(path, found), first_line - 1, None)
    for record in records(lines, separator, width=width):
        yield record.line + first_line - 1, record.fields


@dataclass(frozen=True, slots=True)
class Text:
    """A delimited text as it stands in a file: what cuts its lines, in how many fields, after how many others."""

    path: Path
    separator: str
    width: int
    skip: int


def _fast(
    text: Text, found: EncodingFound, header: HeaderFound, folder: Path, con: duck.Connection, options: ReadOptions
) -> tuple[Raw | None, int]:
    """Return the file as a relation of DuckDB's CSV reader and its rows, or None when it is not regular.

    Of a large file that stays, the rows are counted at most: each question reads it again.
    """
    clean = (
        text if _is_plain(text.path, found, text.skip) else replace(text, path=_transcoded(text.path, found, folder))
    )
    small = text.path.stat().st_size <= ONCE_UP_TO_BYTES
    stays = clean.path == options.stays and not small
    sample = _spread_sample(clean) if stays else []
    watched = _watched(header, sample, text.width, options) if stays else None
    known = regular(clean.path, text.separator, text.width, text.skip, watched)
    if known is None:
        return None, 0
    longest = max(_LEAST_LINE, 2 * known.longest)
    relation = _numbered(clean, longest)
    if stays:
        # Numbering lines takes the reader all its parallelism: only what must name them asks for it.
        plain = _relation(clean, [clean.path], longest)
        raw = Raw(plain, text.width, sample, bare=known.bare, numbered=relation, path=clean.path, skip=text.skip)
        raw.separator, raw.tally, raw.relation_of = text.separator, known.tally, partial(_named, clean, longest)
        return raw, known.lines
    sample = _spread_sample(clean)
    if small:
        table = table_name("brut")
        counted = con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {relation}").fetchone()
        return Raw(table, text.width, sample, [table], bare=known.bare), counted[0] if counted else 0
    counted = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return Raw(relation, text.width, sample, bare=known.bare), counted[0] if counted else 0


def _watched(header: HeaderFound, sample: Sequence[Row], width: int, options: ReadOptions) -> Watched:
    """Return what is to be counted of the lines of a text of which `sample` are some."""
    # Loaded here: few sources are large.
    from beffroi.lake.connectors.points import degrees_of

    titles, hints, names = announced(header, width, options)
    forms, places = looked_for(sample, names, hints, options.decimal), degrees_of(titles, options)
    if places is None or any(forms.get(column) != DECIMAL for column in places.columns):
        return Watched(forms=forms)
    return Watched(forms=forms, places=places.columns, area=places.area)


def _relation(text: Text, paths: Sequence[Path], longest: int, line: str = "") -> str:
    """Return the rows of `paths`, whose lines are those of `text`, but for those that are empty."""
    any_value = f"coalesce({', '.join(f'c{index}' for index in range(text.width))}) IS NOT NULL"
    source = _source(text, paths, longest, _columns(text.width, {}))
    return f"(SELECT * FROM (SELECT {line}* FROM {source}) WHERE {any_value})"


def _named(text: Text, longest: int, paths: Sequence[Path], types: Mapping[int, str]) -> str:
    """Return the rows of `paths`, whose lines are those of `text` that hold something, behind a name each.

    What says in words that a text is absent is absent.
    """
    columns = {ID: "VARCHAR"} | _columns(text.width, types)
    return _source(replace(text, skip=0), paths, longest, columns, nulls=("", *sorted(TEXT_NULLS)))


def _columns(width: int, types: Mapping[int, str]) -> dict[str, str]:
    return {f"c{index}": types.get(index, "VARCHAR") for index in range(width)}


def _source(
    text: Text, paths: Sequence[Path], longest: int, types: Mapping[str, str], nulls: Sequence[str] = ("",)
) -> str:
    columns = ", ".join(f"{quoted(column)}: {quoted(kind)}" for column, kind in types.items())
    files = ", ".join(quoted(str(path)) for path in paths)
    return (
        f"read_csv([{files}], delim = {quoted(text.separator)}, quote = '\"', escape = '\"', header = false, "
        f"skip = {text.skip}, columns = {{{columns}}}, auto_detect = false, "
        f"nullstr = [{', '.join(map(quoted, nulls))}], max_line_size = {longest})"
    )


def _numbered(text: Text, longest: int) -> str:
    return _relation(text, [text.path], longest, f"row_number() OVER () + {text.skip} AS {LINE}, ")


def _is_plain(path: Path, found: EncodingFound, skip: int) -> bool:
    """Tell whether DuckDB can read the file as it is: sound UTF-8, whose mark of order stands on a line skipped."""
    if found.mend:
        return False
    if found.codec == "utf-8":
        return found.valid
    small = path.stat().st_size <= ONCE_UP_TO_BYTES
    return found.codec == "utf-8-sig" and skip > 0 and small and _decodes(path)


def _decodes(path: Path) -> bool:
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _transcoded(path: Path, found: EncodingFound, folder: Path) -> Path:
    target = folder / "utf8.csv"
    with target.open("w", encoding="utf-8", errors="replace", newline="\n") as out:
        for line in decoded_lines(path, found):
            out.write(line.replace("\x00", "") + "\n")
    return target


def _spread_sample(text: Text) -> list[Row]:
    """Return rows from the start of the file and from sixteen places spread over it."""
    size, width = text.path.stat().st_size, text.width
    sample: list[Row] = []
    with text.path.open("rb") as handle:
        for _ in range(text.skip):
            handle.readline()
        for part in range(17):
            if part:
                handle.seek(size * part // 17)
                handle.readline()
            lines = [
                handle.readline().decode("utf-8", "replace").rstrip("\r\n") for _ in range(500 if part == 0 else 100)
            ]
            rows = (record.fields for record in records([line for line in lines if line], text.separator, width=width))
            sample += [row for row in rows if len(row) == width and filled(row)]
    return sample
