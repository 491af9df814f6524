"""Where people live: the census of each zone, spread over its homes; ``mobility/population/*.toml`` say so."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from beffroi.base.kernel.errors import NotFound
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetSummary
from beffroi.sense.mobility import store
from beffroi.sense.mobility.streets import Array

MOST_ROWS = 2_000_000
READ_S, READ_MB = 60.0, 1024


class NoPopulation(NotFound):
    """A town's data do not tell how many people live where."""


@dataclass(frozen=True, slots=True)
class Residents:
    """Homes of a town: `places` (n, 2) degrees, `people` (n, ages) inhabitants of each age, `zone` (n) its rank.

    `ages` are titles; `zones` (id, name); `shapes` WKB polygons of the zones. `sources`: (title, ISO day, licence).
    """

    places: Array
    people: Array
    zone: Array
    ages: tuple[str, ...]
    zones: tuple[tuple[str, str], ...]
    shapes: Array
    sources: tuple[tuple[str, str, str], ...]
    by_homes: bool


_KEPT: dict[str, tuple[Any, Residents]] = {}


def residents(territory: str) -> Residents:
    """Return who lives where in a territory; read once for each set of versions, in this process.

    Raises:
        NoPopulation: no census by zone, or no zones.
    """
    for recipe in _recipes():
        found = _datasets(territory, recipe)
        if found is None:
            continue
        zones, counts, homes = found
        key = tuple((str(one.ref), one.version) for one in (zones, counts, homes) if one is not None)
        kept = _KEPT.get(territory)
        if kept is None or kept[0] != key:
            kept = _KEPT[territory] = (key, _read(territory, recipe, zones, counts, homes))
        return kept[1]
    raise NoPopulation(
        "aucune population par quartier dans les données de la commune {territory}",
        remedy="importez le recensement par IRIS de l'INSEE et le contour des IRIS",
        territory=territory or "(aucune)",
    )


@lru_cache(maxsize=1)
def _recipes() -> tuple[dict[str, Any], ...]:
    folder = shipped_folder("mobility") / "population"
    return tuple(tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml")))


def _datasets(
    territory: str, recipe: dict[str, Any]
) -> tuple[DatasetSummary, DatasetSummary, DatasetSummary | None] | None:
    known = lake.datasets(ANONYMOUS, territory=territory)

    def named(part: str, geometry: str | None) -> DatasetSummary | None:
        fits = [one for one in known if re.search(recipe[part]["dataset"], one.ref.slug)]
        fits = [one for one in fits if geometry is None or geometry in (one.geometry_type or "")]
        return max(fits, key=lambda one: one.rows, default=None)

    zones, counts = named("zones", "Polygon"), named("counts", None)
    return None if zones is None or counts is None or zones.ref == counts.ref else (zones, counts, named("homes", ""))


def _read(
    territory: str, recipe: dict[str, Any], zones: DatasetSummary, counts: DatasetSummary, homes: DatasetSummary | None
) -> Residents:
    ids, names, shapes = _zones(recipe["zones"], zones)
    people, ages = _counts(recipe, counts, ids)
    kept = people.sum(axis=1) > 0
    ids, names = (
        [one for one, keep in zip(ids, kept, strict=True) if keep],
        [one for one, keep in zip(names, kept, strict=True) if keep],
    )
    shapes, people = shapes[kept], people[kept]
    places, weight = _homes(recipe["homes"], homes) if homes is not None else (np.zeros((0, 2)), np.zeros(0))
    by_homes = len(places) > 0
    if not by_homes:
        places, weight = _along_streets(territory)
    tree = STRtree(shapes)
    found = tree.query(shapely.points(places), predicate="within")
    home, zone = found[0], found[1]
    home, first = np.unique(home, return_index=True)
    zone = zone[first]
    share = np.bincount(zone, weights=weight[home], minlength=len(ids))
    part = weight[home] / np.where(share > 0, share, 1.0)[zone]
    here, lived = places[home], people[zone] * part[:, None]
    # A zone without a home keeps its people, at a point inside it.
    empty = np.flatnonzero(share == 0)
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes[empty])).reshape(-1, 2)
    sources = [(one.title, f"{one.updated_at:%Y-%m-%d}", one.licence or "") for one in (counts, zones)]
    if by_homes and homes is not None:
        sources.append((homes.title, f"{homes.updated_at:%Y-%m-%d}", homes.licence or ""))
    return Residents(
        places=np.concatenate([here, inside]),
        people=np.concatenate([lived, people[empty]]),
        zone=np.concatenate([zone, empty]),
        ages=ages,
        zones=tuple(zip(ids, names, strict=True)),
        shapes=shapes,
        sources=tuple(sources),
        by_homes=by_homes,
    )


