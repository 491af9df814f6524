"""The `bookings` engine: its table is `things.BookingsSettings`, its examples are lived from the asking to the day.

[[example]]
when = { by = "citoyen", items = { matelas = 1 }, does = ["again", "remind", "done"] }
then = { status = "closed", outcome = "done", sent_once = true, history = ["opened", "message", "closed"] }

`does` lists the acts of `scenes.ACTS`; what may be compared is told by `scenes.outcome_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.serve.bookings.definition import ENGINE
from beffroi.serve.bookings.scenes import live_scene
from beffroi.serve.bookings.things import BookingsSettings


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=BookingsSettings, url_name="portal:bookable", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Live what an example says and return what came of it; nothing remains in the registry.

    Raises:
        BadExample: an act it names does not exist.
    """
    with transaction.atomic():
        outcome = live_scene(use_case, example)
        transaction.set_rollback(True)
    return outcome
