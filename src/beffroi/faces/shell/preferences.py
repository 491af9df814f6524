"""What a reader chose for the pages: language and appearance, kept in two cookies, never in a session."""

from __future__ import annotations

from django.http import HttpRequest

AUTO = "auto"
THEMES = (AUTO, "light", "dark", "contrast")
THEME_COOKIE = "beffroi_apparence"
ONE_YEAR_S = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return the appearance chosen, `AUTO` (the device's) by default or when the cookie is unknown."""
    chosen = request.COOKIES.get(THEME_COOKIE, AUTO)
    return chosen if chosen in THEMES else AUTO
