"""What one may ask of a directory: sheets by words and facets, one sheet, and what stands around.

Every query takes the viewer first: she finds what she may read, no more. Coordinates are longitude, latitude (CRS84).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.stems import stem_of, stems
from beffroi.base.kernel.words import SMALL, folded, pieces
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.places.directory import store
from beffroi.sense.places.directory.file import File, Numbers
from beffroi.sense.places.directory.settings import ENGINE, TYPED_KINDS, DirectorySettings, Facet, Vote
from beffroi.sense.places.directory.sheets import (
    LEVEL,
    RAMP,
    REFUSED,
    SEPARATOR,
    SHARED,
    STEPS,
    UNANIMOUS,
    UNTOLD,
    WHEN,
    Sheet,
    Spot,
    door_class,
    several,
)
from beffroi.sense.places.directory.typed import Span, answering, next_time, next_times

__all__ = [
    "ENGINE",
    "LEVEL",
    "RAMP",
    "REFUSED",
    "SEPARATOR",
    "SHARED",
    "STEPS",
    "TYPED_KINDS",
    "UNANIMOUS",
    "UNTOLD",
    "WHEN",
    "Asked",
    "Directory",
    "DirectorySettings",
    "Extract",
    "Facet",
    "Found",
    "Sheet",
    "SheetNotFound",
    "Span",
    "Spot",
    "Vote",
    "directories_of",
    "directory",
    "door_class",
    "next_time",
    "several",
]

MOST_LETTERS = 200
MOST_WORDS = 12


class SheetNotFound(NotFound):
    """There is no such sheet in the directory, or not for this reader."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: words (« » keep them together), values of facets; `is_open` tells of hours as written.

    `typed`: the number typed for a facet, by its name. `span`: between which instants, where sheets have dates.
    """

    text: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    is_open: Callable[[str], bool | None] | None = None
    typed: Mapping[str, float] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What answers, best first, by number; `facets` counts each value among what the other choices keep.

    `instead` is the text looked for when a word of the one asked is nowhere. `titled`: how many of the first answer in
    their title.
    """

    numbers: tuple[int, ...]
    facets: Mapping[str, Sequence[tuple[str, int]]]
    instead: str = ""
    titled: int = 0
    when: Mapping[int, datetime | None] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return how many answer."""
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class Extract:
    """A passage of a document around the words looked for: (text, is one of them)."""

    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Directory:
    """A directory as one reader sees it. Not `ready`: it is being made."""

    settings: DirectorySettings
    file: File | None

    @property
    def ready(self) -> bool:
        """Tell whether there is something to ask."""
        return self.file is not None

    @property
    def count(self) -> int:
        """Return how many sheets it holds."""
        return self.file.count if self.file else 0

    def found(self, asked: Asked) -> Found:
        """Return the sheets that answer: those that say the words in their title first, each in the file's order."""
        if self.file is None:
            return Found((), {})
        whole, titled, instead = _by_words(self.file, asked.text[:MOST_LETTERS])
        marks = {name: _marked(self.file, name, value) for name, value in asked.chosen.items() if value}
        for facet in self.settings.facets:
            if facet.kind in TYPED_KINDS and facet.name in asked.typed:
                marks[facet.name] = _mask(self.file, answering(self.file, facet, asked.typed[facet.name]))
        when = next_times(self.file, asked.span) if self.settings.dates and asked.span else {}
        if self.settings.dates and asked.span:
            # What is over is in no count either.
            whole = whole & _mask(self.file, np.array(sorted(when), dtype=np.int64))
        kept = whole.copy()
        for one in marks.values():
            kept &= one
        if asked.is_open is not None:
            kept &= _open_now(self.file, asked.is_open)
        facets = {}
        for facet in self.settings.facets:
            if facet.kind in TYPED_KINDS:
                continue
            # A facet counts what its own choice would keep out: one may change one's mind.
            among = whole.copy()
            for name, one in marks.items():
                if name != facet.name:
                    among &= one
            facets[facet.name] = _counted(self.file.facets.get(facet.name, {}), among, facet)
        if when:
            numbers = tuple(sorted(np.flatnonzero(kept).tolist(), key=lambda n: (when[n] is None, str(when[n]), n)))
            return Found(numbers, facets, instead, 0, when)
        first, rest = np.flatnonzero(kept & titled), np.flatnonzero(kept & ~titled)
        numbers = (*first.tolist(), *rest.tolist())
        return Found(numbers, facets, instead, len(first) if asked.text.strip() else 0)

    def sheet(self, number: int) -> Sheet:
        """Return a sheet by its number.

        Raises:
            SheetNotFound: there is no directory to read.
        """
        if self.file is None:
            raise SheetNotFound("cet annuaire n’est pas prêt", remedy="revenez dans quelques minutes")
        return self.file.sheet(number)

    def named(self, slug: str, id: str) -> tuple[int, Sheet]:
        """Return the sheet of a row of a dataset, and its number.

        Raises:
            SheetNotFound: there is none.
        """
        found = self.file.sheet_named(slug, id) if self.file else None
        if found is None:
            raise SheetNotFound("cette fiche n’est pas dans l’annuaire", remedy="cherchez-la par son nom")
        return found

    def text_of(self, number: int) -> str:
        """Return the text of the document of a sheet, empty when it has none."""
        return self.file.said(number) if self.file else ""

    def extract(self, number: int, text: str) -> Extract | None:
        """Return the passage of a document where the words looked for are, None when it says none of them."""
        return extract_of(self.text_of(number), frozenset(stems(text)))

    def spots(self, numbers: Sequence[int]) -> list[tuple[int, float, float]]:
        """Return every place of these sheets: (sheet, lon, lat), in the order of the file."""
        if self.file is None:
            return []
        wanted = np.zeros(self.file.count, dtype=bool)
        wanted[list(numbers)] = True
        here = wanted[self.file.spot_sheets] & ~np.isnan(self.file.spot_lons)
        columns = (self.file.spot_sheets[here], self.file.spot_lons[here], self.file.spot_lats[here])
        return list(zip(*(one.tolist() for one in columns), strict=True))


