"""What spares an agent's time: words ready to send, and filters kept under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import BadCase, Outcome
from beffroi.serve.cases.words import clean_text
from beffroi.serve.reports import events
from beffroi.serve.reports.filters import ReportFilter
from beffroi.serve.reports.models import ResponseTemplate, SavedFilter
from beffroi.serve.reports.queries import ReportInfo

MOST_FILTERS = 50


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """Words ready to send; ``{numero}``, ``{categorie}`` and ``{adresse}`` stand for those of the report."""

    id: int
    service: str
    category: str
    title: str
    text: str
    outcome: str

    def filled(self, info: ReportInfo) -> str:
        """Return the words about one report."""
        words = {"{numero}": info.number, "{categorie}": info.label, "{adresse}": info.address or "lieu indiqué"}
        text = self.text
        for mark, value in words.items():
            text = text.replace(mark, value)
        return text


def _require_service(by: Viewer | None, territory: str, service: str) -> None:
    if by is None:
        return
    mine = case_queries.services_of(by, territory)
    if not mine or (service and service not in mine):
        raise Refused(
            "ces réponses types sont celles d’un service dont vous n’êtes pas",
            where=territory,
            remedy="choisissez un de vos services",
        )


@transaction.atomic
def save_template(
    *,
    territory: str,
    title: str,
    text: str,
    by: Viewer | None,
    at: datetime,
    service: str = "",
    category: str = "",
    outcome: str = "",
) -> int:
    """Keep words ready to send, under a title; the same title in the same service replaces them.

    Raises:
        Refused: `by` does not work in that service.
        BadCase: a text cannot be kept, or the outcome is unknown.
    """
    _require_service(by, territory, service)
    if outcome and outcome not in list(Outcome):
        raise BadCase(
            "issue « {outcome} » inconnue", where="outcome", remedy="choisissez dans la liste", outcome=outcome
        )
    row, _ = ResponseTemplate.objects.update_or_create(
        territory=territory,
        service=service,
        title=clean_text(title, where="title", required=True, limit=120),
        defaults={
            "text": clean_text(text, where="text", required=True),
            "category": clean_text(category, where="category", limit=60),
            "outcome": outcome,
        },
    )
    record(
        kind=events.TEMPLATE_SAVED,
        subject=f"response-template:{row.pk}",
        payload={"title": row.title, "service": service},
        actor=by.person_id if by else None,
        territory=territory,
        at=at,
    )
    return int(row.pk)


@transaction.atomic
def delete_template(*, template_id: int, territory: str, by: Viewer, at: datetime) -> None:
    """Forget words ready to send; nothing happens when they are gone.

    Raises:
        Refused: `by` does not work in their service.
    """
    row = ResponseTemplate.objects.filter(pk=template_id, territory=territory).first()
    if row is None:
        return
    _require_service(by, territory, row.service)
    record(
        kind=events.TEMPLATE_DELETED,
        subject=f"response-template:{row.pk}",
        payload={"title": row.title, "service": row.service},
        actor=by.person_id,
        territory=territory,
        at=at,
    )
    row.delete()


def templates(viewer: Viewer, territory: str, *, category: str = "") -> list[TemplateInfo]:
    """Return the words ready to send of the viewer's services and of all, by title; nothing to anyone else."""
    mine = case_queries.services_of(viewer, territory)
    if not mine:
        return []
    rows = ResponseTemplate.objects.filter(Q(service="") | Q(service__in=mine), territory=territory)
    if category:
        rows = rows.filter(Q(category="") | Q(category=category))
    fields = ("pk", "service", "category", "title", "text", "outcome")
    return [TemplateInfo(*values) for values in rows.order_by("title", "pk").values_list(*fields)]


def save_filter(*, territory: str, name: str, wanted: ReportFilter, by: Viewer) -> None:
    """Keep a filter under a name; the same name replaces it.

    Raises:
        Refused: `by` works in no service of the town, or is a key.
        BadCase: the name cannot be kept, or fifty are kept already.
    """
    _require_service(by, territory, "")
    if by.person_id is None:
        raise Refused("les filtres sont ceux d’une personne", where=territory, remedy="connectez-vous")
    name = clean_text(name, where="name", required=True, limit=80)
    hers = SavedFilter.objects.filter(territory=territory, person=by.person_id)
    if hers.exclude(name=name).count() >= MOST_FILTERS:
        raise BadCase("{most} filtres sont déjà gardés", where="name", remedy="supprimez-en un", most=MOST_FILTERS)
    SavedFilter.objects.update_or_create(
        territory=territory, person_id=by.person_id, name=name, defaults={"criteria": wanted.as_json()}
    )


def delete_filter(*, territory: str, name: str, by: Viewer) -> None:
    """Forget one of the viewer's own filters."""
    SavedFilter.objects.filter(territory=territory, person=by.person_id or 0, name=name).delete()


def saved_filters(viewer: Viewer, territory: str) -> list[tuple[str, ReportFilter]]:
    """Return the viewer's own filters, by name."""
    rows = SavedFilter.objects.filter(territory=territory, person=viewer.person_id or 0).order_by("name")
    return [(row.name, ReportFilter.from_json(row.criteria)) for row in rows]
