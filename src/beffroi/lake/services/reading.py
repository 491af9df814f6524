"""A source read whole into one file: what is at an address, or the pages of a service put end to end."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beffroi.base.kernel.sentences import gettext_noop
from beffroi.lake.fetching import NotFetched
from beffroi.lake.services import arcgis, features, portals, sensorthings, wfs
from beffroi.lake.services.portals import Whole, name_of
from beffroi.lake.services.way import BadService, Way

Pages = Iterator[Any]
"""Pages of features (`properties`, and `geometry` when they have one), or one `Whole`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source: how it is told to an agent, what its addresses look like, how it is read."""

    label: str
    looks_like: str
    pages: Callable[[Way, str, str], Pages]


@dataclass(frozen=True, slots=True)
class Brought:
    """The file of a source: `rows` is None where nobody counted them."""

    path: Path
    changed: bool
    bytes: int
    rows: int | None = None


def _file(_way: Way, url: str, _layer: str) -> Pages:
    yield Whole(url, name_of(url))


KINDS: Mapping[str, Kind] = {
    "arcgis": Kind(gettext_noop("ArcGIS (FeatureServer)"), r"/(Feature|Map)Server(/|\?|$)", arcgis.pages),
    "opendatasoft": Kind(
        gettext_noop("Portail Opendatasoft"), r"/explore/dataset/|/api/explore/v2", portals.opendatasoft
    ),
    "ckan": Kind(gettext_noop("Portail CKAN"), r"/dataset/[^/]+|/api/(3/)?action/", portals.ckan),
    "oapif": Kind(gettext_noop("OGC API Features"), r"/collections(/|\?|$)", features.pages),
    "sensorthings": Kind(
        gettext_noop("Capteurs (SensorThings)"), r"/v1\.[01](/|$)(?!.*\.\w{3,4}$)", sensorthings.pages
    ),
    "wfs": Kind(gettext_noop("WFS 2.0"), r"service=wfs|/wfs(/|\?|$)", wfs.pages),
    "file": Kind(gettext_noop("Fichier à une adresse"), "", _file),
}
"""In the order they are recognised."""


def kind_of(url: str) -> str:
    """Return the kind of source that an address looks like; a file where it looks like nothing else.

    >>> kind_of("https://a.example/geoserver/ows?SERVICE=WFS"), kind_of("https://a.example/arbres.csv")
    ('wfs', 'file')
    """
    return next(name for name, one in KINDS.items() if re.search(one.looks_like, url, re.IGNORECASE))


def bring(kind: str, url: str, layer: str, way: Way, *, name: str) -> Brought:
    """Bring a source whole to `way.folder`, under `name` when its pages make the file.

    Raises:
        LayerNeeded: the service gives several tables. NotFetched: it could not be had whole; what was there stays.
    """
    found = KINDS[kind or "file"].pages(way, url, layer)
    first: Any = next(found, [])
    if isinstance(first, Whole):
        return _unpacked(way, first)
    brought = _put_together(way, first, found, name)
    way.forget_the_rest()
    return brought


def _unpacked(way: Way, whole: Whole) -> Brought:
    got = way.file(whole.url, whole.name)
    if got.path.suffix != ".gz":
        return Brought(got.path, got.changed, way.received)
    target, done = got.path.with_suffix(""), 0
    aside = target.with_name(f"{target.name}.part")
    try:
        with gzip.open(got.path, "rb") as source, aside.open("wb") as sink:
            while chunk := source.read(1 << 20):
                done += len(chunk)
                if done > way.bounds.most_bytes:
                    raise zlib.error("too large")
                sink.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        aside.unlink(missing_ok=True)
        raise NotFetched(
            "archive gzip endommagée ou trop grande", where=whole.url, remedy="vérifiez l’adresse"
        ) from error
    aside.replace(target)
    return Brought(target, got.changed, way.received)


def _put_together(way: Way, first: list[dict[str, Any]], rest: Pages, name: str) -> Brought:
    """Write the pages as one file, whole or not at all: GeoJSON, or an object a line where nothing has a place."""
    lines = way.folder / f"{name}.lines"
    rows, placed, most = 0, False, way.bounds.most_rows
    with lines.open("w", encoding="utf-8") as sink:
        for page in _turned(first, rest):
            for one in page[: None if most is None else most - rows]:
                placed = placed or one.get("geometry") is not None
                told = {"type": "Feature", "properties": one.get("properties") or {}, "geometry": one.get("geometry")}
                sink.write(json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n")
                rows += 1
            if most is not None and rows >= most:
                break
    target = way.folder / f"{name}.{'geojson' if placed else 'jsonl'}"
    aside, digest = target.with_name(f"{target.name}.part"), hashlib.sha256()
    with lines.open("rb") as source, aside.open("wb") as sink_:
        for piece in _shaped(source, placed):
            digest.update(piece)
            sink_.write(piece)
    lines.unlink()
    mark, now = target.with_name(f"{target.name}.sha256"), digest.hexdigest()
    changed = not (target.is_file() and mark.is_file() and mark.read_text(encoding="ascii") == now)
    aside.replace(target)
    mark.write_text(now, encoding="ascii")
    return Brought(target, changed, way.received, rows)


def _turned(first: list[dict[str, Any]], rest: Pages) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages, each other than the one before: a service that does not turn them would never end."""
    before = None
    page: list[dict[str, Any]] | None = first
    while page is not None:
        if page and page == before:
            raise BadService(
                "le service redonne toujours la même page", where="", remedy="demandez à qui le publie la pagination"
            )
        yield page
        before, page = page, next(rest, None)


def _shaped(source: Any, placed: bool) -> Iterator[bytes]:
    if not placed:
        for line in source:
            yield json.dumps(json.loads(line)["properties"], ensure_ascii=False).encode() + b"\n"
        return
    yield b'{"type":"FeatureCollection","features":[\n'
    for rank, line in enumerate(source):
        yield (b",\n" if rank else b"") + line.rstrip(b"\n")
    yield b"\n]}\n"
