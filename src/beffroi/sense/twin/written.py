"""Addresses that a dataset only writes (number, kind of way, name), found again in the national address base.

Enedis publishes what is consumed at « 12 | B | RUE | DE LA PAIX ». Words must be the same once folded, those of the
base or those of its postal form; what is written otherwise finds nothing, and is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from beffroi.base.kernel.words import pieces
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetDetail, DatasetSummary, Filter

WRITTEN = ("numero_de_voie", "indice_de_repetition", "type_de_voie", "libelle_de_voie")
"""The columns of the datasets of Enedis and GRDF that write an address."""

YEAR = "annee"
MOST_ROWS = 1_000_000
_BOOK = ("id", "numero", "rep", "nom_voie", "nom_afnor")


def is_written(detail: DatasetDetail) -> bool:
    """Tell whether the rows of a dataset write their address."""
    return {WRITTEN[0], WRITTEN[3]} <= {column.key for column in detail.columns}


def address_book(viewer: Viewer, around: Iterable[DatasetSummary]) -> DatasetDetail | None:
    """Return the address base among datasets, None without any: it has the columns of the national one."""
    for one in around:
        if "adresses" in one.ref.slug.split("-"):
            detail = lake.dataset(viewer, one.ref, version=one.version)
            if {"id", "numero", "nom_voie"} <= {column.key for column in detail.columns}:
                return detail
    return None


def written_rows(
    viewer: Viewer, told: DatasetDetail, book: DatasetDetail, *columns: str
) -> list[tuple[str, tuple[Any, ...]]]:
    """Return, of the last year, the address (its identifier) and the values of each row whose address is found."""
    known = {one.key for one in told.columns}
    keys = [key for key in WRITTEN if key in known]
    rows = [dict(zip([*columns, *keys], row[:-1], strict=True)) | {YEAR: row[-1]} for row in read_rows(
        viewer, told, *columns, *keys, YEAR if YEAR in known else keys[0]
    )]  # fmt: skip
    last = max((row[YEAR] for row in rows if row[YEAR] is not None), default=None) if YEAR in known else None
    names = addresses_written(viewer, book)
    found = ((names.get(written(row)), row) for row in rows if last is None or row[YEAR] == last)
    return [(address, tuple(row[key] for key in columns)) for address, row in found if address is not None]


def addresses_written(viewer: Viewer, book: DatasetDetail, where: Sequence[Filter] = ()) -> dict[str, str]:
    """Return the identifier of each address by its words, both forms of them."""
    keys = [key for key in _BOOK if any(one.key == key for one in book.columns)]
    names: dict[str, str] = {}
    for row in read_rows(viewer, book, *keys, where=where):
        told = dict(zip(keys, row, strict=True))
        for way in ("nom_voie", "nom_afnor"):
            if told.get(way):
                names.setdefault(_words(told["numero"], told.get("rep"), told[way]), str(told["id"]))
    return names


def written(row: dict[str, Any]) -> str:
    """Return the words of an address written in columns.

    >>> written({"numero_de_voie": "12", "indice_de_repetition": "B", "type_de_voie": "RUE",
    ...          "libelle_de_voie": "DE L'ÉGLISE"})
    '12b rue de l eglise'
    """
    way = " ".join(str(row.get(key) or "") for key in WRITTEN[2:])
    return _words(row.get(WRITTEN[0]), row.get(WRITTEN[1]), way)


def _words(number: Any, rep: Any, way: Any) -> str:
    # « bis » is B at Enedis, bis in the base.
    sign = {"bis": "b", "ter": "t", "quater": "q"}.get(str(rep or "").lower(), str(rep or "").lower())
    return " ".join([f"{number or ''}{sign}", *pieces(str(way or ""))])


def read_rows(
    viewer: Viewer, detail: DatasetDetail, *columns: str, where: Sequence[Filter] = ()
) -> list[tuple[Any, ...]]:
    """Return the rows of a dataset in the version a page shows."""
    summary = detail.summary
    found = lake.rows(
        viewer,
        summary.ref,
        columns=columns,
        where=where,
        version=summary.version,
        max_rows=MOST_ROWS,
        timeout_s=30,
        memory_mb=1024,
    )
    return found.rows


def key_among(detail: DatasetDetail, keys: Sequence[str]) -> str | None:
    """Return the first of `keys` that a dataset has."""
    known = {column.key for column in detail.columns}
    return next((key for key in keys if key in known), None)
