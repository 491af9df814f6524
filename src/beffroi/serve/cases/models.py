"""Requests, those who make them, what is written and attached. Entered by `queries` and `operations` only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.serve.cases.definition import NEVER, OPEN, Access, Audience, Outcome, Status

_PERSON = settings.AUTH_USER_MODEL
_AFTER_CLOSING = Retention(amount=2, unit="year", start=("case__closed_at",), fate=Fate.DELETE)
_AGENTS = ("agents du service chargé de la demande",)


class Case(models.Model):
    """One request. Its number is made of its key (`numbers`); what is special to its kind stands in its room."""

    territory = models.CharField(max_length=9)
    kind = models.SlugField(max_length=20, db_index=False)
    category = models.SlugField(max_length=60, db_index=False)
    service = models.SlugField(max_length=50, db_index=False)
    access = models.CharField(max_length=8, default=Access.PUBLIC)
    status = models.CharField(max_length=10, default=Status.RECEIVED)
    outcome = models.CharField(max_length=10, blank=True)
    description = models.TextField(blank=True)
    # Shown on public pages: description and public attachments. The rest of a public request always is.
    published = models.BooleanField(default=False)
    answer = models.TextField(blank=True)
    assignee = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    lead = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="joined")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    due_rule = models.CharField(max_length=80, blank=True)
    due_at = models.DateTimeField(default=NEVER)
    planned_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reopen_until = models.DateTimeField(null=True, blank=True)
    reopened = models.PositiveSmallIntegerField(default=0)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True)

    privacy = Purpose(
        purpose="Recevoir une demande d’un habitant, y répondre et rendre compte de la suite donnée",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CRPA, art. L112-8 (saisine par voie électronique)",
        categories=("texte de la demande", "dates et suites données"),
        recipients=_AGENTS,
        person=("parties__person_id",),
        hidden=("idempotency_key", "assignee"),
        # One who only follows it has no say on its words.
        handled_by="beffroi.serve.cases.personal",
        erased={"description": "", "answer": ""},
        # CNIL: two years are enough to answer for what was done; figures go on without the words.
        retention=Retention(amount=2, unit="year", start=("closed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [
            # What is open, the most pressing first, of one service; with what its counts ask, so that they read no row.
            models.Index(
                fields=["territory", "service", "due_at", "id", "kind", "assignee"],
                name="case_waiting",
                condition=Q(status__in=[one.value for one in OPEN]),
            ),
            models.Index(fields=["territory", "service", "status", "opened_at"], name="case_service"),
            models.Index(fields=["territory", "kind", "opened_at"], name="case_kind"),
            models.Index(fields=["territory", "changed_at"], name="case_changed"),
            models.Index(fields=["closed_at"], name="case_closed", condition=Q(closed_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "idempotency_key"],
                name="case_sent_once",
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(name="case_known_status", condition=Q(status__in=[one.value for one in Status])),
            models.CheckConstraint(name="case_known_access", condition=Q(access__in=[one.value for one in Access])),
            models.CheckConstraint(
                name="case_outcome_when_closed",
                condition=Q(status=Status.CLOSED, outcome__in=[one.value for one in Outcome], closed_at__isnull=False)
                | (~Q(status=Status.CLOSED) & Q(outcome="")),
            ),
            models.CheckConstraint(
                name="case_lead_when_joined",
                condition=Q(status=Status.JOINED, lead__isnull=False)
                | (~Q(status=Status.JOINED) & Q(lead__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Party(models.Model):
    """One who made a request or follows it, with her own thread and her own token."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="parties")
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    made_it = models.BooleanField(default=True)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=30, blank=True)
    language = models.CharField(max_length=5, default="fr")
    told = models.BooleanField(default=True)
    filed_by = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    mandate = models.CharField(max_length=20, blank=True)
    mandate_reference = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()

    privacy = Purpose(
        purpose="Répondre à ceux qui ont fait une demande ou la suivent",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CRPA, art. L112-11 (accusé de réception)",
        categories=("nom", "adresse électronique", "téléphone", "personne mandatée qui a déposé"),
        recipients=_AGENTS,
        person=("person_id",),
        hidden=("filed_by",),
        erased={"person": None, "name": "", "email": "", "phone": "", "told": False},
        retention=_AFTER_CLOSING,
        on_erasure=Fate.ANONYMISE,
    )


