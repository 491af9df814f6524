"""OGC API Features 1.0: pages that name the next one.

Source: OGC 17-069r4, 7.15 (items, `limit`, link `next`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from beffroi.lake.services.way import PAGE_ROWS, Layer, LayerNeeded, Way, asked_with, bare, rows_in

_COLLECTION = re.compile(r"(?P<root>.*?)/collections(?:/(?P<layer>[^/]+))?(?:/items)?/?$")


def pages(way: Way, url: str, layer: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of features of a collection; that of the address, or the only one, when none is named."""
    path = urlsplit(url).path
    found = _COLLECTION.match(path)
    root = found["root"] if found else path.rstrip("/")
    wanted = (found["layer"] if found else "") or layer
    if not wanted:
        known = [
            Layer(str(one.get("id", "")), str(one.get("title") or one.get("id", "")))
            for one in rows_in(way.document(bare(url, f"{root}/collections")), "collections", url)
        ]
        if len(known) != 1:
            raise LayerNeeded(known, where=url)
        wanted = known[0].name
    query = urlsplit(url).query
    items = bare(url, f"{root}/collections/{wanted}/items") + (f"?{query}" if query else "")
    following: str | None = asked_with(items, {"limit": PAGE_ROWS})
    while following:
        document = way.document(following)
        features = rows_in(document, "features", following)
        yield features
        following = _next(document, following) if features else None


def _next(document: dict[str, Any], here: str) -> str | None:
    links = [one for one in document.get("links") or [] if isinstance(one, dict) and one.get("rel") == "next"]
    links.sort(key=lambda one: "json" not in str(one.get("type", "json")))
    return urljoin(here, str(links[0].get("href", ""))) if links and links[0].get("href") else None
