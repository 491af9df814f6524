"""What one may ask of freight: the quays and stations of a town, a flow of goods by road, by river and by rail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

import shapely

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.freight_settings import Freight
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.sense.mobility import queries as mobility
from beffroi.sense.mobility.freight.comparing import Carried, Known, Leg, Way, carried
from beffroi.sense.mobility.freight.lines import Place, along_m, straight_m

AT_THE_QUAY_M = 200.0
MOST_TERMINALS, NEAREST, MOST_LINES = 5_000, 3, 20_000
PROFILE = "benne"
"""The heavy vehicle of the street graph: its forbidden streets and its size stand for those of any lorry."""
CONTAINERS = "conteneurs"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A quay or a freight station: where goods change. `goods` are those it takes, all when nothing is said."""

    key: str
    way: Way
    name: str
    lon: float
    lat: float
    goods: str

    def takes(self, packing: str) -> bool:
        """Tell whether it takes goods so packed: `vrac` or `conteneurs`."""
        return not self.goods or packing in self.goods


@dataclass(frozen=True, slots=True)
class Goods:
    """A flow declared: what, how many tonnes a year, how packed, from where to where (longitude, latitude)."""

    tonnes: float
    packing: str
    start: Place
    goal: Place
    start_name: str
    goal_name: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The road, then each other way that has a chain; `missing` are those that have none. `sources`: what was read."""

    road: Carried
    others: tuple[Carried, ...]
    missing: tuple[Way, ...]
    sources: tuple[DatasetSummary, ...]


def terminals(viewer: Viewer, territory: str, wanted: Freight) -> tuple[Terminal, ...]:
    """Return the quays, then the freight stations, by name, that this reader may see."""
    found = []
    for way, slug in ((Way.RIVER, wanted.quays), (Way.RAIL, wanted.stations)):
        source = _known(viewer, territory, slug)
        if source is None or source.geometry_type is None:
            continue
        there = {column.key for column in lake.dataset(viewer, source.ref).columns}
        columns = ["_id", "geometry", *(key for key in ("nom", "libelle", "marchandises") if key in there)]
        for row in lake.rows(viewer, source.ref, columns=columns, max_rows=MOST_TERMINALS).rows:
            told = dict(zip(columns, row, strict=True))
            if told["geometry"] is None:
                continue
            point = shapely.from_wkb(bytes(told["geometry"])).centroid
            found.append(Terminal(f"{way}/{told['_id']}", way, str(told.get("nom") or told.get("libelle") or ""),
                                  point.x, point.y, str(told.get("marchandises") or "").casefold()))  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.way != Way.RIVER, one.name)))


def compared(viewer: Viewer, territory: str, wanted: Freight, goods: Goods, *, at: datetime) -> Compared:
    """Return a flow by road, and by the chain of each other mode that takes the least CO2 among the nearest terminals.

    Raises:
        BadQuery, QueryTooCostly: see `lake.queries.rows`.
    """
    known = terminals(viewer, territory, wanted)
    roads = _Roads(territory, wanted.detour, at)
    road = carried(Way.ROAD, [roads.leg(goods.start, goods.goal, goods.start_name, goods.goal_name)],
                   tonnes=goods.tonnes, wanted=wanted)  # fmt: skip
    others, missing = [], []
    for way, slug in ((Way.RIVER, wanted.waterways), (Way.RAIL, wanted.railways)):
        lines = _lines(viewer, territory, slug)
        among = [one for one in known if one.way == way and one.takes(goods.packing)]
        chains = _chains(goods, among, lines, roads, wanted)
        made = [carried(way, legs, tonnes=goods.tonnes, wanted=wanted) for legs in chains]
        if made:
            others.append(min(made, key=lambda one: sum(one.co2_t)))
        else:
            missing.append(way)
    slugs = (wanted.quays, wanted.stations, wanted.waterways, wanted.railways)
    read = (_known(viewer, territory, slug) for slug in slugs)
    return Compared(road, tuple(others), tuple(missing), tuple(one for one in read if one is not None))


def _chains(
    goods: Goods, among: Sequence[Terminal], lines: Sequence[shapely.Geometry], roads: _Roads, wanted: Freight
) -> list[list[Leg]]:
    """Return the chains by two different terminals, each among the nearest to its end of the flow."""
    ends = []
    for place in (goods.start, goods.goal):
        near = [one for one in among if straight_m(place, (one.lon, one.lat)) <= 1000 * wanted.farthest_km]
        ends.append(sorted(near, key=lambda one: straight_m(place, (one.lon, one.lat)))[:NEAREST])
    found = []
    for first, last in product(*ends):
        if first == last:
            continue
        here, there = (first.lon, first.lat), (last.lon, last.lat)
        metres = along_m(lines, here, there)
        known = Known.STRAIGHT if metres is None else Known.NETWORK
        km = (straight_m(here, there) * wanted.detour if metres is None else metres) / 1000
        legs = [Leg(first.way, first.name, last.name, km, known)]
        # Goods that start or end on the quay itself need no lorry there.
        if straight_m(goods.start, here) > AT_THE_QUAY_M:
            legs.insert(0, roads.leg(goods.start, here, goods.start_name, first.name))
        if straight_m(there, goods.goal) > AT_THE_QUAY_M:
            legs.append(roads.leg(there, goods.goal, last.name, goods.goal_name))
        found.append(legs)
    return found


class _Roads:
    """Kilometres by road: by the streets of the town where they hold both ends, else straight with a detour."""

    def __init__(self, territory: str, detour: float, at: datetime) -> None:
        self._territory, self._detour, self._at = territory, detour, at
        self._ready = mobility.has_graph(territory)
        self._found: dict[tuple[Place, Place], tuple[float, Known]] = {}

    def leg(self, start: Place, goal: Place, start_name: str, goal_name: str) -> Leg:
        """Return the leg of a lorry between two places."""
        if (start, goal) not in self._found:
            self._found[start, goal] = self._length(start, goal)
        km, known = self._found[start, goal]
        return Leg(Way.ROAD, start_name, goal_name, km, known)

    def _length(self, start: Place, goal: Place) -> tuple[float, Known]:
        if self._ready:
            try:
                found = mobility.route(self._territory, profile=mobility.profile(PROFILE), start=start, goal=goal,
                                       at=self._at, explained=False)  # fmt: skip
            except BeffroiError:
                # An end out of the town is not on its streets: the straight line is told as such.
                found = None
            if found is not None and found.routes:
                return found.routes[0].length_m / 1000, Known.STREETS
        return straight_m(start, goal) * self._detour / 1000, Known.STRAIGHT


def _known(viewer: Viewer, territory: str, slug: str) -> DatasetSummary | None:
    try:
        return lake.dataset(viewer, DatasetRef(territory, slug)).summary
    except DatasetNotFound:
        return None


def _lines(viewer: Viewer, territory: str, slug: str) -> list[shapely.Geometry]:
    source = _known(viewer, territory, slug)
    if source is None or source.geometry_type is None:
        return []
    rows = lake.rows(viewer, source.ref, columns=["geometry"], max_rows=MOST_LINES).rows
    return [shapely.from_wkb(bytes(row[0])) for row in rows if row[0] is not None]
