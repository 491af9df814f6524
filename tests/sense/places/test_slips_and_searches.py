"""The parts of a search that need no town: how it is read, and which words are a slip away."""

from __future__ import annotations

import random
import string

import numpy as np
import pytest
from pyproj import Geod

from beffroi.base.kernel.words import words
from beffroi.sense.places.asked import read_search
from beffroi.sense.places.lexicon import Lexicon
from beffroi.sense.places.nearness import distances_m


def slips_by_hand(one: str, other: str) -> int:
    """Optimal string alignment, as textbooks write it: one cell at a time."""
    table = [[i + j if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            changed = table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, changed)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def test_words_a_slip_away_are_those_a_second_method_finds() -> None:
    rng = random.Random(7)
    known = sorted({"".join(rng.choices("abcdeé"[:5], k=rng.randint(2, 9))) for _ in range(400)})
    lexicon = Lexicon(known)
    for asked in ["".join(rng.choices("abcde", k=rng.randint(3, 9))) for _ in range(40)]:
        found = {lexicon.words[n]: slips for n, slips in lexicon.near(asked, most=2, open_ended=False)}
        assert found == {word: slips for word in known if 0 < (slips := slips_by_hand(asked, word)) <= 2}


def test_a_word_being_typed_is_compared_with_beginnings() -> None:
    rng = random.Random(8)
    known = sorted({"".join(rng.choices("abcd", k=rng.randint(3, 9))) for _ in range(200)})
    lexicon = Lexicon(known)
    for asked in ["".join(rng.choices("abcd", k=5)) for _ in range(20)]:
        found = {lexicon.words[n]: slips for n, slips in lexicon.near(asked, most=1, open_ended=True)}
        starts = {word: min(slips_by_hand(asked, word[:end]) for end in range(len(word) + 1)) for word in known}
        assert found == {word: slips for word, slips in starts.items() if 0 < slips <= 1}


def test_words_are_found_by_their_beginning() -> None:
    lexicon = Lexicon(["avenue", "rivage", "rive", "riviere", "rue"])
    first, end = lexicon.beginning("riv")
    assert lexicon.words[first:end] == ["rivage", "rive", "riviere"]
    assert lexicon.number("rive") == 2
    assert lexicon.number("ri") is None
    assert Lexicon([]).near("rive", most=1, open_ended=True) == []


@pytest.mark.parametrize(
    ("text", "number", "suffix", "required"),
    [
        ("12 bis av. Jean-Jaurès", 12, "bis", ["avenue", "jean", "jaure"]),
        ("12bis rue de l’Église", 12, "bis", ["rue", "eglise"]),
        ("5 A rue Neuve", 5, "a", ["rue", "neuve"]),
        ("place du 14", 14, "", ["place"]),
        ("8 mai", 8, "", ["mai"]),
        ("35 r de la Paix", 35, "", ["rue", "pai"]),
        # The town's own words and its postcode say nothing more; the number still is the house's.
        ("3 rue Neuve 34000 Montpellier", 3, "", ["rue", "neuve"]),
    ],
)
def test_a_house_number_is_told_from_words(text: str, number: int, suffix: str, required: list[str]) -> None:
    asked = read_search(text, of_town={"34000", "montpellier"})
    assert (asked.numbers[0].number, asked.numbers[0].suffix) == (number, suffix)
    assert [word.meanings[0] for word in asked.words if not word.optional] == required


@pytest.mark.parametrize("text", ["", "  ", "…", "的", ", ", "'"])
def test_a_search_without_letters_asks_nothing(text: str) -> None:
    assert read_search(text).words == ()


def test_a_search_of_nothing_but_optional_words_asks_for_them() -> None:
    assert [word.optional for word in read_search("14").words] == [False]
    assert [word.optional for word in read_search("Montpellier", of_town={"montpellier"}).words] == [False]


def test_both_meanings_of_an_abbreviation_are_tried() -> None:
    (word,) = read_search("st").words
    assert word.meanings == ("saint", "st")
    assert words("Bd St-Éloi") == ["boulevard", "saint", "eloi"]


def test_a_long_search_is_cut() -> None:
    letters = random.Random(1).choices(string.ascii_lowercase, k=300)
    assert len(read_search(" ".join(letters)).words) <= 12


@pytest.mark.parametrize("lat", [41.3, 46.5, 51.1])
def test_distances_are_close_to_the_geodesic(lat: float) -> None:
    """Up to 5 km, from Bonifacio to Dunkirk: under 0.4 %."""
    rng = np.random.default_rng(3)
    lons, lats = 2.5 + rng.uniform(-0.045, 0.045, 200), lat + rng.uniform(-0.04, 0.04, 200)
    _, _, exact = Geod(ellps="WGS84").inv(np.full(200, 2.5), np.full(200, lat), lons, lats)
    assert np.max(np.abs(distances_m(lons, lats, 2.5, lat) / exact - 1)) < 0.004
