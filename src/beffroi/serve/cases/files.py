"""The files of a request, opened by who may; asked through `queries`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Q

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import store
from beffroi.serve.cases.definition import Access, Audience, Sight, case_not_found
from beffroi.serve.cases.models import Attachment, Case, Party
from beffroi.serve.cases.numbers import number_of, party_of
from beffroi.serve.cases.rights import party_in, seen_case, sight_of


@dataclass(frozen=True, slots=True)
class AttachmentInfo:
    """A file of a request, without its bytes; `of` is the number of the request it hangs on."""

    id: int
    of: str
    purpose: str
    audience: Audience
    name: str
    media_type: str
    width_px: int
    height_px: int
    size_bytes: int
    at: datetime
    mine: bool
    from_service: bool


@dataclass(frozen=True, slots=True)
class FileContent:
    """Where the bytes of an attachment stand, for a face to send."""

    path: Path
    media_type: str
    name: str
    public: bool


def attachments(viewer: Viewer, number: str, *, token: str = "") -> list[AttachmentInfo]:
    """Return the files of a request that the viewer may open, oldest first.

    Raises:
        CaseNotFound: there is none, or the viewer may not know of it.
    """
    row, sight, party = seen_case(viewer, number, token=token)
    around = Q(case=row)
    if sight is Sight.WORKER:
        around |= Q(case__lead=row)
    if row.lead_id:
        around |= Q(case=row.lead_id)
    rows = Attachment.objects.select_related("case").filter(around).order_by("pk")
    return [_attachment_info(one, party) for one in rows if _may_open(one, sight, party)]


def attachment(viewer: Viewer, attachment_id: int, *, token: str = "", thumbnail: bool = False) -> FileContent:
    """Return where the bytes of a file stand, to a viewer who may open it.

    Raises:
        CaseNotFound: there is none, or she may not.
    """
    row = Attachment.objects.select_related("case").filter(pk=attachment_id).first()
    if row is None:
        raise case_not_found()
    party = _party_for(viewer, row.case, token)
    sight = sight_of(viewer, row.case, party=party)
    digest = row.thumbnail if thumbnail and row.thumbnail else row.digest
    path = store.path_of(digest)
    if sight is Sight.NOTHING or not _may_open(row, sight, party) or not path.is_file():
        raise case_not_found()
    media_type = "image/jpeg" if thumbnail and row.thumbnail else row.media_type
    return FileContent(path, media_type, row.name, public=_is_public(row))


def _party_for(viewer: Viewer, row: Case, token: str) -> Party | None:
    """Return the viewer's place in a case or in one that is followed with it: its files are shown to both."""
    if token:
        party = Party.objects.select_related("case").filter(pk=party_of(token)).first()
        return party if party is not None and row.pk in (party.case_id, party.case.lead_id) else None
    if viewer.person_id is None:
        return None
    hers = Party.objects.filter(Q(case=row) | Q(case__lead=row), person=viewer.person_id)
    return hers.order_by("pk").first() or party_in(viewer, row)


def _is_public(row: Attachment) -> bool:
    return row.audience == Audience.PUBLIC and row.case.published and row.case.access == Access.PUBLIC


def _may_open(row: Attachment, sight: Sight, party: Party | None) -> bool:
    if sight is Sight.WORKER or _is_public(row):
        return True
    if sight is Sight.AGENT:
        return row.audience == Audience.PUBLIC
    if party is None:
        return False
    return row.party_id == party.pk or (row.party_id is None and row.audience != Audience.INTERNAL)


def _attachment_info(row: Attachment, party: Party | None) -> AttachmentInfo:
    return AttachmentInfo(
        id=int(row.pk),
        of=number_of(row.case_id),
        purpose=row.purpose,
        audience=Audience(row.audience),
        name=row.name,
        media_type=row.media_type,
        width_px=row.width_px,
        height_px=row.height_px,
        size_bytes=row.size_bytes,
        at=row.at,
        mine=party is not None and row.party_id == party.pk,
        from_service=row.party_id is None,
    )


def public_photos(case_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Return the pictures of each request meant for everybody, oldest first; show them as its `published` says."""
    keys = list(case_ids)
    found: dict[int, tuple[int, ...]] = {}
    rows = Attachment.objects.filter(case__in=keys, audience=Audience.PUBLIC, media_type__startswith="image/")
    for of, key in rows.order_by("pk").values_list("case_id", "pk") if keys else ():
        found[of] = (*found.get(of, ()), key)
    return found
