"""Which datasets are late, by the rhythm they promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from beffroi.lake.queries import DatasetSummary

# The rhythm a dataset file promises, and the days after which it is late: the period and a quarter of grace.
RHYTHM_DAYS = {
    "quotidien": 2,
    "hebdomadaire": 9,
    "mensuel": 38,
    "trimestriel": 114,
    "semestriel": 228,
    "annuel": 456,
}


@dataclass(frozen=True, slots=True)
class LateDataset:
    """A dataset that has not come when its rhythm said, and by how many days."""

    summary: DatasetSummary
    days: int


def late_datasets(datasets: Iterable[DatasetSummary], *, today: date) -> list[LateDataset]:
    """Return the datasets whose version is older than their rhythm allows, the latest first.

    One that promises no rhythm is never late.
    """
    late = []
    for one in datasets:
        allowed = RHYTHM_DAYS.get(one.rhythm.strip().lower())
        if allowed is None:
            continue
        due = one.updated_at.date() + timedelta(days=allowed)
        if due < today:
            late.append(LateDataset(one, (today - due).days))
    return sorted(late, key=lambda item: (-item.days, item.summary.title))
