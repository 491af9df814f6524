"""Read JSON that is not geographic: arrays of objects, wrapped or not, columns, objects by key, one per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.tabular import Draft, Numbered, check_width, loaded, reading_of
from beffroi.lake.detect.encoding import EncodingFound, decoded_lines, find_encoding
from beffroi.lake.detect.headers import HeaderFound
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Rejects, Unreadable

MOST_BYTES = 512 << 20
"""Largest JSON document read in one piece; one object per line has no limit."""

_DEEPEST = 6
_EXCERPT = 200

Record = dict[str, Any]


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read one JSON document, or one JSON object per line, into one table; nested objects become ``a.b`` columns.

    Raises:
        Unreadable: it is not JSON (the line and column are told), too large, or holds no record.
    """
    found = find_encoding(path, declared=options.encoding)
    rejects = Rejects()
    lines = _object_lines(path, found)
    evidences = [found.evidence]
    if lines:
        why = Sentence("un objet JSON par ligne")
        evidences.append(Evidence("format", "ndjson", why))
        return [_reading(list(_line_records(path, found, rejects)), path, options, con, evidences, rejects)]
    document = _document(path, found)
    records, where = _records(document, options.layer)
    if records is None:
        raise Unreadable(
            "aucune liste d’enregistrements dans ce JSON",
            where=path.name,
            remedy="publiez un tableau d’objets : [{{…}}, {{…}}], ou un CSV",
        )
    if where:
        why = Sentence("les enregistrements sont sous « {where} »", {"where": where})
        evidences.append(Evidence("format", "json", why))
    numbered = [(number, record) for number, record in enumerate(records, 1)]
    return [_reading(numbered, path, options, con, evidences, rejects)]


def _object_lines(path: Path, found: EncodingFound) -> bool:
    """Tell whether the file holds one JSON object per line: the first two lines that are not blank each parse."""
    parsed = 0
    for line in decoded_lines(path, found):
        text = line.strip()
        if not text:
            continue
        if not text.startswith("{"):
            return False
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return parsed >= 2
        parsed += 1
        if parsed == 3:
            return True
    return parsed >= 2


def _line_records(path: Path, found: EncodingFound, rejects: Rejects) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(decoded_lines(path, found), 1):
        text = line.strip().removesuffix(",")
        if not text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            rejects.add(number, Sentence("cette ligne n’est pas un objet JSON"), text[:_EXCERPT])
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            rejects.add(number, Sentence("cette ligne n’est pas un objet JSON"), text[:_EXCERPT])


def _document(path: Path, found: EncodingFound) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "document JSON de plus de {limit} Mo",
            where=path.name,
            remedy="publiez un objet par ligne (NDJSON), un CSV ou un Parquet",
            limit=MOST_BYTES >> 20,
        )
    text = "\n".join(decoded_lines(path, found)).lstrip("\ufeff")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            "JSON incorrect à la colonne {column} ({why})",
            where=f"{path.name}:{error.lineno}",
            remedy="le fichier est peut-être tronqué : publiez-le à nouveau",
            column=error.colno,
            why=error.msg,
        ) from error
    except RecursionError as error:
        raise Unreadable(
            "JSON imbriqué trop profondément", where=path.name, remedy="publiez un tableau d’objets simples"
        ) from error


def _records(value: Any, layer: str | None, at: str = "", depth: int = 0) -> tuple[list[Record] | None, str]:
    """Find the list of records in a document, and where it was (``data.stations``)."""
    if isinstance(value, list):
        return _from_list(value), at
    if not isinstance(value, dict) or depth > _DEEPEST:
        return None, at
    if layer and layer in value and depth == 0:
        return _records(value[layer], None, layer, 1)
    return _from_columns(value, at) or _longest(value, at, depth) or _by_key(value, at) or ([value], at)


