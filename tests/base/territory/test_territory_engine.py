from __future__ import annotations

import doctest

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from beffroi.base.territory import engine

# Numbers published by INSEE and the town halls themselves.
REAL_SIRENS = {"Montpellier": "213401722", "Montpellier Méditerranée Métropole": "243400017", "INSEE": "120027016"}


def test_the_examples_of_the_docstrings_hold() -> None:
    results = doctest.testmod(engine)
    assert results.attempted >= 5
    assert results.failed == 0


@pytest.mark.parametrize("siren", REAL_SIRENS.values(), ids=REAL_SIRENS)
def test_real_siren_numbers_are_accepted(siren: str) -> None:
    assert engine.checked_siren(siren) == siren


@given(st.sampled_from(sorted(REAL_SIRENS.values())), st.integers(0, 8), st.integers(1, 9))
def test_any_mistyped_digit_is_found(siren: str, place: int, shift: int) -> None:
    wrong = siren[:place] + str((int(siren[place]) + shift) % 10) + siren[place + 1 :]
    with pytest.raises(engine.BadCode, match="SIREN"):
        engine.checked_siren(wrong)


@pytest.mark.parametrize("code", ["34172", "2A004", "2B033", "97411", "01001"])
def test_insee_codes_of_every_kind_are_accepted(code: str) -> None:
    assert engine.checked_insee(code) == code


@pytest.mark.parametrize("code", ["", "3417", "341720", "2C004", "2a004", "34 172", "34172\n", "A4172"])
def test_what_is_not_an_insee_code_is_refused(code: str) -> None:
    with pytest.raises(engine.BadCode, match="INSEE"):
        engine.checked_insee(code)


def test_an_outline_that_crosses_itself_is_mended() -> None:
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert engine.polygon_of(bow_tie, where="essai").area == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (b"not wkb", "illisible"),
        (shapely.Point(3, 43), "surface"),
        (shapely.Polygon(), "surface"),
        (shapely.LineString([(0, 0), (1, 1)]), "surface"),
        (shapely.box(770000, 6270000, 780000, 6280000), "globe"),
    ],
)
def test_what_is_not_an_area_on_the_globe_is_refused(shape: shapely.Geometry | bytes, why: str) -> None:
    with pytest.raises(engine.BadShape, match=r".*") as caught:
        engine.polygon_of(shape, where="essai")
    assert why in str(caught.value)


def test_a_key_is_found_by_its_prefix_and_known_by_its_hash_only() -> None:
    key, prefix, kept = engine.new_secret()
    assert engine.key_prefix(key) == prefix
    assert engine.same_secret(key, kept)
    assert not engine.same_secret(key + "x", kept)
    assert key not in kept


@given(st.text())
def test_no_text_that_is_not_a_key_has_a_prefix(text: str) -> None:
    assert engine.key_prefix(text) is None


@given(st.text())
def test_a_slug_is_made_of_ascii_words(name: str) -> None:
    slug = engine.slug_of(name)
    assert slug == engine.slug_of(slug)
    assert slug.isascii()
