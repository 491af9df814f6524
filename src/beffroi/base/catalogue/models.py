"""What a commune decides about its use cases, how much they are used, what pilots hear."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models

from beffroi.base.catalogue.definition import Audience, State
from beffroi.base.kernel.personal import Fate, Purpose, Retention

_STATES = [(state.value, state.value) for state in State]
_AUDIENCES = [(audience.value, audience.value) for audience in Audience]


class UseCaseState(models.Model):
    """One decision of a commune on one use case; the last one holds. Rows are added, never changed."""

    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=8)
    # Each decision takes the next number: of two taken at once, the database refuses one.
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=_STATES)
    since = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    privacy = Purpose(
        purpose="Savoir quel administrateur a mis un service en pilote, en service, ou l’a retiré",
        legal_basis="public-task",
        categories=("identité de l’auteur", "décision et motif"),
        recipients=("agents de la commune",),
        person=("by_id",),
        retention=Retention(until="tant que la commune propose ce service"),
        erased={"by": None},
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        ordering = ["territory", "use_case", "number"]
        constraints = [
            models.UniqueConstraint(fields=["territory", "use_case", "number"], name="use_case_state_once"),
            models.CheckConstraint(
                name="use_case_state_known", condition=models.Q(state__in=[state.value for state in State])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.territory} {self.use_case} {self.state}"


class UseCaseUsage(models.Model):
    """How many times a use case was opened on one day by one class of public; nothing about anyone."""

    day = models.DateField()
    use_case = models.CharField(max_length=8)
    territory = models.CharField(max_length=9)
    audience = models.CharField(max_length=8, choices=_AUDIENCES)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["day", "use_case", "territory", "audience"]
        constraints = [
            models.UniqueConstraint(fields=["territory", "use_case", "day", "audience"], name="use_case_usage_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.use_case} {self.count}"


class Span(StrEnum):
    """How long a device remembers that it was counted."""

    DAY = "day"
    MONTH = "month"


class DevicePresence(models.Model):
    """How many devices opened the portal on one day or in one month; nothing about any (see `presence`)."""

    territory = models.CharField(max_length=9)
    span = models.CharField(max_length=5, choices=[(one.value, one.value) for one in Span])
    first_day = models.DateField()
    audience = models.CharField(max_length=8, choices=_AUDIENCES)
    installed = models.BooleanField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["first_day", "span", "territory", "audience", "installed"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "span", "first_day", "audience", "installed"], name="device_presence_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_day} {self.span} {self.count}"


class Remark(models.Model):
    """What someone thinks of a use case in pilot."""

    use_case = models.CharField(max_length=8)
    territory = models.CharField(max_length=9)
    text = models.TextField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    privacy = Purpose(
        purpose="Améliorer un service pendant son pilote, à partir des remarques de ceux qui l’essaient",
        legal_basis="public-task",
        categories=("texte libre de la remarque", "identité si la personne est connectée"),
        recipients=("agents de la commune",),
        person=("person_id",),
        retention=Retention(amount=24, unit="month", start=("created_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["territory", "use_case", "created_at"], name="remark_of_use_case")]

    def __str__(self) -> str:
        return f"{self.use_case} {self.created_at:%Y-%m-%d}"
