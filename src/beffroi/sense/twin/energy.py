"""The energy of buildings: their labels (DPE), the electricity measured at their address, and both by district.

A label is that of a dwelling or of a building, public by law. What is measured is never that of a house: only addresses
of ten dwellings and more are published (code de l'énergie, art. L111-72; arrêté du 18 juillet 2016), and what
an owner sends is held to the same rule.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Energy
from beffroi.lake.queries import DatasetDetail, DatasetSummary, Filter
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.colouring import LINKS, register_of, split_ids
from beffroi.sense.twin.written import WRITTEN, YEAR, address_book, key_among, read_rows, written, written_rows
from beffroi.sense.twin.zones import Zones

LETTERS = tuple("ABCDEFG")
LEAST_DWELLINGS = 10
DWELLINGS = "nombre_de_logements"
TOTAL = "consommation_annuelle_totale_de_l_adresse_mwh"
MEAN = "consommation_annuelle_moyenne_par_site_de_l_adresse_mwh"
LABEL = "etiquette_dpe"
_LABEL_COLUMNS = {
    "number": "numero_dpe",
    "label": LABEL,
    "climate": "etiquette_ges",
    "kwh_m2": "conso_5_usages_par_m2_ep",
    "day": "date_etablissement_dpe",
    "surface_m2": "surface_habitable_logement",
}


@dataclass(frozen=True, slots=True)
class LabelInfo:
    """One diagnosis: primary energy in kWh/m²/year, surface in m²; None where the file does not say."""

    number: str
    label: str
    climate: str | None
    kwh_m2: float | None
    day: date | None
    surface_m2: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What an address used in a year (electricity, MWh), all its dwellings together; `buildings` share the address."""

    year: int | None
    address: str
    dwellings: int
    total_mwh: float
    mean_mwh: float
    buildings: int


