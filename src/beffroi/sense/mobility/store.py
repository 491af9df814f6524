"""Graphs on disk and in this process (see `versions`), and the files they are built from.

<data>/mobility/<territory>/current              name of the version in use
                           /sources.json         files given by hand: extract, terrain
                           /versions/<version>/  arrays, see `graph.py`
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.files import written_whole
from beffroi.sense.mobility import versions
from beffroi.sense.mobility.graph import Graph, load, save
from beffroi.sense.mobility.router import Router


class NoGraph(NotFound):
    """No graph of the streets of this territory has been built."""


def home(territory: str) -> Path:
    """Return the folder of a territory's graphs."""
    return Path(settings.DATA_DIR) / "mobility" / territory


def put_in_place(graph: Graph) -> None:
    """Save a graph and have the next request answered from it; an interruption leaves the previous one."""
    versions.put_in_place(home(str(graph.about["territory"])), graph.version, lambda made: save(graph, made))


def current_version(territory: str) -> str | None:
    """Return the version in use, None when there is none."""
    return versions.current_version(home(territory))


def territories_with_graph() -> list[str]:
    """Return the territories whose graph is on this machine, the last built first."""
    found = [(path.stat().st_mtime, path.parent.name) for path in home("").glob("*/current")]
    return [name for _built, name in sorted(found, reverse=True)]


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


_ROUTERS = versions.Newest(lambda folder: Router(load(folder), folder))


def router_of(territory: str) -> Router:
    """Return what answers for a territory; a graph put in place meanwhile is taken up here, by any process.

    Raises:
        NoGraph: none was built.
    """
    try:
        return _ROUTERS.of(territory, home(territory))
    except FileNotFoundError:
        raise NoGraph(
            "aucun graphe des rues pour la commune {territory}",
            remedy="importez ses rues, puis : beffroi mobility build --commune {territory}",
            territory=territory or "(aucune)",
        ) from None


def built_at(territory: str) -> datetime | None:
    """Return when the graph in use was built, None when there is none."""
    version = current_version(territory)
    return load(home(territory) / "versions" / version).built_at if version else None
