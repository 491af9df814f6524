"""What one may ask about bills: a family's own to its accounts, all of a town's to the agents who keep them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Q, QuerySet, Sum

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.payments import ledger
from beffroi.serve.payments.billing import ODD as ODD
from beffroi.serve.payments.billing import MonthPlan as MonthPlan
from beffroi.serve.payments.billing import month_plans as month_plans
from beffroi.serve.payments.billing import months_at_work, number_of
from beffroi.serve.payments.billing import totals_by_service as totals_by_service
from beffroi.serve.payments.definition import VERDICTS as VERDICTS
from beffroi.serve.payments.definition import (
    BillInfo,
    BillNotFound,
    FamilyInfo,
    LineInfo,
    MoveInfo,
    RegisterInfo,
)
from beffroi.serve.payments.engine import is_anywhere as is_anywhere
from beffroi.serve.payments.engine import rules_of as rules_of
from beffroi.serve.payments.families import family_code as family_code
from beffroi.serve.payments.families import register_for
from beffroi.serve.payments.models import (
    Attempt,
    Bill,
    BillLine,
    Deposit,
    Entry,
    Family,
    FamilyMember,
    Posting,
    Refund,
    Register,
    StatementLine,
)
from beffroi.serve.payments.rights import keeps_bills as keeps_bills
from beffroi.serve.payments.rights import may_keep_bills as may_keep_bills
from beffroi.serve.payments.rights import require_keeper

MOST = 500
LEAST_FOR_RATE = 10
"""Under so many bills a share says more about families than about the town."""


def register_info(row: Register) -> RegisterInfo:
    """Return what is told of a register."""
    return RegisterInfo(
        int(row.pk), row.territory, row.slug, row.title, row.kind, row.issuer, row.address, row.ways, row.court,
        row.gateway, row.payfip_client, row.payfip_mode,
    )  # fmt: skip


def registers(viewer: Viewer, territory: str) -> list[RegisterInfo]:
    """Return the registers that the rules of a town name.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    slugs = sorted({rule.register_slug for rule in rules_of(territory)})
    return [register_info(register_for(territory, slug)) for slug in slugs]


# --- Bills -----------------------------------------------------------------------------------------------------------


def own_bills(viewer: Viewer, territory: str) -> list[BillInfo]:
    """Return the bills of the families of this account, the last first; three queries."""
    if viewer.person_id is None:
        return []
    rows = Bill.objects.filter(register__territory=territory, family__member__person=viewer.person_id)
    return _bills(rows.order_by("-issued_on", "-pk")[:MOST])


def own_families(viewer: Viewer, territory: str) -> list[FamilyInfo]:
    """Return the families whose bills this account sees, with what the town owes each."""
    if viewer.person_id is None:
        return []
    rows = Family.objects.filter(territory=territory, member__person=viewer.person_id).order_by("reference")
    return _families(list(rows))


def bill(viewer: Viewer, territory: str, key: int) -> BillInfo:
    """Return a bill with its lines and all that happened to it, to its family and to who keeps the bills.

    Raises:
        BillNotFound: none that the viewer may read.
    """
    rows = Bill.objects.filter(register__territory=territory, pk=key)
    if not keeps_bills(viewer, territory):
        mine = FamilyMember.objects.filter(person=viewer.person_id or 0).values("family")
        rows = rows.filter(family__in=mine)
    found = _bills(rows.order_by("pk"), whole=True)
    if not found:
        raise BillNotFound("cette facture n’existe pas ou ne vous est pas accessible", remedy="voyez vos factures")
    return found[0]


def month_bills(viewer: Viewer, territory: str, month: date) -> list[BillInfo]:
    """Return the bills sent for a month.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    return _bills(Bill.objects.filter(register__territory=territory, month=month).order_by("year", "number", "pk"))


def unpaid_bills(viewer: Viewer, territory: str) -> list[BillInfo]:
    """Return the bills something is owed on, the oldest due first, 500 at most.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    keys = _owing(Bill.objects.filter(register__territory=territory))
    rows = Bill.objects.filter(pk__in=keys[:MOST]).order_by("due_on", "pk")
    return [one for one in _bills(rows) if one.due_cents > 0]


