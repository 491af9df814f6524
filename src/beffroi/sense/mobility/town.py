"""Read the streets of a town from its datasets in the lake, and what its surveys say of them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetSummary
from beffroi.sense.mobility.recipes import Recipe, recipes
from beffroi.sense.mobility.streets import Array, Streets, blank_columns, blank_origin
from beffroi.sense.mobility.vocabulary import (
    CARRIAGEWAYS,
    KERB_UNKNOWN,
    UNKNOWN,
    Attribute,
    Confidence,
    Crossing,
    Kind,
    Mode,
    Origin,
    Surface,
    Yes,
)

MOST_ROWS = 2_000_000
READ_S, READ_MB = 120.0, 1024
GRID_DEG = 1e-6
_WALKED = int(Mode.FOOT | Mode.BICYCLE)
_ALL = int(Mode.FOOT | Mode.BICYCLE | Mode.CAR | Mode.LORRY)
_ACCESS = {
    Kind.MOTORWAY: int(Mode.CAR | Mode.LORRY),
    Kind.PEDESTRIAN: _WALKED,
    Kind.FOOTWAY: int(Mode.FOOT),
    Kind.PATH: _WALKED,
    Kind.STEPS: int(Mode.FOOT),
    Kind.CROSSING: int(Mode.FOOT),
    Kind.LIFT: int(Mode.FOOT),
    Kind.ESCALATOR: int(Mode.FOOT),
    Kind.CYCLEWAY: int(Mode.BICYCLE),
    Kind.TRACK: _WALKED,
}
_SPEED = {Kind.MOTORWAY: 130, Kind.ROAD_MAJOR: 50, Kind.ROAD: 50, Kind.STREET: 30}
_NO = {"non", "no", "n", "0", "false"}
_YES = {"oui", "yes", "o", "1", "true"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The datasets a town's graph is made of: its streets, and the parts laid over them."""

    recipe: Recipe
    streets: DatasetSummary
    parts: tuple[tuple[str, dict[str, Any], DatasetSummary], ...]

    def sources(self) -> list[dict[str, str]]:
        """Return each dataset and its version, JSON-ready."""
        used = [self.streets, *(summary for _, _, summary in self.parts)]
        return [{"dataset": str(one.ref), "version": one.version} for one in used]


def plan_of(territory: str) -> Plan | None:
    """Return what the graph of a territory can be made of, from public datasets; None without streets."""
    known = lake.datasets(ANONYMOUS, territory=territory)
    for recipe in recipes():
        lines = [one for one in known if recipe.dataset.search(one.ref.slug) and "Line" in (one.geometry_type or "")]
        if not lines:
            continue
        parts = [
            (kind, part, one)
            for kind, asked in recipe.parts.items()
            for part in asked
            for one in known
            if part["dataset"].search(one.ref.slug)
        ]
        return Plan(recipe, max(lines, key=lambda one: one.rows), tuple(parts))
    return None


def read_town(plan: Plan) -> Streets:
    """Read the streets of a plan and lay its surveys over them."""
    recipe, summary = plan.recipe, plan.streets
    table = _read(summary, recipe.columns, geometry=True)
    lines, owner = shapely.get_parts(shapely.from_wkb(table["geometry"]), return_index=True)
    kept = shapely.get_type_id(lines) == 1
    kind = _kinds(recipe, table)
    kept &= kind[owner] > 0
    lines, owner = lines[kept], owner[kept]
    points = shapely.get_coordinates(lines)
    offset = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(lines))])
    tail, head = _ends(points, offset)
    columns, names = _columns(recipe, table, kind, owner)
    streets = Streets(
        points=points, offset=offset, tail=tail, head=head, columns=columns, origin=blank_origin(len(lines)),
        origins=[_origin(summary, Confidence.DECLARED, "")], names=names,
    )  # fmt: skip
    ids = table["id"][owner] if "id" in table else owner
    for part_kind, part, dataset in plan.parts:
        _LAID[part_kind](streets, part, dataset, ids)
    return streets


def _read(summary: DatasetSummary, wanted: dict[str, list[str]], *, geometry: bool = False) -> dict[str, Array]:
    """Return columns by role, each an object array; a role whose columns do not exist is absent."""
    keys = {column.key for column in lake.dataset(ANONYMOUS, summary.ref).columns}
    chosen = {role: next((name for name in names if name in keys), None) for role, names in wanted.items()}
    found = {role: name for role, name in chosen.items() if name is not None}
    columns = sorted(set(found.values())) + (["geometry"] if geometry else [])
    if not columns:
        return {}
    rows = lake.rows(
        ANONYMOUS, summary.ref, columns=columns, max_rows=MOST_ROWS, timeout_s=READ_S, memory_mb=READ_MB
    ).rows
    place = {name: rank for rank, name in enumerate(columns)}
    table = {role: np.array([row[place[name]] for row in rows], dtype=object) for role, name in found.items()}
    if geometry:
        table["geometry"] = np.array([row[place["geometry"]] for row in rows], dtype=object)
    return table


