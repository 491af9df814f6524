"""The lamps of a town as its inventory tells them: where, what they draw and give, when they go out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from beffroi.base.territory.viewer import Viewer
from beffroi.lake.layer_settings import Lighting
from beffroi.lake.queries import DatasetDetail
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.lighting import nights
from beffroi.sense.twin.lighting.nights import Window
from beffroi.sense.twin.plane import Plane
from beffroi.sense.twin.written import read_rows

USUAL_HEIGHT_M = 6.0
LED_LM_PER_W, OTHER_LM_PER_W = 120.0, 90.0
"""What a lamp gives when its inventory does not say it: assumptions, told with how many lamps they are used for."""


@dataclass(frozen=True, slots=True, eq=False)
class Lamps:
    """The lamps, one row each: metres of the plane, watts, lumens, kelvin (0 unknown), metres above the ground.

    `regime` is the rank in `regimes` of when each goes out (None: it burns all night). `complete` tells which lamps
    have all that art. 5 of the decree of 2018 asks to hold ready; `assumed` counts what had to be assumed.
    """

    ids: list[str]
    at: NDArray[np.float64]
    power_w: NDArray[np.float64]
    flux_lm: NDArray[np.float64]
    kelvin: NDArray[np.float64]
    height_m: NDArray[np.float64]
    led: NDArray[np.bool_]
    regime: NDArray[np.intp]
    regimes: tuple[Window | None, ...]
    laid: tuple[date | None, ...]
    streets: tuple[str, ...]
    complete: NDArray[np.bool_]
    assumed: dict[str, int]

    def __len__(self) -> int:
        return len(self.ids)


def read_lamps(viewer: Viewer, detail: DatasetDetail, wanted: Lighting, plane: Plane) -> Lamps:
    """Return the lamps of a dataset that say where they are and what they draw."""
    known = {column.key for column in detail.columns}
    keys = [wanted.power, wanted.flux, wanted.kelvin, wanted.height, wanted.source, wanted.off, wanted.laid,
            wanted.street]  # fmt: skip
    present = [key for key in dict.fromkeys(keys) if key in known]
    rows = [
        dict(zip(["_id", *present, GEOMETRY], row, strict=True))
        for row in read_rows(viewer, detail, "_id", *present, GEOMETRY)
    ]
    rows = [row for row in rows if row[GEOMETRY] is not None and _number(row.get(wanted.power)) is not None]
    points = shapely.centroid(shapely.from_wkb([bytes(row[GEOMETRY]) for row in rows]))
    return _lamps(rows, plane.metres(shapely.get_coordinates(points).reshape(-1, 2)), wanted)


def _lamps(rows: Sequence[dict[str, Any]], at: NDArray[np.float64], wanted: Lighting) -> Lamps:
    led = np.array(["led" in str(row.get(wanted.source) or "").casefold() for row in rows], dtype=bool)
    power = _column(rows, wanted.power)
    flux, kelvin, height = (_column(rows, key) for key in (wanted.flux, wanted.kelvin, wanted.height))
    assumed = {"flux": int(np.isnan(flux).sum()), "height": int(np.isnan(height).sum())}
    complete = ~(np.isnan(flux) | np.isnan(kelvin))
    regimes: dict[Window | None, int] = {None: 0}
    ranks, unread = [], 0
    for row in rows:
        told: Window | None = None
        try:
            told = nights.window(str(row.get(wanted.off) or ""))
        except ValueError:
            unread += 1
        ranks.append(regimes.setdefault(told, len(regimes)))
    days = [row.get(wanted.laid) for row in rows]
    return Lamps(
        ids=[str(row["_id"]) for row in rows],
        at=at,
        power_w=power,
        flux_lm=np.where(np.isnan(flux), power * np.where(led, LED_LM_PER_W, OTHER_LM_PER_W), flux),
        kelvin=np.nan_to_num(kelvin),
        height_m=np.where(np.isnan(height), USUAL_HEIGHT_M, np.maximum(height, 0.3)),
        led=led,
        regime=np.array(ranks, dtype=np.intp),
        regimes=tuple(regimes),
        laid=tuple(day if isinstance(day, date) else None for day in days),
        streets=tuple(str(row.get(wanted.street) or "") for row in rows),
        complete=complete,
        assumed={**assumed, "regime": unread},
    )


def _column(rows: Sequence[dict[str, Any]], key: str) -> NDArray[np.float64]:
    found = (_number(row.get(key)) for row in rows)
    return np.array([math.nan if one is None else one for one in found], dtype=float)


def _number(value: Any) -> float | None:
    try:
        read = float(value)
    except (TypeError, ValueError):
        return None
    return read if math.isfinite(read) and read >= 0 else None
