"""Obstacles of the moment, and the number that tells every process that they changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.base.kernel.sentences import gettext_noop

_GOING_TO = gettext_noop("Aller au-devant des personnes à la rue et savoir où en est chacune")
_WHO = (gettext_noop("agents du seul service chargé des maraudes"),)
_ARTICLE = "RGPD art. 6-1 e et 9-2 b et c ; CASF, art. L345-2 et L116-1"


class Obstacle(models.Model):
    """One thing in the way, from `starts_at` until `until` (nobody knows when: null) or until it is `ended_at`."""

    territory = models.CharField(max_length=20)
    # What it is known by where it comes from: "report:123", "works:2026-14".
    subject = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    label = models.CharField(max_length=200, blank=True)
    lon = models.FloatField()
    lat = models.FloatField()
    radius_m = models.FloatField()
    starts_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["territory", "ended_at", "until"], name="obstacle_live")]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind}"


class Revision(models.Model):
    """How many times the obstacles of a territory changed: the one thing each process reads before a route."""

    territory = models.CharField(max_length=20, primary_key=True)
    number = models.BigIntegerField(default=0)


class LiveMessage(models.Model):
    """The last GTFS-RT message of one address that read well, and how the last attempt went.

    `number` counts the messages kept: what each process reads to know that it must parse again. `told_at` is the
    instant the network gives; `problem` the sentence of the last failure (JSON), null when the last attempt went well.
    """

    territory = models.CharField(max_length=20)
    feed = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    address = models.TextField(blank=True)
    content = models.BinaryField(default=b"")
    number = models.BigIntegerField(default=0)
    etag = models.TextField(blank=True)
    modified = models.TextField(blank=True)
    told_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "feed", "kind"], name="live_message_once")]

    def __str__(self) -> str:
        return f"{self.territory}/{self.feed} {self.kind}"


class Round(models.Model):
    """A round asked for, what was found, and what was changed by hand since.

    `plan` and `stops` are what it was asked with (see `rounds.plan`); `order` gives the items of each vehicle,
    `current` those of today's round when it is known, `left_out` the stops nobody serves with the reason, `history` the
    orders to go back to. `ways` holds the times between its places, which every change by hand is counted on.
    A round over needs names its use case; its stops are sealed: `sealed_stops` in the place of `stops`.
    """

    WAITING, COMPUTING, READY, FAILED = "waiting", "computing", "ready", "failed"

    territory = models.CharField(max_length=20)
    service = models.CharField(max_length=50)
    title = models.CharField(max_length=200)
    day = models.DateField()
    use_case = models.CharField(max_length=8, blank=True, default="")
    state = models.CharField(max_length=20, default=WAITING)
    progress = models.PositiveIntegerField(default=0)
    plan = models.JSONField()
    stops = models.JSONField()
    sealed_stops = models.TextField(blank=True, default="")
    sealed_count = models.PositiveIntegerField(default=0)
    order = models.JSONField(default=dict)
    current = models.JSONField(default=dict)
    left_out = models.JSONField(default=list)
    history = models.JSONField(default=list)
    ways = models.BinaryField(default=b"")
    revision = models.BigIntegerField(default=0)
    problem = models.JSONField(null=True)
    created_at = models.DateTimeField()
    computed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["territory", "day"], name="round_day")]

    privacy = Purpose(
        purpose=_GOING_TO,
        legal_basis="public-task",
        article=_ARTICLE,
        categories=("lieux où passer, chiffrés",),
        recipients=_WHO,
        person=(),
        sealed=("sealed_stops",),
        # The rounds of collection, which are about nobody, are not ended by this.
        retention=Retention(amount=3, unit="month", start=("created_at",), fate=Fate.DELETE),
        handled_by="beffroi.sense.mobility.rounds.personal",
    )

    def __str__(self) -> str:
        return f"{self.territory} {self.title}"


class Need(models.Model):
    """Somewhere to go: a call noted by an agent, or a usual place. `sealed` holds where and what, as JSON.

    `touched_at` is when somebody last went, or said so: a usual place nobody goes to any more ends by itself.
    """

    territory = models.CharField(max_length=20)
    use_case = models.CharField(max_length=8)
    usual = models.BooleanField(default=False)
    urgency = models.PositiveSmallIntegerField(default=0)
    sealed = models.TextField()
    noted_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose=_GOING_TO,
        legal_basis="public-task",
        article=_ARTICLE,
        categories=("lieu où une personne a été vue et ce qui en est dit, chiffrés",),
        recipients=_WHO,
        # Whom it is about has no account here; it is found by nobody's number.
        person=(),
        sealed=("sealed",),
        retention=Retention(amount=3, unit="month", start=("touched_at",), fate=Fate.DELETE),
    )

    class Meta:
        indexes = [models.Index(fields=["territory", "use_case", "closed_at"], name="need_open")]

    def __str__(self) -> str:
        return f"need {self.pk}"


class Passage(models.Model):
    """That somebody went, and what came of it. The note is sealed; the source says for which need, while it lives."""

    territory = models.CharField(max_length=20)
    use_case = models.CharField(max_length=8)
    round_number = models.PositiveBigIntegerField()
    source = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=40)
    sealed_note = models.TextField(blank=True)
    district = models.SlugField(max_length=100, blank=True, db_index=False)
    at = models.DateTimeField()

    privacy = Purpose(
        purpose=_GOING_TO,
        legal_basis="public-task",
        article=_ARTICLE,
        categories=("ce qu’il est advenu d’un passage", "note libre de l’équipe, chiffrée"),
        recipients=_WHO,
        person=(),
        sealed=("sealed_note",),
        # Figures do with the month, the district and the outcome.
        erased={"sealed_note": "", "source": ""},
        retention=Retention(amount=3, unit="month", start=("at",), fate=Fate.ANONYMISE),
    )

    class Meta:
        indexes = [models.Index(fields=["territory", "use_case", "at"], name="passage_counted")]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "round_number", "source"], name="passage_once", condition=~Q(source="")
            )
        ]

    def __str__(self) -> str:
        return f"passage {self.pk}"


class Works(models.Model):
    """Works described by a service: scenarios (see `works.plan`), what they do to trips, the one published.

    `effects` are by scenario, phase and profile, `sample` tells what they rest on; `first` and `last` are the days of
    the scenario published.
    """

    DRAFT, COMPUTING, PUBLISHED, ENDED = "draft", "computing", "published", "ended"

    territory = models.CharField(max_length=20)
    service = models.CharField(max_length=50)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    state = models.CharField(max_length=20, default=DRAFT)
    progress = models.PositiveIntegerField(default=0)
    scenarios = models.JSONField()
    effects = models.JSONField(default=list)
    sample = models.JSONField(default=dict)
    chosen = models.IntegerField(default=-1)
    first = models.DateField(null=True)
    last = models.DateField(null=True)
    problem = models.JSONField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    computed_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["territory", "state", "last"], name="works_published")]

    def __str__(self) -> str:
        return f"{self.territory} {self.title}"
