"""The bills of a month: looked at first, then sent, one a family, numbered without a gap; a mistake is taken back.

What is to be billed is derived: the last word on each child, service and month, less what the bills in force already
count. So a month deposited again makes corrections, at the price of the bill that is corrected, and nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from beffroi.base.clock import queries as clock
from beffroi.base.journal.operations import record
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.words import clean_text
from beffroi.serve.payments import events, ledger
from beffroi.serve.payments.definition import TITLE_FLOOR_CENTS, TITRE, BadBill, BillNotFound, ChangedMeanwhile
from beffroi.serve.payments.engine import PaymentsSettings, billed_in, rules_of
from beffroi.serve.payments.families import register_for
from beffroi.serve.payments.models import (
    Bill,
    BillLine,
    Consumption,
    Entry,
    Family,
    Numbering,
    Posting,
    Register,
)
from beffroi.serve.payments.rights import require_keeper

HIGH_CENTS = 50_000
ODD = {
    "no-quotient": gettext_noop("quotient inconnu : tarif le plus haut"),
    "paper": gettext_noop("ni courriel ni compte : à envoyer par la poste"),
    "credit": gettext_noop("la commune doit à la famille"),
    "high": gettext_noop("plus de 500 €"),
    "small": gettext_noop("moins de 15 € : sous le seuil de mise en recouvrement (CGCT, art. D1611-1)"),
    "correction": gettext_noop("corrige un mois déjà facturé"),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One line to be: of a child, a service and a month; `units` below zero correct what was counted too much."""

    consumption: int
    month: date
    child: str
    service: str
    title: str
    unit: str
    units: int
    price_cents: int
    is_correction: bool

    @property
    def cents(self) -> int:
        """Return what the line comes to."""
        return self.units * self.price_cents


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """The bill of one family to be, and what is odd about it (keys of `ODD`)."""

    family: int
    reference: str
    name: str
    lines: tuple[Planned, ...]
    odd: tuple[str, ...] = ()

    @property
    def cents(self) -> int:
        """Return what the bill comes to."""
        return sum(line.cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class MonthPlan:
    """The bills of a month to be. `fingerprint` stands for all of it: sending asks for the one that was looked at."""

    month: date
    register: str
    due_days: int
    families: tuple[FamilyPlan, ...]
    # Billed this month already and changed since: their difference waits for the next month.
    waiting: tuple[str, ...] = ()
    fingerprint: str = field(default="", compare=False)

    @property
    def cents(self) -> int:
        """Return what all the bills come to."""
        return sum(one.cents for one in self.families)


def month_plans(viewer: Viewer, territory: str, month: date) -> list[MonthPlan]:
    """Return the bills of a month to be, register by register; nothing is written.

    Raises:
        Refused: the viewer does not keep the bills of this town.
    """
    require_keeper(viewer, territory)
    by_register: dict[str, list[PaymentsSettings]] = defaultdict(list)
    for rule in rules_of(territory):
        by_register[rule.register_slug].append(rule)
    return [_plan(territory, slug, rules, month) for slug, rules in sorted(by_register.items())]


def _plan(territory: str, slug: str, rules: Sequence[PaymentsSettings], month: date) -> MonthPlan:
    register = Register.objects.filter(territory=territory, slug=slug).first()
    services = {one.slug for rule in rules for one in rule.billed}
    rows = Consumption.objects.filter(family__territory=territory, service__in=services, month__lte=month)
    billed = _already_billed(rows.values("pk"))
    families = {int(row.pk): row for row in Family.objects.filter(territory=territory)}
    mailed = set(
        Family.objects.filter(Q(member__isnull=False) | ~Q(email=""), territory=territory).values_list("pk", flat=True)
    )
    lines: dict[int, list[Planned]] = defaultdict(list)
    for row in rows.order_by("family__reference", "-month", "child", "service", "pk"):
        counted, price = billed.get(int(row.pk), (0, None))
        if row.units == counted:
            continue
        _rule, one = billed_in(rules, row.service, row.month)
        family = families[row.family_id]
        if price is None:
            price = one.price_for(family.quotient, outside=family.is_outside)
        units = row.units - counted
        lines[row.family_id].append(
            Planned(
                int(row.pk),
                row.month,
                row.child,
                row.service,
                one.title,
                one.unit_for(units),
                units,
                price,
                counted != 0,
            )
        )
    done = set(
        Bill.objects.filter(register=register, month=month, cancelled_at=None).values_list("family", flat=True)
        if register
        else ()
    )
    kind = register.kind if register else ""
    plans = [
        _family_plan(families[key], tuple(mine), kind, is_mailed=key in mailed)
        for key, mine in lines.items()
        if key not in done
    ]
    waiting = tuple(families[key].reference for key in lines if key in done)
    return MonthPlan(month, slug, max(rule.due_days for rule in rules), tuple(plans), waiting, _fingerprint(plans))


def _already_billed(keys: Any) -> dict[int, tuple[int, int]]:
    """Return, of each consumption that a bill in force counts, the units counted and the price of its first line."""
    rows = (
        BillLine.objects.filter(consumption__in=keys, bill__cancelled_at=None)
        .order_by("pk")
        .values_list("consumption", "units", "price_cents")
    )
    found: dict[int, tuple[int, int]] = {}
    for key, units, price in rows:
        counted, first = found.get(key, (0, price))
        found[key] = (counted + units, first)
    return found


def _family_plan(family: Family, lines: tuple[Planned, ...], kind: str, *, is_mailed: bool) -> FamilyPlan:
    total = sum(line.cents for line in lines)
    odd = {
        "no-quotient": family.quotient is None and not family.is_outside,
        "paper": not is_mailed,
        "credit": total < 0,
        "high": total > HIGH_CENTS,
        "small": kind == TITRE and 0 < total < TITLE_FLOOR_CENTS,
        "correction": any(line.is_correction for line in lines),
    }
    return FamilyPlan(
        int(family.pk), family.reference, family.name, lines, tuple(name for name, is_odd in odd.items() if is_odd)
    )


def _fingerprint(plans: Sequence[FamilyPlan]) -> str:
    digest = blake2b(digest_size=12)
    for plan in plans:
        for line in plan.lines:
            digest.update(f"{plan.family}|{line.consumption}|{line.units}|{line.price_cents}\n".encode())
    return digest.hexdigest()


# --- Sending ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def issue_month(
    viewer: Viewer, territory: str, month: date, *, register: str, fingerprint: str, at: datetime
) -> list[int]:
    """Send the bills that were looked at, all or none; return their keys. What the town owes a family pays first.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        ChangedMeanwhile: what would be sent is not what was looked at.
        BadBill: there is nothing to bill.
    """
    require_keeper(viewer, territory)
    register_for(territory, register)
    # One run at a time for a register: the second finds nothing left.
    row = Register.objects.select_for_update().get(territory=territory, slug=register)
    rules = [rule for rule in rules_of(territory) if rule.register_slug == register]
    if not rules:
        raise BadBill("aucun service n’est facturé par cette régie", where="register", remedy="choisissez-en une autre")
    plan = _plan(territory, register, rules, month)
    if not plan.families:
        raise BadBill("il n’y a rien à facturer pour ce mois", remedy="déposez d’abord les unités du mois")
    if plan.fingerprint != fingerprint:
        raise ChangedMeanwhile("les factures à émettre ont changé depuis que vous les avez regardées",
                               remedy="relisez l’aperçu, puis émettez")  # fmt: skip
    return _issue(row, plan, viewer, at)


