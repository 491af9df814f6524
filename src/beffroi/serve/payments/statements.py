"""A file of the bank or of the DGFiP set beside the ledger: what matches, what does not, what is missing.

Nothing is counted by a file alone, but for a line that names a bill: an agent then records it in one press.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from django.db import transaction

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.payments import ledger
from beffroi.serve.payments.billing import locked_bill
from beffroi.serve.payments.definition import (
    AMOUNT,
    MATCHED,
    TO_COUNT,
    TWICE,
    UNKNOWN,
    BadBill,
    BillNotFound,
    cents_of,
)
from beffroi.serve.payments.deposits import Refusal, read_table
from beffroi.serve.payments.families import register_for
from beffroi.serve.payments.models import Attempt, Bill, Entry, Posting, Register, StatementLine
from beffroi.serve.payments.paying import COUNTED, count_money
from beffroi.serve.payments.rights import require_keeper

COLUMNS = ("date", "reference", "montant")
_BILL = re.compile(r"\b(20\d\d)-(\d{5,7})\b")


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a file: its lines with their verdict, those refused, and our online payments it lacks."""

    lines: tuple[StatementLine, ...]
    known: int
    refused: tuple[Refusal, ...]
    absent: tuple[Entry, ...]


def compare_statement(
    viewer: Viewer, territory: str, *, register: str, name: str, content: bytes, at: datetime
) -> Compared:
    """Set a file beside the ledger (columns date, reference, montant); the same file again changes nothing.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BadBill: the file cannot be read as a table, or lacks a column.
    """
    require_keeper(viewer, territory)
    rows = read_table(content, COLUMNS)
    kept = register_for(territory, register)
    lines: list[StatementLine] = []
    refused, seen, known = [], Counter[str](), 0
    with transaction.atomic():
        for number, row in enumerate(rows, start=2):
            try:
                day, cents = _day(row["date"]), cents_of(row["montant"])
            except BeffroiError as error:
                refused.append(Refusal(number, f"{error.what} ; {error.remedy}"))
                continue
            text = f"{day.isoformat()}|{row['reference']}|{cents}"
            seen[text] += 1
            digest = sha256(f"{text}|{seen[text]}".encode()).hexdigest()
            line, is_new = _line(kept, digest, name, number, day, row["reference"][:60], cents, at)
            known += not is_new
            lines.append(line)
    return Compared(tuple(lines), known, tuple(refused), tuple(_absent(kept, lines)))


def _day(text: str) -> date:
    for form in ("%d/%m/%Y", "%Y-%m-%d", "%d%m%Y"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day, in no zone
        except ValueError:
            continue
    raise BadBill("« {text} » n’est pas un jour", remedy="écrivez-le 05/11/2026", text=text[:20])


def _line(
    kept: Register, digest: str, name: str, number: int, day: date, reference: str, cents: int, at: datetime
) -> tuple[StatementLine, bool]:
    line = StatementLine.objects.filter(register=kept, digest=digest).first()
    is_new = line is None
    if line is None:
        line = StatementLine(
            register=kept, digest=digest, file=name[:120], line=number, day=day, reference=reference, cents=cents
        )
    # A line without its payment is judged anew: the payment may have come meanwhile.
    if line.entry_id is None:
        line.at = at
        line.verdict, line.entry, line.bill = _verdict(kept, reference, cents)
        line.save()
    return line, is_new


def _verdict(kept: Register, reference: str, cents: int) -> tuple[str, Entry | None, Bill | None]:
    entries = Entry.objects.filter(register=kept, kind=ledger.PAYMENT, reference=reference).order_by("pk")
    found = list(entries) if reference else []
    if found:
        paid = {one.pk: _cents_of(one) for one in found}
        right = [one for one in found if paid[one.pk] == cents]
        if not right:
            return AMOUNT, None, found[0].bill
        taken = set(StatementLine.objects.filter(entry__in=right).values_list("entry", flat=True))
        free = next((one for one in right if one.pk not in taken), None)
        return (MATCHED, free, free.bill) if free else (TWICE, None, right[0].bill)
    attempt = Attempt.objects.filter(bill__register=kept, reference=reference).first() if reference else None
    if attempt is not None:
        if attempt.state not in COUNTED:
            # The bank has it and we have not: ask the gateway at the next turn.
            Attempt.objects.filter(pk=attempt.pk).update(ask_at=attempt.started_at)
        return AMOUNT if attempt.amount_cents != cents else TO_COUNT, None, attempt.bill
    named = _BILL.search(reference)
    bill = (
        named
        and Bill.objects.filter(register=kept, year=int(named[1]), number=int(named[2]), cancelled_at=None).first()
    )
    return (TO_COUNT, None, bill) if bill else (UNKNOWN, None, None)


def _cents_of(entry: Entry) -> int:
    return int(Posting.objects.get(entry=entry, account=ledger.cash_of(entry.way)).cents)


def _absent(kept: Register, lines: list[StatementLine]) -> list[Entry]:
    """Return our online payments of the days the file covers that no line of any file proves."""
    if not lines:
        return []
    first, last = min(line.day for line in lines), max(line.day for line in lines)
    rows = Entry.objects.filter(
        register=kept, kind=ledger.PAYMENT, day__range=(first, last), key__startswith="attempt:"
    )
    proved = StatementLine.objects.filter(register=kept, entry__isnull=False).values("entry")
    return list(rows.exclude(pk__in=proved).select_related("bill").order_by("day", "pk"))


@transaction.atomic
def count_line(viewer: Viewer, territory: str, key: int, *, at: datetime) -> None:
    """Record the payment that a line of the bank proves, on the bill it names; once.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such line waits.
        BadBill: it belongs to an online payment, which the gateway alone may confirm.
    """
    require_keeper(viewer, territory)
    line = StatementLine.objects.select_for_update().filter(register__territory=territory, pk=key).first()
    if line is None or line.verdict != TO_COUNT or line.bill_id is None:
        raise BillNotFound("cette ligne n’attend pas de paiement", remedy="rechargez la page")
    if Attempt.objects.filter(reference=line.reference).exists():
        raise BadBill("ce paiement en ligne doit être confirmé par la passerelle",
                      remedy="la question lui est reposée dans les minutes qui viennent")  # fmt: skip
    if line.cents <= 0:
        raise BadBill("une ligne négative n’est pas un paiement", remedy="demandez un remboursement")
    bill = locked_bill(territory, line.bill_id)
    line.entry = count_money(
        bill, int(line.cents), key=f"statement:{line.pk}", way="virement", reference=line.reference, day=line.day,
        at=at, by=viewer.person_id,
    )  # fmt: skip
    line.verdict = MATCHED
    line.save(update_fields=["entry", "verdict"])
