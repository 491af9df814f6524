"""Official zonings of a commune, and the aids attached to each: ``mobility/zonings/*.toml``.

title, about, order
dataset           pattern of the slug of the dataset that tells it
commune, value    columns of that dataset, the first that exists
[[class]]         starts (how its values begin, whatever the case), label, listed: whether the aids are due there
[[aid]]           title, text, article
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.sense.mobility.data_files import read_table, require_keys
from beffroi.sense.mobility.recipes import pattern

MOST_ROWS = 100
_KEYS = ("title", "about", "order", "dataset", "commune", "value", "class", "aid")
_CLASS, _AID = ("starts", "label", "listed"), ("title", "text", "article")


class BadZoning(BeffroiError):
    """A file of `mobility/zonings/` does not read."""


@dataclass(frozen=True, slots=True)
class Aid:
    """What a zoning opens a right to, and the text that says so."""

    title: str
    text: str
    article: str


@dataclass(frozen=True, slots=True)
class Class:
    """One class of a zoning: how its values begin, what it is called, whether the aids are due there."""

    starts: tuple[str, ...]
    label: str
    listed: bool


@dataclass(frozen=True, slots=True)
class Zoning:
    """An official zoning, by the name of its file."""

    slug: str
    title: str
    about: str
    order: int
    dataset: re.Pattern[str]
    commune: tuple[str, ...]
    value: tuple[str, ...]
    classes: tuple[Class, ...]
    aids: tuple[Aid, ...]

    def class_of(self, value: str) -> Class | None:
        """Return the class a published value belongs to, None when no class begins so.

        The first class that fits is the one: the narrower stands before the wider.
        """
        text = " ".join(value.casefold().split())
        # Two spaces stand for a dash that a published file lost to its encoding: « C  Classée en ZRR ».
        raw = value.casefold().strip()
        return next((one for one in self.classes if raw.startswith(one.starts) or text.startswith(one.starts)), None)


@dataclass(frozen=True, slots=True)
class CommuneZoning:
    """What a zoning says of a commune; `label` is "" when no dataset tells it. `day` is that of its version."""

    zoning: Zoning
    label: str
    listed: bool
    source: str
    day: date | None
    licence: str


@lru_cache(maxsize=1)
def zonings() -> dict[str, Zoning]:
    """Return the zonings by slug, in the order of lists."""
    found = [read_zoning(path) for path in (shipped_folder("mobility") / "zonings").glob("*.toml")]
    return {one.slug: one for one in sorted(found, key=lambda one: (one.order, one.slug))}


def read_zoning(path: Path) -> Zoning:
    """Read one file.

    Raises:
        BadZoning: says the file, the keys and the remedy.
    """
    where = f"zonings/{path.name}"
    table = read_table(path, where=where, refused=BadZoning)
    parts = [(_KEYS, table), *((_CLASS, one) for one in table.get("class", []))]
    parts += [(_AID, one) for one in table.get("aid", [])]
    unknown = [key for keys, one in parts for key in one if key not in keys]
    missing = [key for keys, one in parts for key in keys if key not in one]
    require_keys(unknown=unknown, missing=missing, known=(*_KEYS, *_CLASS, *_AID), where=where, refused=BadZoning)
    return Zoning(
        slug=path.stem, title=table["title"], about=table["about"], order=table["order"],
        dataset=pattern(table["dataset"], where), commune=tuple(table["commune"]), value=tuple(table["value"]),
        classes=tuple(
            Class(tuple(word.casefold() for word in one["starts"]), one["label"], bool(one["listed"]))
            for one in table["class"]
        ),
        aids=tuple(Aid(one["title"], one["text"], one["article"]) for one in table["aid"]),
    )  # fmt: skip


def zonings_of(territory: str, slugs: Sequence[str]) -> list[CommuneZoning]:
    """Return what each of the zonings `slugs` says of a commune, by the datasets everyone may read."""
    known = zonings()
    return [_told(territory, known[slug]) for slug in slugs]


def _told(territory: str, zoning: Zoning) -> CommuneZoning:
    for dataset in lake.datasets(ANONYMOUS, territory=territory):
        if not zoning.dataset.search(dataset.ref.slug):
            continue
        keys = {column.key for column in lake.dataset(ANONYMOUS, dataset.ref).columns}
        commune = next((one for one in zoning.commune if one in keys), "")
        value = next((one for one in zoning.value if one in keys), "")
        if not (commune and value):
            continue
        here = [lake.Filter(commune, "eq", territory)]
        rows = lake.rows(ANONYMOUS, dataset.ref, columns=[value], where=here, max_rows=MOST_ROWS).rows
        said = next((str(told or "") for (told,) in rows), None)
        if said is None:
            continue
        found = zoning.class_of(said)
        day = dataset.updated_at.date()
        # A value of no class we know is told as it is published, and opens no right by itself.
        label, listed = (found.label, found.listed) if found else (said, False)
        return CommuneZoning(zoning, label, listed, dataset.title, day, dataset.licence or "")
    return CommuneZoning(zoning, "", False, "", None, "")
