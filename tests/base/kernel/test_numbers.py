"""Whole numbers as they are written in a form or an address."""

from __future__ import annotations

import pytest

from beffroi.base.kernel.numbers import row_key, whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("999999999", 999_999_999)])
def test_figures_are_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", " 1", "-1", "+1", "1.0", "1_000", "²", "٣", "1000000000", "9" * 5000])
def test_anything_else_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_a_key_holds_in_the_registry_or_is_nobodys() -> None:
    assert row_key("9" * 18) == 10**18 - 1 < 2**63
    assert {row_key(text) for text in ("", "²", "-1", "9" * 19)} == {0}
