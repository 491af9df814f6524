"""City models (CityGML, CityJSON): one row per building, with its footprint, its heights and its real surfaces."""

# ruff: noqa: S608 — names in SQL are made here; no value is pasted

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from arro3.core import Array, DataType, Table

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck
from beffroi.lake.connectors.city_objects import CityModel, Published, outline_rings, volume_of
from beffroi.lake.connectors.citygml import read_citygml
from beffroi.lake.connectors.cityjson import read_cityjson
from beffroi.lake.connectors.tabular import Draft, Numbered, check_width, loaded, reading_of, table_name
from beffroi.lake.detect.crs import CrsFound, detect_crs, to_crs84
from beffroi.lake.detect.headers import HeaderFound
from beffroi.lake.reading import (
    GEOMETRY,
    SURFACES,
    Column,
    ColumnType,
    Evidence,
    Reading,
    ReadOptions,
    Rejects,
    Unreadable,
)
from beffroi.lake.volumes import ROOF, Points, Volume, area_m2, metres, written


class NoBuilding(Unreadable):
    """The city model holds no building: perhaps a relief, trees or roads."""


NO_SURFACE = gettext_noop("bâtiment sans surface lisible")
NOWHERE = gettext_noop("bâtiment dont une coordonnée n’est nulle part sur le globe")

# The columns each building gets from its surfaces: key, title, unit, meaning.
MEASURED = (
    ("hauteur", "Hauteur", "m", "Du pied au point le plus haut, d’après les surfaces de la maquette."),
    ("altitude_sol", "Altitude du sol", "m", "Altitude du pied, dans le système de hauteurs de la source."),
    ("altitude_toit", "Altitude du toit", "m", "Altitude du point le plus haut, dans le système de la source."),
    ("surface_toit", "Surface de toit", "m²", "Surface des pans de toit, mesurée dans leur pente."),
)
_ID, _DETAIL = "id", "Niveau de détail"


