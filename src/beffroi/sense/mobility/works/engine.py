"""The engine works gives to the catalogue: streets closed on a small map of characters, and what that does to trips.

[[example]]
when = { map = "A--B…", close = ["AB"], who = ["car"], trips = ["AB", "CD"] }
then = { touched = 50, extra_m = 80, lost = 0, streets = ["rue AC"] }

See `works.drawn` for all one may draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine


class Settings(BaseModel):
    """The table of a use case: nothing to set."""

    model_config = ConfigDict(extra="forbid")


def register() -> None:
    """Make the engine available to use cases."""
    register_engine("works", schema=Settings, url_name="portal:works", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Return what closing the streets of an example does to its trips."""
    from beffroi.sense.mobility.works.drawn import effect_on

    return effect_on(dict(example.when))
