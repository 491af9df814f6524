"""Things offered by one person to another, and who said that one should not be there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention

_PERSON = "territory.Person"
OPEN, TAKEN, WITHDRAWN, REMOVED = "open", "taken", "withdrawn", "removed"
STATES = (OPEN, TAKEN, WITHDRAWN, REMOVED)
WAITING, ACCEPTED, REFUSED = "waiting", "accepted", "refused"
DECISIONS = (WAITING, ACCEPTED, REFUSED)
ENDED = "ended"
CLAIM_STATES = (*DECISIONS, ENDED)


class Offer(models.Model):
    """A thing to take. `lon`, `lat` (CRS84) are blurred before they come here; `pickup` is for the one who takes it."""

    territory = models.CharField(max_length=9)
    giver = models.ForeignKey(_PERSON, null=True, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    pickup = models.TextField()
    photo = models.CharField(max_length=64, blank=True)
    thumbnail = models.CharField(max_length=64, blank=True)
    lon = models.FloatField()
    lat = models.FloatField()
    street = models.CharField(max_length=120, blank=True)
    made_at = models.DateTimeField()
    # The last instant it is on offer.
    until = models.DateTimeField()
    state = models.CharField(max_length=10, default=OPEN)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    taker = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    # Until then it waits for `taker`; afterwards it is on offer again, by itself.
    held_until = models.DateTimeField(null=True)
    flags = models.PositiveSmallIntegerField(default=0)
    # Set aside until an agent has looked.
    hidden = models.BooleanField(default=False)

    privacy = Purpose(
        purpose="Permettre à des habitants de se donner des objets plutôt que de les jeter",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; code de l’environnement, art. L541-1 (réemploi)",
        categories=("objet offert, photo, rue", "où et quand le prendre", "personne qui offre, personne qui vient"),
        recipients=("tout public, sans les personnes ni le rendez-vous", "la personne qui a réservé l’objet"),
        person=("giver_id", "taker_id"),
        exported=("title", "description", "street", "made_at", "until", "state", "ended_at"),
        handled_by="beffroi.serve.offers.personal",
        retention=Retention(amount=2, unit="month", start=("ended_at", "until"), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["territory", "until"], name="offer_open", condition=Q(state=OPEN)),
        ]
        constraints = [models.CheckConstraint(name="offer_known_state", condition=Q(state__in=STATES))]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"


class Flag(models.Model):
    """One person's word that an offer should not be there; counted once a person."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    privacy = Purpose(
        purpose="Ne compter qu’une fois la personne qui signale une offre",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; loi n° 2004-575, art. 6 (contenus signalés)",
        categories=("personne qui a signalé une offre",),
        recipients=("personne : seul le nombre est montré aux agents",),
        person=("person_id",),
        exported=("at",),
        retention=Retention(amount=3, unit="month", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "person"], name="offer_flagged_once")]

    def __str__(self) -> str:
        return f"flag on {self.offer_id}"


class Proposal(models.Model):
    """A place that asks to stand in a directory, until an agent has looked. `values` are by column of its dataset.

    Nobody needs an account: `contact` is how the agent answers, and is forgotten with the proposal.
    """

    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=20)
    values = models.JSONField()
    lon = models.FloatField()
    lat = models.FloatField()
    contact = models.CharField(max_length=120, blank=True)
    sent_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=WAITING)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    privacy = Purpose(
        purpose="Vérifier un lieu, ou un besoin, avant de le publier, et répondre à qui l’envoie",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; code de l’action sociale et des familles, art. L123-5",
        categories=("nom et adresse du lieu", "moyen de joindre la personne qui le propose, si elle le donne"),
        recipients=("agents du service qui vérifie", "tout public, pour le lieu accepté, sans le contact"),
        person=(),
        exported=(),
        retention=Retention(amount=3, unit="month", start=("decided_at", "sent_at"), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["territory", "sent_at"], name="proposal_waiting", condition=Q(state=WAITING)),
        ]
        constraints = [models.CheckConstraint(name="proposal_known_state", condition=Q(state__in=DECISIONS))]

    def __str__(self) -> str:
        return f"proposal {self.pk} ({self.state})"


class TrendDeclaration(models.Model):
    """How a shop says its turnover goes, a season: up, stable or down. A shop's word waits for an agent; a survey not.

    Shown to nobody by itself: only counted among enough others (`sense/places/trade`).
    """

    territory = models.CharField(max_length=9)
    siret = models.CharField(max_length=14)
    season = models.CharField(max_length=7)
    trend = models.CharField(max_length=6)
    origin = models.CharField(max_length=6)
    author = models.ForeignKey(_PERSON, null=True, on_delete=models.SET_NULL, related_name="+")
    declared_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=WAITING)
    decided_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose="Savoir comment vont les commerces d’une rue ou d’un secteur, sans en montrer un seul",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; code général des collectivités territoriales, art. L2251-1",
        categories=("personne qui déclare", "établissement", "tendance du chiffre d’affaires"),
        recipients=("agents de la commune, le temps de vérifier", "élus : des nombres d’au moins cinq commerces"),
        person=("author_id",),
        exported=("siret", "season", "trend", "origin", "declared_at", "state"),
        erased={"author": None},
        retention=Retention(amount=3, unit="year", start=("declared_at",), fate=Fate.DELETE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [models.Index(fields=["territory", "season", "siret"], name="trend_of_season")]
        constraints = [models.CheckConstraint(name="trend_known_state", condition=Q(state__in=DECISIONS))]

    def __str__(self) -> str:
        return f"{self.siret} {self.season} {self.trend}"


class Claim(models.Model):
    """Somebody keeps a sheet of a directory, or asks to. `sheet` names its row; `values` are what she says, public.

    `nonce` makes the code sent to the known address; `how` is the proof: that code, or an agent's check.
    """

    territory = models.CharField(max_length=9)
    use_case = models.CharField(max_length=20)
    slug = models.CharField(max_length=100)
    sheet = models.CharField(max_length=200)
    title = models.CharField(max_length=300)
    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="+")
    how = models.CharField(max_length=5)
    proof = models.CharField(max_length=600, blank=True)
    nonce = models.CharField(max_length=32, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=WAITING)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    values = models.JSONField(default=dict)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    # The last time she said that it is right.
    kept_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose="Laisser une association ou un commerce tenir sa fiche d’annuaire, après vérification",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; code des relations entre le public et l’administration, art. L321-1",
        categories=("personne qui tient une fiche", "preuve qu’elle en donne", "ce qu’elle dit du lieu"),
        recipients=("agents du service qui vérifie", "tout public : ce qu’elle dit du lieu, sans elle"),
        person=("person_id",),
        exported=("title", "how", "proof", "asked_at", "state", "decided_at", "reason", "values", "kept_at"),
        retention=Retention(amount=3, unit="year", start=("kept_at", "decided_at", "asked_at"), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [models.Index(fields=["territory", "slug", "sheet"], name="claim_of_sheet")]
        constraints = [
            models.CheckConstraint(name="claim_known_state", condition=Q(state__in=CLAIM_STATES)),
            models.UniqueConstraint(
                fields=["territory", "slug", "sheet"], condition=Q(state=ACCEPTED), name="claim_one_keeper"
            ),
            models.UniqueConstraint(
                fields=["territory", "slug", "sheet", "person"],
                condition=Q(state__in=(WAITING, ACCEPTED)),
                name="claim_once_each",
            ),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk} ({self.state})"
