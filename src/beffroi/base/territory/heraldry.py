"""Arms and colours of a commune, made harmless before they are kept. Knows no Django.

An SVG is a program to a browser: it may run scripts, call other hosts, read files. Only what draws is kept: elements
and attributes of a list, addresses within the picture. A PNG keeps its pixels and loses its texts and its metadata.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from beffroi.base.kernel.errors import BeffroiError

MOST_BYTES = 200_000
MOST_PIXELS = 2048
SVG, PNG = "image/svg+xml", "image/png"

_SVG_NS, _XLINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
_PNG_START = b"\x89PNG\r\n\x1a\n"
# What holds the picture itself: PNG specification, third edition, §5.
_KEPT_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA"}
_DRAWING = (
    "svg g path rect circle ellipse line polyline polygon defs use symbol title desc clipPath mask pattern "
    "linearGradient radialGradient stop text tspan"
)
_DRAWN_BY = (
    "id d x y x1 y1 x2 y2 cx cy r rx ry fx fy width height viewBox preserveAspectRatio points transform fill stroke "
    "fill-rule clip-rule fill-opacity stroke-opacity opacity stroke-width stroke-linecap stroke-linejoin "
    "stroke-miterlimit stroke-dasharray stroke-dashoffset color display visibility clip-path mask clipPathUnits "
    "maskUnits maskContentUnits patternUnits patternContentUnits patternTransform gradientUnits gradientTransform "
    "spreadMethod offset stop-color stop-opacity href font-family font-size font-weight font-style text-anchor "
    "letter-spacing dx dy version"
)
_ELEMENTS, _ATTRIBUTES = frozenset(_DRAWING.split()), frozenset(_DRAWN_BY.split())


class BadLook(BeffroiError):
    """A colour or a picture cannot be those of a commune."""


def checked_colour(text: str) -> str:
    """Return a colour as ``#rrggbb`` in lower case; empty stays empty.

    Raises:
        BadLook: it is written otherwise.

    >>> checked_colour("#0B6B74")
    '#0b6b74'
    """
    colour = text.strip().lower()
    if colour and not re.fullmatch(r"#[0-9a-f]{6}", colour):
        raise BadLook(
            "couleur « {text} » illisible", where="couleur", remedy="écrivez-la comme #0b6b74", text=text[:40]
        )
    return colour


def harmless(content: bytes) -> tuple[str, bytes]:
    """Return the media type of a picture and what is kept of it.

    Raises:
        BadLook: neither SVG nor PNG, too heavy, too wide, damaged, or empty once cleaned.
    """
    if len(content) > MOST_BYTES:
        raise BadLook(
            "image de {size} ko", where="armes", remedy="donnez un fichier de {most} ko au plus",
            size=len(content) // 1000, most=MOST_BYTES // 1000,
        )  # fmt: skip
    if content.startswith(_PNG_START):
        return PNG, _png(content)
    if b"<svg" in content[:4000]:
        return SVG, _svg(content)
    raise BadLook("ce fichier n’est ni un SVG ni un PNG", where="armes", remedy="exportez l’image dans l’un des deux")


def _png(content: bytes) -> bytes:
    chunks = list(_chunks(content))
    names = [name for name, _ in chunks]
    if names[:1] != [b"IHDR"] or b"IDAT" not in names or names[-1] != b"IEND":
        raise _damaged()
    width, height = struct.unpack(">II", chunks[0][1][:8])
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise BadLook(
            "image de {width} × {height} points", where="armes", remedy="réduisez-la à {most} points de côté",
            width=width, height=height, most=MOST_PIXELS,
        )  # fmt: skip
    kept = [(name, body) for name, body in chunks if name in _KEPT_CHUNKS]
    return _PNG_START + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in kept
    )


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG_START)
    while at < len(content):
        if at + 12 > len(content):
            raise _damaged()
        length, name = struct.unpack(">I4s", content[at : at + 8])
        body, end = content[at + 8 : at + 8 + length], at + 12 + length
        if end > len(content) or struct.unpack(">I", content[end - 4 : end])[0] != zlib.crc32(name + body):
            raise _damaged()
        yield name, body
        if name == b"IEND":
            return
        at = end


def _damaged() -> BadLook:
    return BadLook("cette image est abîmée", where="armes", remedy="exportez-la de nouveau")


def _svg(content: bytes) -> bytes:
    try:
        root = fromstring(content, forbid_dtd=False)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _damaged() from error
    clean = _cleaned(root)
    if clean is None or clean.tag != f"{{{_SVG_NS}}}svg" or len(clean) == 0:
        raise BadLook("ce SVG ne dessine rien", where="armes", remedy="exportez-le en « SVG simple »")
    if clean.get("viewBox") is None:
        clean.set("viewBox", _box_of(clean))
    register_namespace("", _SVG_NS)
    return tostring(clean, encoding="utf-8")


def _box_of(root: Element) -> str:
    sides = [re.match(r"[0-9.]+", root.get(name, "")) for name in ("width", "height")]
    if None in sides:
        raise BadLook("ce SVG n’a pas de taille", where="armes", remedy="donnez-lui un attribut viewBox")
    return "0 0 " + " ".join(side[0] for side in sides if side)


def _cleaned(element: Element) -> Element | None:
    """Return what draws in an element, None when nothing of it may be kept."""
    tag = element.tag if isinstance(element.tag, str) else ""
    name = tag.rpartition("}")[2]
    if name not in _ELEMENTS or (tag.startswith("{") and not tag.startswith(f"{{{_SVG_NS}}}")):
        return None
    clean = Element(f"{{{_SVG_NS}}}{name}", dict(_attributes(element)))
    clean.text = element.text if name in ("title", "desc", "text", "tspan") else None
    for child in element:
        kept = _cleaned(child)
        if kept is not None:
            kept.tail = child.tail if name in ("text", "tspan") else None
            clean.append(kept)
    return clean


def _attributes(element: Element) -> Iterator[tuple[str, str]]:
    pairs = [("href" if name == _XLINK else name, value) for name, value in element.attrib.items()]
    # A style is read as the attributes it stands for: what is not on the list goes.
    for declaration in element.attrib.get("style", "").split(";"):
        name, _, value = declaration.partition(":")
        pairs.append((name.strip(), value.strip()))
    for name, value in pairs:
        if name in _ATTRIBUTES and value and _stays_inside(name, value):
            yield name, value


def _stays_inside(name: str, value: str) -> bool:
    if name == "href":
        return value.startswith("#")
    addresses = re.findall(r"url\(\s*['\"]?([^)'\"]*)", value, re.IGNORECASE)
    return all(address.startswith("#") for address in addresses) and "\\" not in value
