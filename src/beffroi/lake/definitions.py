"""Dataset files: what a town declares about a source that the source does not say itself. Knows no Django.

``datasets/<theme>/<slug>.toml`` ship with Beffroi; a town adds its own under ``<DATA_DIR>/datasets/<theme>/``, which
win over those shipped when they bear the same slug.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory.viewer import AGENTS, PUBLIC, SERVICE_PREFIX
from beffroi.lake.public_view import NEEDED, PublicView, view_options
from beffroi.lake.reading import ColumnType, ReadOptions
from beffroi.lake.searching import SEARCH_KINDS, SearchOptions

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KEY = re.compile(r"[a-z][a-z0-9_]*")
_ACCESS = re.compile(rf"{PUBLIC}|{AGENTS}|{SERVICE_PREFIX}{SLUG.pattern}")


class BadDefinition(BeffroiError):
    """A dataset file cannot be used; names the file, the key, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """What a dataset file says of one column, by key; None leaves what was found in the source."""

    title: str | None = None
    type: ColumnType | None = None
    unit: str | None = None
    description: str | None = None
    access: str | None = None
    drop: bool = False


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

    def as_json(self) -> dict[str, Any]:
        """Return the canonical JSON form: what is hashed into a version and kept in its manifest."""
        plain = asdict(self)
        for machine_only in ("extent", "work_dir"):
            plain["reading"].pop(machine_only)
        if self.search == SearchOptions():
            # Versions made before files could say it keep their names.
            plain.pop("search")
        if self.public_view is None:
            plain.pop("public_view")
        payload: dict[str, Any] = json.loads(json.dumps(plain, sort_keys=True, default=str))
        return payload

    def matches(self, name: str, territory: str) -> bool:
        """Tell whether a source of this file name, for this territory, is the one described."""
        if self.territories and territory not in self.territories:
            return False
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.sources)


def load_definitions(folders: Sequence[Path] | None = None) -> tuple[list[Definition], list[BadDefinition]]:
    """Return the definitions of `folders` (shipped ones when not given) and the faults of the files left out.

    Later folders win over earlier ones for the same slug.
    """
    found: dict[str, Definition] = {}
    faults: list[BadDefinition] = []
    for folder in [shipped_folder("datasets")] if folders is None else folders:
        for path in sorted(folder.glob("*/*.toml")):
            try:
                definition = read_definition(path)
            except BadDefinition as fault:
                faults.append(fault)
            else:
                found[definition.slug] = definition
    return list(found.values()), faults


def definition_for(name: str, territory: str, definitions: Iterable[Definition]) -> Definition | None:
    """Return the definition whose `sources` match a file name; one that names the territory wins."""
    matching = [definition for definition in definitions if definition.matches(name, territory)]
    return max(matching, key=lambda definition: bool(definition.territories), default=None)


def read_definition(path: Path) -> Definition:
    """Read and validate one dataset file.

    Raises:
        BadDefinition: not TOML, a key unknown or missing, a value that does not suit its key.
    """
    where = f"datasets/{path.parent.name}/{path.name}"
    try:
        payload = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDefinition(
            "fichier TOML illisible ({error})", where=where, remedy="corrigez la syntaxe à cet endroit", error=error
        ) from error
    return parsed_definition(payload, where=where, slug=path.stem, theme=path.parent.name)


