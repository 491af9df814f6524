"""Places and boxes in longitude, latitude (OGC:CRS84, degrees). Nothing is measured in degrees."""

from __future__ import annotations

from typing import NamedTuple

from beffroi.base.kernel.errors import BeffroiError


class BBox(NamedTuple):
    """A box in degrees, CRS84 order: west, south, east, north."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parsed(cls, text: str) -> BBox:
        """Read ``"west,south,east,north"``; a six-number OGC box drops its heights.

        Raises:
            BeffroiError: not four or six finite numbers, out of the globe, or south above north.

        >>> BBox.parsed("3.8,43.5,3.9,43.6")
        BBox(west=3.8, south=43.5, east=3.9, north=43.6)
        """
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 6:
            numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
        # Written so that NaN fails too.
        ok = (
            len(numbers) == 4
            and all(-180 <= x <= 180 for x in numbers[::2])
            and all(-90 <= y <= 90 for y in numbers[1::2])
        )
        if not ok or numbers[1] > numbers[3]:
            raise BeffroiError(
                "emprise « {text} » illisible",
                where="bbox",
                remedy="donnez ouest,sud,est,nord en degrés, par exemple 3.80,43.56,3.94,43.65",
                text=text[:80],
            )
        return cls(*numbers)
