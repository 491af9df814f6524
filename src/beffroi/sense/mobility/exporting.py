"""Write the streets of a graph as OpenStreetMap data, so that other software works on the very same ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.graph import Graph
from beffroi.sense.mobility.osm_tags import SURFACES
from beffroi.sense.mobility.vocabulary import NO_INCLINE, Kind, Mode, Surface, Yes

_HIGHWAY = {
    Kind.MOTORWAY: "motorway", Kind.ROAD_MAJOR: "secondary", Kind.ROAD: "tertiary", Kind.STREET: "residential",
    Kind.SERVICE: "service", Kind.SHARED: "living_street", Kind.PEDESTRIAN: "pedestrian", Kind.FOOTWAY: "footway",
    Kind.PATH: "path", Kind.CROSSING: "footway", Kind.STEPS: "steps", Kind.CYCLEWAY: "cycleway", Kind.TRACK: "track",
    Kind.LIFT: "elevator", Kind.ESCALATOR: "steps", Kind.FERRY: "footway",
}  # fmt: skip
_SURFACE: dict[Surface, str] = {}
for _word, _surface in SURFACES.items():
    if _word != "paved":
        _SURFACE.setdefault(_surface, _word)


class CannotExport(BeffroiError):
    """The library that writes OpenStreetMap data is not installed, or the file cannot be written."""


def write_osm(graph: Graph, path: Path) -> int:
    """Write a .osm.pbf (or .osm) of the segments; return how many ways. Ends come first, then the vertices between.

    Raises:
        CannotExport: osmium is not installed, or the file exists.
    """
    try:
        import osmium
    except ImportError as error:
        raise CannotExport(
            "l'écriture d'OpenStreetMap n'est pas installée", remedy="« pip install beffroi[mobility] »"
        ) from error
    if path.exists():
        raise CannotExport("ce fichier existe déjà", where=str(path), remedy="choisissez un autre nom")
    writer = osmium.SimpleWriter(str(path))
    try:
        refs = _write_nodes(osmium, writer, graph)
        for segment in range(len(graph)):
            writer.add_way(osmium.osm.mutable.Way(id=segment + 1, version=1, nodes=refs[segment],
                                                  tags=tags_of(graph, segment)))  # fmt: skip
    finally:
        writer.close()
    return len(graph)


def _write_nodes(osmium: Any, writer: Any, graph: Graph) -> list[list[int]]:
    make = osmium.osm.mutable.Node
    for end in range(graph.ends):
        writer.add_node(make(id=end + 1, version=1, location=(float(graph.lon[end]), float(graph.lat[end]))))
    fresh, refs = graph.ends, []
    for segment in range(len(graph)):
        inner = []
        for lon, lat in graph.line(segment)[1:-1].tolist():
            fresh += 1
            writer.add_node(make(id=fresh, version=1, location=(lon, lat)))
            inner.append(fresh)
        refs.append([int(graph.tail[segment]) + 1, *inner, int(graph.head[segment]) + 1])
    return refs


def tags_of(graph: Graph, segment: int) -> dict[str, str]:
    """Return the OpenStreetMap tags that say what the graph knows of a segment."""
    column = {name: int(values[segment]) for name, values in graph.columns.items()}
    kind = Kind(column["kind"])
    tags = {"highway": _HIGHWAY[kind]}
    if graph.name(segment):
        tags["name"] = graph.name(segment)
    if kind == Kind.CROSSING:
        tags["footway"] = "crossing"
    if column["surface"]:
        tags["surface"] = _SURFACE[Surface(column["surface"])]
    if column["width_cm"]:
        key = "width" if kind not in (Kind.ROAD_MAJOR, Kind.ROAD, Kind.STREET) else "sidewalk:both:width"
        tags[key] = f"{column['width_cm'] / 100:g}"
    if column["steps"]:
        tags["step_count"] = str(column["steps"])
    if column["lit"]:
        tags["lit"] = "yes" if column["lit"] == Yes.YES else "no"
    if column["incline_pct"] != NO_INCLINE:
        tags["incline"] = f"{column['incline_pct']}%"
    motor = int(Mode.CAR | Mode.LORRY)
    if column["forward"] & motor or column["backward"] & motor:
        tags["maxspeed"] = str(column["speed_kmh"])
        if not column["backward"] & motor:
            tags["oneway"] = "yes"
        elif not column["forward"] & motor:
            tags["oneway"] = "-1"
    return tags
