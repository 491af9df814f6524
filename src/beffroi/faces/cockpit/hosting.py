"""What the installation costs each month, by a table that the town writes: `BEFFROI_HOSTING` names its file.

    [[line]]
    label       = "Machine virtuelle, 2 cœurs, 4 Go"
    monthly_eur = 9.6
    source      = "facture de l’hébergeur"
    date        = 2026-10-01

No price is ever assumed: without a table, the cost is told as unknown.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError

_KEYS = {"label", "monthly_eur", "source", "date"}


class BadHosting(BeffroiError):
    """The table of prices cannot be read."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one thing costs a month, who says so and since when."""

    label: str
    monthly_eur: float
    source: str
    date: date


def prices(path: Path | None) -> tuple[Price, ...]:
    """Return the lines of a table of prices; none without a file.

    Raises:
        BadHosting: it cannot be read, or a line lacks its label, its price, its source or its date.
    """
    if path is None:
        return ()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadHosting(
            "table des prix illisible ({reason})",
            where=path.name,
            remedy="vérifiez le fichier que nomme BEFFROI_HOSTING",
            reason=str(error)[:200],
        ) from error
    lines = said.get("line", [])
    found = lines if isinstance(lines, list) else [lines]
    return tuple(_price(path, rank, line) for rank, line in enumerate(found, start=1))


def _price(path: Path, rank: int, line: Any) -> Price:
    values = line if isinstance(line, dict) else {}
    amount, day = values.get("monthly_eur"), values.get("date")
    texts = [values.get(key) for key in ("label", "source")]
    is_price = isinstance(amount, int | float) and not isinstance(amount, bool) and amount >= 0
    sound = set(values) == _KEYS and is_price and type(day) is date
    if not sound or not all(isinstance(text, str) and text.strip() for text in texts):
        raise BadHosting(
            "ligne {rank} incomplète",
            where=path.name,
            remedy="une ligne dit label, monthly_eur (un nombre), source et date (2026-10-01)",
            rank=rank,
        )
    return Price(str(texts[0]).strip(), float(amount), str(texts[1]).strip(), day)  # type: ignore[arg-type]
