"""A folder of sources into the lake: what each is, imported apart from the others (`isolation`), and one report."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.beside import definitions_of
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.detect.headers import keys_of
from beffroi.lake.folder import Kind, SourceGroup, plan
from beffroi.lake.isolation import Box, ImportRequest, Limits, extent_apart, outcomes, prepare
from beffroi.lake.outcomes import ImportOutcome, unchanged
from beffroi.lake.reading import ReadOptions
from beffroi.lake.readme import licence_of
from beffroi.lake.report import DatasetReport, FolderReport, tables_of
from beffroi.lake.store import DatasetNotFound

Told = Callable[[int, int, SourceGroup, DatasetReport | None], None]
"""Called when a source is begun (without report) and when it is done: how many are done, of how many, which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderImport:
    """How the datasets of a folder are imported: where, on what day, and what is known of them.

    `guarded`: what loses too many rows waits for an agent's word.

    Without `extent`, that of the commune's own boundary is used when the folder holds one.
    """

    territory: str
    at: datetime
    lake: Path
    extent: Box | None = None
    definitions: Sequence[Definition] = ()
    limits: Limits = field(default_factory=Limits)
    told: Told | None = None
    guarded: bool = False


def import_folder(folder: Path, how: FolderImport) -> FolderReport:
    """Import every dataset of `folder`; a source that crashes, hangs or eats the memory is refused with a sentence.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    prepare()
    return import_groups(plan(folder), folder, how)


def import_groups(groups: Sequence[SourceGroup], source: Path, how: FolderImport) -> FolderReport:
    """Import the datasets of a plan of `source`, and report on them in the order of the plan.

    Raises:
        LakeNotWritable: the lake itself cannot be written.
    """
    prepare()
    started = time.monotonic()
    requests = _requests(groups, how)
    reports: dict[int, DatasetReport] = {}

    def tell(index: int, report: DatasetReport | None = None) -> None:
        if how.told:
            how.told(len(reports), len(requests), groups[index], report)

    for index, outcome, seconds in _outcomes(requests, how.limits, tell):
        reports[index] = _report(groups[index], requests[index], outcome, seconds, source)
        tell(index, reports[index])
    ordered = tuple(reports[index] for index in sorted(reports))
    return FolderReport(how.territory, str(source), ordered, time.monotonic() - started)


def _requests(groups: Sequence[SourceGroup], how: FolderImport) -> list[ImportRequest]:
    options = ReadOptions(extent=how.extent or boundary_extent(groups))
    return [
        ImportRequest(
            group.path,
            group.slug,
            definition_of(group, how.territory, how.definitions),
            how.territory,
            how.at,
            how.lake,
            options,
            guarded=how.guarded,
        )
        for group in groups
    ]


def named_by_schema(
    groups: Sequence[SourceGroup], territory: str, definitions: Sequence[Definition]
) -> list[SourceGroup]:
    """Return the plan with each national source under the name that services know it by, whatever its file is called.

    What a commune's own dataset file extends is a national source too. Of several files of one source, the first takes
    the name. An archive that holds several datasets is in it for each.
    """
    known = {one.slug for one in definitions if not one.territories}
    taken: set[str] = set()
    named = []
    for group in several(groups, territory, definitions):
        found = group.definition or _declared(group, territory, definitions)
        national = found is not None and found.slug in known - taken
        named.append(replace(group, slug=found.slug) if found is not None and national else group)
        taken.add(named[-1].slug)
    return named


def several(groups: Sequence[SourceGroup], territory: str, definitions: Sequence[Definition]) -> list[SourceGroup]:
    """Return the plan where an archive whose tables several dataset files describe is one source for each of them."""
    found: list[SourceGroup] = []
    for group in groups:
        held = [one for one in definitions_of(group.path, territory, definitions) if one.tables.rows]
        if len(held) < 2:
            found.append(replace(group, definition=held[0]) if held else group)
            continue
        taken = {other.slug for other in found}
        # A second archive of the same kind tells its datasets by its own name too.
        found += [
            replace(group, slug=f"{group.slug}-{one.slug}"[:100] if one.slug in taken else one.slug, definition=one)
            for one in held
        ]
    return found


def one_group(path: Path, *, slug: str | None = None) -> SourceGroup:
    """Return the plan of a single source.

    Raises:
        BeffroiError: there is no such file.
    """
    if not path.is_file():
        raise BeffroiError(
            "aucun fichier de ce nom", where=str(path), remedy="vérifiez le chemin ; un dossier demande --recursive"
        )
    found = next((group for group in plan(path.parent) if path.resolve() in _paths(group)), None)
    if found is None:
        found = SourceGroup(path.stem, path.stem, "", path, Kind("autre", 40), Sentence("fichier désigné"))
    kept = replace(found, path=path.resolve(), twins=(), why=Sentence("fichier désigné"))
    return replace(kept, slug=slug) if slug else kept


def _paths(group: SourceGroup) -> list[Path]:
    return [group.path, *(twin.path for twin in group.twins)]


_BOUNDARY = re.compile(r"(limites?|contour|perimetre)-?(de-la-)?(commun|ville)", re.IGNORECASE)


def boundary_extent(groups: Sequence[SourceGroup]) -> Box | None:
    """Return the box of the commune's boundary when one of `groups` is that boundary (by its name), else None.

    It is read apart, as every source is: a boundary that crashes GDAL costs the import what it would have told.
    """
    named = [group.path for group in groups if group.kind.has_geometry and _BOUNDARY.search(group.slug)]
    return extent_apart(named) if named else None


def _declared(group: SourceGroup, territory: str, definitions: Sequence[Definition]) -> Definition | None:
    return next(iter(definitions_of(group.path, territory, definitions)), None)


def definition_of(group: SourceGroup, territory: str, definitions: Sequence[Definition]) -> Definition:
    """Return the dataset file that names the source, completed by its notice; else what the notice says."""
    declared = group.definition or _declared(group, territory, definitions)
    notice = group.notice
    said: dict[str, Any] = {"theme": group.theme, "title": group.title[:200]}
    if notice:
        said |= {
            "description": notice.description,
            "producer": notice.producer or notice.publisher,
            "licence": licence_of(notice.licence).name,
            "rhythm": notice.rhythm,
            "columns": {
                keys_of([title])[0]: ColumnDefinition(description=text) for title, text in notice.columns.items()
            },
        }
    if declared is None:
        return Definition(group.slug, **said)
    return replace(declared, **{name: value for name, value in said.items() if not getattr(declared, name)})


def _report(
    group: SourceGroup, request: ImportRequest, outcome: ImportOutcome, seconds: float, source: Path
) -> DatasetReport:
    base = source.resolve() if source.is_dir() else source.resolve().parent
    tables = tables_of(outcome)
    periods = [table.report.period for table in tables if table.report and table.report.period]
    licence = licence_of(group.notice.licence if group.notice else "")
    return DatasetReport(
        slug=request.slug,
        title=request.definition.title or group.title,
        source=_inside(group.path, base),
        kind=group.kind.name,
        why=group.why,
        tables=tables,
        twins=tuple((_inside(twin.path, base), twin.why) for twin in group.twins),
        licence=request.definition.licence,
        licence_why=None if request.definition.licence and not licence.name else licence.why,
        period=(min(first for first, _ in periods), max(last for _, last in periods)) if periods else None,
        seconds=seconds,
    )


def _inside(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else path.name


def _outcomes(
    requests: Sequence[ImportRequest], limits: Limits, begun: Callable[[int], object]
) -> Iterator[tuple[int, ImportOutcome, float]]:
    """Yield the outcome of each request as it comes, with its seconds: at once for the sources that did not change."""
    changed = []
    for index, request in enumerate(requests):
        started = time.monotonic()
        known = _unchanged(request)
        if known is None:
            changed.append(index)
        else:
            begun(index)
            yield index, known, time.monotonic() - started
    yield from outcomes(requests, changed, limits, begun=begun)


def _unchanged(request: ImportRequest) -> ImportOutcome | None:
    try:
        return unchanged(
            request.path,
            territory=request.territory,
            at=request.at,
            slug=request.slug,
            definition=request.definition,
            options=request.options,
            lake=request.lake,
        )
    except (DatasetNotFound, OSError):
        # A name or a file that cannot be used: the import itself says so, for this source alone.
        return None