@dataclass(frozen=True, slots=True)
class _Placed:
    """A building in CRS84: its volume, its footprint, and its row."""

    published: Published
    volume: Volume
    footprint: bytes


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the buildings of a city model into one table; other city objects are counted in the report.

    Raises:
        NoBuilding: it holds none.
        Unreadable: the document is damaged or too large, or lies nowhere.
    """
    with path.open("rb") as handle:
        is_xml = handle.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
    model = read_citygml(path) if is_xml else read_cityjson(path)
    if not model.buildings:
        raise NoBuilding(
            "aucun bâtiment dans cette maquette ({others})",
            where=path.name,
            remedy="publiez une maquette de bâtiments (CityGML ou CityJSON)",
            others=", ".join(f"{count} {name}" for name, count in sorted(model.others.items())) or "vide",
        )
    return [reading_of_model(model, path, options, con, format="CityGML" if is_xml else "CityJSON")]


def reading_of_model(
    model: CityModel, path: Path, options: ReadOptions, con: duck.Connection, *, format: str
) -> Reading:
    """Place the buildings of a model on Earth and make their table.

    Raises:
        Unreadable: no building has a surface, or no coordinate system places them.
    """
    rejects = Rejects()
    volumes: list[tuple[Published, Volume]] = []
    for number, published in enumerate(model.buildings, 1):
        if published.faces:
            volumes.append((published, volume_of(published)))
        else:
            rejects.add(number, Sentence(NO_SURFACE), published.id)
    found = _crs_of(volumes, model, path, options, format)
    placed = []
    for number, (published, volume) in enumerate(volumes, 1):
        one = _placed(published, volume, found)
        if one is None:
            rejects.add(number, Sentence(NOWHERE), published.id)
        else:
            placed.append(one)
    if not placed:
        raise Unreadable(
            "aucun bâtiment de cette maquette n’a de surface que l’on puisse placer",
            where=path.name,
            remedy="vérifiez le système de coordonnées déclaré et l’export qui l’a produit",
        )
    reading = _table(placed, path, options, con, rejects)
    reading.crs = found.code
    reading.evidences += [found.evidence, *_told(placed, model, format)]
    return reading


def _crs_of(
    volumes: list[tuple[Published, Volume]], model: CityModel, path: Path, options: ReadOptions, format: str
) -> CrsFound:
    if options.crs:
        why = Sentence("imposé par le fichier du jeu de données")
        return CrsFound(options.crs, Evidence("crs", options.crs, why), name=options.crs)
    points = np.array([volume.vertices[0, :2] for _published, volume in volumes]).reshape(-1, 2)
    found = detect_crs(
        points[:, 0], points[:, 1], declared=model.declared or None, declared_by=format, extent=options.extent
    )
    if found.code is None:
        raise Unreadable(
            "aucun système de coordonnées ne place cette maquette",
            where=path.name,
            remedy="déclarez-le dans le fichier (srsName, referenceSystem), ou imposez crs dans le fichier du jeu",
        )
    return found


def _placed(published: Published, volume: Volume, found: CrsFound) -> _Placed | None:
    lon, lat = to_crs84(volume.vertices[:, 0], volume.vertices[:, 1], found)
    vertices = np.column_stack([lon, lat, volume.vertices[:, 2]])
    if not np.isfinite(vertices).all():
        return None
    volume = replace(volume, vertices=vertices)
    shapes = [
        shapely.Polygon(vertices[list(face[0]), :2], [vertices[list(ring), :2] for ring in face[1:]])
        for face in outline_rings(volume)
    ]
    footprint = shapely.union_all(shapely.make_valid(shapes, method="structure", keep_collapsed=False))
    if footprint.is_empty:
        footprint = shapely.MultiPoint(vertices[:, :2]).convex_hull
    if footprint.geom_type not in ("Polygon", "MultiPolygon"):
        return None
    return _Placed(published, volume, shapely.to_wkb(footprint, output_dimension=2, flavor="iso"))


def _table(placed: list[_Placed], path: Path, options: ReadOptions, con: duck.Connection, rejects: Rejects) -> Reading:
    titles = [_ID, _DETAIL, *(title for _key, title, _unit, _meaning in MEASURED)]
    own, taken = len(titles), {_ID, *(key for key, *_told in MEASURED)}
    names: dict[str, None] = {}
    for one in placed:
        names.update(dict.fromkeys(name for name in one.published.values if name.lower() not in taken))
    titles += names
    check_width(len(titles), path.name)
    types = dict.fromkeys(titles[2:own], ColumnType.NUMBER) | {_ID: ColumnType.TEXT, _DETAIL: ColumnType.TEXT}
    draft = Draft(
        where=path.name,
        header=HeaderFound(0, titles, [""] * len(titles)),
        rows_read=len(placed) + rejects.total,
        rejects=rejects,
    )
    raw, _count = loaded(con, _rows(placed, list(names)), len(titles))
    keys = {title: key for key, title, _unit, _meaning in MEASURED}
    imposed = replace(options, types={**types, **options.types}, rename={**keys, **options.rename}, x=None, y=None)
    reading = reading_of(con, raw, draft, imposed)
    told = {key: (unit, meaning) for key, _title, unit, meaning in MEASURED}
    reading.columns = tuple(
        replace(column, unit=told[column.key][0], description=told[column.key][1]) if column.key in told else column
        for column in reading.columns
    )
    _attach(reading, placed)
    return reading


def _rows(placed: list[_Placed], names: list[str]) -> Iterator[Numbered]:
    for number, one in enumerate(placed, 1):
        volume, values = one.volume, one.published.values
        lon, lat = volume.vertices[0, :2]
        roofs = _area(metres(volume.vertices, lon, lat), volume, ROOF)
        measured = (volume.top_m - volume.base_m, volume.base_m, volume.top_m, roofs)
        yield number, [one.published.id, volume.lod, *(f"{value:.2f}" for value in measured), *map(values.get, names)]


def _area(local: Points, volume: Volume, wanted: str) -> float:
    return sum(area_m2(local, face) for face, kind in zip(volume.faces, volume.kinds, strict=True) if kind == wanted)


def _attach(reading: Reading, placed: list[_Placed]) -> None:
    """Give each row its footprint and its surfaces; columns that looked like places are left as they are."""
    con, view, whole = reading.con, table_name("lot"), table_name()
    footprints = Array([one.footprint for one in placed], type=DataType.binary())
    cells = Array([written(one.volume) for one in placed], type=DataType.utf8())
    con.register(view, Table.from_pydict({GEOMETRY: footprints, SURFACES: cells}))
    kept = f"t.* EXCLUDE ({GEOMETRY})" if reading.has_geometry else "t.*"
    con.execute(
        f"CREATE TEMP TABLE {whole} AS SELECT {kept}, p.{SURFACES}, p.{GEOMETRY} FROM {reading.table} t "
        f"POSITIONAL JOIN {view} p"
    )
    con.unregister(view)
    con.execute(f"DROP TABLE {reading.table}")
    meaning = "Toits, murs et sol du bâtiment : une géométrie CityJSON 2.0, que la maquette dessine."
    surfaces = Column(SURFACES, "Surfaces", ColumnType.TEXT, description=meaning)
    reading.columns = (*reading.columns, surfaces)
    reading.table, reading.has_geometry = whole, True
    reading.evidences = [one for one in reading.evidences if one.subject not in ("crs", "geometry")]


def _told(placed: list[_Placed], model: CityModel, format: str) -> Iterator[Evidence]:
    faces = sum(len(one.volume.faces) for one in placed)
    lods = ", ".join(sorted({one.volume.lod for one in placed}))
    why = Sentence(
        "{buildings} bâtiments en {faces} surfaces, niveau de détail {lods}",
        {"buildings": len(placed), "faces": faces, "lods": lods},
    )
    yield Evidence("format", format, why)
    yield Evidence(
        "geometry", "footprint", Sentence("l’emprise de chaque bâtiment est celle de son sol, sinon de ses toits")
    )
    if model.others:
        others = ", ".join(f"{count} {name}" for name, count in sorted(model.others.items()))
        yield Evidence("geometry", others, Sentence("objets qui ne sont pas des bâtiments : non lus"))
