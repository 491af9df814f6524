"""What a time costs, by tariff; amounts are euro cents."""

from __future__ import annotations

from datetime import timedelta

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.bookings.definition import BadBooking
from beffroi.serve.bookings.hours.rules import SlotSettings, Tariff
from beffroi.serve.bookings.hours.times import Time


def tariff_of(rules: SlotSettings, code: str, time: Time) -> Tariff | None:
    """Return the tariff chosen, in force on the day of a time; the only one needs no choice, None of no tariff.

    Raises:
        BadBooking: there is a choice, and this is none of it.
    """
    known = rules.tariffs_on(time.starts.date())
    if len(known) <= 1 and not code:
        return known[0] if known else None
    for one in known:
        if one.code == code:
            return one
    raise BadBooking(
        gettext_noop("le tarif « {code} » n’existe pas ce jour-là"),
        where="tariff",
        remedy=gettext_noop("choisissez un des tarifs proposés"),
        code=code[:30],
    )


def price_of(tariff: Tariff | None, time: Time) -> tuple[int, int]:
    """Return the price of a time and its deposit, in euro cents; a part of an hour costs its part, rounded up.

    >>> from datetime import UTC, datetime
    >>> hall = Tariff(code="habitant", label="Habitant", hour_cents=1250, flat_cents=500, deposit_cents=30000)
    >>> price_of(hall, Time("a", datetime(2026, 3, 2, 18, tzinfo=UTC), datetime(2026, 3, 2, 19, 30, tzinfo=UTC), 1))
    (2375, 30000)
    """
    if tariff is None:
        return 0, 0
    quarters = (time.ends - time.starts) // timedelta(minutes=15)
    return tariff.flat_cents + -(-tariff.hour_cents * quarters // 4), tariff.deposit_cents
