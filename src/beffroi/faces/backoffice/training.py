"""Training paths, one per job: read from `data/training.toml`, followed step by step, completions counted."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from django.urls import reverse
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import NotFound
from beffroi.faces.backoffice.models import TrainingStep

FILE = Path(__file__).parent / "data" / "training.toml"


class NoSuchStep(NotFound):
    """No training path, or no step of it, has that name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to learn by doing it: what, why, and the page where it is done."""

    slug: str
    title: str
    description: str
    page: str

    @property
    def url(self) -> str:
        """Return the address of the page where the step is done."""
        return reverse(self.page)


@dataclass(frozen=True, slots=True)
class Job:
    """The training path of one job."""

    slug: str
    title: str
    description: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A path as one person follows it."""

    job: Job
    done: frozenset[str]

    @property
    def is_complete(self) -> bool:
        """Tell whether every step is done."""
        return all(step.slug in self.done for step in self.job.steps)

    @property
    def count(self) -> int:
        """Return how many steps are done."""
        return sum(step.slug in self.done for step in self.job.steps)


@cache
def _read() -> tuple[Job, ...]:
    said = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(Job(**{**job, "steps": tuple(Step(**step) for step in job["steps"])}) for job in said["job"])


def jobs() -> list[Job]:
    """Return every training path, in the reader's language."""
    return [
        Job(
            job.slug,
            _(job.title),
            _(job.description),
            tuple(Step(step.slug, _(step.title), _(step.description), step.page) for step in job.steps),
        )
        for job in _read()
    ]


def job(slug: str) -> Job:
    """Return one path.

    Raises:
        NoSuchStep: there is none of that name.
    """
    found = next((one for one in jobs() if one.slug == slug), None)
    if found is None:
        raise NoSuchStep("il n’y a pas de parcours « {slug} »", remedy="choisissez-en un dans la liste", slug=slug[:40])
    return found


def progress(person: int | None) -> list[Progress]:
    """Return every path as a person follows it."""
    done: dict[str, set[str]] = {}
    rows = TrainingStep.objects.filter(person=person) if person is not None else TrainingStep.objects.none()
    for name, step in rows.values_list("job", "step"):
        done.setdefault(name, set()).add(step)
    return [Progress(one, frozenset(done.get(one.slug, ()))) for one in jobs()]


def jobs_begun(person: int | None) -> list[Progress]:
    """Return the paths a person has begun."""
    return [one for one in progress(person) if one.count]


def set_step(job_slug: str, step_slug: str, *, done: bool, person: int, territory: str, at: datetime) -> bool:
    """Tick a step, or untick it; tell whether this completed the path.

    Raises:
        NoSuchStep: no such path, or no such step in it.
    """
    path = job(job_slug)
    if step_slug not in {step.slug for step in path.steps}:
        raise NoSuchStep("ce parcours n’a pas d’étape « {slug} »", where=job_slug, slug=step_slug[:40])
    if not done:
        TrainingStep.objects.filter(person=person, job=job_slug, step=step_slug).delete()
        return False
    _row, created = TrainingStep.objects.get_or_create(
        person_id=person, job=job_slug, step=step_slug, defaults={"territory": territory, "done_at": at}
    )
    mine = next(one for one in progress(person) if one.job.slug == job_slug)
    return created and mine.is_complete


def completions(territory: str) -> dict[str, int]:
    """Return how many people of a territory have completed each path; numbers only, no names."""
    done: dict[tuple[int, str], set[str]] = {}
    for person, name, step in TrainingStep.objects.filter(territory=territory).values_list("person", "job", "step"):
        done.setdefault((person, name), set()).add(step)
    return {
        one.slug: _complete(one, (steps for (_, name), steps in done.items() if name == one.slug)) for one in _read()
    }


def _complete(path: Job, each: Iterable[set[str]]) -> int:
    wanted = {step.slug for step in path.steps}
    return sum(wanted <= steps for steps in each)
