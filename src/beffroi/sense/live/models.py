"""Things and where they are, what is observed by which sensor, the readings, and what is kept once they are gone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from beffroi.sense.live.definition import ACCESSES, ACTIVE, KEPT_IN, STATES


class Thing(models.Model):
    """Something of the town that has sensors, where it stands (CRS84 degrees), and the service that answers for it."""

    territory = models.CharField(max_length=9)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    lon = models.FloatField()
    lat = models.FloatField()
    service = models.SlugField(max_length=50, blank=True, db_index=False)
    # Who reads it and its series: everyone, or the agents of the town.
    access = models.CharField(max_length=10, default=KEPT_IN)
    # The use case whose thresholds and pages are its own.
    use_case = models.CharField(max_length=8, blank=True)
    source = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, default=ACTIVE)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["territory", "use_case"], name="thing_of_town")]
        constraints = [
            models.CheckConstraint(name="thing_known_state", condition=Q(state__in=STATES)),
            models.CheckConstraint(name="thing_known_access", condition=Q(access__in=ACCESSES)),
        ]

    def __str__(self) -> str:
        return self.name


class Sensor(models.Model):
    """An instrument, or a procedure: how readings are made."""

    territory = models.CharField(max_length=9)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    encoding_type = models.CharField(max_length=100, default="text/html")
    metadata = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "name"], name="sensor_once")]

    def __str__(self) -> str:
        return self.name


class ObservedProperty(models.Model):
    """What is observed: `code` is how use cases name it, `definition` an address that defines it."""

    territory = models.CharField(max_length=9)
    code = models.SlugField(max_length=60, db_index=False)
    name = models.CharField(max_length=120)
    definition = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "code"], name="property_once")]

    def __str__(self) -> str:
        return self.code


class Datastream(models.Model):
    """The series of one property of one thing by one sensor, its unit, its range, and its last word.

    `low` and `high` bound what is plausible; `capacity` is what fills the thing, in the same unit. `level` is the
    threshold it stands at, `candidate` the one it would change to once it has lasted.
    """

    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="streams")
    sensor = models.ForeignKey(Sensor, on_delete=models.PROTECT, related_name="streams")
    property = models.ForeignKey(ObservedProperty, on_delete=models.PROTECT, related_name="streams")
    name = models.CharField(max_length=160)
    description = models.TextField(blank=True)
    unit_name = models.CharField(max_length=60, blank=True)
    unit_symbol = models.CharField(max_length=20, blank=True)
    unit_definition = models.CharField(max_length=300, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    capacity = models.FloatField(null=True, blank=True)
    every_s = models.PositiveIntegerField(default=900)
    keep_days = models.PositiveIntegerField(default=400)
    last_ms = models.BigIntegerField(null=True, blank=True)
    last_result = models.FloatField(null=True, blank=True)
    last_quality = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField(null=True, blank=True)
    level = models.CharField(max_length=40, blank=True)
    level_ms = models.BigIntegerField(null=True, blank=True)
    candidate = models.CharField(max_length=40, blank=True)
    candidate_ms = models.BigIntegerField(null=True, blank=True)
    # The owner has been told that it is silent, and not yet that it speaks again.
    silence_told = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Observation(models.Model):
    """One reading: `at_ms` is when the phenomenon was, in milliseconds. One a series and an instant, said again or not.

    No owner, no label, no time of arrival: there are millions of them.
    """

    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="+", db_index=False)
    at_ms = models.BigIntegerField()
    result = models.FloatField()
    quality = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["datastream", "at_ms"], name="observed_once")]


class Summary(models.Model):
    """What an hour ("h") or a day ("d", in the town's time) of a series came to; kept when its readings are gone.

    `count` readings within their range make the figures; `marked` others are counted and nothing else.
    """

    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="+", db_index=False)
    span = models.CharField(max_length=1)
    start_ms = models.BigIntegerField()
    count = models.PositiveIntegerField()
    marked = models.PositiveIntegerField(default=0)
    mean = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    p95 = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["datastream", "span", "start_ms"], name="summed_up_once"),
            models.CheckConstraint(name="summary_known_span", condition=Q(span__in=["h", "d"])),
        ]


class StaleDay(models.Model):
    """A day of a series that has readings its summaries do not count yet."""

    datastream = models.ForeignKey(Datastream, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["datastream", "day"], name="stale_once")]
