"""Families, what they used, their bills, and the ledger. What a bill owes is no field: its postings say it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.serve.payments.definition import KINDS

_PERSON = "territory.Person"
_BASIS = "CGCT, art. L2331-2 et R1617-1 à R1617-18 ; loi n° 98-657, art. 147 (tarifs selon les ressources)"
_KEPT = (
    "pièce comptable : dix ans (instruction DAF/DPACI/RES/2009/018 du 28 août 2009, code du patrimoine, art. L212-2) ; "
    "RGPD, art. 17-3 b"
)
_RECIPIENTS = ("les agents du service chargé", "le comptable public (DGFiP)", "la famille")


class Register(models.Model):
    """A régie de recettes or the accountant's titles of one town: who sends the bills, and what they must say."""

    territory = models.CharField(max_length=9)
    slug = models.SlugField(max_length=20)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=6)
    # First name, name and office of who issues (CGCT, art. L1617-5, 4°).
    issuer = models.CharField(max_length=160, blank=True)
    address = models.TextField(blank=True)
    ways = models.TextField(blank=True)
    court = models.CharField(max_length=120, blank=True)
    gateway = models.CharField(max_length=10, blank=True)
    payfip_client = models.CharField(max_length=6, blank=True)
    payfip_mode = models.CharField(max_length=1, default="T")

    privacy = Purpose(
        purpose="Dire qui émet une facture, comme la loi l’exige",
        legal_basis="obligation",
        article="CGCT, art. L1617-5, 4°",
        categories=("nom et qualité de la personne qui émet",),
        recipients=("les familles facturées",),
        person=(),
        retention=Retention(until="tant que la régie existe"),
        on_erasure=Fate.KEEP,
        kept_because="mention obligatoire (CGCT, art. L1617-5, 4°)",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["territory", "slug"], name="payments_one_register"),
            models.CheckConstraint(name="payments_register_kind", condition=Q(kind__in=tuple(KINDS))),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.territory})"


