"""Numbers that people quote, and tokens that open a request without an account."""

from __future__ import annotations

import random

import pytest

from beffroi.serve.cases.definition import CaseNotFound
from beffroi.serve.cases.numbers import case_id_of, number_of, party_of, token_of

_KEYS = (1, 2, 31, 32, 2**15 - 1, 2**15, 2**30 - 2, 2**30 - 1, *random.Random(5).sample(range(1, 2**30), 200))


def test_a_number_leads_back_to_its_case_however_typed() -> None:
    for case_id in _KEYS:
        number = number_of(case_id)
        assert case_id_of(number) == case_id
        typed = " " + number.lower().replace("0", "o").replace("1", "l").replace("-", "") + " "
        assert case_id_of(typed) == case_id


def test_one_wrong_character_is_seen() -> None:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for case_id in _KEYS[::20]:
        text = number_of(case_id).replace("-", "")
        wrong = [
            text[:place] + letter + text[place + 1 :]
            for place in range(7)
            for letter in letters
            if letter != text[place]
        ]
        assert len(wrong) == 7 * 31
        for one in wrong:
            with pytest.raises(CaseNotFound):
                case_id_of(one)


def test_numbers_of_neighbours_do_not_look_alike() -> None:
    numbers = [number_of(case_id) for case_id in range(1, 2001)]
    assert len(set(numbers)) == 2000
    assert sorted(numbers) != numbers


@pytest.mark.parametrize("text", ["", "A", "ÉÉÉ-ÉÉÉÉ", "K7Q-2MX4-9", "U" * 7, "\0" * 7, "0000000"])
def test_what_cannot_be_a_number_is_no_request(text: str) -> None:
    with pytest.raises(CaseNotFound):
        case_id_of(text)


def test_a_token_opens_its_party_and_no_other() -> None:
    token = token_of(42)
    assert party_of(token) == 42
    for wrong in ("", "2a", token[:-1], token[:-1] + "x", "2b" + token[2:], "é.é", "-2a." + token.split(".")[1]):
        with pytest.raises(CaseNotFound):
            party_of(wrong)
