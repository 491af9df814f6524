"""The four tables exchanged with property software: what a line says, as a form, as a Table Schema, as CSV.

One class a table: a column more, or a table more, is written here and nowhere else. The names are French, as in the
files of the profession; units are in the names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from beffroi.base.kernel.errors import BeffroiError

Ref = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.:/-]+$")]
"""A landlord's own identifier: letters, digits, ``. : / - _``."""
OtherRef = Annotated[str, Field(max_length=60, pattern=r"^[\w.:/-]*$")]
MOST_LINES = 200_000
MOST_FAULTS = 50


class BadStock(BeffroiError):
    """A table cannot be taken as it is; `faults` says each line refused (at most fifty), as problems say them."""

    http_status = 422

    def __init__(self, what: str, *, faults: Sequence[dict[str, str]] = (), **values: Any) -> None:
        super().__init__(what, **values)
        self.faults = faults


def _blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _decimal(value: Any) -> Any:
    """Read a number as French software writes it: a comma, spaces between thousands."""
    value = _blank(value)
    if not isinstance(value, str):
        return value
    return value.replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace(",", ".")


_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Year = Annotated[int, Field(ge=1000, le=2200)]
_Storeys = Annotated[int, Field(ge=0, le=150)]
_Floor = Annotated[int, Field(ge=-10, le=150)]
_Rooms = Annotated[int, Field(ge=0, le=50)]
_Area = Annotated[float, Field(ge=0, le=100_000)]
_READ = BeforeValidator(_decimal)
Day = Annotated[date | None, BeforeValidator(_blank)]


class Row(BaseModel):
    """A line of a table. What a file leaves blank is unknown, never zero."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        """Refuse what PostgreSQL cannot keep in JSON."""
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("NUL")
        return value


class BuildingRow(Row):
    """A building, with its national identifier (RNB) when it is known: the one other data of the town bear."""

    batiment_ref: Ref
    rnb_id: Annotated[str, Field(pattern=r"^([0-9A-Z]{12})?$")] = ""
    nom: Annotated[str, Field(max_length=120)] = ""
    adresse: Annotated[str, Field(min_length=3, max_length=200)]
    longitude: Annotated[_Longitude | None, _READ] = None
    latitude: Annotated[_Latitude | None, _READ] = None
    annee_construction: Annotated[_Year | None, _READ] = None
    niveaux: Annotated[_Storeys | None, _READ] = None
    etiquette_dpe: Literal["", "A", "B", "C", "D", "E", "F", "G"] = ""


class LotRow(Row):
    """A lot of a building: a dwelling, a shop, a parking place."""

    lot_ref: Ref
    batiment_ref: Ref
    usage: Literal["logement", "commerce", "bureau", "stationnement", "cave", "commun", "autre"]
    etage: Annotated[_Floor | None, _READ] = None
    pieces: Annotated[_Rooms | None, _READ] = None
    surface_m2: Annotated[_Area | None, _READ] = None
    occupation: Literal["", "occupe", "vacant"] = ""
    depuis: Day = None


class TicketRow(Row):
    """Something asked of the landlord: its own follow-up, told to the town as it stands."""

    ticket_ref: Ref
    batiment_ref: Ref
    lot_ref: OtherRef = ""
    categorie: Annotated[str, Field(min_length=2, max_length=60)]
    objet: Annotated[str, Field(min_length=2, max_length=200)]
    etat: Literal["ouvert", "en_cours", "clos"]
    ouvert_le: date
    clos_le: Day = None


class ReadingRow(Row):
    """What a meter read on a day; of a whole building when no lot is named."""

    releve_ref: Ref
    batiment_ref: Ref
    lot_ref: OtherRef = ""
    compteur_ref: Ref
    energie: Literal["eau_froide", "eau_chaude", "chauffage", "gaz", "electricite"]
    releve_le: date
    valeur: Annotated[float, _READ, Field(ge=0)]
    unite: Literal["m3", "kwh"]


@dataclass(frozen=True, slots=True)
class Table:
    """One of the four tables: its name in addresses and files, its French title, the form of a line, its key."""

    name: str
    title: str
    row: type[Row]
    key: str

    @property
    def columns(self) -> list[str]:
        return list(self.row.model_fields)


TABLES: dict[str, Table] = {
    one.name: one
    for one in (
        Table("batiments", "Bâtiments", BuildingRow, "batiment_ref"),
        Table("lots", "Lots", LotRow, "lot_ref"),
        Table("demandes", "Demandes", TicketRow, "ticket_ref"),
        Table("releves", "Relevés de compteurs", ReadingRow, "releve_ref"),
    )
}
"""In the order they are read: what names a building or a lot comes after it."""


def table_named(name: str) -> Table:
    """Return a table.

    Raises:
        BadStock: there is none of that name (404).
    """
    table = TABLES.get(name)
    if table is None:
        error = BadStock("table « {name} » inconnue", where="table", name=name[:60],
                         remedy="choisissez parmi {known}", known=", ".join(TABLES))  # fmt: skip
        error.http_status = 404
        raise error
    return table


def read_csv(table: Table, content: bytes) -> list[dict[str, Any]]:
    """Return the lines of a CSV in UTF-8 (with or without a byte order mark), separated by commas or semicolons.

    Raises:
        BadStock: not UTF-8, no line of titles, an unknown or missing column, or more than `MOST_LINES` lines.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadStock(
            "ce fichier n’est pas en UTF-8", where=table.name, remedy="enregistrez-le en CSV UTF-8"
        ) from error
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    titles = [one.strip() for one in reader.fieldnames or ()]
    required = [name for name, field in table.row.model_fields.items() if field.is_required()]
    for wrong, what in (([one for one in titles if one not in table.columns], "colonne inconnue : {names}"),
                        ([one for one in required if one not in titles], "colonne absente : {names}")):  # fmt: skip
        if wrong:
            raise BadStock(what, where=table.name, names=", ".join(wrong[:10]),
                           remedy="les colonnes sont {columns}", columns=", ".join(table.columns))  # fmt: skip
    reader.fieldnames = titles
    found: list[dict[str, Any]] = []
    for line in reader:
        if len(found) == MOST_LINES:
            raise BadStock(
                "plus de {most} lignes", where=table.name, remedy="envoyez-les en plusieurs fois", most=MOST_LINES
            )
        extra = line.pop(None, None)
        found.append({name: value or "" for name, value in line.items()} | ({"": extra} if extra else {}))
    return found


