"""What one may ask of the lighting of a town: how it is today, what the inventory lacks, the scenarios kept."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Lighting
from beffroi.lake.queries import DatasetDetail, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.lighting import nights
from beffroi.sense.twin.lighting.actions import Action, read_action
from beffroi.sense.twin.lighting.coverage import linked
from beffroi.sense.twin.lighting.effects import Lit
from beffroi.sense.twin.lighting.lamps import Lamps, read_lamps
from beffroi.sense.twin.lighting.space import PROFILE_RANK, Area, Road, Samples, sampled
from beffroi.sense.twin.lighting.standards import IN_FORCE, MOST_KELVIN, MOST_LM_PER_M2
from beffroi.sense.twin.models import LightingScenario
from beffroi.sense.twin.plane import Plane
from beffroi.sense.twin.written import read_rows

NEAR_M = 30.0
"""A lamp lights the street it is nearest to, within this; else it is off the streets."""
PATHS = ("chemin", "sentier", "escalier")
PEDESTRIAN = ("rue piétonne", "rue pietonne", "zone piétonne")
_held: OrderedDict[Any, Lit] = OrderedDict()
_holding = threading.Lock()
_MOST_KEPT = 2


class LightingRefused(BeffroiError):
    """The lighting of a town is looked after by its agents and read by its officials."""

    http_status = 403


class ScenarioNotFound(NotFound):
    """No such scenario in this town."""


@dataclass(frozen=True, slots=True)
class ScenarioInfo:
    """A scenario kept: what it does, the price of a kilowatt-hour it reckons with, whence it is."""

    number: int
    title: str
    price_eur: Decimal
    price_source: str
    actions: tuple[Action, ...]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Checks:
    """What the inventory tells against the decree of 27 December 2018."""

    too_cold: int
    too_cold_since: int
    incomplete: int
    unread_regimes: int
    assumed_flux: int
    dense: tuple[tuple[str, float], ...]


def require_reader(viewer: Viewer, territory: str) -> None:
    """Let agents, officials and administrators of a territory through.

    Raises:
        LightingRefused: anybody else.
    """
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)):
        raise LightingRefused("les scénarios d’éclairage sont lus par les agents et les élus de la commune",
                              remedy="demandez ce rôle à un administrateur")  # fmt: skip


def scenarios(viewer: Viewer, territory: str) -> list[ScenarioInfo]:
    """Return the scenarios kept in a town, the last changed first.

    Raises:
        LightingRefused: see `require_reader`.
    """
    require_reader(viewer, territory)
    rows = LightingScenario.objects.filter(territory=territory, withdrawn_at=None)
    return [_info(row) for row in rows.order_by("-changed_at", "-pk")]


def scenario(viewer: Viewer, territory: str, number: int) -> ScenarioInfo:
    """Return one scenario.

    Raises:
        LightingRefused: see `require_reader`.
        ScenarioNotFound: unknown here, or withdrawn.
    """
    require_reader(viewer, territory)
    row = LightingScenario.objects.filter(territory=territory, pk=number, withdrawn_at=None).first()
    if row is None:
        raise ScenarioNotFound("scénario d’éclairage introuvable", where=str(number),
                               remedy="il a peut-être été retiré")  # fmt: skip
    return _info(row)


def _info(row: LightingScenario) -> ScenarioInfo:
    actions = tuple(read_action(one) for one in row.actions)
    return ScenarioInfo(row.pk, row.title, row.price_eur_kwh, row.price_source, actions, row.changed_at)


def lit(viewer: Viewer, datasets: Sequence[DatasetSummary], wanted: Lighting, *, zone: str) -> Lit | None:
    """Return a town as lighting sees it, None when no lamp is published to this reader. `zone`: its time zone."""
    by_slug = {one.ref.slug: one for one in datasets}
    slugs = (wanted.lamps, wanted.streets, wanted.parcels, wanted.districts, *(one.dataset for one in wanted.areas))
    used = {slug: by_slug[slug] for slug in slugs if slug in by_slug}
    if wanted.lamps not in used:
        return None
    details = {slug: lake.dataset(viewer, one.ref, version=one.version) for slug, one in used.items()}
    columns = tuple(
        (slug, one.summary.version, *(column.key for column in one.columns)) for slug, one in details.items()
    )
    territory = used[wanted.lamps].ref.territory
    key = (territory, columns, lake.edits_mark(territory), zone, wanted.model_dump_json())
    with _holding:
        if key not in _held:
            made = _lit(viewer, details, wanted, zone)
            if made is None:
                return None
            _held[key] = made
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        _held.move_to_end(key)
        return _held[key]


def _lit(viewer: Viewer, details: Mapping[str, DatasetDetail], wanted: Lighting, zone: str) -> Lit | None:
    about = details[wanted.lamps]
    extent = about.summary.bbox
    if extent is None:
        return None
    plane = Plane((extent.west + extent.east) / 2, (extent.south + extent.north) / 2)
    lamps = read_lamps(viewer, about, wanted, plane)
    roads = _roads(viewer, details.get(wanted.streets), wanted, plane, lamps)
    parcels = _shapes(viewer, details.get(wanted.parcels), plane)
    areas = [one for kind in wanted.areas for one in _areas(viewer, details.get(kind.dataset), kind, plane)]
    samples = sampled(roads, areas, parcels)
    names, district = _districts(viewer, details.get(wanted.districts), wanted, plane, lamps)
    return Lit(
        plane=plane, lamps=lamps, samples=samples, links=linked(samples.at, lamps.at, lamps.height_m),
        nights=nights.nights(plane.lat, plane.lon, zone), districts=names, district=district,
        profile=_profiles(samples, lamps), wanted=wanted.classes.model_dump(),
        sources=tuple((one.summary.title, one.summary.updated_at) for one in details.values()),
    )  # fmt: skip


def _roads(viewer: Viewer, detail: DatasetDetail | None, wanted: Lighting, plane: Plane, lamps: Lamps) -> list[Road]:
    """Return the streets of the built-up area, and those elsewhere that have a lamp."""
    if detail is None:
        return []
    known = {column.key for column in detail.columns}
    keys = [key for key in (wanted.street_name, wanted.width, wanted.nature, wanted.urban) if key in known]
    rows = [dict(zip([*keys, GEOMETRY], row, strict=True)) for row in read_rows(viewer, detail, *keys, GEOMETRY)]
    rows = [row for row in rows if row[GEOMETRY] is not None]
    lines = plane.shapes(shapely.from_wkb([bytes(row[GEOMETRY]) for row in rows]))
    _lamp, near = STRtree(lines).query(shapely.points(lamps.at), predicate="dwithin", distance=NEAR_M)
    has_lamp = np.zeros(len(rows), dtype=bool)
    has_lamp[near] = True
    found = []
    for row, line, lighted in zip(rows, lines, has_lamp, strict=True):
        urban = str(row.get(wanted.urban, "oui")).casefold() in ("oui", "true", "1")
        if not (urban or lighted):
            continue
        nature = str(row.get(wanted.nature) or "").casefold()
        part = "path" if nature in PATHS else "square" if nature in PEDESTRIAN else "carriageway"
        width = row.get(wanted.width)
        width_m = float(width) if isinstance(width, int | float) and width and width > 0 else wanted.usual_width_m
        name = str(row.get(wanted.street_name) or "")
        found += [Road(one, name, width_m, part) for one in shapely.get_parts(line) if shapely.length(one) > 1]
    return found


def _shapes(viewer: Viewer, detail: DatasetDetail | None, plane: Plane) -> NDArray[Any]:
    if detail is None:
        return np.array([], dtype=object)
    rows = [bytes(shape) for (shape,) in read_rows(viewer, detail, GEOMETRY) if shape]
    return plane.shapes(shapely.from_wkb(rows)) if rows else np.array([], dtype=object)


def _areas(viewer: Viewer, detail: DatasetDetail | None, kind: Any, plane: Plane) -> list[Area]:
    if detail is None:
        return []
    known = {column.key for column in detail.columns}
    keys = [key for key in (kind.name, kind.only, kind.open) if key in known]
    found = []
    for row in read_rows(viewer, detail, *keys, GEOMETRY):
        told = dict(zip([*keys, GEOMETRY], row, strict=True))
        closed = kind.open in known and told[kind.open] is False
        other = bool(kind.values) and str(told.get(kind.only) or "").casefold() not in {
            one.casefold() for one in kind.values
        }
        if told[GEOMETRY] is None or closed or other:
            continue
        shape = plane.shapes(np.array([shapely.from_wkb(bytes(told[GEOMETRY]))], dtype=object))[0]
        found += [Area(one, str(told.get(kind.name) or ""), kind.part) for one in shapely.get_parts(shape)
                  if shapely.area(one) > 1]  # fmt: skip
    return found


def _districts(
    viewer: Viewer, detail: DatasetDetail | None, wanted: Lighting, plane: Plane, lamps: Lamps
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return the names of the districts and the rank of that of each lamp; the last rank is that of none."""
    known = {column.key for column in detail.columns} if detail else set()
    if detail is None or wanted.district_name not in known:
        return (), np.zeros(len(lamps), dtype=np.intp)
    rows = [row for row in read_rows(viewer, detail, wanted.district_name, GEOMETRY) if row[1]]
    shapes = plane.shapes(shapely.from_wkb([bytes(shape) for _name, shape in rows]))
    lamp, area = STRtree(shapes).query(shapely.points(lamps.at), predicate="intersects")
    rank = np.full(len(lamps), len(rows), dtype=np.intp)
    rank[lamp] = area
    return tuple(str(name) for name, _shape in rows), rank


