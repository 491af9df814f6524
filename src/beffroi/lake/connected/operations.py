"""What an agent does to the sources she connects: try, connect, change, suspend, remove, and take each of it back."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from beffroi.base.journal import operations as journal
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.outside import origin
from beffroi.base.privacy.sealing import seal
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import AGENTS, PUBLIC, Viewer
from beffroi.lake import asking, events
from beffroi.lake.connected.addresses import Address, BadSource, Credential, checked_address, checked_credential
from beffroi.lake.connected.queries import UNDOABLE, owned
from beffroi.lake.connected.rows import ACTIVE, DRAFT, IN_USE, REMOVED, SUSPENDED, definition_of, folder_of
from beffroi.lake.connected.running import MARGIN, try_source
from beffroi.lake.models import ConnectedSource
from beffroi.lake.operations import require_agent, slug_of
from beffroi.lake.seeing import lake_in_use, seen_by
from beffroi.lake.services.portals import name_of
from beffroi.lake.store import DatasetRef

DROPPED = "drop"
KEPT_DRAFT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Description:
    """What an agent says of the data of a source. `columns`: who may read each, by key, or `DROPPED`."""

    title: str
    theme: str = ""
    licence: str = ""
    rhythm: str = ""
    owner: str = ""
    access: str = AGENTS
    columns: Mapping[str, str] = field(default_factory=dict)


def begin_source(viewer: Viewer, territory: str, address: Address, credential: Credential, *, at: datetime) -> int:
    """Keep the draft of a source, try it, and return its id; nothing is published.

    Raises:
        Refused: the viewer is neither agent nor administrator of the territory, or it is a sandbox.
        BadSource: an address or a secret that cannot be kept.
    """
    require_agent(viewer, territory)
    if is_sandbox(territory):
        raise Refused("rien ne sort du bac à sable", remedy="quittez-le pour brancher une source")
    address = checked_address(address.url, address.kind, address.layer)
    given = checked_credential(credential)
    row = ConnectedSource.objects.create(
        territory=territory, state=DRAFT, payload={"access": AGENTS, "fetch": _fetch(address, "essai")},
        token=uuid.uuid4().hex, person_id=viewer.person_id, created_at=at, changed_at=at,
        credential=given.kind, credential_name=given.name, sealed=seal(given.secret),
    )  # fmt: skip
    try_source(row, at=at)
    return int(row.pk)


def change_address(
    viewer: Viewer, source_id: int, address: Address, credential: Credential | None, *, at: datetime
) -> None:
    """Read a source elsewhere, or with another secret (None: the one kept, for the same host), and try it.

    Raises:
        NotFound: absent, or not for this viewer.
        BadSource: an address or a secret that cannot be kept, or that would be told to another host.
    """
    row = owned(viewer, source_id, at=at)
    address = checked_address(address.url, address.kind, address.layer)
    if credential is None and row.credential and origin(address.url) != origin(row.payload["fetch"]["url"]):
        raise BadSource(
            "la clé gardée fut donnée pour un autre site", where="secret", remedy="donnez celle de cette adresse"
        )
    given = None if credential is None else checked_credential(credential)
    payload = row.payload | {"fetch": _fetch(address, row.slug or "essai")}
    if payload != row.payload and row.state != DRAFT:
        row.before = row.payload
    row.payload, row.changed_at = payload, at
    if given is not None:
        row.credential, row.credential_name, row.sealed = given.kind, given.name, seal(given.secret)
        # The one before went with its secret.
        row.before = None
    with transaction.atomic():
        row.save()
        if row.state != DRAFT:
            _tell(row, events.SOURCE_CHANGED, viewer, at)
    try_source(row, at=at)


def try_again(viewer: Viewer, source_id: int, *, at: datetime) -> None:
    """Try a source as it is kept.

    Raises:
        NotFound: absent, or not for this viewer.
    """
    try_source(owned(viewer, source_id, at=at), at=at)


def describe_source(viewer: Viewer, source_id: int, said: Description, *, at: datetime) -> None:
    """Say what the data of a source are; a draft is connected by it, and asked at once.

    Raises:
        NotFound: absent, or not for this viewer. Refused: rights the viewer may not give, a name that is taken.
        BadSource: a draft whose trial found nothing. BadDefinition: a value that does not suit.
    """
    row = owned(viewer, source_id, at=at)
    _check_rights(viewer, row.territory, said)
    if row.state == DRAFT:
        _check_tried(row)
        row.slug = slug_of(said.title)[:100]
        _check_free(viewer, row, at)
    payload = _payload(row, said, viewer)
    definition_of(row, payload)
    is_new = row.state == DRAFT
    row.before = None if is_new else row.payload
    row.payload, row.changed_at = payload, at
    if is_new:
        row.state, row.next_at, row.person_id = ACTIVE, at, viewer.person_id
    try:
        with transaction.atomic():
            row.save()
            _tell(row, events.SOURCE_CONNECTED if is_new else events.SOURCE_CHANGED, viewer, at)
    except IntegrityError:
        raise _taken(row.slug) from None
    shutil.rmtree(folder_of(row, "aside"), ignore_errors=True)
    if row.state == ACTIVE:
        _ask(row)


def undo_change(viewer: Viewer, source_id: int, *, at: datetime) -> None:
    """Give a source what it said before its last change.

    Raises:
        NotFound: absent, or not for this viewer. Refused: nothing to take back.
    """
    row = owned(viewer, source_id, at=at)
    if row.before is None:
        raise Refused("aucun changement à annuler", remedy="rouvrez la source")
    row.payload, row.before, row.changed_at = row.before, None, at
    with transaction.atomic():
        row.save()
        _tell(row, events.SOURCE_CHANGED, viewer, at)


def suspend_source(viewer: Viewer, source_id: int, *, at: datetime) -> None:
    """Ask a source no more until someone resumes it; what is in service stays."""
    _move(viewer, source_id, (ACTIVE,), SUSPENDED, events.SOURCE_SUSPENDED, at)


def resume_source(viewer: Viewer, source_id: int, *, at: datetime) -> None:
    """Ask a suspended or removed source again, from tonight."""
    _move(viewer, source_id, (SUSPENDED, REMOVED), ACTIVE, events.SOURCE_RESUMED, at)


def remove_source(viewer: Viewer, source_id: int, *, at: datetime) -> None:
    """Take a source away; its dataset stays in service. For thirty days it may be resumed as it was."""
    row = owned(viewer, source_id, at=at)
    if row.state == DRAFT:
        _forget(row)
        return
    _move(viewer, source_id, IN_USE, REMOVED, events.SOURCE_REMOVED, at)


def ask_now(viewer: Viewer, source_id: int, *, at: datetime) -> None:
    """Have a worker ask a source now.

    Raises:
        NotFound: absent, or not for this viewer. Refused: it is not in use.
    """
    row = owned(viewer, source_id, at=at)
    if row.state != ACTIVE:
        raise Refused("cette source est suspendue", remedy="reprenez-la d’abord")
    _ask(row)


def due_connected(*, at: datetime) -> list[int]:
    """Return the ids of the sources whose turn has come."""
    rows = ConnectedSource.objects.filter(state=ACTIVE, next_at__lte=at + MARGIN).order_by("next_at", "pk")
    return list(rows.values_list("pk", flat=True))


def expire_connected(at: datetime) -> int:
    """Let go of forgotten drafts and of what was removed long ago, secrets and history with them; return how many."""
    drafts = ConnectedSource.objects.filter(state=DRAFT, changed_at__lt=at - KEPT_DRAFT)
    removed = ConnectedSource.objects.filter(state=REMOVED, changed_at__lt=at - UNDOABLE)
    gone = [*drafts, *removed]
    for row in gone:
        _forget(row)
    return len(gone)


def _move(viewer: Viewer, source_id: int, before: tuple[str, ...], state: str, kind: str, at: datetime) -> None:
    row = owned(viewer, source_id, at=at)
    if row.state not in before:
        raise Refused("cette source a changé d’état entre-temps", remedy="rouvrez-la")
    row.state, row.changed_at = state, at
    row.next_at = at if state == ACTIVE else row.next_at
    try:
        with transaction.atomic():
            row.save(update_fields=["state", "changed_at", "next_at"])
            _tell(row, kind, viewer, at)
    except IntegrityError:
        raise _taken(row.slug) from None


def _ask(row: ConnectedSource) -> None:
    from beffroi.lake import tasks

    tasks.refresh_connected.enqueue(row.pk)


def _forget(row: ConnectedSource) -> None:
    row.delete()
    shutil.rmtree(Path(settings.UPLOAD_DIR) / "sources" / row.token, ignore_errors=True)


def _fetch(address: Address, slug: str) -> dict[str, Any]:
    name = name_of(address.url) if address.kind == "file" else f"{slug}.geojson"
    said = {"url": address.url, "name": name, "service": address.kind, "layer": address.layer}
    return {key: value for key, value in said.items() if value}


def _payload(row: ConnectedSource, said: Description, viewer: Viewer) -> dict[str, Any]:
    """Return the dataset file that a source now stands for; what another hand wrote in it stays."""
    fetch = row.payload["fetch"]
    if fetch.get("service") != "file":
        fetch = fetch | {"name": f"{row.slug}.geojson"}
    columns = {key: dict(value) for key, value in row.payload.get("columns", {}).items()}
    read = viewer.clearances(row.territory)
    for key, reader in said.columns.items():
        if columns.get(key, {}).get("access", PUBLIC) not in read:
            # What she may not read, she opens to nobody.
            continue
        kept = {name: value for name, value in columns.get(key, {}).items() if name not in ("access", "drop")}
        columns[key] = kept | ({"drop": True} if reader == DROPPED else {"access": reader} if reader else {})
    told = {
        "slug": row.slug, "theme": said.theme, "title": said.title.strip()[:200], "licence": said.licence.strip(),
        "rhythm": said.rhythm, "owner": said.owner, "access": said.access, "territories": [row.territory],
    }  # fmt: skip
    others = {key: value for key, value in row.payload.items() if key not in (*told, "columns", "fetch")}
    payload = {key: value for key, value in told.items() if value} | others
    columns = {key: value for key, value in columns.items() if value}
    return payload | ({"columns": columns} if columns else {}) | {"fetch": fetch}


def _check_rights(viewer: Viewer, territory: str, said: Description) -> None:
    allowed = viewer.clearances(territory) | {PUBLIC, AGENTS}
    given = {said.access, *said.columns.values()} - {"", DROPPED}
    if not given <= allowed:
        raise Refused(
            "vous ne pouvez pas réserver des données à « {access} »",
            remedy="choisissez public, agents ou l'un de vos services",
            access=", ".join(sorted(given - allowed)),
        )


def _check_tried(row: ConnectedSource) -> None:
    if not row.trial or row.trial.get("fault") or not row.trial.get("columns"):
        raise BadSource("l’essai de cette source n’a rien donné", remedy="corrigez l’adresse, puis essayez de nouveau")


def _check_free(viewer: Viewer, row: ConnectedSource, at: datetime) -> None:
    """Refuse a name that another source feeds, or that is that of data the viewer may not see."""
    ref = DatasetRef(row.territory, row.slug)
    others = ConnectedSource.objects.filter(territory=row.territory, slug=row.slug, state__in=IN_USE)
    national = {one.slug for one in asking.asked_sources(row.territory, at=at)}
    lake = lake_in_use()
    exists = (lake.folder(ref) / "current").is_file()
    if others.exists() or row.slug in national or (exists and seen_by(lake, viewer, ref) is None):
        raise _taken(row.slug)


def _taken(slug: str) -> BadSource:
    return BadSource("le nom « {slug} » est déjà pris", where="title", remedy="choisissez un autre titre", slug=slug)


def _tell(row: ConnectedSource, kind: str, viewer: Viewer, at: datetime) -> None:
    payload = {"source": row.pk, "host": urlsplit(row.payload["fetch"]["url"]).hostname or ""}
    journal.record(
        kind=kind, subject=f"dataset:{row.territory}/{row.slug}", payload=payload, actor=viewer.person_id,
        territory=row.territory, at=at,
    )  # fmt: skip
