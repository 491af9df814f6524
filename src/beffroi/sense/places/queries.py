"""What can be found: by words, by nearness, by address. The one way in for faces and other rooms.

Every query that tells of data takes the viewer first. Nothing here touches the registry but for services, whose state
is a decision: addresses and places come from files alone. Coordinates are longitude, latitude in degrees (OGC:CRS84),
distances in metres.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.words import ABBREVIATED, folded, pieces, stem, words
from beffroi.base.territory.viewer import ANONYMOUS, PUBLIC, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places import store
from beffroi.sense.places.answers import Entry, Found, Hit, House, Kind, Near, NearAddress
from beffroi.sense.places.arrays import Arrays, house_key, kind_number
from beffroi.sense.places.asked import Asked, HouseNumber, read_search
from beffroi.sense.places.index import Index
from beffroi.sense.places.matching import Marked, Matches, matches
from beffroi.sense.places.nearness import distances_m
from beffroi.sense.places.services import ServiceShelf, shelf_of

__all__ = [
    "MOST",
    "MOST_LETTERS",
    "BadPlaceQuery",
    "Entry",
    "Found",
    "Hit",
    "House",
    "Kind",
    "Near",
    "NearAddress",
    "addresses",
    "around",
    "reverse",
    "search",
]

MOST_LETTERS = 200
MOST = 100
NEAR_M = 2_000.0
_REACH_M = 5_000.0
# The part of a street's score that the order of its words and their plurals decide.
_AS_WRITTEN = 0.06
# How far is a district or a wood? Not as far as some point of it: such things are left out of what is near.
_WIDE_M = 150.0
_ADDRESS_REACH_M = 2_000.0


class BadPlaceQuery(BeffroiError):
    """A search or a place that cannot be read."""


def search(
    viewer: Viewer,
    territory: str,
    text: str,
    *,
    kinds: Collection[Kind] = (),
    near: tuple[float, float] | None = None,
    limit: int = 10,
) -> Found:
    """Return what answers `text` in a territory, best first, at most `limit` of each kind (of all kinds when empty).

    Accents, capitals, elisions, plurals and usual abbreviations do not count; the last word may be a beginning; slips
    of the finger are forgiven when nothing answers as typed. `near` (longitude, latitude) prefers what is close among
    equals.

    Raises:
        BadPlaceQuery: `limit` out of 1…100, or a place that is none.
    """
    _check_limit(limit)
    if near is not None:
        _check_place(*near)
    shelves: list[_Shelf] = [_FileShelf(index, viewer) for index in _indexes(viewer, territory)]
    services = shelf_of(viewer, territory)
    if services is not None and (not kinds or Kind.SERVICE in kinds):
        shelves.append(services)
    town = frozenset().union(*(shelf.town_words for shelf in shelves))
    asked = read_search(text[:MOST_LETTERS], of_town=town)
    answered = [
        (shelf, _closer(shelf.arrays, matches(shelf.arrays, asked, shelf.allowed(kinds)), near)) for shelf in shelves
    ]
    return _gathered(answered, asked, text, limit=limit)


def addresses(
    text: str,
    *,
    citycode: str = "",
    postcode: str = "",
    houses_only: bool = False,
    streets_only: bool = False,
    near: tuple[float, float] | None = None,
    autocomplete: bool = True,
    limit: int = 5,
) -> list[Hit]:
    """Return the addresses and streets that `text` may mean, best first: what everyone may read, no more.

    Of one commune (`citycode`), else of every territory of this installation. A number that is not known in its street
    gives the street. `autocomplete`: the last word may be a beginning.

    Raises:
        BadPlaceQuery: `limit` out of 1…100, or a place that is none.
    """
    _check_limit(limit)
    if near is not None:
        _check_place(*near)
    hits: list[Hit] = []
    for territory in [citycode] if citycode else store.territories():
        index = store.index_of(territory, PUBLIC)
        if index is None:
            continue
        shelf = _FileShelf(index, ANONYMOUS)
        asked = read_search(text[:MOST_LETTERS], of_town=index.town_words, autocomplete=autocomplete)
        found = _closer(index.arrays, matches(index.arrays, asked, shelf.allowed((Kind.STREET,))), near)
        hits += [_hit(shelf, asked, number, score) for number, score in _first(found, limit * 4)]
    kept = [
        hit
        for hit in _once(_best_first(hits))
        if not (houses_only and hit.house is None)
        and not (streets_only and hit.house is not None)
        and (not postcode or postcode == ((hit.house and hit.house.postcode) or hit.entry.postcode))
    ]
    return kept[:limit]


def reverse(lon: float, lat: float, *, citycode: str = "", limit: int = 1) -> list[NearAddress]:
    """Return the addresses nearest to a point, the nearest first, within 2 km.

    Raises:
        BadPlaceQuery: not a place, or `limit` out of 1…100.
    """
    _check_limit(limit)
    _check_place(lon, lat)
    found: list[NearAddress] = []
    for territory in [citycode] if citycode else store.territories():
        index = store.index_of(territory, PUBLIC)
        if index is None:
            continue
        shelf, arrays = _FileShelf(index, ANONYMOUS), index.arrays
        allowed = shelf.allowed((Kind.STREET,))(np.diff(arrays.houses_from) > 0)
        for number, distance in _nearest(arrays.house_lons, arrays.house_lats, lon, lat, limit, _ADDRESS_REACH_M):
            street = int(np.searchsorted(arrays.houses_from, number, side="right")) - 1
            if allowed[street]:
                hit = Hit(index.entry(street), max(0.0, 1 - distance / _ADDRESS_REACH_M), index.house(number))
                found.append(NearAddress(hit, distance))
    return sorted(found, key=lambda one: one.distance_m)[:limit]


def around(viewer: Viewer, territory: str, lon: float, lat: float, *, limit: int = 12) -> list[Near]:
    """Return the nearest thing of each sort within 5 km, the nearest first: school, pharmacy, market, park…

    Distances are in a straight line: a river or a railway may lie between. A sort is a category, else a dataset.

    Raises:
        BadPlaceQuery: not a place, or `limit` out of 1…100.
    """
    _check_limit(limit)
    _check_place(lon, lat)
    nearest: dict[tuple[str, str], Near] = {}
    for index in _indexes(viewer, territory):
        shelf = _FileShelf(index, viewer)
        allowed = shelf.allowed((Kind.PLACE,))(~np.isnan(index.arrays.lons))
        lons = np.where(allowed, index.arrays.lons, np.nan)
        for number, distance in _nearest(lons, index.arrays.lats, lon, lat, 600, _REACH_M):
            entry = index.entry(number)
            if entry.radius_m > _WIDE_M:
                continue
            sort = (folded(entry.category), "" if entry.category else str(entry.ref))
            if sort not in nearest or distance < nearest[sort].distance_m:
                nearest[sort] = Near(entry, distance)
    return sorted(nearest.values(), key=lambda one: one.distance_m)[:limit]


# --- Where answers come from -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _FileShelf:
    """An index as one viewer may read it: what her rights of today do not open is not allowed."""

    index: Index
    viewer: Viewer

    @property
    def arrays(self) -> Arrays:
        return self.index.arrays

    @property
    def town_words(self) -> frozenset[str]:
        return self.index.town_words

    def entry(self, number: int) -> Entry:
        return self.index.entry(number)

    def allowed(self, kinds: Collection[Kind]) -> Callable[[Marked], Marked]:
        """Return what keeps, of marked entries, those of `kinds` (all, when empty) whose dataset is as it went in."""
        wanted = [kind_number(Kind.STREET if kind is Kind.ADDRESS else kind) for kind in kinds]

        def keep(marked: Marked) -> Marked:
            marked = marked & ~self.arrays.doubles
            if wanted:
                marked = marked & np.isin(self.arrays.kinds, wanted)
            concerned = np.unique(self.arrays.datasets[marked]).tolist()
            refused = [number for number in concerned if not self._as_indexed(number)]
            return marked & ~np.isin(self.arrays.datasets, refused) if refused else marked

        return keep

    def _as_indexed(self, number: int) -> bool:
        source = self.index.sources[number]
        seen = lake.what_is_seen(self.viewer, DatasetRef(self.index.territory, source.slug))
        # The version may be a newer one, for the moment it takes to index it; the rights may not.
        return seen is not None and seen[0] == self.index.class_name and seen[1] == source.mark


_Shelf = _FileShelf | ServiceShelf


def _indexes(viewer: Viewer, territory: str) -> Iterator[Index]:
    """Yield the indexes that a viewer may look in, the public one first."""
    for class_name in sorted(viewer.clearances(territory), key=lambda name: (name != PUBLIC, name)):
        index = store.index_of(territory, class_name)
        if index is not None:
            yield index


# --- Putting answers together ----------------------------------------------------------------------------------------


def _first(found: Matches, most: int) -> list[tuple[int, float]]:
    return list(zip(found.numbers[:most].tolist(), found.scores[:most].tolist(), strict=True))


def _gathered(answered: Sequence[tuple[_Shelf, Matches]], asked: Asked, text: str, *, limit: int) -> Found:
    exact = [pair for pair in answered if len(pair[1].numbers) and not pair[1].slips]
    # What answers as typed silences what only answers once corrected, on whichever shelf it is.
    chosen = exact or answered
    counts: Counter[Kind] = Counter()
    hits: list[Hit] = []
    for shelf, found in chosen:
        per_kind: Counter[int] = Counter()
        for number, score in _first(found, len(found.numbers)):
            kind = int(shelf.arrays.kinds[number])
            per_kind[kind] += 1
            if per_kind[kind] <= limit * 2:
                hits.append(_hit(shelf, asked, number, score))
        counts.update({_KINDS[kind]: count for kind, count in found.counts.items()})
    kept: list[Hit] = []
    shown: Counter[Kind] = Counter()
    for hit in _once(_best_first(hits)):
        shown[hit.entry.kind] += 1
        if shown[hit.entry.kind] <= limit:
            kept.append(hit)
    return Found(tuple(kept), dict(counts), "" if exact else _corrected(text, asked, chosen))


_KINDS = tuple(Kind)


def _hit(shelf: _Shelf, asked: Asked, number: int, score: float) -> Hit:
    entry = shelf.entry(number)
    if entry.kind is not Kind.STREET or not asked.numbers or not isinstance(shelf, _FileShelf):
        return Hit(entry, score)
    score = min(1.0, score * (1 - _AS_WRITTEN) + _AS_WRITTEN * _likeness_of_names(asked, entry.title))
    in_name = set(words(entry.title))
    # « 8 rue du 8 mai »: the first number is the house's, though the name has it too.
    typed = Counter(asked.words[number.word].meanings[0] for number in asked.numbers)
    for house in asked.numbers:
        if str(house.number) in in_name and typed[str(house.number)] < 2:
            continue
        place = _house_of(shelf.arrays, number, house)
        if place is not None:
            # A number asked and found is what was meant, before any place whose name or address has these words.
            return Hit(entry, min(1.0, score + 0.05), shelf.index.house(place))
        return Hit(entry, score * 0.9)
    return Hit(entry, score)


def _likeness_of_names(asked: Asked, title: str) -> float:
    """Return how alike a street asked and its name are, letter by letter: order and plurals tell two streets apart."""
    wanted = " ".join(word.meanings[0] if word.typed in ABBREVIATED else word.typed for word in asked.words)
    return SequenceMatcher(None, wanted, " ".join(pieces(title)), autojunk=False).ratio()


def _house_of(arrays: Arrays, street: int, asked: HouseNumber) -> int | None:
    """Return the place of a house in a street; a suffix that is not known gives the number alone."""
    first, end = int(arrays.houses_from[street]), int(arrays.houses_from[street + 1])
    keys = arrays.house_keys[first:end]
    for key in dict.fromkeys((house_key(asked.number, asked.suffix), house_key(asked.number, ""))):
        at = int(np.searchsorted(keys, key))
        if at < len(keys) and keys[at] == key:
            return first + at
    return None


def _closer(arrays: Arrays, found: Matches, near: tuple[float, float] | None) -> Matches:
    """Return matches with up to a tenth of their score given by nearness, which counts within two kilometres."""
    if near is None or not len(found.numbers):
        return found
    metres = distances_m(arrays.lons[found.numbers], arrays.lats[found.numbers], *near)
    share = np.nan_to_num(np.clip(1 - metres / NEAR_M, 0, 1))
    scores = (0.9 * found.scores + 0.1 * share).astype(np.float32)
    order = np.lexsort((found.numbers, -scores))
    return replace(found, numbers=found.numbers[order], scores=scores[order])


def _best_first(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.house is None))


def _once(hits: list[Hit]) -> Iterator[Hit]:
    """Yield hits without the streets that another dataset also tells: addresses know their houses, roads do not."""
    streets: set[tuple[str, str]] = set()
    known = {folded(hit.entry.title) for hit in hits if hit.entry.kind is Kind.STREET and hit.entry.citycode}
    for hit in hits:
        if hit.entry.kind is Kind.STREET:
            name = folded(hit.entry.title)
            if (name, hit.entry.citycode) in streets or (name in known and not hit.entry.citycode):
                continue
            streets.add((name, hit.entry.citycode))
        yield hit


def _corrected(text: str, asked: Asked, answered: Sequence[tuple[_Shelf, Matches]]) -> str:
    """Return the search with the words looked for in the place of those unknown, empty when there is none."""
    corrected = [(shelf, found) for shelf, found in answered if len(found.numbers) and found.slips]
    if not corrected:
        return ""
    shelf, best = max(corrected, key=lambda pair: float(pair[1].scores[0]))
    instead = {asked.words[place].typed: slip for place, slip in best.slips.items()}
    entry = shelf.entry(int(best.numbers[0]))
    # Written as the answer writes them, accents included: the words of the index have none.
    written = {
        stem(folded(word)): word.lower() for word in _WORD.findall(f"{entry.title} {entry.category} {entry.words}")
    }
    return " ".join(
        written.get(instead[piece], instead[piece]) if piece in instead else piece for piece in pieces(text)
    )


_WORD = re.compile(r"\w+")


def _nearest(
    lons: npt.NDArray[np.float64], lats: npt.NDArray[np.float64], lon: float, lat: float, most: int, within_m: float
) -> list[tuple[int, float]]:
    metres = distances_m(lons, lats, lon, lat)
    close = np.flatnonzero(metres <= within_m)
    if len(close) > most:
        close = close[np.argpartition(metres[close], most)[:most]]
    close = close[np.argsort(metres[close], kind="stable")]
    return [(int(number), float(metres[number])) for number in close]


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise BadPlaceQuery("{limit} réponses demandées", where="limit", remedy="de 1 à {most}", limit=limit, most=MOST)


def _check_place(lon: float, lat: float) -> None:
    # Written so that NaN fails too.
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadPlaceQuery(
            "position « {lon}, {lat} » hors du globe",
            where="lon, lat",
            remedy="donnez des degrés : longitude de -180 à 180, latitude de -90 à 90",
            lon=lon,
            lat=lat,
        )