def _owing(rows: QuerySet[Bill]) -> list[int]:
    """Return the keys of the bills in force that something is owed on, the oldest due first; one query."""
    # What comes before the colon is ours: the account of a bill bears its key.
    owed = Posting.objects.filter(account__startswith="due:", entry__bill__in=rows.filter(cancelled_at=None))
    summed = owed.order_by().values("entry__bill", "entry__bill__due_on").annotate(total=Sum("cents"))
    return [int(one["entry__bill"]) for one in summed.filter(total__gt=0).order_by("entry__bill__due_on")]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the bills of a town stand: how many are unpaid and late, what is owed, what is owed back, what awaits."""

    unpaid: int
    late: int
    owed_cents: int
    credit_cents: int
    held: int
    refunds: int


def standing(viewer: Viewer, territory: str, *, day: date) -> Standing:
    """Return where the bills of a town stand.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    bills = Bill.objects.filter(register__territory=territory)
    keys = _owing(bills)
    late = len(_owing(bills.filter(due_on__lt=day)))
    sums = Posting.objects.filter(entry__register__territory=territory).aggregate(
        owed=Sum("cents", filter=Q(account__startswith="due:")),
        credit=Sum("cents", filter=Q(account__startswith="credit:")),
    )
    return Standing(
        len(keys), late, int(sums["owed"] or 0), -int(sums["credit"] or 0),
        Attempt.objects.filter(bill__register__territory=territory, state="held").count(),
        Refund.objects.filter(register__territory=territory, approved=None).count(),
    )  # fmt: skip


def _bills(rows: QuerySet[Bill], *, whole: bool = False) -> list[BillInfo]:
    found = list(rows.select_related("register", "family"))
    owed = ledger.balances(ledger.due_of(int(row.pk)) for row in found)
    lines = _lines(found) if whole else {}
    moves = _moves(found) if whole else {}
    return [
        BillInfo(
            id=int(row.pk), number=number_of(row), territory=row.register.territory, family_id=row.family_id,
            family=row.family.reference, month=row.month, issued_on=row.issued_on, due_on=row.due_on,
            total_cents=int(row.total_cents), due_cents=owed[ledger.due_of(int(row.pk))],
            is_cancelled=row.cancelled_at is not None, register=register_info(row.register),
            addressee=row.addressee, address=row.address, lines=tuple(lines.get(row.pk, ())),
            moves=tuple(moves.get(row.pk, ())),
        )
        for row in found
    ]  # fmt: skip


def _lines(found: Iterable[Bill]) -> dict[int, list[LineInfo]]:
    told: dict[int, list[LineInfo]] = {}
    for one in BillLine.objects.filter(bill__in=list(found)).order_by("pk"):
        told.setdefault(one.bill_id, []).append(
            LineInfo(
                one.month,
                one.child,
                one.service,
                one.title,
                one.unit,
                one.units,
                int(one.price_cents),
                one.units * int(one.price_cents),
                one.is_correction,
            )
        )
    return told


def _moves(found: Iterable[Bill]) -> dict[int, list[MoveInfo]]:
    told: dict[int, list[MoveInfo]] = {}
    rows = Entry.objects.filter(bill__in=list(found)).order_by("pk").prefetch_related("posting_set")
    for one in rows:
        cents = sum(int(leg.cents) for leg in one.posting_set.all() if leg.account.startswith("cash:"))
        if one.kind in (ledger.ISSUE, ledger.CANCEL, ledger.OFFSET):
            cents = sum(int(leg.cents) for leg in one.posting_set.all() if leg.account.startswith("due:"))
        told.setdefault(int(one.bill_id or 0), []).append(
            MoveInfo(one.at, one.kind, cents, one.way, one.reason, int(one.pk), one.day, one.reference)
        )
    return told


# --- Families --------------------------------------------------------------------------------------------------------


def families(viewer: Viewer, territory: str, *, text: str = "") -> list[FamilyInfo]:
    """Return the families of a town whose name or reference holds a text, 500 at most.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    rows = Family.objects.filter(territory=territory)
    if text.strip():
        rows = rows.filter(Q(name__icontains=text.strip()) | Q(reference__icontains=text.strip()))
    return _families(list(rows.order_by("name", "pk")[:MOST]))


def family(viewer: Viewer, territory: str, key: int) -> tuple[FamilyInfo, list[BillInfo]]:
    """Return a family and its bills, the last first.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such family.
    """
    require_keeper(viewer, territory)
    found = _families(list(Family.objects.filter(territory=territory, pk=key)))
    if not found:
        raise BillNotFound("cette famille n’existe pas ici", remedy="cherchez-la dans la liste")
    return found[0], _bills(Bill.objects.filter(family=key).order_by("-issued_on", "-pk")[:MOST])


def _families(rows: list[Family]) -> list[FamilyInfo]:
    owed = ledger.balances(ledger.credit_of(int(row.pk)) for row in rows)
    counted = dict(FamilyMember.objects.filter(family__in=rows).order_by().values_list("family").annotate(Count("pk")))
    return [
        FamilyInfo(
            int(row.pk), row.reference, row.name, row.email, row.address, row.quotient, row.is_outside,
            -owed[ledger.credit_of(int(row.pk))], counted.get(row.pk, 0),
        )
        for row in rows
    ]  # fmt: skip


def families_owed(viewer: Viewer, territory: str) -> list[FamilyInfo]:
    """Return the families that the town owes something.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    owed = Posting.objects.filter(account__startswith="credit:", entry__family__territory=territory)
    summed = owed.order_by().values("entry__family").annotate(total=Sum("cents")).filter(total__lt=0)
    keys = [int(one["entry__family"]) for one in summed[:MOST]]
    return _families(list(Family.objects.filter(pk__in=keys).order_by("name", "pk")))


