"""From rows of text to a typed table of the lake: what every tabular format has in common."""

# ruff: noqa: S608 — names in SQL are made here and quoted; no value is pasted unquoted

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from arro3.core import Array, DataType, Table

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck
from beffroi.lake.connectors.announced import announced
from beffroi.lake.connectors.profile import ColumnProfile, Places, first_texts, profiled
from beffroi.lake.detect.headers import HeaderFound, filled, keys_of
from beffroi.lake.manifest import ID
from beffroi.lake.reading import (
    DUCKDB_TYPE,
    LINE,
    Column,
    ColumnType,
    Evidence,
    Lines,
    Reading,
    ReadOptions,
    Rejects,
    Streamed,
    Unreadable,
)
from beffroi.lake.sql import FEW_ROWS, plan_for

if TYPE_CHECKING:
    from beffroi.lake.connectors.figures import Tally
    from beffroi.lake.connectors.points import Spans

MOST_COLUMNS = 2_000
BATCH_ROWS = 20_000
SAMPLE_ROWS = 2_000
_EXCERPT = 200
MOST_NOTES = 12
_NAMES = itertools.count(1)

TOO_MANY_FIELDS = gettext_noop("{found} champs au lieu de {width} : la ligne ne peut être alignée sur les colonnes")
NOTE_BELOW = gettext_noop("note sous le tableau, sans valeur dans les autres colonnes")

Row = Sequence[str | None]
Numbered = tuple[int, Row]


def table_name(prefix: str = "lu") -> str:
    """Return a table name no other call of this process has returned."""
    return f"{prefix}_{next(_NAMES)}"


