"""Known faults of a source, mended as data: each says what it expects and stops the import once that is gone."""

from __future__ import annotations

from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.definitions import Correction
from beffroi.lake.reading import DUCKDB_TYPE, Reading
from beffroi.lake.sql import literal, name


class CorrectionOutdated(BeffroiError):
    """The source no longer holds the fault a correction mends: the correction must go, or it would hide a change."""


def apply_corrections(reading: Reading, corrections: tuple[Correction, ...], *, where: str) -> tuple[Sentence, ...]:
    """Mend the table of `reading` in place; return one sentence per correction for the report.

    Raises:
        CorrectionOutdated: a row a correction names is gone, or no longer holds what it expects.
    """
    return tuple(_apply(reading, number, item, where) for number, item in enumerate(corrections, start=1))


def _apply(reading: Reading, number: int, item: Correction, where: str) -> Sentence:
    place = f"{where} corrections[{number}]"
    types = {column.key: column.type for column in reading.columns}
    for key in (item.column, *item.match):
        if key not in types:
            raise CorrectionOutdated(
                "colonne « {column} » absente de la source",
                where=place,
                remedy="corrigez ou retirez la correction",
                column=key,
            )
    matching = " AND ".join(f"CAST({name(key)} AS VARCHAR) = {literal(value)}" for key, value in item.match.items())
    column, table = name(item.column), name(reading.table)
    found = [
        row[0]
        for row in reading.con.execute(f"SELECT CAST({column} AS VARCHAR) FROM {table} WHERE {matching}").fetchall()  # noqa: S608
    ]
    if not found or any(value != item.expect for value in found):
        raise CorrectionOutdated(
            "la source ne contient plus « {expect} » en {column} : elle contient {found}",
            where=place,
            remedy="le producteur a corrigé sa donnée ? retirez cette correction",
            column=item.column,
            expect=item.expect or "",
            found=", ".join(f"« {value or ''} »" for value in found[:3]) or "aucune ligne correspondante",
        )
    wanted: Any = [item.value]
    cast = f"CAST(? AS {DUCKDB_TYPE[types[item.column]]})"
    reading.con.execute(f"UPDATE {table} SET {column} = {cast} WHERE {matching}", wanted)  # noqa: S608
    return Sentence(
        "{column} : « {expect} » devient « {value} » sur {rows} ligne(s) ({reason})",
        {
            "column": item.column,
            "expect": item.expect or "",
            "value": item.value or "",
            "rows": len(found),
            "reason": item.reason,
        },
    )
