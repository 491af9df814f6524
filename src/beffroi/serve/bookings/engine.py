"""The `bookings` engine: its table is `things.BookingsSettings`, whose examples are lived from asking to the day;
`hours.rules.SlotSettings` when it has places booked by the hour (`hours.scenes`), or `balance.BalanceSettings`, two
counts side by side.

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
from beffroi.serve.bookings.balance import BalanceSettings, balanced_example
from beffroi.serve.bookings.definition import ENGINE
from beffroi.serve.bookings.hours.rules import SlotSettings
from beffroi.serve.bookings.hours.scenes import live_slot_scene
from beffroi.serve.bookings.scenes import live_scene
from beffroi.serve.bookings.things import BookingsSettings


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=read_settings, url_name=_page_of, example_runner=run_example)


def read_settings(table: Mapping[str, Any]) -> BookingsSettings | SlotSettings | BalanceSettings:
    """Return what a table declares: a thing by the day, or by the hour of a place, or what is set beside it."""
    if set(table) == {"balance"}:
        return BalanceSettings.model_validate(table["balance"])
    if "place" in table:
        return SlotSettings.model_validate(table)
    return BookingsSettings.model_validate(table)


def _page_of(use_case: UseCase) -> str:
    pages: dict[type, str] = {BalanceSettings: "portal:bookings-balance", SlotSettings: "portal:slots"}
    return pages.get(type(use_case.settings[ENGINE]), "portal:bookable")


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Live what an example says and return what came of it; nothing remains in the registry.

    Raises:
        BadExample: an act it names does not exist.
    """
    settings = use_case.settings[ENGINE]
    if isinstance(settings, BalanceSettings):
        return balanced_example(settings, example.when)
    live = live_slot_scene if isinstance(settings, SlotSettings) else live_scene
    with transaction.atomic():
        outcome = live(use_case, example)
        transaction.set_rollback(True)
    return outcome
