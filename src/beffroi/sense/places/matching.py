"""Which entries of an index answer a search, and how well each does.

Each word asked gives every entry a likeness between 0 and 1: 1 for the word itself in the title, less for a word that
only begins so, for one that is a slip away, for one that is not in the title. Rare words weigh more than common ones.
A first pass looks for entries that have every word as typed; slips are looked for only when there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from beffroi.sense.places.arrays import Arrays
from beffroi.sense.places.asked import Asked, Word

Likeness = npt.NDArray[np.float32]
Marked = npt.NDArray[np.bool_]

_BEGINS = 0.86
_MIDDLE_BEGINS = 0.7
_NOT_IN_TITLE = 0.72
_SLIP = 0.22
# Below so many letters, a word with a slip is another word.
_ONE_SLIP_FROM, _TWO_SLIPS_FROM = 4, 7
_ENOUGH = 0.6
_MOST_KEPT = 400


@dataclass(frozen=True, slots=True)
class Matches:
    """Numbers of the entries that answer, with their scores (0 to 1), best first; `counts` by kind, of all that answer.

    `slips` gives the words looked for instead of those unknown, by place among the words asked.
    """

    numbers: npt.NDArray[np.intp]
    scores: Likeness
    counts: dict[int, int]
    slips: dict[int, str] = field(default_factory=dict)


def matches(arrays: Arrays, asked: Asked, allowed: Callable[[Marked], Marked]) -> Matches:
    """Return what answers `asked`; `allowed` takes marks on entries and returns those that may be told."""
    if not asked.words or not len(arrays):
        return Matches(np.empty(0, np.intp), np.empty(0, np.float32), {})
    exact = [_likeness(arrays, _as_typed(arrays, word)) for word in asked.words]
    answers = allowed(_all_required(asked.words, exact))
    if answers.any():
        return _ranked(arrays, asked, exact, answers, {})
    instead: dict[int, str] = {}
    loose = list(exact)
    for place, word in enumerate(asked.words):
        slips = list(_with_slips(arrays, word))
        if not slips:
            continue
        loose[place] = np.maximum(exact[place], _likeness(arrays, slips))
        if not exact[place].any():
            instead[place] = arrays.lexicon.words[
                max(slips, key=lambda slip: (slip[2], _frequency(arrays, slip[0])))[0]
            ]
    answers = allowed(_all_required(asked.words, loose))
    if not answers.any():
        answers = allowed(_nearly_all(asked.words, loose, _weights(asked.words, loose)))
    return _ranked(arrays, asked, loose, answers, instead)


_Range = tuple[int, int, float]


def _as_typed(arrays: Arrays, word: Word) -> Iterator[_Range]:
    """Yield ranges of words (first, after the last, likeness), the least like first."""
    for meaning in word.meanings:
        if word.open_ended or len(meaning) >= 3:
            start, end = arrays.lexicon.beginning(meaning)
            if end > start:
                yield start, end, _BEGINS if word.open_ended else _MIDDLE_BEGINS
    for meaning in word.meanings:
        number = arrays.lexicon.number(meaning)
        if number is not None:
            yield number, number + 1, 1.0


def _with_slips(arrays: Arrays, word: Word) -> Iterator[_Range]:
    for meaning in word.meanings:
        most = 0 if len(meaning) < _ONE_SLIP_FROM else 1 if len(meaning) < _TWO_SLIPS_FROM else 2
        if not most or meaning.isdigit():
            continue
        near = arrays.lexicon.near(meaning, most=most, open_ended=False)
        if word.open_ended:
            near += [
                (number, slips + 1)
                for number, slips in arrays.lexicon.near(meaning, most=most, open_ended=True)
                if slips < most or len(meaning) > 4
            ]
        for number, slips in sorted(near, key=lambda one: -one[1]):
            yield number, number + 1, max(1.0 - _SLIP * slips, 0.3)
        yield from _joined_or_split(arrays, meaning)


def _joined_or_split(arrays: Arrays, meaning: str) -> Iterator[_Range]:
    """Yield the two words that one may be, written together: « beausejour »."""
    for cut in range(3, len(meaning) - 2):
        first, second = arrays.lexicon.number(meaning[:cut]), arrays.lexicon.number(meaning[cut:])
        if first is not None and second is not None:
            yield first, first + 1, 0.7
            yield second, second + 1, 0.7


def _likeness(arrays: Arrays, ranges: Iterator[_Range] | Sequence[_Range]) -> Likeness:
    """Return how like its word each entry is: the best of the ranges that hold it."""
    found = np.zeros(len(arrays), dtype=np.float32)
    for first, end, likeness in ranges:
        here = slice(arrays.starts[first], arrays.starts[end])
        places, titled = arrays.postings[here], arrays.titled[here]
        aside = places[~titled]
        found[aside] = np.maximum(found[aside], np.float32(likeness * _NOT_IN_TITLE))
        found[places[titled]] = np.maximum(found[places[titled]], np.float32(likeness))
    return found


def _all_required(words: Sequence[Word], likeness: Sequence[Likeness]) -> Marked:
    required = [one > 0 for word, one in zip(words, likeness, strict=True) if not word.optional]
    return np.logical_and.reduce(required) if required else np.zeros(len(likeness[0]), dtype=np.bool_)


def _nearly_all(words: Sequence[Word], likeness: Sequence[Likeness], weights: list[float]) -> Marked:
    """Mark the entries that have most of what is asked, when none has all: one word is wrong, or too much."""
    required = [place for place, word in enumerate(words) if not word.optional]
    if len(required) < 2:
        return np.zeros(len(likeness[0]), dtype=np.bool_)
    total = sum(weights[place] for place in required)
    held = sum((weights[place] * (likeness[place] > 0) for place in required), np.zeros(len(likeness[0])))
    return np.asarray(held >= _ENOUGH * total)


def _weights(words: Sequence[Word], likeness: Sequence[Likeness]) -> list[float]:
    """Return how much each word tells things apart: « rue » little, « Jaurès » much."""
    size = len(likeness[0])
    return [float(np.log1p(size / (1 + np.count_nonzero(one > 0.5)))) + 0.1 for one in likeness]


def _frequency(arrays: Arrays, number: int) -> int:
    return int(arrays.starts[number + 1] - arrays.starts[number])


def _ranked(arrays: Arrays, asked: Asked, likeness: list[Likeness], answers: Marked, slips: dict[int, str]) -> Matches:
    chosen = np.flatnonzero(answers)
    weights = _weights(asked.words, likeness)
    counted = [place for place, word in enumerate(asked.words) if not word.optional]
    total = sum(weights[place] for place in counted) or 1.0
    scores = np.zeros(len(chosen), dtype=np.float32)
    held = np.zeros(len(chosen), dtype=np.float32)
    for place, one in enumerate(likeness):
        here = one[chosen]
        held += here > _NOT_IN_TITLE
        # What may be left out still tells two answers apart: « 8 mai 1945 » from « 11 novembre ».
        scores += here * (weights[place] / total if place in counted else 0.03)
    # A title that says nothing else is a better answer than one that only holds the words.
    whole = np.minimum(held / np.maximum(arrays.title_words[chosen], 1), 1)
    scores = (0.85 * scores + 0.15 * whole).astype(np.float32)
    kinds, sums = np.unique(arrays.kinds[chosen], return_counts=True)
    counts = dict(zip(kinds.tolist(), sums.tolist(), strict=True))
    order = _best(chosen, scores, arrays)
    return Matches(chosen[order], np.minimum(scores[order], 1), counts, slips)


def _best(chosen: npt.NDArray[np.intp], scores: Likeness, arrays: Arrays) -> npt.NDArray[np.intp]:
    """Return the places of the best of each kind: entries come by kind and weight, so equals keep that order."""
    kept = []
    for kind in np.unique(arrays.kinds[chosen]):
        of_kind = np.flatnonzero(arrays.kinds[chosen] == kind)
        if len(of_kind) > _MOST_KEPT:
            floor = np.partition(scores[of_kind], -_MOST_KEPT)[-_MOST_KEPT]
            better = of_kind[scores[of_kind] > floor]
            equal = of_kind[scores[of_kind] == floor][: _MOST_KEPT - len(better)]
            of_kind = np.concatenate([better, equal])
        kept.append(of_kind)
    if not kept:
        return np.empty(0, np.intp)
    places = np.concatenate(kept)
    return places[np.lexsort((chosen[places], -scores[places]))]
