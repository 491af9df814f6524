"""A page's figures or lines as a file that a spreadsheet opens: CSV (RFC 4180), UTF-8 with its mark."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse


def sheet_response(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return `rows` under their `heads` as a file of that name; None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([harmless("" if value is None else value) for value in row])
    response = HttpResponse(out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def harmless(value: object) -> object:
    """Return a value that no spreadsheet runs: a text that starts like a formula stays a text.

    >>> harmless("=1+1"), harmless("Rue"), harmless(-3)
    ("'=1+1", 'Rue', -3)
    """
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
