"""The lots of a town, read once for everybody from what agents may read, then told to each as far as she may know.

Agents read each lot. Officials read surfaces and uses, and vacancy where enough lots stand behind it: LOVAC and the tax
files are handed to a town under an undertaking of confidence. Nobody reads an owner here: none is in these datasets.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import shapely

from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Premises
from beffroi.lake.queries import DatasetDetail, DatasetSummary
from beffroi.lake.reading import GEOMETRY
from beffroi.sense.twin.premises.counting import Mix, Occupation, hushed, mix, occupation, uses_of
from beffroi.sense.twin.premises.lots import USES, Lot, Saying, Source, in_order
from beffroi.sense.twin.written import key_among, read_rows
from beffroi.sense.twin.zones import Zones

STAFF = (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
AGENTS = (Role.AGENT, Role.ADMINISTRATOR)


class PremisesRefused(Refused):
    """These pages are for the agents and the officials of the town."""


class BuildingNotFound(NotFound):
    """No lot is known in this building."""


@dataclass(frozen=True, slots=True)
class Premise:
    """A building by its lots: its uses and surfaces are told to all staff, its vacancy to who may read each lot."""

    id: str
    address: str
    district: str
    uses: Mapping[str, int]
    mix: Mix
    state: Occupation


@dataclass(frozen=True, slots=True)
class TownPremises:
    """The lots of a town, as one reader may know them. `each` says she may read lots one by one."""

    whole: Occupation
    districts: tuple[Occupation, ...]
    uses: tuple[Occupation, ...]
    buildings: tuple[Premise, ...]
    sources: tuple[DatasetSummary, ...]
    least: int
    each: bool

    @property
    def mixed(self) -> int:
        """Return how many buildings are mixed."""
        return sum(one.mix.mixed for one in self.buildings)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the lake says, with the agents' eyes."""

    lots: tuple[Lot, ...]
    by_building: Mapping[str, tuple[Lot, ...]]
    sources: tuple[DatasetSummary, ...]


def is_agent(viewer: Viewer, territory: str) -> bool:
    """Tell whether a viewer reads lots one by one."""
    return any(viewer.has(role, territory) for role in AGENTS)


def _require_staff(viewer: Viewer, territory: str) -> None:
    if not any(viewer.has(role, territory) for role in STAFF):
        raise PremisesRefused("l’occupation des locaux est lue par les agents et les élus de la commune",
                              remedy="demandez ce rôle à un administrateur")  # fmt: skip


def town_premises(viewer: Viewer, territory: str, wanted: Premises) -> TownPremises | None:
    """Return the lots of a town by district, use and building, None when the town has none.

    Raises:
        PremisesRefused: the viewer is neither agent nor official of the town.
    """
    _require_staff(viewer, territory)
    read = _read(territory, wanted)
    if read is None:
        return None
    each = is_agent(viewer, territory)
    counted = [one for one in read.lots if one.use in USES]
    by_district: dict[str, list[Lot]] = defaultdict(list)
    by_use: dict[str, list[Lot]] = defaultdict(list)
    for one in counted:
        by_district[one.district].append(one)
        by_use[one.use].append(one)
    districts = [occupation(name, by_district[name]) for name in sorted(by_district, key=lambda one: (not one, one))]
    uses = [occupation(use, by_use[use]) for use in USES if use in by_use]
    buildings = tuple(_premise(lots, wanted, each=each) for lots in read.by_building.values())
    least = 0 if each else wanted.least
    return TownPremises(
        hushed([occupation("", counted)], least)[0], hushed(districts, least), hushed(uses, least),
        buildings, read.sources, wanted.least, each,
    )  # fmt: skip


