"""How the streets of a town are read from its datasets: files that say which columns mean what.

title, dataset (pattern of a slug)
[columns]  id, kind, name, direction, speed_kmh, road_m, rank: lists of columns, the first that exists is read
[kinds] [ranks] [directions]: values of those columns, in the words of the graph
[[survey]]     dataset, key, columns (width_m, surface, slope_pct, steps, passable), surfaces, year or date
[[crossings]]  dataset, reach_m, columns (kerb_cm, lowered, signals, tactile)
[[nodes]]      dataset, reach_m, columns (kerb_m): ends of the graph itself, with the kerb one meets there
[[lamps]]      dataset, reach_m           [[landmarks]]  dataset, name
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.resources import shipped_folder
from beffroi.sense.mobility.data_files import read_table, require_keys
from beffroi.sense.mobility.vocabulary import Kind, Surface


class BadRecipe(BeffroiError):
    """A file of `mobility/streets/` does not read."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to read streets, as its file says; `parts` are its surveys, crossings, lamps and landmarks."""

    name: str
    title: str
    dataset: re.Pattern[str]
    columns: dict[str, list[str]]
    kinds: dict[str, str]
    ranks: dict[str, str]
    directions: dict[str, str]
    parts: dict[str, list[dict[str, Any]]]

    def patterns(self) -> list[re.Pattern[str]]:
        """Return the pattern of every dataset the graph depends on."""
        return [self.dataset, *(part["dataset"] for parts in self.parts.values() for part in parts)]


_PARTS = ("survey", "crossings", "nodes", "lamps", "landmarks")
_KEYS = ("title", "dataset", "columns", "kinds", "ranks", "directions", *_PARTS)
_WORDS = {"kinds": {one.name.lower() for one in Kind} | {"none"}, "surfaces": {one.name.lower() for one in Surface}}
_WORDS |= {"ranks": _WORDS["kinds"], "directions": {"forward", "backward", "both", "none"}}


@lru_cache(maxsize=1)
def recipes() -> tuple[Recipe, ...]:
    """Return the ways to read streets, in the order of their files."""
    return tuple(read_recipe(path) for path in sorted((shipped_folder("mobility") / "streets").glob("*.toml")))


def read_recipe(path: Path) -> Recipe:
    """Read one file.

    Raises:
        BadRecipe: says the file, the key and the remedy.
    """
    where = f"streets/{path.name}"
    table = read_table(path, where=where, refused=BadRecipe)
    unknown = [key for key in table if key not in _KEYS]
    missing = [key for key in ("title", "dataset", "columns") if key not in table]
    require_keys(unknown=unknown, missing=missing, known=_KEYS, where=where, refused=BadRecipe)
    tables = [(key, table.get(key, {})) for key in ("kinds", "ranks", "directions")]
    tables += [("surfaces", part.get("surfaces", {})) for part in table.get("survey", [])]
    for key, words in tables:
        for value in words.values():
            if value not in _WORDS[key]:
                raise BadRecipe(
                    "{key} : « {value} » inconnu",
                    where=where,
                    remedy="valeurs possibles : {all}",
                    key=key,
                    value=value,
                    all=", ".join(sorted(_WORDS[key])),
                )
    parts = {key: [_part(part, key, where) for part in table.get(key, [])] for key in _PARTS}
    return Recipe(
        path.stem, table["title"], pattern(table["dataset"], where), table["columns"], table.get("kinds", {}),
        table.get("ranks", {}), table.get("directions", {}), parts,
    )  # fmt: skip


def _part(part: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    if "dataset" not in part:
        raise BadRecipe("{key} sans dataset", where=where, remedy="dites quel jeu de données lire", key=key)
    return part | {"dataset": pattern(part["dataset"], where)}


def pattern(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise BadRecipe(
            "motif « {text} » illisible ({reason})", where=where, remedy="corrigez-le", text=text, reason=str(error)
        ) from error
