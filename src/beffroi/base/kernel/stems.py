"""The stem of a French word: what `attribuer`, `attribué` and `attributions` share. For searching long texts.

Light on purpose: inflections and the commonest derivations, by one table of endings. Both what is searched and what is
asked go through it, so a stem need not be a word; two words that should be apart and are not cost a wrong answer at
the end of a list, while a form that is missed costs the answer itself.

Source: the method of J. Savoy, « A stemming procedure and stopword list for general French corpora », JASIS 50 (1999).
"""

from __future__ import annotations

from functools import lru_cache

from beffroi.base.kernel.words import SMALL, pieces

# Ending, what stands for it, letters that must be left before it. The first that fits is taken; longest first.
_ENDINGS: tuple[tuple[str, str, int], ...] = (
    ("issement", "", 3),
    ("isation", "is", 3),
    ("ification", "ifi", 2),
    ("atrice", "", 3),
    ("ateur", "", 3),
    ("ation", "", 3),
    ("ution", "u", 3),
    ("ition", "", 4),
    ("ement", "", 4),
    ("iere", "i", 3),
    ("euse", "eu", 3),
    ("elle", "el", 3),
    ("enne", "en", 3),
    ("onne", "on", 3),
    ("onner", "on", 3),
    ("onnee", "on", 3),
    ("ale", "a", 3),
    ("ail", "a", 3),
    ("aux", "a", 3),
    ("ive", "if", 3),
    ("ier", "i", 3),
    ("ant", "", 4),
    ("al", "a", 3),
    ("ee", "", 3),
    ("er", "", 3),
    ("e", "", 3),
)


@lru_cache(maxsize=65_536)
def stem_of(word: str) -> str:
    """Return the stem of a word already folded (see `words.folded`); figures and short words stay.

    >>> [stem_of(one) for one in ("attribuer", "attribuee", "attributions", "locaux", "locale", "travaux", "2026")]
    ['attribu', 'attribu', 'attribu', 'loca', 'loca', 'trava', '2026']
    """
    if len(word) < 4 or word.isdigit():
        return word
    if word.endswith("eaux"):
        return word[:-1]
    if word[-1] in "sx" and not word.endswith("aux"):
        word = word[:-1]
    for ending, instead, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: len(word) - len(ending)] + instead
    return word


def stems(text: str) -> list[str]:
    """Return the stems of the words of a text that count, in order: no accents, no elisions, no small words.

    >>> stems("L’attribution d’une subvention aux écoles")
    ['attribu', 'subvention', 'ecol']
    """
    return [stem_of(piece) for piece in pieces(text) if piece not in SMALL]
