"""Who may read owners, the premises one searches, and the log of what was read: never an owner without an entry in it.

The dataset of owners is of a class that nobody holds (`viewer.TRACED`): no list, map, download or crossing gives it.
This room alone reads it, one lot at a time, once the reading is logged (`operations.consult`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import SERVICE_PREFIX, Role, Viewer
from beffroi.lake.layer_settings import Owners
from beffroi.sense.twin.models import OwnersReading, OwnersWork
from beffroi.sense.twin.premises.lots import Lot
from beffroi.sense.twin.premises.queries import all_lots

WORKING = ("commerce", "bureau", "activite")
"""The uses whose owners are kept: premises of work, never a dwelling."""
MOST_FOUND = 50
PAGE = 50


class OwnersRefused(Refused):
    """Owners are for those the town entitled by name."""


class LotNotFound(NotFound):
    """No such premises of work."""


@dataclass(frozen=True, slots=True)
class WorkInfo:
    """A session of work: why, since when, until when."""

    number: int
    reason: str
    opened_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ReadingInfo:
    """One reading: who read of which premises, when, and why."""

    person: int | None
    reason: str
    lot: str
    address: str
    at: datetime


def entitled(viewer: Viewer, territory: str, wanted: Owners) -> bool:
    """Tell whether a person was given the right: by name, as a member of the service that stands for it."""
    held = SERVICE_PREFIX + wanted.service in viewer.clearances(territory)
    return held and viewer.scopes is None and viewer.person_id is not None


def require_entitled(viewer: Viewer, territory: str, wanted: Owners) -> None:
    """Let those entitled through.

    Raises:
        OwnersRefused: anybody else, an administrator not entitled included.
    """
    if not entitled(viewer, territory, wanted):
        raise OwnersRefused("les propriétaires de locaux sont réservés aux personnes habilitées",
                            remedy="un administrateur habilite une personne, sous Personnes et droits")  # fmt: skip


def work_in_course(viewer: Viewer, territory: str, wanted: Owners, *, at: datetime) -> WorkInfo | None:
    """Return the session of work of a person, None when she has none open.

    Raises:
        OwnersRefused: she is not entitled.
    """
    require_entitled(viewer, territory, wanted)
    open_ones = OwnersWork.objects.filter(territory=territory, person_id=viewer.person_id or 0, ends_at__gt=at)
    row = open_ones.order_by("-opened_at").first()
    return WorkInfo(row.pk, row.reason, row.opened_at, row.ends_at) if row else None


def found_lots(viewer: Viewer, territory: str, wanted: Owners, *, text: str) -> list[Lot]:
    """Return premises of work whose address holds some words: neither an owner nor a tenant is among them.

    Raises:
        OwnersRefused: the viewer is not entitled.
    """
    require_entitled(viewer, territory, wanted)
    words = folded(text).split()
    if not words:
        return []
    found = [
        one for one in all_lots(territory, wanted.premises)
        if one.use in WORKING and all(word in folded(one.address).split() for word in words)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.address, one.id))[:MOST_FOUND]


def lot_named(territory: str, wanted: Owners, number: str) -> Lot:
    """Return premises of work by their identifier.

    Raises:
        LotNotFound: there is none; a dwelling is none.
    """
    for one in all_lots(territory, wanted.premises):
        if one.id == number and one.use in WORKING:
            return one
    raise LotNotFound("aucun local professionnel de ce numéro", where=number[:40], remedy="revenez à la recherche")


def readings(
    viewer: Viewer, territory: str, *, lot: str = "", start: int = 0
) -> tuple[list[ReadingInfo], int]:  # fmt: skip
    """Return the log of a town, the last first, and how many entries it has; of one lot when named.

    Raises:
        OwnersRefused: the viewer is not the administrator who answers for it.
    """
    if not viewer.has(Role.ADMINISTRATOR, territory) or viewer.scopes is not None:
        raise OwnersRefused("le registre des consultations est lu par l’administrateur de la commune")
    rows = OwnersReading.objects.filter(territory=territory)
    if lot:
        rows = rows.filter(lot=lot)
    page = rows.select_related("work").order_by("-at", "-pk")[start : start + PAGE]
    return [ReadingInfo(one.person_id, one.work.reason, one.lot, one.address, one.at) for one in page], rows.count()


def plain(row: Mapping[str, Any], key: str) -> str:
    """Return a value as text, empty where there is none."""
    value = row.get(key)
    return "" if value is None else str(value)
