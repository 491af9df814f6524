"""What the tags of an OpenStreetMap way or node mean for a graph of streets. Pure functions over mappings.

Source: wiki.openstreetmap.org, pages Key:highway, Key:access, Key:oneway, Key:kerb, Key:crossing, Key:incline,
Key:width (November 2026); default speeds: Code de la route R413-2 and R413-3 (France).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from beffroi.sense.mobility.vocabulary import (
    KERB_UNKNOWN,
    LIFT,
    NO_INCLINE,
    WHEELS,
    Crossing,
    Kind,
    Mode,
    Surface,
    Yes,
)

Tags = Mapping[str, str]

_ALL = Mode.FOOT | Mode.BICYCLE | Mode.CAR | Mode.LORRY
_MOTOR = Mode.CAR | Mode.LORRY
# highway: kind, who may by default, km/h by default.
HIGHWAYS: dict[str, tuple[Kind, Mode, int]] = {
    "motorway": (Kind.MOTORWAY, _MOTOR, 130),
    "motorway_link": (Kind.MOTORWAY, _MOTOR, 70),
    "trunk": (Kind.ROAD_MAJOR, _ALL, 80),
    "trunk_link": (Kind.ROAD_MAJOR, _ALL, 50),
    "primary": (Kind.ROAD_MAJOR, _ALL, 50),
    "primary_link": (Kind.ROAD_MAJOR, _ALL, 50),
    "secondary": (Kind.ROAD_MAJOR, _ALL, 50),
    "secondary_link": (Kind.ROAD_MAJOR, _ALL, 50),
    "tertiary": (Kind.ROAD, _ALL, 50),
    "tertiary_link": (Kind.ROAD, _ALL, 50),
    "unclassified": (Kind.STREET, _ALL, 50),
    "residential": (Kind.STREET, _ALL, 30),
    "road": (Kind.STREET, _ALL, 30),
    "living_street": (Kind.SHARED, _ALL, 20),
    "service": (Kind.SERVICE, _ALL, 20),
    "busway": (Kind.SERVICE, Mode.FOOT, 20),
    "pedestrian": (Kind.PEDESTRIAN, Mode.FOOT | Mode.BICYCLE, 6),
    "footway": (Kind.FOOTWAY, Mode.FOOT, 6),
    "corridor": (Kind.FOOTWAY, Mode.FOOT, 6),
    "platform": (Kind.FOOTWAY, Mode.FOOT, 6),
    "path": (Kind.PATH, Mode.FOOT | Mode.BICYCLE, 6),
    "bridleway": (Kind.PATH, Mode.FOOT, 6),
    "steps": (Kind.STEPS, Mode.FOOT, 6),
    "cycleway": (Kind.CYCLEWAY, Mode.BICYCLE, 20),
    "track": (Kind.TRACK, Mode.FOOT | Mode.BICYCLE, 15),
    "elevator": (Kind.LIFT, Mode.FOOT, 6),
}

SURFACES: dict[str, Surface] = {
    "paved": Surface.ASPHALT,
    "asphalt": Surface.ASPHALT,
    "chipseal": Surface.ASPHALT,
    "concrete": Surface.CONCRETE,
    "concrete:plates": Surface.CONCRETE,
    "concrete:lanes": Surface.CONCRETE,
    "paving_stones": Surface.PAVING,
    "bricks": Surface.PAVING,
    "tiles": Surface.PAVING,
    "sett": Surface.SETT,
    "cobblestone:flattened": Surface.SETT,
    "cobblestone": Surface.COBBLE,
    "unhewn_cobblestone": Surface.COBBLE,
    "rock": Surface.COBBLE,
    "compacted": Surface.COMPACTED,
    "fine_gravel": Surface.COMPACTED,
    "gravel": Surface.GRAVEL,
    "pebblestone": Surface.GRAVEL,
    "unpaved": Surface.EARTH,
    "wood": Surface.WOOD,
    "metal": Surface.METAL,
    "metal_grid": Surface.METAL,
    "grass": Surface.GRASS,
    "grass_paver": Surface.GRASS,
    "ground": Surface.EARTH,
    "dirt": Surface.EARTH,
    "earth": Surface.EARTH,
    "woodchips": Surface.EARTH,
    "sand": Surface.SAND,
    "mud": Surface.MUD,
}

_CROSSINGS: dict[str, int] = {
    "traffic_signals": Crossing.SIGNALS,
    "marked": Crossing.MARKED,
    "zebra": Crossing.MARKED,
    "uncontrolled": Crossing.MARKED,
    "island": Crossing.MARKED,
    "unmarked": Crossing.UNMARKED,
    "informal": Crossing.UNMARKED,
}
# Kerb heights the wiki gives: flush about 0, lowered about 3 cm, rolled may be mounted, raised above 3 cm.
_KERBS_CM = {"flush": 0, "no": 0, "lowered": 3, "rolled": 6, "regular": 14, "raised": 14, "yes": KERB_UNKNOWN}
_STOPS_VEHICLES = int(_MOTOR)
_BARRIERS: dict[str, int] = {
    "bollard": _STOPS_VEHICLES,
    "block": _STOPS_VEHICLES,
    "jersey_barrier": _STOPS_VEHICLES,
    "planter": _STOPS_VEHICLES,
    "cycle_barrier": _STOPS_VEHICLES | WHEELS,
    "stile": _STOPS_VEHICLES | int(Mode.BICYCLE) | WHEELS,
    "turnstile": _STOPS_VEHICLES | int(Mode.BICYCLE) | WHEELS,
    "kissing_gate": _STOPS_VEHICLES | int(Mode.BICYCLE) | WHEELS,
    "full-height_turnstile": _STOPS_VEHICLES | int(Mode.BICYCLE) | WHEELS,
    "wall": 15,
    "fence": 15,
}
_FORBIDDEN = frozenset({"no", "private", "agricultural", "forestry", "military"})
_ALLOWED = frozenset({"yes", "designated", "permissive", "destination", "official", "customers", "delivery", "permit"})
# From the widest to the narrowest: each key speaks for these modes.
_ACCESS = (
    ("access", _ALL),
    ("vehicle", Mode.BICYCLE | _MOTOR),
    ("motor_vehicle", _MOTOR),
    ("motorcar", Mode.CAR),
    ("hgv", Mode.LORRY),
    ("bicycle", Mode.BICYCLE),
    ("foot", Mode.FOOT),
)
_YES_NO = {"yes": Yes.YES, "designated": Yes.YES, "no": Yes.NO, "limited": Yes.LIMITED}
_NUMBER = re.compile(r"^\s*(-?\d+(?:[.,]\d+)?)\s*([a-z%°'\"/]*)", re.IGNORECASE)


def kind_of(tags: Tags) -> tuple[Kind, Mode, int] | None:
    """Return the kind of a way, who may use it by default and its default speed; None when it is no street."""
    highway = tags.get("highway", "")
    if highway == "" and tags.get("railway") == "platform":
        highway = "platform"
    known = HIGHWAYS.get(highway)
    if known is None:
        return None
    if highway in ("footway", "path", "cycleway") and "crossing" in (tags.get("footway"), tags.get("path")):
        return (Kind.CROSSING, known[1], known[2])
    if highway == "steps" and tags.get("conveying", "no") != "no":
        return (Kind.ESCALATOR, known[1], known[2])
    return known


def access_of(tags: Tags, default: Mode, kind: Kind) -> tuple[int, int]:
    """Return who may go along the way, then against it, as bits of `Mode`."""
    may = int(default)
    if tags.get("motorroad") == "yes":
        may &= int(_MOTOR)
    for key, modes in _ACCESS:
        value = tags.get(key, "")
        if value in _FORBIDDEN or (value == "use_sidepath" and key in ("foot", "bicycle")):
            may &= ~int(modes)
        elif value in _ALLOWED and (key != "access" or kind in (Kind.CYCLEWAY, Kind.PATH)):
            may |= int(modes) if key != "access" else 0
    forward = backward = may
    wheels = int(Mode.BICYCLE | _MOTOR)
    oneway = tags.get("oneway", "")
    circular = tags.get("junction") in ("roundabout", "circular") or kind == Kind.MOTORWAY
    if oneway in ("yes", "1", "true") or (circular and oneway != "no"):
        backward &= ~wheels
    elif oneway in ("-1", "reverse"):
        forward &= ~wheels
    both = tags.get("oneway:bicycle") == "no" or any(
        tags.get(key, "").startswith("opposite") for key in ("cycleway", "cycleway:left", "cycleway:right")
    )
    if both and may & Mode.BICYCLE:
        forward, backward = forward | Mode.BICYCLE, backward | Mode.BICYCLE
    if tags.get("conveying") == "forward" or tags.get("oneway:foot") == "yes":
        backward &= ~int(Mode.FOOT)
    elif tags.get("conveying") == "backward" or tags.get("oneway:foot") == "-1":
        forward &= ~int(Mode.FOOT)
    return int(forward), int(backward)


def length_cm(text: str | None) -> int:
    """Return a length written with or without its unit (metres by default) in centimetres; 0 when unreadable.

    >>> length_cm("1,5"), length_cm("90 cm"), length_cm("wide")
    (150, 90, 0)
    """
    found = _NUMBER.match(text or "")
    if not found:
        return 0
    unit = {"cm": 1.0, "mm": 0.1, "m": 100.0, "": 100.0, "ft": 30.48, "'": 30.48}.get(found[2].lower())
    value = float(found[1].replace(",", "."))
    return round(value * unit) if unit and 0 < value * unit < 60_000 else 0


def incline_pct(text: str | None) -> int:
    """Return a slope along the line in percent; `NO_INCLINE` when absent or only said to go up or down.

    >>> incline_pct("-8 %"), incline_pct("10°"), incline_pct("up") == NO_INCLINE
    (-8, 18, True)
    """
    found = _NUMBER.match(text or "")
    if not found or found[2] not in ("", "%", "°"):
        return NO_INCLINE
    value = float(found[1].replace(",", "."))
    if found[2] == "°":
        from math import radians, tan

        value = 100 * tan(radians(value))
    return round(value) if -90 <= value <= 90 else NO_INCLINE


def speed_kmh(text: str | None, default: int) -> int:
    """Return the speed limit, `default` when absent or not a number.

    >>> speed_kmh("30", 50), speed_kmh("FR:urban", 80), speed_kmh("20 mph", 50)
    (30, 50, 32)
    """
    named = {"FR:urban": 50, "FR:rural": 80, "FR:zone30": 30, "FR:motorway": 130, "walk": 6, "none": 130}
    if text in named:
        return named[text]
    found = _NUMBER.match(text or "")
    if not found:
        return default
    value = float(found[1].replace(",", ".")) * (1.609 if found[2].lower() == "mph" else 1)
    return max(5, min(130, round(value)))


def weight_kg(text: str | None) -> int:
    """Return a weight limit (tonnes by default) in kilograms; 0 when there is none."""
    found = _NUMBER.match(text or "")
    if not found:
        return 0
    value = float(found[1].replace(",", ".")) * (1 if found[2].lower() == "kg" else 1000)
    return int(value) if 100 <= value <= 100_000 else 0


def kerb_of(tags: Tags) -> int | None:
    """Return the height of the kerb a node or crossing tells, in centimetres; None when it tells of none."""
    height = tags.get("kerb:height") or (tags.get("height") if tags.get("barrier") == "kerb" else None)
    if height and _NUMBER.match(height):
        value = _NUMBER.match(height)
        if value and float(value[1].replace(",", ".")) == 0:
            return 0
        measured = length_cm(height)
        if 0 < measured < 60:
            return measured
    if "kerb" in tags:
        return _KERBS_CM.get(tags["kerb"], KERB_UNKNOWN)
    return KERB_UNKNOWN if tags.get("barrier") == "kerb" else None


def crossing_of(tags: Tags) -> int:
    """Return how a crossing, node or way, is made; 0 when there is none."""
    if tags.get("highway") != "crossing" and "crossing" not in (tags.get("footway"), tags.get("path")):
        return 0
    if tags.get("crossing:signals") == "yes":
        return int(Crossing.SIGNALS)
    if tags.get("crossing:markings", "no") != "no" and tags.get("crossing") != "traffic_signals":
        return int(Crossing.MARKED)
    return int(_CROSSINGS.get(tags.get("crossing", ""), Crossing.UNSURE))


def barrier_of(tags: Tags) -> int:
    """Return the bits of who is stopped at a node, and whether a lift is taken there."""
    bits = LIFT if tags.get("highway") == "elevator" else 0
    stopped = _BARRIERS.get(tags.get("barrier", ""), 0)
    for key, modes in _ACCESS:
        if stopped and tags.get(key, "") in _ALLOWED:
            stopped &= ~int(modes)
    if tags.get("wheelchair") == "no":
        stopped |= WHEELS
    return bits | stopped


def yes_no(text: str | None) -> int:
    """Return a `Yes`, 0 when nothing readable is said."""
    return int(_YES_NO.get(text or "", 0))
