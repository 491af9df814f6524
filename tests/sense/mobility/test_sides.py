"""Where pavements are ways of their own, an obstacle closes the side on which it stands, and that side alone."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.graph import METRES_PER_DEGREE
from beffroi.sense.mobility.obstacles import ObstacleInfo, overlays, standing
from beffroi.sense.mobility.profiles import profile_named
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import Confidence, Kind, Mode, Origin

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
APART_M, LONG_M = 3.0, 100.0
NORTH, STREET, SOUTH, CROSSING = range(4)


@pytest.fixture(scope="module")
def narrow_street() -> Router:
    """A street of 100 m with a pavement drawn 3 m away on each side, and a crossing between them at its east end."""

    def place(east_m: float, north_m: float) -> tuple[float, float]:
        return east_m / METRES_PER_DEGREE, north_m / METRES_PER_DEGREE

    lines = [(place(0, side), place(LONG_M, side)) for side in (APART_M, 0.0, -APART_M)]
    lines.append((lines[NORTH][1], lines[SOUTH][1]))
    columns = blank_columns(4)
    columns["kind"][:] = [Kind.FOOTWAY, Kind.STREET, Kind.FOOTWAY, Kind.CROSSING]
    columns["forward"][:] = columns["backward"][:] = int(Mode.FOOT)
    streets = Streets(
        points=np.array([one for line in lines for one in line]), offset=np.arange(0, 9, 2),
        tail=np.array([0, 2, 4, 1]), head=np.array([1, 3, 5, 5]), columns=columns, origin=blank_origin(4),
        origins=[Origin("essai", "2026-01-01", Confidence.MEASURED)], names=[],
    )  # fmt: skip
    return Router(assemble(streets, territory="x", at=AT, version="sides"))


def touched(router: Router, kind: str, north_m: float, east_m: float = 50.0, radius_m: float = 4.0) -> set[int]:
    one = ObstacleInfo(
        id=1, territory="x", subject="r:1", kind=kind, title="", label="", lon=east_m / METRES_PER_DEGREE,
        lat=north_m / METRES_PER_DEGREE, radius_m=radius_m, starts_at=AT, until=None,
    )  # fmt: skip
    (found,) = standing(router, [one])
    return {segment for segment, _ in found.touched}


@pytest.mark.parametrize(
    ("kind", "north_m", "closed"),
    [
        ("trottoir-encombre", 2.6, {NORTH}),
        ("trottoir-encombre", -2.6, {SOUTH}),
        ("travaux", 0.0, {STREET}),
        ("rue-fermee", 0.0, {NORTH, STREET, SOUTH}),
        ("inondation", 2.6, {NORTH, STREET}),
    ],
)
def test_the_side_it_is_on(narrow_street: Router, kind: str, north_m: float, closed: set[int]) -> None:
    assert touched(narrow_street, kind, north_m) == closed


def test_wide_works_take_all_they_reach(narrow_street: Router) -> None:
    assert touched(narrow_street, "travaux", 0.0, radius_m=10.0) == {NORTH, STREET, SOUTH}


def test_in_the_middle_of_the_carriageway_only_the_crossing_is_shut(narrow_street: Router) -> None:
    assert touched(narrow_street, "travaux", 0.0, east_m=LONG_M) == {STREET, CROSSING}


def test_the_other_pavement_is_still_a_way(narrow_street: Router) -> None:
    one = ObstacleInfo(
        id=1, territory="x", subject="r:1", kind="trottoir-encombre", title="", label="",
        lon=50 / METRES_PER_DEGREE, lat=APART_M / METRES_PER_DEGREE, radius_m=4.0, starts_at=AT, until=None,
    )  # fmt: skip
    narrow_street.lay(overlays(standing(narrow_street, [one])))
    layer = narrow_street.layer(profile_named("fauteuil-manuel"))
    assert {segment for segment in range(4) if segment in layer.overlay.closed} == {NORTH}
    narrow_street.lay({})
