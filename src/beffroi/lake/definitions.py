"""Dataset files: what a town declares about a source that the source does not say itself. Knows no Django.

``datasets/<theme>/<slug>.toml`` ship with Beffroi; a town adds its own under ``<DATA_DIR>/datasets/<theme>/``, which
win over those shipped when they bear the same slug.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import PUBLIC
from beffroi.lake import declared
from beffroi.lake.declared import Derived, FetchOptions, RowOptions, TableOptions
from beffroi.lake.definition_values import (
    KEY,
    SLUG,
    BadDefinition,
    Reader,
    access,
    bad,
    checked,
    count,
    flag,
    labels,
    mapping,
    number,
    text,
    texts,
    type_of,
    zoom,
)
from beffroi.lake.public_view import NEEDED, PublicView, view_options
from beffroi.lake.reading import ColumnType, ReadOptions
from beffroi.lake.searching import SEARCH_KINDS, SearchOptions


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """What a dataset file says of one column, by key; None leaves what was found in the source.

    `labels` say coded values; `missing` are the values that stand for none, each with why (empty when it says nothing).
    The rest is what its schema demands, checked at each import (`schema_check`); `example` shows the `pattern`.
    """

    title: str | None = None
    type: ColumnType | None = None
    unit: str | None = None
    description: str | None = None
    access: str | None = None
    drop: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    example: str | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """One known fault of the source. Where every column of `match` has its value, `column` must hold `expect` and
    becomes `value` (both as text, None for empty)."""

    column: str
    match: Mapping[str, str]
    expect: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class TileOptions:
    """How tiles are baked: zooms (None: chosen from the density) and the attributes carried (None: all visible)."""

    min_zoom: int | None = None
    max_zoom: int | None = None
    attributes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A dataset file, validated. Empty text means "as the source says"."""

    slug: str
    theme: str = ""
    title: str = ""
    description: str = ""
    producer: str = ""
    licence: str = ""
    rhythm: str = ""
    owner: str = ""
    access: str = PUBLIC
    fictional: bool = False
    id: str | None = None
    sources: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    columns: Mapping[str, ColumnDefinition] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    reading: ReadOptions = field(default_factory=ReadOptions)
    tiles: TileOptions = field(default_factory=TileOptions)
    search: SearchOptions = field(default_factory=SearchOptions)
    public_view: PublicView | None = None
    schema_url: str = ""
    pitfalls: tuple[str, ...] = ()
    tables: TableOptions = field(default_factory=TableOptions)
    rows: RowOptions = field(default_factory=RowOptions)
    derived: tuple[Derived, ...] = ()
    fetch: FetchOptions = field(default_factory=FetchOptions)

    def as_json(self) -> dict[str, Any]:
        """Return the canonical JSON form: what is hashed into a version and kept in its manifest."""
        plain = asdict(self)
        for machine_only in ("extent", "work_dir", "stays"):
            plain["reading"].pop(machine_only)
        if not self.reading.tags:
            plain["reading"].pop("tags")
        # Versions made before files could say these keep their names.
        unsaid = Definition(self.slug)
        for newer in ("owner", "search", "schema_url", "pitfalls", "tables", "rows", "derived"):
            if getattr(self, newer) == getattr(unsaid, newer):
                plain.pop(newer)
        for newer in ("near", "only", "department"):
            if not getattr(self.rows, newer):
                plain.get("rows", {}).pop(newer, None)
        if self.public_view is None:
            plain.pop("public_view")
        # Where a source is fetched changes nothing of what it says.
        plain.pop("fetch")
        for column in plain["columns"].values():
            for newer in _NEWER:
                if column[newer] == getattr(_UNSAID, newer):
                    column.pop(newer)
        payload: dict[str, Any] = json.loads(json.dumps(plain, sort_keys=True, default=str))
        return payload

    def matches(self, name: str, territory: str) -> bool:
        """Tell whether a source of this file name, for this territory, is the one described."""
        if self.territories and territory not in self.territories:
            return False
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.sources)


