"""How a few shops of the fictional town say they do, through the room's own doors. Made once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.serve.offers.trends import TRENDS, UP, declared_trends, say_trend, season_of

_SURVEYED = 40


def add_trends(territory: str, *, agent: str, owner: str, at: datetime) -> int:
    """Note a survey of the shops of the busiest streets, and leave one declaration waiting; return how many count."""
    people = [territory_queries.person_by_email(email) for email in (agent, owner)]
    try:
        rows = lake.rows(
            ANONYMOUS, DatasetRef(territory, "etablissements"),
            columns=("siret", "libellevoieetablissement", "etatadministratifetablissement"), max_rows=100_000,
            timeout_s=20, memory_mb=256,
        ).rows  # fmt: skip
    except lake.DatasetNotFound:
        return 0
    streets = Counter(street for _siret, street, state in rows if state == "A")
    busiest = {street for street, _count in streets.most_common(5)}
    shops = sorted(str(siret) for siret, street, state in rows if state == "A" and street in busiest)[:_SURVEYED]
    if not shops or None in people or declared_trends(territory, at.date()):
        return 0
    season = season_of(at.date())
    surveyor, boss = (territory_queries.viewer_of_person(one.id, at=at) for one in people if one)
    for rank, siret in enumerate(shops[1:]):
        trend = TRENDS[(rank * 7 + rank // 3) % 3]
        say_trend(surveyor, territory, siret=siret, season=season, trend=trend, survey=True, at=at)
    say_trend(boss, territory, siret=shops[0], season=season, trend=UP, survey=False, at=at)
    return len(shops) - 1
