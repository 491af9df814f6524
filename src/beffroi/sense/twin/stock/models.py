"""What a landlord's software says of its stock, as it said it."""

from __future__ import annotations

from django.db import models

from beffroi.base.kernel.personal import Fate, Purpose, Retention


class StockRow(models.Model):
    """A line of one of the four tables of `stock.tables`, of one landlord (its SIREN) in one territory."""

    territory = models.CharField(max_length=9)
    owner = models.CharField(max_length=9)
    table = models.CharField(max_length=20)
    ref = models.CharField(max_length=60)
    building = models.CharField(max_length=60)
    values = models.JSONField()
    said_at = models.DateTimeField()

    privacy = Purpose(
        purpose="Échanger avec un bailleur ce que son logiciel sait de ses bâtiments",
        legal_basis="public-task",
        article="RGPD art. 6-1 e ; CCH, art. L411-10 (répertoire des logements locatifs)",
        categories=("bâtiments et lots, sans occupant nommé", "demandes", "relevés de compteurs d’un lot"),
        recipients=("le bailleur seul, par sa clé", "agents de la commune : bâtiments et nombres, jamais un relevé"),
        person=(),
        # A line its landlord has not said again for so long is no longer its stock.
        retention=Retention(amount=3, unit="year", start=("said_at",), fate=Fate.DELETE),
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["territory", "owner", "table", "ref"], name="stock_row_once")]
        indexes = [models.Index(fields=["territory", "owner", "table", "building"], name="stock_building")]

    def __str__(self) -> str:
        return f"{self.owner} {self.table} {self.ref}"
