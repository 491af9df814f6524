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


class Asking(models.Model):
    """That somebody without an account asked to follow or to be told, as seals that lead back to no one, for a day."""

    territory = models.CharField(max_length=9)
    at = models.DateTimeField()
    device = models.CharField(max_length=32, blank=True)
    network = models.CharField(max_length=32)

    privacy = Purpose(
        purpose="Empêcher d’inscrire des adresses en nombre à des nouvelles qu’elles n’ont pas demandées",
        legal_basis="legitimate-interest",
        article="RGPD art. 6-1 f et considérant 49",
        categories=("empreintes salées de l’appareil et de l’adresse du réseau",),
        person=(),
        retention=Retention(amount=1, unit="day", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["network", "at"], name="asking_network"),
            models.Index(fields=["device", "at"], name="asking_device", condition=~Q(device="")),
        ]


class SpentProof(models.Model):
    """A proof of work already used; forgotten once its challenge has expired."""

    digest = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)


# --- On the ground ----------------------------------------------------------------------------------------------------


class Confirmation(models.Model):
    """What one passer-by last said of an obstacle: still there, or gone."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="confirmations")
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    device = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    still_there = models.BooleanField()
    trusted = models.BooleanField(default=False)

    privacy = Purpose(
        purpose="Savoir si un obstacle signalé est toujours là",
        legal_basis="public-task",
        categories=("avis sur un obstacle", "empreinte salée de l’appareil"),
        person=("person_id",),
        hidden=("device",),
        retention=Retention(amount=6, unit="month", start=("at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["report", "person"], name="confirmed_once", condition=Q(person__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["report", "device"], name="confirmed_once_by_device", condition=~Q(device="")
            ),
            models.CheckConstraint(name="confirmed_by_one", condition=Q(person__isnull=False) | ~Q(device="")),
        ]


class Ambassador(models.Model):
    """Someone a town trusts about obstacles: what she says counts at once."""

    territory = models.CharField(max_length=9)
    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="+")
    level = models.PositiveSmallIntegerField(default=1)
    since = models.DateTimeField()

    privacy = Purpose(
        purpose="Reconnaître les contributeurs dont la commune se porte garante",
        legal_basis="consent",
        article="RGPD art. 6-1 a",
        categories=("niveau de confiance",),
        recipients=("agents de la commune",),
        person=("person_id",),
        retention=Retention(until="tant que la personne est ambassadrice"),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "person"], name="ambassador_once")]


class Match(models.Model):
    """A lost and a found report that both parties were told of; written once."""

    first = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    distance_m = models.PositiveIntegerField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="matched_once"),
            models.CheckConstraint(name="matched_in_order", condition=Q(first__lt=models.F("second"))),
        ]


class Subscription(models.Model):
    """Somebody wishes to hear of one public report, or of those of a street, a district, a drawn zone, a category."""

    territory = models.CharField(max_length=9)
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField()
    language = models.CharField(max_length=5, default="fr")
    street = models.CharField(max_length=120, blank=True)
    district = models.SlugField(max_length=100, blank=True, db_index=False)
    category = models.SlugField(max_length=60, blank=True, db_index=False)
    report = models.ForeignKey(Report, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    zone_wkb = models.BinaryField(null=True, blank=True)
    west = models.FloatField(null=True, blank=True)
    south = models.FloatField(null=True, blank=True)
    east = models.FloatField(null=True, blank=True)
    north = models.FloatField(null=True, blank=True)
    asked_at = models.DateTimeField()
    # An address is told nothing before its owner has followed the link sent to it.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # When its coming end was told to its owner, for her to renew it.
    warned_at = models.DateTimeField(null=True, blank=True)

    privacy = Purpose(
        purpose="Prévenir ceux qui l’ont demandé de ce qui est signalé près de chez eux",
        legal_basis="consent",
        article="RGPD art. 6-1 a",
        categories=("adresse électronique", "signalement, rue, quartier, zone ou catégorie suivis"),
        person=("person_id",),
        retention=Retention(amount=2, unit="year", start=("confirmed_at", "asked_at"), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["territory", "category"], name="subscription_of_town"),
            models.Index(fields=["territory", "email"], name="subscription_of_address"),
        ]


class Reader(models.Model):
    """How often an address is written to about the reports it subscribed to, when last, and when next."""

    HOURLY, DAILY = "hour", "day"

    territory = models.CharField(max_length=9)
    person = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField()
    language = models.CharField(max_length=5, default="fr")
    rhythm = models.CharField(max_length=4, default=HOURLY)
    # When she last asked for something or was written to.
    active_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True, blank=True)
    # When what waits is to be sent; null when nothing waits.
    due_at = models.DateTimeField(null=True, blank=True)

    privacy = Purpose(
        purpose="Grouper les nouvelles demandées en un message, au rythme choisi",
        legal_basis="consent",
        article="RGPD art. 6-1 a",
        categories=("adresse électronique", "langue et rythme choisis", "date du dernier message"),
        person=("person_id",),
        retention=Retention(amount=25, unit="month", start=("active_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="reader_due", condition=Q(due_at__isnull=False))]
        constraints = [models.UniqueConstraint(fields=["territory", "email"], name="reader_once")]


class News(models.Model):
    """Something that waits to be told to a subscriber in her next message."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="news")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="+")
    # The number of the journal's event: heard twice, it is told once.
    event = models.BigIntegerField()
    is_new = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "event"], name="news_once")]


