"""What a condition is asked of: the columns a reader may name, the boxes, and the way to exact shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from beffroi.lake import columns
from beffroi.lake.columns import Boxes, Stored
from beffroi.lake.cql import BadFilter, Property
from beffroi.lake.reading import Column

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Shapes = Callable[[Rows], Any]
"""Give the shapes of rows, as an array of shapely's."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a question is asked of: the columns a reader may name, the boxes, and the way to exact shapes."""

    home: Path
    data: Path
    known: Mapping[str, Column]
    count: int
    has_geometry: bool
    shapes: Shapes

    def boxes(self) -> Boxes:
        """Return the boxes of the features."""
        return columns.boxes(self.home, self.data)

    def stored(self, asked: Property) -> tuple[Column, Stored]:
        """Return a column and its values.

        Raises:
            BadFilter: there is none of that name for this reader.
        """
        if asked.key not in self.known:
            raise BadFilter(
                "propriété « {name} » inconnue",
                remedy="propriétés : {known}",
                name=asked.key[:80],
                known=", ".join(list(self.known)[:40]),
            )
        found = self.known[asked.key]
        return found, columns.column(self.home, self.data, found)
