"""The `procedures` engine: its table is `declaration.Procedure`, its examples are lived from the form to the decision.

[[example]]
when = { answers = { demande = "premier", personnes = 4 }, does = ["accept", "schedule", "note", "decide:livre"],
         findings = { puce = "B-1" } }
then = { status = "closed", proposal = "240 litres", due_on = 2026-03-23, silence = "rejet" }

`does` lists the acts of `scenes.ACTS`, with an argument after a colon; `scenes.outcome_of` tells what may be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.serve.procedures.declaration import ENGINE, settings_of
from beffroi.serve.procedures.scenes import live_scene


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=settings_of, url_name="portal:procedure", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Live what an example says and return what came of it; nothing remains in the registry.

    Raises:
        BadExample: an act it names does not exist.
    """
    with transaction.atomic():
        outcome = live_scene(use_case, example)
        transaction.set_rollback(True)
    return outcome
