"""The figures of one measure: lines of one year, the whole, what each was before, what each is set beside.

A line is what `by` names (an IRIS, a street, a kind of offence). Everything is read with the eyes of the reader, or,
where the measure says so, with those of agents under its threshold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from beffroi.base.kernel.masking import told_groups
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.viewer import AGENTS, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.crossing.queries import eyes_of
from beffroi.lake.queries import DatasetDetail, DatasetNotFound, DatasetRef, DatasetSummary, Filter
from beffroi.lake.queries import Measure as Asked
from beffroi.sense.indicators.settings import Beside, Measure

MOST_VERSIONS = 6
MOST_LINES = 20_000
MASKED = gettext_noop("trop peu : tu")
UNKNOWN = gettext_noop("inconnu")
SEVERAL = gettext_noop("plusieurs valeurs pour une même ligne : aucune n’est retenue")
_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_VINTAGE = re.compile(r"^[a-z]+([0-9]{2})_")


class Missing(Exception):
    """Datasets a measure needs and this reader does not have; `slugs` name them."""

    def __init__(self, slugs: Sequence[str]) -> None:
        self.slugs = tuple(slugs)
        super().__init__(", ".join(slugs))


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its value, None with `why`; that of the year before; those it is set beside; the whole series.

    `frail`: too few stand behind it to be precise. `id` is what the rows name it by.
    """

    id: str
    name: str
    value: float | None
    why: str = ""
    unit: str = ""
    before: float | None = None
    besides: tuple[float | None, ...] = ()
    frail: bool = False
    series: tuple[tuple[str, float], ...] = ()

    @property
    def change(self) -> float | None:
        """Return how much the value moved since the year before, in its own unit, None when either is not known."""
        return None if self.value is None or self.before is None else self.value - self.before


