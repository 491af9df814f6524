"""Payments by PayFiP (a real HTTP server after its guide) and by hand: counted once, whatever is lost or told twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import Sum

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.serve.payments import ledger, operations, paying, queries
from beffroi.serve.payments.definition import BadBill, BillNotFound
from beffroi.serve.payments.gateways import GatewayDown, GatewayRefusal
from beffroi.serve.payments.models import Attempt, Entry, Posting
from bill_makers import AT, keeper, make_bill, make_family
from payfip_server import CLIENT, FakePayFiP, payfip
from territory_makers import make_person

pytestmark = pytest.mark.django_db
CENTS = 12 * 240


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, FakePayFiP]]:
    with payfip() as pair:
        yield pair


@pytest.fixture
def service(served: tuple[str, FakePayFiP], settings: Any) -> FakePayFiP:
    settings.PAYFIP_URL, service = served
    service.__init__()  # type: ignore[misc]
    return service


@pytest.fixture
def bill(town: str, agent: Viewer) -> int:
    """A bill of 28,80 €, under a régie that has its PayFiP contract."""
    key = make_bill(agent, town)
    register(agent, town)
    return key


def register(agent: Viewer, town: str, **changes: str) -> None:
    told = {"title": "Régie Enfance", "kind": "regie", "issuer": "", "address": "", "ways": "", "court": "",
            "gateway": "payfip", "payfip_client": CLIENT, "payfip_mode": "T"}  # fmt: skip
    operations.save_register(agent, town, "enfance", at=AT, **(told | changes))


@pytest.fixture
def parent(town: str, agent: Viewer, bill: int) -> Viewer:
    person = Viewer(make_person(Role.RESIDENT, territory=town, email="parent@exemple.fr"))
    family = queries.bill(agent, town, bill).family_id
    operations.link_by_agent(agent, town, family, email="parent@exemple.fr", at=AT)
    return person


def go(parent: Viewer, town: str, bill: int, *, minutes: int = 0) -> Attempt:
    going = operations.start_payment(parent, town, bill, at=AT + timedelta(minutes=minutes))
    return Attempt.objects.get(token=going.token)


def due(bill: int) -> int:
    return ledger.balance(ledger.due_of(bill))


def test_a_card_payment_is_counted_once_however_often_it_is_told(
    town: str, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    attempt = go(parent, town, bill)
    order = service.operations[attempt.operation]
    assert (order["montant"], order["saisie"], order["exer"]) == (str(CENTS), "T", "2026")
    assert order["mel"] == "parent@exemple.fr"
    assert order["urlnotif"].endswith("/paiement/notification/")
    assert order["urlredirect"].endswith(f"/paiement/{attempt.token}/retour/")
    # Nothing is believed before the gateway says so.
    assert operations.notify(attempt.operation, at=AT) == "started"
    assert due(bill) == CENTS
    service.paid(attempt.operation)
    asked = [operations.notify(attempt.operation, at=AT + timedelta(minutes=1)) for _ in range(3)]
    assert asked == ["paid"] * 3
    paying.ask_waiting(AT + timedelta(days=1))
    assert (due(bill), ledger.balance(ledger.cash_of("carte"))) == (0, CENTS)
    entry = Entry.objects.get(kind=ledger.PAYMENT)
    assert (entry.day, entry.way, entry.reference) == (date(2026, 11, 5), "carte", attempt.reference)
    # Asked once more only when it was not known: what is counted asks nothing.
    assert service.asked.count("recupererDetailPaiementSecurise") == 2
    with pytest.raises(BadBill):
        go(parent, town, bill)


def test_a_lost_notification_is_found_by_asking_again(
    town: str, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation, "V")
    assert paying.ask_waiting(AT + timedelta(minutes=4)) == 0
    assert paying.ask_waiting(AT + timedelta(minutes=6)) == 1
    assert (due(bill), ledger.balance(ledger.cash_of("prelevement-unique"))) == (0, CENTS)


def test_a_gateway_that_is_down_is_asked_later_and_nothing_is_lost(
    town: str, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation)
    service.is_down = True
    assert operations.notify(attempt.operation, at=AT + timedelta(minutes=2)) == "started"
    with pytest.raises(GatewayDown):
        go(parent, town, bill, minutes=3)
    assert Attempt.objects.filter(state="failed").count() == 1
    service.is_down = False
    assert paying.ask_waiting(AT + timedelta(minutes=8)) == 1
    assert due(bill) == 0


def test_killed_between_the_answer_and_the_commit_it_is_counted_at_the_next_turn(
    town: str, parent: Viewer, bill: int, service: FakePayFiP, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation)

    def killed(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        # The last thing written of it: all that precedes must go with it.
        patched.setattr(paying, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            operations.notify(attempt.operation, at=AT + timedelta(minutes=2))
    assert (due(bill), Entry.objects.filter(kind=ledger.PAYMENT).count()) == (CENTS, 0)
    assert Attempt.objects.get(pk=attempt.pk).state == "started"
    assert paying.ask_waiting(AT + timedelta(minutes=3)) == 1
    assert (due(bill), Entry.objects.filter(kind=ledger.PAYMENT).count()) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"montant": "2780"}, "27,80"),
        ({"refdet": "AUTREREFERENCE"}, "AUTREREFERENCE"),
        ({"saisie": "W"}, "saisie"),
        ({"numcli": "999999"}, "numcli"),
    ],
)
def test_what_is_not_what_was_asked_waits_for_an_agent(
    town: str, agent: Viewer, parent: Viewer, bill: int, service: FakePayFiP, changes: dict[str, str], word: str
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation, **changes)
    assert operations.notify(attempt.operation, at=AT) == "held"
    assert due(bill) == CENTS
    (held,) = queries.attempts(agent, town, state="held")
    assert word in held.why
    operations.decide_held(agent, town, held.pk, count=True, reason="Vu avec la DGFiP", at=AT)
    found = int(service.operations[attempt.operation]["montant"])
    assert due(bill) == CENTS - found
    with pytest.raises(BillNotFound):
        operations.decide_held(agent, town, held.pk, count=True, reason="Encore", at=AT)


def test_two_payments_of_one_bill_make_a_refund_due(
    town: str, agent: Viewer, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    first, second = go(parent, town, bill), go(parent, town, bill, minutes=1)
    assert first.reference != second.reference
    for one in (first, second):
        service.paid(one.operation)
        operations.notify(one.operation, at=AT + timedelta(minutes=5))
    family, _bills = queries.family(agent, town, queries.bill(agent, town, bill).family_id)
    assert (due(bill), family.credit_cents) == (0, CENTS)
    assert Posting.objects.aggregate(total=Sum("cents"))["total"] == 0


def test_what_was_left_may_still_be_paid_while_its_page_is_open(
    town: str, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation, "A")
    assert operations.notify(attempt.operation, at=AT + timedelta(minutes=3)) == "started"
    service.paid(attempt.operation, "P")
    paying.ask_waiting(AT + timedelta(minutes=9))
    assert due(bill) == 0


@pytest.mark.parametrize(("result", "state"), [("R", "refused"), ("Z", "refused"), ("A", "abandoned")])
def test_what_was_not_paid_ends(
    town: str, parent: Viewer, bill: int, service: FakePayFiP, result: str, state: str
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation, result)
    assert operations.notify(attempt.operation, at=AT + timedelta(minutes=25)) == state
    assert due(bill) == CENTS


def test_what_payfip_forgot_is_no_longer_asked(town: str, parent: Viewer, bill: int, service: FakePayFiP) -> None:
    attempt = go(parent, town, bill)
    service.forget(attempt.operation)
    paying.ask_waiting(AT + timedelta(days=1))
    assert Attempt.objects.get(pk=attempt.pk).state == "expired"
    assert paying.ask_waiting(AT + timedelta(days=2)) == 0


def test_the_gateways_own_refusal_is_told(
    town: str, agent: Viewer, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    register(agent, town, payfip_client="111111")
    with pytest.raises(GatewayRefusal, match="PayFiP refuse"):
        go(parent, town, bill)
    assert Attempt.objects.get().state == "failed"
    with pytest.raises(BadBill, match="six chiffres"):
        register(agent, town, payfip_client="12")


def test_others_can_neither_pay_nor_notify(town: str, parent: Viewer, bill: int, service: FakePayFiP) -> None:
    stranger = Viewer(make_person(Role.RESIDENT, territory=town))
    with pytest.raises(BillNotFound):
        go(stranger, town, bill)
    for name in ("", "inconnu", "é" * 300):
        with pytest.raises(BillNotFound):
            operations.notify(name, at=AT)


def test_money_at_the_counter_counts_once_a_form_and_a_bad_cheque_is_reversed(
    town: str, agent: Viewer, bill: int
) -> None:
    told: dict[str, Any] = {"cents": 3000, "way": "cheque", "reference": "n° 7", "day": AT.date(), "once": "f1"}
    for _ in range(2):
        operations.record_payment(agent, town, bill, at=AT, **told)
    family = queries.bill(agent, town, bill).family_id
    assert (due(bill), queries.family(agent, town, family)[0].credit_cents) == (0, 120)
    entry = Entry.objects.get(kind=ledger.PAYMENT)
    for _ in range(2):
        operations.reverse_payment(agent, town, entry.pk, reason="Sans provision", at=AT)
    assert (due(bill), queries.family(agent, town, family)[0].credit_cents) == (CENTS, 0)
    assert ledger.balance(ledger.cash_of("cheque")) == 0
    for wrong in ({"cents": 0}, {"cents": -5}, {"way": "carte"}, {"day": date(2026, 12, 1)}):
        with pytest.raises(BadBill):
            operations.record_payment(agent, town, bill, at=AT, **(told | wrong | {"once": "f2"}))


def test_a_refund_takes_two_people_and_gives_back_no_more_than_what_is_owed(
    town: str, agent: Viewer, bill: int
) -> None:
    operations.record_payment(
        agent, town, bill, cents=CENTS + 500, way="especes", reference="", day=AT.date(), at=AT, once="a"
    )
    family = queries.bill(agent, town, bill).family_id

    def ask(cents: int) -> int:
        return operations.ask_refund(agent, town, family, register="enfance", cents=cents, reason="Trop-perçu", at=AT)

    key = ask(300)
    for cents in (201, 0, -1):
        with pytest.raises(BadBill):
            ask(cents)
    with pytest.raises(Refused, match="autre personne"):
        operations.decide_refund(agent, town, key, approve=True, at=AT)
    second = keeper(town)
    operations.decide_refund(second, town, key, approve=True, at=AT)
    with pytest.raises(BillNotFound):
        operations.decide_refund(second, town, key, approve=True, at=AT)
    assert queries.family(agent, town, family)[0].credit_cents == 200
    assert ledger.balance(ledger.cash_of("virement")) == -300
    declined = ask(200)
    operations.decide_refund(second, town, declined, approve=False, at=AT)
    assert queries.family(agent, town, family)[0].credit_cents == 200


def test_a_file_of_the_bank_is_set_beside_the_ledger(
    town: str, agent: Viewer, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation)
    operations.notify(attempt.operation, at=AT)
    make_family(agent, town, "F-2")
    other = make_bill(agent, town, units=5, reference="F-2")
    number = queries.bill(agent, town, other).number
    text = (
        "Date;Référence;Montant\n"
        f"05/11/2026;{attempt.reference};28,80\n"
        f"05/11/2026;{attempt.reference};28,80\n"
        f"06/11/2026;VIR FAMILLE F2 FACT {number};12,00\n"
        "06/11/2026;DIVERS;9,99\n"
        "06/11/2026;DIVERS;neuf\n"
    )

    def compare(lines: str = text) -> Any:
        return operations.compare_statement(
            agent, town, register="enfance", name="relevé.csv", content=lines.encode(), at=AT
        )

    first = compare()
    assert [one.verdict for one in first.lines] == ["matched", "twice", "to-count", "unknown"]
    assert [one.line for one in first.refused] == [6]
    assert (first.known, first.absent) == (0, ())
    again = compare()
    assert (again.known, [one.verdict for one in again.lines]) == (4, [one.verdict for one in first.lines])
    line = first.lines[2]
    operations.count_line(agent, town, line.pk, at=AT)
    with pytest.raises(BillNotFound):
        operations.count_line(agent, town, line.pk, at=AT)
    assert due(other) == 0
    assert [one.verdict for one in queries.statement_lines(agent, town)] == ["unknown", "twice"]


def test_an_online_payment_the_bank_does_not_show_is_told(
    town: str, agent: Viewer, parent: Viewer, bill: int, service: FakePayFiP
) -> None:
    attempt = go(parent, town, bill)
    service.paid(attempt.operation)
    operations.notify(attempt.operation, at=AT)
    text = "date;reference;montant\n04/11/2026;X;1,00\n06/11/2026;X;1,00\n"
    told = operations.compare_statement(agent, town, register="enfance", name="r.csv", content=text.encode(), at=AT)
    assert [one.reference for one in told.absent] == [attempt.reference]


def test_no_money_that_is_none_moves_in_a_real_town(agent: Viewer, db: None) -> None:
    from bill_makers import make_billing_town

    real = make_billing_town("34172", fictional=False)
    by = keeper(real)
    key = make_bill(by, real)
    with pytest.raises(BadBill, match="communes fictives"):
        register(by, real, gateway="sandbox")
    with pytest.raises(GatewayDown):
        operations.start_payment(by, real, key, at=AT)
