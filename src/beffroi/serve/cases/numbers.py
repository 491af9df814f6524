"""The number people quote for a request, and the token by which one without an account follows it."""

from __future__ import annotations

import re

from django.utils.crypto import constant_time_compare, salted_hmac

from beffroi.serve.cases.definition import case_not_found

# Crockford's alphabet: no I, L, O, U, so that nothing is misheard or misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS = 30
_MASK = (1 << _BITS) - 1
# Odd, hence invertible modulo 2**30; it only scatters: numbers say neither order nor volume at a glance.
_FACTOR = 0x2545F491
_INVERSE = pow(_FACTOR, -1, 1 << _BITS)
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def number_of(case_id: int) -> str:
    """Return the number of a case: six characters scattered by a bijection, and one that checks them.

    >>> case_id_of(number_of(41).lower().replace("-", " "))
    41
    """
    if not 0 < case_id <= _MASK:
        raise ValueError(f"case {case_id} is beyond what a number can say")
    scattered = _scattered(_scattered(case_id) * _FACTOR & _MASK)
    text = "".join(_ALPHABET[scattered >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return f"{text[:3]}-{text[3:]}{_check(text)}"


def case_id_of(number: str) -> int:
    """Return the case that a number names, however it was typed: case, spaces, hyphens, O for 0.

    Raises:
        CaseNotFound: a character is wrong or missing: no case ever had this number.
    """
    text = re.sub(r"[\s\-.–]", "", number.upper()).translate(_READ_AS)
    if len(text) != 7 or any(letter not in _ALPHABET for letter in text) or _check(text[:6]) != text[6]:
        raise case_not_found()
    scattered = 0
    for letter in text[:6]:
        scattered = scattered << 5 | _ALPHABET.index(letter)
    case_id = _scattered(_scattered(scattered) * _INVERSE & _MASK)
    if not case_id:
        raise case_not_found()
    return case_id


def _scattered(value: int) -> int:
    """Mix the high half into the low one; done twice, it is undone."""
    return value ^ value >> _BITS // 2


def _check(text: str) -> str:
    """Return the check character: Luhn's sum modulo 32, which sees one wrong character and two exchanged neighbours."""
    total = 0
    for place, letter in enumerate(reversed(text)):
        value = _ALPHABET.index(letter) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return _ALPHABET[-total % 32]


# --- Follow-up tokens ----------------------------------------------------------------------------------------------


def token_of(party_id: int) -> str:
    """Return the token by which a party follows its request without an account.

    It is made of the secret key, so it is stored nowhere and a repeated sending gets the same one; 128 bits.
    """
    return f"{party_id:x}.{_seal(party_id)}"


def party_of(token: str) -> int:
    """Return the party that a token belongs to.

    Raises:
        CaseNotFound: the token is not one of ours.
    """
    head, _, seal = token.strip().partition(".")
    party_id = int(head, 16) if re.fullmatch(r"[0-9a-f]{1,15}", head) else 0
    if not constant_time_compare(seal.encode("utf-8", "replace"), _seal(party_id).encode()) or not party_id:
        raise case_not_found()
    return party_id


def _seal(party_id: int) -> str:
    return salted_hmac("beffroi.cases.follow", str(party_id), algorithm="sha256").hexdigest()[:32]
