"""Arms are pictures and nothing else: what runs, calls or reads elsewhere is gone before they are kept."""

from __future__ import annotations

import struct
import zlib

import pytest

from beffroi.base.territory.heraldry import MOST_BYTES, PNG, SVG, BadLook, checked_colour, harmless

DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z" fill="#c00"/>%s</svg>'


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(*extra: bytes, width: int = 1) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "evil",
    [
        b"<script>alert(1)</script>",
        b'<path d="M0 0" onload="alert(1)"/>',
        b'<image href="https://ailleurs.example/x.png"/>',
        b'<use href="https://ailleurs.example/x.svg#a"/>',
        b'<a href="javascript:alert(1)"><path d="M1 1"/></a>',
        b"<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>alert(1)</body></foreignObject>",
        b"<style>@import url(https://ailleurs.example/x.css);</style>",
        b'<path d="M0 0" fill="url(https://ailleurs.example/x#a)"/>',
        b'<path d="M0 0" style="fill:u\\72l(https://ailleurs.example)"/>',
        b'<animate attributeName="href" to="javascript:alert(1)"/>',
        b'<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    ],
)
def test_a_drawing_keeps_only_what_draws(evil: bytes) -> None:
    media_type, kept = harmless(DRAWN % evil)
    assert media_type == SVG
    assert b"M0 0h9v9z" in kept
    for word in (b"alert", b"ailleurs", b"script", b"onload", b"foreign"):
        assert word not in kept


def test_a_drawing_keeps_its_gradients_and_the_style_of_inkscape() -> None:
    part = b'<defs><linearGradient id="g"/></defs><g style="fill:url(#g);-inkscape-x:1"><path d="M2 2"/></g>'
    kept = harmless(DRAWN % part)[1]
    assert b'fill="url(#g)"' in kept
    assert b"inkscape" not in kept


def test_cleaning_twice_changes_nothing() -> None:
    once = harmless(DRAWN % b"<script/>")[1]
    assert harmless(once)[1] == once


def test_an_entity_bomb_is_refused() -> None:
    bomb = b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + DRAWN % b"<text>&b;</text>"
    with pytest.raises(BadLook):
        harmless(bomb)


def test_a_picture_loses_its_texts_and_its_place() -> None:
    media_type, kept = harmless(png(chunk(b"eXIf", b"GPS 43.6 3.9"), chunk(b"tEXt", b"Author\0Lucie")))
    assert media_type == PNG
    assert kept == png()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"GIF89a", "ni un SVG ni un PNG"),
        (b"<svg" + b" " * MOST_BYTES, "ko"),
        (DRAWN.replace(b"</svg>", b"") % b"", "abîmée"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script/></svg>', "ne dessine rien"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>', "pas de taille"),
        (png()[:-7], "abîmée"),
        (png().replace(b"IDAT", b"IDAX"), "abîmée"),
        (png(width=5000), "5000 × 1 points"),
        (b"\x89PNG\r\n\x1a\n", "abîmée"),
    ],
)
def test_what_cannot_be_arms_is_refused_with_a_sentence(content: bytes, told: str) -> None:
    with pytest.raises(BadLook) as refused:
        harmless(content)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["rouge", "#12345", "#1234567", "url(x)"])
def test_a_colour_is_six_digits(text: str) -> None:
    with pytest.raises(BadLook):
        checked_colour(text)
