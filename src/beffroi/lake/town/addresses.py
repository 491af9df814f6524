"""Addresses: even on one side, odd on the other, rising along the street from its start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from beffroi.lake.town.blocks import Parcels
from beffroi.lake.town.buildings import Buildings, Frontage, inward
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.streets import Network


@dataclass(slots=True)
class Addresses:
    """One row per address. `building` and `parcel` are indexes; `point` (n, 2) lies on the parcel, by its gate."""

    street: Array
    number: Array
    building: Array
    parcel: Array
    point: Array
    key: Array
    of_building: Array


def number_addresses(
    network: Network, parcels: Parcels, frontage: Frontage, buildings: Buildings, *, street_codes: Array
) -> Addresses:
    """Number every main building that has a street; `of_building` is the index of its address, or -1."""
    chosen = np.flatnonzero(buildings.main & frontage.open[buildings.parcel])
    parcel = buildings.parcel[chosen]
    street = frontage.street[parcel]
    body = shapely.get_coordinates(shapely.point_on_surface(buildings.shape[chosen]))
    gate = frontage.gate[parcel]
    axis = network.streets[street]
    here = shapely.points(body)
    along = shapely.line_locate_point(axis, here)
    before = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.maximum(along - 1.0, 0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(axis, np.minimum(along + 1.0, shapely.length(axis))))
    tangent, arm = after - before, body - (before + after) / 2
    left = tangent[:, 0] * arm[:, 1] - tangent[:, 1] * arm[:, 0] > 0
    order = np.lexsort((body[:, 1], body[:, 0], along, left, street))
    group = street[order] * 2 + left[order]
    rank = np.arange(len(order)) - np.searchsorted(group, group)
    number = np.empty(len(order), dtype=int)
    number[order] = 2 * rank + np.where(left[order], 1, 2)
    point = np.where(
        (np.bincount(parcel, minlength=len(parcels.shape))[parcel] > 1)[:, None], body, inward(gate, body, 1.2)
    )
    outside = ~shapely.contains_xy(parcels.shape[parcel], point[:, 0], point[:, 1])
    point[outside] = body[outside]
    final = np.lexsort((number, street))
    of_building = np.full(len(buildings.shape), -1)
    of_building[chosen[final]] = np.arange(len(final))
    key = np.char.add(
        np.char.add("00001_", street_codes[street[final]]),
        np.char.add("_", np.char.zfill(number[final].astype(str), 5)),
    )
    return Addresses(
        street=street[final],
        number=number[final],
        building=chosen[final],
        parcel=parcel[final],
        point=point[final],
        key=key,
        of_building=of_building,
    )
