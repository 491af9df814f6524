"""A building model (IFC 2x3 to 4.3) as one building of the town: its outer walls, roofs and slabs, its properties.

What is inside (rooms, stairs, furniture, inner walls) is not read, nor are openings cut: a map shows a building from
outside. Needs `ifcopenshell`, an extra of its own: 200 MB that most towns do without.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from beffroi.lake import duck
from beffroi.lake.connectors.city_objects import CityModel, Published, ring_of
from beffroi.lake.connectors.citymodel import NoBuilding, reading_of_model
from beffroi.lake.reading import Reading, ReadOptions, Unreadable
from beffroi.lake.volumes import GROUND, ROOF, WALL, Points, degree_m, normal_of

MOST_BYTES = 256 << 20
LOD = "2.3"
_FACES_UP = 0.1
_WALLS = ("IfcWall", "IfcCurtainWall")
_WORDS = ("Name", "LongName", "Description", "ObjectType")


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the buildings of an IFC file into one table, as `citymodel` does for those of a town.

    Raises:
        NoBuilding: it holds none.
        Unreadable: ifcopenshell is not installed, or the file is damaged, too large, or does not say where it stands.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(
            "maquette de plus de {limit} Mo",
            where=path.name,
            remedy="publiez-la bâtiment par bâtiment",
            limit=MOST_BYTES >> 20,
        )
    source = _opened(path)
    place = _place_of(source, path)
    model = CityModel(declared=place.declared)
    for building in source.by_type("IfcBuilding"):
        model.buildings.append(_published(source, building, place))
    if not model.buildings:
        raise NoBuilding(
            "aucun bâtiment dans cette maquette ({others})",
            where=path.name,
            remedy="exportez-la avec son IfcBuilding",
            others="IFC",
        )
    return [reading_of_model(model, path, options, con, format="IFC")]


def _opened(path: Path) -> Any:
    try:
        import ifcopenshell
    except ImportError as error:
        raise Unreadable(
            "lire une maquette IFC demande ifcopenshell, qui n’est pas installé",
            where=path.name,
            remedy="installez-le (pip install ifcopenshell), ou publiez la maquette en CityGML ou CityJSON",
        ) from error
    try:
        return ifcopenshell.open(str(path))
    except (OSError, RuntimeError, ifcopenshell.Error) as error:
        raise Unreadable(
            "maquette IFC illisible ({why})",
            where=path.name,
            remedy="exportez-la à nouveau",
            why=str(error).strip()[:120] or type(error).__name__,
        ) from error


class _Place:
    """Where the model's axes are: by a map conversion in a declared projection, else by the site's coordinates."""

    def __init__(
        self, declared: str, origin: tuple[float, float, float], turn: tuple[float, float], scale: float
    ) -> None:
        self.declared, self._origin, self._turn, self._scale = declared, origin, turn, scale

    def placed(self, points: Points) -> Points:
        """Return points of the model (metres) in the declared system."""
        cosine, sine = self._turn
        east = (points[:, 0] * cosine - points[:, 1] * sine) * self._scale
        north = (points[:, 0] * sine + points[:, 1] * cosine) * self._scale
        x, y, z = self._origin
        if self.declared == "OGC:CRS84":
            per_lon, per_lat = degree_m(y)
            east, north = east / per_lon, north / per_lat
        return np.column_stack([x + east, y + north, z + points[:, 2]])


def _place_of(source: Any, path: Path) -> _Place:
    if source.schema != "IFC2X3":
        for conversion in source.by_type("IfcMapConversion"):
            return _by_conversion(conversion)
    for site in source.by_type("IfcSite"):
        lat, lon = (_degrees(angle) for angle in (site.RefLatitude, site.RefLongitude))
        if lat is not None and lon is not None and (lat, lon) != (0.0, 0.0):
            return _Place("OGC:CRS84", (lon, lat, float(site.RefElevation or 0)), _true_north(source), 1.0)
    raise Unreadable(
        "cette maquette ne dit pas où est le bâtiment",
        where=path.name,
        remedy="exportez-la géoréférencée (IfcMapConversion), ou avec la latitude et la longitude de son site",
    )


def _by_conversion(conversion: Any) -> _Place:
    along, across = float(conversion.XAxisAbscissa or 1), float(conversion.XAxisOrdinate or 0)
    length = math.hypot(along, across) or 1.0
    origin = (float(conversion.Eastings), float(conversion.Northings), float(conversion.OrthogonalHeight or 0))
    return _Place(str(conversion.TargetCRS.Name or ""), origin, (along / length, across / length), 1.0)


def _degrees(angle: Any) -> float | None:
    """Return an angle written as degrees, minutes, seconds and millionths of a second."""
    if not angle:
        return None
    parts = [float(part) for part in angle] + [0.0] * 4
    return parts[0] + parts[1] / 60 + (parts[2] + parts[3] / 1e6) / 3600


def _true_north(source: Any) -> tuple[float, float]:
    """Return the cosine and sine by which the model turns to face true north."""
    for context in source.by_type("IfcGeometricRepresentationContext", include_subtypes=False):
        if context.TrueNorth:
            x, y = context.TrueNorth.DirectionRatios[:2]
            length = math.hypot(x, y) or 1.0
            return y / length, x / length
    return 1.0, 0.0


def _published(source: Any, building: Any, place: _Place) -> Published:
    published = Published(building.GlobalId, dict(_values(source, building)), lod=LOD)
    alone = len(source.by_type("IfcBuilding")) == 1
    for product, kind in _outside(source):
        if alone or _building_of(product) == building:
            published.faces += [(side, (ring,)) for side, ring in _triangles(product, kind, place)]
    return published


def _side(corners: Points, kind: str) -> str:
    """Say what a face of a product is: a roof has a thickness, whose underside and edges are not roof."""
    normal = normal_of(corners)
    length = float(np.linalg.norm(normal))
    if kind != ROOF or (length and normal[2] / length > _FACES_UP):
        return kind
    return "OuterCeilingSurface" if length and normal[2] / length < -_FACES_UP else WALL


def _building_of(product: Any) -> Any:
    from ifcopenshell.util.element import get_container, get_parent

    found = get_container(product)
    while found is not None and not found.is_a("IfcBuilding"):
        found = get_parent(found)
    return found


def _outside(source: Any) -> Iterator[tuple[Any, str]]:
    """Yield the products seen from outside with what they are; a wall that does not say is taken for an outer one."""
    for wall in (wall for kind in _WALLS for wall in source.by_type(kind)):
        if _is_external(wall):
            yield wall, WALL
    for roof in source.by_type("IfcRoof"):
        if roof.Representation:
            yield roof, ROOF
    for slab in source.by_type("IfcSlab"):
        if slab.PredefinedType == "ROOF":
            yield slab, ROOF
        elif slab.PredefinedType == "BASESLAB":
            yield slab, GROUND


def _is_external(wall: Any) -> bool:
    from ifcopenshell.util.element import get_psets

    told = get_psets(wall, psets_only=True)
    return next((bool(pset["IsExternal"]) for pset in told.values() if "IsExternal" in pset), True)


def _triangles(product: Any, kind: str, place: _Place) -> Iterator[tuple[str, Points]]:
    import ifcopenshell.geom

    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    settings.set("disable-opening-subtractions", True)
    try:
        shape = ifcopenshell.geom.create_shape(settings, product)
    except RuntimeError:
        # One product without a shape that can be made: the building stands without it.
        return
    own = np.array(shape.geometry.verts).reshape(-1, 3)
    points = place.placed(own)
    for corners in np.array(shape.geometry.faces).reshape(-1, 3):
        ring = ring_of(points[corners])
        if ring is not None:
            yield _side(own[corners] - own[corners[0]], kind), ring


def _values(source: Any, building: Any) -> Iterator[tuple[str, str]]:
    """Yield what the model says of the building: its names, its properties, its storeys, its materials."""
    from ifcopenshell.util.element import get_psets

    for word in _WORDS:
        if told := getattr(building, word, None):
            yield word, str(told)
    for pset in get_psets(building, psets_only=True).values():
        for name, value in pset.items():
            if name != "id" and isinstance(value, str | int | float) and value != "":
                yield name, str(value)
    storeys = source.by_type("IfcBuildingStorey")
    if storeys:
        yield "Storeys", str(len(storeys))
    materials = sorted({one.Name for one in source.by_type("IfcMaterial") if one.Name})
    if materials:
        yield "Materials", ", ".join(materials)[:1000]
