"""Publish an order, or the figures by block; undo it. An act has its author, its reason, its day; it is journalled."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import PARIS
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake.layer_settings import Unfit
from beffroi.sense.twin.events import UNFIT_PUBLISHED, UNFIT_WITHDRAWN
from beffroi.sense.twin.models import UnfitPublication
from beffroi.sense.twin.unfit.queries import (
    BLOCKS,
    COUNTS,
    ORDER,
    orders,
    public_address,
    require_entitled,
    town_unfit,
)

LEAST_REASON = 10
WHY_NOT = {
    "published": gettext_noop("cet arrêté est déjà publié"),
    "lifted": gettext_noop("cet arrêté est levé : il n’a plus à être publié (CCH, art. L511-14)"),
    "notice": gettext_noop("cet arrêté n’a pas été notifié : la personne visée doit l’apprendre avant les autres (CCH, "
                           "art. L511-12)"),
}  # fmt: skip


class BadPublication(BeffroiError):
    """It may not be published, or not without a reason."""


class PublicationNotFound(NotFound):
    """No such publication here, or it is undone already."""


def publish_order(viewer: Viewer, territory: str, wanted: Unfit, number: str, *, reason: str, at: datetime) -> int:
    """Publish an order: its police, its days, the address of the building; neither dwelling nor name.

    Raises:
        UnfitRefused: the viewer does not belong to the housing service.
        BadPublication: no such order, no reason, not notified yet, lifted, published already.
    """
    known = next((one for one in orders(viewer, territory, wanted) if one.number == number), None)
    if known is None:
        raise BadPublication(gettext_noop("aucun arrêté de ce numéro"), where="numero",
                             remedy=gettext_noop("choisissez-le dans la liste"))  # fmt: skip
    why = known.refusal(at.astimezone(PARIS).date())
    if why:
        raise BadPublication(WHY_NOT[why], where="numero")
    told = {
        "police": known.police,
        "urgent": known.urgent,
        "signed_on": known.signed_on.isoformat() if known.signed_on else "",
        "notified_on": known.notified_on.isoformat() if known.notified_on else "",
        "address": public_address(known.address),
    }
    return _publish(viewer, territory, ORDER, number, told, reason, at)


def publish_blocks(viewer: Viewer, territory: str, wanted: Unfit, *, reason: str, at: datetime) -> int:
    """Publish the figures by block as officials read them, small numbers kept quiet; the figures before leave.

    Residents' reports are not among them: who reports is promised that it is never published.

    Raises:
        UnfitRefused: the viewer does not belong to the housing service.
        BadPublication: no reason, or nothing to publish.
    """
    require_entitled(viewer, territory, wanted)
    # With the eyes of an official: what she may not read is not published either.
    town = town_unfit(Viewer(None, (Grant(territory, Role.ELECTED),)), territory, wanted)
    if town is None or not town.blocks:
        raise BadPublication(gettext_noop("il n’y a rien à publier"), where="ilots")
    rows = [
        {"number": one.block.number, "streets": list(one.block.streets), "known": one.known, "labels": one.labels}
        | {name: getattr(one, name) for name in COUNTS if name != "reports"}
        for one in town.blocks
    ]
    _check(reason)
    with transaction.atomic():
        before = UnfitPublication.objects.filter(territory=territory, kind=BLOCKS, withdrawn_at=None)
        for row in before.select_for_update().order_by("pk"):
            _undo(viewer, row, "", at)
        return _publish(viewer, territory, BLOCKS, BLOCKS, {"least": wanted.least, "rows": rows}, reason, at)


@transaction.atomic
def withdraw(viewer: Viewer, territory: str, wanted: Unfit, number: int, *, reason: str, at: datetime) -> None:
    """Undo a publication: the act is kept, the public reads it no more.

    Raises:
        UnfitRefused: the viewer does not belong to the housing service.
        BadPublication: no reason.
        PublicationNotFound: unknown here, or undone already.
    """
    require_entitled(viewer, territory, wanted)
    _check(reason)
    live = UnfitPublication.objects.select_for_update().filter(territory=territory, pk=number, withdrawn_at=None)
    row = live.first()
    if row is None:
        raise PublicationNotFound(
            "publication introuvable", where=str(number), remedy="elle est peut-être déjà retirée"
        )
    _undo(viewer, row, reason.strip(), at)


def _check(reason: str) -> None:
    if len(reason.strip()) < LEAST_REASON:
        raise BadPublication(gettext_noop("écrivez pourquoi, en quelques mots"), where="reason",
                             remedy=gettext_noop("{least} caractères au moins"), least=LEAST_REASON)  # fmt: skip


def _publish(
    viewer: Viewer, territory: str, kind: str, subject: str, told: dict[str, object], reason: str, at: datetime
) -> int:
    _check(reason)
    try:
        with transaction.atomic():
            row = UnfitPublication.objects.create(
                territory=territory, kind=kind, subject=subject, values=told, reason=reason.strip(),
                author_id=viewer.person_id, published_at=at,
            )  # fmt: skip
            _record(UNFIT_PUBLISHED, viewer, row, at)
    except IntegrityError as error:
        raise BadPublication(WHY_NOT["published"], where="numero") from error
    return row.pk


def _undo(viewer: Viewer, row: UnfitPublication, reason: str, at: datetime) -> None:
    row.withdrawn_at, row.withdrawn_by_id, row.withdrawn_reason = at, viewer.person_id, reason
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    _record(UNFIT_WITHDRAWN, viewer, row, at)


def _record(kind: str, viewer: Viewer, row: UnfitPublication, at: datetime) -> None:
    record(
        kind=kind, subject=f"unfit:{row.territory}/{row.pk}", payload={"number": row.pk, "what": row.kind},
        actor=viewer.person_id, territory=row.territory, at=at,
    )  # fmt: skip
