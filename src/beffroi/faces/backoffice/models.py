"""What the back office keeps of its own: the steps of training each agent has done."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from beffroi.base.kernel.personal import Fate, Purpose, Retention


class TrainingStep(models.Model):
    """One step of one training path, done by one person; undone, the row goes."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    territory = models.CharField(max_length=9)
    job = models.SlugField(max_length=40)
    step = models.SlugField(max_length=40)
    done_at = models.DateTimeField()

    privacy = Purpose(
        purpose="Suivre son parcours de formation à la plateforme et savoir combien d’agents l’ont terminé",
        legal_basis="public-task",
        categories=("étapes de formation faites et leur date",),
        recipients=("la personne elle-même", "administrateurs de la commune, en nombres seulement"),
        person=("person_id",),
        retention=Retention(amount=24, unit="month", start=("done_at",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    )

    class Meta:
        ordering = ["person", "job", "done_at"]
        constraints = [models.UniqueConstraint(fields=["person", "job", "step"], name="training_step_once")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.job}/{self.step}"
