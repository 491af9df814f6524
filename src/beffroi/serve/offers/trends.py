"""How shops say their turnover goes, by season: said by who runs one and checked by an agent, or noted in a survey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.offers import events
from beffroi.serve.offers.definition import BadOffer, OfferNotFound
from beffroi.serve.offers.models import ACCEPTED, REFUSED, WAITING, TrendDeclaration

UP, STABLE, DOWN = "up", "stable", "down"
TRENDS = (UP, STABLE, DOWN)
SHOP, SURVEY = "shop", "survey"
MOST_WAITING = 5
SEASONS_KEPT = 8
"""How many seasons back may be told of."""


@dataclass(frozen=True, slots=True)
class TrendInfo:
    """One word of a shop, for who looks at it or said it."""

    id: int
    siret: str
    season: str
    trend: str
    origin: str
    state: str
    declared_at: datetime


def season_of(day: date) -> str:
    """Return the season of a day, a quarter of a year.

    >>> season_of(date(2026, 11, 26))
    '2026-T4'
    """
    return f"{day.year}-T{(day.month + 2) // 3}"


def seasons(today: date) -> list[str]:
    """Return the seasons one may tell of, this one first."""
    count = today.year * 4 + (today.month - 1) // 3
    return [f"{one // 4}-T{one % 4 + 1}" for one in range(count, count - SEASONS_KEPT, -1)]


def say_trend(
    viewer: Viewer, territory: str, *, siret: str, season: str, trend: str, survey: bool, at: datetime
) -> int:
    """Keep what is said of a shop; said again before anyone looked, it replaces what waits.

    Raises:
        Refused: nobody is signed in, or a survey is noted by another than an agent.
        BadOffer: not a season or a trend, or too many wait from one person.
    """
    if viewer.person_id is None or (survey and not _is_agent(viewer, territory)):
        raise Refused("cette page est pour qui dirige un commerce, ou pour un agent", remedy="connectez-vous")
    if trend not in TRENDS or season not in seasons(at.date()):
        raise BadOffer("cette tendance ou cette saison n’est pas dans la liste", remedy="choisissez dans le formulaire")
    state = ACCEPTED if survey else WAITING
    with transaction.atomic():
        mine = TrendDeclaration.objects.select_for_update().filter(
            territory=territory, author=viewer.person_id, state=WAITING
        )
        if not survey:
            mine.filter(siret=siret, season=season).delete()
            if mine.count() >= MOST_WAITING:
                raise BadOffer("cinq déclarations attendent déjà", remedy="attendez la réponse de la mairie")
        row = TrendDeclaration.objects.create(
            territory=territory, siret=siret, season=season, trend=trend, origin=SURVEY if survey else SHOP,
            author_id=viewer.person_id, declared_at=at, state=state, decided_at=at if survey else None,
        )  # fmt: skip
        record(kind=events.TREND_SAID, subject=f"trend:{row.pk}", payload={"season": season, "origin": row.origin},
               actor=viewer.person_id, territory=territory, at=at, new_subject=True)  # fmt: skip
    return int(row.pk)


def decide_trend(viewer: Viewer, territory: str, number: int, *, accept: bool, at: datetime) -> None:
    """Count what a shop said, or leave it out.

    Raises:
        Refused: not an agent.
        OfferNotFound: nothing waits under this number here.
    """
    if not _is_agent(viewer, territory):
        raise Refused("un agent vérifie qui déclare", remedy="demandez-le-lui")
    with transaction.atomic():
        how = ACCEPTED if accept else REFUSED
        rows = TrendDeclaration.objects.filter(pk=number, territory=territory, state=WAITING)
        if not rows.update(state=how, decided_at=at):
            raise OfferNotFound("aucune déclaration n’attend sous ce numéro", remedy="voyez la liste")
        record(kind=events.TREND_DECIDED, subject=f"trend:{number}", payload={"how": how}, actor=viewer.person_id,
               territory=territory, at=at)  # fmt: skip


def waiting_trends(viewer: Viewer, territory: str) -> list[TrendInfo]:
    """Return what waits for an agent, the oldest first; nothing for others."""
    if not _is_agent(viewer, territory):
        return []
    rows = TrendDeclaration.objects.filter(territory=territory, state=WAITING).order_by("declared_at", "pk")
    return [_told(row) for row in rows]


def own_trends(viewer: Viewer, territory: str) -> list[TrendInfo]:
    """Return what a person said, the latest first."""
    if viewer.person_id is None:
        return []
    rows = TrendDeclaration.objects.filter(territory=territory, author=viewer.person_id).order_by("-declared_at", "-pk")
    return [_told(row) for row in rows[:20]]


def declared_trends(territory: str, today: date) -> Mapping[str, str]:
    """Return the trend counted for each SIRET: the last said of its last season, this one or the two before.

    Names nobody, but must not be shown one by one: see `sense/places/trade`.
    """
    rows = TrendDeclaration.objects.filter(territory=territory, state=ACCEPTED, season__in=seasons(today)[:3])
    return dict(rows.order_by("season", "declared_at", "pk").values_list("siret", "trend"))


def _is_agent(viewer: Viewer, territory: str) -> bool:
    return AGENTS in viewer.clearances(territory)


def _told(row: TrendDeclaration) -> TrendInfo:
    return TrendInfo(int(row.pk), row.siret, row.season, row.trend, row.origin, row.state, row.declared_at)
