"""Alerts, what was sent of them and to whom, and who follows a place."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention

_PERSON = "territory.Person"
DRAFT, WAITING, PLANNED, LIVE, OVER = "draft", "waiting", "planned", "live", "over"
STATES = (DRAFT, WAITING, PLANNED, LIVE, OVER)
ALERT, UPDATE, END, CANCEL = "alert", "update", "end", "cancel"
MAIL, DEVICE = "mail", "device"


class Alert(models.Model):
    """An alert: `content` as it is being written, `issued` as it last left (null before). Bounds are of `issued`."""

    territory = models.CharField(max_length=9)
    content = models.JSONField()
    state = models.CharField(max_length=8, default=DRAFT)
    author = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    # Who asked for it to be sent, and the second person who agreed.
    asker = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    approver = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    goes_at = models.DateTimeField(null=True)
    # Unique in a town when it comes from elsewhere: the same event heard twice makes one alert.
    origin = models.CharField(max_length=60, blank=True)
    report = models.CharField(max_length=12, blank=True)
    issued = models.JSONField(null=True)
    rank = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)

    privacy = Purpose(
        purpose="Savoir qui a écrit, approuvé et envoyé une alerte à la population",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT art. L2212-2, 5°",
        categories=("agent qui écrit, demande ou approuve une alerte",),
        recipients=("agents de la commune",),
        person=("author_id", "asker_id", "approver_id"),
        exported=("made_at", "sent_at", "state"),
        erased={"author": None, "asker": None, "approver": None},
        retention=Retention(amount=5, unit="year", start=("changed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["territory", "until"], name="alert_in_force", condition=Q(ended_at=None, rank__gt=0)),
            models.Index(fields=["goes_at"], name="alert_planned", condition=Q(state=PLANNED)),
        ]
        constraints = [
            models.CheckConstraint(name="alert_known_state", condition=Q(state__in=STATES)),
            models.UniqueConstraint(fields=["territory", "origin"], name="alert_heard_once", condition=~Q(origin="")),
        ]

    def __str__(self) -> str:
        return f"alert {self.pk} ({self.state})"


class Issue(models.Model):
    """One message of an alert as it left, never changed since. `event` is its number in the journal."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="issues")
    rank = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=6)
    content = models.JSONField()
    sent_at = models.DateTimeField()
    event = models.BigIntegerField(default=0)
    # A worker is on it until then; past it, another may take over.
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "rank"], name="issue_ranked_once")]

    def __str__(self) -> str:
        return f"issue {self.alert_id}.{self.rank}"


class Project(models.Model):
    """A project of the town that people follow by its name: works, an investment, a participatory budget."""

    territory = models.CharField(max_length=9)
    code = models.SlugField(max_length=60, db_index=False)
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    cost_cents = models.BigIntegerField(null=True)
    district = models.CharField(max_length=100, blank=True)
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "code"], name="project_once")]

    def __str__(self) -> str:
        return f"project {self.code}"


class Follower(models.Model):
    """One who is told: an address, devices, or both. Between the quiet hours only what is extreme comes through."""

    territory = models.CharField(max_length=9)
    email = models.EmailField(max_length=254, blank=True)
    person = models.ForeignKey(_PERSON, null=True, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=2, default="fr")
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    asked_at = models.DateTimeField()
    # Sealed, and forgotten within a day: it limits how many may be asked from one place.
    origin = models.CharField(max_length=64, blank=True, db_index=True)

    privacy = Purpose(
        purpose="Prévenir une personne de ce qui arrive là où elle l’a demandé",
        legal_basis="consent",
        article="RGPD art. 6-1 a",
        categories=("adresse électronique", "lieux et sujets suivis", "heures de silence"),
        recipients=("personne d’autre que la commune",),
        person=("person_id",),
        exported=("email", "language", "quiet_from", "quiet_until", "asked_at"),
        retention=Retention(amount=2, unit="year", start=("asked_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["territory", "email"], name="follower_once", condition=~Q(email=""))
        ]

    def __str__(self) -> str:
        return f"follower {self.pk}"


class Wish(models.Model):
    """One place or project a follower wishes to hear of, once confirmed; bounds and shape are null for the town.

    No topic: all of them.
    """

    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="wishes")
    place = models.CharField(max_length=8)
    value = models.CharField(max_length=120, blank=True)
    label = models.CharField(max_length=160, blank=True)
    topics = models.JSONField(default=list)
    zone_wkb = models.BinaryField(null=True)
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["place", "value"], name="wish_place")]

    def __str__(self) -> str:
        return f"wish {self.pk} of {self.follower_id}"


class Delivery(models.Model):
    """One message to one follower by one channel, once. `who` is ``<room>:<number>``."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="deliveries")
    who = models.CharField(max_length=40)
    channel = models.CharField(max_length=6)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    # False once done: she had left, or it was over before it could be sent.
    sent = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)

    privacy = Purpose(
        purpose="N’envoyer qu’une fois une alerte à chacun, et compter qui est prévenu",
        legal_basis="public-task",
        article="RGPD art. 6-1 e",
        categories=("numéro d’abonné, heure d’envoi",),
        recipients=("personne : seuls des nombres sont montrés",),
        person=(),
        exported=(),
        retention=Retention(amount=3, unit="month", start=("due_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "who", "channel"], name="delivered_once")]
        indexes = [models.Index(fields=["due_at"], name="alert_delivery_due", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return f"{self.channel} to {self.who}"


class Received(models.Model):
    """One alert of another authority, as its CAP message says; shown with its source, never as the town's own."""

    territory = models.CharField(max_length=9)
    source = models.CharField(max_length=60)
    sender = models.CharField(max_length=200)
    identifier = models.CharField(max_length=200)
    sent_at = models.DateTimeField()
    # What everyone reads: title, text, instruction, event, severity, urgency, certainty, category, place, web, name.
    told = models.JSONField()
    starts_at = models.DateTimeField(null=True)
    until = models.DateTimeField()
    received_at = models.DateTimeField()
    # By a later message of the same sender, or its cancelling.
    replaced_at = models.DateTimeField(null=True)
    zone_wkb = models.BinaryField(null=True)
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["territory", "until"], name="received_in_force", condition=Q(replaced_at=None))]
        constraints = [
            models.UniqueConstraint(fields=["territory", "source", "sender", "identifier"], name="received_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.identifier}"


class CapFeed(models.Model):
    """How the last readings of another authority's feed went."""

    territory = models.CharField(max_length=9)
    source = models.CharField(max_length=60)
    next_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    etag = models.CharField(max_length=200, blank=True)
    modified = models.CharField(max_length=60, blank=True)
    failures = models.PositiveIntegerField(default=0)
    # What went wrong at the last reading, in words; and which messages of it could not be kept.
    problem = models.TextField(blank=True)
    refused = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "source"], name="cap_feed_once")]

    def __str__(self) -> str:
        return f"feed {self.source}"
