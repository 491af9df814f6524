"""What was corrected since the tiles were baked, which every open map asks for: the shortest answer of the house.

A map asks again and again whether something moved. While nothing did, that is one `stat` before Django, whoever asks:
the answer says nothing of what is hidden from whom.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake

PREFIX, SUFFIX = "/tuiles/", "/retouches.json"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def answer_of(viewer: Viewer, territory: str, since: str) -> bytes | None:
    """Return what is laid over the territory's data as JSON, None when nothing moved since the mark `since`."""
    mark = str(lake.edits_mark(territory))
    if since == mark:
        return None
    layers = b",".join(
        json.dumps(one.ref.slug).encode()
        + b':{"version":'
        + json.dumps(one.version).encode()
        + b',"hidden":'
        + json.dumps(one.hidden).encode()
        + b',"features":['
        + one.joined
        + b"]}"
        for one in (lake.edits_laid(viewer, territory) if mark != "0" else ())
    )
    return b'{"mark":"' + mark.encode() + b'","layers":{' + layers + b"}}"


@open_to(EVERYONE)
@require_safe
def edits(request: HttpRequest, territory: str) -> HttpResponse:
    """Answer what was corrected since the versions in force were made; 204 when nothing moved since `depuis`."""
    body = answer_of(cast(Request, request).viewer, territory, request.GET.get("depuis", ""))
    response = HttpResponse(b"" if body is None else body, status=204 if body is None else 200)
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "no-store"
    return response


def with_edits(site: Wsgi) -> Wsgi:
    """Return the site with « did anything move? » answered before it."""

    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(PREFIX) and path.endswith(SUFFIX) and _unmoved(path, environ):
            start_response("204 No Content", [("Cache-Control", "no-store"), ("Content-Length", "0")])
            return [b""]
        return site(environ, start_response)

    return answered


def _unmoved(path: str, environ: dict[str, Any]) -> bool:
    """Tell whether nothing moved since a mark, which says nothing of who may see what: it needs no viewer."""
    territory = path[len(PREFIX) : -len(SUFFIX)]
    since = environ.get("QUERY_STRING", "").removeprefix("depuis=")
    return (
        environ["REQUEST_METHOD"] == "GET"
        and territory.isalnum()
        and since.isdigit()
        and since == str(lake.edits_mark(territory))
    )
