"""The lake keeps its facts in files, not in the registry; only uploads awaiting approval are rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from beffroi.base.kernel.personal import Fate, Purpose, Retention


class Upload(models.Model):
    """A file sent by an agent, from its arrival to its publication or its end. The file lies under ``UPLOAD_DIR``."""

    territory = models.CharField(max_length=20)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    token = models.CharField(max_length=32, unique=True)
    filename = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    slug = models.CharField(max_length=120)
    state = models.CharField(max_length=20)
    reason = models.JSONField(null=True)
    version = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose="Savoir quel agent a déposé un fichier de données, pour lui répondre et le publier",
        legal_basis="public-task",
        categories=("identité de l'agent", "nom et contenu du fichier déposé"),
        recipients=("agents et administrateurs de la commune",),
        person=("person_id",),
        retention=Retention(amount=12, unit="month", start=("closed_at", "created_at"), fate=Fate.ANONYMISE),
        hidden=("token",),
        erased={"person": None},
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["territory", "state", "created_at"], name="upload_of_territory")]

    def __str__(self) -> str:
        return f"{self.territory}/{self.slug} ({self.filename})"


class Crossing(models.Model):
    """A recipe that an agent kept (see `crossing`): an indicator, or the dataset it makes under the same slug."""

    territory = models.CharField(max_length=20)
    slug = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    recipe = models.JSONField()
    access = models.CharField(max_length=80)
    least = models.PositiveIntegerField(default=1)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True)
    fault = models.JSONField(null=True)

    privacy = Purpose(
        purpose="Savoir quel agent a préparé un indicateur ou un jeu de données croisé",
        legal_basis="public-task",
        categories=("identité de l'agent", "titre et recette du croisement"),
        recipients=("agents et administrateurs de la commune",),
        person=("person_id",),
        retention=Retention(amount=60, unit="month", start=("created_at",), fate=Fate.ANONYMISE),
        erased={"person": None},
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["territory", "slug"], name="one_crossing_of_this_name")]

    def __str__(self) -> str:
        return f"{self.territory}/{self.slug}"


class DatasetOwner(models.Model):
    """Who answers for a dataset, where someone chose (see `owners`), and of which version the lateness was told."""

    territory = models.CharField(max_length=20)
    slug = models.CharField(max_length=120)
    service = models.CharField(max_length=50, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    told = models.CharField(max_length=40, blank=True)
    changed_at = models.DateTimeField()

    privacy = Purpose(
        purpose="Savoir quel agent répond d'un jeu de données, pour le prévenir quand il est en retard",
        legal_basis="public-task",
        categories=("identité de l'agent", "nom du jeu de données"),
        recipients=("agents et administrateurs de la commune",),
        person=("person_id",),
        retention=Retention(amount=60, unit="month", start=("changed_at",), fate=Fate.ANONYMISE),
        erased={"person": None},
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        ordering = ["territory", "slug"]
        constraints = [models.UniqueConstraint(fields=["territory", "slug"], name="one_owner_of_a_dataset")]

    def __str__(self) -> str:
        return f"{self.territory}/{self.slug}"


class ConnectedSource(models.Model):
    """A source that an agent connected (see `connected`): the dataset file it stands for, its secret, its next turn.

    `payload` is that of a dataset file; `before` what it was before the last change. Until it is connected it is a
    draft, and only who tries it sees it.
    """

    territory = models.CharField(max_length=20)
    slug = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=20)
    payload = models.JSONField()
    before = models.JSONField(null=True)
    token = models.CharField(max_length=32, unique=True)
    credential = models.CharField(max_length=20, blank=True)
    credential_name = models.CharField(max_length=80, blank=True)
    sealed = models.TextField(blank=True)
    trial = models.JSONField(null=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    came_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    fault = models.JSONField(null=True)
    told = models.BooleanField(default=False)

    privacy = Purpose(
        purpose="Savoir quel agent a branché une source de données, et la relire avec la clé qui lui fut donnée",
        legal_basis="public-task",
        categories=("identité de l'agent", "adresse et clé d'accès de la source"),
        recipients=("agents et administrateurs de la commune",),
        person=("person_id",),
        retention=Retention(amount=60, unit="month", start=("changed_at",), fate=Fate.ANONYMISE),
        hidden=("token", "sealed"),
        sealed=("sealed",),
        erased={"person": None},
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        ordering = ["slug", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "slug"],
                condition=models.Q(state__in=["active", "suspended"]),
                name="one_source_of_this_name",
            )
        ]

    def __str__(self) -> str:
        return f"{self.territory}/{self.slug}"


class SourceRun(models.Model):
    """One turn of a connected source: when, how long, what came, or why nothing did."""

    source = models.ForeignKey(ConnectedSource, on_delete=models.CASCADE, related_name="runs")
    at = models.DateTimeField()
    seconds = models.FloatField()
    outcome = models.CharField(max_length=20)
    rows = models.PositiveIntegerField(null=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    version = models.CharField(max_length=40, blank=True)
    reason = models.JSONField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["source", "-at"], name="runs_of_source")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.at:%Y-%m-%d} {self.outcome}"
