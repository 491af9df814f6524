"""The words of an index: found by their beginning, and by what they would be without a slip of the finger."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

LETTERS = 24
"""Words are compared on so many letters: slips further on do not count."""

_PAD = 0
_Bytes = npt.NDArray[np.uint8]


class Lexicon:
    """Distinct folded words in alphabetical order; a word is known by its number in it."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)

    def __len__(self) -> int:
        return len(self.words)

    def number(self, word: str) -> int | None:
        """Return the number of a word, None when no entry has it."""
        at = bisect_left(self.words, word)
        return at if at < len(self.words) and self.words[at] == word else None

    def beginning(self, start: str) -> tuple[int, int]:
        """Return the range of the words that begin with `start`."""
        return bisect_left(self.words, start), bisect_left(self.words, start + "\uffff")

    def near(self, word: str, *, most: int, open_ended: bool) -> list[tuple[int, int]]:
        """Return (number, slips) of the words at most `most` slips from `word`, one or more.

        A slip is a letter added, dropped, changed, or two swapped (optimal string alignment). `open_ended` compares
        `word` with the beginnings of words: it is still being typed.
        """
        if not self.words or not word.isascii():
            return []
        asked = np.frombuffer(word.encode()[:LETTERS], dtype=np.uint8)
        chosen = self._worth_comparing(word, asked, most, open_ended)
        slips = _slips(asked, self._letters[chosen], self._lengths[chosen], open_ended)
        kept = (slips <= most) & (slips > 0)
        return list(zip(chosen[kept].tolist(), slips[kept].tolist(), strict=True))

    def _worth_comparing(self, word: str, asked: _Bytes, most: int, open_ended: bool) -> npt.NDArray[np.intp]:
        """Return the words whose length and letters do not already tell them too far: a few hundred of them."""
        mark = np.uint64(_mark(word))
        fits = np.bitwise_count(mark & ~self._marks) <= most
        if open_ended:
            fits &= self._lengths >= len(asked) - most
        else:
            fits &= np.bitwise_count(self._marks & ~mark) <= most
            fits &= np.abs(self._lengths.astype(np.int16) - len(asked)) <= most
        return np.flatnonzero(fits)

    @cached_property
    def _letters(self) -> _Bytes:
        letters = np.full((len(self.words), LETTERS), _PAD, dtype=np.uint8)
        for row, word in zip(letters, self.words, strict=True):
            code = word.encode()[:LETTERS]
            row[: len(code)] = np.frombuffer(code, dtype=np.uint8)
        return letters

    @cached_property
    def _lengths(self) -> _Bytes:
        return np.array([min(len(word), LETTERS) for word in self.words], dtype=np.uint8)

    @cached_property
    def _marks(self) -> npt.NDArray[np.uint64]:
        return np.array([_mark(word) for word in self.words], dtype=np.uint64)


def _mark(word: str) -> int:
    """Return which letters and figures a word holds, one bit for each."""
    mark = 0
    for code in word.encode()[:LETTERS]:
        mark |= 1 << (code - 97 if code >= 97 else code - 48 + 26)
    return mark


def _slips(asked: _Bytes, letters: _Bytes, lengths: _Bytes, open_ended: bool) -> npt.NDArray[np.int16]:
    """Return the slips between one word and many at once: each step of the table is done for all of them."""
    count, height = len(letters), len(asked)
    before = np.empty((count, LETTERS + 1), dtype=np.int16)
    row = np.broadcast_to(np.arange(LETTERS + 1, dtype=np.int16), (count, LETTERS + 1)).copy()
    for i in range(1, height + 1):
        above, row_above = row, before
        row = np.empty_like(above)
        row[:, 0] = i
        differs = letters != asked[i - 1]
        np.minimum(above[:, 1:] + 1, above[:, :-1] + differs, out=row[:, 1:])
        if i > 1:
            swapped = (letters[:, 1:] == asked[i - 2]) & (letters[:, :-1] == asked[i - 1])
            np.minimum(row[:, 2:], np.where(swapped, row_above[:, :-2] + 1, LETTERS), out=row[:, 2:])
        for j in range(1, LETTERS + 1):
            np.minimum(row[:, j], row[:, j - 1] + 1, out=row[:, j])
        before = above
    if open_ended:
        columns = np.arange(LETTERS + 1) <= lengths[:, None]
        return np.where(columns, row, LETTERS).min(axis=1).astype(np.int16)
    return row[np.arange(count), lengths.astype(np.intp)]