# --- What awaits an agent --------------------------------------------------------------------------------------------


def months(viewer: Viewer, territory: str) -> list[tuple[date, int, int]]:
    """Return the months at work, the last first: units used, bills sent.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    sent = dict(
        Bill.objects.filter(register__territory=territory, cancelled_at=None)
        .order_by().values_list("month").annotate(Count("pk"))
    )  # fmt: skip
    return [(month, units, sent.get(month, 0)) for month, units in months_at_work(territory)]


def deposits(viewer: Viewer, territory: str) -> list[Deposit]:
    """Return the last twenty deposits of units.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    return list(Deposit.objects.filter(territory=territory).order_by("-at", "-pk")[:20])


def attempts(viewer: Viewer, territory: str, *, key: int | None = None, state: str = "") -> list[Attempt]:
    """Return the online payments of a bill, or those of a state, the last first, 100 at most.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    rows = Attempt.objects.filter(bill__register__territory=territory).select_related("bill")
    rows = rows if key is None else rows.filter(bill=key)
    rows = rows.filter(state=state) if state else rows
    return list(rows.order_by("-started_at", "-pk")[:100])


def is_being_paid(key: int, *, since: datetime) -> bool:
    """Tell whether somebody went to pay a bill since an instant and nothing is known of it yet."""
    return Attempt.objects.filter(bill=key, state="started", started_at__gt=since).exclude(operation="").exists()


def refunds(viewer: Viewer, territory: str) -> list[Refund]:
    """Return the refunds, those that wait first, 100 at most.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    rows = Refund.objects.filter(register__territory=territory).select_related("family", "asked_by", "decided_by")
    return list(rows.order_by(F("approved").asc(nulls_first=True), "-asked_at", "-pk")[:100])


def statement_lines(viewer: Viewer, territory: str) -> list[StatementLine]:
    """Return the last lines of the bank that no payment of ours proves, 200 at most.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    rows = StatementLine.objects.filter(register__territory=territory, entry=None).select_related("bill")
    return list(rows.order_by("-day", "-pk")[:200])


def ledger_rows(viewer: Viewer, territory: str, *, year: int) -> Iterator[tuple[object, ...]]:
    """Yield the ledger of a year, leg by leg: entry, instant, day, kind, bill, family, account, debit, credit (cents),
    way, reference, reason.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    rows = Posting.objects.filter(entry__register__territory=territory, entry__day__year=year)
    rows = rows.select_related("entry__bill", "entry__family", "entry__register").order_by("entry_id", "pk")
    for one in rows.iterator(chunk_size=2000):
        entry, cents = one.entry, int(one.cents)
        yield (
            entry.pk, entry.at.isoformat(timespec="seconds"), entry.day.isoformat(), entry.register.slug, entry.kind,
            number_of(entry.bill) if entry.bill else "", entry.family.reference, one.account, max(cents, 0),
            max(-cents, 0), entry.way, entry.reference, entry.reason,
        )  # fmt: skip


def paid_in_time(territory: str, *, first: date, last: date) -> tuple[int, int] | None:
    """Return, of the bills due between two days, how many were paid in full by their day, and how many there were.

    None under ten: a share of so few would speak of families.
    """
    rows = Bill.objects.filter(
        register__territory=territory, cancelled_at=None, total_cents__gt=0, due_on__range=(first, last)
    )
    count = rows.count()
    if count < LEAST_FOR_RATE:
        return None
    told = Posting.objects.filter(
        entry__bill__in=rows, account__startswith="due:", entry__day__lte=F("entry__bill__due_on")
    )
    summed = told.order_by().values("entry__bill").annotate(total=Sum("cents"))
    return summed.filter(total__lte=0).count(), count
