"""`beffroi mobility build|show|export`: the graph of the streets, from the command line of its server."""

from __future__ import annotations

from pathlib import Path

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry


@click.group("mobility")
def mobility_command() -> None:
    """La mobilité : le graphe des rues sur lequel se calculent les itinéraires."""


def commune_of(code: str | None) -> str:
    """Return the commune asked for, else that of the installation."""
    from beffroi.base.territory import queries

    found = queries.default_commune()
    if code is None and found is None:
        raise click.UsageError("aucune commune : donnez --commune CODE_INSEE, ou créez-la par beffroi territory add")
    return code or (found.code if found else "")


@mobility_command.command("build")
@click.option("--commune", default=None, help="Code INSEE ; sinon celle de l’installation.")
@click.option("--osm", type=click.Path(exists=True, path_type=Path), help="Extrait OpenStreetMap (.osm.pbf, .osm).")
@click.option("--terrain", type=click.Path(exists=True, path_type=Path), help="Relief (.asc, .hgt, .hgt.zip).")
@click.option("--terrain-crs", default="", help="Système de la grille .asc.  [défaut : EPSG:2154]")
def build(commune: str | None, osm: Path | None, terrain: Path | None, terrain_crs: str) -> None:
    """Bâtir le graphe : des rues du lac, ou d’un extrait OpenStreetMap. Les fichiers donnés sont retenus."""
    start_django()
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility.operations import build_graph

    graph = build_graph(
        commune_of(commune), at=now(), extract=osm, terrain=terrain, terrain_crs=terrain_crs,
        tell=lambda what: click.echo(f"{what}…", err=True),
    )  # fmt: skip
    if graph is None:
        click.echo("Rien n’a changé : le graphe en service est à jour.")
        return
    _prepare(str(graph.about["territory"]))
    click.echo(
        f"{len(graph)} tronçons, {graph.ends} carrefours, {graph.length_m.sum() / 1000:.0f} km ; {graph.version}"
    )


def _prepare(territory: str) -> None:
    """Compute what every process would otherwise wait for; says why when it cannot."""
    from beffroi.sense.mobility.compiled import NoEngine, search_module

    try:
        search_module()
    except NoEngine as error:
        click.echo(str(error), err=True)
        return
    from beffroi.sense.mobility.warming import warm_graph

    click.echo("Repères de chaque profil…", err=True)
    warm_graph(territory)


@mobility_command.command("show")
@click.option("--commune", default=None, help="Code INSEE ; sinon celle de l’installation.")
def show(commune: str | None) -> None:
    """Montrer le graphe en service, ses sources, et la part des rues documentée pour chaque profil."""
    start_django()
    from beffroi.sense.mobility import queries

    code = commune_of(commune)
    info = queries.graph_info(code)
    click.echo(f"{info.version} ; {info.segments} tronçons ; bâti le {info.built_at:%d/%m/%Y à %H:%M} UTC")
    for title, date, licence in info.origins:
        click.echo(f"  {title}{f' ({date})' if date else ''} {licence}")
    for profile in queries.profiles():
        click.echo(f"  {profile.title:<42} documenté : {queries.documented_share(code, profile):4.0%}")


@mobility_command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--commune", default=None, help="Code INSEE ; sinon celle de l’installation.")
def export(file: Path, commune: str | None) -> None:
    """Écrire les rues du graphe en OpenStreetMap (.osm.pbf), pour d’autres logiciels."""
    start_django()
    from beffroi.sense.mobility.exporting import write_osm
    from beffroi.sense.mobility.store import router_of

    count = write_osm(router_of(commune_of(commune)).graph, file)
    click.echo(f"{file} : {count} voies")