def parsed_definition(payload: Mapping[str, Any], *, where: str, slug: str = "", theme: str = "") -> Definition:
    """Validate the content of a dataset file; `slug` and `theme` are the defaults its path gives.

    Raises:
        BadDefinition: a key unknown or missing, a value that does not suit its key.
    """
    values = {"slug": slug, "theme": theme} | _checked(payload, _TOP, where, "")
    definition = Definition(**values)
    if not SLUG.fullmatch(definition.slug):
        raise _bad(where, "slug", definition.slug, "minuscules sans accents, chiffres et tirets")
    if len(definition.title) > 200:
        raise _bad(where, "title", definition.title, "200 caractères au plus")
    for key in definition.columns:
        if not KEY.fullmatch(key):
            raise _bad(where, f"columns.{key}", key, "une clé en minuscules, chiffres et « _ »")
    if definition.id and definition.columns.get(definition.id, ColumnDefinition()).drop:
        raise _bad(where, "id", definition.id, "une colonne gardée")
    if definition.public_view is not None:
        if definition.access == PUBLIC:
            raise _bad(where, "access", PUBLIC, "agents ou service:<nom>, puisque le public a une vue à lui")
        if definition.public_view.slug == definition.slug or not SLUG.fullmatch(definition.public_view.slug):
            raise _bad(where, "public_view.slug", definition.public_view.slug, "un nom qui n'est pas celui du jeu")
    return definition


def definition_from_json(payload: Mapping[str, Any]) -> Definition:
    """Rebuild the definition kept in ``dataset.json`` by :meth:`Definition.as_json`."""
    reading, tiles = dict(payload["reading"]), dict(payload["tiles"])
    reading["types"] = {title: ColumnType(kind) for title, kind in reading["types"].items()}
    tiles["attributes"] = None if tiles["attributes"] is None else tuple(tiles["attributes"])
    columns = {
        key: ColumnDefinition(**{**column, "type": column["type"] and ColumnType(column["type"])})
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
    }
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


_Reader = Callable[[Any, str, str], Any]


def _checked(payload: Mapping[str, Any], table: Mapping[str, _Reader], where: str, prefix: str) -> dict[str, Any]:
    for key in payload:
        if key not in table:
            close = difflib.get_close_matches(key, table, n=1)
            raise BadDefinition(
                "clé « {key} » inconnue",
                where=where,
                remedy="vouliez-vous « {close} » ?" if close else "clés admises : {known}",
                key=prefix + key,
                close=prefix + close[0] if close else "",
                known=", ".join(table),
            )
    return {key: table[key](value, where, prefix + key) for key, value in payload.items()}


def _bad(where: str, key: str, value: object, expected: str) -> BadDefinition:
    return BadDefinition(
        "{key} = « {value} » ne convient pas",
        where=where,
        remedy="attendu : {expected}",
        key=key,
        value=str(value)[:80],
        expected=expected,
    )


def _of(kind: type, expected: str) -> _Reader:
    def read(value: Any, where: str, key: str) -> Any:
        # bool is an int in Python, never in a dataset file.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _bad(where, key, value, expected)
        return value

    return read


_text, _flag, _count = _of(str, "un texte"), _of(bool, "true ou false"), _of(int, "un nombre entier")


