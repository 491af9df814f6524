"""What is kept of an erasure: that it happened, and the number that stands for nobody."""

from __future__ import annotations

from django.db import models


class Erasure(models.Model):
    """One erasure. Events of the erased person carry ``-pk``: they stay tied together, to nobody."""

    at = models.DateTimeField()
    rows = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"-{self.pk}"
