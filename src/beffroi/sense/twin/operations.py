"""What agents write of a building: works and maintenance, the state it is found in; what was a mistake is withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.twin.condition import COMPONENTS, GRADES, WORK_KINDS
from beffroi.sense.twin.events import CONDITION_READ, NOTE_WITHDRAWN, WORK_NOTED
from beffroi.sense.twin.life import BuildingRef, require_agent
from beffroi.sense.twin.models import EnergyProposal, LightingScenario, OwnersWork, Reading, UnfitPublication, Work

_EARLIEST = date(1000, 1, 1)


class BadNote(BeffroiError):
    """A note that cannot be kept as it is."""


class NoteNotFound(NotFound):
    """No such note on this building."""


@transaction.atomic
def note_work(
    viewer: Viewer,
    building: BuildingRef,
    *,
    kind: str,
    day: date,
    title: str,
    at: datetime,
    component: str = "",
    by_whom: str = "",
    cost_eur: Decimal | None = None,
    note: str = "",
) -> int:
    """Note something done to a building, or planned; return its number.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
        BadNote: an unknown kind or component, no title, a negative cost.
    """
    require_agent(viewer, building.territory)
    _known(kind, WORK_KINDS, "kind")
    if component:
        _known(component, COMPONENTS, "component")
    if not title.strip():
        raise BadNote("dites ce qui a été fait", where="title", remedy="par exemple « Réfection de la couverture »")
    if cost_eur is not None and cost_eur < 0:
        raise BadNote("un coût ne peut être négatif", where="cost_eur", remedy="laissez vide s’il n’est pas connu")
    _sensible(day)
    work = Work.objects.create(
        **_of(building, viewer, at),
        kind=kind,
        component=component,
        day=day,
        title=title.strip(),
        by_whom=by_whom.strip(),
        cost_eur=cost_eur,
        note=note.strip(),
    )
    told = {"kind": kind, "component": component, "cost_eur": None if cost_eur is None else str(cost_eur)}
    _record(WORK_NOTED, building, viewer, at, {"number": work.pk, "day": day.isoformat(), **told})
    return work.pk


@transaction.atomic
def read_condition(
    viewer: Viewer, building: BuildingRef, *, component: str, grade: int, day: date, at: datetime, note: str = ""
) -> int:
    """Note the state a component was found in; return the number of the reading.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
        BadNote: an unknown component, a grade that is not on the scale, a day to come.
    """
    require_agent(viewer, building.territory)
    _known(component, COMPONENTS, "component")
    if grade not in GRADES:
        raise BadNote("la note {grade} n’existe pas", where="grade", remedy="donnez une note de 1 à 5", grade=grade)
    if day > at.astimezone(PARIS).date():
        raise BadNote("un relevé ne peut être daté de demain", where="day", remedy="donnez le jour de la visite")
    _sensible(day)
    reading = Reading.objects.create(
        **_of(building, viewer, at), component=component, grade=grade, day=day, note=note.strip()
    )
    told = {"number": reading.pk, "component": component, "grade": grade, "day": day.isoformat()}
    _record(CONDITION_READ, building, viewer, at, told)
    return reading.pk


@transaction.atomic
def withdraw(viewer: Viewer, building: BuildingRef, *, what: str, number: int, at: datetime) -> None:
    """Withdraw a note made by mistake: it is kept, and no longer shown nor counted.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory.
        NoteNotFound: no such note on this building, or it is withdrawn already.
    """
    require_agent(viewer, building.territory)
    mine = {"work": Work.objects.all(), "reading": Reading.objects.all()}.get(what)
    if mine is None or not mine.filter(building.filter(), pk=number, withdrawn_at=None).update(withdrawn_at=at):
        raise NoteNotFound("note introuvable", where=f"{what}/{number}"[:60], remedy="elle a peut-être été retirée")
    _record(NOTE_WITHDRAWN, building, viewer, at, {"number": number, "what": what})


@transaction.atomic
def forget_sandbox(territory: str) -> None:
    """Remove every note and scenario of a sandbox, and refuse to touch anything else.

    Raises:
        BadNote: the territory is a real one.
    """
    if not is_sandbox(territory):
        raise BadNote("« {code} » n’est pas un bac à sable", where="territory", code=territory)
    Work.objects.filter(territory=territory).delete()
    Reading.objects.filter(territory=territory).delete()
    EnergyProposal.objects.filter(territory=territory).delete()
    LightingScenario.objects.filter(territory=territory).delete()
    UnfitPublication.objects.filter(territory=territory).delete()
    OwnersWork.objects.filter(territory=territory).delete()


def _of(building: BuildingRef, viewer: Viewer, at: datetime) -> dict[str, object]:
    return {
        "territory": building.territory,
        "dataset": building.dataset,
        "feature": building.feature,
        "rnb": building.rnb,
        "building_name": building.name[:200],
        "author_id": viewer.person_id,
        "recorded_at": at,
    }


def _known(value: str, among: Mapping[str, str], where: str) -> None:
    if value not in among:
        raise BadNote("« {value} » inconnu", where=where, remedy="choisissez dans la liste", value=value[:40])


def _sensible(day: date) -> None:
    if day < _EARLIEST:
        raise BadNote("cette date est trop ancienne", where="day", remedy="vérifiez l’année")


def _record(kind: str, building: BuildingRef, viewer: Viewer, at: datetime, payload: dict[str, object]) -> None:
    record(
        kind=kind,
        subject=building.subject,
        payload=payload,
        actor=viewer.person_id,
        territory=building.territory,
        at=at,
    )
