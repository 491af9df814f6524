"""Which datasets are late, by the rhythm they promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from beffroi.lake.quality import days_late
from beffroi.lake.queries import DatasetSummary


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
        days = days_late(one.rhythm, one.updated_at.date(), today=today)
        if days:
            late.append(LateDataset(one, days))
    return sorted(late, key=lambda item: (-item.days, item.summary.title))
