"""Contextual help: one short text per page of the back office, read from the files of `data/help/`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _

FOLDER = Path(__file__).parent / "data" / "help"


@dataclass(frozen=True, slots=True)
class HelpText:
    """What a page is for, and what to know before acting on it."""

    title: str
    description: str
    points: tuple[str, ...]


@cache
def _read() -> dict[str, dict[str, object]]:
    said: dict[str, dict[str, object]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        said |= tomllib.loads(path.read_text(encoding="utf-8"))
    return said


def pages() -> frozenset[str]:
    """Return the names of the pages that have a help, without their namespace."""
    return frozenset(_read())


def help_of(view_name: str) -> HelpText | None:
    """Return the help of a page of the back office (``backoffice:uploads``), None for a page that has none."""
    space, _colon, name = view_name.rpartition(":")
    found = _read().get(name) if space == "backoffice" else None
    if found is None:
        return None
    points = [_(str(one["label"])) for one in found.get("point", [])]  # type: ignore[attr-defined]
    return HelpText(_(str(found["title"])), _(str(found["description"])), tuple(points))
