"""`beffroi import SOURCE`: files of open data into the lake, with a bar while it goes on and a report at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry
from beffroi.lake.isolation import Limits, prepare

if TYPE_CHECKING:
    from beffroi.lake.folder import SourceGroup
    from beffroi.lake.report import DatasetReport, FolderReport


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "dataset", default=None, help="Nom (slug) du jeu de données ; sinon tiré du fichier.")
@click.option("--recursive", is_flag=True, help="Importer tout un dossier, ses sous-dossiers compris.")
@click.option("--commune", default=None, help="Code INSEE de la commune ; sinon celle de l’installation.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Lectures menées de front.")
@click.option("--json", "as_json", is_flag=True, help="Rapport en JSON sur la sortie standard.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), help="Fichier où écrire le rapport détaillé.")
def import_command(
    source: Path,
    dataset: str | None,
    recursive: bool,
    commune: str | None,
    jobs: int,
    as_json: bool,
    report_file: Path | None,
) -> None:
    """Importer un fichier ou un dossier de données ouvertes dans le lac.

    Le rapport dit, pour chaque jeu, ce qui a été lu, gardé, rejeté et pourquoi. Un second import des mêmes fichiers ne
    change rien. Le code de sortie est 0 si chaque jeu est gardé ou expliqué.
    """
    prepare()
    start_django()
    require_registry()
    from beffroi.lake import report as reports

    report = _imported(source, dataset=dataset, recursive=recursive, commune=commune, jobs=jobs, quiet=as_json)
    payload = json.dumps(reports.as_json(report), ensure_ascii=False, indent=1)
    if report_file:
        text = "\n".join(str(line) for line in reports.as_lines(report))
        report_file.write_text(payload if report_file.suffix == ".json" else f"{text}\n", encoding="utf-8")
    if as_json:
        click.echo(payload)
    else:
        _show(report)
    if not report.is_explained:
        raise SystemExit(1)


def _imported(
    source: Path, *, dataset: str | None, recursive: bool, commune: str | None, jobs: int, quiet: bool
) -> FolderReport:
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.lake import folder, importing, operations
    from beffroi.lake.definitions import load_definitions

    if source.is_dir() and not recursive:
        raise click.UsageError(f"{source} est un dossier : ajoutez --recursive pour importer tout ce qu’il contient")
    if source.is_dir() and dataset:
        raise click.UsageError("--as nomme un seul jeu de données : désignez un fichier, non un dossier")
    groups = folder.plan(source) if source.is_dir() else [importing.one_group(source, slug=dataset)]
    if not groups:
        raise click.UsageError(f"aucun fichier de données dans {source}")
    code, extent = _territory(commune, importing.boundary_extent(groups))
    definitions, faults = load_definitions()
    for fault in faults:
        click.echo(f"beffroi : {fault}", err=True)
    if not dataset:
        groups = importing.named_by_schema(groups, code, definitions)
    with _progress(len(groups), quiet=quiet) as told:
        how = importing.FolderImport(
            territory=code,
            at=now(),
            lake=Path(settings.LAKE_DIR),
            extent=extent,
            definitions=definitions,
            limits=Limits(settings.IMPORT_TIMEOUT_S, settings.IMPORT_MEMORY_MB, jobs),
            told=told,
        )
        report = importing.import_groups(groups, source, how)
    operations.announce_published(at=now())
    return report


def _territory(code: str | None, boundary: tuple[float, float, float, float] | None) -> tuple[str, Any]:
    """Return the code of the commune and where its data are expected; a commune not known yet is created."""
    from beffroi.base.kernel.errors import BeffroiError
    from beffroi.base.kernel.geo import BBox
    from beffroi.base.kernel.time import now
    from beffroi.base.territory import operations, queries

    if code is None:
        found = queries.default_commune()
        if found is None:
            raise click.UsageError("aucune commune dans cette installation : précisez --commune CODE_INSEE")
    else:
        try:
            found = queries.territory(code.strip().upper())
        except BeffroiError:
            box = BBox(*boundary) if boundary else None
            found = operations.add_commune(code=code, name=f"Commune {code.strip().upper()}", at=now(), bbox=box)
            click.echo(f"Commune créée ; donnez son nom : beffroi territory add {found.code} --name « … »", err=True)
    return found.code, tuple(found.bbox) if found.bbox else boundary


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int, int, SourceGroup, DatasetReport | None], None]]:
    """Yield what an import tells its progress to: a bar on a terminal, a line per dataset elsewhere."""
    from beffroi.lake import report as reports

    if quiet or not sys.stderr.isatty():

        def line(done: int, count: int, group: SourceGroup, report: DatasetReport | None) -> None:
            if report and not quiet:
                click.echo(f"[{done}/{count}] {group.slug} : {reports.label(report.status)}", err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<48.48}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("Import", total=total)
        yield lambda done, count, group, report: progress.update(bar, completed=done, description=group.title)


def _show(report: FolderReport) -> None:
    from rich.console import Console
    from rich.table import Table

    from beffroi.lake import report as reports

    table = Table(
        "Jeu de données", "État", "Lues", "Gardées", "Géométrie", "Système", "Licence", "Pris", title_justify="left"
    )
    for dataset in report.datasets:
        for part in dataset.tables:
            found = part.report
            table.add_row(
                part.slug,
                str(reports.label(part.status)),
                f"{found.rows_read}" if found else "",
                f"{found.rows_kept}" if found else "",
                ", ".join(found.geometry_types) if found else "",
                (found.crs or "")[:12] if found else "",
                dataset.licence,
                dataset.kind,
            )
    # On a pipe or a file, the width of a terminal means nothing.
    Console(width=None if sys.stdout.isatty() else 180).print(table)
    for dataset in report.datasets:
        for part in dataset.tables:
            if part.reason:
                click.echo(f"{part.slug} : {part.reason}")
    for line in list(reports.as_lines(report))[-2:]:
        click.echo(str(line))
