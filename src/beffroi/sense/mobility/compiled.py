"""The compiled search, or a sentence that says it is not installed: numba is an extra."""

from __future__ import annotations

from typing import Any

from beffroi.base.kernel.errors import NotFound


class NoEngine(NotFound):
    """The compiler that routes need is not installed on this server."""


def search_module() -> Any:
    """Return the compiled search.

    Raises:
        NoEngine: numba is not installed.
    """
    try:
        from beffroi.sense.mobility import search
    except ImportError as error:
        raise NoEngine(
            "le calcul d'itinéraires n'est pas installé sur ce serveur",
            remedy="faites « make install », ou « pip install beffroi[mobility] »",
        ) from error
    return search
