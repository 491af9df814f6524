"""Whole numbers that a person, a form or an address writes."""

from __future__ import annotations

_KEY_DIGITS = 18  # As long as the registry's keys hold: a longer number overflows them.


def whole_number(text: str, *, digits: int = 9) -> int | None:
    """Return the whole number, zero or more, written in at most so many figures; None for anything else.

    « ² » is a digit to Python and no number, and a thousand figures are one that no registry holds: both are None.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def row_key(text: str) -> int:
    """Return the key of a row of the registry as it is written; 0, which no row has, for anything else."""
    return whole_number(text, digits=_KEY_DIGITS) or 0
