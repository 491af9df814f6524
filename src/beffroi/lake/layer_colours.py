"""The colours a use case may draw its classes in: seen on the map's ground, told apart without red and green.

Every one contrasts at 3:1 and more with the light ground of the map (WCAG 2.2, §1.4.11); `told_apart` tells whether
two stay different for those who do not see red, or green.
"""

from __future__ import annotations

import math

COLOURS: dict[str, str] = {
    "bleu": "#0b5fa5",
    "orange": "#b35900",
    "vert": "#00734d",
    "violet": "#7b2d86",
    "rouge": "#a31621",
    "ciel": "#2a86b8",
    "brun": "#5b3a1a",
    "or": "#8f6b00",
    "gris": "#6b7075",
    "nuit": "#1c2430",
    # One order from light to dark, warm to cold: read without the legend.
    "degre-1": "#c26a00",
    "degre-2": "#b03a48",
    "degre-3": "#743081",
    "degre-4": "#1f2a63",
}

OFFICIAL: dict[str, str] = {
    # The seven steps of the French energy label (arrêté du 31 mars 2021 relatif au DPE) : known by heart from green to
    # red, and not told apart without red or green. Each class that takes one bears a letter, which the map writes.
    "dpe-a": "#00a06d",
    "dpe-b": "#52b153",
    "dpe-c": "#a5cc74",
    "dpe-d": "#f4e70f",
    "dpe-e": "#f0b40f",
    "dpe-f": "#eb8235",
    "dpe-g": "#d7221f",
}
"""Colours a law gives: a class that takes one must be named by a letter."""


def hex_of(name: str) -> str:
    """Return the colour (#rrggbb) of a name, the house's or a law's.

    >>> hex_of("bleu"), hex_of("dpe-g")
    ('#0b5fa5', '#d7221f')
    """
    return COLOURS.get(name) or OFFICIAL[name]


LEAST_DIFFERENCE = 10.0
"""Distance in CIE Lab below which two colours are taken for one on a small mark."""

# Machado, Oliveira, Fernandes, « A Physiologically-based Model for Simulation of Color Vision Deficiency », IEEE TVCG
# 2009, severity 1: what is seen without the cones of red (protanopia), or of green (deuteranopia), in linear RGB.
_SEEN = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))


def told_apart(one: str, other: str) -> bool:
    """Tell whether two colours (#rrggbb) differ for every reader: all cones, without red, without green.

    >>> told_apart(COLOURS["bleu"], COLOURS["orange"]), told_apart("#a05a00", "#8a6400")
    (True, False)
    """
    return all(math.dist(_lab(one, matrix), _lab(other, matrix)) >= LEAST_DIFFERENCE for matrix in _SEEN.values())


def _lab(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    linear = [_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5)]
    seen = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in matrix]
    xyz = (sum(a * b for a, b in zip(row, seen, strict=True)) for row in _TO_XYZ)
    x, y, z = (_curve(value / white) for value, white in zip(xyz, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _curve(part: float) -> float:
    return float(part ** (1 / 3)) if part > 0.008856 else 7.787 * part + 16 / 116
