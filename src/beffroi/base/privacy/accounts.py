"""The account itself: erased as a whole, when its owner asks or when nobody has used it for years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.apps import apps
from django.conf import settings

from beffroi.base.privacy.operations import erase_person, people_in_office
from beffroi.base.privacy.registry import Declaration, declaration_of
from beffroi.base.privacy.rows import end_rows, expired_rows
from beffroi.base.territory import operations as territory

BATCH = 50


def erase(person_id: int, *, erased_number: int, at: datetime) -> int:
    """Anonymise the account, after ending its sessions."""
    territory.close_sessions(person_id=person_id)
    declaration = _account()
    end_rows(declaration, [person_id], declaration.purpose.on_erasure)
    return 1


def expire(before: datetime, *, at: datetime, dry_run: bool = False) -> Iterator[int]:
    """Erase, with all they hold, the accounts nobody has used since `before` and that hold no function in a town."""
    idle = expired_rows(_account(), at).exclude(pk__in=people_in_office(at=at))
    if dry_run:
        yield idle.count()
        return
    while keys := list(idle.values_list("pk", flat=True)[:BATCH]):
        for person_id in keys:
            erase_person(person_id, by=None, at=at)
        yield len(keys)


def _account() -> Declaration:
    found = declaration_of(apps.get_model(settings.AUTH_USER_MODEL))
    if found is None:
        raise LookupError(f"{settings.AUTH_USER_MODEL} declares no processing")
    return found
