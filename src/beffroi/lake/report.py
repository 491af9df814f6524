"""What an import did, dataset by dataset: for the screen, for a file, for another program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.manifest import ImportReport, report_as_json, report_from_json
from beffroi.lake.outcomes import ImportOutcome, ImportStatus

_STATUS: dict[ImportStatus, Sentence] = {
    ImportStatus.PUBLISHED: Sentence("publié"),
    ImportStatus.UNCHANGED: Sentence("inchangé"),
    ImportStatus.HELD: Sentence("retenu"),
    ImportStatus.REFUSED: Sentence("non lu"),
}


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table of a source, as it stands in the lake; `reason` says why it does not."""

    slug: str
    status: ImportStatus
    version: str | None = None
    reason: Sentence | None = None
    report: ImportReport | None = None


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """One dataset of a folder: the file taken and why, the files left aside and why, its tables."""

    slug: str
    title: str
    source: str
    kind: str
    why: Sentence
    tables: tuple[TableReport, ...]
    twins: tuple[tuple[str, Sentence], ...] = ()
    licence: str = ""
    licence_why: Sentence | None = None
    period: tuple[str, str] | None = None
    seconds: float = 0.0

    @property
    def status(self) -> ImportStatus:
        """Return how the dataset ended: published if one of its tables is, refused if all are."""
        order = list(ImportStatus)
        return min((table.status for table in self.tables), key=order.index, default=ImportStatus.REFUSED)

    @property
    def is_explained(self) -> bool:
        """Tell whether every table is in the lake or says why not."""
        return bool(self.tables) and all(table.version or table.reason for table in self.tables)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a folder, in datasets and in rows."""

    datasets: int
    published: int
    unchanged: int
    refused: int
    rows_read: int
    rows_kept: int
    rows_rejected: int

    @property
    def share_kept(self) -> float:
        """Return the share of the rows read that were kept, 1 when none was read."""
        return self.rows_kept / self.rows_read if self.rows_read else 1.0


@dataclass(frozen=True, slots=True)
class FolderReport:
    """The import of a folder, or of one source. `seconds` is the time it took from end to end."""

    territory: str
    source: str
    datasets: tuple[DatasetReport, ...]
    seconds: float = 0.0

    @property
    def totals(self) -> Totals:
        """Return the sums."""
        statuses = [dataset.status for dataset in self.datasets]
        reports = [table.report for dataset in self.datasets for table in dataset.tables if table.report]
        return Totals(
            len(statuses),
            statuses.count(ImportStatus.PUBLISHED),
            statuses.count(ImportStatus.UNCHANGED),
            statuses.count(ImportStatus.REFUSED),
            sum(report.rows_read for report in reports),
            sum(report.rows_kept for report in reports),
            sum(report.rows_rejected for report in reports),
        )

    @property
    def is_explained(self) -> bool:
        """Tell whether every dataset is kept or says why not."""
        return all(dataset.is_explained for dataset in self.datasets)


def label(status: ImportStatus) -> Sentence:
    """Return the French word for how an import ended."""
    return _STATUS[status]


def tables_of(outcome: ImportOutcome) -> tuple[TableReport, ...]:
    """Return the tables of an import's outcome."""
    parts = outcome.parts or (outcome,)
    return tuple(TableReport(part.ref.slug, part.status, part.version, part.reason, part.report) for part in parts)


def as_json(folder: FolderReport) -> dict[str, Any]:
    """Return the JSON form of a report, read back by :func:`from_json`."""
    totals = folder.totals
    return {
        "territory": folder.territory,
        "source": folder.source,
        "seconds": round(folder.seconds, 3),
        "totals": {name: getattr(totals, name) for name in Totals.__dataclass_fields__}
        | {"share_kept": round(totals.share_kept, 6)},
        "datasets": [_dataset_as_json(dataset) for dataset in folder.datasets],
    }


def _dataset_as_json(dataset: DatasetReport) -> dict[str, Any]:
    return {
        "slug": dataset.slug,
        "title": dataset.title,
        "source": dataset.source,
        "kind": dataset.kind,
        "status": dataset.status.value,
        "why": dataset.why.as_json(),
        "twins": [{"source": source, "why": why.as_json()} for source, why in dataset.twins],
        "licence": dataset.licence,
        "licence_why": dataset.licence_why.as_json() if dataset.licence_why else None,
        "period": dataset.period,
        "seconds": round(dataset.seconds, 3),
        "tables": [
            {
                "slug": table.slug,
                "status": table.status.value,
                "version": table.version,
                "reason": table.reason.as_json() if table.reason else None,
                "report": report_as_json(table.report) if table.report else None,
            }
            for table in dataset.tables
        ],
    }


