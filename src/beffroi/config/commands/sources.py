"""The national sources of a commune: fetched, imported, told. Used by `territory add` and `lake refresh`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from beffroi.base.territory.queries import CommuneInfo
    from beffroi.lake.definitions import Definition
    from beffroi.lake.refreshing import Source


def bring(commune: CommuneInfo, *, quiet: bool = False) -> bool:
    """Fetch and import what the nation publishes of a commune; tell what came. Return whether nothing failed."""
    from django.conf import settings

    from beffroi.lake.asking import folder_of
    from beffroi.lake.definitions import load_definitions
    from beffroi.lake.refreshing import fetch_all, fetched

    definitions, faults = load_definitions()
    for fault in faults:
        click.echo(f"beffroi : {fault}", err=True)
    folder = folder_of(commune.code)
    wanted = fetched(definitions, commune.code)
    click.echo(f"{len(wanted)} sources nationales pour {commune.name} ({commune.code})")
    with _progress(len(wanted), quiet=quiet) as told:
        mirror = settings.MIRROR_DIR
        found = list(fetch_all(definitions, commune.code, folder=folder, wait=time.sleep, mirror=mirror, told=told))
    for one in found:
        _tell(one)
    return _imported(found, commune, definitions) and not any(one.fault and not one.absent for one in found)


def _tell(one: Source) -> None:
    if one.absent:
        click.echo(f"  {one.definition.slug} : rien de publié pour cette commune")
    elif one.fault is not None:
        click.echo(f"  {one.definition.slug} : non reçu ; {one.fault}")
    else:
        click.echo(f"  {one.definition.slug} : {'reçu' if one.changed else 'inchangé'}")


def _imported(found: list[Source], commune: CommuneInfo, definitions: list[Definition]) -> bool:
    from beffroi.base.kernel.time import now
    from beffroi.lake import asking, importing, operations, scheduled
    from beffroi.lake import report as reports
    from beffroi.lake.operations import ImportStatus

    groups = [importing.one_group(one.path, slug=one.definition.slug) for one in found if one.path is not None]
    groups = importing.several(groups, commune.code, definitions)
    how, folder = asking.import_of(commune.code, definitions, at=now()), asking.folder_of(commune.code)
    report = importing.import_groups(groups, folder, how)
    operations.announce_published(at=now())
    for one in found:
        came = [
            told
            for group, told in zip(groups, report.datasets, strict=True)
            if one.path is not None and group.path == one.path.resolve()
        ]
        scheduled.note_asked(folder, one, came, at=how.at)
    for dataset in report.datasets:
        for table in dataset.tables:
            click.echo(f"  {table.slug} : {reports.label(table.status)}{f' ; {table.reason}' if table.reason else ''}")
    return all(dataset.status is not ImportStatus.REFUSED for dataset in report.datasets)


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[..., Any]]:
    """Yield what a fetch tells its progress to: a bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_said: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:<40.40}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("Sources", total=None)

        def told(done: int, count: int, one: Definition, bytes_done: int, bytes_total: int | None) -> None:
            progress.update(
                bar, completed=bytes_done, total=bytes_total, description=f"[{done + 1}/{count}] {one.title}"
            )

        yield told
