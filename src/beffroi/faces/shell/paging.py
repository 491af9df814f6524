"""How many rows a page of a long list shows: the reader's choice, which stays in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIZES = (20, 50, 100)
USUAL = 50
SIZE_KEY = "lignes"


def rows_asked(query: Mapping[str, Any]) -> int:
    """Return how many rows an address asks for, the usual number where it names none of those proposed."""
    return next((one for one in SIZES if query.get(SIZE_KEY) == str(one)), USUAL)
