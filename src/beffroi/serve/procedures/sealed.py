"""Answers kept sealed, where a procedure says so: an absence, a frailty. They are opened for who may read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from beffroi.base.privacy.sealing import seal, unseal
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.models import Draft, Request


def written(procedure: Procedure, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that keep the answers of a request."""
    if procedure.sealed:
        return {"answers": {}, "sealed": sealed_json(answers)}
    return {"answers": dict(answers), "sealed": ""}


def answers_of(row: Request) -> dict[str, Any]:
    """Return the answers of a request.

    Raises:
        KeyLost: they are sealed by a key that is not on this server.
    """
    return opened_json(row.sealed) if row.sealed else dict(row.answers)


def typed_of(row: Draft) -> dict[str, Any]:
    """Return what was typed in a form under way.

    Raises:
        KeyLost: as `answers_of`.
    """
    return opened_json(row.sealed) if row.sealed else dict(row.typed)


def sealed_json(values: Mapping[str, Any]) -> str:
    """Return values sealed, as a text."""
    return seal(json.dumps(values, ensure_ascii=False, sort_keys=True))


def opened_json(sealed: str) -> dict[str, Any]:
    """Return the values that were sealed.

    Raises:
        KeyLost: as `answers_of`.
    """
    return dict(json.loads(unseal(sealed)))
