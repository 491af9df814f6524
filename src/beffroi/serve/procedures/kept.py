"""Documents that a person lets the town keep, so as not to give them again for her next child; she takes them back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from beffroi.base.clock.deadlines import after_months
from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.numbers import row_key
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Audience
from beffroi.serve.cases.operations import PreparedFile
from beffroi.serve.procedures.declaration import Procedure, Question
from beffroi.serve.procedures.definition import DraftInfo
from beffroi.serve.procedures.models import KeptPiece

MOST_KEPT = 30


class PieceGone(NotFound):
    """A document is no longer kept, or is another's."""


@dataclass(frozen=True, slots=True)
class KeptInfo:
    """A document kept for its owner."""

    id: int
    code: str
    label: str
    name: str
    agreed_at: datetime
    expires_at: datetime


def kept_pieces(viewer: Viewer, territory: str, *, at: datetime, codes: Collection[str] = ()) -> list[KeptInfo]:
    """Return the documents a person lets the town keep, the last first; `codes` keeps those of some questions."""
    if viewer.person_id is None:
        return []
    rows = KeptPiece.objects.filter(person=viewer.person_id, territory=territory, expires_at__gt=at)
    rows = rows.filter(code__in=codes) if codes else rows
    return [
        KeptInfo(int(row.pk), row.code, row.label, str(row.file["name"]), row.agreed_at, row.expires_at)
        for row in rows.order_by("-agreed_at", "-pk")[:MOST_KEPT]
    ]


def reused_files(viewer: Viewer, territory: str, *, keys: Iterable[str], at: datetime) -> list[PreparedFile]:
    """Return documents kept for a person, ready for a new request; those that are gone or another's are left out."""
    numbers = [one for one in map(row_key, keys) if one][:MOST_KEPT]
    if viewer.person_id is None or not numbers:
        return []
    rows = KeptPiece.objects.filter(pk__in=numbers, person=viewer.person_id, territory=territory, expires_at__gt=at)
    return [PreparedFile(**{**row.file, "audience": Audience(row.file["audience"])}) for row in rows.order_by("pk")]


def reusable(procedure: Procedure, held: DraftInfo) -> list[tuple[Question, list[dict[str, Any]]]]:
    """Return the documents of a form that may be kept for the next one, each with the files received for it."""
    asked = [one for one in procedure.documents if one.reuse_months]
    return [(one, [dict(file) for file in held.files_of(one.code)]) for one in asked if held.files_of(one.code)]


@transaction.atomic
def keep_pieces(procedure: Procedure, held: DraftInfo, *, viewer: Viewer, at: datetime) -> int:
    """Keep the documents of a form for the next ones, at the wish of its owner; return how many are kept.

    One given again replaces the one before, and is kept from that day.
    """
    if viewer.person_id is None or held.for_other:
        return 0
    count = 0
    for question, files in reusable(procedure, held):
        until = datetime.combine(after_months(at.date(), question.reuse_months), at.timetz())
        mine = KeptPiece.objects.filter(person=viewer.person_id, territory=held.territory, code=question.code)
        given = {str(one["digest"]) for one in files}
        known = {str(row.file["digest"]) for row in mine}
        # Taken again from what is kept: the agreement, and its end, stay as they were told.
        if given <= known:
            continue
        mine.delete()
        for rank, file in enumerate(files, 1):
            label = question.label if len(files) == 1 else f"{question.label[:190]} ({rank})"
            KeptPiece.objects.create(
                person_id=viewer.person_id, territory=held.territory, code=question.code, label=label, file=file,
                agreed_at=at, expires_at=until,
            )  # fmt: skip
            count += 1
    return count


def forget_piece(key: int, *, viewer: Viewer, territory: str) -> None:
    """Keep a document no longer, at the wish of its owner.

    Raises:
        PieceGone: there is none of hers.
    """
    rows = KeptPiece.objects.filter(pk=key, person=viewer.person_id, territory=territory)
    if viewer.person_id is None or not rows.delete()[0]:
        raise PieceGone("cette pièce n’est plus gardée", remedy="rechargez la page")


def file_digests() -> Iterable[str]:
    """Yield the digests that kept documents name, for the night's sweep of the store."""
    for file in KeptPiece.objects.values_list("file", flat=True).iterator():
        yield from filter(None, (file["digest"], file["thumbnail"]))
