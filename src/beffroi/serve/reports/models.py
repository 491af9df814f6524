"""What a report adds to a request: where, about what, and what comes of it on the ground."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention

_PERSON = settings.AUTH_USER_MODEL
_CASE = "cases.Case"


class Report(models.Model):
    """Where a request is and what it is about. One row per case of kind ``report``, under the case's own key."""

    case = models.OneToOneField(_CASE, primary_key=True, on_delete=models.CASCADE, related_name="report")
    use_case = models.CharField(max_length=8)
    lon = models.FloatField()
    lat = models.FloatField()
    cell = models.BigIntegerField()
    address = models.CharField(max_length=200, blank=True)
    street = models.CharField(max_length=120, blank=True)
    district = models.SlugField(max_length=100, blank=True, db_index=False)
    zone_wkb = models.BinaryField(null=True, blank=True)
    dataset = models.CharField(max_length=100, blank=True)
    feature = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)
    private_details = models.JSONField(default=dict)
    # What a lost and a found report look each other up by, such as ``animal-perdu:chien``.
    match_key = models.CharField(max_length=100, blank=True)
    match_on = models.DateField(null=True, blank=True)
    # Obstacles only.
    lasting = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    still_there = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=20, default="web")

    privacy = Purpose(
        purpose="Situer ce qu’un habitant signale et le transmettre au bon service",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT, art. L2212-2 (sûreté et commodité du passage, salubrité)",
        categories=("lieu du signalement", "réponses réservées au service (plaque d’immatriculation…)"),
        recipients=("agents du service chargé du signalement",),
        person=("case__parties__person_id",),
        exported=("case", "lon", "lat", "address", "details", "private_details", "dataset", "feature"),
        erased={"private_details": {}, "address": ""},
        # A plate or a name serves the action; once it is over, figures do without.
        retention=Retention(amount=6, unit="month", start=("case__closed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.DELETE,
        handled_by="beffroi.serve.reports.personal",
    )

    class Meta:
        indexes = [
            models.Index(fields=["cell"], name="report_cell"),
            models.Index(fields=["lon", "lat"], name="report_place"),
            models.Index(fields=["dataset", "feature"], name="report_object", condition=~Q(dataset="")),
            models.Index(fields=["match_key"], name="report_match", condition=~Q(match_key="")),
            models.Index(fields=["expires_at"], name="report_expiry", condition=Q(expires_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="report_on_the_globe", condition=Q(lon__gte=-180, lon__lte=180, lat__gte=-90, lat__lte=90)
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"


class Origin(models.Model):
    """Where an anonymous report came from, as seals that lead back to no one: what limits abuse, for a month."""

    report = models.OneToOneField(Report, primary_key=True, on_delete=models.CASCADE, related_name="origin")
    territory = models.CharField(max_length=9)
    at = models.DateTimeField()
    device = models.CharField(max_length=32, blank=True)
    network = models.CharField(max_length=32)
    words = models.CharField(max_length=32, blank=True)

    privacy = Purpose(
        purpose="Empêcher l’envoi abusif de signalements",
        legal_basis="legitimate-interest",
        article="RGPD art. 6-1 f et considérant 49",
        categories=("empreintes salées de l’appareil et de l’adresse du réseau",),
        person=(),
        retention=Retention(amount=1, unit="month", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["network", "at"], name="origin_network"),
            models.Index(fields=["device", "at"], name="origin_device", condition=~Q(device="")),
        ]


class SpentProof(models.Model):
    """A proof of work already used; forgotten once its challenge has expired."""

    digest = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)