def load_definitions(folders: Sequence[Path] | None = None) -> tuple[list[Definition], list[BadDefinition]]:
    """Return the definitions of `folders` (shipped ones when not given) and the faults of the files left out.

    A file that says ``extends = "<slug>"`` starts from that of the same folder: what it says wins, table by
    table. Later folders win over earlier ones for the same slug.
    """
    found: dict[tuple[str, tuple[str, ...]], Definition] = {}
    faults: list[BadDefinition] = []
    for folder in [shipped_folder("datasets")] if folders is None else folders:
        here: dict[tuple[str, tuple[str, ...]], Definition] = {}
        paths = sorted(folder.glob("*/*.toml"))
        for path in paths:
            try:
                definition = read_definition(path, among=paths)
            except BadDefinition as fault:
                faults.append(fault)
            else:
                here[definition.slug, definition.territories] = definition
        renewed = {slug for slug, _ in here}
        found = {key: one for key, one in found.items() if key[0] not in renewed} | here
    return list(found.values()), faults


def definition_for(name: str, territory: str, definitions: Iterable[Definition]) -> Definition | None:
    """Return the definition whose `sources` match a file name; one that names the territory wins."""
    matching = [definition for definition in definitions if definition.matches(name, territory)]
    return max(matching, key=lambda definition: bool(definition.territories), default=None)


def definition_named(slug: str, territory: str, definitions: Iterable[Definition]) -> Definition | None:
    """Return the definition of a slug: the one that names the territory, else the one that names none."""
    named = [one for one in definitions if one.slug == slug and (not one.territories or territory in one.territories)]
    return max(named, key=lambda one: bool(one.territories), default=None)


def read_definition(path: Path, *, among: Sequence[Path] = ()) -> Definition:
    """Read and validate one dataset file; `among` are those it may extend.

    Raises:
        BadDefinition: not TOML, a key unknown or missing, a value that does not suit its key, an unknown `extends`.
    """
    where = f"datasets/{path.parent.name}/{path.name}"
    payload = _payload(path, where)
    wanted = payload.pop("extends", None)
    if wanted is not None:
        base = next((one for one in among if one.stem == wanted and one != path), None)
        if base is None:
            known = sorted({one.stem for one in among})
            close = difflib.get_close_matches(str(wanted), known, n=1)
            raise bad(where, "extends", wanted, f"le nom d'un autre fichier{f' ; « {close[0]} » ?' if close else ''}")
        payload = _laid_over(_payload(base, where), payload)
    slug = str(wanted) if wanted is not None else path.stem
    return parsed_definition(payload, where=where, slug=slug, theme=path.parent.name)


