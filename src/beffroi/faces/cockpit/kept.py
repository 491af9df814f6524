"""The figures that agents kept of their crossings and gave to all: counted again when the page is read."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from beffroi.faces.cockpit.figures import Asked, Figure, figure_source
from beffroi.lake.crossing import queries

MOST = 3


@figure_source("crossings", rank=20)
def indicators(asked: Asked) -> Iterator[Figure]:
    """Yield the indicators that officials may read, each over all its rows, opening its own page."""
    told = 0
    for one in queries.saved_crossings(asked.viewer, asked.commune.code):
        found = queries.whole_figure(one) if one.kind == "indicator" and told < MOST else None
        if found is None:
            continue
        told += 1
        yield Figure(
            one.title,
            round(found.value) if abs(found.value) >= 100 else round(found.value, 1),
            unit=found.unit,
            note=_("seuil : {least} lignes").format(least=one.least) if one.least > 1 else "",
            source=_("Indicateur enregistré par un agent"),
            date=asked.told,
            href=reverse("portal:indicator", args=[one.slug]),
        )
