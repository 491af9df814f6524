"""The table `[hours]` of a use case: which datasets tell the hours, and in which columns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from beffroi.sense.mobility.hours.profiles import Day, Measure


class Reading(BaseModel):
    """One dataset and its columns. A row is of an hour of a kind of day (`day`), of a date (`date`), or of a moment.

    Vehicles stand in `value`; the places of a car park in `free` and `total`. Rows are kept whose columns of `keep`
    hold one of the values said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(min_length=1)
    measure: Measure
    place: str = Field(min_length=1)
    what: str = ""
    day: str = ""
    days: dict[str, Day] = {}
    date: str = ""
    hour: str = ""
    moment: str = ""
    value: str = ""
    free: str = ""
    total: str = ""
    capacity: str = ""
    counted: str = ""
    since: str = ""
    until: str = ""
    keep: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Reading:
        when = [self.moment, self.day and self.hour, self.date and self.hour]
        if sum(bool(one) for one in when) != 1:
            raise ValueError("dites « moment », ou « hour » avec « day » ou « date »")
        if self.day and not self.days:
            raise ValueError("« day » demande « days » : à quel genre de jour répond chaque valeur")
        if self.measure == Measure.VEHICLES and not self.value:
            raise ValueError("des véhicules demandent la colonne « value »")
        if self.measure == Measure.FILLING and not (self.free and self.total):
            raise ValueError("un remplissage demande les colonnes « free » et « total »")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column it reads, once each."""
        named = (self.place, self.day, self.date, self.hour, self.moment, self.value, self.free, self.total,
                 self.capacity, self.counted, self.since, self.until, *self.keep)  # fmt: skip
        return tuple(dict.fromkeys(one for one in named if one))


class HoursSettings(BaseModel):
    """What a use case shows: the hours from `first` to `last`, by the datasets of `read`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: int = Field(default=6, ge=0, le=22)
    last: int = Field(default=22, ge=2, le=24)
    read: tuple[Reading, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> HoursSettings:
        if self.first >= self.last:
            raise ValueError("« first » doit précéder « last »")
        return self
