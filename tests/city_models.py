"""A gabled house of 10 m by 6 m, 4 m to the eaves and 7 m to the ridge, as the city models of the tests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import shapely
from pyproj import Transformer

from beffroi.lake import operations, tasks
from beffroi.lake.definitions import Definition
from beffroi.lake.store import DatasetRef, Lake
from beffroi.lake.volumes import degree_m

LONG_M, WIDE_M, EAVES_M, RIDGE_M, BASE_M = 10, 6, 4, 7, 50
_CORNERS = [
    (0, 0, 0), (10, 0, 0), (10, 6, 0), (0, 6, 0), (0, 0, 4), (10, 0, 4), (10, 6, 4), (0, 6, 4), (0, 3, 7), (10, 3, 7),
]  # fmt: skip
FACES = [
    ("GroundSurface", [0, 3, 2, 1]),
    ("RoofSurface", [4, 5, 9, 8]),
    ("RoofSurface", [6, 7, 8, 9]),
    ("WallSurface", [0, 1, 5, 4]),
    ("WallSurface", [2, 3, 7, 6]),
    ("WallSurface", [1, 2, 6, 9, 5]),
    ("WallSurface", [3, 0, 4, 8, 7]),
]
_KINDS = sorted({kind for kind, _face in FACES})


def house(
    lon: float = 3.88, lat: float = 43.61, *, name: str = "Maison du gardien", **attributes: Any
) -> dict[str, Any]:
    """Return the house as CityJSON 2.0 in Lambert-93, its south-west corner at a place."""
    x, y = Transformer.from_crs("OGC:CRS84", "EPSG:2154", always_xy=True).transform(lon, lat)
    geometry = {
        "type": "MultiSurface",
        "lod": "2.2",
        "boundaries": [[face] for _kind, face in FACES],
        "semantics": {
            "surfaces": [{"type": kind} for kind in _KINDS],
            "values": [_KINDS.index(kind) for kind, _face in FACES],
        },
    }
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [round(x, 3), round(y, 3), float(BASE_M)]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5698"},
        "CityObjects": {
            "maison": {"type": "Building", "attributes": {"nom": name, **attributes}, "geometry": [geometry]}
        },
        "vertices": [[1000 * value for value in corner] for corner in _CORNERS],
    }


def house_text(lon: float = 3.88, lat: float = 43.61, **attributes: Any) -> str:
    """Return the text of the house."""
    return json.dumps(house(lon, lat, **attributes))


def square(lon: float, lat: float, size_m: float) -> shapely.Polygon:
    """Return a square of that side, its south-west corner at a place."""
    east, north = degree_m(lat)
    return shapely.box(lon, lat, lon + size_m / east, lat + size_m / north)


def publish_town(folder: Path, code: str, at: datetime, *, lon: float, lat: float) -> None:
    """Publish two blocks, and a week later a house with its real roofs that stands in place of the first."""
    blocks = [
        (square(lon, lat, 8), {"id": "B1", "hauteur": 5.0}),
        (square(lon + 0.001, lat, 10), {"id": "B2", "nb_etages": 3}),
    ]
    features = [
        {"type": "Feature", "properties": told, "geometry": shapely.geometry.mapping(form)} for form, told in blocks
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features})
    published(code, "batiments", "batiments.geojson", content, folder, at)
    published(code, "maisons", "maisons.city.json", house_text(lon, lat), folder, at + timedelta(days=7))


def published(
    code: str,
    slug: str,
    name: str,
    content: str,
    folder: Path,
    at: datetime,
    definition: Definition | None = None,
    *,
    bake: bool = False,
) -> str:
    """Publish a source in the lake of `folder` and return its version; `bake` its tiles too."""
    source = folder / name
    source.write_text(content)
    done = operations.import_source(
        source,
        territory=code,
        at=at,
        definition=definition or Definition(slug, id="id", producer="Service du plan"),
        lake=folder / "lake",
        announce=False,
    )
    assert done.version, done.reason
    if bake:
        tasks.bake_missing_tiles(Lake(folder / "lake"), DatasetRef(code, slug), done.version)
    return done.version
