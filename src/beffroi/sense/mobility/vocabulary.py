"""The words of the graph: kinds of street, surfaces, what may be known of each, and how sure one is of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np

UNKNOWN = 0


class Kind(IntEnum):
    """What a segment is. The order means nothing."""

    MOTORWAY = 1
    ROAD_MAJOR = 2
    ROAD = 3
    STREET = 4
    SERVICE = 5
    SHARED = 6
    PEDESTRIAN = 7
    FOOTWAY = 8
    PATH = 9
    CROSSING = 10
    STEPS = 11
    CYCLEWAY = 12
    TRACK = 13
    LIFT = 14
    ESCALATOR = 15
    FERRY = 16


CARRIAGEWAYS = (Kind.MOTORWAY, Kind.ROAD_MAJOR, Kind.ROAD, Kind.STREET, Kind.SERVICE, Kind.SHARED)
"""Kinds whose width is that of the carriageway: what a person walks on beside it is the pavement."""


class Surface(IntEnum):
    """What one rolls or walks on; 0 is unknown."""

    ASPHALT = 1
    CONCRETE = 2
    PAVING = 3
    SETT = 4
    COBBLE = 5
    COMPACTED = 6
    GRAVEL = 7
    WOOD = 8
    METAL = 9
    GRASS = 10
    EARTH = 11
    SAND = 12
    MUD = 13


class Crossing(IntEnum):
    """How a carriageway is crossed; 0 where there is nothing to cross."""

    MARKED = 1
    SIGNALS = 2
    UNMARKED = 3
    UNSURE = 4


class Yes(IntEnum):
    """An answer; 0 is unknown."""

    YES = 1
    NO = 2
    LIMITED = 3


class Mode(IntFlag):
    """Who may use a segment in one direction."""

    FOOT = 1
    BICYCLE = 2
    CAR = 4
    LORRY = 8


class Attribute(IntEnum):
    """What a route may have to know of a segment; each has an origin of its own, 0 when nobody told."""

    WIDTH = 0
    SURFACE = 1
    SLOPE = 2
    KERB = 3
    LIGHT = 4
    STAIRS = 5


class Confidence(IntEnum):
    """How sure a value is: deduced (a terrain model, a category), declared (a tag, an inventory), measured."""

    DEDUCED = 1
    DECLARED = 2
    MEASURED = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: the title of the source, its date as published, and how sure its values are."""

    title: str
    date: str
    confidence: Confidence
    licence: str = ""


WHEELS, LIFT = 16, 32
"""Bits of what stands at an end, beside those of `Mode`: a stile stops wheels, a lift takes time and may be out."""

NO_KERB = -2
KERB_UNKNOWN = -1

# Column of a segment: dtype. 0 is unknown, or "no limit" for limits.
SEGMENT_COLUMNS: dict[str, type[np.generic]] = {
    "kind": np.uint8,
    "surface": np.uint8,
    "width_cm": np.uint16,
    "road_cm": np.uint16,  # width of the carriageway, for vehicles; `width_cm` is what one walks or rolls on
    "steps": np.uint16,
    "lit": np.uint8,
    "speed_kmh": np.uint8,
    "max_weight_kg": np.uint32,
    "max_height_cm": np.uint16,
    "max_width_cm": np.uint16,
    "tactile": np.uint8,
    "crossing": np.uint8,
    "kerb_cm": np.int16,  # of a crossing that tells it itself; KERB_UNKNOWN, or NO_KERB for what is no crossing
    "wheelchair": np.uint8,
    "level": np.uint8,  # 1 on a bridge, in a tunnel or under a building: the terrain says nothing of its slope
    "incline_pct": np.int8,  # along the line; NO_INCLINE when not told
    "forward": np.uint8,  # Mode bits
    "backward": np.uint8,
    "name": np.int32,  # place in the list of names, -1 without one
}
NO_INCLINE = -128