@dataclass(frozen=True, slots=True)
class BuildingEnergy:
    """What is known of one building, newest first. `addresses` are the identifiers of those it has."""

    labels: tuple[LabelInfo, ...]
    measured: tuple[Measured, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DistrictEnergy:
    """One district: labels by letter; what is measured of the last year, at how many addresses and dwellings."""

    name: str
    labels: Mapping[str, int]
    addresses: int
    dwellings: int
    total_mwh: float

    @property
    def diagnoses(self) -> int:
        """Return how many labels there are."""
        return sum(self.labels.values())

    @property
    def leaking(self) -> int:
        """Return how many are F or G."""
        return self.labels.get("F", 0) + self.labels.get("G", 0)


@dataclass(frozen=True, slots=True)
class TownEnergy:
    """The districts by name, then the whole town; `year` is that of what is measured, None when nothing is.

    `unplaced` are the addresses measured that the address base does not hold.
    """

    districts: tuple[DistrictEnergy, ...]
    whole: DistrictEnergy
    year: int | None
    unplaced: int
    sources: tuple[DatasetSummary, ...]


def detail_of(viewer: Viewer, datasets: Iterable[DatasetSummary], slug: str) -> DatasetDetail | None:
    """Return a dataset of the town by its slug, None when it is not there for this reader."""
    found = next((one for one in datasets if one.ref.slug == slug), None)
    return lake.dataset(viewer, found.ref, version=found.version) if found else None


# --- One building -----------------------------------------------------------------------------------------------------


def energy_of(
    viewer: Viewer,
    wanted: Energy,
    datasets: Sequence[DatasetSummary],
    building: DatasetDetail,
    values: Mapping[str, Any],
) -> BuildingEnergy:
    """Return the labels and the measures of a building whose attributes are `values`, as its reader may see them."""
    known = {kind: {one for key in keys for one in split_ids(values.get(key))} for kind, keys in LINKS.items()}
    register = register_of(viewer, datasets, building)
    if register is not None:
        number = key_among(register, LINKS["rnb"]) or ""
        theirs = key_among(register, LINKS["address"])
        for rnb in sorted(known["rnb"]) if theirs else ():
            for (text,) in read_rows(viewer, register, theirs or "", where=(Filter(number, "eq", rnb),)):
                known["address"] |= set(split_ids(text))
    labels = _labels(viewer, detail_of(viewer, datasets, wanted.labels), known)
    measures = _measures(viewer, datasets, wanted, sorted(known["address"]), register)
    return BuildingEnergy(labels, measures, tuple(sorted(known["address"])))


def _labels(viewer: Viewer, told: DatasetDetail | None, known: Mapping[str, set[str]]) -> tuple[LabelInfo, ...]:
    if told is None:
        return ()
    columns = {name: key for name, key in _LABEL_COLUMNS.items() if key_among(told, (key,))}
    if not {"number", "label"} <= set(columns):
        return ()
    for kind, keys in LINKS.items():
        theirs = key_among(told, keys)
        if theirs is None or not known[kind]:
            continue
        rows = [
            dict(zip(columns, row, strict=True))
            for one in sorted(known[kind])
            for row in read_rows(viewer, told, *columns.values(), where=(Filter(theirs, "eq", one),))
        ]
        found = [_label(row) for row in rows if row["label"] in LETTERS]
        return tuple(sorted(found, key=lambda one: (one.day or date.min, one.number), reverse=True))
    return ()


def _label(row: Mapping[str, Any]) -> LabelInfo:
    day = row.get("day")
    return LabelInfo(
        number=str(row["number"]),
        label=str(row["label"]),
        climate=row.get("climate"),
        kwh_m2=_number(row.get("kwh_m2")),
        day=day if isinstance(day, date) else None,
        surface_m2=_number(row.get("surface_m2")),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _measures(
    viewer: Viewer,
    datasets: Sequence[DatasetSummary],
    wanted: Energy,
    addresses: Sequence[str],
    register: DatasetDetail | None,
) -> tuple[Measured, ...]:
    told, book = detail_of(viewer, datasets, wanted.measured), address_book(viewer, datasets)
    if told is None or book is None:
        return ()
    known = {one.key for one in told.columns}
    keys = [key for key in (*WRITTEN, YEAR, DWELLINGS, TOTAL, MEAN) if key in known]
    if not {WRITTEN[0], DWELLINGS, TOTAL, MEAN} <= known:
        return ()
    found = []
    for address in addresses:
        for line in address_words(viewer, book, address):
            rows = read_rows(viewer, told, *keys, where=(Filter(WRITTEN[0], "eq", line.number),))
            told_rows = (dict(zip(keys, row, strict=True)) for row in rows)
            same = [row for row in told_rows if written(row) in line.words and row[DWELLINGS] >= LEAST_DWELLINGS]
            shared = _sharing(viewer, register, address)
            found += [
                Measured(row.get(YEAR), line.name, int(row[DWELLINGS]), float(row[TOTAL]), float(row[MEAN]), shared)
                for row in same
                if row[TOTAL] is not None and row[MEAN] is not None
            ]
    return tuple(sorted(found, key=lambda one: (one.year or 0, one.address), reverse=True))


@dataclass(frozen=True, slots=True)
class Words:
    """An address of the base, in its parts; `words` are what files may write of it."""

    number: str
    rep: str
    way: str
    words: frozenset[str]

    @property
    def name(self) -> str:
        """Return the address on one line."""
        return " ".join(part for part in (self.number, self.rep, self.way) if part)


def address_words(viewer: Viewer, book: DatasetDetail, address: str) -> list[Words]:
    """Return an address of the base: one line, none when it is not there."""
    keys = [key for key in ("numero", "rep", "nom_voie", "nom_afnor") if key_among(book, (key,))]
    lines = []
    for row in read_rows(viewer, book, *keys, where=(Filter("id", "eq", address),)):
        told = dict(zip(keys, row, strict=True))
        number, rep = str(told["numero"]), str(told.get("rep") or "")
        ways = [str(told[key]) for key in ("nom_voie", "nom_afnor") if told.get(key)]
        words = frozenset(written({WRITTEN[0]: number, WRITTEN[1]: rep, WRITTEN[3]: way}) for way in ways)
        lines.append(Words(number, rep, ways[0] if ways else "", words))
    return lines


def _sharing(viewer: Viewer, register: DatasetDetail | None, address: str) -> int:
    theirs = key_among(register, LINKS["address"]) if register else None
    if register is None or theirs is None:
        return 1
    cells = read_rows(viewer, register, theirs, where=(Filter(theirs, "contains", address),))
    return max(1, sum(address in split_ids(text) for (text,) in cells))


# --- The town ---------------------------------------------------------------------------------------------------------


def town_energy(viewer: Viewer, wanted: Energy, datasets: Sequence[DatasetSummary]) -> TownEnergy | None:
    """Return what is known by district, None when the town has no labels for this reader."""
    labels = detail_of(viewer, datasets, wanted.labels)
    if labels is None or key_among(labels, (LABEL,)) is None:
        return None
    measured, areas = detail_of(viewer, datasets, wanted.measured), detail_of(viewer, datasets, wanted.districts)
    book = address_book(viewer, datasets)
    used = [one for one in (labels, measured, areas, book) if one is not None]
    # The rights are in the key: what the reader may not read is in none of the columns named.
    seen = tuple((one.summary.ref, one.summary.version, tuple(col.key for col in one.columns)) for one in used)
    key = (seen, lake.edits_mark(labels.summary.ref.territory))
    with _holding:
        if key not in _held:
            _held[key] = _town_energy(viewer, labels, measured, areas, book)
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        return _held[key]


def _town_energy(
    viewer: Viewer,
    labels: DatasetDetail,
    measured: DatasetDetail | None,
    areas: DatasetDetail | None,
    book: DatasetDetail | None,
) -> TownEnergy:
    zones = Zones(viewer, areas)
    letters: dict[str, Counter[str]] = defaultdict(Counter)
    rows = [row for row in read_rows(viewer, labels, LABEL, GEOMETRY) if row[0] in LETTERS]
    for name, (letter, _shape) in zip(zones.of([shape for _letter, shape in rows]), rows, strict=True):
        letters[name][str(letter)] += 1
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0.0])
    unplaced, year = 0, None
    if measured is not None and book is not None and {DWELLINGS, TOTAL, YEAR} <= {c.key for c in measured.columns}:
        found = [row for row in written_rows(viewer, measured, book, DWELLINGS, TOTAL, YEAR) if _tellable(row[1])]
        year = max((row[1][2] for row in found), default=None)
        unplaced = _last_year(viewer, measured) - len(found)
        places = dict(read_rows(viewer, book, "id", GEOMETRY))
        names = zones.of([places.get(address) for address, _values in found])
        for name, (_one, (homes, total, _year)) in zip(names, found, strict=True):
            sums[name] = [sums[name][0] + 1, sums[name][1] + homes, sums[name][2] + total]
    districts = tuple(_district(name, letters[name], sums[name]) for name in zones.names)
    total = [sum(part) for part in zip(*sums.values(), strict=True)] or [0, 0, 0.0]
    whole = _district("", sum(letters.values(), Counter()), total)
    sources = tuple(one.summary for one in (labels, measured) if one is not None)
    return TownEnergy(districts, whole, year, max(0, unplaced), sources)


def _tellable(values: Sequence[Any]) -> bool:
    return values[0] is not None and values[0] >= LEAST_DWELLINGS and values[1] is not None


def _last_year(viewer: Viewer, measured: DatasetDetail) -> int:
    years = [year for homes, year in read_rows(viewer, measured, DWELLINGS, YEAR) if homes and homes >= LEAST_DWELLINGS]
    return years.count(max(years)) if years else 0


def _district(name: str, letters: Mapping[str, int], sums: Sequence[float]) -> DistrictEnergy:
    return DistrictEnergy(name, {one: letters.get(one, 0) for one in LETTERS}, int(sums[0]), int(sums[1]), sums[2])


_held: OrderedDict[object, TownEnergy] = OrderedDict()
_holding = threading.Lock()
_MOST_KEPT = 4
