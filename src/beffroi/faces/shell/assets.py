"""Where Vite put the scripts and the styles: `web/` builds them, hashed, under `static/beffroi/`."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

FOLDER = Path(__file__).parent / "static" / "beffroi"


def _read_manifest() -> dict[str, Any]:
    path = FOLDER / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


_kept_manifest = lru_cache(maxsize=1)(_read_manifest)


def manifest() -> dict[str, Any]:
    """Return Vite's manifest, read once (at each page when DEBUG); empty when `web/` was not built."""
    return _read_manifest() if settings.DEBUG else _kept_manifest()


def asset_tags(entry: str) -> SafeString:
    """Return the `<link>` and `<script>` elements of the entry `web/src/<entry>.ts`.

    Empty when the assets were not built: pages read and forms submit all the same, unstyled.
    """
    listing = manifest()
    found = listing.get(f"src/{entry}.ts")
    if found is None:
        return SafeString("")
    fonts = [name for name in found.get("assets", ()) if name.endswith(".woff2")]
    return format_html(
        "{}{}{}",
        format_html_join(
            "",
            '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>',
            ((static(f"beffroi/{name}"),) for name in fonts),
        ),
        format_html_join(
            "", '<link rel="stylesheet" href="{}">', ((static(f"beffroi/{name}"),) for name in _styles(listing, found))
        ),
        format_html('<script type="module" src="{}"></script>', static(f"beffroi/{found['file']}")),
    )


def font_url() -> str:
    """Return the address of the one font, for the labels of the map; empty when the assets were not built."""
    for source, found in manifest().items():
        if source.endswith("-normal.woff2"):
            return static(f"beffroi/{found['file']}")
    return ""


def _styles(listing: dict[str, Any], found: dict[str, Any]) -> list[str]:
    names = list(found.get("css", ()))
    for imported in found.get("imports", ()):
        names += [name for name in _styles(listing, listing[imported]) if name not in names]
    return names