def _origin(summary: DatasetSummary, confidence: Confidence, date: str) -> Origin:
    # A survey says when it was made; otherwise it is of the day its version was imported.
    return Origin(summary.title, date or f"{summary.updated_at:%Y-%m-%d}", confidence, summary.licence or "")


def _folded(value: object) -> str:
    text = unicodedata.normalize("NFKD", str(value or "")).encode("ascii", "ignore").decode()
    return text.strip().lower()


def _kinds(recipe: Recipe, table: dict[str, Array]) -> Array:
    """Return the kind of each row, 0 for what is no street; a plain street takes the kind of its rank."""
    count = len(table["geometry"])
    words = {_folded(key): (0 if word == "none" else int(Kind[word.upper()])) for key, word in recipe.kinds.items()}
    ranks = {_folded(key): int(Kind[word.upper()]) for key, word in recipe.ranks.items()}
    kind = np.full(count, int(Kind.STREET), np.uint8)
    if "kind" in table:
        kind = np.array([words.get(_folded(value), int(Kind.STREET)) for value in table["kind"]], np.uint8)
    if "rank" in table:
        rank = np.array([ranks.get(_folded(value), int(Kind.STREET)) for value in table["rank"]], np.uint8)
        kind = np.where(kind == Kind.STREET, rank, kind)
    return kind


def _ends(points: Array, offset: Array) -> tuple[Array, Array]:
    """Number the ends: those within a tenth of a metre of each other, as published, are one."""
    both = np.concatenate([points[offset[:-1]], points[offset[1:] - 1]])
    _, number = np.unique(np.round(both / GRID_DEG).astype(np.int64), axis=0, return_inverse=True)
    number = number.reshape(-1)
    return number[: len(offset) - 1], number[len(offset) - 1 :]


def _columns(recipe: Recipe, table: dict[str, Array], kind: Array, owner: Array) -> tuple[dict[str, Array], list[str]]:
    count = len(kind)
    columns = blank_columns(count)
    columns["kind"] = kind
    may = np.array([_ACCESS.get(Kind(int(one)), _ALL) if one else 0 for one in range(max(Kind) + 1)])[kind]
    forward, backward = may.copy(), may.copy()
    if "direction" in table:
        words = {_folded(key): word for key, word in recipe.directions.items()}
        told = np.array([words.get(_folded(value), "both") for value in table["direction"]])
        wheels = ~int(Mode.FOOT)
        backward[(told == "forward") | (told == "none")] &= ~(wheels & 15)
        forward[(told == "backward") | (told == "none")] &= ~(wheels & 15)
    columns["forward"], columns["backward"] = forward.astype(np.uint8), backward.astype(np.uint8)
    usual = np.array([_SPEED.get(Kind(one), 20) if one else 0 for one in range(max(Kind) + 1)])[kind]
    columns["speed_kmh"] = _numbers(table.get("speed_kmh"), usual).clip(5, 130).astype(np.uint8)
    columns["road_cm"] = (_numbers(table.get("road_m"), np.zeros(count)) * 100).clip(0, 6000).astype(np.uint16)
    columns["road_cm"][~np.isin(kind, CARRIAGEWAYS)] = 0
    # Who traced a crossing as a way of its own means a crossing made for it.
    columns["crossing"][kind == Kind.CROSSING] = Crossing.MARKED
    names: dict[str, int] = {}
    if "name" in table:
        columns["name"] = np.array(
            [names.setdefault(str(value), len(names)) if value else -1 for value in table["name"]], np.int32
        )
    return {name: column[owner] for name, column in columns.items()}, list(names)


def _numbers(column: Array | None, otherwise: Array) -> Array:
    if column is None:
        return otherwise.astype(float)
    found = np.array([np.nan if value is None else float(value) for value in column])
    return np.where(np.isnan(found), otherwise, found)


