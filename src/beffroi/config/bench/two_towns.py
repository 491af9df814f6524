"""The streets of the route benchmark: two fictional towns side by side, joined by three roads, as one extract."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from beffroi.lake.town.files import Origin
from beffroi.lake.town.plan import Scale
from beffroi.lake.town.streets import Way, draw_network
from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.exporting import write_osm
from beffroi.sense.mobility.streets import Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import Confidence, Kind, Mode
from beffroi.sense.mobility.vocabulary import Origin as Source

AT = datetime(2026, 1, 1, tzinfo=UTC)
_KINDS = {Way.BOULEVARD: Kind.ROAD_MAJOR, Way.ROAD: Kind.ROAD_MAJOR, Way.QUAY: Kind.ROAD, Way.AVENUE: Kind.ROAD,
          Way.STREET: Kind.STREET, Way.CUL_DE_SAC: Kind.STREET, Way.TRACK: Kind.TRACK}  # fmt: skip
GAP_M = 300.0


def write_extract(path: Path, *, population: int) -> None:
    """Draw both towns and write them as OpenStreetMap data."""
    lines, ways, shift = [], [], 0.0
    for seed in (1, 2):
        network = draw_network(Scale.of(population), seed)
        moved = shapely.transform(network.segments, lambda places, by=shift: places + np.array([by, 0.0]))
        lines.append(moved)
        ways.append(network.way[network.street_of_segment])
        shift += float(network.boundary.bounds[2] - network.boundary.bounds[0]) + GAP_M
    joints = _joints(*(line[way != Way.TRACK] for line, way in zip(lines, ways, strict=True)))
    segments = np.concatenate([*lines, joints])
    way = np.concatenate([*ways, np.full(len(joints), int(Way.ROAD))])
    degrees = shapely.transform(segments, Origin.at_sea().degrees)
    graph = assemble(_streets(degrees, way), territory="bench", at=AT, version="bench")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"part-{path.name}")
    aside.unlink(missing_ok=True)
    write_osm(graph, aside)
    aside.rename(path)


def _joints(left: Any, right: Any) -> Any:
    """Join the streets of the two towns where they come nearest, in three bands from south to north."""
    ends = [shapely.get_coordinates(shapely.get_point(side, 0)) for side in (left, right)]
    bands = np.quantile(np.concatenate(ends)[:, 1], [0.3, 0.45, 0.55, 0.7])
    found = []
    for low, high in pairwise(bands):
        inside = [side[(side[:, 1] >= low) & (side[:, 1] < high)] for side in ends]
        found.append(shapely.linestrings([inside[0][inside[0][:, 0].argmax()], inside[1][inside[1][:, 0].argmin()]]))
    return np.array(found, dtype=object)


def _streets(segments: Any, way: Any) -> Streets:
    points = shapely.get_coordinates(segments)
    offset = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(segments))])
    both = np.concatenate([points[offset[:-1]], points[offset[1:] - 1]])
    number = np.unique(np.round(both * 1e7).astype(np.int64), axis=0, return_inverse=True)[1].reshape(-1)
    columns = blank_columns(len(segments))
    columns["kind"] = np.array([_KINDS[Way(one)] for one in range(len(_KINDS))], np.uint8)[way]
    everyone = int(Mode.FOOT | Mode.BICYCLE | Mode.CAR | Mode.LORRY)
    columns["forward"][:] = columns["backward"][:] = everyone
    columns["speed_kmh"][:] = 30
    return Streets(
        points=points, offset=offset, tail=number[: len(segments)], head=number[len(segments) :], columns=columns,
        origin=blank_origin(len(segments)), names=[],
        origins=[Source("ville fictive", "2026-01-01", Confidence.DECLARED)],
    )  # fmt: skip
