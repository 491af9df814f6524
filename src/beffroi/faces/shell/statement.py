"""The accessibility statement: its claims are those of `data/accessibility.toml`, each held by a test."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi import __version__
from beffroi.faces.shell.access import EVERYONE, open_to

FILE = Path(__file__).parent / "data" / "accessibility.toml"


@cache
def checks() -> tuple[tuple[str, str], ...]:
    """Return what is checked at each version, and the test that checks it."""
    return tuple((one["title"], one["test"]) for one in tomllib.loads(FILE.read_text(encoding="utf-8"))["check"])


@open_to(EVERYONE)
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """Show the statement: without a valid audit a site is told "non conforme", whatever its tests find.

    Source: décret 2019-768 du 24 juillet 2019; RGAA 4.1, obligations, « Déclaration d'accessibilité ».
    """
    context = {"checks": [_(title) for title, _test in checks()], "version": __version__}
    return render(request, "shell/accessibility.html", context)
