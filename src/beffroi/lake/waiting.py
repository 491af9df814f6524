"""Which versions wait for an agent's word (see `held`)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from beffroi.base.territory.viewer import Viewer
from beffroi.lake.held import held_note
from beffroi.lake.seeing import lake_in_use, required
from beffroi.lake.store import DatasetNotFound, DatasetRef


@dataclass(frozen=True, slots=True)
class Held:
    """A version that waits: how many rows it has, how many the one served has, since when."""

    ref: DatasetRef
    title: str
    version: str
    rows: int
    before: int
    at: datetime

    @property
    def lost_percent(self) -> int:
        """Return the share of the rows that would be lost, in percent."""
        return round(100 * (self.before - self.rows) / self.before)


def held(viewer: Viewer, *, territory: str) -> list[Held]:
    """Return the versions of a territory that wait, of the datasets the viewer may see, oldest first."""
    lake = lake_in_use()
    found = []
    for ref in lake.refs(territory):
        said = held_note(lake, ref)
        if said is None:
            continue
        with suppress(DatasetNotFound):
            title = required(viewer, ref, None).manifest.title
            at = datetime.fromisoformat(said["at"])
            found.append(Held(ref, title, said["version"], said["rows"], said["before"], at))
    return sorted(found, key=lambda one: one.at)