def _lay_survey(streets: Streets, part: dict[str, Any], summary: DatasetSummary, ids: Array) -> None:
    """Lay what a survey measured over the segments it names."""
    asked = part["columns"]
    wanted = {f"{role}:{name}": [name] for role, names in asked.items() for name in names}
    table = _read(summary, wanted | {"key": part["key"], "date": part.get("date", [])})
    if "key" not in table:
        return
    row_of = {str(key): row for row, key in enumerate(table["key"].tolist())}
    row = np.array([row_of.get(str(one), -1) for one in ids.tolist()])
    there = np.flatnonzero(row >= 0)
    taken = row[there]
    streets.origins.append(_origin(summary, Confidence(part.get("confidence", 2)), _date(part, table)))
    told = len(streets.origins)
    sides = {role: [table[f"{role}:{name}"][taken] for name in names if f"{role}:{name}" in table]
             for role, names in asked.items()}  # fmt: skip
    if sides.get("width_m"):
        widths = [np.array([0.0 if v is None else float(v) for v in side]) for side in sides["width_m"]]
        _put(streets, there, "width_cm", (np.max(widths, axis=0) * 100).clip(0, 6000), Attribute.WIDTH, told)
    if sides.get("surface"):
        words = {_folded(key): int(Surface[word.upper()]) for key, word in part.get("surfaces", {}).items()}
        values = np.array([words.get(_folded(value), UNKNOWN) for value in sides["surface"][0]])
        _put(streets, there, "surface", values, Attribute.SURFACE, told)
    if sides.get("steps"):
        values = np.array([0 if value is None else int(value) for value in sides["steps"][0]])
        _put(streets, there, "steps", values, Attribute.STAIRS, told)
    if sides.get("slope_pct"):
        known = np.array([value is not None for value in sides["slope_pct"][0]])
        values = np.array([0 if value is None else round(float(value)) for value in sides["slope_pct"][0]])
        streets.columns["incline_pct"][there[known]] = values[known].clip(-90, 90)
        streets.origin[there[known], Attribute.SLOPE] = told
    if sides.get("passable"):
        no = np.all([[_folded(value) in _NO for value in side] for side in sides["passable"]], axis=0)
        yes = np.any([[_folded(value) in _YES for value in side] for side in sides["passable"]], axis=0)
        streets.columns["wheelchair"][there[yes]] = Yes.YES
        streets.columns["wheelchair"][there[no]] = Yes.LIMITED
        # A survey that judged slope, obstacles and width of a pavement says that it can be rolled on.
        streets.origin[there[yes], Attribute.SURFACE] = told
        streets.origin[there[yes], Attribute.SLOPE] = told


def _put(streets: Streets, there: Array, column: str, values: Array, attribute: Attribute, told: int) -> None:
    known = values > 0
    streets.columns[column][there[known]] = values[known].astype(streets.columns[column].dtype)
    streets.origin[there[known], attribute] = told


def _date(part: dict[str, Any], table: dict[str, Array]) -> str:
    if "date" in table:
        return str(max((str(value) for value in table["date"] if value), default=""))[:10]
    return str(part.get("year", ""))


def _lay_crossings(streets: Streets, part: dict[str, Any], summary: DatasetSummary, ids: Array) -> None:
    """Bring each surveyed crossing to the nearest end: whoever passes there crosses, whatever the street."""
    table = _read(summary, part["columns"], geometry=True)
    ends, places = _end_places(streets)
    flat, to_flat = _flattened(places)
    shapes = shapely.from_wkb(table["geometry"])
    usable = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    where = shapely.points(to_flat(shapely.get_coordinates(shapely.centroid(shapes[usable]))))
    found = STRtree(shapely.points(flat)).query_nearest(where, max_distance=part["reach_m"], all_matches=False)
    streets.origins.append(_origin(summary, Confidence(part.get("confidence", 2)), _date(part, {})))
    told, surveyed = len(streets.origins), set()
    for point, end in found.T.tolist():
        row, number = int(usable[point]), int(ends[end])
        kerb = _kerb_cm(table, row)
        known = streets.kerb_cm.get(number)
        # Of several crossings of one junction one takes the lowest that somebody measured.
        measured = [one for one in (kerb, known) if one is not None and one != KERB_UNKNOWN]
        streets.kerb_cm[number] = min(measured, default=KERB_UNKNOWN)
        signals = "signals" in table and _folded(table["signals"][row]) in _YES
        streets.crossing[number] = int(Crossing.SIGNALS if signals else Crossing.MARKED)
        streets.charged.add(number)
        surveyed.add(number)
    touching = np.isin(streets.tail, list(surveyed)) | np.isin(streets.head, list(surveyed))
    streets.origin[touching & (streets.origin[:, Attribute.KERB] == 0), Attribute.KERB] = told