def _issue(row: Register, plan: MonthPlan, viewer: Viewer, at: datetime) -> list[int]:
    zone = clock.timezone_of(row.territory)
    today = at.astimezone(zone).date()
    due_on = due_day(today, plan.due_days, row.territory)
    first = _take_numbers(row, today.year, len(plan.families))
    addresses = dict(Family.objects.filter(territory=row.territory).order_by().values_list("pk", "address"))
    bills = Bill.objects.bulk_create(
        Bill(
            register=row, family_id=one.family, month=plan.month, year=today.year, number=first + rank,
            issued_on=today, due_on=due_on, total_cents=one.cents, addressee=one.name,
            address=addresses[one.family], issuer=row.issuer,
        )
        for rank, one in enumerate(plan.families)
    )  # fmt: skip
    pairs = list(zip(bills, plan.families, strict=True))
    BillLine.objects.bulk_create(
        BillLine(
            bill=bill, consumption_id=line.consumption, month=line.month, child=line.child, service=line.service,
            title=line.title, unit=line.unit, units=line.units, price_cents=line.price_cents,
            is_correction=line.is_correction,
        )
        for bill, one in pairs
        for line in one.lines
    )  # fmt: skip
    _post_all(row, pairs, today, at)
    billed = Bill.objects.filter(register=row, month=plan.month, cancelled_at=None).values("family")
    Family.objects.filter(pk__in=billed).update(last_billed_at=at)
    for bill, one in pairs:
        record(
            kind=events.ISSUED, subject=events.bill_subject(int(bill.pk)),
            payload={"number": number_of(bill), "month": plan.month.isoformat(), "cents": one.cents},
            actor=viewer.person_id, territory=row.territory, at=at, new_subject=True,
        )  # fmt: skip
    return [int(bill.pk) for bill in bills]


