"""The `reports` engine: its table is `categories.ReportsSettings`, its examples are lived from intake to closing.

[[example]]
when = { by = "citoyen", category = "depot-sauvage", text = "Un matelas.", photo = true, does = ["accept", "close"] }
then = { status = "closed", service = "proprete", public = true, history = ["opened", "accepted", "closed"] }

`does` lists the acts of `scenes.ACTS`; what may be compared is told by `scenes.outcome_of`. A use case of the tool
``visits`` gives ``contract`` instead of a category (see `scenes_visits`), one of the tool ``counter`` a ``mandate``
(see `scenes_counter`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from beffroi.base.catalogue import operations, queries
from beffroi.base.catalogue.definition import OPEN_STATES, Example, State, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.serve.reports.categories import ENGINE, ReportsSettings, forget_categories
from beffroi.serve.reports.scenes import START, TOWN, live_scene
from beffroi.serve.reports.scenes_counter import live_help
from beffroi.serve.reports.scenes_visits import live_month


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=ReportsSettings, url_name="portal:report-for", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Live what an example says and return what came of it; nothing remains in the registry.

    Raises:
        BadExample: a category or an act it names does not exist.
    """
    forget_categories()
    with transaction.atomic():
        if queries.state_of(use_case.id, TOWN) not in OPEN_STATES:
            operations.set_state(use_case.id, State.PILOT, territory=TOWN, by=None, at=START, reason="Exemple")
        outcome = _lived(use_case, example)
        transaction.set_rollback(True)
    # The decision that opened the use case is undone: what was read under its number is no longer true.
    forget_categories()
    return outcome


def _lived(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    if "contract" in example.when:
        return live_month(example)
    return live_help(use_case.id, example) if "mandate" in example.when else live_scene(use_case, example)
