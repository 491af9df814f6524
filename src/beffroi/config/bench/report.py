"""Tables of figures, on the terminal and in `docs/benchmarks.md`."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from beffroi.base.kernel.files import written_whole


@dataclass(slots=True)
class Table:
    """A table of text cells under a title, with what a reader must know to trust it."""

    name: str
    title: str
    head: tuple[str, ...]
    notes: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the table in Markdown, numbers to the right."""
        lines = [f"## {self.title}", "", "| " + " | ".join(self.head) + " |"]
        lines.append("|" + "|".join("---" if index < 2 else "---:" for index in range(len(self.head))) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def text(self) -> str:
        """Return the table for a terminal."""
        widths = [max(len(row[index]) for row in (self.head, *self.rows)) for index in range(len(self.head))]

        def line(row: Sequence[str]) -> str:
            left = [cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False)]
            right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
            return "  ".join([*left, *right]).rstrip()

        return "\n".join([self.title, "", line(self.head), *(line(row) for row in self.rows), "", *self.notes])


def number(value: float, digits: int = 0) -> str:
    """Return a number as French readers expect it.

    >>> number(12345.678, 1)
    '12\\u202f345,7'
    """
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")


def machine() -> str:
    """Say on what the figures were measured."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3 if hasattr(os, "sysconf") else 0
    return (
        f"{os.cpu_count()} cœurs ({model}), {memory:.0f} Gio, {platform.system()}, Python {platform.python_version()}"
    )


_HEAD = """# Mesures

Cette page est écrite par `beffroi bench --write docs/benchmarks.md`. La ville est fictive (voir
[la ville](rooms/town.md)) : chacun peut refaire les mêmes mesures sur les mêmes données. Un dossier de données ouvertes
se mesure par `beffroi bench folder DOSSIER`.

"""


def write(path: Path, tables: Sequence[Table], *, at: datetime) -> None:
    """Put the tables in the page, in place of those of the same name; the others stay."""
    kept = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    for table in tables:
        kept[table.name] = f"{table.markdown()}\nMesuré le {at:%d/%m/%Y} à {at:%H:%M} (UTC) sur {machine()}.\n"
    body = "\n".join(f"<!-- {name} -->\n{text.strip()}\n<!-- /{name} -->\n" for name, text in sorted(kept.items()))
    with written_whole(path, "w", encoding="utf-8") as handle:
        handle.write(_HEAD + body)


def _sections(text: str) -> dict[str, str]:
    found = {}
    for part in text.split("<!-- ")[1:]:
        name, _, rest = part.partition(" -->")
        if not name.startswith("/"):
            found[name] = rest.strip()
    return found