def due_day(start: date, days: int, territory: str) -> date:
    """Return the last day to pay: so many days on, put off to the next working day."""
    region = clock.region_of(territory).id
    day = start + timedelta(days=days)
    while not clock.is_working_day(day, region):
        day += timedelta(days=1)
    return day


def _take_numbers(row: Register, year: int, count: int) -> int:
    """Return the first of so many numbers in a row; they are lost only with the whole transaction, hence never."""
    numbering, _new = Numbering.objects.select_for_update().get_or_create(register=row, year=year)
    first = int(numbering.last) + 1
    numbering.last = first + count - 1
    numbering.save(update_fields=["last"])
    return first


def _post_all(row: Register, pairs: Sequence[tuple[Bill, FamilyPlan]], today: date, at: datetime) -> None:
    """Write the entries of new bills, and pay them first with what the town owes their family."""
    lock_families([one.family for _bill, one in pairs])
    owed = ledger.balances(ledger.credit_of(one.family) for _bill, one in pairs)
    made: list[tuple[Entry, dict[str, int]]] = []
    for bill, one in pairs:
        credit = ledger.credit_of(one.family)
        base = {"register": row, "at": at, "day": today, "bill": bill, "family_id": one.family}
        if legs := _issue_legs(bill, one):
            made.append((Entry(kind=ledger.ISSUE, key=f"issue:{bill.pk}", **base), legs))
        spent = min(max(one.cents, 0), -owed[credit])
        if spent > 0:
            offset = {credit: spent, ledger.due_of(int(bill.pk)): -spent}
            made.append((Entry(kind=ledger.OFFSET, key=f"offset:{bill.pk}", **base), offset))
    Entry.objects.bulk_create(entry for entry, _legs in made)
    Posting.objects.bulk_create(
        Posting(entry=entry, account=account, cents=cents)
        for entry, legs in made
        for account, cents in ledger.checked(legs).items()
    )


def _issue_legs(bill: Bill, one: FamilyPlan) -> dict[str, int]:
    """Return the legs of a bill: owed by the family, or to it, against what each service brings in."""
    legs: dict[str, int] = defaultdict(int)
    owed = ledger.due_of(int(bill.pk)) if one.cents >= 0 else ledger.credit_of(one.family)
    for line in one.lines:
        legs[owed] += line.cents
        legs[ledger.product_of(line.service)] -= line.cents
    return {account: cents for account, cents in legs.items() if cents}