def _columns(summary: DatasetSummary, wanted: list[str], geometry: bool = False) -> list[tuple[Any, ...]]:
    columns = [*wanted, *(["geometry"] if geometry else [])]
    return list(
        lake.rows(ANONYMOUS, summary.ref, columns=columns, max_rows=MOST_ROWS, timeout_s=READ_S, memory_mb=READ_MB).rows
    )


def _first(summary: DatasetSummary, names: list[str]) -> str:
    keys = {column.key for column in lake.dataset(ANONYMOUS, summary.ref).columns}
    found = next((name for name in names if name in keys), None)
    if found is None:
        raise NoPopulation(
            "colonne {names} absente",
            where=str(summary.ref),
            remedy="corrigez mobility/population/, ou importez le fichier de l'INSEE tel quel",
            names=", ".join(names),
        )
    return found


def _zones(asked: dict[str, Any], summary: DatasetSummary) -> tuple[list[str], list[str], Array]:
    key, name = _first(summary, asked["id"]), _first(summary, asked["name"])
    rows = _columns(summary, [key, name], geometry=True)
    shapes = shapely.from_wkb(np.array([row[2] for row in rows], dtype=object))
    return [str(row[0]) for row in rows], [str(row[1] or row[0]) for row in rows], np.asarray(shapes)


def _counts(recipe: dict[str, Any], summary: DatasetSummary, ids: list[str]) -> tuple[Array, tuple[str, ...]]:
    """Return inhabitants by zone and age; without ages, one column for all."""
    keys = [column.key for column in lake.dataset(ANONYMOUS, summary.ref).columns]

    def matching(pattern: str) -> str | None:
        # Of several censuses in one file, the latest.
        return max((key for key in keys if re.fullmatch(pattern, key)), default=None)

    ages = [(one["title"], matching(one["column"])) for one in recipe.get("ages", [])]
    told = [(title, column) for title, column in ages if column is not None]
    total = matching(recipe["counts"]["total"])
    if len(told) < len(ages) or not told:
        told = [("Tous les âges", total)] if total else []
    key = _first(summary, recipe["counts"]["id"])
    rows = {str(row[0]): row[1:] for row in _columns(summary, [key, *(column for _, column in told)])}
    people = np.array([[float(value or 0) for value in rows.get(one, [0] * len(told))] for one in ids])
    return people.reshape(len(ids), len(told)), tuple(title for title, _ in told)


def _homes(asked: dict[str, Any], summary: DatasetSummary) -> tuple[Array, Array]:
    keys = {column.key for column in lake.dataset(ANONYMOUS, summary.ref).columns}
    column = next((name for name in asked["weight"] if name in keys), None)
    if column is None:
        return np.zeros((0, 2)), np.zeros(0)
    rows = [row for row in _columns(summary, [column], geometry=True) if row[0] and float(row[0]) > 0]
    shapes = shapely.from_wkb(np.array([row[1] for row in rows], dtype=object))
    return shapely.get_coordinates(shapely.centroid(shapes)), np.array([float(row[0]) for row in rows])


def _along_streets(territory: str) -> tuple[Array, Array]:
    graph = store.router_of(territory).graph
    places = np.stack([np.asarray(graph.lon), np.asarray(graph.lat)], axis=1)
    return places, np.ones(len(places))


__all__ = ["NoPopulation", "Residents", "residents"]