class Message(models.Model):
    """Something written about a request: by a party (`party`), by an agent (`author`), or by the house (neither)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    audience = models.CharField(max_length=8)
    text = models.TextField()

    privacy = Purpose(
        purpose="Échanger avec ceux qui ont fait une demande",
        legal_basis="public-task",
        categories=("messages échangés",),
        recipients=_AGENTS,
        person=("party__person_id",),
        hidden=("author",),
        retention=_AFTER_CLOSING,
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="message_known_audience", condition=Q(audience__in=[one.value for one in Audience])
            ),
        ]


class Step(models.Model):
    """One change of a request after its intake, with the reason told to people. Rows are added, never changed."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    what = models.CharField(max_length=20)
    status = models.CharField(max_length=10)
    outcome = models.CharField(max_length=10, blank=True)
    service = models.SlugField(max_length=50, blank=True, db_index=False)
    day = models.DateField(null=True, blank=True)
    text = models.TextField(blank=True)
    internal = models.BooleanField(default=False)
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    privacy = Purpose(
        purpose="Rendre compte de la suite donnée à une demande",
        legal_basis="public-task",
        categories=("agent qui a agi", "date et motif"),
        recipients=_AGENTS,
        person=("author_id",),
        erased={"author": None},
        retention=Retention(amount=2, unit="year", start=("case__closed_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )


class Attachment(models.Model):
    """A file of a request; the bytes stand in the store (`store`), named by their digest."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="attachments")
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    purpose = models.SlugField(max_length=20, db_index=False)
    audience = models.CharField(max_length=8)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, db_index=True)
    thumbnail = models.CharField(max_length=64, blank=True, db_index=True)
    size_bytes = models.PositiveIntegerField()
    width_px = models.PositiveIntegerField(default=0)
    height_px = models.PositiveIntegerField(default=0)

    privacy = Purpose(
        purpose="Montrer ce dont parle une demande",
        legal_basis="public-task",
        categories=("photographies sans métadonnées", "pièces jointes"),
        recipients=_AGENTS,
        person=("party__person_id",),
        retention=_AFTER_CLOSING,
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="attachment_known_audience", condition=Q(audience__in=[one.value for one in Audience])
            ),
        ]


class Webhook(models.Model):
    """An address of another system that is told of what happens to the public requests of a town."""

    territory = models.CharField(max_length=9, db_index=True)
    url = models.CharField(max_length=500)
    kinds = models.JSONField(default=list)
    # Kept as it is: a signature is made with it at each delivery. The backup of the registry holds it too.
    secret = models.CharField(max_length=64)
    awake = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    privacy = Purpose(
        purpose="Savoir quel administrateur a branché un autre logiciel",
        legal_basis="public-task",
        article="RGPD art. 32",
        categories=("identité de l’administrateur",),
        recipients=("administrateurs de la commune",),
        person=("author_id",),
        hidden=("secret",),
        erased={"author": None},
        retention=Retention(until="tant que le logiciel est branché"),
        on_erasure=Fate.ANONYMISE,
    )


class WebhookDelivery(models.Model):
    """One event told, or to be told, to one webhook."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.BigIntegerField()
    kind = models.CharField(max_length=80)
    acknowledged = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="webhook_told_once")]


class PushDevice(models.Model):
    """A device that agreed to be notified: where its browser's relay takes messages, and the keys to write to it."""

    territory = models.CharField(max_length=9)
    # Whoever knows the address may write to it or end it: it is told to nobody. Its digest is what is looked up.
    endpoint = models.TextField()
    digest = models.CharField(max_length=64, unique=True)
    public_key = models.CharField(max_length=100)
    secret = models.CharField(max_length=40)
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=5, default="fr")
    since = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    failures = models.PositiveSmallIntegerField(default=0)

    privacy = Purpose(
        purpose="Prévenir sur son appareil une personne qui l’a demandé",
        legal_basis="consent",
        article="RGPD art. 6-1 a",
        categories=("adresse de l’appareil chez le relais de son navigateur", "clés de chiffrement de l’appareil"),
        recipients=("relais de notifications du navigateur, qui ne lit pas le contenu",),
        person=("person_id",),
        hidden=("secret", "digest"),
        retention=Retention(amount=1, unit="year", start=("seen_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )


class PushWish(models.Model):
    """What a device wishes to hear of: a topic, whole or, of requests, the one that `party` follows."""

    device = models.ForeignKey(PushDevice, on_delete=models.CASCADE, related_name="wishes")
    topic = models.SlugField(max_length=30, db_index=False)
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device", "topic"], name="push_topic_once", condition=Q(party__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["device", "topic", "party"], name="push_party_once", condition=Q(party__isnull=False)
            ),
        ]


class PushMessage(models.Model):
    """Something to tell, or told, to one device; its words go once they are delivered."""

    device = models.ForeignKey(PushDevice, on_delete=models.CASCADE, related_name="messages")
    event = models.BigIntegerField()
    tag = models.CharField(max_length=40)
    words = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_index=True)
    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(default=0)

    privacy = Purpose(
        purpose="Prévenir sur son appareil une personne qui l’a demandé",
        legal_basis="consent",
        article="RGPD art. 6-1 a",
        categories=("phrase à envoyer, jusqu’à son départ", "date d’envoi"),
        recipients=("relais de notifications du navigateur, qui ne lit pas le contenu",),
        person=("device__person_id",),
        retention=Retention(amount=30, unit="day", start=("created_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "event"], name="push_told_once")]
