"""The installable application: its manifest, its service worker, the page read when there is no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi import __version__
from beffroi.base.kernel.errors import NotFound
from beffroi.faces.shell import assets
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.colours import DEFAULT_COLOUR
from beffroi.faces.shell.look import look_stamp

PAPER = "#faf8f4"
# Pages that open without network though never read, as everyone sees them, and the scripts they need.
PAGES = ("portal:urgences", "portal:report", "portal:report-kept", "portal:first-needs")
# Those who need them most read other languages: each is kept, to be chosen without network.
PAGES_BY_LANGUAGE = tuple(("portal:first-needs-in", language) for language in ("fr", "en", "ar", "uk", "es"))
ENTRIES = ("src/main.ts", "src/address.ts", "src/report.ts", "src/field.ts")


@open_to(EVERYONE)
@require_safe
def web_manifest(request: HttpRequest) -> HttpResponse:
    """Describe the application of the commune: its name, its colours, its icons.

    Source: W3C Web Application Manifest, https://www.w3.org/TR/appmanifest/.
    """
    commune = cast(Request, request).real_commune
    name = commune.name if commune else "Beffroi"
    stamp = f"{look_stamp(commune)}{commune.arms if commune else ''}"
    described = {
        "id": "/",
        "name": name,
        "short_name": name[:24],
        "description": _("Les services, les données et la carte de votre commune."),
        "lang": get_language(),
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": (commune.colour if commune else "") or DEFAULT_COLOUR,
        "background_color": PAPER,
        "icons": [*_drawn_icons(stamp), *_plain_icons(stamp)],
        "shortcuts": [
            {"name": title, "url": reverse(address)}
            for title, address in (
                (_("Urgences et lieux utiles"), "portal:urgences"),
                (_("Carte"), "portal:map"),
                (_("Services"), "portal:services"),
            )
        ],
    }
    response = HttpResponse(
        json.dumps(described, ensure_ascii=False), content_type="application/manifest+json; charset=utf-8"
    )
    response.headers["Cache-Control"] = "public, max-age=600"
    return response


def _drawn_icons(stamp: str) -> list[dict[str, str]]:
    return [
        {
            "src": f"{reverse('shell:icon', args=[shape])}?v={stamp}",
            "sizes": "any",
            "type": "image/svg+xml",
            "purpose": purpose,
        }
        for shape, purpose in (("libre", "any"), ("pleine", "maskable"))
    ]


def _plain_icons(stamp: str) -> list[dict[str, str]]:
    """Return the belfry in pixels, for systems that draw no SVG; left out where the commune has colours or arms."""
    sizes = () if stamp else (192, 512)
    return [{"src": static(f"shell/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in sizes]


@open_to(EVERYONE)
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Give the service worker, told which version it is and what to keep at hand.

    Raises:
        NotFound: the assets were not built.
    """
    script = _script()
    if not script:
        raise NotFound("le service hors ligne n’est pas construit", where="sw.js", remedy="lancez : make install")
    shell = _shell(cast(Request, request))
    said = json.dumps(
        {
            "version": _version(script, shell),
            "shell": shell,
            "offline": reverse("shell:offline"),
            "icon": static("shell/icon-192.png"),
        }
    )
    response = HttpResponse(f"self.beffroi={said};\n{script}", content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _shell(request: Request) -> list[str]:
    """Return the addresses that every page needs, and the two pages that must always open."""
    files = list(dict.fromkeys(name for entry in ENTRIES for name in _files(entry)))
    stamp = look_stamp(request.real_commune)
    dress = [f"{reverse('shell:commune-css')}?v={stamp}"] if stamp else []
    return [
        *(static(f"beffroi/{name}") for name in files),
        *dress,
        reverse("shell:offline"),
        *(reverse(address) for address in PAGES),
        *(reverse(address, args=[language]) for address, language in PAGES_BY_LANGUAGE),
    ]


def _files(entry: str) -> Iterator[str]:
    """Yield the files an entry of `web/` needs, those it shares with others and reads later included."""
    listing = assets.manifest()
    found: dict[str, Any] = listing.get(entry, {})
    yield from (*found.get("css", ()), *found.get("assets", ()), *([found["file"]] if found else ()))
    for name in (*found.get("imports", ()), *found.get("dynamicImports", ())):
        yield from _files(name)


def _version(script: str, shell: list[str]) -> str:
    return hashlib.sha256("\n".join([__version__, script, *shell]).encode()).hexdigest()[:12]


def _script() -> str:
    path = assets.FOLDER / "worker.js"
    return _read(path.stat().st_mtime_ns) if path.exists() else ""


@lru_cache(maxsize=2)
def _read(_stamp: int) -> str:
    return (assets.FOLDER / "worker.js").read_text(encoding="utf-8")


@open_to(EVERYONE)
@require_safe
def offline_page(request: HttpRequest) -> HttpResponse:
    """Say that there is no network, and what opens all the same."""
    return render(request, "shell/offline.html")
