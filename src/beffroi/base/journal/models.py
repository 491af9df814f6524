"""Events, what was struck out of them, and what remains to be delivered."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.personal import Fate, Purpose, Retention

SUBJECT_LENGTH = 200
CONSUMER_LENGTH = 80


class Event(models.Model):
    """One thing that happened, written in the transaction that made it happen; never changed (see `guard`)."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=80)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    territory = models.CharField(max_length=20, blank=True)
    # Numbers of persons, not foreign keys: an event outlives the account. A negative number is an erased person.
    actor = models.BigIntegerField(null=True)
    on_behalf_of = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    redactions = models.PositiveSmallIntegerField(default=0)

    # Exported and struck out by `operations`, since the person is a number and the payload has keys of its own.
    privacy = Purpose(
        purpose="Garder la preuve de ce qui a été fait, par qui et quand (journal d'audit)",
        legal_basis="obligation",
        article="RGPD art. 5-2 et 32 ; délibération CNIL 2021-122 du 14 octobre 2021 (journalisation)",
        categories=("identité de l'auteur", "actions effectuées"),
        recipients=("administrateurs de la commune",),
        person=("actor", "on_behalf_of"),
        retention=Retention(amount=3, unit="year", start=("at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
        handled_by="beffroi.base.journal.personal",
    )

    class Meta:
        indexes = [
            models.Index(fields=["subject", "id"], name="event_subject"),
            models.Index(fields=["territory", "kind", "id"], name="event_kind"),
            models.Index(fields=["actor", "id"], name="event_actor"),
            models.Index(fields=["on_behalf_of", "id"], name="event_behalf"),
            models.Index(fields=["territory", "id"], name="event_territory"),
            models.Index(fields=["at"], name="event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind} {self.subject}"

    def recorded(self) -> RecordedEvent:
        """Return the read-only form that leaves this room."""
        return RecordedEvent(
            id=int(self.pk),
            at=self.at,
            kind=self.kind,
            subject=self.subject,
            territory=self.territory,
            actor=self.actor,
            on_behalf_of=self.on_behalf_of,
            payload=self.payload,
            redacted=self.redactions > 0,
        )


class Redaction(models.Model):
    """The permit, used once, by which one event had personal values struck out. Says which keys, never the values."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    keys = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "number"], name="redaction_used_once")]


class Delivery(models.Model):
    """One event that one consumer has not yet handled; written with the event, deleted once handled."""

    PENDING = "pending"
    DEAD = "dead"

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    consumer = models.CharField(max_length=CONSUMER_LENGTH)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    state = models.CharField(max_length=10, default=PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "subject", "event"], name="delivery_once")]
        indexes = [models.Index(fields=["state", "next_at", "event"], name="delivery_due")]


class WorkerBeat(models.Model):
    """The last sign of life of one worker."""

    worker = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()


class DailyRun(models.Model):
    """When a daily job is due next."""

    name = models.CharField(max_length=80, primary_key=True)
    next_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