def _profiles(samples: Samples, lamps: Lamps) -> tuple[str, ...]:
    """Name the profile of the street each lamp is nearest to."""
    found = ["off"] * len(lamps)
    if not len(samples) or not len(lamps):
        return tuple(found)
    names = list(PROFILE_RANK)
    tree = STRtree(shapely.points(samples.at))
    (lamp, sample), _away = tree.query_nearest(
        shapely.points(lamps.at), max_distance=NEAR_M, return_distance=True, all_matches=False
    )
    for one, rank in zip(lamp.tolist(), sample.tolist(), strict=True):
        found[one] = names[samples.profile[rank]]
    return tuple(found)


def checks(town: Lit) -> Checks:
    """Compare the inventory with the decree of 27 December 2018: colour, what art. 5 asks, light over the area."""
    lamps = town.lamps
    cold = lamps.kelvin > MOST_KELVIN
    recent = np.array([day is not None and day >= IN_FORCE for day in lamps.laid], dtype=bool)
    return Checks(
        too_cold=int(cold.sum()),
        too_cold_since=int((cold & recent).sum()),
        incomplete=int((~lamps.complete).sum()),
        unread_regimes=lamps.assumed["regime"],
        assumed_flux=lamps.assumed["flux"],
        dense=_dense(town),
    )


def _dense(town: Lit) -> tuple[tuple[str, float], ...]:
    """Return the streets where more light is installed, over their public space, than the decree allows since 2020."""
    area: dict[str, float] = {}
    for place, of in zip(town.samples.place.tolist(), town.samples.area_m2.tolist(), strict=True):
        name = town.samples.places[place]
        area[name] = area.get(name, 0.0) + of
    flux: dict[str, float] = {}
    for name, given in zip(town.lamps.streets, town.lamps.flux_lm.tolist(), strict=True):
        flux[name] = flux.get(name, 0.0) + given
    found = [(name, flux[name] / area[name]) for name in flux if name and area.get(name)]
    over = [(name, density) for name, density in found if density >= MOST_LM_PER_M2 and math.isfinite(density)]
    return tuple(sorted(over, key=lambda pair: -pair[1]))