def directory(viewer: Viewer, territory: str, use_case: str, settings: DirectorySettings) -> Directory:
    """Return a directory of a town as a viewer may read it; one of no published dataset is empty, not ready."""
    wanted = store.wanted(viewer, territory, use_case, settings)
    return Directory(settings, None if wanted is None else store.current(wanted))


def directories_of(territory: str) -> list[tuple[str, DirectorySettings]]:
    """Return the directories open in a territory, by the id of their use case."""
    found = []
    for one in catalogue.use_cases(territory=territory, states=OPEN_STATES):
        settings = one.use_case.settings.get(ENGINE)
        if isinstance(settings, DirectorySettings):
            found.append((one.use_case.id, settings))
    return found


Marked = npt.NDArray[np.bool_]
_QUOTED = re.compile(r"[«\"“]([^»\"”]+)[»\"”]")


def _by_words(file: File, text: str) -> tuple[Marked, Marked, str]:
    """Return which sheets answer a text, which in their title, and the text looked for instead when it was mended."""
    phrases = [stems(one) for one in _QUOTED.findall(text)]
    loose = stems(_QUOTED.sub(" ", text))[:MOST_WORDS]
    terms = [" ".join(one) for one in phrases if one] + loose
    everything = np.ones(file.count, dtype=bool)
    if not terms:
        # Only small words, or nothing: the whole directory.
        return everything, everything, ""
    found = file.matching(_expression(terms))
    if not len(found) and not phrases:
        mended = [one if len(file.matching(_expression([one]))) else file.near_word(one) for one in loose]
        if mended != loose:
            found = file.matching(_expression(mended))
            if len(found):
                said = _said_instead(text, dict(zip(loose, mended, strict=True)))
                return _mask(file, found), _mask(file, file.matching(_expression(mended, "title"))), said
    return _mask(file, found), _mask(file, file.matching(_expression(terms, "title"))), ""


def _expression(terms: Sequence[str], column: str = "") -> str:
    # Stems are made of letters and figures alone: nothing of what was typed is read as an operator.
    joined = " AND ".join(f'"{one}"' for one in terms)
    return f"{column} : ({joined})" if column else joined


def _said_instead(text: str, mended: Mapping[str, str]) -> str:
    """Return the text with the words that were mended in place of those typed: their stems, nothing better is known."""
    return " ".join(mended.get(stem_of(piece), piece) for piece in pieces(text) if piece not in SMALL)


def _mask(file: File, numbers: Numbers) -> Marked:
    marked = np.zeros(file.count, dtype=bool)
    marked[numbers] = True
    return marked


def _marked(file: File, name: str, value: str) -> Marked:
    return _mask(file, file.facets.get(name, {}).get(value, np.empty(0, dtype=np.int64)))


def _counted(values: Mapping[str, Numbers], among: Marked, facet: Facet) -> list[tuple[str, int]]:
    counts = [(value, int(np.count_nonzero(among[numbers]))) for value, numbers in values.items()]
    kept = [(value, count) for value, count in counts if count]
    if facet.kind == "year":
        return sorted(kept, reverse=True)
    return sorted(kept, key=lambda one: folded(facet.choices.get(one[0], one[0])))


def _open_now(file: File, is_open: Callable[[str], bool | None]) -> Marked:
    told = {text: bool(is_open(text)) for text in set(file.spot_hours) if text}
    here = np.array([told.get(text, False) for text in file.spot_hours], dtype=bool)
    return _mask(file, file.spot_sheets[here])


_AROUND = 110


def extract_of(text: str, wanted: frozenset[str]) -> Extract | None:
    """Return the first passage of a text that says one of the stems wanted, cut between words.

    >>> extract_of("Le conseil attribue une subvention.", frozenset(["subvention"])).parts
    (('Le conseil attribue une ', False), ('subvention', True), ('.', False))
    """
    hits = [(one.start(), one.end()) for one in re.finditer(r"\w+", text) if stem_of(folded(one.group())) in wanted]
    if not hits:
        return None
    start = max(0, hits[0][0] - _AROUND)
    end = min(len(text), hits[0][1] + _AROUND)
    start = text.find(" ", start, hits[0][0]) + 1 if start else 0
    end = text.rfind(" ", hits[0][1], end) if end < len(text) and text.rfind(" ", hits[0][1], end) > 0 else end
    parts: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for first, last in hits:
        if last > end:
            break
        parts += [(text[at:first], False), (text[first:last], True)]
        at = last
    parts.append((text[at:end], False))
    if end < len(text):
        parts.append((" …", False))
    return Extract(tuple((said.replace("\n", " "), mark) for said, mark in parts if said))
