"""Small networks drawn with characters, on which a rule of a profile is seen at a glance (after Valhalla's "gurka").

A--s--B        Capital letters are ends; a line of - or | is a street; a letter in it names the way.
|     |        One character is 10 m across, 20 m down. Streets are lit, flat, 2 m wide, in asphalt, all measured,
C-----D        but for what `ways` and `ends` say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import cos, radians
from typing import Any

import numpy as np

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility import routes
from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.graph import METRES_PER_DEGREE, Graph
from beffroi.sense.mobility.ground import Spot
from beffroi.sense.mobility.obstacles import ObstacleInfo, overlays, standing
from beffroi.sense.mobility.profiles import profile_named
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import Attribute, Confidence, Crossing, Kind, Mode, Origin, Surface, Yes

Place = tuple[float, float]
ACROSS_M, DOWN_M = 10.0, 20.0
_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS: dict[str, Any] = {"kind": Kind, "surface": Surface, "lit": Yes, "wheelchair": Yes, "crossing": Crossing,
                          "tactile": Yes}  # fmt: skip
_UNKNOWN = {"width": Attribute.WIDTH, "surface": Attribute.SURFACE, "slope": Attribute.SLOPE, "kerb": Attribute.KERB,
            "light": Attribute.LIGHT, "stairs": Attribute.STAIRS}  # fmt: skip


class BadDrawing(BeffroiError):
    """A drawn network does not read."""


def drawn_graph(
    text: str,
    *,
    ways: Mapping[str, Any] | None = None,
    ends: Mapping[str, Mapping[str, Any]] | None = None,
    turns: tuple[str, ...] = (),
    at: Place = (0.0, 0.0),
) -> tuple[Graph, dict[str, tuple[float, float]]]:
    """Return the graph of a drawing and the place (degrees) of each letter.

    `ways` gives a kind, or a table of columns of `SEGMENT_COLUMNS` (words for the coded ones, plus `oneway`,
    `unknown`: a list of attributes), to a way by its letter or its two ends (``"AB"``); `ends` gives ``kerb_cm``,
    ``crossing``, ``barrier`` to a letter; `turns` (``"ABC"``) forbids going from A to C through B. `at` is where the
    first character stands.
    """
    where, lines = _read(text)
    order = {letter: number for number, letter in enumerate(sorted(where))}
    count = len(lines)
    columns = blank_columns(count)
    origin = blank_origin(count)
    origin[:] = 1
    columns["kind"][:] = Kind.STREET
    columns["surface"][:] = Surface.ASPHALT
    columns["width_cm"][:] = 200
    columns["lit"][:] = Yes.YES
    columns["incline_pct"][:] = 0
    columns["speed_kmh"][:] = 30
    columns["forward"][:] = columns["backward"][:] = 15
    names = [f"rue {a}{b}" for a, b, _ in lines]
    columns["name"][:] = np.arange(count)
    for rank, (a, b, label) in enumerate(lines):
        for key in (label, a + b, b + a):
            if key and ways and key in ways:
                _describe(columns, origin, rank, ways[key], reverse=key == b + a)
    places = {letter: _place(spot, at) for letter, spot in where.items()}
    streets = Streets(
        points=np.array([places[letter] for a, b, _ in lines for letter in (a, b)], float),
        offset=np.arange(0, 2 * count + 1, 2),
        tail=np.array([order[a] for a, _, _ in lines]),
        head=np.array([order[b] for _, b, _ in lines]),
        columns=columns,
        origin=origin,
        origins=[Origin("dessin", "2026-01-01", Confidence.MEASURED)],
        names=names,
    )
    for letter, told in (ends or {}).items():
        if "kerb_cm" in told:
            streets.kerb_cm[order[letter]] = int(told["kerb_cm"])
        if "crossing" in told:
            streets.crossing[order[letter]] = int(Crossing[told["crossing"].upper()])
        if "barrier" in told:
            streets.barrier[order[letter]] = int(told["barrier"])
        streets.charged.add(order[letter])
    by_ends = {frozenset((a, b)): rank for rank, (a, b, _) in enumerate(lines)}
    streets.turns = [(by_ends[frozenset(t[:2])], order[t[1]], by_ends[frozenset(t[1:])]) for t in turns]
    return assemble(streets, territory="drawn", at=_DAY, version="drawn"), places


def _read(text: str) -> tuple[dict[str, tuple[int, int]], list[tuple[str, str, str]]]:
    rows = text.strip("\n").split("\n")
    where = {char: (r, c) for r, row in enumerate(rows) for c, char in enumerate(row) if char.isupper()}
    lines = []

    def at(r: int, c: int) -> str:
        return rows[r][c] if 0 <= r < len(rows) and 0 <= c < len(rows[r]) else " "

    for letter, (r, c) in where.items():
        for down, across, stroke in ((0, 1, "-"), (1, 0, "|")):
            step, label = 1, ""
            while at(r + down * step, c + across * step) == stroke or at(r + down * step, c + across * step).islower():
                label += at(r + down * step, c + across * step).strip(stroke)
                step += 1
            end = at(r + down * step, c + across * step)
            if step > 1 and end.isupper():
                lines.append((letter, end, label[:1]))
    if not lines:
        raise BadDrawing("aucune rue dans ce dessin", where="map", remedy="reliez des capitales par - ou |")
    return where, lines


def _place(spot: tuple[int, int], at: Place) -> Place:
    across = spot[1] * ACROSS_M / (METRES_PER_DEGREE * cos(radians(at[1])))
    return at[0] + across, at[1] - spot[0] * DOWN_M / METRES_PER_DEGREE


def _describe(columns: dict[str, Any], origin: Any, rank: int, told: Any, *, reverse: bool) -> None:
    table = {"kind": told} if isinstance(told, str) else dict(told)
    if table.pop("oneway", False):
        wheels = int(Mode.BICYCLE | Mode.CAR | Mode.LORRY)
        columns["forward" if reverse else "backward"][rank] &= ~np.uint8(wheels)
    for attribute in table.pop("unknown", ()):
        origin[rank, _UNKNOWN[attribute]] = 0
    for name, value in table.items():
        if name not in columns:
            raise BadDrawing("colonne « {name} » inconnue", where="ways", remedy="voyez vocabulary.py", name=name)
        columns[name][rank] = int(_WORDS[name][value.upper()]) if isinstance(value, str) else value
    if columns["kind"][rank] in (Kind.STEPS, Kind.FOOTWAY, Kind.CROSSING, Kind.PEDESTRIAN):
        columns["forward"][rank] = columns["backward"][rank] = int(Mode.FOOT)


def answer_on(when: dict[str, Any]) -> dict[str, Any]:
    """Search on a drawing: keys map, ways, ends, turns, profile, from, to, obstacle ({kind, on = "AB"}), settings.

    Returns path (the letters passed), possible, avoided (the reasons of what the quickest way would have met) and
    opens (the reason of the one barrier whose removal opens a way).
    """
    graph, places = drawn_graph(
        str(when["map"]), ways=when.get("ways"), ends=when.get("ends"), turns=tuple(when.get("turns", ()))
    )
    router = Router(graph)
    known: dict[int, list[ObstacleInfo]] = {}
    if "obstacle" in when:
        stood = standing(router, [drawn_obstacle(when["obstacle"], places)])
        router.lay(overlays(stood))
        known = {segment: [stood[0].obstacle] for segment, _ in stood[0].touched}
    layer = router.layer(profile_named(str(when["profile"])).adjusted(**when.get("settings", {})))
    start, goal = (_at(router, layer, places[str(when[key])]) for key in ("from", "to"))
    found = routes.ways(router, layer, start, goal, most=1, obstacles=known)
    if not found:
        none = routes.no_way(router, layer, start, goal, known)
        return {"possible": False, "path": "", "opens": _reason(none.opens) if none.opens else ""}
    reason = routes.why(router, layer, start, goal, found[0], known)
    return {
        "possible": True,
        "path": _letters(found[0], places),
        "avoided": sorted(_reason(one) for one in reason.barriers),
        "seconds": round(found[0].time_s),
        "metres": round(found[0].length_m),
    }


def _reason(met: routes.Met) -> str:
    return (met.reason.name or "").lower()


def drawn_obstacle(told: Mapping[str, Any], places: Mapping[str, tuple[float, float]]) -> ObstacleInfo:
    """Return an obstacle of a kind in the middle of a way of a drawing: ``{kind, on = "AB"}``."""
    (ax, ay), (bx, by) = (places[letter] for letter in told["on"])
    return ObstacleInfo(
        id=1, territory="drawn", subject="drawn:1", kind=told["kind"], title=told["kind"], label="", lon=(ax + bx) / 2,
        lat=(ay + by) / 2, radius_m=1.0, starts_at=_DAY, until=None,
    )  # fmt: skip


def _at(router: Router, layer: Any, place: tuple[float, float]) -> Spot:
    return router.spot(*place, layer)


def _letters(route: routes.Route, places: Mapping[str, tuple[float, float]]) -> str:
    found = ""
    for lon, lat in route.coordinates:
        for letter, (x, y) in places.items():
            if abs(lon - x) + abs(lat - y) < 1e-6 and not found.endswith(letter):
                found += letter
    return found
