"""The ledger: double-entry, append-only. Balances are sums; nothing is edited, a mistake is put right by its opposite.

due:<bill>        what a family owes on a bill            (debit)
credit:<family>   what the town owes a family             (credit)
product:<service> what the service brought in             (credit)
cash:<way>        money that came, or went back           (debit)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Sum

from beffroi.serve.payments.definition import Unbalanced
from beffroi.serve.payments.models import Entry, Posting

T = TypeVar("T")

# What one statement may ask about: databases bound their parameters.
MOST_ASKED = 5000
ISSUE, CANCEL, PAYMENT, REVERSAL, OFFSET, REFUND = "issue", "cancel", "payment", "reversal", "offset", "refund"


def due_of(bill: int) -> str:
    """Return the account of what is owed on a bill."""
    return f"due:{bill}"


def credit_of(family: int) -> str:
    """Return the account of what the town owes a family."""
    return f"credit:{family}"


def product_of(service: str) -> str:
    """Return the account of what a service brings in."""
    return f"product:{service}"


def cash_of(way: str) -> str:
    """Return the account of money that came in one way."""
    return f"cash:{way}"


def post(
    kind: str,
    *,
    key: str,
    legs: Mapping[str, int],
    register: int,
    family: int,
    at: datetime,
    day: date,
    bill: int | None = None,
    way: str = "",
    reference: str = "",
    reason: str = "",
) -> tuple[Entry, bool]:
    """Write one entry in the caller's transaction; return it, and whether it is new: the same `key` counts once.

    Args:
        legs: cents by account, debit positive; empty legs are left out.

    Raises:
        Unbalanced: the legs do not sum to zero, or there is none.
    """
    kept = checked(legs)
    entry, is_new = Entry.objects.get_or_create(
        key=key,
        defaults={
            "register_id": register, "kind": kind, "at": at, "day": day, "bill_id": bill, "family_id": family,
            "way": way, "reference": reference[:60], "reason": reason[:200],
        },
    )  # fmt: skip
    if is_new:
        Posting.objects.bulk_create(Posting(entry=entry, account=name, cents=cents) for name, cents in kept.items())
    return entry, is_new


def checked(legs: Mapping[str, int]) -> dict[str, int]:
    """Return the legs that move something.

    Raises:
        Unbalanced: they do not sum to zero, or there is none.
    """
    kept = {account: cents for account, cents in legs.items() if cents}
    if not kept or sum(kept.values()) != 0:
        raise Unbalanced(f"legs {dict(legs)}")
    return kept


def balances(accounts: Iterable[str]) -> dict[str, int]:
    """Return the sum of each account, in cents, debit positive; an account never used is 0."""
    names = list(accounts)
    found = dict.fromkeys(names, 0)
    for part in batched(names, MOST_ASKED):
        rows = Posting.objects.filter(account__in=part).order_by().values_list("account").annotate(Sum("cents"))
        found.update({account: int(total) for account, total in rows})
    return found


def batched(names: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Yield them so many at a time.

    >>> [list(part) for part in batched("abc", 2)]
    [['a', 'b'], ['c']]
    """
    for start in range(0, len(names), most):
        yield names[start : start + most]


def balance(account: str) -> int:
    """Return the sum of one account, in cents, debit positive."""
    return balances([account])[account]
