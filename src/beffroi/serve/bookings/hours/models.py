"""Bookings by the hour, the quarters of an hour they hold, and what agents closed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.serve.bookings.hours.definition import Deposit, Presence

_PERSON = settings.AUTH_USER_MODEL
_MARKS = ("email_mark", "phone_mark", "household_mark", "group_mark")


class Closing(models.Model):
    """A time an agent closed at a place; an empty `place` is all of a thing."""

    agenda = models.ForeignKey("bookings.Agenda", on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=60, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    privacy = Purpose(
        purpose="Savoir quel agent a fermé un créneau à la réservation",
        legal_basis="public-task",
        categories=("agent qui a agi",),
        recipients=("agents du service chargé",),
        person=("author_id",),
        erased={"author": None},
        retention=Retention(amount=2, unit="year", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [models.Index(fields=["agenda", "ends_at"], name="closing_of_agenda")]
        constraints = [models.CheckConstraint(name="closing_in_order", condition=Q(ends_at__gt=F("starts_at")))]


class Slot(models.Model):
    """From when to when a request holds a place. One row per case of kind ``slot``, under the case's own key."""

    case = models.OneToOneField("cases.Case", primary_key=True, on_delete=models.CASCADE, related_name="slot")
    agenda = models.ForeignKey("bookings.Agenda", on_delete=models.PROTECT, related_name="+")
    place = models.CharField(max_length=60)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    people = models.PositiveSmallIntegerField(default=1)
    mode = models.CharField(max_length=10, blank=True)
    # The association one books for: a name of no person.
    group = models.CharField(max_length=120, blank=True)
    tariff = models.CharField(max_length=30, blank=True)
    price_cents = models.PositiveIntegerField(default=0)
    paid = models.BooleanField(default=False)
    deposit_cents = models.PositiveIntegerField(default=0)
    deposit = models.CharField(max_length=10, blank=True)
    details = models.JSONField(default=dict)
    # Seals by which one who already holds time is known, though she gave no account.
    email_mark = models.CharField(max_length=32, blank=True)
    phone_mark = models.CharField(max_length=32, blank=True)
    household_mark = models.CharField(max_length=32, blank=True)
    group_mark = models.CharField(max_length=32, blank=True)
    # Seal of the network of one without an account, for a day: what limits abuse.
    origin = models.CharField(max_length=32, blank=True)
    waits = models.BooleanField(default=False)
    offered_until = models.DateTimeField(null=True, blank=True)
    decide_by = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, blank=True)
    reminded = models.BooleanField(default=False)
    code_told = models.BooleanField(default=False)
    moved = models.PositiveSmallIntegerField(default=0)
    # The first booking of a weekly series; itself for the first one.
    series = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(max_length=20, default="web")

    privacy = Purpose(
        purpose="Tenir une réservation de salle, de terrain ou de rendez-vous, et partager équitablement les créneaux",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT, art. L2144-3 (usage des locaux communaux)",
        categories=("créneaux réservés", "réponses données", "caution", "empreintes des coordonnées données"),
        recipients=("agents du service chargé de la réservation",),
        person=("case__parties__person_id",),
        exported=("case", "place", "starts_at", "ends_at", "people", "mode", "group", "price_cents", "deposit_cents",
                  "deposit", "details"),
        erased={
            "group": "", "details": {}, "email_mark": "", "phone_mark": "", "household_mark": "", "group_mark": "",
            "origin": "",
        },
        # A year answers for the turns and the absences; figures then do without the person.
        retention=Retention(amount=1, unit="year", start=("case__closed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
        handled_by="beffroi.serve.bookings.hours.personal",
    )  # fmt: skip

    class Meta:
        indexes = [
            models.Index(fields=["agenda", "starts_at", "place"], name="slot_time"),
            *(models.Index(fields=["agenda", mark], name=f"slot_{mark[:-5]}", condition=~Q(**{mark: ""}))
              for mark in _MARKS),
            models.Index(fields=["origin"], name="slot_origin", condition=~Q(origin="")),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(name="slot_in_order", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="slot_known_deposit", condition=Q(deposit__in=[one.value for one in Deposit])
            ),
            models.CheckConstraint(
                name="slot_known_result", condition=Q(result__in=["", *(one.value for one in Presence)])
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"slot {self.pk}"


class SlotCell(models.Model):
    """A quarter of an hour of one seat of a place, held by a booking. The constraint is the promise: never two.

    It names the place in the town, not the agenda: two use cases that share a court share its time.
    """

    territory = models.CharField(max_length=9)
    place = models.CharField(max_length=60)
    quarter = models.BigIntegerField()
    seat = models.PositiveSmallIntegerField()
    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="cells")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["territory", "place", "quarter", "seat"], name="quarter_held_once")
        ]