class Numbering(models.Model):
    """The last number given in a year; moved in the transaction that writes the bills: no number is ever missing."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["register", "year"], name="payments_one_numbering")]

    def __str__(self) -> str:
        return f"{self.register_id} {self.year}: {self.last}"


class Family(models.Model):
    """Who receives one bill a month. `quotient` is the family quotient, whole euros; `code_round` renews its code."""

    territory = models.CharField(max_length=9)
    reference = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    address = models.TextField(blank=True)
    quotient = models.PositiveIntegerField(null=True)
    is_outside = models.BooleanField(default=False)
    code_round = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    last_billed_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose="Facturer à une famille les services qu’elle utilise, au tarif de ses ressources",
        legal_basis="public-task",
        article=_BASIS,
        categories=("nom, adresse, courriel", "quotient familial"),
        recipients=_RECIPIENTS,
        person=("member__person_id",),
        exported=("reference", "name", "email", "address", "quotient", "is_outside"),
        retention=Retention(amount=10, unit="year", start=("last_billed_at", "made_at"), fate=Fate.ANONYMISE),
        erased={"name": "Famille {pk}", "email": "", "address": "", "quotient": None},
        on_erasure=Fate.KEEP,
        kept_because=_KEPT,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "reference"], name="payments_one_family")]

    def __str__(self) -> str:
        return self.reference


class FamilyMember(models.Model):
    """An account that sees the bills of a family and pays them."""

    family = models.ForeignKey(Family, on_delete=models.CASCADE, related_name="member_set", related_query_name="member")
    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="+")
    how = models.CharField(max_length=6)
    at = models.DateTimeField()

    privacy = Purpose(
        purpose="Montrer ses factures à la personne qui a un compte",
        legal_basis="public-task",
        article=_BASIS,
        categories=("lien entre un compte et une famille",),
        recipients=_RECIPIENTS,
        person=("person_id",),
        exported=("how", "at"),
        retention=Retention(until="tant que le compte existe"),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "person"], name="payments_one_member")]

    def __str__(self) -> str:
        return f"{self.family_id} – {self.person_id}"


class Deposit(models.Model):
    """A file of units, or a line typed by hand: what was taken, and the lines refused with why."""

    territory = models.CharField(max_length=9)
    name = models.CharField(max_length=120)
    at = models.DateTimeField()
    taken = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    emptied = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class Consumption(models.Model):
    """What a child used of a service in a month: the last word on it; what was billed of it, bills say."""

    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    child = models.CharField(max_length=80)
    service = models.SlugField(max_length=40)
    units = models.PositiveIntegerField()
    at = models.DateTimeField()

    privacy = Purpose(
        purpose="Compter ce qui sera facturé",
        legal_basis="public-task",
        article=_BASIS,
        categories=("prénom de l’enfant, service, nombre d’unités par mois",),
        recipients=_RECIPIENTS,
        person=("family__member__person_id",),
        exported=("month", "child", "service", "units"),
        retention=Retention(amount=10, unit="year", start=("at",), fate=Fate.ANONYMISE),
        erased={"child": "{pk}"},
        on_erasure=Fate.KEEP,
        kept_because=_KEPT,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["family", "month", "child", "service"], name="payments_one_consumption")
        ]

    def __str__(self) -> str:
        return f"{self.family_id} {self.month:%Y-%m} {self.service}"


class Bill(models.Model):
    """A bill as it was sent: nothing of it changes but the instant it was cancelled."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="+")
    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    issued_on = models.DateField()
    due_on = models.DateField()
    total_cents = models.BigIntegerField()
    addressee = models.CharField(max_length=120)
    address = models.TextField(blank=True)
    issuer = models.CharField(max_length=160, blank=True)
    cancelled_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose="Dire à une famille ce qu’elle doit, et le recouvrer",
        legal_basis="obligation",
        article="CGCT, art. L1617-5 ; décret n° 2012-1246, art. 24 (bases de la liquidation)",
        categories=("destinataire, adresse, montant",),
        recipients=_RECIPIENTS,
        person=("family__member__person_id",),
        exported=("month", "year", "number", "issued_on", "due_on", "total_cents", "addressee", "address"),
        retention=Retention(amount=10, unit="year", start=("issued_on",), fate=Fate.ANONYMISE),
        erased={"addressee": "", "address": ""},
        on_erasure=Fate.KEEP,
        kept_because=_KEPT,
    )

    class Meta:
        indexes = [models.Index(fields=["family", "-issued_on"], name="payments_bills_of_family")]
        constraints = [
            models.UniqueConstraint(fields=["register", "year", "number"], name="payments_one_number"),
            models.UniqueConstraint(
                fields=["register", "family", "month"],
                condition=Q(cancelled_at__isnull=True),
                name="payments_one_bill_a_month",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}-{self.number:05d}"


class BillLine(models.Model):
    """One line: a child, a service, a month; `units` below zero give back what an earlier bill counted too much."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="+")
    consumption = models.ForeignKey(Consumption, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    child = models.CharField(max_length=80)
    service = models.SlugField(max_length=40)
    title = models.CharField(max_length=80)
    unit = models.CharField(max_length=20)
    units = models.IntegerField()
    price_cents = models.PositiveIntegerField()
    is_correction = models.BooleanField(default=False)

    privacy = Purpose(
        purpose="Donner le détail d’une facture",
        legal_basis="obligation",
        article="décret n° 2012-1246, art. 24 (bases de la liquidation)",
        categories=("prénom de l’enfant, service, nombre d’unités, tarif",),
        recipients=_RECIPIENTS,
        person=("bill__family__member__person_id",),
        exported=("month", "child", "title", "units", "price_cents"),
        retention=Retention(amount=10, unit="year", start=("bill__issued_on",), fate=Fate.ANONYMISE),
        erased={"child": ""},
        on_erasure=Fate.KEEP,
        kept_because=_KEPT,
    )

    def __str__(self) -> str:
        return f"{self.bill_id} {self.service} {self.units}"


class Entry(models.Model):
    """One act of the ledger: its postings sum to zero. Append-only (`guard`); `key` lets the same act count once."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()
    # The day of the money, as the payer or the bank tells it.
    day = models.DateField()
    bill = models.ForeignKey(Bill, null=True, on_delete=models.PROTECT, related_name="+")
    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="+")
    way = models.CharField(max_length=20, blank=True)
    reference = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Posting(models.Model):
    """One leg: `cents` is positive on the debit side. Accounts: ``due:<bill>``, ``credit:<family>``, ``product:…``,
    ``cash:…``.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="posting_set")
    account = models.CharField(max_length=60)
    cents = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["account"], name="payments_account")]
        constraints = [models.CheckConstraint(name="payments_no_empty_leg", condition=~Q(cents=0))]

    def __str__(self) -> str:
        return f"{self.account} {self.cents}"


class Attempt(models.Model):
    """One going to a gateway to pay a bill. No number of a card ever comes here."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    gateway = models.CharField(max_length=10)
    token = models.CharField(max_length=32, unique=True)
    reference = models.CharField(max_length=30, unique=True)
    operation = models.CharField(max_length=64, blank=True)
    amount_cents = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=40, blank=True)
    found_cents = models.BigIntegerField(null=True)
    found_way = models.CharField(max_length=20, blank=True)
    found_on = models.DateField(null=True)
    authorisation = models.CharField(max_length=40, blank=True)
    why = models.CharField(max_length=200, blank=True)

    privacy = Purpose(
        purpose="Suivre un paiement en ligne et ne le compter qu’une fois",
        legal_basis="public-task",
        article="CGCT, art. L1611-5-1 (paiement en ligne)",
        categories=("personne qui a payé, montant, heure ; aucun numéro de carte",),
        recipients=_RECIPIENTS,
        person=("person_id",),
        exported=("reference", "amount_cents", "state", "started_at", "ended_at"),
        retention=Retention(amount=10, unit="year", start=("started_at",), fate=Fate.ANONYMISE),
        erased={"person_id": None},
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [models.Index(fields=["ask_at"], name="payments_to_ask", condition=Q(ask_at__isnull=False))]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "operation"], condition=~Q(operation=""), name="payments_one_operation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference} ({self.state})"


