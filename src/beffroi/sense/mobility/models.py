"""Obstacles of the moment, and the number that tells every process that they changed."""

from __future__ import annotations

from django.db import models


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
    """

    WAITING, COMPUTING, READY, FAILED = "waiting", "computing", "ready", "failed"

    territory = models.CharField(max_length=20)
    service = models.CharField(max_length=50)
    title = models.CharField(max_length=200)
    day = models.DateField()
    state = models.CharField(max_length=20, default=WAITING)
    progress = models.PositiveIntegerField(default=0)
    plan = models.JSONField()
    stops = models.JSONField()
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

    def __str__(self) -> str:
        return f"{self.territory} {self.title}"


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
