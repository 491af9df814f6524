"""What a version says about itself: the dataclasses of `manifest.json` and `report.json`. Knows no Django."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.reading import Column, ColumnType, Evidence, Reject, as_json

ID = "_id"
"""Column of `data.parquet` that holds the stable id of each row, as text."""

BOX = "_bbox"
"""Column of `data.parquet` that holds the box of each geometry (xmin, ymin, xmax, ymax): GeoParquet's covering."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where a version comes from. `name` is the file name, `sha256` of its bytes, `url` when it was fetched."""

    name: str
    format: str = ""
    size_bytes: int = 0
    sha256: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One rule of one column that `count` rows break: what was `expected`, and the first of them (line, value)."""

    column: str
    title: str
    expected: Sentence
    count: int
    examples: tuple[tuple[int | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import read, kept and refused: `rejected_by_reason` counts by French template, `rejects` are examples."""

    rows_read: int
    rows_kept: int
    rows_rejected: int
    rejected_by_reason: Mapping[str, int] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    evidences: tuple[Evidence, ...] = ()
    warnings: tuple[Sentence, ...] = ()
    corrections: tuple[Sentence, ...] = ()
    crs: str | None = None
    geometry_types: tuple[str, ...] = ()
    licence: str = ""
    period: tuple[str, str] | None = None
    seconds: float = 0.0
    schema_faults: tuple[SchemaFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of one version. Boxes are CRS84 degrees; `content` is the hash the version is named after.

    `fingerprint` is the hash of the source's bytes and of the definition: equal fingerprints need no second reading.
    """

    territory: str
    slug: str
    version: str
    created_at: datetime
    content: str
    fingerprint: str
    title: str
    columns: tuple[Column, ...]
    rows: int
    source: SourceInfo
    definition: Mapping[str, Any] = field(default_factory=dict)
    theme: str = ""
    description: str = ""
    producer: str = ""
    licence: str = ""
    rhythm: str = ""
    fictional: bool = False
    rows_read: int = 0
    rows_rejected: int = 0
    geometry_types: tuple[str, ...] = ()
    bbox: BBox | None = None
    crs: str | None = None
    period: tuple[str, str] | None = None
    id_column: str | None = None
    evidences: tuple[Evidence, ...] = ()

    @property
    def geometry_type(self) -> str | None:
        """Return the one GeoJSON type that covers every feature, ``Geometry`` when several do, None for a table."""
        if not self.geometry_types:
            return None
        simple = {name.removeprefix("Multi") for name in self.geometry_types}
        if len(simple) > 1:
            return "Geometry"
        return self.geometry_types[0] if len(self.geometry_types) == 1 else f"Multi{simple.pop()}"


def column_as_json(column: Column) -> dict[str, Any]:
    """Return the JSON form of a column."""
    said = {
        "key": column.key,
        "title": column.title,
        "type": column.type.value,
        "unit": column.unit,
        "description": column.description,
        "access": column.access,
    }
    # Versions made before columns could say them keep their names.
    return said | ({"labels": [list(one) for one in column.labels]} if column.labels else {})


def column_from_json(payload: Mapping[str, Any]) -> Column:
    """Rebuild a column written by :func:`column_as_json`."""
    labels = tuple((value, label) for value, label in payload.get("labels", ()))
    return replace(Column(**payload), type=ColumnType(payload["type"]), labels=labels)


def evidence_from_json(payload: Mapping[str, Any]) -> Evidence:
    """Rebuild an evidence written by `reading.as_json`."""
    return Evidence(payload["subject"], payload["value"], Sentence.from_json(payload["why"]))


def manifest_as_json(manifest: Manifest) -> dict[str, Any]:
    """Return the JSON form of a manifest."""
    plain = {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}
    return plain | {
        "created_at": manifest.created_at.astimezone(UTC).isoformat(),
        "columns": [column_as_json(column) for column in manifest.columns],
        "source": {name: getattr(manifest.source, name) for name in SourceInfo.__dataclass_fields__},
        "evidences": [as_json(evidence) for evidence in manifest.evidences],
    }


def manifest_from_json(payload: Mapping[str, Any]) -> Manifest:
    """Rebuild a manifest written by :func:`manifest_as_json`."""
    bbox, period = payload["bbox"], payload["period"]
    rebuilt = {
        "created_at": datetime.fromisoformat(payload["created_at"]),
        "columns": tuple(column_from_json(column) for column in payload["columns"]),
        "source": SourceInfo(**payload["source"]),
        "evidences": tuple(evidence_from_json(evidence) for evidence in payload["evidences"]),
        "geometry_types": tuple(payload["geometry_types"]),
        "bbox": None if bbox is None else BBox(*bbox),
        "period": None if period is None else (period[0], period[1]),
    }
    return Manifest(**{**payload, **rebuilt})


def report_as_json(report: ImportReport) -> dict[str, Any]:
    """Return the JSON form of an import report."""
    plain = {name: getattr(report, name) for name in ImportReport.__dataclass_fields__}
    return plain | {
        "rejected_by_reason": dict(report.rejected_by_reason),
        "rejects": [
            {"line": reject.line, "reason": reject.reason.as_json(), "excerpt": reject.excerpt}
            for reject in report.rejects
        ],
        "evidences": [as_json(evidence) for evidence in report.evidences],
        "warnings": [warning.as_json() for warning in report.warnings],
        "corrections": [correction.as_json() for correction in report.corrections],
        "schema_faults": [fault_as_json(fault) for fault in report.schema_faults],
    }


def report_from_json(payload: Mapping[str, Any]) -> ImportReport:
    """Rebuild an import report written by :func:`report_as_json`."""
    period = payload["period"]
    rebuilt = {
        "rejects": tuple(
            Reject(reject["line"], Sentence.from_json(reject["reason"]), reject["excerpt"])
            for reject in payload["rejects"]
        ),
        "evidences": tuple(evidence_from_json(evidence) for evidence in payload["evidences"]),
        "warnings": tuple(Sentence.from_json(warning) for warning in payload["warnings"]),
        "corrections": tuple(Sentence.from_json(correction) for correction in payload["corrections"]),
        "geometry_types": tuple(payload["geometry_types"]),
        "period": None if period is None else (period[0], period[1]),
        "schema_faults": tuple(fault_from_json(fault) for fault in payload.get("schema_faults", ())),
    }
    return ImportReport(**{**payload, **rebuilt})


def fault_as_json(fault: SchemaFault) -> dict[str, Any]:
    """Return the JSON form of a fault."""
    return {
        "column": fault.column,
        "title": fault.title,
        "expected": fault.expected.as_json(),
        "count": fault.count,
        "examples": [list(one) for one in fault.examples],
    }


def fault_from_json(payload: Mapping[str, Any]) -> SchemaFault:
    """Rebuild a fault written by :func:`fault_as_json`."""
    return SchemaFault(
        payload["column"],
        payload["title"],
        Sentence.from_json(payload["expected"]),
        payload["count"],
        tuple((line, value) for line, value in payload["examples"]),
    )


def read_json(path: Path) -> Any:
    """Return what a JSON file of the lake holds."""
    return json.loads(path.read_text(encoding="utf-8"))
