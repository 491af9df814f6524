"""Whose word counts at once: the town's agents, those it named, those whom others have confirmed often enough."""

from __future__ import annotations

from datetime import datetime

from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports.models import Ambassador, Report

# So many of one's own obstacles confirmed by others make one's word trusted without anybody's naming.
EARNED_BY = 5


def is_agent(viewer: Viewer, territory: str) -> bool:
    """Tell whether the viewer works for the town."""
    return AGENTS in viewer.clearances(territory)


def trust_level(territory: str, person_id: int | None) -> int:
    """Return how far a town trusts a person about obstacles: 0 unknown, 1 by her record, up to 3 by its own naming."""
    if person_id is None:
        return 0
    named = Ambassador.objects.filter(territory=territory, person=person_id).values_list("level", flat=True).first()
    if named is not None:
        return int(named)
    hers = case_queries.made_by(person_id)
    confirmed = Report.objects.filter(pk__in=hers, case__territory=territory, still_there__gt=0).exclude(
        case__outcome=Outcome.ABUSE
    )
    return int(confirmed.count() >= EARNED_BY)


def is_trusted(territory: str, person_id: int, *, at: datetime) -> bool:
    """Tell whether a person's word about obstacles is enough: one the town trusts, or one of its agents."""
    if trust_level(territory, person_id) > 0:
        return True
    return is_agent(territory_queries.viewer_of_person(person_id, at=at), territory)