def premise(viewer: Viewer, territory: str, wanted: Premises, building: str) -> tuple[Premise, tuple[Lot, ...]]:
    """Return a building by its lots, and the lots themselves, none for who may not read them one by one.

    Raises:
        PremisesRefused: see `town_premises`. BuildingNotFound: no lot is known there.
    """
    _require_staff(viewer, territory)
    read = _read(territory, wanted)
    lots = read.by_building.get(building, ()) if read else ()
    if not lots:
        raise BuildingNotFound("aucun local connu dans ce bâtiment", where=building[:40],
                               remedy="vérifiez son identifiant RNB")  # fmt: skip
    each = is_agent(viewer, territory)
    ordered = sorted(lots, key=lambda one: (one.floor if one.floor is not None else 99, one.use, one.id))
    return _premise(lots, wanted, each=each), tuple(ordered) if each else ()


def _premise(lots: Sequence[Lot], wanted: Premises, *, each: bool) -> Premise:
    counted = [one for one in lots if one.use in USES]
    state = occupation("", counted)
    if not each:
        # A building is few lots: what is told of several could be told apart by the total of their district.
        state = replace(state, vacant=None)
    address = next((one.address for one in lots if one.address), "")
    mixed = mix(counted, least_uses=wanted.least_uses, most_share=wanted.most_share)
    return Premise(lots[0].building, address, lots[0].district, uses_of(counted), mixed, state)


# --- Reading the lake -------------------------------------------------------------------------------------------------


def all_lots(territory: str, wanted: Premises) -> tuple[Lot, ...]:
    """Return every lot of a town, for another part of the room that cuts it by itself."""
    read = _read(territory, wanted)
    return read.lots if read else ()


def _read(territory: str, wanted: Premises) -> _Read | None:
    eyes = Viewer(None, (Grant(territory, Role.AGENT),))
    slugs = (wanted.lots, wanted.vacancy, wanted.surveys, wanted.companies, wanted.districts)
    known = {one.ref.slug: one for one in lake.datasets(eyes, territory=territory) if one.ref.slug in slugs}
    if wanted.lots not in known:
        return None
    key = (territory, tuple((slug, one.version) for slug, one in sorted(known.items())), lake.edits_mark(territory))
    with _holding:
        if key not in _held:
            details = {slug: lake.dataset(eyes, one.ref, version=one.version) for slug, one in known.items()}
            _held[key] = _made(eyes, details, wanted)
            while len(_held) > _MOST_KEPT:
                _held.popitem(last=False)
        return _held[key]


def _made(eyes: Viewer, details: Mapping[str, DatasetDetail], wanted: Premises) -> _Read:
    told = details[wanted.lots]
    rows = _dicts(eyes, told, "idlocal", "rnb_id", "usage", "slocal", "dniv", "adresse", "identifiant_ban", "annee",
                  "ccthp", GEOMETRY)  # fmt: skip
    zones = Zones(eyes, details.get(wanted.districts))
    places = zones.of([row.get(GEOMETRY) for row in rows]) if zones.names else [""] * len(rows)
    surveys = _by_lot(_dicts(eyes, details.get(wanted.surveys), "idlocal", "date_releve", "etat", "siret"), "idlocal")
    vacancy = _by_lot(_dicts(eyes, details.get(wanted.vacancy), "ff_idlocal", "annee"), "ff_idlocal")
    companies = _dicts(eyes, details.get(wanted.companies), "siret", "etatadministratifetablissement", "datedebut",
                       "identifiantadresseetablissement")  # fmt: skip
    tied = _tied(rows, surveys, companies)
    shut = {
        str(one["siret"]): day for one in companies
        if one.get("etatadministratifetablissement") == "F" and (day := _day(one.get("datedebut")))
    }  # fmt: skip
    lots = []
    for row, district in zip(rows, places, strict=True):
        number = str(row["idlocal"])
        siret = tied.get(number, "")
        sayings = in_order(_sayings(row, surveys.get(number, ()), vacancy.get(number, ()), shut.get(siret)))
        floor, surface = row.get("dniv"), row.get("slocal")
        lots.append(
            Lot(number, str(row.get("rnb_id") or ""), str(row.get("usage") or ""),
                float(surface) if surface is not None else None, int(floor) if isinstance(floor, int) else None,
                str(row.get("adresse") or ""), district, siret, _place(row.get(GEOMETRY)), sayings)
        )  # fmt: skip
    by_building: dict[str, list[Lot]] = defaultdict(list)
    for one in lots:
        if one.building:
            by_building[one.building].append(one)
    sources = tuple(
        details[slug].summary for slug in (wanted.lots, wanted.surveys, wanted.companies, wanted.vacancy)
        if slug in details
    )  # fmt: skip
    return _Read(tuple(lots), {name: tuple(found) for name, found in by_building.items()}, sources)


