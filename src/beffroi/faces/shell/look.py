"""What makes the pages a commune's own: its two colours as a style sheet, its arms, its icon."""

from __future__ import annotations

import base64
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import escape
from django.views.decorators.http import require_safe

from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory import queries
from beffroi.base.territory.queries import CommuneInfo
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.faces.shell.colours import DEFAULT_ACCENT, DEFAULT_COLOUR, on_light, style_sheet

# A picture is never a page: opened by itself it may load nothing and run nothing.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
FOR_GOOD = "public, max-age=31536000, immutable"
FOR_A_WHILE = "public, max-age=600"

# The belfry of `templates/shell/mark.html`, 32 × 44.
BELFRY = "M16 0l1.200 4 .8 3 6 5v3h1.500v3H23l1 24h3v2H5v-2h3l1-24H6.500v-3H8v-3l6-5 .8-3zM13 44h6v-8a3 3 0 0 0-6 0z"
BELL = (
    "M16 20.500a1 1 0 0 0-1 1c-2.600.6-3.500 2.700-3.500 5.500l-1.200 2h11.400l-1.200-2c0-2.800-.9-4.900-3.500-5.500"
    "a1 1 0 0 0-1-1zM14.600 30h2.800a1.400 1.400 0 0 1-2.800 0z"
)


def look_stamp(commune: CommuneInfo | None) -> str:
    """Return what changes whenever the colours of a commune do; empty when it wears those of Beffroi."""
    return "" if commune is None else f"{commune.colour}{commune.accent}".replace("#", "")


def _kept(request: HttpRequest, stamp: str) -> str:
    return FOR_GOOD if stamp and request.GET.get("v") == stamp else FOR_A_WHILE


@open_to(EVERYONE)
@require_safe
def commune_css(request: HttpRequest) -> HttpResponse:
    """Dress the pages in the two colours of the commune."""
    commune = cast(Request, request).commune
    colour, accent = (commune.colour, commune.accent) if commune else ("", "")
    response = HttpResponse(style_sheet(colour, accent), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = _kept(request, look_stamp(commune))
    return response


@open_to(EVERYONE)
@require_safe
def arms(request: HttpRequest) -> HttpResponse:
    """Show the arms of the commune.

    Raises:
        NotFound: it has none.
    """
    commune = cast(Request, request).commune
    found = queries.arms(commune.code) if commune else None
    if commune is None or found is None:
        raise NotFound("cette commune n’a pas donné ses armes", where="armes")
    return _picture(request, *found, stamp=commune.arms)


@open_to(EVERYONE)
@require_safe
def icon(request: HttpRequest, shape: str) -> HttpResponse:
    """Show the icon of the installed application: the arms on white, else the belfry in the commune's colours."""
    if shape not in ("libre", "pleine"):
        raise Http404(shape)
    commune = cast(Request, request).commune
    found = queries.arms(commune.code) if commune else None
    drawn = _icon(commune, found, full=shape == "pleine")
    stamp = f"{look_stamp(commune)}{commune.arms if commune else ''}"
    return _picture(request, "image/svg+xml", drawn.encode(), stamp=stamp)


def _picture(request: HttpRequest, media_type: str, content: bytes, *, stamp: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response.headers["Content-Security-Policy"] = PICTURE_POLICY
    response.headers["Cache-Control"] = _kept(request, stamp)
    return response


def _icon(commune: CommuneInfo | None, found: tuple[str, bytes] | None, *, full: bool) -> str:
    """Return a square of 512: what a mask may cut off (a tenth on each side, W3C manifest §maskable) stays empty."""
    colour = (commune.colour if commune else "") or DEFAULT_COLOUR
    accent = (commune.accent if commune else "") or DEFAULT_ACCENT
    ground, corner = ("#ffffff" if found else on_light(colour).ink), (0 if full else 96)
    inside = _arms_drawn(*found) if found else _belfry_drawn(accent)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">'
        f'<rect width="512" height="512" rx="{corner}" fill="{escape(ground)}"/>{inside}</svg>'
    )


def _arms_drawn(media_type: str, content: bytes) -> str:
    packed = base64.b64encode(content).decode()
    return f'<image x="96" y="96" width="320" height="320" href="data:{media_type};base64,{packed}"/>'


def _belfry_drawn(accent: str) -> str:
    return (
        f'<g transform="translate(138 94) scale(7.4)"><path fill="#ffffff" d="{BELFRY}"/>'
        f'<path fill="{escape(accent)}" d="{BELL}"/></g>'
    )
