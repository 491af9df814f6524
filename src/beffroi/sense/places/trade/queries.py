"""The shops and firms of a town and what is known of each, then by street and by sector.

Of a firm's accounts, the turnovers of its last two years are compared; they tell of a shop only when the firm has this
one place in the town, and its seat there. No account, a confidential one, a chain: not known, and never guessed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import shapely

from beffroi.base.kernel.masking import told_groups
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Trade
from beffroi.lake.queries import DatasetDetail, DatasetNotFound, DatasetRef, DatasetSummary
from beffroi.lake.reading import GEOMETRY

UP, STABLE, DOWN = "up", "stable", "down"
CHANGE = 0.02
"""A turnover that moves less than this share is stable."""
YEAR_DAYS = (330, 400)
"""Days between two closings that may be compared."""
EVENTS: dict[str, tuple[str, ...]] = {
    "opened": ("creation", "immatriculation"),
    "sold": ("vente",),
    "trouble": ("collective", "conciliation", "procedure_conciliation", "retablissement_professionnel"),
    "closed": ("radiation",),
}
_MOST = 500_000
_SMALL = frozenset({"de", "du", "des", "la", "le", "les", "et", "à", "aux", "en", "sur"})
_PLACE = ("siret", "siren", "etatadministratifetablissement", "etablissementsiege", "typevoieetablissement",
          "libellevoieetablissement", "secteur")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shop:
    """A place of business open today. `accounts` and `declared` are one of the three words, None when not known.

    `events` are the kinds of notices about its firm within the months asked.
    """

    siret: str
    street: str
    sector: str
    lon: float | None
    lat: float | None
    accounts: str | None
    declared: str | None
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """A group as it may be told: shops open, and each measure, None where it is masked; `groups` are those summed up.

    `accounts` and `declared` are counts of the three words; `events` are counts of shops by kind of notice.
    """

    name: str
    shops: int
    accounts: Mapping[str, int] | None
    declared: Mapping[str, int] | None
    events: Mapping[str, int] | None
    lon: float | None = None
    lat: float | None = None
    groups: int = 1


@dataclass(frozen=True, slots=True)
class Trading:
    """The town: streets and sectors as they may be told, the whole, since when notices count, the sources."""

    streets: tuple[Line, ...]
    sectors: tuple[Line, ...]
    whole: Line
    since: date
    sources: tuple[DatasetSummary, ...]


def trading(
    viewer: Viewer, territory: str, wanted: Trade, *, declared: Mapping[str, str], today: date
) -> Trading | None:
    """Return how shops fare, None without the register of shops; `declared` is the trend said for each SIRET."""
    known = {slug: _detail(viewer, territory, slug) for slug in (wanted.shops, wanted.notices, wanted.accounts)}
    register = known[wanted.shops]
    if register is None:
        return None
    since = today - timedelta(days=round(wanted.months * 30.44))
    shops = _shops(viewer, register, _events(viewer, known[wanted.notices], since),
                   _trends(viewer, known[wanted.accounts]), declared)  # fmt: skip
    sources = tuple(one.summary for one in known.values() if one is not None)
    return Trading(
        streets=by_group(shops, lambda one: one.street, least=wanted.least),
        sectors=by_group(shops, lambda one: one.sector, least=wanted.least),
        whole=_line("", shops, least=wanted.least),
        since=since,
        sources=sources,
    )


def by_group(shops: Sequence[Shop], group: Callable[[Shop], str], *, least: int) -> tuple[Line, ...]:
    """Return the groups by name, each measure masked where too few are behind, then what is masked, together."""
    groups: dict[str, list[Shop]] = defaultdict(list)
    for shop in shops:
        groups[group(shop)].append(shop)
    told = {
        "accounts": told_groups({name: sum(one.accounts is not None for one in some) for name, some in groups.items()},
                                least),
        "declared": told_groups({name: sum(one.declared is not None for one in some) for name, some in groups.items()},
                                least),
        "events": told_groups({name: len(some) for name, some in groups.items()}, least),
    }  # fmt: skip
    lines = [
        _line(name, some, told={key: name in names for key, names in told.items()}, least=least)
        for name, some in sorted(groups.items())
        if name and any(name in names for names in told.values())
    ]
    shown = {one.name for one in lines}
    rest = [shop for name, some in groups.items() if name not in shown for shop in some]
    if not rest:
        return tuple(lines)
    # Told together only where nothing else is masked: what a line above hides would be what is left of the total.
    whole = {
        measure: all(
            name in told[measure] or not any(_is_known(one, measure) for one in groups[name]) for name in shown
        )
        and sum(_is_known(one, measure) for one in rest) >= least
        for measure in told
    }
    return (*lines, _line("", rest, told=whole, least=least, groups=len(groups) - len(lines)))


def _is_known(shop: Shop, measure: str) -> bool:
    return {"accounts": shop.accounts is not None, "declared": shop.declared is not None, "events": True}[measure]


def _line(
    name: str, shops: Sequence[Shop], *, least: int, told: Mapping[str, bool] | None = None, groups: int = 1
) -> Line:
    def counted(values: Sequence[str | None], measure: str) -> Mapping[str, int] | None:
        known = [one for one in values if one is not None]
        may = told[measure] if told is not None else len(known) >= least
        return {word: known.count(word) for word in (UP, STABLE, DOWN)} if may else None

    kinds = Counter(kind for one in shops for kind in one.events)
    may_events = told["events"] if told is not None else len(shops) >= least
    places = [(one.lon, one.lat) for one in shops if one.lon is not None and one.lat is not None]
    middle = [sum(axis) / len(places) for axis in zip(*places, strict=True)] if places else [None, None]
    return Line(
        name, len(shops), counted([one.accounts for one in shops], "accounts"),
        counted([one.declared for one in shops], "declared"),
        {kind: kinds[kind] for kind in EVENTS} if may_events else None, middle[0], middle[1], groups,
    )  # fmt: skip


# --- What is read -----------------------------------------------------------------------------------------------------


def _detail(viewer: Viewer, territory: str, slug: str) -> DatasetDetail | None:
    try:
        return lake.dataset(viewer, DatasetRef(territory, slug))
    except DatasetNotFound:
        return None


def _read(viewer: Viewer, detail: DatasetDetail | None, *keys: str) -> list[tuple[Any, ...]]:
    if detail is None or not set(keys) - {GEOMETRY} <= {column.key for column in detail.columns}:
        return []
    return lake.rows(
        viewer, detail.summary.ref, columns=keys, version=detail.summary.version, max_rows=_MOST, timeout_s=20,
        memory_mb=512,
    ).rows  # fmt: skip


def _shops(
    viewer: Viewer,
    register: DatasetDetail,
    events: Mapping[str, frozenset[str]],
    trends: Mapping[str, str],
    declared: Mapping[str, str],
) -> list[Shop]:
    located = bool(register.summary.geometry_type)
    rows = [row for row in _read(viewer, register, *_PLACE, *([GEOMETRY] if located else [])) if row[2] == "A"]
    places = Counter(str(row[1]) for row in rows)
    found = []
    for row in rows:
        siret, siren, _state, is_seat, kind, street, sector = row[:7]
        alone = places[str(siren)] == 1 and _is_true(is_seat)
        shape = shapely.from_wkb(bytes(row[7])) if located and row[7] else None
        found.append(Shop(
            siret=str(siret), street=street_words(kind, street),
            sector=str(sector or ""), lon=shape.x if shape is not None else None,
            lat=shape.y if shape is not None else None, accounts=trends.get(str(siren)) if alone else None,
            declared=declared.get(str(siret)), events=events.get(str(siren), frozenset()) if alone else frozenset(),
        ))  # fmt: skip
    return found


def street_words(kind: Any, name: Any) -> str:
    """Return a street of the register, which writes in capitals, as it is read.

    >>> street_words("AVENUE", "DE LA BELLE-VUE"), street_words(None, "LE BOURG")
    ('Avenue de la Belle-Vue', 'Le Bourg')
    """
    words = " ".join(str(one) for one in (kind, name) if one).title().split()
    return " ".join(one.casefold() if rank and one.casefold() in _SMALL else one for rank, one in enumerate(words))


def _is_true(value: Any) -> bool:
    return value is True or str(value).casefold() == "true"


def _events(viewer: Viewer, notices: DatasetDetail | None, since: date) -> Mapping[str, frozenset[str]]:
    kinds = {family: kind for kind, families in EVENTS.items() for family in families}
    found: dict[str, set[str]] = defaultdict(set)
    for siren, family, day in _read(viewer, notices, "siren", "familleavis", "dateparution"):
        told = _day(day)
        if family in kinds and told is not None and told >= since:
            found[str(siren)].add(kinds[family])
    return {siren: frozenset(some) for siren, some in found.items()}


def _trends(viewer: Viewer, accounts: DatasetDetail | None) -> Mapping[str, str]:
    years: dict[str, dict[date, float]] = defaultdict(dict)
    rows = _read(viewer, accounts, "siren", "date_cloture_exercice", "chiffre_d_affaires", "code_confidentialite")
    for siren, closing, turnover, secret in rows:
        day = _day(closing)
        if day is not None and turnover is not None and str(secret) == "0":
            years[str(siren)][day] = float(turnover)
    told = ((siren, trend_of(some)) for siren, some in years.items())
    return {siren: trend for siren, trend in told if trend is not None}


def trend_of(turnovers: Mapping[date, float]) -> str | None:
    """Return how the last two turnovers compare, None when they cannot be.

    >>> trend_of({date(2024, 12, 31): 100.0, date(2025, 12, 31): 101.0}), trend_of({date(2025, 12, 31): 101.0})
    ('stable', None)
    """
    days = sorted(turnovers)[-2:]
    if len(days) < 2 or not YEAR_DAYS[0] <= (days[1] - days[0]).days <= YEAR_DAYS[1] or turnovers[days[0]] <= 0:
        return None
    change = turnovers[days[1]] / turnovers[days[0]] - 1
    return UP if change > CHANGE else DOWN if change < -CHANGE else STABLE


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
