"""A form under way, kept by the town so that nothing typed is lost: two days, or thirty on an account."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Audience, BadCase
from beffroi.serve.cases.operations import PreparedFile
from beffroi.serve.procedures.definition import DraftGone, DraftInfo, TooManyDrafts
from beffroi.serve.procedures.models import Draft
from beffroi.serve.procedures.opened import procedure_for
from beffroi.serve.procedures.sealed import sealed_json, typed_of

LIFE, LIFE_ON_ACCOUNT = timedelta(hours=48), timedelta(days=30)
# Begun in an hour from one network address, by people without account.
MOST_BEGUN = 30
MOST_LETTERS = 20_000
MOST_FILES = 12


def begin_draft(
    *, territory: str, use_case: str, viewer: Viewer, at: datetime, address: str = "", for_other: bool = False
) -> DraftInfo:
    """Begin a form and return its draft, whose key alone opens it again; on an account, only its owner opens it.

    Args:
        address: the network address it comes from; kept sealed, and only for who has no account.

    Raises:
        UnknownProcedure: it is not open in the town.
        TooManyDrafts: too many were begun from there within the hour.
    """
    procedure_for(territory, use_case)
    network = "" if viewer.person_id or not address else _sealed(address, at)
    if network and Draft.objects.filter(network=network, begun_at__gt=at - timedelta(hours=1)).count() >= MOST_BEGUN:
        raise TooManyDrafts(
            "trop de formulaires sont commencés depuis votre connexion",
            remedy="réessayez dans une heure, connectez-vous à un compte, ou venez à la mairie",
        )
    row = Draft.objects.create(
        key=secrets.token_hex(16), territory=territory, use_case=use_case, person_id=viewer.person_id,
        for_other=for_other and viewer.person_id is not None, network=network, begun_at=at, changed_at=at,
        expires_at=at + (LIFE_ON_ACCOUNT if viewer.person_id else LIFE),
    )  # fmt: skip
    return _info(row)


def _sealed(address: str, at: datetime) -> str:
    """Return the trace of an address for one day: another day, it is another trace."""
    return salted_hmac("beffroi.procedures.network", f"{at:%Y-%m-%d} {address}", algorithm="sha256").hexdigest()[:32]


def draft(key: str, *, territory: str, viewer: Viewer, at: datetime) -> DraftInfo:
    """Return a draft to the one who began it.

    Raises:
        DraftGone: there is none, its time has passed, or it is another's.
    """
    return _info(_found(key, territory=territory, viewer=viewer, at=at))


def _found(key: str, *, territory: str, viewer: Viewer, at: datetime, lock: bool = False) -> Draft:
    rows = Draft.objects.select_for_update() if lock else Draft.objects
    row = rows.filter(key=key[:32], territory=territory, expires_at__gt=at).first()
    if row is None or row.person_id not in (None, viewer.person_id):
        raise DraftGone(
            "ce brouillon n’existe plus ou ne vous est pas accessible",
            remedy="s’il a été envoyé, suivez-le par le lien du reçu ; sinon, recommencez la démarche",
        )
    return row


@transaction.atomic
def keep_step(
    key: str,
    *,
    territory: str,
    step: str,
    typed: Mapping[str, Sequence[str]],
    viewer: Viewer,
    at: datetime,
    files: Sequence[PreparedFile] = (),
    without: Iterable[str] = (),
) -> DraftInfo:
    """Keep what was typed in a step, right or wrong, with the files that came; `without` names digests to let go.

    Raises:
        DraftGone: as `draft`.
        BadCase: it is too much to keep.
    """
    row = _found(key, territory=territory, viewer=viewer, at=at, lock=True)
    dropped = set(without)
    kept = [one for one in row.files if one["digest"] not in dropped]
    known = {(one["purpose"], one["digest"]) for one in kept}
    kept += [asdict(one) for one in files if (one.purpose, one.digest) not in known]
    lists = {name[:80]: list(values) for name, values in typed.items()}
    if len(kept) > MOST_FILES or sum(len(value) for values in lists.values() for value in values) > MOST_LETTERS:
        raise BadCase(
            "c’est plus que ce que la démarche peut garder", where=step[:40],
            remedy="abrégez vos réponses, ou joignez moins de fichiers",
        )  # fmt: skip
    typed_so_far = {**typed_of(row), step: lists}
    if procedure_for(territory, row.use_case).procedure.sealed:
        row.typed, row.sealed = {}, sealed_json(typed_so_far)
    else:
        row.typed = typed_so_far
    row.files, row.changed_at = kept, at
    row.expires_at = at + (LIFE_ON_ACCOUNT if row.person_id else LIFE)
    row.save(update_fields=["typed", "sealed", "files", "changed_at", "expires_at"])
    return _info(row)


def drop_draft(key: str, *, territory: str, viewer: Viewer, at: datetime) -> None:
    """Forget a form under way, at the wish of the one who began it.

    Raises:
        DraftGone: as `draft`.
    """
    _found(key, territory=territory, viewer=viewer, at=at).delete()


def own_drafts(viewer: Viewer, territory: str, *, at: datetime, use_case: str = "") -> list[DraftInfo]:
    """Return the forms under way of an account in a town, the last changed first."""
    if viewer.person_id is None:
        return []
    rows = Draft.objects.filter(person=viewer.person_id, territory=territory, expires_at__gt=at)
    rows = rows.filter(use_case=use_case) if use_case else rows
    return [_info(row) for row in rows.order_by("-changed_at", "-pk")[:20]]


def sent_files(held: DraftInfo) -> list[PreparedFile]:
    """Return the files of a draft, ready to be attached."""
    return [PreparedFile(**{**one, "audience": Audience(one["audience"])}) for one in held.files]


def file_digests() -> Iterable[str]:
    """Yield the digests that drafts name, for the night's sweep of the store."""
    for files in Draft.objects.exclude(files=[]).values_list("files", flat=True).iterator():
        for one in files:
            yield from filter(None, (one["digest"], one["thumbnail"]))


def _info(row: Draft) -> DraftInfo:
    return DraftInfo(
        row.key, row.territory, row.use_case, row.person_id, typed_of(row), tuple(row.files), row.for_other,
        row.changed_at, row.expires_at,
    )  # fmt: skip
