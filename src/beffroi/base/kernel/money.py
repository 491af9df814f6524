"""Amounts of money as people read them: whole cents of euro, never a float."""

from __future__ import annotations


def euros(cents: int) -> str:
    """Return an amount as one reads it in French.

    >>> euros(123405), euros(-90)
    ('1\\u202f234,05\\xa0€', '-0,90\\xa0€')
    """
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}".replace(",", "\u202f") + f",{rest:02d}\u00a0€"
