"""Small geographic files of every format, made on the spot: three lamps of Montpellier, in any CRS."""

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import pyproj
import shapely

EXTENT = (3.807, 43.573, 3.927, 43.65)
LAMPS = [(3.8796, 43.6086), (3.8700, 43.6000), (3.8900, 43.6200)]
NAMES = ["Comédie", "Gambetta", "Antigone"]

DRIVERS = {
    ".shp": "ESRI Shapefile", ".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON", ".kml": "KML",
    ".gpx": "GPX", ".gml": "GML", ".dxf": "DXF", ".mif": "MapInfo File",
}  # fmt: skip
# Order kept as written, coordinates left as they are.
_OPTIONS = {".geojson": {"RFC7946": "NO"}, ".fgb": {"SPATIAL_INDEX": "NO"}}
GEOGRAPHIC = {".kml", ".gpx"}
WITHOUT_FIELDS = {".gpx", ".dxf"}


def coordinates(code: str = "OGC:CRS84") -> np.ndarray:
    """The lamps in `code`, one row each."""
    lon, lat = np.array(LAMPS).T
    x, y = pyproj.Transformer.from_crs("OGC:CRS84", code, always_xy=True).transform(lon, lat)
    return np.column_stack([x, y])


def written(path: Path, *, code: str = "OGC:CRS84", declared: str | None = "same", geometries=None) -> Path:
    """Write the lamps at `path`, in the format of its suffix, coordinates in `code` and CRS said to be `declared`."""
    suffix = path.suffix.lower()
    points = shapely.points(coordinates(code)) if geometries is None else np.array(geometries, dtype=object)
    crs = code if declared == "same" else declared
    crs = "EPSG:4326" if crs == "OGC:CRS84" or suffix in GEOGRAPHIC else crs
    names, numbers = np.array(NAMES[: len(points)], dtype=object), np.arange(1, len(points) + 1)
    fields = {} if suffix in WITHOUT_FIELDS else {"Nom": names, "Numero" if suffix == ".mif" else "Numéro": numbers}
    with warnings.catch_warnings():
        # Files without a declared CRS are what is wanted here.
        warnings.simplefilter("ignore")
        _write(path, points, fields, crs, suffix)
    return path


def _write(path: Path, points, fields: dict, crs: str | None, suffix: str) -> None:
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(points),
        field_data=list(fields.values()),
        fields=np.array(list(fields), dtype=object),
        geometry_type=points[0].geom_type,
        crs=crs,
        driver=DRIVERS[suffix],
        **_OPTIONS.get(suffix, {}),
    )


def zipped(path: Path, *parts: Path, within: str = "") -> Path:
    """Zip `parts` (and the companions of a shapefile) into `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            members = part.parent.glob(f"{part.stem}.*") if part.suffix == ".shp" else [part]
            for member in sorted(members):
                archive.write(member, f"{within}{member.name}")
    return path


def feature(lon: float = 3.8796, lat: float = 43.6086, **properties) -> dict:
    """A GeoJSON feature, a point."""
    geometry = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "properties": properties or {"nom": "Comédie"}, "geometry": geometry}


def collection(*features: object, **members) -> str:
    """A GeoJSON collection, as text."""
    return json.dumps({"type": "FeatureCollection", **members, "features": list(features)})
