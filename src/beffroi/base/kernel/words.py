"""Words as a search compares them: accents, capitals, elisions, abbreviations and plurals do not count."""

from __future__ import annotations

import re
import unicodedata

SMALL = frozenset(
    "a au aux d de des du en et l la le les ou par pour qu s sur un une dans the of".split()  # noqa: SIM905
)
# What postal labels and people write short; several meanings are all tried.
ABBREVIATED: dict[str, tuple[str, ...]] = {
    "all": ("allee",),
    "av": ("avenue",),
    "ave": ("avenue",),
    "bat": ("batiment",),
    "bd": ("boulevard",),
    "bld": ("boulevard",),
    "boul": ("boulevard",),
    "bvd": ("boulevard",),
    "cdt": ("commandant",),
    "ch": ("chemin",),
    "che": ("chemin",),
    "chem": ("chemin",),
    "col": ("colonel",),
    "crs": ("cours",),
    "dr": ("docteur",),
    "esp": ("esplanade",),
    "fbg": ("faubourg",),
    "fg": ("faubourg",),
    "gal": ("general",),
    "gen": ("general",),
    "ham": ("hameau",),
    "imp": ("impasse",),
    "lot": ("lotissement",),
    "lt": ("lieutenant",),
    "mal": ("marechal",),
    "pass": ("passage",),
    "pdt": ("president",),
    "pl": ("place",),
    "pr": ("professeur", "president"),
    "prof": ("professeur",),
    "prom": ("promenade",),
    "r": ("rue",),
    "res": ("residence",),
    "rte": ("route",),
    "sq": ("square",),
    "st": ("saint",),
    "ste": ("sainte",),
}


def folded(text: str) -> str:
    """Return `text` in small letters without accents; ligatures are opened.

    >>> folded("Cœur d'Érables")
    "coeur d'erables"
    """
    opened = text.lower().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    return "".join(letter for letter in unicodedata.normalize("NFD", opened) if not unicodedata.combining(letter))


def pieces(text: str) -> list[str]:
    """Return every run of letters and figures of `text`, folded, small words included.

    >>> pieces("12bis, av. de l'Église")
    ['12bis', 'av', 'de', 'l', 'eglise']
    """
    return re.findall(r"[a-z0-9]+", folded(text))


def stem(word: str) -> str:
    """Return a folded word without its mark of plural.

    >>> stem("arbres"), stem("bus")
    ('arbre', 'bus')
    """
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word


def words(text: str) -> list[str]:
    """Return the words of `text` that count, spelled out and without a final s.

    >>> words("les arbres du bd. Hugo")
    ['arbre', 'boulevard', 'hugo']
    """
    found = [piece for piece in pieces(text) if piece not in SMALL]
    return [stem(spelled) for piece in found for spelled in ABBREVIATED.get(piece, (piece,))[:1]]
