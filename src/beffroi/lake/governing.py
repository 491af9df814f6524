"""What the town knows of its own data: who answers, how often they come, what they must follow, how good they are.

`state_of_data` is the state of today; `scores_at` the mean score on earlier days, over the versions served then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import fmean

from beffroi.base.journal import operations as journal
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.lake.answers import DatasetSummary
from beffroi.lake.events import DATASET_PACED
from beffroi.lake.operations import require_agent
from beffroi.lake.owners import Owner, Owners
from beffroi.lake.quality import quality_of
from beffroi.lake.rhythms import RHYTHMS, Rhythm, rhythm_of, unchosen
from beffroi.lake.schema_check import demands_anything
from beffroi.lake.seeing import Seen, lake_in_use, required, seen_by, summary_of
from beffroi.lake.store import DatasetRef


@dataclass(frozen=True, slots=True)
class DatasetState:
    """One dataset as it is governed. `has_owner`: someone is named, not the town by default; `late` in days."""

    summary: DatasetSummary
    owner: Owner
    rhythm: Rhythm
    has_schema: bool
    late: int
    score: int | None

    @property
    def has_owner(self) -> bool:
        """Tell whether a service or an agent answers, by name."""
        return not self.owner.is_town


@dataclass(frozen=True, slots=True)
class MeanScore:
    """The mean score of the datasets that were there on a day; None while there was none."""

    day: date
    score: float | None
    datasets: int


def state_of_data(viewer: Viewer, territory: str, *, at: datetime, today: date) -> list[DatasetState]:
    """Return how each dataset the viewer may see is governed, in the order of the lake."""
    owners, states = Owners(territory, at=at), []
    for one in _seen_datasets(viewer, territory):
        summary = summary_of(one)
        scored = quality_of(one, today=today)
        schema = demands_anything(one.manifest.definition)
        states.append(
            DatasetState(summary, owners.of_summary(summary), one.rhythm, schema, scored.days_late or 0, scored.score)
        )
    return states


def scores_at(viewer: Viewer, territory: str, days: Sequence[date]) -> list[MeanScore]:
    """Return the mean score on each day: of the newest version of each dataset then, under the rights of today."""
    histories = [
        [one.at(version) for version in reversed(one.lake.versions(one.ref))]
        for one in _seen_datasets(viewer, territory)
    ]
    means = []
    for day in days:
        scores = []
        for history in histories:
            known = [one for one in history if one.manifest.created_at.date() <= day]
            if known and (score := quality_of(known[-1], today=day).score) is not None:
                scores.append(score)
        means.append(MeanScore(day, fmean(scores) if scores else None, len(scores)))
    return means


def current_rhythm(viewer: Viewer, ref: DatasetRef) -> tuple[Rhythm, Rhythm]:
    """Return the rhythm of a dataset, and the one it would have were no agent's word kept.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
    """
    seen = required(viewer, ref, None)
    force = seen.lake.in_force(ref)
    return rhythm_of(seen.lake, ref, force, seen.manifest), unchosen(seen.lake, ref, force, seen.manifest)


def set_rhythm(viewer: Viewer, ref: DatasetRef, words: str, *, at: datetime) -> None:
    """Say how often a dataset is made new; nothing leaves it to its file, else to what its versions show.

    Raises:
        DatasetNotFound: absent, or not for this viewer.
        Refused: the viewer is no agent of the commune, or there is no such rhythm.
    """
    required(viewer, ref, None)
    require_agent(viewer, ref.territory)
    if words and words not in RHYTHMS:
        raise Refused(
            "rythme « {words} » inconnu", where=str(ref), remedy="choisissez-en un dans la liste", words=words[:40]
        )
    lake = lake_in_use()
    with lake.writing(ref):
        before = lake.in_force(ref).rhythm
        if before == words:
            return
        lake.put_rhythm(ref, words)
    journal.record(
        kind=DATASET_PACED, subject=f"dataset:{ref}", payload={"rhythm": words, "before": before},
        actor=viewer.person_id, territory=ref.territory, at=at,
    )  # fmt: skip


def _seen_datasets(viewer: Viewer, territory: str) -> list[Seen]:
    lake = lake_in_use()
    found = (seen_by(lake, viewer, ref) for ref in lake.refs(territory))
    return [one for one in found if one is not None]
