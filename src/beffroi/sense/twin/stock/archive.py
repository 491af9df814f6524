"""A whole stock in one file: a ZIP of four CSV and the Data Package that describes them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from beffroi.sense.twin.stock.tables import TABLES, BadStock, read_csv, table_schema, written_csv

PACKAGE = "datapackage.json"
MOST_BYTES = 200_000_000
# The same stock is the same bytes: the earliest day a ZIP can say.
_NO_DAY = (1980, 1, 1, 0, 0, 0)


def data_package() -> dict[str, Any]:
    """Return what describes the four tables (https://specs.frictionlessdata.io/data-package/)."""
    resources = [
        {"name": one.name, "title": one.title, "path": f"{one.name}.csv", "profile": "tabular-data-resource",
         "format": "csv", "mediatype": "text/csv", "encoding": "utf-8", "schema": table_schema(one)}
        for one in TABLES.values()
    ]  # fmt: skip
    return {"name": "patrimoine", "title": "Patrimoine d’un bailleur", "profile": "tabular-data-package",
            "resources": resources}  # fmt: skip


def written_archive(rows: Mapping[str, Iterable[dict[str, Any]]]) -> bytes:
    """Return the ZIP of a stock, its rows by table; the same rows give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(PACKAGE, _NO_DAY), json.dumps(data_package(), ensure_ascii=False, indent=1))
        for name, table in TABLES.items():
            entry = zipfile.ZipInfo(f"{name}.csv", _NO_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, "".join(written_csv(table, rows[name])))
    return buffer.getvalue()


def read_archive(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of each table of a ZIP.

    Raises:
        BadStock: not a ZIP, too big once open, a table absent, or a table that cannot be read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {one.filename: one.file_size for one in archive.infolist()}
            missing = [f"{name}.csv" for name in TABLES if f"{name}.csv" not in sizes]
            if missing:
                raise BadStock("table absente : {names}", where="archive", names=", ".join(missing),
                               remedy="mettez les quatre tables dans le ZIP, vides s’il le faut")  # fmt: skip
            if sum(sizes[f"{name}.csv"] for name in TABLES) > MOST_BYTES:
                raise BadStock(
                    "archive trop grande une fois ouverte", where="archive", remedy="envoyez les tables une à une"
                )
            return {name: read_csv(table, archive.read(f"{name}.csv")) for name, table in TABLES.items()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BadStock(
            "ce fichier n’est pas un ZIP lisible", where="archive", remedy="renvoyez l’archive entière"
        ) from error
