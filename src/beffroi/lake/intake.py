"""From a source to the versions it becomes: read it, publish each of its tables. Needs no Django.

Loads what an import takes and no more: each process that reads sources pays for it (see `isolation`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import AGENTS, PUBLIC
from beffroi.lake import duck, sql
from beffroi.lake.aggregating import check_view
from beffroi.lake.definitions import Definition
from beffroi.lake.linking import linked
from beffroi.lake.manifest import SourceInfo
from beffroi.lake.outcomes import (
    ImportOutcome,
    ImportStatus,
    beside_of,
    fingerprint_of,
    gathered,
    known_outcome,
    lake_folder,
    merged_options,
    note_parts,
    source_info,
)
from beffroi.lake.preparing import resolved_columns
from beffroi.lake.publishing import Later, Progress, at_once, publish
from beffroi.lake.reading import Reading, ReadOptions
from beffroi.lake.store import DatasetRef, Lake, LakeNotWritable

Reader = Callable[[Path, ReadOptions, duck.Connection], list[Reading]]


def import_source(
    path: Path,
    *,
    territory: str,
    at: datetime,
    slug: str | None = None,
    definition: Definition | None = None,
    options: ReadOptions | None = None,
    source: SourceInfo | None = None,
    progress: Progress | None = None,
    actor: int | None = None,
    lake: Path | None = None,
    announce: bool = True,
    memory_mb: int = 2048,
    threads: int | None = None,
    read: Reader | None = None,
    later: Later = at_once,
    guarded: bool = False,
) -> ImportOutcome:
    """Read `path`, and publish it as a version of the dataset; the same content is left as it is.

    `slug` defaults to the definition's, else to the file's name. `lake` defaults to the setting ``LAKE_DIR``, `read`
    to the connector registry; `threads` bounds what DuckDB takes of the machine. With `announce`,
    ``dataset.published`` is recorded in the journal when Django is set up, and tiles are queued; else the caller owes
    a call of :func:`announce_published`. Where `later` is given, the outcome holds once what it was handed is done
    (see `publishing.publish`).

    Raises:
        BeffroiError: the lake itself cannot be written (disk full, permission). Faults of the source are outcomes.
    """
    slug = slug or (definition.slug if definition else slug_of(path.stem))
    definition = definition or Definition(slug)
    ref = DatasetRef(territory, slug)
    options = merged_options(definition.reading, options)
    home = Lake(lake_folder(lake))

    def told() -> tuple[SourceInfo, str]:
        known = source or source_info(path)
        return known, fingerprint_of(known, definition, options, beside=beside_of(path, definition))

    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(told)
        # With nothing to compare it to, the source is hashed while it is read.
        if home.checked(ref) or home.parts(ref):
            known = known_outcome(home, ref, asked.result()[1], at)
            if known is not None:
                return known
        with sql.workbench(memory_mb=memory_mb, threads=threads) as con:
            try:
                reader, given = read or _registry(), replace(options, stays=path)
                readings = linked(reader(path, given, con), definition, path=path, options=options, read=reader)
            except BeffroiError as fault:
                return ImportOutcome(ImportStatus.REFUSED, ref, reason=as_sentence(fault))
            info, fingerprint = asked.result()
            outcomes = [
                publish_reading(
                    reading,
                    territory=territory,
                    slug=slug if len(readings) == 1 else _part_slug(slug, reading, position),
                    at=at,
                    source=info,
                    definition=definition,
                    progress=progress,
                    actor=actor,
                    lake=home.root,
                    fingerprint=fingerprint,
                    later=later,
                    guarded=guarded,
                )
                for position, reading in enumerate(readings, start=1)
            ]
    if announce and _django_is_ready():
        from beffroi.lake.announcing import announce_published

        announce_published(at=at, lake=home.root)
    if len(outcomes) > 1:
        note_parts(home, ref, fingerprint, outcomes)
    return gathered(ref, outcomes)


def publish_reading(
    reading: Reading,
    *,
    territory: str,
    slug: str,
    at: datetime,
    source: SourceInfo,
    definition: Definition | None = None,
    progress: Progress | None = None,
    actor: int | None = None,
    lake: Path | None = None,
    fingerprint: str = "",
    later: Later = at_once,
    guarded: bool = False,
) -> ImportOutcome:
    """Publish what a connector has read. Announces nothing: the caller owes :func:`announce_published`.

    Raises:
        BeffroiError: the lake itself cannot be written (disk full, permission). Faults of the source are outcomes.
    """
    ref = DatasetRef(territory, slug)
    definition = definition or Definition(slug)
    if is_sandbox(territory) and definition.access == PUBLIC:
        # What is tried in a sandbox is never anyone's to read: no page, no API, no catalogue shows it outside.
        definition = replace(definition, access=AGENTS)
    home = Lake(lake_folder(lake))
    try:
        check_view(home, territory, definition, resolved_columns(reading.columns, definition.columns))
        sql.plan_for(reading.con, reading.rows_read)
        done = publish(
            home,
            ref,
            reading,
            source=source,
            definition=definition,
            at=at,
            fingerprint=fingerprint,
            actor=actor,
            progress=progress,
            later=later,
            guarded=guarded,
        )
    except LakeNotWritable:
        raise
    except BeffroiError as fault:
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=as_sentence(fault))
    except duck.Error as error:
        reason = Sentence(
            "les données lues ne peuvent pas être écrites ({reason})", {"reason": str(error).splitlines()[0][:200]}
        )
        return ImportOutcome(ImportStatus.REFUSED, ref, reason=reason)
    if done.held_from is not None:
        kept = done.report.rows_kept
        why = Sentence(
            gettext_noop("la source passe de {before} à {rows} lignes : un agent doit approuver la mise en service"),
            {"before": done.held_from, "rows": kept},
        )
        return ImportOutcome(ImportStatus.HELD, ref, version=done.version, report=done.report, reason=why)
    status = ImportStatus.PUBLISHED if done.is_new else ImportStatus.UNCHANGED
    return ImportOutcome(status, ref, version=done.version, report=done.report)


def slug_of(text: str) -> str:
    """Return a slug for a file or a title.

    >>> slug_of("VilleMTP_MTP_Arbres d'alignement (été)")
    'villemtp-mtp-arbres-d-alignement-ete'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100].strip("-") or "donnees"


def _part_slug(slug: str, reading: Reading, position: int) -> str:
    return f"{slug[:60]}-{slug_of(reading.title) if reading.title else position}"


def as_sentence(fault: BeffroiError) -> Sentence:
    """Return one sentence for an outcome: what, where and remedy in one template."""
    values: dict[str, Any] = {**fault.what.values, **fault.remedy.values, "_where": fault.where}
    template = ("{_where} : " if fault.where else "") + fault.what.template
    return Sentence(template + (f" ; {fault.remedy.template}" if fault.remedy.template else ""), values)


def _registry() -> Reader:
    from beffroi.lake.connectors import registry

    return registry.read


def _django_is_ready() -> bool:
    from django.apps import apps

    return apps.ready
