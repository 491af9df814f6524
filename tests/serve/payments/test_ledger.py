"""The ledger balances, is never edited, and counts the same act once; brackets are read at their very bounds."""

from __future__ import annotations

from datetime import date

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.db.models.signals import pre_migrate

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.payments import ledger
from beffroi.serve.payments.definition import BadBill, Unbalanced, cents_of
from beffroi.serve.payments.engine import Billed, Bracket
from beffroi.serve.payments.guard import TABLES, install_triggers
from beffroi.serve.payments.models import Bill, Entry, Posting
from bill_makers import AT, make_bill

BILLED = Billed(
    slug="cantine",
    title="Cantine",
    unit="repas",
    brackets=[Bracket(below=400, price_cents=95), Bracket(below=800, price_cents=240), Bracket(price_cents=490)],
    outside_cents=620,
)


@pytest.mark.parametrize(
    ("quotient", "cents"), [(0, 95), (399, 95), (400, 240), (799, 240), (800, 490), (100_000, 490), (None, 490)]
)
def test_a_bound_belongs_to_the_bracket_above_it(quotient: int | None, cents: int) -> None:
    assert BILLED.price_for(quotient) == cents
    assert BILLED.price_for(quotient, outside=True) == 620


@pytest.mark.parametrize(
    "brackets",
    [
        [{"below": 400, "price_cents": 95}],
        [{"price_cents": 95}, {"price_cents": 240}],
        [{"below": 400, "price_cents": 95}, {"below": 400, "price_cents": 240}, {"price_cents": 1}],
        [{"below": 800, "price_cents": 95}, {"below": 400, "price_cents": 240}, {"price_cents": 1}],
    ],
)
def test_brackets_that_leave_a_hole_are_refused(brackets: list[dict[str, int]]) -> None:
    with pytest.raises(ValueError, match="cantine"):
        Billed(slug="cantine", title="C", unit="repas", brackets=brackets)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "abc", "12,345", "1e3", "--2", "²", "12,-4", "9999999999"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadBill):
        cents_of(text)


@pytest.mark.django_db
def test_an_entry_sums_to_zero_and_counts_once(town: str, agent: Viewer) -> None:
    bill = Bill.objects.get(pk=make_bill(agent, town))
    due, cash = ledger.due_of(int(bill.pk)), ledger.cash_of("cheque")
    told = {"register": bill.register_id, "family": bill.family_id, "at": AT, "day": date(2026, 11, 3)}
    with pytest.raises(Unbalanced):
        ledger.post(ledger.PAYMENT, key="a", legs={cash: 100, due: -99}, **told)
    with pytest.raises(Unbalanced):
        ledger.post(ledger.PAYMENT, key="a", legs={cash: 0, due: 0}, **told)
    first, second = (ledger.post(ledger.PAYMENT, key="a", legs={cash: 100, due: -100}, **told) for _ in range(2))
    assert (first[1], second[1], first[0].pk) == (True, False, second[0].pk)
    assert ledger.balance(due) == 12 * 240 - 100
    assert Posting.objects.aggregate(total=Sum("cents"))["total"] == 0


@pytest.mark.django_db
def test_the_database_itself_refuses_to_change_what_is_written(town: str, agent: Viewer) -> None:
    make_bill(agent, town)
    entry, leg = Entry.objects.order_by("pk").first(), Posting.objects.order_by("pk").first()
    assert entry is not None
    assert leg is not None
    for change in (
        lambda: Posting.objects.filter(pk=leg.pk).update(cents=1),
        lambda: Entry.objects.filter(pk=entry.pk).update(reason="retouché"),
        lambda: Posting.objects.filter(pk=leg.pk).delete(),
        lambda: connection.cursor().execute("DELETE FROM payments_entry"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    leg.refresh_from_db()
    assert leg.cents != 1


NAMES_OF_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'payments_%'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'payments_%'",
}


@pytest.mark.django_db
def test_triggers_go_before_a_migration_and_come_back_after_it() -> None:
    """They read the table of registers: SQLite cannot build it anew while they do."""

    def known() -> int:
        with connection.cursor() as cursor:
            cursor.execute(NAMES_OF_TRIGGERS[connection.vendor])
            return len(cursor.fetchall())

    before, room = known(), apps.get_app_config("payments")
    assert before >= 2 * len(TABLES)
    pre_migrate.send(room, app_config=room, using="default")
    assert known() == 0
    install_triggers(connection)
    assert known() == before
