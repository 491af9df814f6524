"""The figures the house counts itself: from the lake's versions, the catalogue and its usage per day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.catalogue import queries as catalogue
from beffroi.base.catalogue.definition import OPEN_STATES, Audience
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory import queries as territory
from beffroi.faces.cockpit.figures import Asked, Figure, figure_source
from beffroi.faces.shell.charts import Point
from beffroi.faces.shell.templatetags.shell import number
from beffroi.faces.shell.things import column_words
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, Measure

FRESH_DAYS = 365
MONTHS = 12
CENSUS = re.compile(r"p\d\d_pop|population|pop_tot\w*")
USAGE_DAYS = 30
WEEKS = 12
# Datasets that count something everyone knows, by the words of their slug.
COUNTED = (("arbres", "arbre"), ("ecoles", "ecole", "etablissements-scolaires"))


@dataclass(frozen=True, slots=True)
class History:
    """The versions of one dataset: their days and rows, oldest first."""

    ref: DatasetRef
    days: tuple[date, ...]
    rows: tuple[int, ...]

    def at(self, day: date) -> tuple[date, int] | None:
        """Return the day and the rows of the version in force at the end of `day`, None before the first."""
        known = [(on, rows) for on, rows in zip(self.days, self.rows, strict=True) if on <= day]
        return known[-1] if known else None


def histories(asked: Asked) -> list[History]:
    """Return the history of each dataset this reader may see."""
    found = []
    for one in lake.datasets(asked.viewer, territory=asked.commune.code):
        versions = sorted(lake.versions(asked.viewer, one.ref), key=lambda version: version.created_at)
        found.append(
            History(
                one.ref, tuple(_day(version.created_at) for version in versions), tuple(one.rows for one in versions)
            )
        )
    return found


def month_ends(today: date, count: int = MONTHS) -> list[date]:
    """Return the last days of the months before this one, oldest first, then today.

    >>> month_ends(date(2026, 3, 10), 3)
    [datetime.date(2026, 1, 31), datetime.date(2026, 2, 28), datetime.date(2026, 3, 10)]
    """
    days, first = [today], today.replace(day=1)
    while len(days) < count:
        last = first - timedelta(days=1)
        days.append(last)
        first = last.replace(day=1)
    return days[::-1]


def _trend(days: Sequence[date], values: Sequence[int | None]) -> tuple[Point, ...]:
    """Return the points from the first known value on."""
    pairs = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    return tuple(Point(date_format(day, "F Y"), value) for day, value in pairs)


@figure_source("usage", rank=20)
def usage(asked: Asked) -> Iterator[Figure]:
    """Yield how much the services were used in the last thirty days, beside the thirty before, week by week."""
    first = asked.today - timedelta(days=max(2 * USAGE_DAYS, 7 * WEEKS) - 1)
    days = catalogue.usage_by_day(asked.commune.code, first=first, last=asked.today)
    if not days:
        return
    recent = _sum(days, asked.today - timedelta(days=USAGE_DAYS - 1), asked.today)
    start = asked.today - timedelta(days=2 * USAGE_DAYS - 1)
    before = _sum(days, start, asked.today - timedelta(days=USAGE_DAYS))
    weeks = [asked.today - timedelta(days=7 * back) for back in range(WEEKS - 1, -1, -1)]
    known = [end for end in weeks if end >= min(days)]
    trend = tuple(
        Point(
            _("semaine finie le {day}").format(day=date_format(end, "j F")),
            _sum(days, end - timedelta(days=6), end),
        )
        for end in known
    )
    yield Figure(
        _("Utilisations des services en ligne"), recent,
        unit=_("en 30 jours"),
        comparison=_("{n} les trente jours d’avant").format(n=before) if min(days) <= start else "",
        note=_("ouvertures de pages, tous publics, sans suivi des personnes"),
        source=_("Fréquentation"), date=asked.told, href=reverse("backoffice:usecases"), trend=trend,
    )  # fmt: skip


@figure_source("presence", rank=25)
def devices(asked: Asked) -> Iterator[Figure]:
    """Yield how many devices opened the portal in the last whole month, or since the first of this one."""
    first = month_ends(asked.today)[0].replace(day=1)
    months = catalogue.presence(asked.commune.code, catalogue.Span.MONTH, first=first, last=asked.today)
    whole = [one for one in months if one.first_day < asked.today.replace(day=1)]
    if not months:
        return
    shown = (whole or months)[-1]
    people, words = asked.commune.population, "F Y"
    ratio = round(100 * shown.devices / people, 1) if people else 0
    yield Figure(
        _("Appareils qui ont ouvert le portail"), shown.devices,
        unit=_("en {month}").format(month=date_format(shown.first_day, words)),
        comparison=_("{n} pour 100 habitants").format(n=number(ratio)) if people else "",
        note=_("un appareil n’est pas une personne ; aucun n’est suivi"),
        source=_("Fréquentation"), date=asked.told, href=reverse("backoffice:presence"),
        trend=tuple(Point(date_format(one.first_day, words), one.devices) for one in whole),
    )  # fmt: skip


def _sum(days: dict[date, int], first: date, last: date) -> int:
    return sum(count for day, count in days.items() if first <= day <= last)


@figure_source("services", rank=30)
def services(asked: Asked) -> Iterator[Figure]:
    """Yield how many services are open to residents, of all that the catalogue holds for them."""
    every = catalogue.use_cases(territory=asked.commune.code, audience=Audience.RESIDENT)
    opened = catalogue.with_data((one for one in every if one.state in OPEN_STATES), asked.commune.code)
    yield Figure(
        _("Services ouverts aux habitants"), len(opened),
        comparison=_("sur {n} au catalogue").format(n=len(every)),
        source=_("Catalogue des usages"), date=asked.told, href=reverse("portal:services"),
    )  # fmt: skip


@figure_source("datasets", rank=40)
def datasets(asked: Asked) -> Iterator[Figure]:
    """Yield what the commune publishes and how fresh it is, month by month from the lake's own versions."""
    known = histories(asked)
    if not known:
        return
    ends, page = month_ends(asked.today), reverse("portal:datasets")
    held = [sum(one.at(day) is not None for one in known) or None for day in ends]
    shares = [_fresh_percent(known, day) for day in ends]
    fresh = _fresh_percent(known, asked.today) or 0
    limit = asked.today - timedelta(days=FRESH_DAYS)
    yield Figure(
        _("Données importées depuis moins d’un an"), fresh, unit="%",
        note=_("{fresh} jeux sur {all} ; la date d’import ne dit pas l’âge des faits").format(
            fresh=sum(one.days[-1] >= limit for one in known), all=len(known)
        ),
        source=_("Date des versions"), date=asked.told, href=page, trend=_trend(ends, shares),
    )  # fmt: skip
    yield Figure(
        _("Jeux de données"), len(known), comparison=_grouping(asked), source=_("Lac de données"), date=asked.told,
        href=page, trend=_trend(ends, held),
    )  # fmt: skip
    rows = [sum(found[1] for one in known if (found := one.at(day))) or None for day in ends]
    yield Figure(
        _("Lignes publiées"), sum(one.rows[-1] for one in known), source=_("Lac de données"), date=asked.told,
        href=page, trend=_trend(ends, rows),
    )  # fmt: skip


