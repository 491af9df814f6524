"""What an index keeps in memory: its words, where they stand, and where things are. Some megabytes for a large town."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from beffroi.base.kernel.words import folded, words
from beffroi.sense.places.answers import Entry, House, Kind
from beffroi.sense.places.asked import SUFFIXES
from beffroi.sense.places.lexicon import Lexicon

KINDS = tuple(Kind)
_KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_SUFFIX_NUMBER = {"": 0} | {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", start=1)}
_SUFFIX_NUMBER |= {suffix: number for number, suffix in enumerate(SUFFIXES, start=27)}

Numbers = npt.NDArray[np.int32]
Degrees = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrays:
    """Entries by number, the weightiest first; the word number w stands in entries ``postings[starts[w]:starts[w+1]]``.

    `titled` tells for each posting whether the word is in the title. `doubles` marks streets of a road network that a
    file of addresses also knows, with their houses: they are told once. `lons`, `lats` are NaN for what is nowhere.
    The houses of entry e are ``houses_from[e]:houses_from[e+1]``, in the order of `house_keys` (see `house_key`).
    """

    lexicon: Lexicon
    starts: Numbers
    postings: Numbers
    titled: npt.NDArray[np.bool_]
    kinds: npt.NDArray[np.uint8]
    datasets: npt.NDArray[np.int16]
    title_words: npt.NDArray[np.uint8]
    doubles: npt.NDArray[np.bool_]
    lons: Degrees
    lats: Degrees
    houses_from: Numbers
    house_keys: Numbers
    house_lons: Degrees
    house_lats: Degrees

    def __len__(self) -> int:
        return len(self.kinds)


def house_key(number: int, suffix: str) -> int:
    """Return a house number as one integer that sorts as houses stand: 12, 12 a, 12 bis, 13."""
    return number * 64 + _SUFFIX_NUMBER.get(suffix.lower(), 63)


def kind_number(kind: Kind) -> int:
    """Return the kind as it stands in `Arrays.kinds`."""
    return _KIND_NUMBER[kind]


def in_order(entries: Iterable[Entry]) -> list[int]:
    """Return the places of entries as an index numbers them: by kind, then by weight, then as they came."""
    listed = list(entries)
    return sorted(range(len(listed)), key=lambda at: (_KIND_NUMBER[listed[at].kind], -listed[at].weight, at))


def packed(entries: Sequence[Entry], datasets: Sequence[int], houses: Sequence[Sequence[House]]) -> Arrays:
    """Return the arrays of `entries`, already in order; `datasets` and `houses` say for each where it is from and its
    houses, in the order of `house_key`."""
    found: dict[str, list[int]] = {}
    title_words = np.zeros(len(entries), dtype=np.uint8)
    for number, entry in enumerate(entries):
        in_title = words(entry.title)
        title_words[number] = min(len(in_title), 255)
        titled = dict.fromkeys(in_title, True)
        for word in (*titled, *(word for word in words(f"{entry.category} {entry.words}") if word not in titled)):
            # The last bit tells whether the word is of the title.
            code = number * 2 + (word in titled)
            places = found.setdefault(word, [])
            if not places or places[-1] >> 1 != number:
                places.append(code)
    ordered = sorted(found)
    codes = np.array([code for word in ordered for code in found[word]], dtype=np.int64)
    flat = [house for of_entry in houses for house in of_entry]
    return Arrays(
        lexicon=Lexicon(ordered),
        starts=_ends(len(found[word]) for word in ordered),
        postings=(codes >> 1).astype(np.int32),
        titled=(codes & 1).astype(np.bool_),
        kinds=np.array([_KIND_NUMBER[entry.kind] for entry in entries], dtype=np.uint8),
        datasets=np.array(datasets, dtype=np.int16),
        title_words=title_words,
        doubles=_doubles(entries, houses),
        lons=_degrees(entry.lon for entry in entries),
        lats=_degrees(entry.lat for entry in entries),
        houses_from=_ends(len(of_entry) for of_entry in houses),
        house_keys=np.array([house_key(house.number, house.suffix) for house in flat], dtype=np.int32),
        house_lons=_degrees(house.lon for house in flat),
        house_lats=_degrees(house.lat for house in flat),
    )


def _doubles(entries: Sequence[Entry], houses: Sequence[Sequence[House]]) -> npt.NDArray[np.bool_]:
    settled = {folded(entry.title) for entry, own in zip(entries, houses, strict=True) if own}
    return np.array(
        [
            entry.kind is Kind.STREET and not own and folded(entry.title) in settled
            for entry, own in zip(entries, houses, strict=True)
        ],
        dtype=np.bool_,
    )


def _ends(lengths: Iterable[int]) -> Numbers:
    return np.concatenate([[0], np.cumsum(list(lengths), dtype=np.int64)]).astype(np.int32)


def _degrees(values: Iterable[float | None]) -> Degrees:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
