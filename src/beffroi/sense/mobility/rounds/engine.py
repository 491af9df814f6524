"""The engine rounds gives to the catalogue: vehicles sent over a small map of characters, by the real solver.

[[example]]
when = { map = "D--A--B", depot = "D", stops = [{ at = "A" }, { at = "B" }], vehicles = [{ name = "Benne" }] }
then = { Benne = "A B", left_out = [] }

See `rounds.drawn` for all one may draw, `rounds.kinds` for the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.sense.mobility.rounds.kinds import ENGINE, Settings


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(ENGINE, schema=Settings, url_name=_page, example_runner=run_example)


def _page(use_case: UseCase) -> str:
    settings = use_case.settings.get(ENGINE)
    over_needs = isinstance(settings, Settings) and settings.source == "needs"
    return "backoffice:outreach" if over_needs else "backoffice:rounds"


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Compute the round an example draws: what each vehicle does, who is left out and why, metres beside today's."""
    from beffroi.sense.mobility.rounds.drawn import round_on

    return round_on(dict(example.when))