def _texts(value: Any, where: str, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _bad(where, key, value, "une liste de textes")
    return tuple(value)


def _access(value: Any, where: str, key: str) -> str:
    if not isinstance(value, str) or not _ACCESS.fullmatch(value):
        raise _bad(where, key, value, "public, agents ou service:<nom-du-service>")
    return value


def _type(value: Any, where: str, key: str) -> ColumnType:
    known = [kind.value for kind in ColumnType]
    if value not in known:
        close = difflib.get_close_matches(str(value), known, n=1)
        raise _bad(where, key, value, f"{', '.join(known)}{f' ; vouliez-vous « {close[0]} » ?' if close else ''}")
    return ColumnType(value)


def _zoom(value: Any, where: str, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 20:
        raise _bad(where, key, value, "un niveau de zoom de 0 à 20")
    return value


def _mapping(value: Any, where: str, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _bad(where, key, value, f"une table [{key}]")
    return value


def _renames(value: Any, where: str, key: str) -> dict[str, str]:
    return {title: _text(to, where, f"{key}.{title}") for title, to in _mapping(value, where, key).items()}


def _types(value: Any, where: str, key: str) -> dict[str, ColumnType]:
    return {title: _type(kind, where, f"{key}.{title}") for title, kind in _mapping(value, where, key).items()}


def _columns(value: Any, where: str, key: str) -> dict[str, ColumnDefinition]:
    return {
        name: ColumnDefinition(
            **_checked(_mapping(column, where, f"columns.{name}"), _COLUMN, where, f"columns.{name}.")
        )
        for name, column in _mapping(value, where, key).items()
    }


def _cell(value: Any, where: str, key: str) -> str | None:
    if not isinstance(value, str):
        raise _bad(where, key, value, "un texte entre guillemets, tel que la colonne le montre (« » pour vide)")
    return value or None


def _match(value: Any, where: str, key: str) -> dict[str, str]:
    cells = {name: _text(cell, where, f"{key}.{name}") for name, cell in _mapping(value, where, key).items()}
    if not cells:
        raise _bad(where, key, "", "au moins une colonne et sa valeur")
    return cells


def _corrections(value: Any, where: str, key: str) -> tuple[Correction, ...]:
    if not isinstance(value, list):
        raise _bad(where, key, value, "des tables [[corrections]]")
    corrections = []
    for number, entry in enumerate(value, start=1):
        prefix = f"corrections[{number}]."
        read = _checked(_mapping(entry, where, prefix), _CORRECTION, where, prefix)
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
    return ReadOptions(**_checked(_mapping(value, where, key), _READING, where, "reading."))


def _tiles(value: Any, where: str, key: str) -> TileOptions:
    return TileOptions(**_checked(_mapping(value, where, key), _TILES, where, "tiles."))


def _search(value: Any, where: str, key: str) -> SearchOptions:
    return SearchOptions(**_checked(_mapping(value, where, key), _SEARCH, where, "search."))


def _search_kind(value: Any, where: str, key: str) -> str:
    if value not in SEARCH_KINDS:
        raise _bad(where, key, value, ", ".join(SEARCH_KINDS))
    return str(value)


def _view(value: Any, where: str, key: str) -> PublicView:
    said = _checked(_mapping(value, where, key), _VIEW, where, "public_view.")
    for needed in NEEDED:
        if needed not in said:
            raise _bad(where, f"public_view.{needed}", "", f"une valeur ; sont nécessaires : {', '.join(NEEDED)}")
    view = PublicView(**said)
    if (fault := view.fault()) is not None:
        raise _bad(where, f"public_view.{fault.key}", fault.value, fault.expected)
    return view


_VIEW: dict[str, _Reader] = {
    **dict.fromkeys(("slug", "title", "date", "period"), _text),
    **dict.fromkeys(("k", "cell_m"), _count),
    "by": _texts,
}
_SEARCH: dict[str, _Reader] = {
    "kind": _search_kind,
    **dict.fromkeys(("title", "details", "words"), _texts),
    **dict.fromkeys(("category", "hours", "start"), _text),
    **dict.fromkeys(("number", "suffix", "street", "postcode", "city", "citycode"), _text),
}
_COLUMN: dict[str, _Reader] = {
    "title": _text,
    "type": _type,
    "unit": _text,
    "description": _text,
    "access": _access,
    "drop": _flag,
}
_CORRECTION: dict[str, _Reader] = {
    "column": _text,
    "match": _match,
    "expect": _cell,
    "value": _cell,
    "reason": _text,
}
_TILES: dict[str, _Reader] = {"min_zoom": _zoom, "max_zoom": _zoom, "attributes": _texts}
_READING: dict[str, _Reader] = {
    "format": _text,
    "encoding": _text,
    "separator": _text,
    "decimal": _text,
    "header_line": _count,
    "layer": _text,
    "crs": _text,
    "x": _text,
    "y": _text,
    "types": _types,
    "rename": _renames,
    "date_format": _text,
}
_TOP: dict[str, _Reader] = {
    "slug": _text,
    "theme": _text,
    "title": _text,
    "description": _text,
    "producer": _text,
    "licence": _text,
    "rhythm": _text,
    "access": _access,
    "fictional": _flag,
    "id": _text,
    "sources": _texts,
    "territories": _texts,
    "columns": _columns,
    "corrections": _corrections,
    "reading": _reading,
    "tiles": _tiles,
    "search": _search,
    "public_view": _view,
}
