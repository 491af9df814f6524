"""Agendas, the days that are not as usual, bookings, and the places they hold."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.serve.bookings.definition import Result
from beffroi.serve.bookings.hours.models import Closing as Closing
from beffroi.serve.bookings.hours.models import Slot as Slot
from beffroi.serve.bookings.hours.models import SlotCell as SlotCell

_PERSON = settings.AUTH_USER_MODEL
_CASE = "cases.Case"


class Agenda(models.Model):
    """The agenda of one thing in one commune. Its row is locked while a place is given: places are given in turn."""

    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=8)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "use_case"], name="agenda_once")]

    def __str__(self) -> str:
        return f"{self.use_case} in {self.territory}"


class DayChange(models.Model):
    """A day an agent closed, or gave another capacity; an empty `lane` is all of them."""

    agenda = models.ForeignKey(Agenda, on_delete=models.CASCADE, related_name="+")
    lane = models.CharField(max_length=100, blank=True)
    day = models.DateField()
    capacity = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    privacy = Purpose(
        purpose="Savoir quel agent a fermé ou ouvert un jour de réservation",
        legal_basis="public-task",
        categories=("agent qui a agi",),
        recipients=("agents du service chargé",),
        person=("author_id",),
        erased={"author": None},
        retention=Retention(amount=2, unit="year", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agenda", "lane", "day"], name="day_changed_once")]


class Booking(models.Model):
    """When and where a request is to be served. One row per case of kind ``booking``, under the case's own key."""

    case = models.OneToOneField(_CASE, primary_key=True, on_delete=models.CASCADE, related_name="booking")
    agenda = models.ForeignKey(Agenda, on_delete=models.PROTECT, related_name="+")
    lane = models.CharField(max_length=100, blank=True)
    day = models.DateField()
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    address = models.CharField(max_length=200, blank=True)
    district = models.SlugField(max_length=100, blank=True, db_index=False)
    items = models.JSONField(default=dict)
    details = models.JSONField(default=dict)
    # Seals by which one who already holds a place is known, though she gave no account.
    email_mark = models.CharField(max_length=32, blank=True)
    phone_mark = models.CharField(max_length=32, blank=True)
    address_mark = models.CharField(max_length=32, blank=True)
    # Seal of the network of one without an account, for a day: what limits abuse.
    origin = models.CharField(max_length=32, blank=True)
    result = models.CharField(max_length=10, blank=True)
    reminded_for = models.DateField(null=True, blank=True)
    moved = models.PositiveSmallIntegerField(default=0)
    source = models.CharField(max_length=20, default="web")

    privacy = Purpose(
        purpose="Tenir un rendez-vous pris par un habitant, et partager équitablement les places",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT, art. L2224-13 (collecte des déchets des ménages)",
        categories=("adresse du rendez-vous", "objets annoncés et réponses", "empreintes des coordonnées données"),
        recipients=("agents du service chargé de la réservation",),
        person=("case__parties__person_id",),
        exported=("case", "day", "address", "lon", "lat", "items", "details"),
        erased={
            "address": "",
            "lon": None,
            "lat": None,
            "details": {},
            "email_mark": "",
            "phone_mark": "",
            "address_mark": "",
            "origin": "",
        },
        # A year answers « how many this year »; figures then do without the address.
        retention=Retention(amount=1, unit="year", start=("case__closed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
        handled_by="beffroi.serve.bookings.personal",
    )

    class Meta:
        indexes = [
            models.Index(fields=["agenda", "day", "lane"], name="booking_day"),
            models.Index(fields=["agenda", "email_mark"], name="booking_email", condition=~Q(email_mark="")),
            models.Index(fields=["agenda", "phone_mark"], name="booking_phone", condition=~Q(phone_mark="")),
            models.Index(fields=["agenda", "address_mark"], name="booking_address", condition=~Q(address_mark="")),
            models.Index(fields=["origin"], name="booking_origin", condition=~Q(origin="")),
        ]
        constraints = [
            models.CheckConstraint(
                name="booking_known_result", condition=Q(result__in=["", *(one.value for one in Result)])
            ),
        ]

    def __str__(self) -> str:
        return f"booking {self.pk}"


class Hold(models.Model):
    """One place of one lane on one day, held by a booking. The constraint is the promise: no place is held twice."""

    agenda = models.ForeignKey(Agenda, on_delete=models.PROTECT, related_name="+")
    lane = models.CharField(max_length=100, blank=True)
    day = models.DateField()
    seat = models.PositiveSmallIntegerField()
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="holds")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agenda", "lane", "day", "seat"], name="place_held_once"),
            models.UniqueConstraint(fields=["booking"], name="booking_holds_one_place"),
        ]
