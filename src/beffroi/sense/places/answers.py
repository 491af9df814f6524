"""The values this room answers with: frozen, typed, free of any file or connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from beffroi.lake.queries import DatasetRef


class Kind(StrEnum):
    """What a thing found is, in the order in which equal answers are told."""

    SERVICE = "service"
    PLACE = "place"
    STREET = "street"
    ADDRESS = "address"
    EVENT = "event"
    DATASET = "dataset"
    ORGANISATION = "organisation"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be found. `ref` and `id` name its row in the lake; a service has its use case as `id`.

    `words` are found but not shown. `weight` ranks equals: the heavier first. `lon`, `lat` in degrees, None when the
    thing is nowhere in particular; `radius_m` is half of its greatest extent, 0 for a point. `start` is an ISO date and
    time. A street knows where its letters go.
    """

    kind: Kind
    title: str
    id: str = ""
    ref: DatasetRef | None = None
    category: str = ""
    details: str = ""
    words: str = ""
    hours: str = ""
    start: str = ""
    lon: float | None = None
    lat: float | None = None
    weight: float = 0.0
    radius_m: int = 0
    postcode: str = ""
    city: str = ""
    citycode: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """One numbered address of a street. `suffix` is bis, ter, a letter, or empty."""

    id: str
    number: int
    suffix: str
    lon: float
    lat: float
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing found, and how well it answers (`score`, 0 to 1). `house` is set when a numbered address was asked."""

    entry: Entry
    score: float
    house: House | None = None

    @property
    def kind(self) -> Kind:
        """Return the kind of thing; a street whose number was asked and is known is an address."""
        return Kind.ADDRESS if self.house else self.entry.kind

    @property
    def number(self) -> str:
        """Return the house number as written: « 12 bis », empty for a street."""
        return f"{self.house.number} {self.house.suffix}".strip() if self.house else ""

    @property
    def title(self) -> str:
        """Return the name of the thing, its number first when it is an address."""
        return f"{self.number} {self.entry.title}".strip()

    @property
    def lon(self) -> float | None:
        """Return the longitude, in degrees."""
        return self.house.lon if self.house else self.entry.lon

    @property
    def lat(self) -> float | None:
        """Return the latitude, in degrees."""
        return self.house.lat if self.house else self.entry.lat

    @property
    def place(self) -> tuple[float, float]:
        """Return the longitude and latitude of a street or an address: neither is nowhere."""
        lon, lat = self.lon, self.lat
        if lon is None or lat is None:
            raise ValueError(f"{self.title} is nowhere in particular")
        return lon, lat


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, at most as many of each kind as asked.

    `counts` says how many there are of each kind. `instead` is the text corrected, when words of the search are unknown
    and others, close to them, were looked for.
    """

    hits: tuple[Hit, ...] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)
    instead: str = ""

    @property
    def total(self) -> int:
        """Return how many things answer, all kinds together."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Near:
    """Something near a point; `distance_m` in a straight line, in metres."""

    entry: Entry
    distance_m: float


@dataclass(frozen=True, slots=True)
class NearAddress:
    """An address near a point; `distance_m` in a straight line, in metres."""

    hit: Hit
    distance_m: float
