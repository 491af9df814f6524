"""In which coordinate reference system a source really is, on what evidence, and how it reaches CRS84."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.reading import Evidence

Box = tuple[float, float, float, float]
Floats = NDArray[np.float64]

CRS84 = "OGC:CRS84"
SAMPLE = 1000
"""How many points are looked at: enough to outvote a handful of bad rows."""

_HALF_EARTH_M = 20_037_509.0
AGREES = 0.5
"""Share of the sample that must fall where it is expected for a CRS to be believed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A CRS a French publisher uses: where it is meant to be used (CRS84 degrees), and its usual name."""

    code: str
    name: str
    area: Box
    swapped: bool = False


METROPOLE: Box = (-5.8, 41.2, 10.0, 51.6)
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)
# French territories, for coordinates in degrees when no extent is known.
TERRITORIES: tuple[Box, ...] = (
    METROPOLE,
    (-63.3, 14.2, -60.7, 18.3),  # Guadeloupe, Martinique, Saint-Martin, Saint-Barthélemy
    (-54.7, 2.0, -51.4, 6.0),  # Guyane
    (54.9, -21.6, 56.0, -20.7),  # La Réunion
    (44.8, -13.2, 45.5, -12.4),  # Mayotte
    (-56.6, 46.6, -56.0, 47.3),  # Saint-Pierre-et-Miquelon
    (163.0, -23.2, 168.5, -19.0),  # Nouvelle-Calédonie
    (-155.5, -28.5, -134.0, -7.5),  # Polynésie française
    (-178.6, -14.6, -175.8, -12.8),  # Wallis-et-Futuna
)


def _conic_zone(zone: int) -> Candidate:
    area = (METROPOLE[0], zone - 1.1, METROPOLE[2], zone + 1.1)
    return Candidate(f"EPSG:{3900 + zone}", f"RGF93 CC{zone}", area)


# The order decides between candidates that fit equally well: the legal system of a place comes first.
CANDIDATES: tuple[Candidate, ...] = (
    Candidate(CRS84, "WGS 84 (longitude, latitude)", WORLD),
    Candidate("EPSG:2154", "RGF93 / Lambert-93", METROPOLE),
    *(_conic_zone(zone) for zone in range(42, 51)),
    Candidate("EPSG:27572", "NTF / Lambert II étendu", METROPOLE),
    Candidate("EPSG:27571", "NTF / Lambert zone I (carto)", (METROPOLE[0], 48.1, METROPOLE[2], METROPOLE[3])),
    Candidate("EPSG:27573", "NTF / Lambert zone III (carto)", (METROPOLE[0], 42.3, METROPOLE[2], 45.5)),
    Candidate("EPSG:27574", "NTF / Lambert zone IV (carto)", (8.4, 41.2, 9.7, 43.2)),
    Candidate("EPSG:27561", "NTF / Lambert I Nord", (METROPOLE[0], 48.1, METROPOLE[2], METROPOLE[3])),
    Candidate("EPSG:27562", "NTF / Lambert II Centre", (METROPOLE[0], 45.4, METROPOLE[2], 48.2)),
    Candidate("EPSG:27563", "NTF / Lambert III Sud", (METROPOLE[0], 42.3, METROPOLE[2], 45.5)),
    Candidate("EPSG:27564", "NTF / Lambert IV Corse", (8.4, 41.2, 9.7, 43.2)),
    Candidate("EPSG:32631", "WGS 84 / UTM 31 nord", (-0.5, 41.2, 6.5, 51.6)),
    Candidate("EPSG:32630", "WGS 84 / UTM 30 nord", (-6.0, 42.0, 0.5, 51.0)),
    Candidate("EPSG:32632", "WGS 84 / UTM 32 nord", (5.5, 41.2, 10.0, 50.0)),
    Candidate("EPSG:3857", "WGS 84 / Pseudo-Mercator", METROPOLE),
    Candidate("EPSG:5490", "RGAF09 / UTM 20 nord (Antilles)", TERRITORIES[1]),
    Candidate("EPSG:2972", "RGFG95 / UTM 22 nord (Guyane)", TERRITORIES[2]),
    Candidate("EPSG:2975", "RGR92 / UTM 40 sud (La Réunion)", TERRITORIES[3]),
    Candidate("EPSG:4471", "RGM04 / UTM 38 sud (Mayotte)", TERRITORIES[4]),
    Candidate("EPSG:4467", "RGSPM06 / UTM 21 nord (Saint-Pierre-et-Miquelon)", TERRITORIES[5]),
    Candidate("EPSG:3163", "RGNC91-93 / Lambert Nouvelle-Calédonie", TERRITORIES[6]),
    # Latitude before longitude is never assumed: it is only believed when it alone lands where it should.
    Candidate(CRS84, "WGS 84 (latitude, longitude : ordre inversé)", WORLD, swapped=True),
)


@dataclass(frozen=True, slots=True)
class CrsFound:
    """The CRS retained. `code` is an authority code, or a WKT that has none; None when no CRS places the source.

    `swapped` says that the first coordinate is the northing (or latitude). `accuracy_m` is what PROJ states for the
    transformation to WGS 84 (0: exact; None: unknown).
    """

    code: str | None
    evidence: Evidence
    swapped: bool = False
    accuracy_m: float | None = None
    name: str = ""


def detect_crs(
    xs: Floats,
    ys: Floats,
    *,
    declared: str | None = None,
    declared_by: str = "",
    extent: Box | None = None,
) -> CrsFound:
    """Find the CRS of points as published, and say on what evidence.

    Args:
        xs: first coordinates as published, in the unit of the unknown CRS; NaN and infinities are left out.
        ys: second coordinates.
        declared: what the source says of itself (authority code, WKT, PROJ string), from a .prj, a `crs` member…
        declared_by: where it says so, for the sentence (``"fichier .prj"``).
        extent: where the points are expected, CRS84 degrees (west, south, east, north).

    The declared CRS is kept when the points fall within `extent` (half as wide again on each side). When they do not
    and another CRS puts them there, the declaration is contradicted. Without `extent`, the order of magnitude decides
    and the evidence says so.
    """
    xs, ys = _sample(xs, ys)
    says = _declared_candidate(declared) if declared else None
    if not len(xs):
        code = says.code if says else CRS84
        return _found(says or CANDIDATES[0], Sentence("aucune coordonnée à vérifier"), code=code)
    if extent is not None:
        found = _by_extent(xs, ys, says, declared_by, widened(extent))
        if found:
            return found
    if says and _share_inside(xs, ys, says, (says.area,)) >= AGREES and not _only_swapped(xs, ys, says):
        return _found(says, _declared_sentence(says, declared_by, extent))
    return _by_magnitude(xs, ys, says, declared)


def _by_extent(xs: Floats, ys: Floats, says: Candidate | None, declared_by: str, box: Box) -> CrsFound | None:
    if says:
        share = _share_inside(xs, ys, says, (box,))
        if share >= AGREES:
            why = Sentence(
                "déclaré par {source} ; {share} % des points tombent dans l’emprise attendue",
                {"source": declared_by or "la source", "share": _percent(share)},
            )
            return _found(says, why)
    best, share = CANDIDATES[0], 0.0
    for candidate in CANDIDATES:
        inside = _share_inside(xs, ys, candidate, (box,))
        if inside > share:
            best, share = candidate, inside
        if share >= 1:
            # None that comes after can do better.
            break
    if share < AGREES:
        return None
    values: dict[str, Any] = {"share": _percent(share), "name": best.name}
    if says is None:
        why = Sentence("non déclaré ; en {name}, {share} % des points tombent dans l’emprise attendue", values)
        return _found(best, why)
    values |= {"source": declared_by or "la source", "declared": says.name}
    why = Sentence(
        "{source} : {declared}, que les coordonnées contredisent ; en {name}, {share} % des points tombent dans "
        "l’emprise attendue",
        values,
    )
    return _found(best, why)


def _by_magnitude(xs: Floats, ys: Floats, says: Candidate | None, declared: str | None) -> CrsFound:
    for candidate in CANDIDATES:
        areas = TERRITORIES if candidate.area == WORLD else (candidate.area,)
        share = _share_inside(xs, ys, candidate, areas)
        if share >= AGREES:
            if candidate.code in _TOLD_BY_EXTENT_ONLY:
                break
            why = Sentence(
                "retenu sur l’ordre de grandeur des coordonnées (x ≈ {x}, y ≈ {y}), sans emprise pour le confirmer",
                _middle(xs, ys),
            )
            if declared:
                why = Sentence(
                    "le système déclaré ({declared}) ne convient pas aux coordonnées (x ≈ {x}, y ≈ {y}) ; retenu sur "
                    "leur ordre de grandeur",
                    {**why.values, "declared": says.name if says else declared[:60]},
                )
            return _found(candidate, why)
    if _share_inside(xs, ys, CANDIDATES[0], (WORLD,)) >= AGREES:
        return _found(CANDIDATES[0], Sentence("coordonnées en degrés, hors des territoires français"))
    why = Sentence(
        "aucun système connu ne place avec certitude ces coordonnées (x ≈ {x}, y ≈ {y}) ; indiquez-le, ou la commune",
        _middle(xs, ys),
    )
    return CrsFound(None, Evidence("crs", "inconnu", why))


# Zones that share their false origins: the same numbers are a plausible place in each of them.
_TOLD_BY_EXTENT_ONLY = frozenset(f"EPSG:{code}" for code in (27561, 27562, 27563, 27564, 32630, 32631, 32632))


def _middle(xs: Floats, ys: Floats) -> dict[str, str]:
    """Return the median coordinates as a person writes them."""
    return {
        name: f"{value:.0f}" if abs(value) >= 1000 else f"{value:.5g}".replace(".", ",")
        for name, value in (("x", float(np.median(xs))), ("y", float(np.median(ys))))
    }


def _only_swapped(xs: Floats, ys: Floats, says: Candidate) -> bool:
    """Say whether degrees fall in France only when read latitude first."""
    if says.area != WORLD or says.swapped:
        return False
    straight = _share_inside(xs, ys, says, TERRITORIES)
    return straight < AGREES <= _share_inside(xs, ys, CANDIDATES[-1], (METROPOLE,))


def _declared_sentence(says: Candidate, declared_by: str, extent: Box | None) -> Sentence:
    values = {"source": declared_by or "la source"}
    if extent is None:
        return Sentence("déclaré par {source}, coordonnées plausibles ; aucune emprise pour le confirmer", values)
    return Sentence("déclaré par {source}, coordonnées plausibles mais hors de l’emprise attendue", values)


def _percent(share: float) -> str:
    return f"{math.floor(share * 1000) / 10:g}".replace(".", ",")


def _sample(xs: Floats, ys: Floats) -> tuple[Floats, Floats]:
    xs, ys = np.asarray(xs, dtype=np.float64).ravel(), np.asarray(ys, dtype=np.float64).ravel()
    kept = np.isfinite(xs) & np.isfinite(ys) & ~((xs == 0) & (ys == 0))
    xs, ys = xs[kept], ys[kept]
    step = max(1, len(xs) // SAMPLE)
    return xs[::step], ys[::step]


def widened(box: Box, share: float = 0.5, least: float = 0.02) -> Box:
    """Return `box` grown on each side by `share` of its size, at least `least` degrees."""
    dx, dy = max((box[2] - box[0]) * share, least), max((box[3] - box[1]) * share, least)
    return (box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy)


def _share_inside(xs: Floats, ys: Floats, candidate: Candidate, boxes: tuple[Box, ...]) -> float:
    try:
        lon, lat = _to_lon_lat(xs, ys, candidate.code, candidate.swapped)
    except ProjError:
        return 0.0
    inside = np.zeros(len(lon), dtype=bool)
    for west, south, east, north in boxes:
        inside |= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return float(inside.mean())


def _found(candidate: Candidate, why: Sentence, *, code: str | None = None) -> CrsFound:
    code = code or candidate.code
    accuracy = _accuracy_m(code)
    value = f"{code} {candidate.name}" if len(code) < 30 else candidate.name
    if accuracy:
        value += f" (± {accuracy:g} m)"
    return CrsFound(code, Evidence("crs", value, why), candidate.swapped, accuracy, candidate.name)


@lru_cache(maxsize=64)
def _declared_candidate(declared: str) -> Candidate | None:
    """Return what a declaration names, or None when PROJ cannot read it."""
    try:
        crs = pyproj.CRS.from_user_input(declared)
    except ProjError:
        return None
    crs = crs.sub_crs_list[0] if crs.is_compound else crs
    crs = crs.source_crs if crs.is_bound and crs.source_crs else crs
    if crs.is_engineering or not (crs.is_geographic or crs.is_projected):
        return None
    known = _known(crs)
    if known:
        return known
    epsg = crs.to_epsg(min_confidence=70)
    code = f"EPSG:{epsg}" if epsg else crs.to_wkt()
    area = crs.area_of_use.bounds if crs.area_of_use else None
    if epsg and area is None:
        use = pyproj.CRS.from_epsg(epsg).area_of_use
        area = use.bounds if use else None
    if crs.is_geographic:
        area = WORLD
    if _transformer(code) is None:
        return None
    return Candidate(code, crs.name, (area[0], area[1], area[2], area[3]) if area else WORLD)


# Frames that differ from WGS 84 by less than a metre: their degrees are used as they are.
_SAME_DEGREES = ("wgs 84", "wgs_1984", "wgs84", "rgf93", "rgf_1993", "rgf 1993", "etrs89", "etrs_1989", "crs84")


def _known(crs: pyproj.CRS) -> Candidate | None:
    """Match a declaration with a candidate: same name of frame in degrees, same formulas to the centimetre otherwise.

    Publishers' .prj files often name a projection their own way, which EPSG look-ups by name then miss.
    """
    if crs.is_geographic:
        names = f"{crs.name} {crs.datum.name if crs.datum else ''}".lower()
        degrees = all(abs(axis.unit_conversion_factor - math.pi / 180) < 1e-9 for axis in crs.axis_info[:2])
        return CANDIDATES[0] if degrees and any(name in names for name in _SAME_DEGREES) else None
    frame = crs.ellipsoid.semi_major_metre if crs.ellipsoid else 0.0
    for candidate in CANDIDATES:
        if candidate.area == WORLD:
            continue
        theirs = pyproj.CRS.from_user_input(candidate.code)
        same_frame = theirs.ellipsoid is not None and abs(theirs.ellipsoid.semi_major_metre - frame) < 0.01
        if same_frame and _same_formulas(crs, theirs, candidate.area):
            return candidate
    return None


def _same_formulas(one: pyproj.CRS, other: pyproj.CRS, area: Box) -> bool:
    lon = np.linspace(area[0], area[2], 4)
    lat = np.linspace(area[1], area[3], 4)
    try:
        ours, theirs = pyproj.Proj(one)(lon, lat), pyproj.Proj(other)(lon, lat)
    except ProjError:
        return False
    return bool(
        np.allclose(ours[0], theirs[0], atol=0.01, rtol=0) and np.allclose(ours[1], theirs[1], atol=0.01, rtol=0)
    )


@lru_cache(maxsize=128)
def _transformer(code: str) -> pyproj.Transformer | None:
    """Return the transformation to CRS84, or None when PROJ has none that is more than a guess."""
    try:
        return pyproj.Transformer.from_crs(code, CRS84, always_xy=True, allow_ballpark=False)
    except ProjError:
        try:
            return pyproj.Transformer.from_crs(code, CRS84, always_xy=True)
        except ProjError:
            return None


@lru_cache(maxsize=128)
def _accuracy_m(code: str) -> float | None:
    transformer = _transformer(code)
    accuracy = transformer.accuracy if transformer and code != CRS84 else 0.0
    return None if accuracy is None or accuracy < 0 else accuracy


def _to_lon_lat(xs: Floats, ys: Floats, code: str, swapped: bool) -> tuple[Floats, Floats]:
    if swapped:
        xs, ys = ys, xs
    if code == CRS84:
        return xs, ys
    transformer = _transformer(code)
    if transformer is None:
        return np.full_like(xs, np.inf), np.full_like(ys, np.inf)
    lon, lat = transformer.transform(xs, ys)
    return np.asarray(lon), np.asarray(lat)


def to_crs84(xs: Floats, ys: Floats, found: CrsFound) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes in degrees; a point PROJ cannot place, or that leaves the globe, is NaN."""
    xs, ys = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
    if found.code is None:
        return np.full_like(xs, np.nan), np.full_like(ys, np.nan)
    lon, lat = _to_lon_lat(xs, ys, found.code, found.swapped)
    with np.errstate(invalid="ignore"):
        good = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
        if found.code != CRS84:
            # Far beyond its plane, an inverse projection answers with a place that means nothing.
            good &= (np.abs(xs) < _HALF_EARTH_M) & (np.abs(ys) < _HALF_EARTH_M)
    return np.where(good, lon, np.nan), np.where(good, lat, np.nan)


