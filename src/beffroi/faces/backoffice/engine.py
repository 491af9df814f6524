"""The `help` engine: contextual help, training paths and the sandbox of the agents (G-09).

[help]
jobs = ["donnees", "accueil"]           # the training paths offered, by slug; all of them when left out

[[example]]
when = { screen = "uploads" }
then = { helped = true }

[[example]]
when = { job = "donnees", done = ["deposer"] }
then = { done = 1, complete = false, counted = 0 }
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine

_START = datetime(2026, 1, 5, 8, tzinfo=UTC)
_TOWN = "98999"


class HelpSettings(BaseModel):
    """`jobs` are the training paths offered, by slug."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    jobs: list[str] = Field(min_length=1)


def register() -> None:
    """Make the engine available; the back office gives it its page."""
    register_engine("help", schema=HelpSettings, url_name="backoffice:training", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Ask for the help of a `screen`, or follow the path of a `job` by ticking the steps `done`; keep nothing."""
    from beffroi.faces.backoffice.help import help_of

    when = example.when
    if "screen" in when:
        return {"helped": help_of(f"backoffice:{when['screen']}") is not None}
    with transaction.atomic():
        outcome = _followed(str(when["job"]), [str(step) for step in when["done"]])
        transaction.set_rollback(True)
    return outcome


def _followed(job: str, steps: list[str]) -> dict[str, Any]:
    from beffroi.base.territory import operations
    from beffroi.faces.backoffice import training

    person = operations.create_person(email="exemple-g-09@exemple.invalid", at=_START)
    finished = [training.set_step(job, step, done=True, person=person, territory=_TOWN, at=_START) for step in steps]
    mine = next(one for one in training.progress(person) if one.job.slug == job)
    return {
        "done": mine.count,
        "steps": len(mine.job.steps),
        "complete": mine.is_complete,
        "told": any(finished),
        "counted": training.completions(_TOWN)[job],
    }
