"""How far the places of a service are: by the time of the walk where the streets are known, else as the crow flies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.around import METRES_PER_DEGREE
from beffroi.faces.shell.addresses import Address
from beffroi.faces.shell.templatetags.shell import number
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetRef, Filter
from beffroi.sense.mobility import queries as mobility

WALKER = "a-pied"
MOST_PLACED = 20_000


@dataclass(frozen=True, slots=True)
class Away:
    """How far a place is, as it is read; `order` ranks places, `walked` tells that the way was counted."""

    order: float
    said: str
    walked: bool


def away_of(
    viewer: Viewer, ref: DatasetRef, ids: Sequence[str], *, where: tuple[Filter, ...], near: Address, most: int
) -> dict[str, Away]:
    """Return the `most` things of `ids` nearest to a place, each with how far it is."""
    placed = _placed(viewer, ref, where)
    known = [one for one in ids if one in placed]
    away = nearest_of(ref.territory, near, [placed[one] for one in known], most=most)
    return {known[rank]: one for rank, one in away.items()}


def nearest_of(territory: str, near: Address, among: Sequence[tuple[float, float]], *, most: int) -> dict[int, Away]:
    """Return the `most` nearest of these places (CRS84) by their ranks, each with how far it is, nearest first."""
    found = _walked(territory, near, among, most) if len(among) <= MOST_PLACED else None
    if found is None:
        return _straight(near, among, most)
    return {rank: Away(seconds, _minutes(seconds), True) for rank, seconds in found}


def _placed(viewer: Viewer, ref: DatasetRef, where: tuple[Filter, ...]) -> dict[str, tuple[float, float]]:
    """Return a point of each thing: itself, or the one of its shape that represents it."""
    found = lake.rows(viewer, ref, columns=["_id", "geometry"], where=where, max_rows=MOST_PLACED)
    read = [(one, bytes(shape)) for one, shape in found.rows if shape is not None]
    points = shapely.point_on_surface(shapely.from_wkb([shape for _one, shape in read]))
    return {one: (point.x, point.y) for (one, _shape), point in zip(read, points, strict=True)}


def _walked(
    territory: str, near: Address, among: Sequence[tuple[float, float]], most: int
) -> list[tuple[int, float]] | None:
    """Return the ranks of the nearest by the way and the seconds to each, None where no way can be counted."""
    if not among or not mobility.has_graph(territory):
        return None
    try:
        profile = mobility.profile(WALKER)
        ranked = mobility.nearest(
            territory, profile=profile, place=(near.lon, near.lat), among=among, at=now(), most=most
        )
    except BeffroiError:
        # Far from any street, or no engine: the straight line, said as such.
        return None
    return [(one.rank, one.seconds) for one in ranked]


def _straight(near: Address, among: Sequence[tuple[float, float]], most: int) -> dict[int, Away]:
    east_m = METRES_PER_DEGREE * math.cos(math.radians(near.lat))
    metres = [math.hypot((lon - near.lon) * east_m, (lat - near.lat) * METRES_PER_DEGREE) for lon, lat in among]
    nearest = sorted(range(len(metres)), key=lambda rank: metres[rank])[:most]
    return {rank: Away(metres[rank], _metres(metres[rank]), False) for rank in nearest}


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return ngettext("à {n} minute à pied", "à {n} minutes à pied", minutes).format(n=minutes)


def _metres(metres: float) -> str:
    if metres < 1000:
        return _("à {n} m à vol d’oiseau").format(n=number(max(10, round(metres, -1))))
    return _("à {n} km à vol d’oiseau").format(n=number(round(metres / 1000, 1)))