def _kerb_cm(table: dict[str, Array], row: int) -> int:
    if "kerb_cm" in table and table["kerb_cm"][row] is not None:
        return round(float(table["kerb_cm"][row]))
    if "lowered" in table:
        # "Accessible by its threshold": 2 cm, 4 when bevelled (arrêté du 15 janvier 2007); otherwise a usual kerb.
        word = _folded(table["lowered"][row])
        return 2 if word in _YES else 14 if word in _NO else KERB_UNKNOWN
    return KERB_UNKNOWN


def _lay_lamps(streets: Streets, part: dict[str, Any], summary: DatasetSummary, ids: Array) -> None:
    """Tell the streets that lamps light: three samples in five of the line within reach of one."""
    shapes = shapely.from_wkb(_read(summary, {}, geometry=True)["geometry"])
    flat, to_flat = _flattened(streets.points)
    lamps = to_flat(shapely.get_coordinates(shapes))
    if not len(lamps):
        return
    lines = shapely.linestrings(flat, indices=np.repeat(np.arange(len(streets)), np.diff(streets.offset)))
    shares = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    samples = shapely.line_interpolate_point(np.repeat(lines, 5), np.tile(shares, len(streets)), normalized=True)
    near = STRtree(shapely.points(lamps)).query(samples, predicate="dwithin", distance=part["reach_m"])[0]
    counts = np.bincount(np.unique(near) // 5, minlength=len(streets))
    streets.origins.append(_origin(summary, Confidence.DECLARED, ""))
    unsaid = streets.columns["lit"] == UNKNOWN
    streets.columns["lit"][unsaid] = np.where(counts >= 3, Yes.YES, Yes.NO)[unsaid]
    streets.origin[unsaid, Attribute.LIGHT] = len(streets.origins)


def _lay_landmarks(streets: Streets, part: dict[str, Any], summary: DatasetSummary, ids: Array) -> None:
    table = _read(summary, {"name": part["name"]}, geometry=True)
    if "name" not in table:
        return
    places = shapely.get_coordinates(shapely.centroid(shapely.from_wkb(table["geometry"])))
    streets.landmarks += [
        (float(lon), float(lat), str(name)) for (lon, lat), name in zip(places, table["name"], strict=True) if name
    ]


def _lay_nodes(streets: Streets, part: dict[str, Any], summary: DatasetSummary, ids: Array) -> None:
    """Give the ends of the graph the kerb that a survey of these very ends measured."""
    table = _read(summary, part["columns"], geometry=True)
    if "kerb_m" not in table:
        return
    ends, places = _end_places(streets)
    flat, to_flat = _flattened(places)
    where = shapely.points(to_flat(shapely.get_coordinates(shapely.centroid(shapely.from_wkb(table["geometry"])))))
    found = STRtree(shapely.points(flat)).query_nearest(where, max_distance=part["reach_m"], all_matches=False)
    streets.origins.append(_origin(summary, Confidence(part.get("confidence", 2)), _date(part, {})))
    told = len(streets.origins)
    surveyed = set()
    for row, end in found.T.tolist():
        if table["kerb_m"][row] is not None:
            number = int(ends[end])
            streets.kerb_cm[number] = round(100 * float(table["kerb_m"][row]))
            streets.charged.add(number)
            surveyed.add(number)
    known = np.isin(streets.tail, list(surveyed)) & np.isin(streets.head, list(surveyed))
    streets.origin[known & (streets.origin[:, Attribute.KERB] == 0), Attribute.KERB] = told


_LAID = {
    "survey": _lay_survey,
    "crossings": _lay_crossings,
    "nodes": _lay_nodes,
    "lamps": _lay_lamps,
    "landmarks": _lay_landmarks,
}


def _end_places(streets: Streets) -> tuple[Array, Array]:
    numbers = np.concatenate([streets.tail, streets.head])
    spots = np.concatenate([streets.offset[:-1], streets.offset[1:] - 1])
    ends, first = np.unique(numbers, return_index=True)
    return ends, streets.points[spots[first]]


def _flattened(places: Array) -> tuple[Array, Any]:
    """Return places in metres about their middle, and what brings others to the same plane."""
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    scale = np.array([111_195.0 * np.cos(np.radians(middle[1])), 111_195.0])

    def flat(others: Array) -> Array:
        found: Array = (others - middle) * scale
        return found

    return flat(places), flat


__all__ = ["DatasetNotFound", "Plan", "plan_of", "read_town"]
