"""The two colours of a commune, made readable: what it chose for stripes, a darker or lighter one for words.

Contrast is that of WCAG 2.2, §1.4.3 and §1.4.11; the papers are those of `web/src/styles/tokens.css`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEAST = 4.5
LIGHT_PAPERS = ("#faf8f4", "#ffffff", "#f1ede4")
DARK_PAPERS = ("#12171a", "#1a2125", "#232c31")
BLACK, WHITE = "#000000", "#ffffff"
# How much of the colour tints the backgrounds that carry words of the same colour.
TINT_LIGHT, TINT_DARK = 0.10, 0.16
DEFAULT_COLOUR, DEFAULT_ACCENT = "#12495a", "#84490a"


@dataclass(frozen=True, slots=True)
class Tones:
    """One colour on light and on dark paper: for words and lines (`ink`), pressed (`strong`), behind words (`soft`)."""

    ink: str
    strong: str
    soft: str


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 (black) to 1 (white).

    Source: WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance.
    """
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21.

    >>> round(contrast("#ffffff", "#767676"), 2)
    4.54
    """
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Return `one` with a `share` (0 to 1) of `other` in it, in sRGB."""
    parts = (round(a + (b - a) * share) for a, b in zip(_parts(one), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def on_light(colour: str) -> Tones:
    """Return the tones of a colour on light paper: darkened until words of it read at 4.5:1 on every background."""
    soft = mixed(WHITE, colour, TINT_LIGHT)
    ink = _until_read(colour, BLACK, (*LIGHT_PAPERS, soft))
    return Tones(ink, mixed(ink, BLACK, 0.3), soft)


def on_dark(colour: str) -> Tones:
    """Return the tones of a colour on dark paper: lightened until words of it read at 4.5:1 on every background."""
    soft = mixed(DARK_PAPERS[1], colour, TINT_DARK)
    ink = _until_read(colour, WHITE, (*DARK_PAPERS, soft))
    return Tones(ink, mixed(ink, WHITE, 0.4), soft)


def _until_read(colour: str, towards: str, papers: Iterable[str]) -> str:
    for step in range(101):
        tried = mixed(colour, towards, step / 100)
        if all(contrast(tried, paper) >= LEAST for paper in papers):
            return tried
    return towards


def style_sheet(colour: str, accent: str) -> str:
    """Return the CSS that dresses the pages in two colours; readers who want more contrast keep the house's own."""
    first, second = colour or DEFAULT_COLOUR, accent or DEFAULT_ACCENT
    light = _tokens(on_light(first), on_light(second), WHITE)
    dark = _tokens(on_dark(first), on_dark(second), BLACK)
    return (
        "/* Made from the two colours of the commune; see faces/shell/colours.py. */\n"
        f":root{{--commune-1:{first};--commune-2:{second}}}\n"
        f"@media not (prefers-contrast:more){{"
        f':root:not([data-theme="dark"],[data-theme="contrast"]){{{light}}}'
        f':root[data-theme="dark"]{{{dark}}}'
        "@media (prefers-color-scheme:dark){"
        f':root:not([data-theme="light"],[data-theme="dark"],[data-theme="contrast"]){{{dark}}}'
        "}}\n"
    )


def _tokens(brand: Tones, accent: Tones, on_brand: str) -> str:
    values = {
        "brand": brand.ink,
        "brand-strong": brand.strong,
        "brand-soft": brand.soft,
        "on-brand": on_brand,
        "bronze": accent.ink,
        "bronze-soft": accent.soft,
    }
    return "".join(f"--{name}:{value};" for name, value in values.items())


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
