"""What agents write of the buildings of a town and of its lighting, and what owners propose to say of their energy."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from beffroi.base.kernel.personal import Fate, Purpose, Retention
from beffroi.sense.twin.stock.models import StockRow as StockRow

_AUTHOR = Purpose(
    purpose="Savoir qui a noté des travaux ou l’état d’un bâtiment, pour pouvoir l’interroger",
    legal_basis="public-task",
    article="RGPD art. 6-1 e ; CGCT, art. L2241-1 (gestion des biens de la commune)",
    categories=("auteur de la note", "entreprise ou personne citée dans une note"),
    recipients=("agents de la commune",),
    person=("author_id",),
    exported=("building_name", "day", "recorded_at"),
    erased={"author": None},
    # The note lives as long as the building is looked after; who wrote it need not be known so long.
    retention=Retention(amount=10, unit="year", start=("recorded_at",), fate=Fate.ANONYMISE),
    on_erasure=Fate.ANONYMISE,
)


class _Noted(models.Model):
    """A dated note about one building: a feature of a dataset, and its national identifier when it has one."""

    territory = models.CharField(max_length=9)
    dataset = models.CharField(max_length=100)
    feature = models.CharField(max_length=200)
    # The same building may be in several datasets: this follows it from one to the other.
    rnb = models.CharField(max_length=20, blank=True)
    building_name = models.CharField(max_length=200)
    day = models.DateField()
    author = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    recorded_at = models.DateTimeField()
    # Nothing is erased: what was noted by mistake is withdrawn, and no longer counts.
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Work(_Noted):
    """Something done to a building: built, renovated, maintained, inspected. `component` is empty for the whole."""

    kind = models.CharField(max_length=20)
    component = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=200)
    by_whom = models.CharField(max_length=200, blank=True)
    cost_eur = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    note = models.TextField(blank=True)

    privacy = _AUTHOR

    class Meta:
        indexes = [
            models.Index(fields=["territory", "dataset", "feature"], name="work_building"),
            models.Index(fields=["territory", "rnb"], name="work_rnb", condition=~Q(rnb="")),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.title}"


class Reading(_Noted):
    """The state one component of a building was found in, on the scale of `condition.GRADES`."""

    component = models.CharField(max_length=20)
    grade = models.PositiveSmallIntegerField()
    note = models.TextField(blank=True)

    privacy = _AUTHOR

    class Meta:
        indexes = [
            models.Index(fields=["territory", "dataset", "feature"], name="reading_building"),
            models.Index(fields=["territory", "rnb"], name="reading_rnb", condition=~Q(rnb="")),
        ]
        constraints = [models.CheckConstraint(name="reading_on_scale", condition=Q(grade__gte=1, grade__lte=5))]

    def __str__(self) -> str:
        return f"{self.day} {self.component} {self.grade}"


class EnergyProposal(models.Model):
    """What an owner proposes to say of a building's energy: `kind` is a label (DPE) or a year of measured electricity.

    `values` are what becomes, once an agent approves, a row of the dataset; `before` what the row held before, null for
    a new one. It stays here after that: a new version of the national file does not undo what was approved.
    """

    territory = models.CharField(max_length=9)
    dataset = models.CharField(max_length=100)
    feature = models.CharField(max_length=200)
    building_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12)
    values = models.JSONField()
    reason = models.TextField(blank=True)
    author = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    proposed_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="pending")
    decided_by = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    row = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True)

    privacy = Purpose(
        purpose="Compléter ou corriger l’étiquette et la consommation d’un immeuble, et répondre à qui le propose",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; code de la construction et de l’habitation, art. L126-32 (DPE rendus publics)",
        categories=("propriétaire ou syndic qui propose", "agent qui décide", "motif écrit"),
        recipients=("agents de la commune",),
        person=("author_id", "decided_by_id"),
        exported=("building_name", "kind", "values", "reason", "proposed_at", "state", "answer"),
        # The label of a building outlives whoever told it: who that was need not be known so long.
        erased={"author": None, "decided_by": None, "reason": ""},
        retention=Retention(amount=3, unit="year", start=("decided_at", "proposed_at"), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [
            models.Index(fields=["territory", "state"], name="energy_proposal_state"),
            models.Index(fields=["territory", "dataset", "feature"], name="energy_proposal_building"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.building_name}"


class LightingScenario(models.Model):
    """Another way to light the town: `actions`, one after the other, and the price a kilowatt-hour is reckoned at."""

    territory = models.CharField(max_length=9)
    title = models.CharField(max_length=120)
    price_eur_kwh = models.DecimalField(max_digits=6, decimal_places=4)
    price_source = models.CharField(max_length=200, blank=True)
    actions = models.JSONField(default=list)
    author = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    privacy = Purpose(
        purpose="Savoir quel agent a écrit un scénario d’éclairage, pour pouvoir l’interroger",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CGCT, art. L2212-2, 1° (éclairage des voies)",
        categories=("auteur du scénario",),
        recipients=("agents et élus de la commune",),
        person=("author_id",),
        exported=("title", "created_at"),
        erased={"author": None},
        retention=Retention(amount=10, unit="year", start=("created_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        indexes = [models.Index(fields=["territory", "-changed_at"], name="lighting_scenario_changed")]

    def __str__(self) -> str:
        return self.title


def _logged(*exported: str, start: str) -> Purpose:
    return Purpose(
        purpose="Savoir qui a consulté les propriétaires de locaux, quand, lesquels et pourquoi",
        legal_basis="obligation",
        article="RGPD art. 5-2, 6-1 c et 32 ; CNIL, délibération n° 2021-122 du 14 octobre 2021 (journalisation)",
        categories=("personne habilitée", "local consulté", "motif écrit"),
        recipients=("administrateur de la commune",),
        person=("person_id",),
        exported=exported,
        # Six months to a year, says the CNIL; nobody takes herself out of the log before.
        retention=Retention(amount=1, unit="year", start=(start,), fate=Fate.DELETE),
        on_erasure=Fate.KEEP,
        kept_because="RGPD art. 17-3 b et e : la trace des accès est due à ceux dont les données ont été lues",
    )


class OwnersWork(models.Model):
    """A session of work on the owners of premises: its reason, asked once, until it ends."""

    territory = models.CharField(max_length=9)
    person = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField()
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    privacy = _logged("reason", "opened_at", start="ends_at")

    class Meta:
        indexes = [models.Index(fields=["territory", "person", "-opened_at"], name="owners_work")]

    def __str__(self) -> str:
        return f"{self.opened_at} {self.reason}"


class OwnersReading(models.Model):
    """One reading of the record of premises; nothing read is kept here, only that it was."""

    territory = models.CharField(max_length=9)
    work = models.ForeignKey(OwnersWork, on_delete=models.CASCADE, related_name="readings")
    person = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    lot = models.CharField(max_length=40)
    address = models.CharField(max_length=200)
    at = models.DateTimeField()

    privacy = _logged("lot", "address", "at", start="at")

    class Meta:
        indexes = [models.Index(fields=["territory", "-at"], name="owners_reading_at")]

    def __str__(self) -> str:
        return f"{self.at} {self.lot}"


class UnfitPublication(models.Model):
    """An act by which an agent told the public of unfit housing: an order, or the figures by block (`kind`).

    `values` are what is shown, fixed by the act: neither a name nor a dwelling. Undone, it is kept and shown no more.
    """

    territory = models.CharField(max_length=9)
    kind = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    values = models.JSONField()
    reason = models.TextField()
    author = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey("territory.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    withdrawn_reason = models.TextField(blank=True)

    privacy = Purpose(
        purpose="Savoir qui a publié un arrêté d’habitat indigne, pourquoi, et pouvoir revenir sur cet acte",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CCH, art. L511-1 et suivants (police de la sécurité et de la salubrité)",
        categories=("agent qui publie ou retire", "motif écrit"),
        recipients=("service de l’habitat et administrateurs de la commune",),
        person=("author_id", "withdrawn_by_id"),
        exported=("kind", "subject", "reason", "published_at", "withdrawn_at"),
        erased={"author": None, "withdrawn_by": None},
        retention=Retention(amount=10, unit="year", start=("published_at",), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "kind", "subject"], name="unfit_published_once", condition=Q(withdrawn_at=None)
            )
        ]
        indexes = [models.Index(fields=["territory", "-published_at"], name="unfit_published")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
