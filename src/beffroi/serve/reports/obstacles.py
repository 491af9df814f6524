"""Obstacles on the path: passers-by confirm them or say they are gone, those one trusts are taken at their word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import OPEN, BadCase, Outcome
from beffroi.serve.cases.events import subject_of
from beffroi.serve.reports import events
from beffroi.serve.reports.abuse import Sender
from beffroi.serve.reports.categories import Obstacle, open_categories
from beffroi.serve.reports.models import Ambassador, Confirmation, ObstacleRule, Report
from beffroi.serve.reports.obstacle_rules import may_set_obstacle_rule, obstacle_rule
from beffroi.serve.reports.trust import is_agent, trust_level
from beffroi.serve.reports.ways import tell_routes

MOST_LEVEL = 3
_GONE = "Des passants disent que l’obstacle n’est plus là."


@dataclass(frozen=True, slots=True)
class ObstacleState:
    """What is known of an obstacle after somebody spoke: whether it still counts, and until when."""

    number: str
    open: bool
    still_there: int
    gone: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObstacleInfo:
    """An obstacle in force, for maps and routes. Degrees are CRS84."""

    number: str
    category: str
    lon: float
    lat: float
    lasting: bool
    expires_at: datetime | None
    still_there: int
    since: datetime


@transaction.atomic
def confirm_obstacle(
    *, number: str, still_there: bool, viewer: Viewer, at: datetime, sender: Sender | None = None
) -> ObstacleState:
    """Say that an obstacle is still there, or is gone; one says so once, the last word counts.

    A temporary one that is seen again stays as long again. It ends at once on the word of an agent or of someone
    trusted, else when as many people as its category says have seen it gone since it was last seen.

    Raises:
        CaseNotFound: no such report for this viewer.
        BadCase: it is no obstacle, is over, or the viewer is neither signed in nor known by her device.
    """
    info = case_queries.case(viewer, number)
    rule = obstacle_rule(info.territory, info.category)
    if rule is None or not info.is_open:
        raise BadCase("ce signalement n’est pas un obstacle en cours", where=number, remedy="rechargez la carte")
    device = sender.device if sender is not None and viewer.person_id is None else ""
    if viewer.person_id is None and not device:
        raise BadCase("on ne sait pas d’où vient cet avis", where="device", remedy="acceptez le cookie du site")
    report = Report.objects.select_for_update(of=("self",)).get(pk=info.id)
    trusted = is_agent(viewer, info.territory) or trust_level(info.territory, viewer.person_id) > 0
    voice = Confirmation.objects.filter(report=report, person=viewer.person_id, device=device).first()
    voice = voice or Confirmation(report=report, person_id=viewer.person_id, device=device)
    voice.at, voice.still_there, voice.trusted = at, still_there, trusted
    voice.save()
    counts = Confirmation.objects.filter(report=report).aggregate(
        seen=Count("pk", filter=Q(still_there=True)), unseen=Count("pk", filter=Q(still_there=False))
    )
    report.still_there, report.gone = counts["seen"], counts["unseen"]
    if still_there and not report.lasting:
        later = at + timedelta(days=rule.temporary_days)
        report.expires_at = max(report.expires_at or later, later)
    report.save(update_fields=["still_there", "gone", "expires_at"])
    if still_there:
        tell_routes(info.id, at=at)
    record(
        kind=events.CONFIRMED,
        subject=subject_of(info.number),
        payload={"number": info.number, "still_there": still_there, "trusted": trusted},
        actor=viewer.person_id,
        territory=info.territory,
        at=at,
    )
    ended = not still_there and (trusted or _gone_since_seen(report) >= rule.gone_votes)
    if ended:
        cases.close_case(number=info.number, outcome=Outcome.DONE, reason=_GONE, by=None, at=at)
    return ObstacleState(info.number, not ended, report.still_there, report.gone, report.expires_at)


def _gone_since_seen(report: Report) -> int:
    seen = Confirmation.objects.filter(report=report, still_there=True).order_by("-at").values_list("at", flat=True)
    gone = Confirmation.objects.filter(report=report, still_there=False)
    last = seen.first()
    return (gone if last is None else gone.filter(at__gt=last)).count()


@transaction.atomic
def name_ambassador(*, territory: str, person_id: int, level: int, by: Viewer, at: datetime) -> None:
    """Trust a person about obstacles, or no longer (level 0).

    Raises:
        Refused: `by` does not work for the town.
        BadCase: the level is not from 0 to 3.
    """
    if not is_agent(by, territory) or by.scopes is not None:
        raise Refused("seuls les agents nomment les ambassadeurs", where=territory, remedy="demandez à la mairie")
    if not 0 <= level <= MOST_LEVEL:
        raise BadCase("niveau {level} impossible", where="level", remedy="donnez un niveau de 0 à 3", level=level)
    if level == 0:
        Ambassador.objects.filter(territory=territory, person=person_id).delete()
    else:
        Ambassador.objects.update_or_create(
            territory=territory,
            person_id=person_id,
            defaults={"level": level},
            create_defaults={"level": level, "since": at},
        )
    record(
        kind=events.AMBASSADOR_NAMED,
        subject=f"person:{person_id}",
        payload={"level": level},
        actor=by.person_id,
        territory=territory,
        at=at,
    )


@transaction.atomic
def set_obstacle_rule(
    *,
    territory: str,
    category: str,
    counts: str,
    seen_votes: int,
    gone_votes: int,
    temporary_days: int,
    by: Viewer,
    at: datetime,
) -> None:
    """Set how a town judges the obstacles of a category; those in force are judged anew, routes know it at once.

    Raises:
        Refused: `by` is neither an administrator nor an agent of the category's service.
        BadCase: a value is out of its bounds.
    """
    _require_rule(by, territory, category)
    rule = obstacle_rule(territory, category)
    given = {"counts": counts, "seen_votes": seen_votes, "gone_votes": gone_votes, "temporary_days": temporary_days}
    try:
        Obstacle.model_validate((rule or Obstacle()).model_dump() | given)
    except ValueError as error:
        raise BadCase(
            "réglage impossible", where=category, remedy="donnez des nombres entiers, de 1 à 20, et de 1 à 60 jours"
        ) from error
    ObstacleRule.objects.update_or_create(territory=territory, category=category, defaults=given)
    _judge_anew(territory, category, given, by, at)


@transaction.atomic
def forget_obstacle_rule(*, territory: str, category: str, by: Viewer, at: datetime) -> None:
    """Go back to what the use case's file says of the obstacles of a category.

    Raises:
        Refused: as `set_obstacle_rule`.
    """
    _require_rule(by, territory, category)
    if ObstacleRule.objects.filter(territory=territory, category=category).delete()[0]:
        _judge_anew(territory, category, {}, by, at)


def _require_rule(by: Viewer, territory: str, category: str) -> None:
    if not may_set_obstacle_rule(by, territory, category):
        raise Refused(
            "ces obstacles sont réglés par leur service ou par un administrateur",
            where=category[:60],
            remedy="demandez-leur",
        )


def _judge_anew(territory: str, category: str, payload: dict[str, object], by: Viewer, at: datetime) -> None:
    record(
        kind=events.OBSTACLE_RULE_SET,
        subject=f"category:{category}",
        payload={"category": category, **payload},
        actor=by.person_id,
        territory=territory,
        at=at,
    )
    concerned = Report.objects.filter(case__territory=territory, case__category=category, case__status__in=OPEN)
    for case_id in list(concerned.order_by("pk").values_list("pk", flat=True)):
        tell_routes(case_id, at=at)


def ambassadors(viewer: Viewer, territory: str) -> list[tuple[int, int, datetime]]:
    """Return (person's number, level, since) of those a town named, the last first; nothing to who is no agent."""
    if not is_agent(viewer, territory):
        return []
    rows = Ambassador.objects.filter(territory=territory).order_by("-since", "pk")
    return [(row.person_id, row.level, row.since) for row in rows]


def obstacles(territory: str, *, at: datetime, bbox: BBox | None = None, limit: int = 2000) -> list[ObstacleInfo]:
    """Return the obstacles in force that everybody may know of, the last ones first."""
    codes = [code for code, one in open_categories(territory).items() if one.category.obstacle]
    rows = Report.objects.filter(
        case_queries.public(territory, prefix="case__"),
        case__category__in=codes,
        case__status__in=OPEN,
        case__lead=None,
    ).filter(Q(expires_at=None) | Q(expires_at__gt=at))
    if bbox is not None:
        rows = rows.filter(lon__gte=bbox.west, lon__lte=bbox.east, lat__gte=bbox.south, lat__lte=bbox.north)
    return [
        ObstacleInfo(
            case_queries.number_of(row.pk),
            row.case.category,
            row.lon,
            row.lat,
            row.lasting,
            row.expires_at,
            row.still_there,
            row.case.opened_at,
        )
        for row in rows.select_related("case").order_by("-pk")[:limit]
    ]