@dataclass(frozen=True, slots=True)
class Thing:
    """One of the things behind the lines, told to who may read it: its name, its line, facts by their title."""

    name: str
    line: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A measure answered: `year` is that of the values, `before` that of the earlier ones, empty when there is none.

    `whole` is of the whole commune, None where values do not add up. `sources` are what it was computed from. `things`
    are what stands behind, empty for who may not read it. `notes` say what the computation left out.
    """

    measure: Measure
    lines: tuple[Line, ...]
    whole: Line
    year: str
    before: str
    sources: tuple[DatasetSummary, ...]
    things: tuple[Thing, ...] = ()
    notes: tuple[Sentence, ...] = ()

    @property
    def masked(self) -> int:
        """Return how many lines are masked."""
        return sum(one.why == MASKED for one in self.lines)


@dataclass(slots=True)
class Sums:
    """What is summed of one line and one year: of the columns, of what they are told by, how many rows."""

    top: float | None = None
    bottom: float | None = None
    rows: float = 0
    counted: float | None = None
    why: str = ""
    unit: str = ""
    extra: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Computed:
    """What a computation gives before masking: by year, by line, the sums; the sums of all; the sources, the things."""

    by_year: Mapping[str, Mapping[str, Sums]]
    whole: Mapping[str, Sums]
    sources: tuple[DatasetSummary, ...]
    things: tuple[Thing, ...] = ()
    notes: tuple[Sentence, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def eyes(viewer: Viewer, territory: str, measure: Measure) -> Viewer:
    """Return with whose eyes a measure is read."""
    if measure.read_as == "agents" and AGENTS not in viewer.clearances(territory):
        return eyes_of(AGENTS, territory)
    return viewer


def details(viewer: Viewer, territory: str, slugs: Sequence[str]) -> dict[str, DatasetDetail]:
    """Return each dataset in force.

    Raises:
        Missing: some are absent, or not for this reader.
    """
    found: dict[str, DatasetDetail] = {}
    for slug in slugs:
        try:
            found[slug] = lake.dataset(viewer, DatasetRef(territory, slug))
        except DatasetNotFound:
            continue
    absent = [slug for slug in slugs if slug not in found]
    if absent:
        raise Missing(absent)
    return found


def answered(measure: Measure, computed: Computed, names: Mapping[str, str]) -> Answer:
    """Return what was computed as it may be told: masked, named, with its series; nothing set beside yet."""
    years = sorted(computed.by_year)
    if not years:
        return Answer(measure, (), Line("", "", None, UNKNOWN), "", "", computed.sources, (), computed.notes)
    told = {year: _told(measure, lines) for year, lines in computed.by_year.items()}
    last, earlier = years[-1], years[-2] if len(years) > 1 else ""
    named = {**computed.names, **names}
    lines = [
        _line(measure, key, named.get(key, key), last, earlier, computed.by_year, told)
        for key in computed.by_year[last]
    ]
    whole = _line(
        measure, "", "", last, earlier, {year: {"": one} for year, one in computed.whole.items()},
        {year: frozenset({""}) if not measure.least or (one.counted or one.rows) >= measure.least else frozenset()
         for year, one in computed.whole.items()},
    )  # fmt: skip
    ordered = sorted(lines, key=lambda one: (one.value is None, one.name))
    return Answer(measure, tuple(ordered), whole, last, earlier, computed.sources, computed.things, computed.notes)


def _told(measure: Measure, lines: Mapping[str, Sums]) -> frozenset[str]:
    if not measure.least:
        return frozenset(lines)
    counts = {key: one.rows if one.counted is None else one.counted for key, one in lines.items()}
    return told_groups(counts, measure.least)


def _line(
    measure: Measure,
    key: str,
    name: str,
    last: str,
    earlier: str,
    by_year: Mapping[str, Mapping[str, Sums]],
    told: Mapping[str, frozenset[str]],
) -> Line:
    sums = by_year.get(last, {}).get(key)
    series = tuple(
        (year, value)
        for year in sorted(by_year)
        if key in by_year[year] and key in told[year] and (value := value_of(measure, by_year[year][key])) is not None
    )
    found = dict(series)
    value, why = found.get(last), ""
    if sums is not None and key not in told[last]:
        why = MASKED
    elif value is None:
        why = (sums.why if sums else "") or UNKNOWN
    weight = None if sums is None else sums.bottom if sums.bottom is not None else sums.top
    frail = bool(measure.frail and value is not None and weight is not None and weight < measure.frail)
    return Line(key, name, value, why, sums.unit if sums else "", found.get(earlier), (), frail, series)


def value_of(measure: Measure, sums: Sums) -> float | None:
    """Return the value of a measure from its sums, None when they do not tell it.

    >>> share = Measure(slug="a", title="Une part", formula="share", dataset="d", columns=("x",), per=("y",), by="z",
    ...                 better="neither", method="Une part, pour cent habitants.")
    >>> value_of(share, Sums(top=3, bottom=12)), value_of(share, Sums(top=3, bottom=0))
    (25.0, None)
    """
    if sums.why or sums.top is None:
        return None
    if measure.formula in ("share", "rate") or sums.bottom is not None:
        if not sums.bottom:
            return None
        factor = 100.0 if measure.formula == "share" else measure.factor
        return factor * sums.top / sums.bottom
    return float(sums.top)


def matched(pattern: str, keys: Sequence[str]) -> str | None:
    """Return the column that a name with `?` for its digits is of, the latest vintage when there are several.

    >>> matched("p??_pop", ["iris", "p17_pop", "p22_pop", "p22_pop65p"])
    'p22_pop'
    """
    found = sorted(key for key in keys if fnmatchcase(key, pattern))
    return found[-1] if found else None


def vintage_of(keys: Sequence[str]) -> str:
    """Return the year that names of columns bear, empty when they bear none.

    >>> vintage_of(["p22_pop"]), vintage_of(["revenu_median"])
    ('2022', '')
    """
    years = {match.group(1) for key in keys if (match := _VINTAGE.match(key))}
    return f"20{max(years)}" if years and max(years) < "60" else f"19{max(years)}" if years else ""


def by_columns(viewer: Viewer, territory: str, measure: Measure, extra: Sequence[str] = ()) -> Computed:
    """Compute a measure from the columns of its datasets; `extra` are columns whose value each line keeps.

    Raises:
        Missing: a dataset, or one of the columns it needs.
    """
    known = details(viewer, territory, measure.datasets)
    main = known[measure.dataset]
    if measure.year:
        by_year, whole = _one_version(viewer, main, measure, extra, version=None)
    else:
        by_year, whole = _by_vintage(viewer, main, measure, extra)
    if measure.per_dataset:
        _bottoms(viewer, known[measure.per_dataset], measure, by_year, whole)
    return Computed(by_year, whole, tuple(one.summary for one in known.values()))


Found = dict[str, dict[str, Sums]]


def _by_vintage(
    viewer: Viewer, main: DatasetDetail, measure: Measure, extra: Sequence[str]
) -> tuple[Found, dict[str, Sums]]:
    """Read each version as one year, the newest of each year; one that has not the columns any more says nothing."""
    by_year: Found = {}
    whole: dict[str, Sums] = {}
    for one in main.versions[:MOST_VERSIONS]:
        detail = main if one.is_current else lake.dataset(viewer, main.summary.ref, version=one.version)
        try:
            found, sums = _one_version(viewer, detail, measure, extra, version=None if one.is_current else one.version)
        except Missing:
            if one.is_current:
                raise
            continue
        for year, lines in found.items():
            by_year.setdefault(year, lines)
            whole.setdefault(year, sums[year])
    return by_year, whole


def _one_version(
    viewer: Viewer, detail: DatasetDetail, measure: Measure, extra: Sequence[str], *, version: str | None
) -> tuple[Found, dict[str, Sums]]:
    keys = [one.key for one in detail.columns]
    tops = _columns(measure.columns, keys, measure.dataset)
    bottoms = () if measure.per_dataset else _columns(measure.per, keys, measure.dataset)
    wanted = (measure.by, measure.year, measure.counted, measure.reason, measure.unit_column, *extra)
    _columns([one for one in wanted if one], keys, measure.dataset)
    functions = {"mean": "mean", "median": "median", "value": "max"}
    asked = [Asked("rows")]
    asked += [Asked(f"top{rank}", functions.get(measure.formula, "sum"), key) for rank, key in enumerate(tops)]
    asked += [Asked(f"bottom{rank}", "sum", key) for rank, key in enumerate(bottoms)]
    plain = {"counted": ("sum", measure.counted), "why": ("max", measure.reason), "unit": ("max", measure.unit_column)}
    asked += [Asked(name, function, key) for name, (function, key) in plain.items() if key]
    asked += [Asked(f"extra{rank}", "max", key) for rank, key in enumerate(extra)]
    where = [Filter(one.column, one.op, one.value) for one in measure.where]
    ref, alone = detail.summary.ref, vintage_of(tops) or _own_year(detail)

    def read(groups: list[str]) -> list[dict[str, Any]]:
        found = lake.aggregate(
            viewer, ref, group_by=groups, measures=asked, where=where, version=version, max_rows=MOST_LINES
        )
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    by_year: Found = defaultdict(dict)
    for row in read([measure.by, *([measure.year] if measure.year else [])]):
        if row[measure.by] is not None:
            year = _text(row[measure.year]) if measure.year else alone
            by_year[year][_text(row[measure.by])] = _sums(measure, row, len(tops), len(bottoms), len(extra))
    whole = {
        _text(row[measure.year]) if measure.year else alone: _sums(measure, row, len(tops), len(bottoms), 0)
        for row in read([measure.year] if measure.year else [])
    }
    if measure.formula == "value":
        # A published median or rate is of its line alone: those of a commune's parts do not make the commune's.
        whole = {year: Sums(why=UNKNOWN) for year in whole}
    return dict(by_year), whole


def _sums(measure: Measure, row: Mapping[str, Any], tops: int, bottoms: int, extra: int) -> Sums:
    several = measure.formula == "value" and row["rows"] > 1
    values = [row[f"top{rank}"] for rank in range(tops)]
    why = _text(row.get("why") or "") if None in values or measure.formula == "count" else ""
    return Sums(
        top=float(row["rows"]) if measure.formula == "count" else _added(values),
        bottom=_added([row[f"bottom{rank}"] for rank in range(bottoms)]) if bottoms else None,
        rows=float(row["rows"]),
        counted=float(row["counted"] or 0) if "counted" in row else None,
        why=SEVERAL if several else why,
        unit=_text(row.get("unit") or ""),
        extra=tuple(row[f"extra{rank}"] for rank in range(extra)),
    )


def _added(values: Sequence[float | None]) -> float | None:
    return None if not values or None in values else float(sum(one for one in values if one is not None))


def _columns(patterns: Sequence[str], keys: Sequence[str], dataset: str) -> tuple[str, ...]:
    found = [matched(one, keys) for one in patterns]
    absent = [pattern for pattern, key in zip(patterns, found, strict=True) if key is None]
    if absent:
        raise Missing([f"{dataset}:{one}" for one in absent])
    return tuple(one for one in found if one is not None)


def _own_year(detail: DatasetDetail) -> str:
    """Return the year of a version: of its rows, else the one its file is named by, else that of its import."""
    period = detail.summary.period
    named = _YEAR.findall(detail.source.name)
    return period[1][:4] if period else named[-1] if named else str(detail.summary.updated_at.year)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _bottoms(viewer: Viewer, per: DatasetDetail, measure: Measure, by_year: Found, whole: dict[str, Sums]) -> None:
    """Give each line what it is told by, of another dataset in force: the same for every year."""
    keys = [one.key for one in per.columns]
    bottoms = _columns(measure.per, keys, measure.per_dataset)
    _columns([measure.by], keys, measure.per_dataset)
    asked = [Asked(f"bottom{rank}", "sum", key) for rank, key in enumerate(bottoms)]
    found = lake.aggregate(viewer, per.summary.ref, group_by=[measure.by], measures=asked, max_rows=MOST_LINES)
    known = {_text(row[0]): _added(row[1:]) for row in found.rows if row[0] is not None}
    for lines in by_year.values():
        for key, sums in lines.items():
            sums.bottom = known.get(key, 0.0)
    total = _added([one for one in known.values() if one is not None])
    for sums in whole.values():
        sums.bottom = total


def set_beside(
    viewer: Viewer, territory: str, beside: Beside, answer: Answer, computed: Computed
) -> Mapping[str, float | None]:
    """Return what each line is set beside, by its id; nothing when the dataset of the comparison is not there."""
    if beside.whole:
        return {one.id: answer.whole.value for one in answer.lines}
    extras = beside_columns(answer.measure)
    ref = DatasetRef(territory, beside.dataset)
    try:
        found = lake.aggregate(
            viewer, ref, group_by=list(beside.on), measures=[Asked("v", "max", beside.column)], max_rows=MOST_LINES
        )
    except (DatasetNotFound, lake.BadQuery):
        return {}
    known = {tuple(map(_text, row[:-1])): row[-1] for row in found.rows}
    measure, year = answer.measure, computed.by_year.get(answer.year, {})

    def key(line: Line) -> tuple[str, ...]:
        own = {measure.by: line.id, measure.year: answer.year, **dict(zip(extras, year[line.id].extra, strict=False))}
        return tuple(_text(own.get(column)) for column in beside.on)

    return {one.id: known.get(key(one)) for one in answer.lines}


def beside_columns(measure: Measure) -> tuple[str, ...]:
    """Return the columns, besides the line and the year, that comparisons need of each line."""
    wanted = [key for one in measure.besides for key in one.on if key not in (measure.by, measure.year)]
    return tuple(dict.fromkeys(wanted))


def with_besides(answer: Answer, found: Sequence[Mapping[str, float | None]]) -> Answer:
    """Return the answer, each line beside what was found for it, in the order of the measure's comparisons."""
    lines = (replace(one, besides=tuple(known.get(one.id) for known in found)) for one in answer.lines)
    return replace(answer, lines=tuple(lines))
