"""DuckDB's library, without its Python package.

The package opens a database as it is imported, to name types that nobody asks it for: 50 ms, and threads, while a
process that has some is not to be forked (see `isolation`).
"""

from __future__ import annotations

from _duckdb import (
    BinderException,
    ConversionException,
    Error,
    InterruptException,
    IOException,
    OutOfMemoryException,
    __version__,
    connect,
)
from _duckdb import (
    DuckDBPyConnection as Connection,
)

__all__ = [
    "BinderException",
    "Connection",
    "ConversionException",
    "Error",
    "IOException",
    "InterruptException",
    "OutOfMemoryException",
    "__version__",
    "connect",
]