def identifier(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(slots=True)
class Raw:
    """Rows as text before typing: an SQL relation with columns c0…cN and `_line`, and a sample of its rows.

    `every` holds all of them when they are few: `relation` is then a view of `con` over the memory of Python. `bare`:
    no value has a blank around it. `numbered` is the same with `_line`, which `relation` lacks, when the rows stay in
    their file: `relation_of` is then the relation of other lines like those of `path` after `skip`, in files that hold
    nothing else, each behind its name (`ID`) and a `separator`, some columns in the type given, the words of absence
    left out; `tally` is what was counted of them on the way.
    """

    relation: str
    width: int
    sample: list[Row]
    tables: list[str] = field(default_factory=list)
    every: list[Row] | None = None
    bare: bool = False
    numbered: str = ""
    path: Path = field(default_factory=Path)
    skip: int = 0
    separator: str = ""
    relation_of: Callable[[Sequence[Path], Mapping[int, str]], str] | None = None
    tally: Tally | None = None


def check_width(width: int, where: str) -> None:
    """Refuse a table wider than `MOST_COLUMNS`.

    Raises:
        Unreadable: it is.
    """
    if width > MOST_COLUMNS:
        raise Unreadable(
            "{width} colonnes : la limite est de {limit}",
            where=where,
            remedy="publiez une ligne par mesure plutôt qu’une colonne par mesure",
            width=width,
            limit=MOST_COLUMNS,
        )


def loaded(con: duck.Connection, rows: Iterable[Numbered], width: int) -> tuple[Raw, int]:
    """Bring numbered rows, each already `width` cells long, to a relation of `con`; return it and the count of rows."""
    batches = _batches(rows)
    first = next(batches, [])
    if len(first) <= FEW_ROWS:
        # Typed from the memory of Python: the fixed cost of its queries is what counts.
        view = table_name("peu")
        con.register(view, _arrow(first, width))
        every = [row for _, row in first]
        return Raw(view, width, _sampled(first), every=every), len(first)
    table = table_name("brut")
    columns = ", ".join(f"c{index} VARCHAR" for index in range(width))
    con.execute(f"CREATE TEMP TABLE {table} ({LINE} BIGINT, {columns})")
    count = 0
    sample: list[Row] = []
    for batch in itertools.chain([first], batches):
        _insert(con, table, batch, width)
        count += len(batch)
        sample += _sampled(batch)[: max(20, SAMPLE_ROWS - len(sample))]
    return Raw(table, width, sample, [table]), count


def _sampled(batch: list[Numbered]) -> list[Row]:
    return [row for _, row in batch[:: max(1, len(batch) * 4 // SAMPLE_ROWS)]]


def _batches(rows: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, BATCH_ROWS)):
        yield batch


def _insert(con: duck.Connection, table: str, batch: list[Numbered], width: int) -> None:
    view = table_name("lot")
    con.register(view, _arrow(batch, width))
    try:
        con.execute(f"INSERT INTO {table} SELECT * FROM {view}")
    finally:
        con.unregister(view)


def _arrow(batch: list[Numbered], width: int) -> Table:
    lines = Array([line for line, _ in batch], type=DataType.int64())
    columns = zip(*(row for _, row in batch), strict=True) if width and batch else iter([()] * width)
    arrays = {f"c{index}": _array(column) for index, column in enumerate(columns)}
    return Table.from_pydict({LINE: lines, **arrays})


def _array(cells: tuple[str | None, ...]) -> Array:
    try:
        return Array(cells, type=DataType.utf8())
    except (UnicodeError, TypeError, ValueError):
        return Array(list(map(_sound, cells)), type=DataType.utf8())


def _sound(cell: str | None) -> str | None:
    """Drop what no column of text can hold: NUL, and halves of surrogate pairs."""
    if cell is None or cell.isascii():
        return cell.replace("\x00", "") if cell and "\x00" in cell else cell
    try:
        cell.encode()
    except UnicodeEncodeError:
        cell = cell.encode("utf-8", "replace").decode()
    return cell.replace("\x00", "")


def aligned(records: Iterable[Numbered], width: int, rejects: Rejects) -> Iterator[Numbered]:
    """Yield records cut or padded to `width` cells; blank ones are skipped, those that cannot be placed rejected.

    Two short records that make one whole record together (an end of line inside a field that nobody quoted) are
    joined. A sentence in one cell below the table is a note, not a row.
    """
    tail: list[Numbered] = []
    gap = False
    for line, row in _rejoined(records, width):
        if len(row) == width >= 2 and row[0] and row[1] and not tail:
            # Most rows: whole, and plainly neither blank nor a note.
            gap = gap and not (row[0].strip() and row[1].strip())
            if not gap:
                yield line, row
                continue
        if not filled(row):
            gap = True
            continue
        if len(row) > width and filled(row[width:]):
            rejects.add(line, Sentence(TOO_MANY_FIELDS, {"found": len(row), "width": width}), _excerpt(row))
            continue
        row = [*row[:width], *[None] * (width - len(row))]
        if width >= 3 and filled(row) == 1 and len(tail) < MOST_NOTES and (tail or gap or _is_sentence(row)):
            tail.append((line, row))
            continue
        yield from tail
        tail.clear()
        gap = False
        yield line, row
    for line, row in tail:
        rejects.add(line, Sentence(NOTE_BELOW), _excerpt(row))


def _is_sentence(row: Row) -> bool:
    return any(len(cell.split()) >= 4 for cell in row if cell)


def _rejoined(records: Iterable[Numbered], width: int) -> Iterator[Numbered]:
    held: Numbered | None = None
    for line, row in records:
        if held is not None:
            first = held[1]
            if filled(row) and len(first) + len(row) - 1 == width:
                joined = f"{first[-1] or ''} {row[0] or ''}".strip()
                yield held[0], [*first[:-1], joined, *row[1:]]
                held = None
                continue
            yield held
            held = None
        if 1 < len(row) < width and width > 3:
            held = (line, row)
        else:
            yield line, row
    if held is not None:
        yield held


def _excerpt(row: Row) -> str:
    return " | ".join(cell for cell in row if cell)[:_EXCERPT]


@dataclass(slots=True)
class Draft:
    """What a connector knows besides the rows, on its way to a Reading."""

    where: str
    header: HeaderFound
    rows_read: int
    rejects: Rejects = field(default_factory=Rejects)
    evidences: list[Evidence] = field(default_factory=list)
    decimal: str | None = None
    title: str = ""
    description: str = ""
    licence: str = ""
    crs: str | None = None


def reading_of(con: duck.Connection, raw: Raw, draft: Draft, options: ReadOptions) -> Reading:
    """Type the columns of `raw`, find where its rows are on Earth, and make the Reading; `raw` does not survive."""
    try:
        plan_for(con, draft.rows_read)
        return _typed_reading(con, raw, draft, options)
    finally:
        # A view of few rows goes with the connection: taking it away would cost more.
        for name in raw.tables:
            con.execute(f"DROP TABLE IF EXISTS {name}")


def _typed_reading(con: duck.Connection, raw: Raw, draft: Draft, options: ReadOptions) -> Reading:
    from beffroi.lake.connectors.points import add_geometry, degrees_of

    titles, hints, names = announced(draft.header, raw.width, options)
    mark = options.decimal or draft.decimal
    # Rows that stay in their file are measured while they are counted: reading them again costs most of it.
    places = degrees_of(titles, options) if raw.numbered else None
    profiles = profiled(
        con,
        raw.relation,
        raw.sample,
        names,
        hints,
        decimal=mark,
        every=raw.every,
        bare=raw.bare,
        places=places,
        tally=raw.tally,
    )
    kept = [profile for profile in profiles if titles[profile.index] or profile.filled]
    if not kept:
        raise Unreadable("ce tableau ne contient aucune valeur", where=draft.where, remedy="publiez un fichier rempli")
    keys = keys_of([titles[profile.index] for profile in kept], options.rename)
    columns = tuple(_column(profile, key, titles, draft) for profile, key in zip(kept, keys, strict=True))
    table = table_name()
    selected = ", ".join(f"{profile.expression} AS {identifier(key)}" for profile, key in zip(kept, keys, strict=True))
    streamed = None
    if raw.numbered:
        texts = {key: f"_c{profile.index}" for profile, key in zip(kept, keys, strict=True)}
        beside = ", ".join([selected, *(f"{text[1:]} AS {text}" for text in texts.values())])
        rows = f"SELECT {beside} FROM {raw.relation}"
        streamed = Streamed(table_name("lignes"), rows, texts, lines=_lines(raw, dict(zip(keys, kept, strict=True))))
        con.execute(f"CREATE TEMP VIEW {table} AS SELECT {selected} FROM {raw.relation}")
        con.execute(f"CREATE TEMP VIEW {streamed.numbered} AS SELECT {LINE}, {selected} FROM {raw.numbered}")
    else:
        con.execute(f"CREATE TEMP TABLE {table} AS SELECT {LINE}, {selected} FROM {raw.relation}")
    reading = Reading(
        con=con,
        table=table,
        columns=columns,
        rows_read=draft.rows_read,
        evidences=[*draft.evidences, *draft.header.evidences, *_evidences(kept, titles, len(profiles) - len(kept))],
        rejects=draft.rejects,
        title=draft.title,
        licence=draft.licence,
        description=draft.description,
        streamed=streamed,
    )
    spans = _spans(raw, places, dict(zip(keys, kept, strict=True))) if places else None
    add_geometry(reading, options, _first_texts(raw, dict(zip(keys, kept, strict=True))), spans)
    if reading.streamed is None:
        reading.period = period_of(reading.con, reading.table, reading.columns)
        if raw.numbered:
            reading.rows_read = con.execute(f"SELECT count(*) FROM {reading.table}").fetchall()[0][0]
    return reading


def _lines(raw: Raw, profiles: Mapping[str, ColumnProfile]) -> Lines | None:
    """Return the lines of rows that stay in their file, if where each is was told as they were looked at."""
    tally, relation_of = raw.tally, raw.relation_of
    points = tally.placed_at() if tally else None
    if tally is None or points is None or relation_of is None:
        return None
    # What is certain is read as it is to be: made a text first, or compared to words, it costs a tenth more.
    types, selected = {}, [ID]
    for key, profile in profiles.items():
        known = ColumnType.TEXT if profile.type is ColumnType.TEXT else tally.type_of(profile.index)
        column, certain = f"c{profile.index}", raw.bare and known is profile.type
        if certain:
            types[profile.index] = DUCKDB_TYPE[profile.type]
        selected += [f"{column if certain else profile.expression} AS {identifier(key)}", f"{column} AS _{column}"]

    def read(files: Sequence[Path]) -> str:
        return f"SELECT {', '.join(selected)} FROM {relation_of(files, types)}"

    return Lines(raw.path, raw.skip, raw.separator, points, tally.blank_lines(), read)


def _spans(raw: Raw, places: Places, profiles: dict[str, ColumnProfile]) -> Spans | None:
    """Return what was measured of two columns, if they are read as they were when they were measured."""
    from beffroi.lake.connectors.points import Spans

    x, y = ({one.index: (key, one.expression) for key, one in profiles.items()}.get(at) for at in places.columns)
    if places.box is None or x is None or y is None or (x[1], y[1]) != (places.x, places.y):
        return None
    cells = [(row[places.columns[0]], row[places.columns[1]]) for row in raw.sample]
    return Spans(x[0], y[0], places, tuple((one, other) for one, other in cells if one and other))


def _first_texts(raw: Raw, profiles: dict[str, ColumnProfile]) -> dict[str, list[str]] | None:
    from beffroi.lake.connectors.points import SAMPLE, SAMPLED_ROWS

    if raw.every is None:
        return None
    rows = raw.every[:SAMPLED_ROWS]
    texts = {key: profile.index for key, profile in profiles.items() if profile.type is ColumnType.TEXT}
    found = {key: first_texts(rows, index, SAMPLE) for key, index in texts.items()}
    return {key: values for key, values in found.items() if values}


def _column(profile: ColumnProfile, key: str, titles: Sequence[str], draft: Draft) -> Column:
    described = draft.header.descriptions
    return Column(
        key=key,
        title=titles[profile.index] or f"colonne {profile.index + 1}",
        type=profile.type,
        unit=profile.unit,
        description=described[profile.index] if profile.index < len(described) else "",
    )


def _evidences(kept: list[ColumnProfile], titles: Sequence[str], dropped: int) -> Iterator[Evidence]:
    grouped: dict[tuple[str, str, str], list[str]] = {}
    whys: dict[tuple[str, str, str], Sentence] = {}
    for profile in kept:
        title = titles[profile.index] or f"colonne {profile.index + 1}"
        for evidence in profile.evidences:
            group = (evidence.subject, evidence.value, str(evidence.why))
            grouped.setdefault(group, []).append(title)
            whys[group] = evidence.why
    for group, names in grouped.items():
        shown = ", ".join(names[:6]) + (f" (+ {len(names) - 6})" if len(names) > 6 else "")
        why = whys[group]
        values = {**why.values, "columns": shown}
        yield Evidence(group[0], group[1], Sentence(why.template + " ({columns})", values))
    if dropped:
        why = Sentence("{count} colonne(s) sans titre ni valeur ne sont pas gardées", {"count": dropped})
        yield Evidence("header", "", why)


def period_of(con: duck.Connection, table: str, columns: Iterable[Column]) -> tuple[str, str] | None:
    """Return the first and last day of the first column of dates, when they are plausible for a dataset."""
    for column in columns:
        if column.type in (ColumnType.DATE, ColumnType.DATETIME):
            name = identifier(column.key)
            found = con.execute(
                f"SELECT min({name})::DATE::VARCHAR, max({name})::DATE::VARCHAR FROM {table} "
                f"WHERE {name} BETWEEN TIMESTAMP '1800-01-01' AND TIMESTAMP '2100-12-31'"
            ).fetchone()
            if found and found[0]:
                return found[0], found[1]
    return None
