"""`beffroi transit build|check|show|poll`: timetables of buses and trams, from the command line of their server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.mobility import commune_of
from beffroi.config.commands.readiness import require_registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from beffroi.sense.mobility.transit.checking import Notice


@click.group("transit")
def transit_command() -> None:
    """Les transports : horaires (GTFS), temps réel (GTFS-RT), et ce qui manque aux fichiers."""


@transit_command.command("build")
@click.option("--commune", default=None, help="Code INSEE ; sinon celle de l’installation.")
def build(commune: str | None) -> None:
    """Bâtir les horaires des réseaux qui sont dans le lac. Rien n’est fait si rien n’a changé."""
    start_django()
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility.transit.operations import build_timetables

    found = build_timetables(commune_of(commune), at=now())
    if not found:
        click.echo("Aucun réseau dans le lac : importez son GTFS par beffroi import.")
    for one in found:
        if one.timetable is None:
            click.echo(f"{one.feed} : rien n’a changé.")
            continue
        table = one.timetable
        click.echo(
            f"{one.feed} : {len(table.stops.ids)} arrêts, {len(table.routes.ids)} lignes, "
            f"{len(table.trip_id)} courses, {len(table.at_stop)} passages ; {table.version}"
        )
        _tell(one.notices)


@transit_command.command("check")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(archive: Path) -> None:
    """Vérifier un GTFS avant de le publier : ce qui ne va pas, où, et comment y remédier. Rien n’est gardé.

    Le code de sortie est 1 quand une erreur empêche de lire une partie du fichier.
    """
    start_django()
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility.transit.operations import check_archive
    from beffroi.sense.mobility.transit.rules import Severity

    timetable, notices = check_archive(archive, at=now())
    click.echo(f"{len(timetable.trip_id)} courses, {len(timetable.at_stop)} passages")
    _tell(notices)
    if any(one.rule.severity is Severity.ERROR for one in notices):
        raise SystemExit(1)


@transit_command.command("show")
@click.option("--commune", default=None, help="Code INSEE ; sinon celle de l’installation.")
def show(commune: str | None) -> None:
    """Montrer les réseaux en service, leur période, et l’état du temps réel."""
    start_django()
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility.transit import queries
    from beffroi.sense.mobility.transit.live import live_of
    from beffroi.sense.mobility.transit.sources import sources

    code, at = commune_of(commune), now()
    for feed in queries.feeds(code):
        days = f"du {feed.period[0]:%d/%m/%Y} au {feed.period[1]:%d/%m/%Y}" if feed.period else "aucun jour"
        told = live_of(code, feed.feed, at=at)
        click.echo(f"{feed.feed} : {feed.stops} arrêts, {feed.lines} lignes, {feed.trips} courses, {days}")
        click.echo(f"  temps réel : {told.status}{f' ; {told.problem}' if told.problem else ''}")
    for fault in sources()[1]:
        click.echo(f"beffroi : {fault}", err=True)


@transit_command.command("poll")
def poll_once() -> None:
    """Demander une fois aux réseaux ce qu’ils disent du moment ; le travailleur le fait sans cesse."""
    start_django()
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility.transit.polling import poll

    click.echo(f"{poll(now())} messages nouveaux")


def _tell(notices: Iterable[Notice]) -> None:
    for one in notices:
        click.echo(f"  [{one.rule.severity}] {one.rule.title} ({one.code}) : {one.count} ; {one.rule.remedy}")
        for sample in one.samples:
            place = f"{sample.file}:{sample.line}" if sample.line else sample.file
            click.echo(f"      {place} {sample.said}")