def _from_list(values: list[Any]) -> list[Record] | None:
    if not values:
        return None
    if all(isinstance(value, list) for value in values) and len(values) > 1:
        titles = [str(title) for title in values[0]]
        return [dict(zip(titles, row, strict=False)) for row in values[1:]]
    if any(isinstance(value, dict) for value in values):
        return [_hoisted(value) if isinstance(value, dict) else {"valeur": value} for value in values]
    return [{"valeur": value} for value in values]


def _hoisted(record: Record) -> Record:
    """Bring up the `fields` of an Opendatasoft record, beside its geometry and its identifier."""
    fields = record.get("fields")
    if not isinstance(fields, dict) or not {"recordid", "datasetid", "record_timestamp"} & set(record):
        return record
    return {**fields, **{key: value for key, value in record.items() if key not in ("fields", "datasetid")}}


def _from_columns(value: Record, at: str) -> tuple[list[Record] | None, str] | None:
    """Read columns side by side: ``{"a": [1, 2], "b": [3, 4]}``."""
    lengths = {len(column) if isinstance(column, list) else -1 for column in value.values()}
    if len(value) < 2 or len(lengths) != 1 or lengths <= {-1, 0, 1}:
        return None
    if any(isinstance(cell, dict) for column in value.values() for cell in column[:1]):
        return None
    return [dict(zip(value, cells, strict=True)) for cells in zip(*value.values(), strict=True)], at


def _longest(value: Record, at: str, depth: int) -> tuple[list[Record] | None, str] | None:
    """Return the longest list of objects found under the keys of an object."""
    best: tuple[list[Record] | None, str] | None = None
    for key, inner in value.items():
        if isinstance(inner, dict):
            found = _longest(inner, f"{at}.{key}".strip("."), depth + 1) if depth < _DEEPEST else None
        elif isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            found = (_from_list(inner), f"{at}.{key}".strip("."))
        else:
            found = None
        if found and found[0] and (best is None or len(found[0]) > len(best[0] or [])):
            best = found
    return best


def _by_key(value: Record, at: str) -> tuple[list[Record] | None, str] | None:
    """Read objects listed by key, on one or two levels: the keys become columns."""
    records = list(_keyed(value, [], 0))
    if len(records) < 2 or not all(isinstance(inner, dict) for inner in value.values()):
        return None
    return records, at


def _keyed(value: Record, keys: list[str], depth: int) -> Iterator[Record]:
    for key, inner in value.items():
        if not isinstance(inner, dict):
            continue
        if inner and depth < 2 and all(isinstance(deeper, dict) for deeper in inner.values()):
            yield from _keyed(inner, [*keys, key], depth + 1)
        else:
            named = {f"clé {number}": name for number, name in enumerate([*keys, key], 1)}
            yield {**named, **inner}


def _reading(
    records: list[tuple[int, Record]],
    path: Path,
    options: ReadOptions,
    con: duck.Connection,
    evidences: list[Evidence],
    rejects: Rejects,
) -> Reading:
    flat = [(number, dict(_flat(record))) for number, record in records]
    titles: dict[str, None] = {}
    for _, record in flat:
        titles.update(dict.fromkeys(record))
    check_width(len(titles), path.name)
    if not titles:
        raise Unreadable(
            "ce JSON ne contient aucun enregistrement", where=path.name, remedy="publiez un fichier rempli"
        )
    raw, count = loaded(con, _rows(flat, list(titles)), len(titles))
    draft = Draft(
        where=path.name,
        header=HeaderFound(0, list(titles), [""] * len(titles)),
        rows_read=count + rejects.total,
        rejects=rejects,
        evidences=evidences,
    )
    return reading_of(con, raw, draft, options)


def _rows(flat: Iterable[tuple[int, dict[str, str | None]]], titles: list[str]) -> Iterator[Numbered]:
    for number, record in flat:
        yield number, [record.get(title) for title in titles]


def _flat(record: Record, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str | None]]:
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "coordinates" not in value and value and depth < _DEEPEST:
            yield from _flat(value, f"{name}.", depth + 1)
        else:
            yield name, _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
