"""Projects that people follow by their name: what one costs, its works, how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.alerts import events
from beffroi.serve.alerts.definition import BadAlert
from beffroi.serve.alerts.models import Project
from beffroi.serve.alerts.writing import require_writer
from beffroi.serve.cases.words import clean_text

MOST_COST_CENTS = 10**13


class ProjectNotFound(NotFound):
    """No such project in this town."""


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project; `cost_cents` is None when it is not known, `closed_at` once nobody follows it any more."""

    id: int
    territory: str
    code: str
    title: str
    text: str
    cost_cents: int | None
    district: str
    made_at: datetime
    closed_at: datetime | None

    @property
    def cost_eur(self) -> float | None:
        """Return what it costs, in euros."""
        return None if self.cost_cents is None else self.cost_cents / 100


def followable(territory: str, *, at: datetime) -> list[ProjectInfo]:
    """Return the projects of a town that may be followed, by title."""
    rows = Project.objects.filter(territory=territory, closed_at=None).order_by("title", "pk")
    return [_info(row) for row in rows]


def project(territory: str, code: str) -> ProjectInfo:
    """Return a project.

    Raises:
        ProjectNotFound: none of this town has that code.
    """
    row = Project.objects.filter(territory=territory, code=code).first()
    if row is None:
        raise ProjectNotFound("ce projet n’existe pas", where=code[:60], remedy="voyez la liste des projets")
    return _info(row)


@transaction.atomic
def open_project(
    viewer: Viewer, territory: str, *, title: str, text: str, at: datetime, cost_cents: int | None = None,
    district: str = "",
) -> str:  # fmt: skip
    """Give people a project to follow, and return its code.

    Raises:
        Refused: not an agent of the town.
        BadCase, BadAlert: a text, the cost or the district cannot be kept, or another has this title.
    """
    person = require_writer(viewer, territory)
    title = clean_text(title, where="title", required=True, limit=120)
    text = clean_text(text, where="text", limit=2000)
    if cost_cents is not None and not 0 <= cost_cents <= MOST_COST_CENTS:
        raise BadAlert("ce coût n’en est pas un", where="cost", remedy="donnez un montant en euros")
    if district and district not in [one.slug for one in territories.zones(territory, "quartier")]:
        raise BadAlert("quartier inconnu", where="district", remedy="choisissez-le dans la liste")
    code = slugify(title)[:60]
    if not code:
        raise BadAlert("ce titre n’a pas de lettres", where="title", remedy="écrivez-le en mots")
    try:
        with transaction.atomic():
            row = Project.objects.create(
                territory=territory, code=code, title=title, text=text, cost_cents=cost_cents, district=district,
                made_at=at,
            )  # fmt: skip
    except IntegrityError as error:
        raise BadAlert("un projet a déjà ce titre", where="title", remedy="choisissez-en un autre") from error
    _tell(events.PROJECT_OPENED, row, person, at)
    return code


@transaction.atomic
def close_project(viewer: Viewer, territory: str, code: str, *, at: datetime) -> None:
    """Offer a project no more to those who would follow it; its page stays.

    Raises:
        Refused: not an agent of the town. ProjectNotFound: none has that code.
    """
    person = require_writer(viewer, territory)
    row = Project.objects.filter(territory=territory, code=project(territory, code).code, closed_at=None).first()
    if row is not None:
        row.closed_at = at
        row.save(update_fields=["closed_at"])
        _tell(events.PROJECT_CLOSED, row, person, at)


def _info(row: Project) -> ProjectInfo:
    return ProjectInfo(
        int(row.pk), row.territory, row.code, row.title, row.text, row.cost_cents, row.district, row.made_at,
        row.closed_at,
    )  # fmt: skip


def _tell(kind: str, row: Project, person: int, at: datetime) -> None:
    record(
        kind=kind, subject=f"alert_project:{row.pk}", payload={"code": row.code}, actor=person,
        territory=row.territory, at=at,
    )  # fmt: skip
