"""What tests of use cases read of a page, and the lake that they make of a few files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from beffroi.lake.definitions import definition_named, load_definitions
from beffroi.lake.operations import import_source


def text_of(answer: Any) -> str:
    """Return the words of a page as they are read: no tags, one space between words."""
    bare = re.sub(r"<[^>]+>", " ", answer.content.decode().replace("\u00a0", " ").replace("\u202f", " "))
    return re.sub(r"\s+", " ", bare)


def lake_of(folder: Path, sources: Mapping[str, tuple[str, str]], *, territory: str, at: datetime) -> Path:
    """Import sources (a file, by its name and text, for each dataset) as their dataset files say; return the lake."""
    known = load_definitions()[0]
    for slug, (name, text) in sources.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        done = import_source(
            path, territory=territory, slug=slug, at=at, lake=folder / "lake", announce=False,
            definition=definition_named(slug, "", known),
        )  # fmt: skip
        assert done.version, done.reason
    return folder / "lake"
