"""What changes how one moves: graphs built, obstacles that come and go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound
from beffroi.base.territory.engine import is_sandbox
from beffroi.sense.mobility.assembling import assemble
from beffroi.sense.mobility.events import GRAPH_BUILT, OBSTACLE_ENDED, OBSTACLE_REPORTED
from beffroi.sense.mobility.graph import FORM, Graph
from beffroi.sense.mobility.models import Obstacle, Revision
from beffroi.sense.mobility.obstacles import BadObstacle, obstacle_kinds
from beffroi.sense.mobility.osm import read_osm
from beffroi.sense.mobility.store import current_version, home, put_in_place, remember_sources, remembered_sources
from beffroi.sense.mobility.terrain import read_terrain
from beffroi.sense.mobility.town import plan_of, read_town

Tell = Callable[[str], None]
NEAREST_M, FARTHEST_M = 0.5, 500.0


class NothingToBuildFrom(NotFound):
    """A territory has neither streets in the lake nor an extract."""


class ObstacleNotFound(NotFound):
    """No obstacle in the way is known by that subject."""


def build_graph(
    territory: str,
    *,
    at: datetime,
    extract: Path | None = None,
    terrain: Path | None = None,
    terrain_crs: str = "",
    tell: Tell | None = None,
    announce: bool = True,
) -> Graph | None:
    """Build the graph of a territory from its streets in the lake, or from an OpenStreetMap extract when one is given.

    Files given are remembered for the next time. Returns None when what it would be built from has not changed.

    Raises:
        NothingToBuildFrom: no streets in the lake and no extract.
        BadExtract, BadTerrain: a file does not read.
    """
    say = tell or (lambda what: None)
    sources = remembered_sources(territory)
    given = {"extract": extract, "terrain": terrain}
    sources |= {key: str(path.resolve()) for key, path in given.items() if path is not None}
    if terrain_crs:
        sources["terrain_crs"] = terrain_crs
    plan = None if sources.get("extract") else plan_of(territory)
    if plan is None and not sources.get("extract"):
        raise NothingToBuildFrom(
            "aucune rue à lire pour la commune {territory}",
            where="beffroi mobility build",
            remedy="importez un filaire de voies (BD TOPO, voirie de la ville) ou donnez --osm EXTRAIT",
            territory=territory,
        )
    used = plan.sources() if plan else [_stamp(sources["extract"])]
    if sources.get("terrain"):
        used.append(_stamp(sources["terrain"]))
    version = f"{at:%Y%m%dT%H%M%SZ}-{_fingerprint(used)}"
    current = current_version(territory)
    if current is not None and current.split("-")[-1] == version.split("-")[-1]:
        return None
    say("Lecture des rues")
    streets = read_town(plan) if plan else read_osm(Path(sources["extract"]))
    ground = None
    if sources.get("terrain"):
        say("Lecture du relief")
        ground = read_terrain(Path(sources["terrain"]), crs=sources.get("terrain_crs", "EPSG:2154"))
    say("Assemblage")
    graph = assemble(streets, territory=territory, at=at, version=version, terrain=ground, sources=used)
    put_in_place(graph)
    remember_sources(territory, sources)
    if announce:
        announce_built(graph, at=at)
    return graph


def announce_built(graph: Graph, *, at: datetime) -> None:
    """Write in the journal that routes use a new graph."""
    territory = str(graph.about["territory"])
    payload = {"version": graph.version, "segments": len(graph), "ends": graph.ends}
    with transaction.atomic():
        record(kind=GRAPH_BUILT, subject=f"graph:{territory}", payload=payload, territory=territory, at=at)


def _stamp(path: str) -> dict[str, Any]:
    there = Path(path)
    size = there.stat().st_size if there.exists() else -1
    return {"file": there.name, "size": size, "changed": int(there.stat().st_mtime) if size >= 0 else 0}


def _fingerprint(used: list[dict[str, Any]]) -> str:
    text = json.dumps([FORM, used], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def has_graph(territory: str) -> bool:
    """Tell whether a graph of the territory is in use."""
    return (home(territory) / "current").exists()


@transaction.atomic
def obstacle_at(
    *,
    territory: str,
    subject: str,
    kind: str,
    lon: float,
    lat: float,
    at: datetime,
    radius_m: float = 4.0,
    starts_at: datetime | None = None,
    until: datetime | None = None,
    label: str = "",
    by: int | None = None,
    announce: bool = True,
) -> int:
    """Have routes meet an obstacle from the next request on, in every process, until it ends; return its number.

    `subject` names it where it comes from (``report:123``); told again, it replaces what was told before. `kind` is one
    of ``mobility/obstacles.toml``; the place is in degrees (CRS84); streets within `radius_m` of it are touched.

    Raises:
        BadObstacle: unknown kind, place off the globe, radius out of bounds, or an end before its start.
    """
    starts_at = starts_at or at
    _check(kind, lon, lat, radius_m, starts_at, until)
    values = {
        "territory": territory, "kind": kind, "lon": lon, "lat": lat, "radius_m": radius_m, "starts_at": starts_at,
        "until": until, "label": label[:200], "ended_at": None,
    }  # fmt: skip
    row, _ = Obstacle.objects.update_or_create(subject=subject, defaults=values)
    _changed(territory)
    if announce:
        payload = {
            "kind": kind, "lon": lon, "lat": lat, "radius_m": radius_m, "starts_at": starts_at.isoformat(),
            "until": until.isoformat() if until else None, "label": label[:200], "applied": True,
        }  # fmt: skip
        record(kind=OBSTACLE_REPORTED, subject=subject, payload=payload, actor=by, territory=territory, at=at)
    return int(row.pk)


@transaction.atomic
def end_obstacle(*, subject: str, at: datetime, by: int | None = None, announce: bool = True) -> None:
    """Have routes forget an obstacle from the next request on.

    Raises:
        ObstacleNotFound: none in the way is known by that subject.
    """
    row = Obstacle.objects.select_for_update().filter(subject=subject, ended_at__isnull=True).first()
    if row is None:
        raise ObstacleNotFound(
            "aucun obstacle en cours nommé « {subject} »",
            where="subject",
            remedy="vérifiez le nom : il a peut-être déjà pris fin",
            subject=subject[:80],
        )
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    _changed(row.territory)
    if announce:
        payload = {"kind": row.kind, "applied": True}
        record(kind=OBSTACLE_ENDED, subject=subject, payload=payload, actor=by, territory=row.territory, at=at)


def _changed(territory: str) -> None:
    """Raise the number every process reads; the lock of its row keeps it rising in the order of commits."""
    Revision.objects.get_or_create(territory=territory)
    Revision.objects.filter(territory=territory).update(number=F("number") + 1)


def forget_sandbox(territory: str) -> None:
    """Have every process read anew a sandbox whose obstacles go."""
    if is_sandbox(territory):
        _changed(territory)


def _check(kind: str, lon: float, lat: float, radius_m: float, starts_at: datetime, until: datetime | None) -> None:
    kinds = obstacle_kinds()
    if kind not in kinds:
        raise BadObstacle(
            "genre d'obstacle « {kind} » inconnu",
            where="kind",
            remedy="genres possibles : {all}",
            kind=kind[:40],
            all=", ".join(kinds),
        )
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadObstacle("lieu hors du globe ({lon}, {lat})", where="lon", remedy="donnez des degrés", lon=lon,
                          lat=lat)  # fmt: skip
    if not NEAREST_M <= radius_m <= FARTHEST_M:
        raise BadObstacle("rayon de {radius} m hors des bornes", where="radius_m", remedy="de {least} à {most} m",
                          radius=radius_m, least=NEAREST_M, most=FARTHEST_M)  # fmt: skip
    if until is not None and until <= starts_at:
        raise BadObstacle(
            "l'obstacle finit avant de commencer", where="until", remedy="donnez une fin postérieure au début"
        )
