"""Write an alert, have it approved, take it back, end it. Each step and its event are one transaction.

draft → (waiting: a second person) → planned (for half a minute, or until its hour) → live → over. A live alert that is
changed goes the same way again; what was sent before stays in force meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import shapely
from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.serve.alerts import events
from beffroi.serve.alerts.definition import (
    AREAS,
    CATEGORIES,
    CERTAINTIES,
    DISTRICT,
    GRACE,
    LONGEST,
    SEVERITIES,
    TOWN,
    URGENCIES,
    ZONE,
    BadAlert,
    Content,
    TooLate,
    alert_not_found,
    content_of,
)
from beffroi.serve.alerts.engine import topics
from beffroi.serve.alerts.models import CANCEL, DRAFT, END, LIVE, OVER, PLANNED, WAITING, Alert
from beffroi.serve.alerts.places import districts_shape, streets_shape
from beffroi.serve.cases.ground import checked_zone
from beffroi.serve.cases.words import clean_text

LARGEST_KM2 = 2000.0
DRIVING = re.compile(r"(critair-[0-5]|parity)?")


def require_writer(viewer: Viewer, territory: str) -> int:
    """Return the number of an agent or administrator of a town; a key never sends an alert.

    Raises:
        Refused: anyone else.
    """
    if viewer.person_id is not None and viewer.scopes is None and AGENTS in viewer.clearances(territory):
        return viewer.person_id
    raise Refused("seuls les agents de la commune envoient des alertes", where=territory, remedy="connectez-vous")


def checked(territory: str, content: Content, *, at: datetime) -> Content:
    """Return a content whose texts, words, dates and area hold; its zone is that of its districts or streets.

    Raises:
        BadAlert, BadCase: what does not, and where.
    """
    topic = topics(territory).get(content.topic)
    if topic is None:
        raise BadAlert("sujet « {topic} » inconnu", where="topic", remedy="choisissez-en un dans la liste",
                       topic=content.topic[:40])  # fmt: skip
    for name, known in (
        ("severity", SEVERITIES), ("urgency", URGENCIES), ("certainty", CERTAINTIES), ("category", CATEGORIES),
    ):  # fmt: skip
        if getattr(content, name) not in known:
            raise BadAlert("valeur inconnue", where=name, remedy="choisissez-en une dans la liste")
    start = content.starts_at or at
    if not max(at, start) < content.until <= start + LONGEST:
        raise BadAlert(
            "la fin doit venir après le début, et dans les {days} jours", where="until",
            remedy="corrigez la date de fin", days=LONGEST.days,
        )  # fmt: skip
    if content.area not in AREAS or not DRIVING.fullmatch(content.driving):
        raise BadAlert("valeur inconnue", where="area", remedy="choisissez-en une dans la liste")
    words = {
        name: clean_text(getattr(content, name), where=name, limit=limit, required=required)
        for name, limit, required in (
            ("title", 120, True), ("text", 2000, True), ("instruction", 1000, False),
            ("title_en", 120, False), ("text_en", 2000, False), ("instruction_en", 1000, False),
        )
    }  # fmt: skip
    if bool(words["title_en"]) != bool(words["text_en"]):
        raise BadAlert("l’anglais est à moitié écrit", where="text_en", remedy="écrivez le titre et le texte, ou rien")
    plain = dict.fromkeys(("severity", "urgency", "certainty"), "Unknown") if topic.is_message else {}
    project = clean_text(content.project, where="project", limit=60) if topic.is_message else ""
    kept: dict[str, Any] = {**words, **plain, "project": project, "is_message": topic.is_message}
    return replace(content, **kept, **_area(territory, content))


def _area(territory: str, content: Content) -> dict[str, Any]:
    """Return the zone of an area and how it is called."""
    bare: dict[str, Any] = {"districts": (), "streets": (), "zone": "", "place": ""}
    if content.area == TOWN:
        return bare
    if content.area == ZONE:
        return bare | {"zone": content.zone, "place": content.place[:120]} if _is_area(content.zone) else bare
    if content.area == DISTRICT:
        shape, names = districts_shape(territory, content.districts)
        kept = {"districts": content.districts}
    else:
        shape, names = streets_shape(territory, content.streets)
        kept = {"streets": tuple(names)}
    return bare | kept | {"zone": str(shapely.to_geojson(shape)), "place": ", ".join(names)[:200]}


def _is_area(zone: str) -> bool:
    checked_zone(zone, most_km2=LARGEST_KM2)
    return True


@transaction.atomic
def write_alert(viewer: Viewer, territory: str, content: Content, *, at: datetime) -> int:
    """Keep a draft and return its number; nothing leaves.

    Raises:
        Refused: not an agent of the town.
        BadAlert, BadCase: it does not hold.
    """
    author = require_writer(viewer, territory)
    row = Alert.objects.create(
        territory=territory, content=checked(territory, content, at=at).as_json(), author_id=author, made_at=at,
        changed_at=at,
    )  # fmt: skip
    _tell(events.WRITTEN, row, author, at, {}, new=True)
    return int(row.pk)


@transaction.atomic
def change_alert(viewer: Viewer, number: int, content: Content, *, at: datetime) -> None:
    """Write an alert anew, sent or not; what was agreed to before no longer counts.

    Raises:
        AlertNotFound, Refused: none of the viewer's town.
        TooLate: it is leaving, or it is over.
        BadAlert, BadCase: it does not hold.
    """
    row = _locked(number)
    author = require_writer(viewer, row.territory)
    if row.state in (PLANNED, OVER):
        raise TooLate("cette alerte part ou est finie", where=str(number), remedy="reprenez-la d’abord")
    row.content = checked(row.territory, content, at=at).as_json()
    row.state, row.author_id, row.asker, row.approver, row.changed_at = DRAFT, author, None, None, at
    row.save()
    _tell(events.CHANGED, row, author, at, {})


@transaction.atomic
def send_alert(viewer: Viewer, number: int, *, at: datetime, leaves_at: datetime | None = None) -> str:
    """Ask for an alert to leave: in half a minute or at its hour, or once a second person agrees; return its state.

    Args:
        leaves_at: when it is to leave; now when not given.

    Raises:
        AlertNotFound, Refused: none of the viewer's town.
        TooLate: it is not a draft any more. BadAlert: its end has come.
    """
    row = _locked(number)
    asker = require_writer(viewer, row.territory)
    if row.state != DRAFT:
        raise TooLate("cette alerte n’est plus un brouillon", where=str(number), remedy="rechargez la page")
    content = content_of(row.content)
    row.asker_id, row.changed_at = asker, at
    row.goes_at = max(at + GRACE, leaves_at or at)
    if content.until <= row.goes_at:
        raise BadAlert("la fin de cette alerte est passée", where="until", remedy="corrigez la date de fin")
    row.state = WAITING if content.needs_second_person else PLANNED
    row.save()
    facts = {"severity": content.severity, "area": content.area}
    _tell(events.ASKED if row.state == WAITING else events.PLANNED, row, asker, at, facts)
    return row.state


@transaction.atomic
def approve_alert(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Agree, as a second person, that an alert leaves.

    Raises:
        AlertNotFound, Refused: none of the viewer's town, or she wrote it or asked for it herself.
        TooLate: nobody waits for an answer.
    """
    row = _locked(number)
    approver = require_writer(viewer, row.territory)
    if row.state != WAITING:
        raise TooLate("cette alerte n’attend pas d’accord", where=str(number), remedy="rechargez la page")
    if approver in (row.author_id, row.asker_id):
        raise Refused("une autre personne que vous doit donner son accord", where=str(number),
                      remedy="demandez à un collègue d’ouvrir cette page")  # fmt: skip
    content = content_of(row.content)
    row.approver_id, row.changed_at, row.state = approver, at, PLANNED
    row.goes_at = max(at + GRACE, row.goes_at or at)
    if content.until <= row.goes_at:
        raise BadAlert("la fin de cette alerte est passée", where="until", remedy="corrigez la date de fin")
    row.save()
    _tell(events.APPROVED, row, approver, at, {"severity": content.severity, "area": content.area})


