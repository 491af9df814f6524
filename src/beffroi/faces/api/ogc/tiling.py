"""OGC API Tiles: one tile matrix set, one set of vector tiles a dataset, as baked. `views` and `fast` carry them."""

from __future__ import annotations

import gzip
from typing import Any

from django.utils.translation import gettext as _

from beffroi.faces.api.ogc.answers import (
    HTML,
    JSON,
    ROOT,
    Answer,
    BadParameter,
    Parameters,
    address,
    link,
    refuse_others,
)
from beffroi.faces.api.ogc.items import at_version, mark_of
from beffroi.lake import queries as lake
from beffroi.lake.projecting import CRS84
from beffroi.lake.queries import Seen

MVT = "application/vnd.mapbox-vector-tile"
TILEJSON = "application/vnd.mapbox.tile+json"
PMTILES = "application/vnd.pmtiles"
QUAD = "WebMercatorQuad"
QUAD_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{QUAD}"
WEB_MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
TILESET_RELATION = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
SCHEME_RELATION = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
SET_FORMATS = {"json": JSON, "html": HTML}
TILESET_FORMATS = {"json": JSON, "tilejson": TILEJSON, "html": HTML}
TILE_FORMATS = {"mvt": MVT}

_EDGE_M = 20037508.342789244
_DEEPEST = 24
# A pixel of 0.28 mm, as the standard has it.
_PIXEL_M = 0.00028


def matrix_sets(base: str) -> dict[str, Any]:
    """Return the list of the tile matrix sets."""
    own = link(f"{base}{ROOT}tileMatrixSets/{QUAD}", "self", JSON, QUAD)
    return {
        "links": [link(f"{base}{ROOT}tileMatrixSets", "self", JSON)],
        "tileMatrixSets": [{"id": QUAD, "title": _("Carreaux du Web"), "uri": QUAD_URI, "links": [own]}],
    }


def matrix_set() -> dict[str, Any]:
    """Return WebMercatorQuad. Source: OGC 17-083r4, annex D."""
    matrices = []
    for zoom in range(_DEEPEST + 1):
        count = 1 << zoom
        cell = 2 * _EDGE_M / 256 / count
        matrices.append(
            {
                "id": str(zoom),
                "scaleDenominator": cell / _PIXEL_M,
                "cellSize": cell,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-_EDGE_M, _EDGE_M],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": count,
                "matrixHeight": count,
            }
        )
    return {
        "id": QUAD,
        "title": "Google Maps Compatible for the World",
        "uri": QUAD_URI,
        "crs": WEB_MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    }


def tilesets(base: str, seen: Seen) -> dict[str, Any]:
    """Return the list of the tile sets of a dataset."""
    url = f"{address(base, seen.ref)}/tiles"
    one = {
        "title": seen.manifest.title,
        "dataType": "vector",
        "crs": WEB_MERCATOR,
        "tileMatrixSetURI": QUAD_URI,
        "links": [link(f"{url}/{QUAD}", "self", JSON, seen.manifest.title), _scheme(base)],
    }
    return {
        "links": [link(url, "self", JSON), link(f"{url}?f=html", "alternate", HTML)],
        "tilesets": [one] if lake.tiles_ready(seen) else [],
    }


def _scheme(base: str) -> dict[str, Any]:
    return link(f"{base}{ROOT}tileMatrixSets/{QUAD}", SCHEME_RELATION, JSON, QUAD)


def tileset(base: str, seen: Seen) -> dict[str, Any]:
    """Return what a client must know to ask for tiles.

    Raises:
        DatasetNotFound: no geometry, or tiles still being baked.
    """
    _require_tiles(seen)
    ref, url = seen.ref, f"{address(base, seen.ref)}/tiles/{QUAD}"
    described = lake.tilejson_of(seen, tiles_url="")
    archive = f"{base}/tuiles/{ref.territory}/{ref.slug}/{seen.manifest.version}.pmtiles"
    document: dict[str, Any] = {
        "title": seen.manifest.title,
        "dataType": "vector",
        "crs": WEB_MERCATOR,
        "tileMatrixSetURI": QUAD_URI,
        "tileMatrixSetLimits": [
            {
                "tileMatrix": str(one.zoom),
                "minTileRow": one.first_y,
                "maxTileRow": one.last_y,
                "minTileCol": one.first_x,
                "maxTileCol": one.last_x,
            }
            for one in lake.limits_of(seen)
        ],
        "layers": [
            {
                "id": layer["id"],
                "dataType": "vector",
                "minTileMatrix": str(layer["minzoom"]),
                "maxTileMatrix": str(layer["maxzoom"]),
            }
            for layer in described["vector_layers"]
        ],
        "links": [
            link(url, "self", JSON),
            link(f"{url}?f=html", "alternate", HTML),
            link(f"{url}?f=tilejson", "describedby", TILEJSON, "TileJSON"),
            link(f"{url}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", MVT, _("Une tuile"), templated=True),
            link(archive, "enclosure", PMTILES, _("Toutes les tuiles en PMTiles")),
            _scheme(base),
        ],
    }
    box = seen.manifest.bbox
    if box is not None:
        document["boundingBox"] = {
            "lowerLeft": [box.west, box.south],
            "upperRight": [box.east, box.north],
            "crs": CRS84,
        }
    if described["attribution"]:
        document["attribution"] = described["attribution"]
    return document


def tilejson(base: str, seen: Seen) -> dict[str, Any]:
    """Return the TileJSON 3.0 of a dataset, whose tiles are those of this API.

    Raises:
        DatasetNotFound: no geometry, or tiles still being baked.
    """
    _require_tiles(seen)
    return lake.tilejson_of(seen, tiles_url=f"{address(base, seen.ref)}/tiles/{QUAD}/{{z}}/{{y}}/{{x}}")


def _require_tiles(seen: Seen) -> None:
    if not lake.tiles_ready(seen):
        raise lake.DatasetNotFound(
            "pas de tuiles pour ce jeu de données",
            where=str(seen.ref),
            remedy="elles se préparent après chaque mise à jour ; un tableau n'en a pas",
        )


def tile(current: Seen, matrix: str, row: str, col: str, parameters: Parameters, *, gzipped: bool) -> Answer:
    """Return one tile, gzipped when the reader takes it so; 204 where there is nothing.

    Raises:
        BadParameter: not whole numbers.
        DatasetNotFound: no tiles, or a tile beyond where the dataset lies.
    """
    refuse_others(parameters, ("f", "datetime", "version"))
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in (matrix, row, col)):
        raise BadParameter("tuile illisible", where=f"{matrix}/{row}/{col}"[:60], remedy="trois nombres entiers")
    seen = at_version(current, parameters)
    z, y, x = int(matrix), int(row), int(col)
    found = None if seen is None else lake.tile_at(seen, z, x, y)
    headers = {"ETag": mark_of(seen or current), "Cache-Control": "no-cache"}
    if found is None:
        if seen is not None and not any(one.zoom == z and one.hold(x, y) for one in lake.limits_of(seen)):
            raise lake.DatasetNotFound(
                "aucune tuile ici", where=f"{matrix}/{row}/{col}", remedy="voir tileMatrixSetLimits"
            )
        return Answer(b"", MVT, 204, headers)
    if gzipped:
        return Answer(found, MVT, headers=headers | {"Content-Encoding": "gzip"})
    return Answer(gzip.decompress(found), MVT, headers=headers)
