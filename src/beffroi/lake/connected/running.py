"""One turn of a connected source: brought whole, imported apart, noted; and the trial that shows it before."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import AGENTS
from beffroi.lake.announcing import announce_published
from beffroi.lake.connected import notices
from beffroi.lake.connected.addresses import without
from beffroi.lake.connected.rows import ACTIVE, address_of, credential_of, definition_of, folder_of, way_of
from beffroi.lake.definitions import Definition
from beffroi.lake.intake import as_sentence
from beffroi.lake.isolation import ImportRequest, Limits, import_isolated
from beffroi.lake.models import ConnectedSource, SourceRun
from beffroi.lake.outcomes import ImportOutcome, ImportStatus, unchanged
from beffroi.lake.scheduled import ASKED_EVERY_DAYS, USUALLY_DAYS
from beffroi.lake.services.reading import Brought, bring
from beffroi.lake.services.way import Bounds, LayerNeeded
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake
from beffroi.lake.upload_previews import UploadPreview, preview

TRIAL = Bounds(most_bytes=20 << 20, most_s=25.0, most_rows=200, most_tries=1)
TURN = Bounds()
AFTER_FAILURE_DAYS = (1, 2, 4, 7)
KEPT_RUNS = 100
MARGIN = timedelta(hours=12)
"""The worker turns once a night: what falls due later that day is asked that night."""

_TOLD = {
    ImportStatus.PUBLISHED: "changed", ImportStatus.UNCHANGED: "unchanged", ImportStatus.HELD: "held",
    ImportStatus.REFUSED: "failed",
}  # fmt: skip


def try_source(row: ConnectedSource, *, at: datetime, wait: Any = time.sleep) -> None:
    """Read the first rows of a source into a small lake of its own, and note what was found or what failed."""
    shutil.rmtree(folder_of(row, "trial"), ignore_errors=True)
    shutil.rmtree(folder_of(row, "aside"), ignore_errors=True)
    told: dict[str, Any] = {"at": at.isoformat(), "layers": [], "columns": [], "fault": None}
    secret = ""
    try:
        secret = credential_of(row).secret
        way, address = way_of(row, "trial", TRIAL, wait=wait)
        got = bring(address.kind, address.url, address.layer, way, name="essai")
        told |= {"bytes": got.bytes, "partial": got.rows is not None and got.rows >= (TRIAL.most_rows or 0)}
        fault = _tried(row, got, at)
    except LayerNeeded as needed:
        told["layers"], fault = [[one.name, one.title] for one in needed.layers[:200]], _said(needed)
    except BeffroiError as error:
        fault = _said(error)
    shutil.rmtree(folder_of(row, "trial"), ignore_errors=True)
    found = trial_preview(row) if fault is None else None
    if found is not None:
        told |= {
            "title": _title(row, found.title),
            "columns": [[one.key, one.title, one.type.value] for one in found.columns],
        }
    told["fault"] = None if fault is None else without(secret, fault)
    row.trial = told
    ConnectedSource.objects.filter(pk=row.pk).update(trial=told)


def _title(row: ConnectedSource, found: str) -> str:
    """Return the title to propose: that of the file, else the layer, else the last word of the address."""
    address = address_of(row)
    last = address.url.partition("?")[0].rstrip("/").removesuffix("/items").rpartition("/")[2]
    return found if not found.startswith("essai") else (address.layer or last).replace("-", " ").replace("_", " ")


def _said(fault: BeffroiError) -> Sentence:
    """Return a fault in one sentence; the address it is about is that of the page where it is read."""
    if fault.where.startswith("http"):
        fault.where = ""
    return as_sentence(fault)


def trial_preview(row: ConnectedSource) -> UploadPreview | None:
    """Return what the trial of a source found; None when it found nothing."""
    return preview(Lake(folder_of(row, "aside")), DatasetRef(row.territory, f"essai-{row.token[:12]}"))


def _tried(row: ConnectedSource, got: Brought, at: datetime) -> Sentence | None:
    slug = f"essai-{row.token[:12]}"
    request = ImportRequest(got.path, slug, Definition(slug, access=AGENTS), row.territory, at, folder_of(row, "aside"))
    limits = Limits(min(60.0, settings.IMPORT_TIMEOUT_S), settings.IMPORT_MEMORY_MB, jobs=1)
    outcome = import_isolated(request, limits)
    return outcome.reason if outcome.status is ImportStatus.REFUSED else None


def run_source(source_id: int, *, at: datetime, wait: Any = time.sleep) -> SourceRun | None:
    """Ask a source, put in service what it brings, note the turn, tell who answers; None when it is not in use."""
    row = ConnectedSource.objects.filter(pk=source_id, state=ACTIVE).first()
    if row is None:
        return None
    with _turn(folder_of(row, "source")):
        begun, got, secret = time.monotonic(), None, ""
        outcome: ImportOutcome | None = None
        try:
            secret = credential_of(row).secret
            way, address = way_of(row, "source", TURN, wait=wait)
            got = bring(address.kind, address.url, address.layer, way, name=row.slug)
            outcome = _imported(row, got.path, at)
            reason = outcome.reason
        except BeffroiError as error:
            reason = _said(error)
        run = SourceRun(
            source=row, at=at, seconds=time.monotonic() - begun, size_bytes=got.bytes if got else 0,
            outcome="failed" if outcome is None else _TOLD[outcome.status], rows=_rows(outcome, got),
            version=(outcome.version or "") if outcome else "",
            reason=None if reason is None else without(secret, reason),
        )  # fmt: skip
        _note(row, run)
    announce_published(at=at)
    return run


def _imported(row: ConnectedSource, path: Path, at: datetime) -> ImportOutcome:
    definition = definition_of(row)
    lake = Path(settings.LAKE_DIR)
    try:
        known = unchanged(path, territory=row.territory, at=at, slug=row.slug, definition=definition, lake=lake)
    except (DatasetNotFound, OSError):
        known = None
    if known is not None:
        return known
    request = ImportRequest(path, row.slug, definition, row.territory, at, lake, actor=row.person_id, guarded=True)
    return import_isolated(request, Limits(settings.IMPORT_TIMEOUT_S, settings.IMPORT_MEMORY_MB, jobs=1))


def _rows(outcome: ImportOutcome | None, got: Brought | None) -> int | None:
    if outcome is not None and outcome.report is not None:
        return outcome.report.rows_kept
    return got.rows if got else None


def _note(row: ConnectedSource, run: SourceRun) -> None:
    """Note a turn; a failure is asked again the next day, then more and more rarely."""
    failed = run.outcome == "failed"
    failures = row.failures + 1 if failed else 0
    days = ASKED_EVERY_DAYS.get(str(row.payload.get("rhythm", "")), USUALLY_DAYS)
    if failed:
        days = min(AFTER_FAILURE_DAYS[min(failures, len(AFTER_FAILURE_DAYS)) - 1], max(days, 1))
    told = notices.tell(row, run)
    with transaction.atomic():
        run.save()
        kept = SourceRun.objects.filter(source=row).order_by("-at", "-pk").values_list("pk", flat=True)[:KEPT_RUNS]
        SourceRun.objects.filter(source=row).exclude(pk__in=list(kept)).delete()
        came = {"came_at": run.at} if run.outcome == "changed" else {}
        ConnectedSource.objects.filter(pk=row.pk).update(
            asked_at=run.at, next_at=run.at + timedelta(days=days), failures=failures, told=told,
            fault=run.reason if failed else None, **came,
        )  # fmt: skip


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Have two turns of one source follow each other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".turn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
