"""The figures of the front page: at most seven, each counted from the lake, with its date and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.catalogue.queries import UseCaseView
from beffroi.base.territory.queries import CommuneInfo
from beffroi.lake.queries import DatasetSummary

MOST = 7
FRESH_DAYS = 365


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it counts, its value and unit, a note to read it by, its source, its date, its address."""

    title: str
    value: int
    unit: str
    note: str
    source: str
    date: str
    href: str


def town_figures(
    commune: CommuneInfo, datasets: Sequence[DatasetSummary], services: Sequence[UseCaseView], *, today: date
) -> list[Figure]:
    """Return the figures that can be told truthfully; what is not known is left out, never shown as zero."""
    told = date_format(today, "j F Y")
    figures = []
    if commune.population:
        figures.append(_population(commune))
    if datasets:
        figures += [_published(datasets, told), _rows(datasets, told), _fresh(datasets, today, told)]
        figures += _counted(datasets)
    figures.append(_open(services, told))
    return figures[:MOST]


def _population(commune: CommuneInfo) -> Figure:
    source = _("Ville fictive : nombre choisi à la génération") if commune.fictional else _("Fiche de la commune")
    note = "" if commune.fictional else _("année du recensement non indiquée")
    return Figure(_("Population"), commune.population, _("habitants"), note, source, "", reverse("shell:legal"))


def _published(datasets: Sequence[DatasetSummary], told: str) -> Figure:
    reserved = sum(one.access != "public" for one in datasets)
    note = ngettext("dont {n} réservé à des agents", "dont {n} réservés à des agents", reserved).format(n=reserved)
    return Figure(
        _("Jeux de données"), len(datasets), "", note if reserved else _("tous publics"), _("Lac de données"), told,
        reverse("portal:datasets"),
    )  # fmt: skip


def _rows(datasets: Sequence[DatasetSummary], told: str) -> Figure:
    total = sum(one.rows for one in datasets)
    return Figure(_("Lignes publiées"), total, "", "", _("Lac de données"), told, reverse("portal:datasets"))


def _fresh(datasets: Sequence[DatasetSummary], today: date, told: str) -> Figure:
    limit = today - timedelta(days=FRESH_DAYS)
    fresh = sum(one.updated_at.date() >= limit for one in datasets)
    return Figure(
        _("Importées depuis moins d’un an"),
        round(100 * fresh / len(datasets)),
        "%",
        _("{fresh} jeux sur {all} ; la date d’import ne dit pas l’âge des faits").format(
            fresh=fresh, all=len(datasets)
        ),
        _("Date des versions"),
        told,
        reverse("portal:datasets"),
    )


# Datasets that count something everyone knows, by the words of their slug.
_COUNTED = (("arbres", "arbre"), ("ecoles", "ecole", "etablissements-scolaires"))


def _counted(datasets: Sequence[DatasetSummary]) -> list[Figure]:
    """Return the count of trees and of schools, when the town publishes them."""
    figures = []
    for names in _COUNTED:
        found = [one for one in datasets if any(part in names for part in one.ref.slug.split("-"))]
        if found:
            one = max(found, key=lambda summary: summary.rows)
            day = date_format(one.updated_at, "j F Y")
            page = reverse("portal:dataset", args=[one.ref.territory, one.ref.slug])
            figures.append(Figure(one.title, one.rows, "", "", one.producer or _("Lac de données"), day, page))
    return figures


def _open(services: Sequence[UseCaseView], told: str) -> Figure:
    return Figure(
        _("Services ouverts aux habitants"), len(services), "", "", _("Catalogue des usages"), told,
        reverse("portal:services"),
    )  # fmt: skip
