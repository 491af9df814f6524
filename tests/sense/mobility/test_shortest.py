"""The search gives the cheapest way: the same as SciPy's Dijkstra on the same costs, for every profile."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.fields import field_of, places_on, seconds_at
from beffroi.sense.mobility.ground import OffTheStreets
from beffroi.sense.mobility.layers import CLEAR, Layer, Overlay
from beffroi.sense.mobility.osm import read_osm
from beffroi.sense.mobility.profiles import load_profiles
from beffroi.sense.mobility.router import Router
from beffroi.sense.mobility.routes import pieces_of
from beffroi.sense.mobility.terrain import read_terrain

AT = datetime(2026, 11, 25, tzinfo=UTC)
# A thousand pairs of each profile were compared on 26 November 2026 (docs/benchmarks.md): too long for each run.
PAIRS = int(os.environ.get("ROUTE_PAIRS", "25"))


@pytest.fixture(scope="module")
def monaco(open_data: Path) -> Router:
    """The streets of Monaco, with the slopes of the SRTM cell beside them."""
    streets = read_osm(open_data / "osm" / "monaco-latest.osm.pbf")
    ground = read_terrain(open_data / "osm" / "N43E007.hgt.zip")
    return Router(assemble(streets, territory="monaco", at=AT, version="test", terrain=ground))


def costs_between(router: Router, layer: Layer) -> csr_matrix:
    """The cheapest arc between each pair of ends, as SciPy wants it; a second opinion owes nothing to our loops."""
    tails, heads = router.tails_of(layer), layer.topology.heads
    usable = np.isfinite(layer.live)
    order = np.argsort(-layer.live[usable], kind="stable")
    count = len(layer.topology.place)
    dense: dict[tuple[int, int], float] = {}
    for tail, head, cost in zip(
        tails[usable][order].tolist(), heads[usable][order].tolist(), layer.live[usable][order].tolist(), strict=True
    ):
        dense[tail, head] = cost
    keys = np.array(list(dense), dtype=np.int64).reshape(-1, 2)
    return csr_matrix((list(dense.values()), (keys[:, 0], keys[:, 1])), shape=(count, count))


def cheapest(router: Router, layer: Layer, matrix: csr_matrix, start: Any, goal: Any) -> float:
    starts, start_costs, _ = router.leaving(layer, start)
    goals, goal_costs, _ = router.reaching(layer, goal)
    kept = np.isfinite(start_costs)
    along = router.along_one(layer, start, goal)
    found = [along[0]] if along else [np.inf]
    for end, cost in zip(starts[kept].tolist(), start_costs[kept].tolist(), strict=True):
        found.append(float((dijkstra(matrix, indices=end)[goals] + goal_costs).min()) + cost)
    return min(found)


def compared(router: Router, layer: Layer, seed: int, pairs: int) -> int:
    """Compare on random pairs; return how many had a way."""
    rng = np.random.default_rng(seed)
    matrix, had = costs_between(router, layer), 0
    for first, second in rng.integers(0, len(router.graph), (pairs, 2)).tolist():
        try:
            start = router.spot(*router.place(first, 0.3), layer)
            goal = router.spot(*router.place(second, 0.6), layer)
        except OffTheStreets:
            continue
        found = router.path(layer, start, goal)
        expected = cheapest(router, layer, matrix, start, goal)
        if found is None:
            assert not np.isfinite(expected)
        else:
            assert found.cost == pytest.approx(expected, rel=1e-5)
            had += 1
    return had


@pytest.mark.parametrize("slug", list(load_profiles()[0]))
def test_as_cheap_as_dijkstra(monaco: Router, slug: str) -> None:
    assert compared(monaco, monaco.layer(load_profiles()[0][slug]), seed=7, pairs=PAIRS) > PAIRS // 4


@pytest.mark.parametrize(
    ("slug", "settings"), [("fauteuil-manuel", {"max_slope_pct": 5}), ("fauteuil-manuel", {"max_slope_pct": 14})]
)
def test_as_cheap_once_the_person_set_it(monaco: Router, slug: str, settings: dict[str, float]) -> None:
    # A stricter setting keeps the landmarks' bounds, a looser one must do without them.
    compared(monaco, monaco.layer(load_profiles()[0][slug].adjusted(**settings)), seed=8, pairs=12)  # type: ignore[arg-type]


def test_as_cheap_with_a_thousand_obstacles(monaco: Router) -> None:
    rng = np.random.default_rng(3)
    closed = {int(one): (0.5,) for one in rng.integers(0, len(monaco.graph), 500)}
    slowed = {int(one): 60.0 for one in rng.integers(0, len(monaco.graph), 500)}
    monaco.lay({"a-pied": Overlay(closed, slowed)})
    try:
        layer = monaco.layer(load_profiles()[0]["a-pied"])
        assert layer.overlay != CLEAR
        compared(monaco, layer, seed=9, pairs=PAIRS)
    finally:
        monaco.lay({})
    assert monaco.layer(load_profiles()[0]["a-pied"]).live is monaco.layer(load_profiles()[0]["a-pied"]).base


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("slug", ["a-pied", "fauteuil-manuel", "voiture"])
def test_times_to_many_places_are_those_of_the_routes(monaco: Router, slug: str, backwards: bool) -> None:
    rng = np.random.default_rng(11)
    closed = {int(one): (0.4,) for one in rng.integers(0, len(monaco.graph), 200)}
    slowed = {int(one): 90.0 for one in rng.integers(0, len(monaco.graph), 200)}
    monaco.lay({slug: Overlay(closed, slowed)})
    try:
        layer = monaco.layer(load_profiles()[0][slug])
        usable = np.flatnonzero(layer.usable)
        where = [
            monaco.place(int(one), float(share)) for one, share in zip(usable, rng.random(len(usable)), strict=True)
        ]
        spots = [monaco.spot(*where[int(one)], layer) for one in rng.integers(0, len(where), 3)]
        # As many places on obstructed streets and beside a spot as on any street.
        odd = [rank for rank, one in enumerate(usable.tolist()) if one in closed or one in slowed]
        chosen = [*rng.integers(0, len(where), 30).tolist(), *odd[:30]]
        some = [where[rank] for rank in chosen] + [monaco.place(one.segment, 0.5) for one in spots]
        seconds, owner = seconds_at(
            monaco, layer, field_of(monaco, layer, spots, backwards=backwards), places_on(monaco, layer, some)
        )
        for place, told, whose in zip(some, seconds.tolist(), owner.tolist(), strict=True):
            here = monaco.spot(*place, layer)
            found = [monaco.path(layer, *((here, spot) if backwards else (spot, here))) for spot in spots]
            best = min((one for one in found if one is not None), key=lambda one: one.cost, default=None)
            if best is None:
                assert not np.isfinite(told)
            else:
                assert found[whose] in [one for one in found if one and one.cost == pytest.approx(best.cost, rel=1e-5)]
                walked = sum(layer.costs.time[piece.arc] * piece.share for piece in pieces_of(best))
                assert told == pytest.approx(float(walked), rel=2e-2, abs=0.5)
    finally:
        monaco.lay({})


@pytest.mark.parametrize("extract", ["andorra.osm.pbf", "redon.osm", "lemans_centre.osm.gz"])
def test_real_extracts_make_a_graph(open_data: Path, extract: str) -> None:
    streets = read_osm(open_data / "osm" / extract)
    graph = assemble(streets, territory="x", at=AT, version="test")
    assert len(graph) > 300
    _, counts = np.unique(graph.component, return_counts=True)
    assert counts.max() / graph.ends > 0.9
    assert np.isnan(graph.steepest_up_pct).mean() > 0.9, "no terrain: a slope nobody told is unknown, not flat"
    assert sorted(np.asarray(graph.walk_arcs).tolist()) == list(range(2 * len(graph)))