def checked(table: Table, lines: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return the lines by their key, each value as JSON keeps it.

    Raises:
        BadStock: with, for each line refused, its number (1 is the first line of data), its column and the reason.
    """
    found: dict[str, dict[str, Any]] = {}
    faults: list[dict[str, str]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = table.row.model_validate(line).model_dump(mode="json")
        except ValidationError as error:
            faults.extend(_told(table, number, item) for item in error.errors(include_url=False))
            row = None
        if row is not None:
            key = row[table.key]
            if key in found:
                faults.append(_fault(table, number, table.key, f"« {key} » est déjà plus haut"))
            found[key] = row
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise BadStock(
            "{count} refus dans « {table} » ; rien n’a été pris",
            where=table.name,
            remedy="corrigez les lignes dites, puis renvoyez tout",
            faults=faults[:MOST_FAULTS],
            count=len(faults),
            table=table.name,
        )
    return found


def _fault(table: Table, number: int, column: str, what: str) -> dict[str, str]:
    return {"where": f"{table.name}, ligne {number}, {column}", "what": what}


def _told(table: Table, number: int, item: Any) -> dict[str, str]:
    column = ".".join(str(one) for one in item["loc"]) or "?"
    allowed = table.row.model_fields[column].annotation if column in table.row.model_fields else None
    if item["type"] == "missing" or item["input"] in ("", None):
        what = "valeur absente"
    elif get_origin(allowed) is Literal:
        what = f"« {item['input']} » n’est pas l’un de : {', '.join(one for one in get_args(allowed) if one)}"
    elif item["type"] == "extra_forbidden":
        what = "colonne inconnue"
    else:
        what = f"« {str(item['input'])[:60]} » : {_REASONS.get(item['type'], 'valeur refusée')}"
    return _fault(table, number, column, what)


_REASONS = {
    "date_from_datetime_parsing": "ce n’est pas une date (AAAA-MM-JJ)",
    "date_parsing": "ce n’est pas une date (AAAA-MM-JJ)",
    "float_parsing": "ce n’est pas un nombre",
    "int_parsing": "ce n’est pas un nombre entier",
    "int_from_float": "ce n’est pas un nombre entier",
    "greater_than_equal": "trop petit",
    "less_than_equal": "trop grand",
    "string_too_short": "trop court",
    "string_too_long": "trop long",
    "string_pattern_mismatch": "forme inattendue",
}


def written_csv(table: Table, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Return a table as CSV (UTF-8, commas, RFC 4180), line by line; `read_csv` gives the same rows back."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    for values in ([table.columns], ([row[name] for name in table.columns] for row in rows)):
        for line in values:
            writer.writerow(["" if one is None else one for one in line])
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()


def table_schema(table: Table) -> dict[str, Any]:
    """Return the Table Schema of a table (https://specs.frictionlessdata.io/table-schema/)."""
    said = table.row.model_json_schema()["properties"]
    fields = [_field(name, said[name], table.row.model_fields[name].is_required()) for name in table.columns]
    links = [
        {"fields": other.key, "reference": {"resource": other.name, "fields": other.key}}
        for other in TABLES.values()
        if other is not table and other.key in table.columns
    ]
    schema: dict[str, Any] = {"name": table.name, "title": table.title, "fields": fields, "primaryKey": table.key}
    return schema | ({"foreignKeys": links} if links else {}) | {"missingValues": [""]}


def _field(name: str, said: dict[str, Any], required: bool) -> dict[str, Any]:
    told = next((one for one in said.get("anyOf", [said]) if one.get("type") != "null"), said)
    kind = "date" if told.get("format") == "date" else told.get("type", "string")
    limits = {"minimum": told.get("minimum"), "maximum": told.get("maximum"), "pattern": told.get("pattern"),
              "enum": [one for one in told.get("enum", ()) if one] or None}  # fmt: skip
    constraints = {key: value for key, value in limits.items() if value is not None} | (
        {"required": True} if required else {}
    )
    return {"name": name, "type": kind} | ({"constraints": constraints} if constraints else {})