def from_json(payload: Mapping[str, Any]) -> FolderReport:
    """Rebuild a report written by :func:`as_json`."""
    datasets = tuple(_dataset_from_json(dataset) for dataset in payload["datasets"])
    return FolderReport(payload["territory"], payload["source"], datasets, payload["seconds"])


def _dataset_from_json(payload: Mapping[str, Any]) -> DatasetReport:
    period = payload["period"]
    return DatasetReport(
        payload["slug"],
        payload["title"],
        payload["source"],
        payload["kind"],
        Sentence.from_json(payload["why"]),
        tuple(_table_from_json(table) for table in payload["tables"]),
        tuple((twin["source"], Sentence.from_json(twin["why"])) for twin in payload["twins"]),
        payload["licence"],
        Sentence.from_json(payload["licence_why"]) if payload["licence_why"] else None,
        (period[0], period[1]) if period else None,
        payload["seconds"],
    )


def _table_from_json(payload: Mapping[str, Any]) -> TableReport:
    return TableReport(
        payload["slug"],
        ImportStatus(payload["status"]),
        payload["version"],
        Sentence.from_json(payload["reason"]) if payload["reason"] else None,
        report_from_json(payload["report"]) if payload["report"] else None,
    )


def as_lines(folder: FolderReport) -> Iterator[Sentence]:
    """Yield the report in French, one sentence a line: each dataset, then the sums."""
    for dataset in folder.datasets:
        yield from _lines_of(dataset)
    totals = folder.totals
    yield Sentence(
        "{datasets} jeux : {published} publiés, {unchanged} inchangés, {refused} non lus, en {seconds} s",
        {name: getattr(totals, name) for name in ("datasets", "published", "unchanged", "refused")}
        | {"seconds": round(folder.seconds, 1)},
    )
    yield Sentence(
        "{read} lignes lues, {kept} gardées ({share} %), {rejected} rejetées",
        {
            "read": totals.rows_read,
            "kept": totals.rows_kept,
            "share": f"{totals.share_kept * 100:.2f}".replace(".", ","),
            "rejected": totals.rows_rejected,
        },
    )


def _lines_of(dataset: DatasetReport) -> Iterator[Sentence]:
    values = {"slug": dataset.slug, "title": dataset.title, "status": str(_STATUS[dataset.status])}
    yield Sentence("{slug} : {status} — {title}", values)
    yield Sentence("    source : {source} ; {why}", {"source": dataset.source, "why": str(dataset.why)})
    for source, why in dataset.twins:
        yield Sentence("    laissé : {source} ; {why}", {"source": source, "why": str(why)})
    if dataset.licence:
        yield Sentence("    licence : {licence}", {"licence": dataset.licence})
    elif dataset.licence_why:
        yield Sentence("    licence : {why}", {"why": str(dataset.licence_why)})
    for table in dataset.tables:
        yield from _table_lines(table, named=len(dataset.tables) > 1)


def _table_lines(table: TableReport, *, named: bool) -> Iterator[Sentence]:
    if named:
        yield Sentence("    table {slug} : {status}", {"slug": table.slug, "status": str(_STATUS[table.status])})
    if table.reason:
        yield Sentence("    raison : {reason}", {"reason": str(table.reason)})
    report = table.report
    if report is None:
        return
    yield Sentence(
        "    {read} lignes lues, {kept} gardées, {rejected} rejetées",
        {"read": report.rows_read, "kept": report.rows_kept, "rejected": report.rows_rejected},
    )
    if report.geometry_types:
        yield Sentence("    géométrie : {types}", {"types": ", ".join(report.geometry_types)})
    for reject in report.rejects[:5]:
        yield Sentence("    rejet ligne {line} : {reason}", {"line": reject.line or "?", "reason": str(reject.reason)})
    for fault in report.schema_faults:
        line, value = fault.examples[0] if fault.examples else (None, "")
        yield Sentence(
            "    schéma : {column}, ligne {line} : « {value} » ; attendu : {expected} ({count} fois)",
            {
                "column": fault.title,
                "line": line or "–",
                "value": value,
                "expected": str(fault.expected),
                "count": fault.count,
            },
        )
    for evidence in report.evidences:
        yield Sentence(
            "    {subject} : {value} ; {why}",
            {"subject": evidence.subject, "value": evidence.value, "why": str(evidence.why)},
        )
    for warning in report.warnings:
        yield Sentence("    attention : {warning}", {"warning": str(warning)})
