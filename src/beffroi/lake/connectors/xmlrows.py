"""Read XML that is not geographic: the element that repeats is a row; its attributes and children are columns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.connectors.tabular import Draft, Numbered, check_width, loaded, reading_of
from beffroi.lake.detect.headers import HeaderFound
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Rejects, Unreadable

MOST_BYTES = 256 << 20
_DEEPEST = 6
_MOST_FIELDS_THAT_COUNT = 10
# Elements that carry their value in an attribute of this name (French budget documents do).
_VALUE_ATTRIBUTES = frozenset({"V", "v", "value", "Value", "valeur"})


def read(path: Path, options: ReadOptions, con: duckdb.DuckDBPyConnection) -> list[Reading]:
    """Read the repeated element of an XML document into one table; `options.layer` names another one.

    Entities, external or not, are refused: they are how an XML file eats a machine.

    Raises:
        Unreadable: the document is not well formed (line told), uses entities, is too large, or repeats nothing.
    """
    root = _parsed(path)
    rows = _rows_of(root, options.layer)
    if not rows:
        raise Unreadable(
            "aucun élément ne se répète dans ce document XML",
            where=path.name,
            remedy="publiez un tableau en CSV, ou nommez l’élément à lire (layer)",
        )
    records = [dict(_flat(element)) for element in rows]
    titles: dict[str, None] = {}
    for record in records:
        titles.update(dict.fromkeys(record))
    check_width(len(titles), path.name)
    numbered: Iterator[Numbered] = (
        (number, [record.get(title) for title in titles]) for number, record in enumerate(records, 1)
    )
    raw, count = loaded(con, numbered, len(titles))
    name = _local(rows[0].tag)
    why = Sentence(
        "l’élément « {name} » se répète {count} fois : c’est la ligne du tableau", {"name": name, "count": count}
    )
    draft = Draft(
        where=path.name,
        header=HeaderFound(0, list(titles), [""] * len(titles)),
        rows_read=count,
        rejects=Rejects(),
        evidences=[Evidence("format", "xml", why)],
    )
    return [reading_of(con, raw, draft, options)]


def _parsed(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "document XML de plus de {limit} Mo", where=path.name, remedy="publiez-le en CSV", limit=MOST_BYTES >> 20
        )
    try:
        return parse(path).getroot()
    except DefusedXmlException as error:
        raise Unreadable(
            "ce document XML définit des entités, qui sont refusées",
            where=path.name,
            remedy="publiez-le sans DOCTYPE ni entités",
        ) from error
    except ParseError as error:
        line, column = error.position
        raise Unreadable(
            "XML incorrect à la colonne {column}",
            where=f"{path.name}:{line}",
            remedy="le fichier est peut-être tronqué : publiez-le à nouveau",
            column=column + 1,
        ) from error
    except (LookupError, ValueError) as error:
        raise Unreadable(
            "encodage du document XML inconnu ou contredit par son contenu",
            where=path.name,
            remedy="publiez-le en UTF-8",
        ) from error


def _rows_of(root: Any, layer: str | None) -> list[Any]:
    """Return the elements of the path that looks most like rows: many of them, with several fields each."""
    elements: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    fields: Counter[tuple[str, ...]] = Counter()
    stack: list[tuple[Any, tuple[str, ...]]] = [(root, ())]
    while stack:
        element, above = stack.pop()
        path = (*above, element.tag)
        elements[path].append(element)
        fields[path] += len(element.attrib) + len(element)
        if len(path) <= 40:
            stack += [(child, path) for child in reversed(list(element)) if isinstance(child.tag, str)]
    if layer:
        return next((found for path, found in elements.items() if _local(path[-1]) == layer), [])
    scores = {
        path: len(found) * min(fields[path] / len(found), _MOST_FIELDS_THAT_COUNT)
        for path, found in elements.items()
        if len(found) > 1 and fields[path] >= 2 * len(found)
    }
    return elements[max(scores, key=lambda path: scores[path])] if scores else []


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _flat(element: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str | None]]:
    merged: dict[str, list[str]] = {}
    for name, value in _fields(element, prefix, depth):
        merged.setdefault(name, []).append(value)
    for name, values in merged.items():
        yield name, " ; ".join(values)


def _fields(element: Any, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    attributes = {_local(name): value for name, value in element.attrib.items()}
    text = (element.text or "").strip()
    children = [child for child in element if isinstance(child.tag, str)]
    own = prefix.removesuffix(".")
    for name, value in attributes.items():
        yield (own if own and name in _VALUE_ATTRIBUTES and not text else f"{prefix}{name}"), value
    if text:
        yield own or _local(element.tag), text
    for child in children:
        if depth < _DEEPEST:
            yield from _fields(child, f"{prefix}{_local(child.tag)}.", depth + 1)