def geometries_to_crs84(geometries: NDArray[np.object_], found: CrsFound) -> NDArray[np.object_]:
    """Return shapely geometries moved to CRS84 (longitude, latitude); heights are kept as they are, measures dropped.

    A geometry with one point that cannot be placed becomes None.
    """
    if found.code is None:
        return np.full(len(geometries), None, dtype=object)
    if shapely.has_m(geometries).any():
        # Writing three dimensions keeps Z (or nothing) and drops M.
        geometries = shapely.from_wkb(shapely.to_wkb(geometries, output_dimension=3, flavor="iso"))
    moved = np.array(geometries, dtype=object)
    for with_z in (False, True):
        mask = shapely.has_z(geometries) == with_z
        some = geometries[mask]
        if not len(some):
            continue
        coordinates, index = shapely.get_coordinates(some, include_z=with_z, return_index=True)
        coordinates[:, 0], coordinates[:, 1] = to_crs84(coordinates[:, 0], coordinates[:, 1], found)
        lost = np.unique(index[~np.isfinite(coordinates[:, :2]).all(axis=1)])
        coordinates[~np.isfinite(coordinates)] = 0.0
        some = shapely.set_coordinates(np.array(some, dtype=object), coordinates)
        some[lost] = None
        moved[mask] = some
    return moved


def wkb_to_crs84(wkb: NDArray[np.object_], found: CrsFound) -> NDArray[np.object_]:
    """Return ISO WKB (bytes or None) in CRS84 from WKB in the CRS found; unreadable geometries become None."""
    moved = geometries_to_crs84(shapely.from_wkb(wkb, on_invalid="ignore"), found)
    return shapely.to_wkb(moved, output_dimension=3, flavor="iso")