def _sayings(
    row: Mapping[str, Any], surveys: Sequence[Mapping[str, Any]], vacancy: Sequence[Mapping[str, Any]],
    shut: date | None,
) -> list[Saying]:  # fmt: skip
    """Return what each source says of a lot; an unknown state says nothing."""
    found = []
    for one in surveys:
        day = _day(one.get("date_releve"))
        if day and one.get("etat") in ("occupe", "vacant"):
            found.append(Saying(one["etat"] == "vacant", Source.SURVEY, day))
    found += [Saying(True, Source.LOVAC, date(int(one["annee"]), 1, 1)) for one in vacancy if one.get("annee")]
    if row.get("ccthp") and row.get("annee"):
        found.append(Saying(row["ccthp"] == "V", Source.TAX, date(int(row["annee"]), 1, 1)))
    if shut is not None:
        found.append(Saying(True, Source.SIRENE, shut))
    return found


def _tied(
    rows: Sequence[Mapping[str, Any]], surveys: Mapping[str, Sequence[Mapping[str, Any]]],
    companies: Sequence[Mapping[str, Any]],
) -> dict[str, str]:  # fmt: skip
    """Return the establishment of each lot: that of its last survey, else the only one where it is the only lot.

    Of an address with several of either, nothing tells which is where: none is tied.
    """
    found: dict[str, str] = {}
    for number, seen in surveys.items():
        named = [one for one in seen if one.get("siret")]
        if named:
            found[number] = str(max(named, key=lambda one: str(one.get("date_releve") or ""))["siret"])
    at_address: dict[str, list[str]] = defaultdict(list)
    for one in companies:
        if one.get("identifiantadresseetablissement"):
            at_address[str(one["identifiantadresseetablissement"])].append(str(one["siret"]))
    premises: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.get("usage") in ("commerce", "bureau", "activite") and row.get("identifiant_ban"):
            premises[str(row["identifiant_ban"])].append(str(row["idlocal"]))
    for address, numbers in premises.items():
        if len(numbers) == 1 and len(at_address[address]) == 1:
            found.setdefault(numbers[0], at_address[address][0])
    return found


def _place(shape: Any) -> tuple[float, float] | None:
    """Return the longitude and latitude of a point of a lot, None where it has none."""
    if not shape:
        return None
    point = shapely.point_on_surface(shapely.from_wkb(bytes(shape)))
    return float(point.x), float(point.y)


def _dicts(eyes: Viewer, detail: DatasetDetail | None, *keys: str) -> list[dict[str, Any]]:
    """Return the rows of a dataset by the keys it has, none without the dataset."""
    if detail is None:
        return []
    known = [key for key in keys if key == GEOMETRY or key_among(detail, (key,))]
    if GEOMETRY in known and not detail.summary.geometry_type:
        known.remove(GEOMETRY)
    return [dict(zip(known, row, strict=True)) for row in read_rows(eyes, detail, *known)]


def _by_lot(rows: Sequence[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[str(row[key])].append(row)
    return found


def _day(value: Any) -> date | None:
    """Read a day, whatever its column was taken for."""
    if isinstance(value, date):
        return value if type(value) is date else date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


_held: OrderedDict[object, _Read] = OrderedDict()
_holding = threading.Lock()
_MOST_KEPT = 3
