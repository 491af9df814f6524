"""An OpenStreetMap extract (PBF or XML) as a source of what a town lacks: things a dataset file names by their tags.

An extract holds everything of everybody; a dataset takes from it the few things whose tags its file names
(`reading.tags`), as they are in OpenStreetMap, under its licence (ODbL 1.0). Read by GDAL, which builds the areas.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck
from beffroi.lake.connectors import vector
from beffroi.lake.reading import Evidence, Reading, ReadOptions, Unreadable

LAYERS = ("points", "lines", "multipolygons")
MOST_COLUMNS = 60
"""Columns kept, those that are told most: an extract knows thousands of keys."""

# Who mapped it, how and when: the history of the map, not of the thing.
_ASIDE = ("source", "created_by", "note", "fixme", "survey", "check_date", "tiger", "import", "import_uuid")
_ONE_OF = "|"
_AND = "&"


def read(path: Path, options: ReadOptions, con: duck.Connection) -> list[Reading]:
    """Read the things of an extract that bear one of the tags of `options.tags`; nothing else of it.

    A tag is ``key=value``, ``key=one|other``, ``key=*`` (any value), or several of these that one thing bears
    (``amenity=parking&access=yes``). Things are points: an area is a point within it, a line its middle, unless
    `options.layer` names areas (``multipolygons``) or lines (``lines``), kept as they are drawn. Of a wider extract
    only what is in `options.extent` is read.

    Raises:
        Unreadable: no tag says what to take, the extract is damaged, or it holds nothing of that.
    """
    wanted = [_condition(tag, path) for tag in options.tags]
    if not wanted:
        raise Unreadable(
            "extrait d’OpenStreetMap : il contient tout, et rien ne dit quels objets prendre",
            where=path.name,
            remedy='dites-le dans le fichier du jeu de données, par exemple reading.tags = ["amenity=toilets"]',
        )
    layers = (options.layer,) if options.layer else LAYERS
    found = [thing for layer in layers for thing in _things(path, layer, wanted, options)]
    if not found:
        raise Unreadable(
            "aucun objet de cet extrait d’OpenStreetMap ne porte {tags}",
            where=path.name,
            remedy="vérifiez que l’extrait couvre la commune et que les étiquettes sont bien écrites",
            tags=", ".join(options.tags),
        )
    columns, left = _columns(found)
    with tempfile.TemporaryDirectory(prefix="beffroi-osm-", dir=options.work_dir) as folder:
        plain = Path(folder, f"{path.name.split('.')[0]}.geojson")
        plain.write_text(json.dumps(_collection(found, columns), ensure_ascii=False), encoding="utf-8")
        readings = vector.read_vector(plain, replace(options, layer=None, tags=(), stays=None, format=None), con)
    why = Sentence(
        gettext_noop("{count} objets portent {tags} ; {left} étiquettes peu dites laissées de côté"),
        {"count": len(found), "tags": ", ".join(options.tags), "left": left},
    )
    readings[0].evidences.append(Evidence("format", "OpenStreetMap", why))
    return readings


def _condition(tag: str, path: Path) -> dict[str, frozenset[str]]:
    """Return what a thing must bear: its keys, each with its values (none: any).

    >>> _condition("amenity=fountain|drinking_water&drinking_water=yes", Path("x"))["drinking_water"]
    frozenset({'yes'})
    """
    told: dict[str, frozenset[str]] = {}
    for part in tag.split(_AND):
        key, equals, values = part.partition("=")
        if not key.strip() or not equals or not values.strip():
            raise Unreadable(
                "reading.tags : « {tag} » n’est pas une étiquette d’OpenStreetMap",
                where=path.name,
                remedy="écrivez-la « clé=valeur », « clé=* » ou « clé=une|autre »",
                tag=tag,
            )
        told[key.strip()] = frozenset() if values == "*" else frozenset(values.split(_ONE_OF))
    return told


def _things(
    path: Path, layer: str, wanted: Sequence[Mapping[str, frozenset[str]]], options: ReadOptions
) -> Iterator[tuple[dict[str, str], Any]]:
    """Yield the tags and the geometry of each thing of a layer that meets one of the conditions."""
    if layer not in LAYERS:
        raise Unreadable(
            "« {layer} » n’est pas une couche d’un extrait d’OpenStreetMap",
            where=path.name,
            remedy="couches : {known}",
            layer=layer,
            known=", ".join(LAYERS),
        )
    keys = sorted({key for condition in wanted for key in condition})
    with tempfile.TemporaryDirectory(prefix="beffroi-osm-", dir=options.work_dir) as folder:
        config = Path(folder, "osmconf.ini")
        config.write_text(_configuration(keys), encoding="utf-8")
        try:
            meta, _ids, shapes, fields = pyogrio.raw.read(
                path,
                layer=layer,
                where=" OR ".join(f"({_where(condition)})" for condition in wanted),
                bbox=options.extent,
                return_fids=False,
                CONFIG_FILE=str(config),
                TAGS_FORMAT="JSON",
            )
        except (DataSourceError, DataLayerError, RuntimeError, ValueError, OSError) as error:
            raise Unreadable(
                "extrait d’OpenStreetMap illisible ({why})",
                where=path.name,
                remedy="téléchargez-le à nouveau, en .osm.pbf ou en .osm",
                why=str(error)[:200],
            ) from error
    names = list(meta["fields"])
    for row, shape in zip(zip(*fields, strict=True), shapes, strict=True):
        told = dict(zip(names, row, strict=True))
        tags = json.loads(told.pop("other_tags") or "{}")
        tags |= {key: value for key, value in told.items() if value is not None and key in (*keys, "name")}
        kind, number = _identity(layer, told)
        geometry = shapely.from_wkb(shape)
        yield {"osm_id": f"{kind}/{number}", **tags}, geometry if options.layer else _as_point(geometry)


def _as_point(shape: Any) -> Any:
    if shape.geom_type == "LineString":
        return shapely.line_interpolate_point(shape, 0.5, normalized=True)
    return shape if shape.geom_type == "Point" else shapely.point_on_surface(shape)


def _identity(layer: str, told: Mapping[str, Any]) -> tuple[str, str]:
    if layer == "points":
        return "node", told["osm_id"]
    if layer == "lines":
        return "way", told["osm_id"]
    way = told.get("osm_way_id")
    return ("way", way) if way else ("relation", told["osm_id"])


def _configuration(keys: Sequence[str]) -> str:
    """Return what GDAL is told of an extract: the keys asked for are fields, so that it filters, the others in one."""
    attributes = ",".join(dict.fromkeys(["name", *keys]))
    lines = ["attribute_name_laundering=no", "report_all_nodes=no", "report_all_ways=no"]
    for layer in (*LAYERS, "multilinestrings", "other_relations"):
        way = "\nosm_way_id=yes" if layer == "multipolygons" else ""
        lines.append(f"[{layer}]\nosm_id=yes{way}\nattributes={attributes}\nother_tags=yes")
    return "\n".join(lines)


def _where(condition: Mapping[str, frozenset[str]]) -> str:
    """Return the condition in GDAL's own SQL."""
    parts = []
    for key, values in condition.items():
        name = '"' + key.replace('"', '\\"') + '"'
        texts = ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))
        parts.append(f"{name} IN ({texts})" if values else f"{name} IS NOT NULL")
    return " AND ".join(parts)


def _columns(found: Sequence[tuple[Mapping[str, str], Any]]) -> tuple[list[str], int]:
    """Return the keys that become columns, those told most first, and how many are left."""
    told = Counter(key for tags, _shape in found for key in tags if key.split(":")[0] not in _ASIDE)
    kept = [key for key, _times in sorted(told.items(), key=lambda one: (-one[1], one[0]))][:MOST_COLUMNS]
    return kept, len(told) - len(kept)


def _collection(found: Sequence[tuple[Mapping[str, str], Any]], columns: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(shape),
                "properties": {key: tags.get(key) for key in columns},
            }
            for tags, shape in found
        ],
    }
