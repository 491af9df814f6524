"""How far things are, in a straight line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Degrees = float | npt.NDArray[np.float64]

METRES_PER_DEGREE = 111_195.0
"""Of a meridian, on a sphere of radius 6,371 km."""


def distances_m(
    lons: npt.NDArray[np.float64], lats: npt.NDArray[np.float64], lon: Degrees, lat: Degrees
) -> npt.NDArray[np.float64]:
    """Return the distances from points to one point, or to as many, all in degrees (CRS84), in metres; NaN from NaN.

    On a plane that touches the sphere at the point asked. Error measured against the geodesic on WGS 84, between 41°
    and 51° north: under 0.4 % up to 5 km.
    """
    east = (lons - lon) * np.cos(np.radians(lat)) * METRES_PER_DEGREE
    north = (lats - lat) * METRES_PER_DEGREE
    distances: npt.NDArray[np.float64] = np.hypot(east, north)
    return distances
