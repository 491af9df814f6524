"""Graphs on disk and in this process: built aside, put in place whole, the newest one answered from.

<data>/mobility/<territory>/current              name of the version in use
                           /sources.json         files given by hand: extract, terrain
                           /versions/<version>/  arrays, see `graph.py`
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.files import fsync_folder, fsync_tree, written_whole
from beffroi.sense.mobility.graph import Graph, load, save
from beffroi.sense.mobility.router import Router

KEPT = 2
"""Versions kept: the one in use, and the one that processes may still be answering from."""


class NoGraph(NotFound):
    """No graph of the streets of this territory has been built."""


def home(territory: str) -> Path:
    """Return the folder of a territory's graphs."""
    return Path(settings.DATA_DIR) / "mobility" / territory


def put_in_place(graph: Graph) -> None:
    """Save a graph and have the next request answered from it; an interruption leaves the previous one."""
    folder = home(str(graph.about["territory"]))
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder, prefix=".building-"))
    try:
        save(graph, aside / graph.version)
        fsync_tree(aside)
        place = versions / graph.version
        if place.exists():
            shutil.rmtree(place)
        (aside / graph.version).rename(place)
        fsync_folder(versions)
        with written_whole(folder / "current", "w", encoding="utf-8") as handle:
            handle.write(graph.version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in sorted(versions.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def current_version(territory: str) -> str | None:
    """Return the version in use, None when there is none."""
    try:
        return (home(territory) / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def remembered_sources(territory: str) -> dict[str, Any]:
    """Return the files once given by hand for this territory: ``{"extract", "terrain", "terrain_crs"}``."""
    try:
        found: dict[str, Any] = json.loads((home(territory) / "sources.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def remember_sources(territory: str, sources: dict[str, Any]) -> None:
    """Keep which files the graph is built from, for the next time."""
    home(territory).mkdir(parents=True, exist_ok=True)
    with written_whole(home(territory) / "sources.json", "w", encoding="utf-8") as handle:
        json.dump(sources, handle, ensure_ascii=False)


_ROUTERS: dict[str, tuple[tuple[str, int], Router]] = {}
_LOCK = threading.Lock()


def router_of(territory: str) -> Router:
    """Return what answers for a territory; a graph put in place meanwhile is taken up here, by any process.

    Raises:
        NoGraph: none was built.
    """
    pointer = home(territory) / "current"
    try:
        stamp = pointer.stat().st_mtime_ns
    except FileNotFoundError:
        raise NoGraph(
            "aucun graphe des rues pour la commune {territory}",
            remedy="importez ses rues, puis : beffroi mobility build --commune {territory}",
            territory=territory or "(aucune)",
        ) from None
    key = (str(pointer), stamp)
    kept = _ROUTERS.get(territory)
    if kept is not None and kept[0] == key:
        return kept[1]
    with _LOCK:
        kept = _ROUTERS.get(territory)
        if kept is None or kept[0] != key:
            folder = home(territory) / "versions" / pointer.read_text(encoding="utf-8").strip()
            _ROUTERS[territory] = (key, Router(load(folder), folder))
        return _ROUTERS[territory][1]


def built_at(territory: str) -> datetime | None:
    """Return when the graph in use was built, None when there is none."""
    version = current_version(territory)
    return load(home(territory) / "versions" / version).built_at if version else None
