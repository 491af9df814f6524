"""How the rows of a dataset are found: what its file says (`[search]`), else what the names of its columns tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from beffroi.lake.queries import DatasetDetail
from beffroi.lake.reading import Column, ColumnType
from beffroi.lake.searching import SearchOptions

# How publishers call things, best first: SCDL, BAL and BAN, BPE, GéoDAE, IRVE, OpenStreetMap, plain French.
_TITLES = (
    "nom_complet", "equip_nom", "nom_station", "stop_name", "nom_etablissement", "titre", "intitule", "nom", "name",
    "libelle", "denomination", "raison_sociale", "rs", "nom_usuel", "enseigne", "delib_objet", "lib_off", "objet",
)  # fmt: skip
_CATEGORIES = (
    "equip_type", "type_etablissement", "libcategetab", "categorie", "category", "genre", "type_ouvrage", "type",
    "delib_matiere_nom",
)  # fmt: skip
_DETAILS = (
    "adr_numero",
    "adr_num",
    "adr_nomvoie",
    "adr_voie",
    "adresse",
    "adresse_1",
    "adresse_station",
    "adrs",
    "voie",
    "lieu",
)
_DATES = ("delib_date",)
_HOURS = ("ouverture", "horaires", "horaire", "opening_hours")
_STARTS = ("debut", "date_debut", "start", "dtstart")
_PARTS = {
    "number": ("numero", "num_voi", "num_voie", "house_number"),
    "suffix": ("rep", "suffixe", "suf_voi", "indice_rep"),
    "street": ("nom_voie", "voie_nom", "lib_voie", "libelle_voie"),
    "postcode": ("code_postal", "cp"),
    "city": ("nom_commune", "commune_nom"),
    "citycode": ("code_insee", "commune_insee"),
}
# A "name" borne by so many rows names a sort of thing, not a thing: « Platane », « Banc ».
NAMES_AT_LEAST = 0.3
FEW_ROWS = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns, by key, make an entry of each row. `named_by_file`: the town said so, it is not a guess."""

    kind: str
    title: tuple[str, ...] = ()
    category: str = ""
    details: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    hours: str = ""
    start: str = ""
    number: str = ""
    suffix: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    citycode: str = ""
    named_by_file: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column the plan reads, once."""
        parts = (self.number, self.suffix, self.street, self.postcode, self.city, self.citycode)
        several = (*self.title, *self.details, *self.words)
        return tuple(dict.fromkeys(key for key in (*several, self.category, self.hours, self.start, *parts) if key))


def plan_of(detail: DatasetDetail, said: SearchOptions) -> Plan | None:
    """Return how the rows of a dataset are found by the readers of `detail`, None when they are not.

    A column these readers do not see is left out, whatever the file says: the rest still finds the row.
    """
    known = {column.key: column for column in detail.columns}
    if said.kind == "none":
        return None
    parts: dict[str, Any] = {
        part: _seen(getattr(said, part), known) or _first(names, known) for part, names in _PARTS.items()
    }
    located = detail.summary.geometry_type is not None
    if said.kind == "address" or (not said.kind and located and _are_addresses(detail.columns, parts)):
        return Plan("address", **parts) if parts["street"] and located else None
    title = tuple(key for key in said.title if key in known) or _guessed_title(detail.columns)
    if not title:
        return None
    start = _seen(said.start, known) or _first(_STARTS, known)
    details = tuple(key for key in said.details if key in known) or tuple(key for key in _DETAILS if key in known)
    if not said.details:
        details += tuple(key for key in _DATES if key in known)
    return Plan(
        said.kind or _guessed_kind(detail, known, start),
        title=title,
        category=_seen(said.category, known) or _first(_CATEGORIES, known),
        details=details,
        words=tuple(key for key in said.words if key in known),
        hours=_seen(said.hours, known) or _ending(_HOURS, known),
        start=start,
        named_by_file=bool(said.kind or said.title),
    )


def _seen(key: str, known: Iterable[str]) -> str:
    return key if key in known else ""


def _first(names: Sequence[str], known: Iterable[str]) -> str:
    return next((name for name in names if name in known), "")


def _ending(names: Sequence[str], known: Iterable[str]) -> str:
    return next((key for key in known for name in names if key == name or key.endswith(f"_{name}")), "")


def _are_addresses(columns: Sequence[Column], parts: dict[str, str]) -> bool:
    """Tell whether rows are the addresses themselves, not things that have one: those have a name or a kind besides."""
    keys = {column.key for column in columns}
    return bool(parts["number"] and parts["street"]) and not keys & {*_TITLES[:8], *_CATEGORIES, "type_local"}


def _guessed_title(columns: Sequence[Column]) -> tuple[str, ...]:
    texts = {column.key for column in columns if column.type is ColumnType.TEXT}
    found = _first(_TITLES, texts)
    return (found,) if found else ()


def _guessed_kind(detail: DatasetDetail, known: dict[str, Column], start: str) -> str:
    geometry = detail.summary.geometry_type
    if start and known[start].type in (ColumnType.DATE, ColumnType.DATETIME):
        return "event"
    if geometry is None:
        return "document"
    return "street" if geometry in ("LineString", "MultiLineString") else "place"