@transaction.atomic
def take_back(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Make a draft again of an alert that has not left.

    Raises:
        AlertNotFound, Refused: none of the viewer's town.
        TooLate: it has left.
    """
    row = _locked(number)
    person = require_writer(viewer, row.territory)
    if row.state not in (WAITING, PLANNED):
        raise TooLate("cette alerte est déjà partie", where=str(number), remedy="mettez-y fin, ou annulez-la")
    row.state, row.goes_at, row.asker, row.approver, row.changed_at = DRAFT, None, None, None, at
    row.save()
    _tell(events.TAKEN_BACK, row, person, at, {})


@transaction.atomic
def discard_alert(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Throw away a draft of which nothing was sent, or the change of one that was.

    Raises:
        AlertNotFound, Refused: none of the viewer's town. TooLate: it is no draft.
    """
    row = _locked(number)
    person = require_writer(viewer, row.territory)
    if row.state not in (DRAFT, WAITING):
        raise TooLate("cette alerte n’est plus un brouillon", where=str(number), remedy="rechargez la page")
    _tell(events.DISCARDED, row, person, at, {})
    if row.rank == 0:
        row.delete()
        return
    row.content, row.state, row.changed_at = row.issued, LIVE, at
    row.save()


def end_alert(viewer: Viewer, number: int, *, at: datetime, reason: str = "", mistaken: bool = False) -> None:
    """End an alert in force, and tell those who were told: it is over, or it was sent by mistake.

    Raises:
        AlertNotFound, Refused: none of the viewer's town. TooLate: it is not in force.
        BadCase: the reason cannot be kept.
    """
    from beffroi.serve.alerts.issuing import issue

    reason = clean_text(reason, where="reason", limit=300)
    with transaction.atomic():
        row = _locked(number)
        person = require_writer(viewer, row.territory)
        end_row(row, person, at=at, reason=reason, kind=CANCEL if mistaken else END, issue=issue)


def end_row(row: Alert, person: int | None, *, at: datetime, reason: str, kind: str, issue: Any) -> None:
    """End an alert that is locked, in the caller's transaction; for this package."""
    if row.rank == 0 or row.ended_at is not None or row.until is None or row.until <= at:
        raise TooLate("cette alerte n’est pas en cours", where=str(row.pk), remedy="rechargez la page")
    row.reason, row.ended_at, row.state, row.changed_at = reason, at, OVER, at
    row.content = row.issued
    row.save()
    issue(row, kind=kind, at=at, actor=person)


def _locked(number: int) -> Alert:
    row = Alert.objects.select_for_update(of=("self",)).filter(pk=number).first()
    if row is None:
        raise alert_not_found()
    return row


def _tell(
    kind: str, row: Alert, person: int | None, at: datetime, payload: dict[str, Any], *, new: bool = False
) -> None:
    record(
        kind=kind, subject=events.subject_of(int(row.pk)), payload=payload, actor=person, territory=row.territory,
        at=at, new_subject=new,
    )  # fmt: skip


def area_choices(territory: str) -> list[tuple[str, str]]:
    """Return the districts of a town that an area may name, (slug, name)."""
    return [(one.slug, one.name) for one in territory_queries.zones(territory, "quartier")]
