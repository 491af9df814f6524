"""What the lake knows of a building: its use, its height, and what other datasets say of it, in sentences with sources.

Datasets meet by the identifiers they share: the building's own (RNB), those of its parcels and of its addresses, which
the national register of buildings ties together. Each is read with the reader's rights: what is not hers is not told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from beffroi.base.territory.viewer import Viewer
from beffroi.faces.portal.mapping import shown_title
from beffroi.faces.portal.sheets import name_column
from beffroi.faces.portal.tables import cell
from beffroi.faces.shell.templatetags.shell import number
from beffroi.faces.shell.things import column_words
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetSummary, Filter
from beffroi.lake.reading import Column, ColumnType
from beffroi.sense.twin.colouring import LINKS, split_ids
from beffroi.sense.twin.heights import DEFAULT_M, HEIGHTS, STOREY_M, STOREYS

MOST_ROWS, MOST_TOLD = 2_000, 6
_USE = ("usage1", "usage_1", "usage", "usage_principal")
_YEAR = ("date_app", "date_apparition", "date_d_apparition", "annee_construction")
_DWELLINGS = ("nb_logts", "nombre_de_logements", "nb_logements")
_STATE = ("etat", "etat_de_l_objet", "status")
_DAYS = (ColumnType.DATE, ColumnType.DATETIME)
_BUILDING = re.compile(r"(?:^|-)(?:batiments?|bati|buildings?|rnb)(?:-|$)")
_PERMITS = re.compile(r"(?:^|-)(?:permis|autorisations?-d?-?urbanisme|sitadel|ads)(?:-|$)")


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one dataset says: its title, its sentences, who made it and of when it is. `reach` is what ties it here."""

    title: str
    sentences: tuple[str, ...]
    more: int
    producer: str
    day: datetime
    page: str
    reach: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something a dataset says of a building on a day: a permit, a label, a sale."""

    day: date
    text: str
    title: str
    page: str


@dataclass(frozen=True, slots=True)
class Story:
    """A building, told: its own sentences, then a chapter for each dataset; `untold` says what the lake has not.

    `moments` are the rows that bear a day, for a time line; `year` is when it appeared, `rnb` its national identifier.
    """

    sentences: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    untold: str
    moments: tuple[Moment, ...] = ()
    year: int | None = None
    rnb: str = ""


def is_building(summary: DatasetSummary) -> bool:
    """Tell whether the things of a dataset are buildings."""
    named = _BUILDING.search(summary.ref.slug) is not None and "Polygon" in (summary.geometry_type or "Polygon")
    return named or summary.has_volumes


def use_of(values: Mapping[str, Any]) -> str:
    """Return what a building is used for, in lower case, empty when its attributes do not say."""
    return str(_first(values, _USE) or "").lower()


def building_title(values: Mapping[str, Any]) -> str:
    """Name a building by its use: its number tells nobody which it is, and stands among the facts."""
    use = use_of(values)
    return _("Bâtiment à usage {use}").format(use=use) if use else _("Bâtiment")


def story_of(
    viewer: Viewer,
    detail: DatasetDetail,
    values: Mapping[str, Any],
    datasets: Iterable[DatasetSummary],
    *,
    altitude_m: float | None,
) -> Story:
    """Tell what the reader may know of a building: `values` are its attributes, `datasets` those of its town."""
    others = [one for one in datasets if one.ref != detail.summary.ref]
    details = {one.ref: lake.dataset(viewer, one.ref, version=one.version) for one in others}
    known = _identifiers(values)
    # By the building first: the register then says which parcels and addresses are its own.
    chapters: list[Chapter] = []
    moments: list[Moment] = []
    for kind in LINKS:
        for one in others:
            column = next((key for key in LINKS[kind] if any(col.key == key for col in details[one.ref].columns)), None)
            if column is None or any(chapter.page == _page(one) for chapter in chapters):
                continue
            rows = _rows(viewer, details[one.ref], column, known[kind])
            for row in rows if kind == "rnb" else ():
                for name, found in _identifiers(row).items():
                    known[name] |= found
            if rows and (told := _told(rows, details[one.ref])):
                chapters.append(_chapter(one, told, kind))
                moments += _moments(rows, details[one.ref], chapters[-1])
    has_permits = any(_PERMITS.search(one.ref.slug) for one in others)
    return Story(
        sentences=tuple(_itself(values, altitude_m)),
        chapters=tuple(chapters),
        untold=""
        if has_permits
        else _("Les permis et les travaux de ce bâtiment ne sont pas encore dans les données."),
        moments=tuple(moments),
        year=_year(values),
        rnb=min(_identifiers(values)["rnb"], default=""),
    )


def _moments(rows: list[dict[str, Any]], detail: DatasetDetail, chapter: Chapter) -> list[Moment]:
    """Return the rows that bear a day, each once and as its dataset tells it."""
    column = next((one.key for one in detail.columns if one.type in _DAYS), None)
    if column is None:
        return []
    days: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        value = row[column]
        if isinstance(value, date):
            days[value.date() if isinstance(value, datetime) else value].append(row)
    return [
        Moment(day, text, chapter.title, chapter.page)
        for day, same in days.items()
        for text in dict.fromkeys(_told(same, detail))
    ]


def _year(values: Mapping[str, Any]) -> int | None:
    found = re.match(r"\d{4}", str(_first(values, _YEAR) or ""))
    return int(found[0]) if found else None


def _identifiers(values: Mapping[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for kind, keys in LINKS.items():
        for key in keys:
            found[kind] |= set(split_ids(values.get(key)))
    return found


def _rows(viewer: Viewer, detail: DatasetDetail, column: str, wanted: set[str]) -> list[dict[str, Any]]:
    keys = [one.key for one in detail.columns]
    rows: list[dict[str, Any]] = []
    for value in sorted(wanted)[:MOST_TOLD]:
        found = lake.rows(
            viewer,
            detail.summary.ref,
            columns=keys,
            where=(Filter(column, "contains", value),),
            version=detail.summary.version,
            max_rows=MOST_ROWS,
        )
        read = [dict(zip(keys, row, strict=True)) for row in found.rows]
        rows += [row for row in read if value in split_ids(row[column])]
    return rows


def _page(summary: DatasetSummary) -> str:
    return reverse("portal:dataset", args=[summary.ref.territory, summary.ref.slug])


def _chapter(summary: DatasetSummary, told: Sequence[str], kind: str) -> Chapter:
    reaches = {
        "rnb": _("ce bâtiment"),
        "parcel": _("sa parcelle"),
        "address": _("son adresse"),
    }
    return Chapter(
        title=shown_title(summary),
        sentences=tuple(told[:MOST_TOLD]),
        more=max(0, len(told) - MOST_TOLD),
        producer=summary.producer,
        day=summary.updated_at,
        page=_page(summary),
        reach=reaches[kind],
    )


# --- Sentences -------------------------------------------------------------------------------------------------------


def _first(values: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((values[key] for key in keys if values.get(key) not in (None, "")), None)


def _itself(values: Mapping[str, Any], altitude_m: float | None) -> list[str]:
    told = []
    use, state = use_of(values), _first(values, _STATE)
    if use:
        told.append(_("Usage : {use}.").format(use=use))
    if state and str(state).lower() not in ("en service", "constructed"):
        told.append(_("État : {state}.").format(state=str(state).lower()))
    if year := _year(values):
        told.append(_("Apparu vers {year}.").format(year=year))
    dwellings = _first(values, _DWELLINGS)
    if isinstance(dwellings, int | float) and dwellings:
        told.append(ngettext("{n} logement.", "{n} logements.", int(dwellings)).format(n=number(int(dwellings))))
    told.append(_height(_first(values, HEIGHTS), _first(values, STOREYS)))
    if altitude_m is not None:
        told.append(_("Le sol y est à {n} m d’altitude.").format(n=number(round(altitude_m))))
    return told


def _height(height: Any, storeys: Any) -> str:
    """Say the height, or what the model supposes in its place."""
    floors = int(storeys) if isinstance(storeys, int | float) and storeys else 0
    if isinstance(height, int | float) and height > 0:
        text = _("Hauteur : {n} m.").format(n=number(round(float(height), 1)))
        return f"{text} {ngettext('{n} étage.', '{n} étages.', floors).format(n=floors)}" if floors else text
    if floors:
        text = _("Hauteur non mesurée : la maquette le dessine à {n} m, {step} m par étage.")
        return text.format(n=number(floors * STOREY_M), step=number(STOREY_M))
    return _("Hauteur inconnue : la maquette le dessine à {n} m, faute de mieux.").format(n=number(DEFAULT_M))


def _told(rows: list[dict[str, Any]], detail: DatasetDetail) -> list[str]:
    """Return one sentence per thing of a dataset: an energy label, a sale, or its name and its first facts."""
    keys = {column.key for column in detail.columns}
    if "etiquette_dpe" in keys:
        return [
            _energy(row) for row in sorted(rows, key=lambda row: str(row.get("date_etablissement_dpe")), reverse=True)
        ]
    if {"valeur_fonciere", "date_mutation"} <= keys:
        return _sales(rows)
    if {"numero", "nom_voie"} <= keys:
        return [_address(row) for row in rows]
    if detail.summary.ref.slug == "rnb":
        return [_("Identifiant national : {id}.").format(id=row.get("rnb_id")) for row in rows]
    return [_plain(row, detail) for row in rows]


def _day(value: Any) -> str:
    return date_format(value, "j F Y") if isinstance(value, date | datetime) else str(value or "")


def _energy(row: Mapping[str, Any]) -> str:
    text = _("Classe énergie {energy}, classe climat {climate} ; {use} kWh/m²/an d’énergie primaire ; établi le {day}.")
    return text.format(
        energy=row.get("etiquette_dpe") or "–",
        climate=row.get("etiquette_ges") or "–",
        use=number(row.get("conso_5_usages_par_m2_ep")),
        day=_day(row.get("date_etablissement_dpe")),
    )


def _sales(rows: list[dict[str, Any]]) -> list[str]:
    """Return one sentence per sale: its rows repeat the whole price, once for each lot."""
    sales: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        sales[row.get("id_mutation") or id(row)].append(row)
    ordered = sorted(sales.values(), key=lambda lots: str(lots[0].get("date_mutation")), reverse=True)
    told = []
    for lots in ordered:
        kinds = sorted({str(lot["type_local"]).lower() for lot in lots if lot.get("type_local")})
        text = _("{what}, {day} : {price} €{kinds}.")
        told.append(
            text.format(
                what=lots[0].get("nature_mutation") or _("Vente"),
                day=_day(lots[0].get("date_mutation")),
                price=number(lots[0].get("valeur_fonciere")),
                kinds=f" ({', '.join(kinds)})" if kinds else "",
            )
        )
    return told


def _address(row: Mapping[str, Any]) -> str:
    number_of = f"{row['numero'] or ''}{row.get('rep') or ''}"
    town = f"{row.get('code_postal') or ''} {row.get('nom_commune') or row.get('commune') or ''}".strip()
    return ", ".join(part for part in (f"{number_of} {row['nom_voie'] or ''}".strip(), town) if part) + "."


def _as_read(column: Column) -> str:
    # Within a sentence; an acronym keeps its capitals.
    words = column_words(column)
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def _plain(row: Mapping[str, Any], detail: DatasetDetail) -> str:
    named = name_column(detail.columns)
    skipped = {key for keys in LINKS.values() for key in keys} | {"commune", "longitude", "latitude", "id"}
    facts = [
        f"{_as_read(column)} : {cell(row[column.key], column).text}{f' {column.unit}' if column.unit else ''}"
        for column in detail.columns
        if column != named and column.key not in skipped and row.get(column.key) not in (None, "")
    ]
    name = str(row.get(named.key) or "") if named else ""
    return " ; ".join([name, *facts[:4]] if name else facts[:5])
