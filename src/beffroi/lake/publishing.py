"""From what a connector read to a version on disk: correct, prepare, write in order, bake, put in service.

Knows no Django. The order is in `publish`; every step before the last two renames can be killed without a trace.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.lake import duck, rights, serving
from beffroi.lake.corrections import apply_corrections
from beffroi.lake.definitions import Definition
from beffroi.lake.geoparquet import write_rows
from beffroi.lake.held import hold, let_go, loses_too_much
from beffroi.lake.manifest import ImportReport, Manifest, SourceInfo, column_as_json
from beffroi.lake.preparing import Prepared, plan_of, prepare
from beffroi.lake.reading import Reading
from beffroi.lake.shaping import shape
from beffroi.lake.sql import name
from beffroi.lake.store import DatasetRef, InForce, Lake, LakeNotWritable, step, write_note, write_papers
from beffroi.lake.streaming import held_if_changed, prepare_streamed

Progress = Callable[[Sentence, float | None], None]
Later = Callable[[Callable[[], None]], object]


def at_once(act: Callable[[], None]) -> None:
    """Do it now."""
    act()


@dataclass(frozen=True, slots=True)
class Published:
    """How a publication ended: `is_new` is False when the lake already served this content.

    `held_from` is how many rows the version served has, when the new one waits for an agent's word.
    """

    version: str
    is_new: bool
    report: ImportReport
    held_from: int | None = None


def publish(
    lake: Lake,
    ref: DatasetRef,
    reading: Reading,
    *,
    source: SourceInfo,
    definition: Definition,
    at: datetime,
    fingerprint: str = "",
    actor: int | None = None,
    progress: Progress | None = None,
    later: Later = at_once,
    guarded: bool = False,
) -> Published:
    """Make a version of what was read and put it in service, or leave the one of the same content.

    Waiting for the disk and entering service are handed to `later`, which does them at once unless told otherwise:
    nothing is published before they are done. `guarded`: a version that loses more rows than its dataset file allows
    waits for an agent's word (see `held`).

    Raises:
        ImportRefused: the id is not unique, or a column does not fit the type its definition gives.
        CorrectionOutdated: a correction no longer has its object.
        LakeNotWritable: the disk refuses; the version in service stays.
    """
    started = time.monotonic()
    tell = progress or (lambda _sentence, _share: None)
    where = f"datasets/{definition.theme or '?'}/{definition.slug}.toml"
    tell(Sentence(gettext_noop("mise en ordre")), 0.1)
    held_if_changed(reading, definition)
    corrected = apply_corrections(reading, definition.corrections, where=where)
    faults = shape(reading, definition, territory=ref.territory, where=where)
    plan = plan_of(reading, definition, where=where)
    meaning = definition.as_json()
    with ExitStack() as opened:
        if reading.streamed is None:
            prepared = prepare(reading, plan)
            opened.enter_context(_writable(ref))
            opened.enter_context(lake.writing(ref))
        else:
            opened.enter_context(_writable(ref))
            aside = opened.enter_context(lake.streaming(opened.enter_context(lake.writing(ref))))
            tell(Sentence(gettext_noop("écriture des données")), 0.2)
            prepared = prepare_streamed(reading, plan, aside / "data.parquet")
            step("after-streamed")
        content = _content_hash(reading, prepared, meaning)
        report = replace(_report(reading, prepared, corrected), schema_faults=faults)
        making = opened.enter_context(ExitStack())
        known = next((version for version in lake.versions(ref) if version.endswith(content[:12])), None)
        version = known or f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{content[:12]}"
        if known is None:
            manifest = _manifest(ref, version, at, content, fingerprint, source, definition, reading, prepared, meaning)
            report = replace(report, seconds=round(time.monotonic() - started, 3))
            folder = making.enter_context(lake.new_version(ref, version))
            _write(folder, reading, prepared, manifest, report, access=definition.access, tell=tell)
        is_new = known is None or _served(lake, ref) != version
        most_lost = definition.fetch.most_lost
        before = loses_too_much(lake, ref, rows=prepared.rows, most_lost=most_lost) if guarded and is_new else None
        # The dataset stays held until this is done, by whoever does it.
        held = opened.pop_all()

    def settle() -> None:
        with held:
            making.close()
            if before is not None:
                hold(lake, ref, version, rows=prepared.rows, before=before, at=at)
                return
            let_go(lake, ref)
            if is_new:
                accesses = tuple((column.key, column.access) for column in prepared.columns)
                lake.put_in_force(
                    ref,
                    version,
                    announce={"kind": "dataset.published", "actor": actor},
                    rights=InForce(version, definition.access, accesses),
                    definition=meaning,
                )
            note = {"at": at.astimezone(UTC).isoformat(), "fingerprint": fingerprint, "version": version}
            write_note(lake.folder(ref) / "checked.json", note)
        tell(Sentence(gettext_noop("terminé")), 1.0)

    later(settle)
    return Published(version, is_new, report, before)


def _write(
    folder: Path,
    reading: Reading,
    prepared: Prepared,
    manifest: Manifest,
    report: ImportReport,
    *,
    access: str,
    tell: Progress,
) -> None:
    tell(Sentence(gettext_noop("écriture des données")), 0.3)
    if prepared.file is None:
        write_rows(reading.con, name(prepared.table), prepared, folder / "data.parquet")
    else:
        prepared.file.rename(folder / "data.parquet")
    step("after-data")
    if prepared.rows < serving.LATER_FROM_ROWS:
        tell(Sentence(gettext_noop("préparation de l'index de consultation")), 0.6)
        bake_serving(reading.con, prepared, folder, manifest, access)
    write_papers(folder, manifest, report)
    step("after-papers")


def _served(lake: Lake, ref: DatasetRef) -> str | None:
    with suppress(BeffroiError):
        return lake.in_force(ref).version
    return None


class _writable:  # noqa: N801 - reads as a context, and translates what DuckDB and SQLite say of a full disk
    def __init__(self, ref: DatasetRef) -> None:
        self.ref = ref

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (duck.IOException, duck.OutOfMemoryException, sqlite3.OperationalError)):
            raise LakeNotWritable(
                "le lac ne peut pas être écrit ({reason})",
                where=str(self.ref),
                remedy="libérez de la place ou de la mémoire, puis relancez ; la version précédente reste servie",
                reason=str(error).splitlines()[0][:200],
            ) from error


def bake_serving(con: Any, prepared: Prepared, folder: Path, manifest: Manifest, access: str) -> None:
    """Write the serving index of every visibility class of a version being made, from the table its data are."""
    has_geometry = manifest.geometry_type is not None
    if prepared.file is None:
        rows = serving.rows_of_table(prepared.table, has_geometry=has_geometry)
    else:
        rows = serving.rows_of_file(folder / "data.parquet")
    for class_name in rights.classes(access, manifest.columns):
        columns = rights.visible(manifest.columns, rights.clearance(class_name))
        serving.bake(
            con,
            rows,
            folder / f"serving.{rights.file_part(class_name)}.sqlite",
            columns=columns,
            has_geometry=has_geometry,
            mark=rights.signature(columns),
        )
        step(f"after-serving-{class_name}")


def _content_hash(reading: Reading, prepared: Prepared, definition: dict[str, Any]) -> str:
    """Return the hash a version is named after: its rows in any order, its columns, and its definition."""
    low, high = prepared.marks
    meaning = {
        "rows": [prepared.rows, str(low), str(high)],
        "columns": [column_as_json(column) for column in prepared.columns],
        "definition": definition,
        "said": [reading.title, reading.licence, reading.description, reading.period],
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _report(reading: Reading, prepared: Prepared, corrected: tuple[Sentence, ...]) -> ImportReport:
    return ImportReport(
        rows_read=reading.rows_read,
        rows_kept=prepared.rows,
        rows_rejected=reading.rejects.total,
        rejected_by_reason=dict(reading.rejects.by_reason),
        rejects=tuple(reading.rejects.rows),
        evidences=tuple(reading.evidences),
        corrections=corrected,
        crs=reading.crs,
        geometry_types=prepared.geometry_types,
        licence=reading.licence,
        period=reading.period,
    )


def _manifest(
    ref: DatasetRef,
    version: str,
    at: datetime,
    content: str,
    fingerprint: str,
    source: SourceInfo,
    definition: Definition,
    reading: Reading,
    prepared: Prepared,
    meaning: dict[str, Any],
) -> Manifest:
    return Manifest(
        territory=ref.territory,
        slug=ref.slug,
        version=version,
        created_at=at.astimezone(UTC),
        content=content,
        fingerprint=fingerprint,
        title=definition.title or reading.title or ref.slug.replace("-", " ").capitalize(),
        columns=prepared.columns,
        rows=prepared.rows,
        source=source,
        definition=meaning,
        theme=definition.theme,
        description=definition.description or reading.description,
        producer=definition.producer,
        licence=definition.licence or reading.licence,
        rhythm=definition.rhythm,
        # No commune's INSEE code starts with 00: such a territory is invented, and says so whatever its files say.
        fictional=definition.fictional or ref.territory.startswith("00"),
        rows_read=reading.rows_read,
        rows_rejected=reading.rejects.total,
        geometry_types=prepared.geometry_types,
        bbox=prepared.bbox,
        crs=reading.crs,
        period=reading.period,
        id_column=prepared.id_column,
        evidences=tuple(reading.evidences),
    )
