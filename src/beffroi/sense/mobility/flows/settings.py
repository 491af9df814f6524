"""The table `[flows]` of a use case: the datasets that tell what passes, and in which columns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from beffroi.sense.mobility.hours.settings import Reading


class Counters(BaseModel):
    """The three files of the national schema of counts; their columns are those of the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sites: str = Field(min_length=1)
    channels: str = Field(min_length=1)
    measures: str = Field(min_length=1)


class Daily(BaseModel):
    """Streets whose motor traffic of a mean day is known: its hours are estimated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(min_length=1)
    street: str = "voie"
    per_day: str = "tmja"
    year: str = "annee"


class Sample(BaseModel):
    """What a sample of travellers did, added up by segment and hour: cells of fewer than `least` are not shown.

    `segment` is the column that names a feature of `streets`, which draws it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(min_length=1)
    streets: str = Field(min_length=1)
    segment: str = "troncon"
    street_id: str = "id"
    street: str = "nom_voie"
    mode: str = "mobility_type"
    day: str = "type_jour"
    hour: str = "heure"
    value: str = "trajets"
    least: int = Field(default=10, ge=5)


class FlowsSettings(BaseModel):
    """What a use case shows: counters by mode, streets counted by hour, by day, and what a sample saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    counters: Counters | None = None
    hourly: tuple[Reading, ...] = ()
    daily: Daily | None = None
    sample: Sample | None = None