def _fresh_percent(known: Sequence[History], day: date) -> int | None:
    held = [found[0] for one in known if (found := one.at(day))]
    limit = day - timedelta(days=FRESH_DAYS)
    return round(100 * sum(on >= limit for on in held) / len(held)) if held else None


def _grouping(asked: Asked) -> str:
    """Return what the other communes of the grouping publish, counted as this reader may see it."""
    others = {
        one.code
        for grouping in territory.groupings_of(asked.commune.code)
        for one in territory.members(grouping.code)
        if one.code != asked.commune.code
    }
    if not others:
        return ""
    counts = [len(lake.datasets(asked.viewer, territory=code)) for code in sorted(others)]
    middle = round(median(counts))
    return ngettext(
        "{n} en médiane dans l’autre commune du groupement",
        "{n} en médiane dans les {all} autres communes du groupement",
        len(others),
    ).format(n=middle, all=len(others))


@figure_source("counted", rank=50)
def counted(asked: Asked) -> Iterator[Figure]:
    """Yield the trees and the schools, when the town publishes them, each opening its own table."""
    known = {one.ref: one for one in histories(asked)}
    summaries = lake.datasets(asked.viewer, territory=asked.commune.code)
    for names in COUNTED:
        found = [one for one in summaries if any(part in names for part in one.ref.slug.split("-"))]
        if found:
            one = max(found, key=lambda summary: summary.rows)
            ends = month_ends(asked.today)
            values = [at[1] if (at := known[one.ref].at(day)) else None for day in ends]
            page = reverse("portal:dataset", args=[one.ref.territory, one.ref.slug])
            day = date_format(one.updated_at, "j F Y")
            yield Figure(
                one.short_title, one.rows, source=one.producer or _("Lac de données"), date=day, href=page,
                trend=_trend(ends, values),
            )  # fmt: skip


@figure_source("population", rank=60)
def population(asked: Asked) -> Iterator[Figure]:
    """Yield the inhabitants: those a dataset of the town counts, which it opens, else those of the commune's record."""
    commune = asked.commune
    told = _inhabitants(asked)
    if told is not None:
        yield told
    elif commune.population:
        fictional = commune.fictional
        source = _("Ville fictive : nombre choisi à la génération") if fictional else _("Fiche de la commune")
        note = "" if fictional else _("année du recensement non indiquée")
        yield Figure(
            _("Population"), commune.population, unit=_("habitants"), note=note, source=source,
            href=reverse("cockpit:communes" if territory.groupings_of(commune.code) else "shell:legal"),
        )  # fmt: skip


def _inhabitants(asked: Asked) -> Figure | None:
    """Return the sum of the census by area, None when the town publishes none."""
    for one in lake.datasets(asked.viewer, territory=asked.commune.code):
        if "population" not in one.ref.slug.split("-"):
            continue
        columns = lake.dataset(asked.viewer, one.ref, version=one.version).columns
        counted = next((column for column in columns if CENSUS.fullmatch(column.key)), None)
        if counted is None:
            continue
        measure = Measure("inhabitants", "sum", counted.key)
        ((total,),) = lake.aggregate(asked.viewer, one.ref, measures=[measure], version=one.version).rows
        if total:
            return Figure(
                _("Population"), int(total), unit=_("habitants"),
                note="" if counted.title == _("Population") else column_words(counted),
                source=one.producer or _("Lac de données"), date=date_format(one.updated_at, "j F Y"),
                href=reverse("portal:dataset-table", args=[one.ref.territory, one.ref.slug]),
            )  # fmt: skip
    return None


def _day(at: datetime) -> date:
    return at.astimezone(PARIS).date()
