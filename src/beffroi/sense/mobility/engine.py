"""The engine mobility gives to the catalogue: a profile, and an example drawn as a small map of characters.

[mobility]
profile = "fauteuil-manuel"              # chosen first on the page
raised  = true                           # its map stands in relief, where the relief is known

[[example]]
when = { profile = "fauteuil-manuel", map = "A--s--B…", ways = { s = "steps" }, from = "A", to = "B" }
then = { path = "ACDB", possible = true }
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.sense.mobility.lacking import lacking_streets
from beffroi.sense.mobility.profiles import load_profiles


class Settings(BaseModel):
    """The table of a use case: the profile its page chooses first."""

    model_config = ConfigDict(extra="forbid")

    profile: str = Field(min_length=1)
    raised: bool = False

    def model_post_init(self, _context: Any) -> None:
        """Refuse a profile nobody wrote."""
        if self.profile not in load_profiles()[0]:
            raise ValueError(f"profil « {self.profile} » inconnu ; profils possibles : {', '.join(load_profiles()[0])}")


def register() -> None:
    """Make the engine available to use cases."""
    register_engine(
        "mobility",
        schema=Settings,
        url_name="portal:itinerary-for",
        example_runner=run_example,
        lacking=lacking_streets,
    )


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Search on the small map an example draws; return path (its letters), possible, barriers (reasons avoided)."""
    from beffroi.sense.mobility.drawn import answer_on

    return answer_on(dict(example.when))
