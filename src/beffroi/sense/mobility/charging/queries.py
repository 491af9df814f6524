"""What one may ask of charging: the stations of a town, their points and plugs, and whether one is free now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.mobility.charging import dynamic
from beffroi.sense.mobility.charging.dynamic import State, Told
from beffroi.sense.mobility.charging.polling import KIND
from beffroi.sense.mobility.charging.sources import Source, sources
from beffroi.sense.mobility.models import LiveMessage

PLUGS = ("2", "combo_ccs", "chademo", "ef", "autre")
MOST = 20_000
_TEXTS = ("id_station_itinerance", "id_pdc_itinerance", "nom_station", "nom_operateur", "nom_enseigne",
          "telephone_operateur", "adresse_station", "tarification", "condition_acces", "horaires",
          "accessibilite_pmr", "restriction_gabarit")  # fmt: skip
_FLAGS = ("gratuit", "reservation", "paiement_cb", "station_deux_roues", *(f"prise_type_{plug}" for plug in PLUGS))
_PARSED: dict[tuple[str, str], tuple[object, dict[str, Told]]] = {}


@dataclass(frozen=True, slots=True)
class Point:
    """A charging point: one vehicle charges there. `plugs` that work; `state` is unknown unless reported lately."""

    id: str
    power_kw: float | None
    plugs: tuple[str, ...]
    state: State
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Station:
    """A station as the static file tells it (degrees, CRS84), and its points. Texts are empty where nothing is told."""

    id: str
    name: str
    operator: str
    network: str
    phone: str
    address: str
    lon: float
    lat: float
    price: str
    is_free_of_charge: bool | None
    access: str
    hours: str
    wheelchair: str
    two_wheels_only: bool
    points: tuple[Point, ...]

    def count(self, state: State) -> int:
        """Return how many points are in a state."""
        return sum(one.state is state for one in self.points)

    @property
    def state(self) -> State:
        """Return the best state of its points: free, else unknown, else busy, else out of order."""
        known = {one.state for one in self.points}
        return next(one for one in (State.FREE, State.UNKNOWN, State.BUSY, State.OUT) if one in known)

    @property
    def told_at(self) -> datetime | None:
        """Return the oldest instant that its known states rest on."""
        told = [one.told_at for one in self.points if one.told_at is not None and one.state is not State.UNKNOWN]
        return min(told, default=None)

    @property
    def power_kw(self) -> float | None:
        """Return the power of its strongest point."""
        return max((one.power_kw for one in self.points if one.power_kw is not None), default=None)

    @property
    def plugs(self) -> tuple[str, ...]:
        """Return the plugs that some point of it has."""
        return tuple(plug for plug in PLUGS if any(plug in one.plugs for one in self.points))


def stations(viewer: Viewer, ref: DatasetRef, *, at: datetime) -> list[Station]:
    """Return the stations of a dataset at the national schema, with the state of each point at an instant."""
    known = {column.key for column in lake.dataset(viewer, ref).columns}
    keys = [key for key in (*_TEXTS, *_FLAGS, "puissance_nominale") if key in known]
    found = lake.rows(viewer, ref, columns=[*keys, GEOMETRY], max_rows=MOST)
    states = _states(ref.territory, at)
    groups: dict[object, list[dict[str, Any]]] = {}
    for row in found.rows:
        told = dict(zip([*keys, GEOMETRY], row, strict=True))
        if told[GEOMETRY] is not None:
            groups.setdefault(_station_key(told), []).append(told)
    return [_station(rows, states) for rows in groups.values()]


def _station_key(told: Mapping[str, Any]) -> object:
    """Return what the points of one station share; those that are in no roaming, their name and place."""
    number = str(told.get("id_station_itinerance") or "")
    return number if number and number != "Non concerné" else (told.get("nom_station"), bytes(told[GEOMETRY]))


def _states(territory: str, at: datetime) -> dict[str, tuple[Told, bool]]:
    """Return the state of each point, and whether it was reported lately enough to be believed."""
    states: dict[str, tuple[Told, bool]] = {}
    for source in sources(territory)[0]:
        for number, told in _read(source).items():
            before = states.get(number)
            if before is None or before[0].at < told.at:
                states[number] = (told, abs(at - told.at) <= source.holds)
    return states


def _read(source: Source) -> dict[str, Told]:
    rows = LiveMessage.objects.filter(territory=source.territory, feed=source.feed, kind=KIND, fetched_at__isnull=False)
    row = rows.defer("content").first()
    if row is None:
        return {}
    key = (source.territory, source.feed)
    kept = _PARSED.get(key)
    mark = (row.pk, row.number, row.told_at)
    if kept is None or kept[0] != mark:
        kept = _PARSED[key] = (mark, dynamic.read(bytes(row.content), where=KIND))
    return kept[1]


def _station(rows: Sequence[Mapping[str, Any]], states: Mapping[str, tuple[Told, bool]]) -> Station:
    first = rows[0]
    text = {key: str(first.get(key) or "") for key in _TEXTS}
    place = shapely.centroid(shapely.from_wkb(bytes(first[GEOMETRY])))
    return Station(
        id=text["id_station_itinerance"], name=text["nom_station"] or text["adresse_station"],
        operator=text["nom_operateur"], network=text["nom_enseigne"], phone=text["telephone_operateur"],
        address=text["adresse_station"], lon=place.x, lat=place.y, price=text["tarification"],
        is_free_of_charge=_flag(first.get("gratuit")), access=text["condition_acces"],
        hours=text["horaires"], wheelchair=text["accessibilite_pmr"],
        two_wheels_only=bool(_flag(first.get("station_deux_roues"))),
        points=tuple(sorted((_point(row, states) for row in rows), key=lambda one: one.id)),
    )  # fmt: skip


def _flag(value: Any) -> bool | None:
    """Read a flag as publishers write it, None where it is not told.

    >>> _flag(True), _flag("TRUE"), _flag("0"), _flag(None)
    (True, True, False, None)
    """
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "vrai": True, "false": False, "0": False, "faux": False}.get(str(value).casefold())


def _point(row: Mapping[str, Any], states: Mapping[str, tuple[Told, bool]]) -> Point:
    number, power = str(row.get("id_pdc_itinerance") or ""), row.get("puissance_nominale")
    told, fresh = states.get(number, (None, False))
    broken = told.broken if told is not None and fresh else frozenset()
    return Point(
        id=number,
        power_kw=float(power) if isinstance(power, int | float) and not isinstance(power, bool) else None,
        plugs=tuple(plug for plug in PLUGS if _flag(row.get(f"prise_type_{plug}")) and plug not in broken),
        state=told.state if told is not None and fresh else State.UNKNOWN,
        told_at=told.at if told is not None else None,
    )
