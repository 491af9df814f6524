"""A connected source as the registry keeps it, read: its address, its secret, its dataset file, its folder."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from beffroi.base.privacy.sealing import unseal
from beffroi.lake.connected.addresses import Address, Credential, is_inner, way_out
from beffroi.lake.definitions import Definition, parsed_definition
from beffroi.lake.models import ConnectedSource
from beffroi.lake.services.way import Bounds, Way

DRAFT, ACTIVE, SUSPENDED, REMOVED = "draft", "active", "suspended", "removed"
IN_USE = (ACTIVE, SUSPENDED)


def address_of(row: ConnectedSource) -> Address:
    """Return where a source is."""
    said = row.payload["fetch"]
    return Address(said["url"], said.get("service", "file"), said.get("layer", ""))


def credential_of(row: ConnectedSource) -> Credential:
    """Return the secret of a source, opened.

    Raises:
        KeyLost: the keys of this server do not open it.
    """
    return Credential(row.credential, row.credential_name, unseal(row.sealed)) if row.credential else Credential()


def definition_of(row: ConnectedSource, payload: dict[str, Any] | None = None) -> Definition:
    """Return the dataset file of a source.

    Raises:
        BadDefinition: a value that does not suit its key.
    """
    return parsed_definition(payload or row.payload, where=f"source/{row.slug or row.pk}", slug=row.slug or "essai")


def access_of(row: ConnectedSource) -> str:
    """Return who may read the dataset of a source."""
    return str(row.payload.get("access", "agents"))


def folder_of(row: ConnectedSource, part: str) -> Path:
    """Return where a source is brought (`source`), or tried (`trial`, `aside`)."""
    return Path(settings.UPLOAD_DIR) / "sources" / row.token / part


def way_of(row: ConnectedSource, part: str, bounds: Bounds, *, wait: Any = time.sleep) -> tuple[Way, Address]:
    """Return the way to a source, and its address with the codes of its commune.

    Raises:
        KeyLost: as `credential_of`.
    """
    kept = address_of(row)
    code = row.territory
    department = code[:3] if code.startswith(("97", "98")) else code[:2]
    url = kept.url.replace("{commune}", code).replace("{department}", department)
    address = Address(url, kept.kind, kept.layer)
    mirror = None if is_inner(url) else settings.MIRROR_DIR
    way = Way(folder_of(row, part), way_out(address, credential_of(row)), wait, bounds, mirror)
    return way, address


def moment(value: datetime | None) -> str:
    """Return a moment as JSON keeps it."""
    return value.isoformat() if value else ""
