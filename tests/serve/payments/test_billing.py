"""Units taken in line by line, bills of a month looked at and sent, corrections, and what is taken back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import Sum

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.payments import ledger, operations, queries
from beffroi.serve.payments.billing import due_day
from beffroi.serve.payments.definition import BadBill, BillNotFound, ChangedMeanwhile
from beffroi.serve.payments.models import Bill, Consumption, Posting
from bill_makers import AT, MONTH, deposit, issue, make_bill, make_family

pytestmark = pytest.mark.django_db


def units(**wanted: object) -> list[tuple[str, int]]:
    rows = Consumption.objects.filter(**wanted).order_by("child", "service")
    return [(row.child, row.units) for row in rows]


def test_bad_lines_are_refused_one_by_one_with_their_reason(town: str, agent: Viewer) -> None:
    make_family(agent, town)
    intake: Any = deposit(
        agent,
        "2026-10;F-1;Lou;cantine;12\n"
        "10/2026;f-1;Noé;cantine;8\n"
        "2026-13;F-1;Lou;cantine;3\n"
        "2026-10;F-9;Lou;cantine;3\n"
        "2026-10;F-1;;cantine;3\n"
        "2026-10;F-1;Lou;piscine;3\n"
        "2026-10;F-1;Lou;accueil-du-soir;trois\n"
        "2026-10;F-1;Zoé;cantine;24\n"
        "2026-10;F-1;Lou;cantine;4\n",
        town,
    )
    assert intake.taken == 2
    assert [one.line for one in intake.refused] == [4, 5, 6, 7, 8, 9, 10]
    told = " ".join(one.reason for one in intake.refused)
    for word in (
        "n’est pas un mois",
        "« F-9 »",
        "texte manque",
        "piscine",
        "« trois »",
        "23 au plus",
        "déjà une ligne",
    ):
        assert word in told
    assert units() == [("Lou", 12), ("Noé", 8)]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"mois;famille;enfant;service\n2026-10;F-1;Lou;cantine\n", "unites"),
        (b"", "mois"),
        (b"mois;famille;enfant;service;unites\n", "aucune ligne"),
        (b"PK\0\3", "texte"),
    ],
)
def test_a_file_that_is_no_table_of_units_is_refused(town: str, agent: Viewer, content: bytes, word: str) -> None:
    with pytest.raises(BadBill) as caught:
        operations.take_deposit(agent, town, name="x.csv", content=content, at=AT)
    assert word in str(caught.value)


def test_a_file_of_a_spreadsheet_is_read_as_it_writes_it(town: str, agent: Viewer) -> None:
    make_family(agent, town)
    text = "Service,Unités,Mois,Famille,Enfant\ncantine,3,2026-10,F-1,Noé\n"
    operations.take_deposit(agent, town, name="x.csv", content=text.encode("cp1252"), at=AT)
    assert units() == [("Noé", 3)]


def test_the_month_is_looked_at_then_sent_one_bill_a_family(town: str, agent: Viewer) -> None:
    make_family(agent, town)
    make_family(agent, town, "F-2", quotient=None, email="")
    make_family(agent, town, "F-3", is_outside=True)
    lines = "2026-10;F-1;Lou;cantine;12\n2026-10;F-1;Noé;centre-de-loisirs;2\n"
    deposit(agent, lines + "2026-10;F-2;Ava;cantine;10\n2026-10;F-3;Zoé;cantine;1\n", town)
    (plan,) = queries.month_plans(agent, town, MONTH)
    first, second, third = plan.families
    assert (first.cents, first.odd) == (12 * 240 + 2 * 390, ())
    assert (second.cents, second.odd) == (10 * 490, ("no-quotient", "paper"))
    assert (third.cents, third.odd) == (620, ())
    assert queries.totals_by_service(plan)["Restauration scolaire"] == (23, 12 * 240 + 4900 + 620)
    assert not Bill.objects.exists()
    with pytest.raises(ChangedMeanwhile):
        operations.issue_month(agent, town, MONTH, register=plan.register, fingerprint="ancien", at=AT)
    keys = issue(agent, town)
    sent = [queries.bill(agent, town, key) for key in keys]
    assert [one.number for one in sent] == ["2026-00001", "2026-00002", "2026-00003"]
    assert [one.due_cents for one in sent] == [3660, 4900, 620]
    assert sent[0].due_on == date(2026, 12, 3)
    with pytest.raises(BadBill):
        issue(agent, town)
    assert Posting.objects.aggregate(total=Sum("cents"))["total"] == 0


def test_numbers_have_no_gap_and_begin_again_each_year(town: str, agent: Viewer) -> None:
    make_bill(agent, town)
    operations.cancel_bill(agent, town, Bill.objects.get().pk, reason="Essai", at=AT)
    issue(agent, town)
    deposit(agent, "2026-12;F-1;Lou;cantine;3\n", town)
    later = datetime(2027, 1, 4, 9, tzinfo=AT.tzinfo)
    with pytest.raises(ChangedMeanwhile):
        operations.issue_month(agent, town, date(2026, 12, 1), register="enfance", fingerprint="x", at=later)
    issue(agent, town, month=date(2026, 12, 1), at=later)
    assert [str(one) for one in Bill.objects.order_by("pk")] == ["2026-00001", "2026-00002", "2027-00001"]


def test_a_second_deposit_replaces_what_is_not_billed_and_corrects_what_is(town: str, agent: Viewer) -> None:
    make_family(agent, town)
    deposit(agent, "2026-10;F-1;Lou;cantine;12\n2026-10;F-1;Noé;cantine;9\n", town)
    again: Any = deposit(agent, "2026-10;F-1;Lou;cantine;10\n", town)
    assert (again.changed, again.emptied) == (1, 1)
    assert units() == [("Lou", 10), ("Noé", 0)]
    (key,) = issue(agent, town)
    assert queries.bill(agent, town, key).due_cents == 2400
    # The quotient changes, and the month is corrected: at the price of the bill that is corrected.
    make_family(agent, town, quotient=100)
    deposit(agent, "2026-10;F-1;Lou;cantine;7\n2026-11;F-1;Lou;cantine;4\n", town)
    (plan,) = queries.month_plans(agent, town, MONTH)
    assert (plan.families, plan.waiting) == ((), ("F-1",))
    (second,) = issue(agent, town, month=date(2026, 11, 1), at=AT + timedelta(days=30))
    told = queries.bill(agent, town, second)
    assert [(one.month.month, one.units, one.amount_cents, one.is_correction) for one in told.lines] == [
        (11, 4, 4 * 95, False),
        (10, -3, -3 * 240, True),
    ]
    # More was counted too much than was used: the town owes the family, and its next bill is paid with it first.
    assert (told.total_cents, told.due_cents, told.is_credit) == (-340, 0, True)
    assert queries.family(agent, town, told.family_id)[0].credit_cents == 340
    deposit(agent, "2026-12;F-1;Lou;cantine;10\n", town)
    (third,) = issue(agent, town, month=date(2026, 12, 1), at=AT + timedelta(days=60))
    assert queries.bill(agent, town, third).due_cents == 950 - 340
    with pytest.raises(BadBill, match="avoir"):
        operations.cancel_bill(agent, town, second, reason="Trop tard", at=AT)


def test_a_file_with_refused_lines_empties_nothing_there(town: str, agent: Viewer) -> None:
    make_family(agent, town)
    deposit(agent, "2026-10;F-1;Lou;cantine;12\n2026-10;F-1;Noé;cantine;9\n", town)
    again: Any = deposit(agent, "2026-10;F-1;Lou;cantine;11\n2026-10;F-1;Noé;cantine;neuf\n", town)
    assert (again.emptied, len(again.refused)) == (0, 1)
    assert units() == [("Lou", 11), ("Noé", 9)]
    operations.type_units(agent, town, family="F-1", month="2026-10", child="Noé", service="cantine", units=2, at=AT)
    assert units() == [("Lou", 11), ("Noé", 2)]


def test_a_bill_taken_back_owes_what_was_paid_on_it_and_may_be_sent_anew(town: str, agent: Viewer) -> None:
    key = make_bill(agent, town)
    operations.record_payment(
        agent, town, key, cents=1000, way="cheque", reference="n° 12", day=AT.date(), at=AT, once="a"
    )
    operations.cancel_bill(agent, town, key, reason="Mauvais tarif", at=AT)
    told = queries.bill(agent, town, key)
    assert (told.due_cents, told.is_cancelled) == (0, True)
    assert [(one.kind, one.cents) for one in told.moves] == [
        ("issue", 2880), ("payment", 1000), ("cancel", -2880), ("offset", 1000),
    ]  # fmt: skip
    assert queries.family(agent, town, told.family_id)[0].credit_cents == 1000
    (again,) = issue(agent, town)
    assert queries.bill(agent, town, again).due_cents == 1880
    with pytest.raises(BadBill):
        operations.cancel_bill(agent, town, key, reason="Encore", at=AT)


def test_the_due_day_is_worked(town: str) -> None:
    # 30 days after 31 March 2026 fall on a Thursday, the next day is the first of May, then a week-end.
    assert due_day(date(2026, 3, 31), 31, "34172") == date(2026, 5, 4)


def test_a_family_is_told_by_a_link_once_and_not_what_it_owes(town: str, agent: Viewer) -> None:
    key = make_bill(agent, town)
    deliver_pending()
    (letter,) = mail.outbox
    assert letter.to == ["famille@exemple.fr"]
    assert f"/factures/{key}/" in letter.body
    assert "28,80" not in letter.body
    assert "Lou" not in letter.body


def test_nobody_else_keeps_or_reads_them(town: str, agent: Viewer) -> None:
    key = make_bill(agent, town)
    others = (
        ANONYMOUS,
        Viewer(7, (Grant(town, Role.AGENT, frozenset({"voirie"})),)),
        Viewer(8, (Grant(town, Role.ADMINISTRATOR),)),
        Viewer(9, (Grant("34172", Role.AGENT, frozenset({"education"})),)),
        Viewer(10, (Grant(town, Role.RESIDENT),)),
    )
    for one in others:
        with pytest.raises(BillNotFound):
            queries.bill(one, town, key)
        for ask in (
            lambda one=one: queries.families(one, town),
            lambda one=one: queries.unpaid_bills(one, town),
            lambda one=one: list(queries.ledger_rows(one, town, year=2026)),
            lambda one=one: queries.month_plans(one, town, MONTH),
            lambda one=one: operations.cancel_bill(one, town, key, reason="Non", at=AT),
            lambda one=one: make_family(one, town),
        ):
            with pytest.raises(Refused):
                ask()


def test_the_code_of_a_paper_bill_opens_a_family_to_an_account_until_it_is_renewed(town: str, agent: Viewer) -> None:
    key = make_bill(agent, town)
    family = queries.bill(agent, town, key).family_id
    code = queries.family_code(agent, town, family)
    parent = Viewer(int(agent.person_id or 0))
    for reference, wrong in (("F-1", "AAAA-BBBB-CCCC"), ("F-2", code)):
        with pytest.raises(BadBill, match="référence et ce code"):
            operations.link_by_code(parent, town, reference=reference, code=wrong, at=AT)
    operations.link_by_code(parent, town, reference="f-1", code=code.lower().replace("-", " "), at=AT)
    assert [one.id for one in queries.own_bills(parent, town)] == [key]
    assert operations.unlink_members(agent, town, family, at=AT) == 1
    assert queries.own_bills(parent, town) == []
    with pytest.raises(BadBill):
        operations.link_by_code(parent, town, reference="F-1", code=code, at=AT)


def test_what_is_unpaid_is_found_and_the_share_paid_in_time_is_not_told_of_a_few(town: str, agent: Viewer) -> None:
    for rank in range(10):
        make_family(agent, town, f"F-{rank}")
    deposit(agent, "".join(f"2026-10;F-{rank};Lou;cantine;5\n" for rank in range(10)), town)
    keys = issue(agent, town)
    first, last = date(2026, 12, 1), date(2026, 12, 31)
    for rank, key in enumerate(keys[:7]):
        day = AT + timedelta(days=5 * rank)
        pay = {"cents": 1200, "way": "especes", "reference": "", "day": day.date(), "once": "a"}
        operations.record_payment(agent, town, key, at=day, **pay)
    assert [one.id for one in queries.unpaid_bills(agent, town)] == keys[7:]
    told = queries.standing(agent, town, day=date(2027, 1, 1))
    assert (told.unpaid, told.late, told.owed_cents, told.credit_cents) == (3, 3, 3600, 0)
    # The seventh paid on 3 December, its last day.
    assert queries.paid_in_time(town, first=first, last=last) == (7, 10)
    operations.cancel_bill(agent, town, keys[9], reason="Essai", at=AT)
    assert queries.paid_in_time(town, first=first, last=last) is None
    assert ledger.balance(ledger.cash_of("especes")) == 8400
