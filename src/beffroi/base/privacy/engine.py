"""The `privacy` engine: what a person may ask of her data is a use case (G-07), and proves it by its examples.

[privacy]
shown_rows = 20                         # rows of each processing shown on « Mes données »; the archive holds all

[[example]]
when = { does = "export", remark = "Le bouton est trop petit." }
then = { found = ["catalogue.Remark", "territory.Person"], secrets = false }
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, State, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.clock.deadlines import after_months
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.personal import Fate

ENGINE = "privacy"
_TOWN = "00000"
_EMAIL = "exemple.de.personne@compte.invalid"
_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


class BadExample(BeffroiError):
    """An example asks for something this engine does not do."""


class PrivacySettings(BaseModel):
    """`shown_rows` is how many rows of each processing a person sees on her page; the archive holds them all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shown_rows: int = Field(default=20, ge=5, le=200)


def register() -> None:
    """Make the engine available; the portal gives it its page."""
    register_engine(ENGINE, schema=PrivacySettings, url_name="portal:my-data", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Open an account, leave a remark, then do what the example asks; nothing remains in the registry.

    `when` holds ``does`` (``export``, ``erase`` or ``retention``), ``remark`` and, for a retention, ``months``: how
    long after the account was opened the run takes place.

    Raises:
        BadExample: `does` is none of the three.
    """
    does = str(example.when.get("does"))
    act = _ACTS.get(does)
    if act is None:
        raise BadExample(
            "exemple {number} : does = « {does} » inconnu",
            where=use_case.source,
            remedy="écrivez export, erase ou retention",
            number=example.number,
            does=does,
        )
    with transaction.atomic():
        person_id = _person_with_a_remark(use_case, str(example.when.get("remark", "")))
        outcome = act(person_id, example)
        transaction.set_rollback(True)
    return outcome


def _person_with_a_remark(use_case: UseCase, remark: str) -> int:
    from beffroi.base.catalogue import operations as catalogue
    from beffroi.base.catalogue import queries
    from beffroi.base.territory import operations as territory

    person_id = territory.create_person(email=_EMAIL, name="Exemple", password="un-secret-a-taire", at=_START)  # noqa: S106
    # Accounts are dated by the clock of the machine; this one lives at the time of the example.
    apps.get_model(settings.AUTH_USER_MODEL)._default_manager.filter(pk=person_id).update(created_at=_START)
    if queries.state_of(use_case.id, _TOWN) is not State.PILOT:
        catalogue.set_state(use_case.id, State.PILOT, territory=_TOWN, by=None, at=_START, reason="Exemple")
    if remark:
        catalogue.add_remark(use_case.id, territory=_TOWN, text=remark, person=person_id, at=_START)
    return person_id


def _export(person_id: int, example: Example) -> dict[str, Any]:
    from beffroi.base.privacy import queries

    export = queries.personal_export(person_id, at=_START)
    text = export.as_json()
    data = json.loads(text)["data"]
    return {
        "found": sorted(data),
        "email": data["territory.Person"]["rows"][0]["email"] == _EMAIL,
        "remark": str(example.when.get("remark", "")) in text,
        "secrets": "argon2" in text or "password" in data["territory.Person"]["rows"][0],
    }


def _erase(person_id: int, _example: Example) -> dict[str, Any]:
    from beffroi.base.privacy import operations

    erased = operations.erase_person(person_id, person_id, at=_START)
    return {"erased": sorted(erased.rows), **_remains(person_id)}


def _retention(person_id: int, example: Example) -> dict[str, Any]:
    from beffroi.base.privacy import operations

    day = after_months(_START.date(), int(example.when.get("months", 0)))
    lines = operations.run_retention(_START.replace(year=day.year, month=day.month, day=day.day))
    return {"ended": sorted({line.label for line in lines if line.rows}), **_remains(person_id)}


def _remains(person_id: int) -> dict[str, Any]:
    """Return what the registry still says of the person of the example."""
    account = apps.get_model(settings.AUTH_USER_MODEL)._default_manager.filter(pk=person_id).first()
    remarks = apps.get_model("catalogue", "Remark")._default_manager.filter(territory=_TOWN)
    events = apps.get_model("journal", "Event")._default_manager
    known = account is not None and account.email == _EMAIL
    return {
        "account": "kept" if known else Fate.DELETE.value if account is None else Fate.ANONYMISE.value,
        "remarks": remarks.count(),
        "journal_names_her": events.filter(actor=person_id).exists(),
    }


_ACTS = {"export": _export, "erase": _erase, "retention": _retention}
