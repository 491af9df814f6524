"""What one may do with works: describe them, compare scenarios, publish one to routes and people, end them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.mobility import events
from beffroi.sense.mobility.models import Obstacle, Revision, Works
from beffroi.sense.mobility.rounds.queries import services_of
from beffroi.sense.mobility.works import queries
from beffroi.sense.mobility.works.computing import effects_of
from beffroi.sense.mobility.works.effects import as_json
from beffroi.sense.mobility.works.plan import BadWorks, Scenario, checked, moments, scenarios_of

RADIUS_M = 1.5
"""A closure stands in the middle of its stretch: one may still go up to there from both ends."""


@transaction.atomic
def describe_works(
    *, territory: str, service: str, title: str, description: str, scenarios: Sequence[Scenario], by: Viewer | None,
    at: datetime,
) -> int:  # fmt: skip
    """Keep works as a draft, and return their number.

    Raises:
        Refused: `by` does not work in the service.
        BadWorks: scenarios make no sense.
    """
    if by is not None and service not in services_of(by, territory):
        raise Refused(
            "vous n’êtes pas du service « {service} »", where=territory,
            remedy="demandez à un administrateur de vous y rattacher", service=service[:50],
        )  # fmt: skip
    if not title.strip():
        raise BadWorks("les travaux n'ont pas de nom", where="title", remedy="donnez-leur-en un")
    checked(scenarios)
    row = Works.objects.create(
        territory=territory, service=service, title=title.strip()[:200], description=description.strip()[:4000],
        scenarios=_json(scenarios), created_at=at, updated_at=at,
    )  # fmt: skip
    _tell(row, events.WORKS_DESCRIBED, {"title": row.title, "service": service}, by, at)
    return int(row.pk)


@transaction.atomic
def change_scenarios(
    viewer: Viewer, territory: str, works_id: int, *, scenarios: Sequence[Scenario], at: datetime
) -> None:
    """Replace the scenarios of a draft; effects computed before are let go of.

    Raises:
        WorksNotFound: none in the viewer's services.
        BadWorks: scenarios make no sense, or the works are published.
    """
    row = queries.seen_works(viewer, territory, works_id, lock=True)
    if row.state in (Works.PUBLISHED, Works.ENDED):
        raise BadWorks("ces travaux sont publiés", where="works", remedy="retirez-les d'abord de la publication")
    checked(scenarios)
    row.scenarios, row.effects, row.state, row.updated_at = _json(scenarios), [], Works.DRAFT, at
    row.computed_at, row.problem = None, None
    row.save()


@transaction.atomic
def ask_effects(viewer: Viewer, territory: str, works_id: int, *, at: datetime) -> None:
    """Have a worker compute the effects of every scenario.

    Raises:
        WorksNotFound: none in the viewer's services.
        BadWorks: a phase closes no street yet, or there is no phase.
    """
    from beffroi.sense.mobility.works.tasks import compute_works

    row = queries.seen_works(viewer, territory, works_id, lock=True)
    _check_complete(scenarios_of(row.scenarios))
    if row.state == Works.DRAFT:
        row.state = Works.COMPUTING
    row.progress, row.problem, row.updated_at = 0, None, at
    row.save()
    compute_works.enqueue(int(row.pk))


def _check_complete(scenarios: Sequence[Scenario]) -> None:
    for one in scenarios:
        if not one.phases or any(not phase.stretches for phase in one.phases):
            raise BadWorks("« {title} » n'a pas encore de rue dans chaque phase", where=one.title, title=one.title,
                           remedy="choisissez ses rues")  # fmt: skip


def compute_now(works_id: int, *, at: datetime) -> None:
    """Compute the effects of works that wait for them, telling how far it is."""
    row = Works.objects.filter(pk=works_id).first()
    if row is None:
        return
    scenarios = scenarios_of(row.scenarios)

    def tell(share: float) -> None:
        Works.objects.filter(pk=works_id).update(progress=min(99, int(100 * share)))

    try:
        found, sample = effects_of(row.territory, scenarios, own=_prefix(works_id), tell=tell)
    except BeffroiError as fault:
        told = {"what": fault.what.as_json(), "remedy": fault.remedy.as_json()}
        Works.objects.filter(pk=works_id, state=Works.COMPUTING).update(state=Works.DRAFT, problem=told)
        return
    with transaction.atomic():
        row = Works.objects.select_for_update().get(pk=works_id)
        if row.scenarios != _json(scenarios):
            # Changed while they were computed: these effects are of other works.
            return
        row.effects = [[[as_json(one) for one in phase] for phase in scenario] for scenario in found]
        row.sample = {"trips": len(sample.trips), "drawn_by": sample.drawn_by, "facilities": sample.facilities}
        row.state = Works.DRAFT if row.state == Works.COMPUTING else row.state
        row.progress, row.problem, row.computed_at = 100, None, at
        row.save()
        payload = {"trips": len(sample.trips), "scenarios": len(scenarios)}
        _tell(row, events.WORKS_COMPUTED, payload, None, at)


@transaction.atomic
def publish_works(viewer: Viewer | None, territory: str, works_id: int, *, scenario: int, at: datetime) -> None:
    """Tell everyone of a scenario, and have routes count its closures on their days, from the next request on.

    A change of direction is proposed: routes do not count it, and everyone reads all its scenarios.

    Raises:
        WorksNotFound: none in the viewer's services.
        BadWorks: no such scenario, a phase closes no street, or a change of direction has no effect computed yet.
    """
    row = _row(viewer, territory, works_id)
    scenarios = scenarios_of(row.scenarios)
    if not 0 <= scenario < len(scenarios):
        raise BadWorks("ce scénario n'existe pas", where="scenario", remedy="choisissez-en un de la liste")
    _check_complete([scenarios[scenario]])
    phases = scenarios[scenario].phases
    proposed = any(phase.direction for phase in phases)
    if proposed and not row.effects:
        raise BadWorks("les effets ne sont pas calculés", where="scenario",
                       remedy="calculez-les : c'est ce que liront les habitants")  # fmt: skip
    _withdraw(row, at)
    closures = [
        Obstacle(
            territory=territory, kind=kind, label=row.title, lon=stretch.lon, lat=stretch.lat, radius_m=RADIUS_M,
            subject=f"{_prefix(row.pk)}{number}.{place}.{kind}.{moment.start:%Y%m%d}", starts_at=moment.start,
            until=moment.end,
        )
        for number, phase in enumerate(phases)
        for moment in moments(phase, territory)
        if moment.end > at
        for place, stretch in enumerate(phase.stretches)
        for kind in phase.kinds()
    ]  # fmt: skip
    Obstacle.objects.bulk_create(closures, batch_size=200)
    _changed(territory)
    row.state, row.chosen, row.published_at, row.updated_at = Works.PUBLISHED, scenario, at, at
    row.first, row.last = min(one.first for one in phases), max(one.last for one in phases)
    row.save()
    payload = {
        "title": row.title, "scenario": scenarios[scenario].title, "first": row.first.isoformat(),
        "last": row.last.isoformat(), "streets": queries.info_of(row).streets, "closures": len(closures),
        "chosen": scenario,
    }  # fmt: skip
    if proposed:
        del payload["closures"]
    _tell(row, events.DIRECTION_PROPOSED if proposed else events.WORKS_PUBLISHED, payload, viewer, at)


@transaction.atomic
def withdraw_works(viewer: Viewer, territory: str, works_id: int, *, at: datetime, over: bool = False) -> None:
    """Take works back, as a draft to change, or for good when they are `over`; routes forget them at once.

    Raises:
        WorksNotFound: none in the viewer's services.
        BadWorks: they are not published.
    """
    row = queries.seen_works(viewer, territory, works_id, lock=True)
    if row.state != Works.PUBLISHED:
        raise BadWorks("ces travaux ne sont pas publiés", where="works", remedy="publiez-les d'abord")
    _withdraw(row, at)
    _changed(territory)
    kind = events.DIRECTION_CLOSED if queries.info_of(row).turns else events.WORKS_ENDED
    payload = {"title": row.title, "over": over, "chosen": row.chosen}
    row.state, row.updated_at = (Works.ENDED if over else Works.DRAFT), at
    row.chosen = row.chosen if over else -1
    row.save()
    _tell(row, kind, payload, viewer, at)


@transaction.atomic
def delete_works(viewer: Viewer, territory: str, works_id: int, *, at: datetime) -> None:
    """Let go of a draft; the journal keeps that there was one.

    Raises:
        WorksNotFound: none in the viewer's services.
        BadWorks: they are published.
    """
    row = queries.seen_works(viewer, territory, works_id, lock=True)
    if row.state == Works.PUBLISHED:
        raise BadWorks("ces travaux sont publiés", where="works", remedy="retirez-les d'abord de la publication")
    _tell(row, events.WORKS_ENDED, {"title": row.title, "deleted": True}, viewer, at)
    row.delete()


def _row(viewer: Viewer | None, territory: str, works_id: int) -> Works:
    if viewer is not None:
        return queries.seen_works(viewer, territory, works_id, lock=True)
    row = Works.objects.select_for_update().filter(pk=works_id, territory=territory).first()
    if row is None:
        raise queries.WorksNotFound("aucuns travaux n° {id}", remedy="voyez la liste", id=works_id)
    return row


def _prefix(works_id: int) -> str:
    return f"works:{works_id}."


def _withdraw(row: Works, at: datetime) -> None:
    """End the closures of works; told again under the same names, they are written anew."""
    Obstacle.objects.filter(territory=row.territory, subject__startswith=_prefix(row.pk)).delete()


def _changed(territory: str) -> None:
    Revision.objects.get_or_create(territory=territory)
    Revision.objects.filter(territory=territory).update(number=F("number") + 1)


def _json(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in scenarios]


def _tell(row: Works, kind: str, payload: dict[str, Any], by: Viewer | None, at: datetime) -> None:
    actor = by.person_id if by else None
    record(kind=kind, subject=f"works:{row.pk}", payload=payload, actor=actor, territory=row.territory, at=at)