# --- The work of agents ----------------------------------------------------------------------------------------------


class WorkOrder(models.Model):
    """Work to do about a report: by whom, on which day; done when, in how much time, at what cost."""

    PLANNED, DONE, CANCELLED = "planned", "done", "cancelled"

    case = models.ForeignKey(_CASE, on_delete=models.CASCADE, related_name="work_orders")
    territory = models.CharField(max_length=9)
    service = models.SlugField(max_length=50, db_index=False)
    title = models.CharField(max_length=200)
    instructions = models.TextField(blank=True)
    crew = models.CharField(max_length=80, blank=True)
    planned_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, default=PLANNED)
    created_at = models.DateTimeField()
    author = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    minutes = models.PositiveIntegerField(null=True, blank=True)
    cost_cents = models.PositiveIntegerField(null=True, blank=True)
    report_text = models.TextField(blank=True)
    idempotency_key = models.CharField(max_length=64, blank=True)

    privacy = Purpose(
        purpose="Organiser les interventions et en suivre le temps et le coût",
        legal_basis="public-task",
        categories=("agent qui a demandé et agent qui a fait l’intervention",),
        recipients=("agents du service",),
        person=("author_id", "done_by_id"),
        erased={"author": None, "done_by": None},
        retention=Retention(amount=5, unit="year", start=("done_at", "created_at"), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [models.Index(fields=["territory", "service", "state", "planned_on"], name="work_order_day")]
        constraints = [
            models.CheckConstraint(
                name="work_order_done_when",
                condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at__isnull=True)),
            ),
        ]


class Contract(models.Model):
    """A service bought from a provider, whose visits are checked on site."""

    territory = models.CharField(max_length=9)
    service = models.SlugField(max_length=50, db_index=False)
    name = models.CharField(max_length=200)
    provider = models.CharField(max_length=200)
    starts_on = models.DateField()
    ends_on = models.DateField()
    # What the contract promises: the share of expected visits that are made, in thousandths.
    promised_permille = models.PositiveSmallIntegerField(default=950)
    visit_cents = models.PositiveIntegerField(default=0)
    penalty_cents = models.PositiveIntegerField(default=0)
    reach_m = models.PositiveSmallIntegerField(default=150)

    class Meta:
        indexes = [models.Index(fields=["territory", "service"], name="contract_service")]
        constraints = [
            models.CheckConstraint(name="contract_ends_after_start", condition=Q(ends_on__gte=models.F("starts_on")))
        ]


class VisitPlan(models.Model):
    """Where and on which days of the week (1: Monday … 7: Sunday) a contract's visits are expected."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="plans")
    place = models.CharField(max_length=200)
    lon = models.FloatField()
    lat = models.FloatField()
    weekdays = models.CharField(max_length=7)
    opens = models.TimeField()
    closes = models.TimeField()


class Visit(models.Model):
    """One expected visit, made or missed."""

    EXPECTED, DONE, MISSING = "expected", "done", "missing"

    plan = models.ForeignKey(VisitPlan, on_delete=models.CASCADE, related_name="visits")
    day = models.DateField()
    state = models.CharField(max_length=10, default=EXPECTED)
    proved_at = models.DateTimeField(null=True, blank=True)
    proved_by = models.ForeignKey(_PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    distance_m = models.PositiveIntegerField(null=True, blank=True)
    in_time = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    # Digests in the store of attachments.
    photo = models.CharField(max_length=64, blank=True)
    thumbnail = models.CharField(max_length=64, blank=True)

    privacy = Purpose(
        purpose="Constater sur place le service fait d’une prestation",
        legal_basis="public-task",
        article="Décret 2012-1246 du 7 novembre 2012 (gestion budgétaire et comptable publique), art. 31",
        categories=("personne qui a constaté le passage, lieu, heure et photo",),
        recipients=("agents du service",),
        person=("proved_by_id",),
        erased={"proved_by": None},
        retention=Retention(amount=10, unit="year", start=("day",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "day"], name="visit_once_a_day")]
        indexes = [models.Index(fields=["state", "day"], name="visit_state")]


class ResponseTemplate(models.Model):
    """Words an agent need not type again. Empty service or category: for all."""

    territory = models.CharField(max_length=9, db_index=True)
    service = models.SlugField(max_length=50, blank=True, db_index=False)
    category = models.SlugField(max_length=60, blank=True, db_index=False)
    title = models.CharField(max_length=120)
    text = models.TextField()
    outcome = models.CharField(max_length=10, blank=True)


class SavedFilter(models.Model):
    """A filter that an agent named, to find it again."""

    territory = models.CharField(max_length=9)
    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    criteria = models.JSONField(default=dict)

    privacy = Purpose(
        purpose="Retrouver ses propres vues de la file des signalements",
        legal_basis="public-task",
        categories=("filtres enregistrés",),
        person=("person_id",),
        retention=Retention(until="tant que l’agent garde ce filtre"),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "person", "name"], name="filter_named_once")]


class ObstacleRule(models.Model):
    """How a town judges the obstacles of a category, where it does not leave it to the use case's file."""

    territory = models.CharField(max_length=9)
    category = models.SlugField(max_length=60, db_index=False)
    counts = models.CharField(max_length=10)
    seen_votes = models.PositiveSmallIntegerField()
    gone_votes = models.PositiveSmallIntegerField()
    temporary_days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "category"], name="obstacle_rule_once")]