class SandboxOperation(models.Model):
    """What the make-believe gateway knows of a payment; it serves fictional towns only."""

    operation = models.CharField(max_length=64, unique=True)
    reference = models.CharField(max_length=30)
    amount_cents = models.PositiveBigIntegerField()
    outcome = models.CharField(max_length=10, blank=True)
    paid_cents = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.operation


class Refund(models.Model):
    """Money to give back to a family: asked by one agent, decided by another."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="+")
    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="+")
    cents = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)

    privacy = Purpose(
        purpose="Rendre ce qui a été payé en trop, sous le regard de deux agents",
        legal_basis="obligation",
        article="décret n° 2012-1246, art. 18 et 32",
        categories=("famille, montant, motif, agents",),
        recipients=_RECIPIENTS,
        person=("asked_by_id", "decided_by_id", "family__member__person_id"),
        exported=("cents", "reason", "asked_at", "decided_at", "approved"),
        retention=Retention(amount=10, unit="year", start=("asked_at",), fate=Fate.ANONYMISE),
        erased={"asked_by_id": None, "decided_by_id": None},
        on_erasure=Fate.KEEP,
        kept_because=_KEPT,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payments_two_people",
                condition=Q(decided_by__isnull=True) | Q(asked_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.family_id} {self.cents}"


class StatementLine(models.Model):
    """One line of a file of the bank or the DGFiP, and the payment of ours that it proves, if any."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    file = models.CharField(max_length=120)
    line = models.PositiveIntegerField()
    day = models.DateField()
    reference = models.CharField(max_length=60)
    cents = models.BigIntegerField()
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="+")
    bill = models.ForeignKey(Bill, null=True, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["register", "digest"], name="payments_one_statement_line")]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
