"""How a town judges the obstacles of each category: as the use case's file says, or as the town itself has set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from beffroi.base.territory.viewer import Role, Viewer
from beffroi.sense.mobility import queries as mobility
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.reports.categories import Obstacle, open_categories
from beffroi.serve.reports.models import ObstacleRule

SET_BY_TOWNS = ("counts", "seen_votes", "gone_votes", "temporary_days")


@dataclass(frozen=True, slots=True)
class ObstacleRuleInfo:
    """The rule in force for a category, and whether the town set it.

    `closes`: routes find the way closed to somebody once the obstacle counts; `doubt_s` and `cost_s`: what it costs a
    wheelchair before and after, in seconds (`cost_s` is 0 where it closes).
    """

    category: str
    label: str
    service: str
    rule: Obstacle
    is_own: bool
    closes: bool
    doubt_s: int
    cost_s: int


def obstacle_rule(territory: str, category: str) -> Obstacle | None:
    """Return the rule in force in a town for a category, None when it is not about obstacles; one query at most."""
    known = open_categories(territory).get(category)
    shipped = known.category.obstacle if known else None
    if shipped is None:
        return None
    own = ObstacleRule.objects.filter(territory=territory, category=category).values(*SET_BY_TOWNS).first()
    return with_own(shipped, own)


def with_own(shipped: Obstacle, own: Mapping[str, Any] | None) -> Obstacle:
    """Return a rule with what a town has set in it."""
    return shipped.model_copy(update=dict(own)) if own else shipped


def obstacle_rules(territory: str) -> list[ObstacleRuleInfo]:
    """Return the rule in force for each category of obstacles open in a town; one query."""
    own = {
        row.pop("category"): row
        for row in ObstacleRule.objects.filter(territory=territory).values("category", *SET_BY_TOWNS)
    }
    kinds = {one.slug: one for one in mobility.kinds_of_obstacles()}
    found = []
    for code, one in open_categories(territory).items():
        if (shipped := one.category.obstacle) is None:
            continue
        rule = with_own(shipped, own.get(code))
        met, doubtful = kinds.get(rule.route), kinds.get(rule.doubtful)
        found.append(
            ObstacleRuleInfo(
                category=code,
                label=one.category.label,
                service=one.category.service,
                rule=rule,
                is_own=code in own,
                closes=bool(met and met.closes),
                doubt_s=round(doubtful.slows.get(_WHEELCHAIR, 0)) if doubtful else 0,
                cost_s=round(met.slows.get(_WHEELCHAIR, 0)) if met else 0,
            )
        )
    return found


_WHEELCHAIR = "fauteuil-manuel"


def may_set_obstacle_rule(viewer: Viewer, territory: str, category: str) -> bool:
    """Tell whether the viewer may change a town's rule: an administrator, or an agent of the category's service."""
    known = open_categories(territory).get(category)
    if known is None or known.category.obstacle is None or viewer.scopes is not None:
        return False
    return viewer.has(Role.ADMINISTRATOR, territory) or known.category.service in case_queries.services_of(
        viewer, territory
    )
