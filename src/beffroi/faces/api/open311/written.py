"""Answers in both forms of GeoReport v2: XML, and JSON by the Spark convention (arrays at the top, no wrapper).

An answer is a `Document`: the names of its XML elements beside plain values. A list's items are named after it
(``services`` holds ``service``); a value that is None is an empty element, and null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpResponse

MEDIA_TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
# Of each list, the name of its items.
_ITEMS = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
    "photos": "photo",
}
# XML 1.0 has no such characters, whatever the escape.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """An answer: the name of its root in XML, and its content."""

    root: str
    content: Any


def response(document: Document, form: str, *, status: int = 200) -> HttpResponse:
    """Return a document in the form asked for."""
    body = _json(document) if form == "json" else _xml(document)
    answer = HttpResponse(body, status=status, content_type=MEDIA_TYPES[form])
    # Other sites' pages may read what everyone may read.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def refusal(status: int, description: str, form: str) -> HttpResponse:
    """Return an error as the specification writes them: an array of code and description."""
    return response(Document("errors", [{"code": status, "description": description}]), form, status=status)


def _json(document: Document) -> str:
    return json.dumps(document.content, ensure_ascii=False)


def _xml(document: Document) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(document.root, document.content)}'


def _element(name: str, value: Any) -> str:
    if value is None or value == "":
        return f"<{name}/>"
    if isinstance(value, Mapping):
        inside = "".join(_element(key, child) for key, child in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        inside = "".join(_element(_ITEMS[name], child) for child in value)
    elif isinstance(value, bool):
        inside = "true" if value else "false"
    else:
        inside = escape(_NOT_XML.sub("", str(value)))
    return f"<{name}>{inside}</{name}>"
