"""What one may ask of every day at an address. Every query takes the viewer first; places are longitude, latitude."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely

from beffroi.base.clock.collection import BadRhythm, Collected, Rhythm, collected, rhythm_of
from beffroi.base.clock.queries import holiday_on, region_of
from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef, DatasetSummary, Filter
from beffroi.sense.places.daily.settings import ENGINE, DailySettings, HoursOf

__all__ = ["ENGINE", "Bin", "Collected", "DailySettings", "Dish", "Meal", "OpenPlace", "bins_at", "bins_of_sector",
           "collections", "is_holiday_in", "meals", "open_places", "sectors", "summary_of"]  # fmt: skip

_BIN_COLUMNS = ("id", "secteur", "flux", "bac", "jours", "semaines", "sortie", "feries", "exceptions")
_MENU_COLUMNS = ("restaurantnom", "restaurantconvive", "menudate", "menutyperepas", "menutypeplat", "menunomplat",
                 "menusiqoplat", "menulabelplat", "menuallergeneplat")  # fmt: skip
_COURSES = ("entrée", "plat principal", "garniture", "produit laitier", "dessert", "pain", "goûter", "collation")
_MOST = 20_000
Row = Mapping[str, Any]
IsHoliday = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Bin:
    """One sort of waste in a sector: the bin, its days, when to put it out. Without `rhythm`, they cannot be read."""

    id: str
    sector: str
    flow: str
    bin: str
    out: str
    rhythm: Rhythm | None


@dataclass(frozen=True, slots=True)
class Dish:
    """What is served: its course, its name, its signs of quality, its allergens as published ("" says nothing)."""

    course: str
    name: str
    signs: str
    allergens: str


@dataclass(frozen=True, slots=True)
class Meal:
    """A meal of a day, the same in these restaurants."""

    day: date
    kind: str
    guests: str
    restaurants: tuple[str, ...]
    dishes: tuple[Dish, ...]


@dataclass(frozen=True, slots=True)
class OpenPlace:
    """A place with its hours as published."""

    ref: DatasetRef
    id: str
    title: str
    kind: str
    hours: str
    lon: float
    lat: float


def is_holiday_in(territory: str) -> IsHoliday:
    """Return what tells the public holidays of a town."""
    region = region_of(territory).id
    return lambda day: holiday_on(day, region) is not None


def bins_at(viewer: Viewer, territory: str, settings: DailySettings, lon: float, lat: float) -> list[Bin]:
    """Return the bins of the sector that holds a place, by sort of waste; none where no sector does."""
    here, point = BBox(lon, lat, lon, lat), shapely.Point(lon, lat)
    rows = _rows(viewer, territory, settings.collection, (*_BIN_COLUMNS, "geometry"), bbox=here)
    return bins_of(row for row in rows if row["geometry"] and shapely.from_wkb(row["geometry"]).intersects(point))


def bins_of_sector(viewer: Viewer, territory: str, settings: DailySettings, sector: str) -> list[Bin]:
    """Return the bins of a sector by its name."""
    return bins_of(
        _rows(viewer, territory, settings.collection, _BIN_COLUMNS, where=(Filter("secteur", "eq", sector),))
    )


def bins_of(rows: Iterable[Row]) -> list[Bin]:
    """Return bins from the rows of sectors, by sort of waste."""
    return sorted((_bin(row) for row in rows), key=lambda one: (one.flow, one.id))


def _bin(row: Row) -> Bin:
    told = {key: str(row.get(key) or "").strip() for key in _BIN_COLUMNS}
    try:
        rhythm = rhythm_of(told["jours"], weeks=told["semaines"], on_holiday=told["feries"], moved=told["exceptions"])
    except BadRhythm:
        # Told as it is written, never guessed.
        rhythm = None
    return Bin(told["id"], told["secteur"], told["flux"], told["bac"], told["sortie"], rhythm)


def collections(bins: Sequence[Bin], first: date, last: date, *, is_holiday: IsHoliday) -> list[tuple[Collected, Bin]]:
    """Return every collection of these bins from `first` to `last`, both included, in order."""
    found = [
        (day, one) for one in bins if one.rhythm for day in collected(one.rhythm, first, last, is_holiday=is_holiday)
    ]
    return sorted(found, key=lambda pair: (pair[0].day, pair[1].flow))


def sectors(viewer: Viewer, territory: str, settings: DailySettings) -> list[tuple[str, Any, list[Bin]]]:
    """Return each sector: its name, its shape (CRS84), its bins; by name."""
    rows = _rows(viewer, territory, settings.collection, (*_BIN_COLUMNS, "geometry"))
    shapes: dict[str, list[Any]] = defaultdict(list)
    known: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        known[str(row["secteur"])].append(row)
        if row["geometry"]:
            shapes[str(row["secteur"])].append(shapely.from_wkb(row["geometry"]))
    return [(name, shapely.union_all(shapes[name]), bins_of(some)) for name, some in sorted(known.items())]


def meals(viewer: Viewer, territory: str, settings: DailySettings, first: date, last: date) -> list[Meal]:
    """Return the meals served from `first` to `last`; the same menu in several restaurants is one."""
    if not settings.menus:
        return []
    between = (Filter("menudate", "ge", first.isoformat()), Filter("menudate", "le", last.isoformat()))
    return meals_of(_rows(viewer, territory, settings.menus, _MENU_COLUMNS, where=between))


def meals_of(rows: Iterable[Row]) -> list[Meal]:
    """Return meals from the rows of menus by the SCDL schema, a dish a row."""
    served: dict[tuple[Any, ...], list[Dish]] = defaultdict(list)
    for row in rows:
        day = row["menudate"] if isinstance(row["menudate"], date) else date.fromisoformat(str(row["menudate"])[:10])
        key = (day, str(row["menutyperepas"]), str(row.get("restaurantconvive") or ""), str(row["restaurantnom"]))
        signs = ", ".join(str(row[one]) for one in ("menusiqoplat", "menulabelplat") if row.get(one))
        allergens = ", ".join(
            part.strip() for part in str(row.get("menuallergeneplat") or "").split(",") if part.strip()
        )
        served[key].append(Dish(str(row["menutypeplat"]), str(row["menunomplat"]), signs, allergens))
    same: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for (day, kind, guests, name), dishes in served.items():
        same[day, kind, guests, tuple(sorted(dishes, key=_course))].append(name)
    found = [
        Meal(day, kind, guests, tuple(sorted(names)), dishes) for (day, kind, guests, dishes), names in same.items()
    ]
    return sorted(found, key=lambda one: (one.day, one.kind, one.guests, one.restaurants))


def _course(dish: Dish) -> tuple[int, str]:
    return (_COURSES.index(dish.course) if dish.course in _COURSES else len(_COURSES), dish.name)


def open_places(viewer: Viewer, territory: str, settings: DailySettings) -> list[OpenPlace]:
    """Return the places whose hours are told, of the kinds that are."""
    return [place for one in settings.places for place in _of_dataset(viewer, DatasetRef(territory, one.dataset), one)]


def _of_dataset(viewer: Viewer, ref: DatasetRef, one: HoursOf) -> list[OpenPlace]:
    rows = _rows(viewer, ref.territory, ref.slug, ("_id", one.name, one.hours, one.kind, "geometry"))
    found = []
    for row in rows:
        if row["geometry"] and row.get(one.hours) and str(row.get(one.kind)) in one.among:
            point = shapely.from_wkb(row["geometry"]).centroid
            told = (str(row[one.name]), str(row[one.kind]), str(row[one.hours]))
            found.append(OpenPlace(ref, str(row["_id"]), *told, point.x, point.y))
    return found


def summary_of(viewer: Viewer, territory: str, slug: str) -> DatasetSummary | None:
    """Return what is told of a dataset, None when the viewer may not read it, or there is none."""
    try:
        return lake.dataset(viewer, DatasetRef(territory, slug)).summary if slug else None
    except DatasetNotFound:
        return None


def _rows(
    viewer: Viewer, territory: str, slug: str, columns: Sequence[str], *, where: Sequence[Filter] = (),
    bbox: BBox | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return rows with the columns that are there of those asked, None for the others; none without the dataset."""
    ref = DatasetRef(territory, slug)
    try:
        seen = lake.seen_dataset(viewer, ref)
    except DatasetNotFound:
        return []
    known = {column.key for column in seen.columns} | {"_id"}
    known |= {"geometry"} if seen.manifest.geometry_type is not None else set()
    if any(one.column not in known for one in where):
        return []
    there = [key for key in columns if key in known]
    found = lake.rows(viewer, ref, columns=there, where=where, bbox=bbox, max_rows=_MOST).rows
    return [dict.fromkeys(columns) | dict(zip(there, row, strict=True)) for row in found]