def number_of(bill: Bill) -> str:
    """Return the number of a bill as it is written on it."""
    return f"{bill.year}-{bill.number:05d}"


# --- Taking back -----------------------------------------------------------------------------------------------------


@transaction.atomic
def cancel_bill(viewer: Viewer, territory: str, key: int, *, reason: str, at: datetime) -> None:
    """Take a bill back by the opposite entry: what was paid on it is owed to the family, its lines may be billed anew.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such bill.
        BadBill: it is cancelled already.
        BadCase: no reason.
    """
    require_keeper(viewer, territory)
    reason = clean_text(reason, where="reason", limit=200, required=True)
    bill = locked_bill(territory, key)
    if bill.cancelled_at is not None:
        raise BadBill("cette facture est déjà annulée", remedy="émettez-en une autre")
    lock_families([bill.family_id])
    issued = Entry.objects.filter(key=f"issue:{bill.pk}").first()
    today = at.astimezone(clock.timezone_of(territory)).date()
    base: dict[str, Any] = {
        "register": bill.register_id,
        "family": bill.family_id,
        "bill": int(bill.pk),
        "at": at,
        "day": today,
    }
    if issued is not None:
        legs = {one.account: -int(one.cents) for one in Posting.objects.filter(entry=issued).order_by("pk")}
        ledger.post(ledger.CANCEL, key=f"cancel:{bill.pk}", legs=legs, reason=reason, **base)
    if ledger.balance(ledger.credit_of(bill.family_id)) > 0:
        raise BadBill("cet avoir a déjà servi : il a payé une autre facture ou a été rendu",
                      remedy="corrigez les unités : la prochaine facture reprendra la différence")  # fmt: skip
    over = ledger.balance(ledger.due_of(int(bill.pk)))
    if over < 0:
        legs = {ledger.due_of(int(bill.pk)): -over, ledger.credit_of(bill.family_id): over}
        ledger.post(ledger.OFFSET, key=f"cancel-over:{bill.pk}", legs=legs, reason=reason, **base)
    Bill.objects.filter(pk=bill.pk).update(cancelled_at=at)
    record(
        kind=events.CANCELLED, subject=events.bill_subject(int(bill.pk)),
        payload={"number": number_of(bill), "cents": int(bill.total_cents)}, actor=viewer.person_id,
        territory=territory, at=at,
    )  # fmt: skip


def locked_bill(territory: str, key: int) -> Bill:
    """Return a bill of a town, held until the end of the transaction.

    Raises:
        BillNotFound: no such bill.
    """
    bill = Bill.objects.select_for_update().filter(register__territory=territory, pk=key).first()
    if bill is None:
        raise BillNotFound("cette facture n’existe pas ou ne vous est pas accessible", remedy="voyez vos factures")
    return bill


def lock_families(keys: Sequence[int]) -> None:
    """Hold families until the end of the transaction: what the town owes one is spent by one act at a time."""
    for part in ledger.batched(sorted(keys), ledger.MOST_ASKED):
        list(Family.objects.select_for_update().filter(pk__in=part).order_by("pk").values_list("pk"))


def totals_by_service(plan: MonthPlan) -> Mapping[str, tuple[int, int]]:
    """Return, of a month to be, the units and the cents of each service, by its title."""
    found: dict[str, tuple[int, int]] = {}
    for one in plan.families:
        for line in one.lines:
            units, cents = found.get(line.title, (0, 0))
            found[line.title] = (units + line.units, cents + line.cents)
    return dict(sorted(found.items()))


def months_at_work(territory: str) -> list[tuple[date, int]]:
    """Return the months something was used in, the last first, with the units of each."""
    rows = Consumption.objects.filter(family__territory=territory).values_list("month").annotate(Sum("units"))
    return [(month, int(units)) for month, units in rows.order_by("-month")[:24]]
