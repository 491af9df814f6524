"""Read XML that is not geographic: the element that repeats is a row; its attributes and children are columns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defusedxml.ElementTree import parse

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake import duck
from beffroi.lake.connectors.tabular import Draft, Numbered, check_width, loaded, reading_of
from beffroi.lake.connectors.xml_faults import told_in_words
from beffroi.lake.detect.headers import HeaderFound
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Rejects, Unreadable

MOST_BYTES = 256 << 20
_DEEPEST = 6
_BOXED = 5
"""How many rows an element must hold on average to be their box rather than a row itself."""

MOST_TABLES = 30
DEEPEST_PATH = 40
Path_ = tuple[str, ...]
# Elements that carry their value in an attribute of this name (French budget documents do).
_VALUE_ATTRIBUTES = frozenset({"V", "v", "value", "Value", "valeur"})


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the repeated element of an XML document into one table; `options.layer` names another one.

    Entities, external or not, are refused: they are how an XML file eats a machine.

    Raises:
        Unreadable: the document is not well formed (line told), uses entities, is too large, or repeats nothing.
    """
    root = _parsed(path)
    groups = _row_groups(root, options.layer)
    if not groups:
        raise Unreadable(
            "aucun élément ne se répète dans ce document XML",
            where=path.name,
            remedy="publiez un tableau en CSV, ou nommez l’élément à lire (layer)",
        )
    readings = [_reading(rows, path, options, con, named=len(groups) > 1) for rows in groups[:MOST_TABLES]]
    seen = Counter(reading.title for reading in readings)
    for number, reading in enumerate(readings, 1):
        if seen[reading.title] > 1:
            reading.title = f"{reading.title} {number}"
    return readings


def _reading(rows: list[Any], path: Path, options: ReadOptions, con: duck.Connection, *, named: bool) -> Reading:
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
    why = Sentence("l’élément « {name} » se répète {count} fois : il fait les lignes", {"name": name, "count": count})
    draft = Draft(
        where=path.name,
        header=HeaderFound(0, list(titles), [""] * len(titles)),
        rows_read=count,
        rejects=Rejects(),
        evidences=[Evidence("format", "xml", why)],
        title=name if named else "",
    )
    return reading_of(con, raw, draft, options)


def _parsed(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "document XML de plus de {limit} Mo", where=path.name, remedy="publiez-le en CSV", limit=MOST_BYTES >> 20
        )
    try:
        with told_in_words(path):
            return parse(path).getroot()
    except (LookupError, ValueError) as error:
        raise Unreadable(
            "encodage du document XML inconnu ou contredit par son contenu",
            where=path.name,
            remedy="publiez-le en UTF-8",
        ) from error


def _row_groups(root: Any, layer: str | None) -> list[list[Any]]:
    """Return the groups of elements that look like rows, largest first: repeated, with several fields each.

    Rows within rows are fields of their row, unless the outer element is but a box for many of them. Elements that
    contain others of their own name (a tree of accounts) are all rows of one group.
    """
    elements, fields = _by_path(root)
    if layer:
        found = [element for path, group in elements.items() if _local(path[-1]) == layer for element in group]
        return [found] if found else []
    likely = [path for path, group in elements.items() if len(group) > 1 and fields[path] >= 2 * len(group)]
    groups: dict[Path_, list[Any]] = {}
    for path in sorted(likely, key=len):
        above = next((path[:end] for end in range(len(path) - 1, 0, -1) if path[:end] in groups), None)
        if above is None and not _is_box(path, likely, elements):
            groups[path] = elements[path]
        elif above is not None and above[-1] == path[-1]:
            groups[above] = groups[above] + elements[path]
    return sorted(groups.values(), key=len, reverse=True)


def _by_path(root: Any) -> tuple[dict[Path_, list[Any]], Counter[Path_]]:
    elements: dict[Path_, list[Any]] = defaultdict(list)
    fields: Counter[Path_] = Counter()
    stack: list[tuple[Any, Path_]] = [(root, ())]
    while stack:
        element, above = stack.pop()
        path = (*above, element.tag)
        elements[path].append(element)
        fields[path] += len(element.attrib) + len(element)
        if len(path) <= DEEPEST_PATH:
            stack += [(child, path) for child in reversed(list(element)) if isinstance(child.tag, str)]
    return elements, fields


def _is_box(path: Path_, likely: list[Path_], elements: dict[Path_, list[Any]]) -> bool:
    inside = (other for other in likely if len(other) > len(path) and other[: len(path)] == path)
    return any(len(elements[other]) >= _BOXED * len(elements[path]) and other[-1] != path[-1] for other in inside)


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
        if depth < _DEEPEST and child.tag != element.tag:
            yield from _fields(child, f"{prefix}{_local(child.tag)}.", depth + 1)
