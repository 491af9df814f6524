"""A class written on the things of a baked tile: the tile stays as it was, each thing it knows gains one small number.

The map then draws a thing by its class without holding a list of the town's things, however many there are.
Knows no Django. Source: Mapbox Vector Tile specification 2.1, §4; Protocol Buffers, « Encoding ».
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from beffroi.lake.manifest import ID

CLASS = "_class"
"""Attribute that bears the class of a thing; a thing that has none is not known."""

_LAYER = 3
_FEATURE, _KEY, _VALUE, _TAGS = 2, 3, 4, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TEXT, _UNSIGNED = 1, 5


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: its number, its whole bytes, and where its content starts in them."""

    number: int
    kind: int
    whole: bytes
    content: bytes


def with_classes(tile: bytes, class_of: Callable[[str], int | None]) -> bytes:
    """Return an MVT tile (not compressed) whose things bear their class, which `class_of` tells of an `_id`."""
    return b"".join(
        _bytes_field(_LAYER, _classed(field.content, class_of)) if field.number == _LAYER else field.whole
        for field in _fields(tile)
    )


def _classed(layer: bytes, class_of: Callable[[str], int | None]) -> bytes:
    fields = list(_fields(layer))
    keys = [field.content.decode() for field in fields if field.number == _KEY]
    if ID not in keys:
        return layer
    texts = [_text(field.content) for field in fields if field.number == _VALUE]
    known = {at: rank for at, text in enumerate(texts) if text is not None and (rank := class_of(text)) is not None}
    # The new values come after those there are, in the order of the classes.
    ranks = sorted(set(known.values()))
    places = {rank: _varint(len(texts) + at) for at, rank in enumerate(ranks)}
    tags = {at: _varint(len(keys)) + places[rank] for at, rank in known.items()}
    own = keys.index(ID)
    written = [_tagged(field.content, own, tags) if field.number == _FEATURE else field.whole for field in fields]
    written.append(_bytes_field(_KEY, CLASS.encode()))
    written += [_bytes_field(_VALUE, _varint(_UNSIGNED << 3 | _VARINT) + _varint(rank)) for rank in ranks]
    return b"".join(written)


def _tagged(feature: bytes, own: int, tags: Mapping[int, bytes]) -> bytes:
    written = []
    for field in _fields(feature):
        if field.number != _TAGS:
            written.append(field.whole)
            continue
        numbers = list(_varints(field.content))
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        more = next((tags.get(value, b"") for key, value in pairs if key == own), b"")
        written.append(_bytes_field(_TAGS, field.content + more))
    return _bytes_field(_FEATURE, b"".join(written))


def _text(value: bytes) -> str | None:
    return next((field.content.decode() for field in _fields(value) if field.number == _TEXT), None)


def _fields(message: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        start = at
        tag, at = _read_varint(message, at)
        kind = tag & 7
        begins = at
        if kind == _VARINT:
            _number, at = _read_varint(message, at)
        elif kind == _BYTES:
            length, begins = _read_varint(message, at)
            at = begins + length
        else:
            at += {_FIXED64: 8, _FIXED32: 4}[kind]
        yield _Field(tag >> 3, kind, message[start:at], message[begins:at])


def _varints(content: bytes) -> Iterator[int]:
    at = 0
    while at < len(content):
        number, at = _read_varint(content, at)
        yield number


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _bytes_field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content
