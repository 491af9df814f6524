"""What a search asks: its words, the house number that may be in it, what may be left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from beffroi.base.kernel.words import ABBREVIATED, SMALL, pieces, stem

MOST_WORDS = 12
SUFFIXES = ("bis", "ter", "quater", "quinquies")
_NUMBER = re.compile(r"(\d{1,5})(bis|ter|quater|quinquies|[a-z])?")
# Not those that begin a name or a street: « 12 d'Alésia », « 12 r de la Paix ».
_LETTERS = frozenset("abcefghijkmnopqstuvwxyz")


@dataclass(frozen=True, slots=True)
class Word:
    """One word asked: what it may mean, spelled out. `optional`: an answer may do without it.

    `open_ended`: it may be the beginning of a longer word, being the last one typed.
    """

    typed: str
    meanings: tuple[str, ...]
    optional: bool = False
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class HouseNumber:
    """A number that may be a house's; `word` is its place among the words."""

    number: int
    suffix: str
    word: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, read."""

    words: tuple[Word, ...]
    numbers: tuple[HouseNumber, ...] = ()


def read_search(text: str, *, of_town: Collection[str] = (), autocomplete: bool = True) -> Asked:
    """Read a search. `of_town` are words that everything in the index shares: its name, its postcodes.

    >>> asked = read_search("12 bis av. Foch")
    >>> [word.meanings for word in asked.words], asked.numbers[0].number, asked.numbers[0].suffix
    ([('12',), ('avenue', 'av'), ('foch',)], 12, 'bis')
    """
    found = pieces(text)
    words: list[Word] = []
    numbers: list[HouseNumber] = []
    at = 0
    while at < len(found) and len(words) < MOST_WORDS:
        piece, last = found[at], at == len(found) - 1
        at += 1
        match = _NUMBER.fullmatch(piece)
        if match:
            suffix = match[2] or ""
            if not suffix and _is_suffix(found[at : at + 2]):
                suffix, at = found[at], at + 1
            numbers.append(HouseNumber(int(match[1]), suffix, len(words)))
            words.append(Word(piece, (match[1],), optional=True, open_ended=last and autocomplete))
        elif piece not in SMALL or last:
            words.append(_word(piece, last=last and autocomplete, of_town=of_town))
    return Asked(_some_required(tuple(words)), tuple(numbers))


def _is_suffix(following: Sequence[str]) -> bool:
    """Tell whether what follows a number belongs to it; a letter that ends the search may be the start of a name."""
    return bool(following) and (following[0] in SUFFIXES or (len(following) > 1 and following[0] in _LETTERS))


def _word(piece: str, *, last: bool, of_town: Collection[str]) -> Word:
    plain = stem(piece)
    meanings = tuple(dict.fromkeys((*map(stem, ABBREVIATED.get(piece, ())), plain)))
    return Word(piece, meanings, optional=piece in SMALL or plain in of_town, open_ended=last)


def _some_required(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Require every word when all were optional: a search for « 14 » or for the town's own name asks for just that."""
    if not words or not all(word.optional for word in words):
        return words
    return tuple(Word(word.typed, word.meanings, open_ended=word.open_ended) for word in words)
