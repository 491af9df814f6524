"""Points and lines as GPX 1.1, streamed from the serving index. Knows no Django.

Source: https://www.topografix.com/GPX/1/1/ (the order of elements is the schema's).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from beffroi.lake.reading import Column, ColumnType
from beffroi.lake.unbaked import Served

SHAPES = ("Point", "LineString", "MultiLineString")
_NAMES = ("nom", "name", "libelle", "titre", "title")
_BATCH = 1_000
# XML 1.0 has no place for them.
_UNWRITABLE = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])


def chunks(index: Callable[[], Served], credits: Mapping[str, str], columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield the document piece by piece: a waypoint for a point, a track for a line; what has no place is left out."""
    told = " · ".join(value for value in (credits.get("producer", ""), credits.get("licence", "")) if value)
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="Beffroi" xmlns="http://www.topografix.com/GPX/1/1">\n'
        f"<metadata><name>{_text(credits['title'])}</name><desc>{_text(told)}</desc></metadata>\n"
    ).encode()
    key = next((name for name in _NAMES if any(column.key == name for column in columns)), None)
    key = key or next((column.key for column in columns if column.type is ColumnType.TEXT), None)
    with closing(index()) as opened:
        for first in range(0, opened.count, _BATCH):
            features = json.loads(b"[" + opened.span(first, _BATCH) + b"]")
            yield "".join(_feature(one, key, columns) for one in features if one["geometry"]).encode()
    yield b"</gpx>\n"


def _feature(feature: Mapping[str, Any], key: str | None, columns: Sequence[Column]) -> str:
    properties, shape = feature["properties"], feature["geometry"]
    name = properties.get(key) if key else None
    lines = [f"{column.title} : {properties[column.key]}" for column in columns if properties[column.key] is not None]
    called = str(feature["id"] if name is None else name)
    about = f"<name>{_text(called)}</name><desc>{_text(chr(10).join(lines))}</desc>"
    if shape["type"] == "Point":
        return _place("wpt", shape["coordinates"], about)
    parts = [shape["coordinates"]] if shape["type"] == "LineString" else shape["coordinates"]
    segments = "".join(f"<trkseg>{''.join(_place('trkpt', one, '') for one in part)}</trkseg>" for part in parts)
    return f"<trk>{about}{segments}</trk>\n"


def _place(tag: str, coordinates: Sequence[float], about: str) -> str:
    height = f"<ele>{coordinates[2]}</ele>" if len(coordinates) > 2 else ""
    at = f"lat={quoteattr(str(coordinates[1]))} lon={quoteattr(str(coordinates[0]))}"
    return f"<{tag} {at}>{height}{about}</{tag}>" + ("\n" if tag == "wpt" else "")


def _text(text: str) -> str:
    return escape(text.translate(_UNWRITABLE))
