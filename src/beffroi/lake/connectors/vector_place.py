"""Geometries as published, made fit for the lake: placed in CRS84, repaired, and what was done counted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.connectors.vector_curves import straightened
from beffroi.lake.detect.crs import (
    CANDIDATES,
    Box,
    CrsFound,
    detect_crs,
    geometries_to_crs84,
    widened,
)
from beffroi.lake.reading import Evidence, ReadOptions

Geometries = NDArray[np.object_]

OUTSIDE = Sentence("objets hors de l’emprise attendue, gardés tels que publiés")
# What is counted, in the order of the report. The rows themselves are all kept.
_COUNTED: dict[str, Sentence] = {
    "absent": Sentence("objets sans géométrie dans la source : gardés sans géométrie"),
    "unreadable": Sentence("géométries que rien ne sait lire : objets gardés sans géométrie"),
    "zero": Sentence("points en (0, 0), qui tient lieu d’absence : gardés sans géométrie"),
    "lost": Sentence("géométries dont une coordonnée n’est nulle part sur le globe : gardés sans géométrie"),
    "unplaced": Sentence("géométries sans système de coordonnées connu : objets gardés sans géométrie"),
    "curved": Sentence("géométries courbes ou surfaciques 3D, redressées en segments de 4° au plus"),
    "repaired": Sentence("polygones invalides réparés (croisements, anneaux ouverts)"),
    "moved": Sentence("objets dans un autre système que le reste du fichier, replacés un à un"),
    "outside": OUTSIDE,
}


@dataclass(slots=True)
class Placer:
    """Place the batches of one layer. The CRS is found on the first batch that holds coordinates."""

    options: ReadOptions
    declared: str | None = None
    declared_by: str = ""
    found: CrsFound | None = None
    counts: dict[str, int] = field(default_factory=dict)
    read: int = 0

    def placed(self, wkb: Geometries) -> list[bytes | None]:
        """Return ISO WKB in CRS84 (None without geometry) for one batch of WKB as published."""
        self.read += len(wkb)
        geometries = self._readable(wkb)
        if self.found is None:
            self.found = self._find(geometries)
        if self.found is None:
            return [None] * len(wkb)
        moved = geometries_to_crs84(geometries, self.found)
        self._count("lost" if self.found.code else "unplaced", _given(geometries) & ~_given(moved))
        moved = self._mixed(geometries, moved)
        moved = self._repaired(moved)
        written: list[bytes | None] = shapely.to_wkb(moved, output_dimension=3, flavor="iso").tolist()
        return written

    def evidences(self) -> list[Evidence]:
        """Return what was found out and done, for the report."""
        found = [self.found.evidence] if self.found else []
        if self.found is None and self.read:
            found.append(Evidence("crs", "sans objet", Sentence("aucune géométrie dans cette source")))
        counted = [
            Evidence("geometry", str(self.counts[name]), why) for name, why in _COUNTED.items() if self.counts.get(name)
        ]
        return found + counted

    def _count(self, name: str, mask: NDArray[np.bool_]) -> None:
        number = int(mask.sum())
        if number:
            self.counts[name] = self.counts.get(name, 0) + number

    def _readable(self, wkb: Geometries) -> Geometries:
        absent = np.fromiter((data is None for data in wkb), dtype=bool, count=len(wkb))
        try:
            geometries = shapely.from_wkb(wkb, on_invalid="fix")
        except (NotImplementedError, shapely.errors.GEOSException):
            geometries = np.full(len(wkb), None, dtype=object)
        missed = ~absent & ~_given(geometries)
        geometries[missed] = self._one_by_one(wkb[missed])
        empty = _given(geometries) & shapely.is_empty(geometries)
        geometries[empty] = None
        zero = _zeros(geometries)
        geometries[zero] = None
        self._count("absent", absent | empty)
        self._count("unreadable", ~absent & ~empty & ~zero & ~_given(geometries))
        self._count("zero", zero)
        return geometries

    def _one_by_one(self, wkb: Geometries) -> Geometries:
        geometries = np.full(len(wkb), None, dtype=object)
        curved = np.zeros(len(wkb), dtype=bool)
        for index, data in enumerate(wkb):
            with suppress(NotImplementedError, shapely.errors.GEOSException):
                geometries[index] = shapely.from_wkb(data, on_invalid="fix")
            if geometries[index] is None:
                geometries[index] = straightened(data)
                curved[index] = geometries[index] is not None
        self._count("curved", curved)
        return geometries

    def _find(self, geometries: Geometries) -> CrsFound | None:
        if not _given(geometries).any():
            return None
        if self.options.crs:
            why = Sentence("imposé par le fichier du jeu de données")
            return CrsFound(self.options.crs, Evidence("crs", self.options.crs, why), name=self.options.crs)
        points = shapely.get_coordinates(geometries)
        return detect_crs(
            points[:, 0],
            points[:, 1],
            declared=self.declared,
            declared_by=self.declared_by,
            extent=self.options.extent,
        )

    def _mixed(self, published: Geometries, moved: Geometries) -> Geometries:
        """Place one by one, by another CRS, the objects that fall out of the extent and that it would bring in."""
        if self.options.extent is None or self.found is None or self.found.code is None:
            return moved
        box = widened(self.options.extent, 0.1, 0.005)
        outside = _given(published) & ~_within(moved, box)
        if outside.any() and not self.options.crs and not outside.all():
            for candidate in CANDIDATES:
                if (candidate.code, candidate.swapped) == (self.found.code, self.found.swapped):
                    continue
                trial = geometries_to_crs84(
                    published[outside], CrsFound(candidate.code, self.found.evidence, candidate.swapped)
                )
                good = np.zeros(len(moved), dtype=bool)
                good[outside] = _within(trial, box)
                moved[good] = trial[good[outside]]
                self._count("moved", good)
                outside &= ~good
                if not outside.any():
                    break
        self._count("outside", outside & _given(moved))
        return moved

    def _repaired(self, moved: Geometries) -> Geometries:
        wrong = _given(moved) & (shapely.get_dimensions(moved) == 2) & ~shapely.is_valid(moved)
        if wrong.any():
            # "structure" keeps surfaces surfaces; the lines that a collapsed ring leaves are no surface.
            mended = shapely.make_valid(moved[wrong], method="structure", keep_collapsed=False)
            mended[shapely.is_empty(mended)] = None
            moved[wrong] = mended
            self._count("repaired", wrong & _given(moved))
            self._count("unreadable", wrong & ~_given(moved))
        return moved


def _given(geometries: Geometries) -> NDArray[np.bool_]:
    given: NDArray[np.bool_] = ~shapely.is_missing(geometries)
    return given


def _zeros(geometries: Geometries) -> NDArray[np.bool_]:
    points = shapely.get_type_id(geometries) == 0
    x, y = shapely.get_x(geometries), shapely.get_y(geometries)
    zeros: NDArray[np.bool_] = points & (x == 0) & (y == 0)
    return zeros


def _within(geometries: Geometries, box: Box) -> NDArray[np.bool_]:
    """Tell which geometries touch `box`."""
    bounds: NDArray[Any] = shapely.bounds(geometries)
    with np.errstate(invalid="ignore"):
        inside: NDArray[np.bool_] = (
            (bounds[:, 2] >= box[0]) & (bounds[:, 0] <= box[2]) & (bounds[:, 3] >= box[1]) & (bounds[:, 1] <= box[3])
        )
    return inside