def _laid_over(base: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with what another says over it: tables merge key by key, all else is replaced."""
    merged = dict(base)
    for key, value in said.items():
        below = merged.get(key)
        merged[key] = _laid_over(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def _payload(path: Path, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDefinition(
            "fichier TOML illisible ({error})", where=where, remedy="corrigez la syntaxe à cet endroit", error=error
        ) from error


def parsed_definition(payload: Mapping[str, Any], *, where: str, slug: str = "", theme: str = "") -> Definition:
    """Validate the content of a dataset file; `slug` and `theme` are the defaults its path gives.

    Raises:
        BadDefinition: a key unknown or missing, a value that does not suit its key.
    """
    values = {"slug": slug, "theme": theme} | checked(payload, _TOP, where, "")
    definition = Definition(**values)
    if not SLUG.fullmatch(definition.slug):
        raise bad(where, "slug", definition.slug, "minuscules sans accents, chiffres et tirets")
    if len(definition.title) > 200:
        raise bad(where, "title", definition.title, "200 caractères au plus")
    for key in definition.columns:
        if not KEY.fullmatch(key):
            raise bad(where, f"columns.{key}", key, "une clé en minuscules, chiffres et « _ »")
    # What stands for nothing is told from what is typed: read as text, it is neither lost nor taken for noise.
    coded = {key: ColumnType.TEXT for key, said in definition.columns.items() if said.missing}
    if coded:
        types = coded | definition.reading.types
        definition = replace(definition, reading=replace(definition.reading, types=types))
    if definition.id and definition.columns.get(definition.id, ColumnDefinition()).drop:
        raise bad(where, "id", definition.id, "une colonne gardée")
    if definition.public_view is not None:
        if definition.access == PUBLIC:
            raise bad(where, "access", PUBLIC, "agents ou service:<nom>, puisque le public a une vue à lui")
        if definition.public_view.slug == definition.slug or not SLUG.fullmatch(definition.public_view.slug):
            raise bad(where, "public_view.slug", definition.public_view.slug, "un nom qui n'est pas celui du jeu")
    return definition


def definition_from_json(payload: Mapping[str, Any]) -> Definition:
    """Rebuild the definition kept in ``dataset.json`` by :meth:`Definition.as_json`."""
    reading, tiles = dict(payload["reading"]), dict(payload["tiles"])
    reading["types"] = {title: ColumnType(kind) for title, kind in reading["types"].items()}
    reading["tags"] = tuple(reading.get("tags", ()))
    tiles["attributes"] = None if tiles["attributes"] is None else tuple(tiles["attributes"])
    columns = {
        key: ColumnDefinition(
            **{
                **column,
                "type": column["type"] and ColumnType(column["type"]),
                "enum": tuple(column.get("enum", ())),
            }
        )
        for key, column in payload["columns"].items()
    }
    rebuilt = {
        "sources": tuple(payload["sources"]),
        "territories": tuple(payload["territories"]),
        "columns": columns,
        "corrections": tuple(Correction(**correction) for correction in payload["corrections"]),
        "reading": ReadOptions(**reading),
        "tiles": TileOptions(**tiles),
        "search": search_options(payload),
        "public_view": view_options(payload.get("public_view")),
        "pitfalls": tuple(payload.get("pitfalls", ())),
        "derived": declared.derived_from_json(payload.get("derived", ())),
    }
    if "tables" in payload:
        rebuilt["tables"] = declared.tables_from_json(payload["tables"])
    if "rows" in payload:
        rebuilt["rows"] = declared.rows_from_json(payload["rows"])
    return Definition(**{**payload, **rebuilt})


def search_options(payload: Mapping[str, Any]) -> SearchOptions:
    """Return how the rows of a dataset are found, from its definition as `Definition.as_json` wrote it."""
    said: Mapping[str, Any] = payload.get("search", {})
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    return SearchOptions(**values)


def restricted(definition: Definition, access: str, columns: Mapping[str, str]) -> Definition:
    """Return the definition with other rights: of the dataset, and of some columns by key."""
    merged = dict(definition.columns)
    for key, column_access in columns.items():
        merged[key] = replace(merged.get(key, ColumnDefinition()), access=column_access)
    return replace(definition, access=access, columns=merged)


def _renames(value: Any, where: str, key: str) -> dict[str, str]:
    return {title: text(to, where, f"{key}.{title}") for title, to in mapping(value, where, key).items()}


def _types(value: Any, where: str, key: str) -> dict[str, ColumnType]:
    return {title: type_of(kind, where, f"{key}.{title}") for title, kind in mapping(value, where, key).items()}


def _columns(value: Any, where: str, key: str) -> dict[str, ColumnDefinition]:
    return {
        name: ColumnDefinition(**checked(mapping(column, where, f"columns.{name}"), _COLUMN, where, f"columns.{name}."))
        for name, column in mapping(value, where, key).items()
    }


def _cell(value: Any, where: str, key: str) -> str | None:
    if not isinstance(value, str):
        raise bad(where, key, value, "un texte entre guillemets, tel que la colonne le montre (« » pour vide)")
    return value or None


def _match(value: Any, where: str, key: str) -> dict[str, str]:
    cells = {name: text(cell, where, f"{key}.{name}") for name, cell in mapping(value, where, key).items()}
    if not cells:
        raise bad(where, key, "", "au moins une colonne et sa valeur")
    return cells


def _corrections(value: Any, where: str, key: str) -> tuple[Correction, ...]:
    if not isinstance(value, list):
        raise bad(where, key, value, "des tables [[corrections]]")
    corrections = []
    for rank, entry in enumerate(value, start=1):
        prefix = f"corrections[{rank}]."
        read = checked(mapping(entry, where, prefix), _CORRECTION, where, prefix)
        for needed in _CORRECTION:
            if needed not in read:
                raise BadDefinition(
                    "clé « {key} » absente",
                    where=where,
                    remedy="une correction dit column, match, expect, value et reason",
                    key=prefix + needed,
                )
        corrections.append(Correction(**read))
    return tuple(corrections)


def _reading(value: Any, where: str, key: str) -> ReadOptions:
    return ReadOptions(**checked(mapping(value, where, key), _READING, where, "reading."))


def _tiles(value: Any, where: str, key: str) -> TileOptions:
    return TileOptions(**checked(mapping(value, where, key), _TILES, where, "tiles."))


def _search(value: Any, where: str, key: str) -> SearchOptions:
    return SearchOptions(**checked(mapping(value, where, key), _SEARCH, where, "search."))


def _search_kind(value: Any, where: str, key: str) -> str:
    if value not in SEARCH_KINDS:
        raise bad(where, key, value, ", ".join(SEARCH_KINDS))
    return str(value)


def _view(value: Any, where: str, key: str) -> PublicView:
    said = checked(mapping(value, where, key), _VIEW, where, "public_view.")
    for needed in NEEDED:
        if needed not in said:
            raise bad(where, f"public_view.{needed}", "", f"une valeur ; sont nécessaires : {', '.join(NEEDED)}")
    view = PublicView(**said)
    if (fault := view.fault()) is not None:
        raise bad(where, f"public_view.{fault.key}", fault.value, fault.expected)
    return view


_VIEW: dict[str, Reader] = {
    **dict.fromkeys(("slug", "title", "date", "period"), text),
    **dict.fromkeys(("k", "cell_m"), count),
    "by": texts,
}
_SEARCH: dict[str, Reader] = {
    "kind": _search_kind,
    **dict.fromkeys(("title", "details", "words"), texts),
    **dict.fromkeys(("category", "hours", "start"), text),
    **dict.fromkeys(("number", "suffix", "street", "postcode", "city", "citycode"), text),
}
_COLUMN: dict[str, Reader] = {
    "title": text,
    "type": type_of,
    "unit": text,
    "description": text,
    "access": access,
    "drop": flag,
    **dict.fromkeys(("required", "unique"), flag),
    **dict.fromkeys(("labels", "missing"), labels),
    **dict.fromkeys(("pattern", "example"), text),
    **dict.fromkeys(("min", "max"), number),
    "enum": texts,
}
_NEWER = ("labels", "missing", "required", "unique", "enum", "pattern", "example", "min", "max")
_UNSAID = ColumnDefinition()
_CORRECTION: dict[str, Reader] = {
    "column": text,
    "match": _match,
    "expect": _cell,
    "value": _cell,
    "reason": text,
}
_TILES: dict[str, Reader] = {"min_zoom": zoom, "max_zoom": zoom, "attributes": texts}
_READING: dict[str, Reader] = {
    "format": text,
    "encoding": text,
    "separator": text,
    "decimal": text,
    "header_line": count,
    "layer": text,
    "crs": text,
    "x": text,
    "y": text,
    "types": _types,
    "rename": _renames,
    "date_format": text,
    "tags": texts,
}
_TOP: dict[str, Reader] = {
    "slug": text,
    "theme": text,
    "title": text,
    "description": text,
    "producer": text,
    "licence": text,
    "rhythm": text,
    "owner": text,
    "access": access,
    "fictional": flag,
    "id": text,
    "sources": texts,
    "territories": texts,
    "columns": _columns,
    "corrections": _corrections,
    "reading": _reading,
    "tiles": _tiles,
    "search": _search,
    "public_view": _view,
    "schema_url": text,
    "pitfalls": texts,
    "tables": declared.tables,
    "rows": declared.rows,
    "derived": declared.derived,
    "fetch": declared.fetch,
}
