"""`beffroi lake list|show|refresh|export|snapshot`: what the lake holds, from the command line of its server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beffroi.config.cli import start_django
from beffroi.config.commands.readiness import require_registry

if TYPE_CHECKING:
    from beffroi.base.territory.viewer import Viewer
    from beffroi.lake.queries import DatasetRef


@click.group("lake")
def lake_command() -> None:
    """Le lac : jeux de données, versions, exports."""


def _keeper(territory: str) -> Viewer:
    """Return who runs this command: whoever has a shell on the server reads what an agent of the commune reads."""
    from beffroi.base.territory.viewer import Grant, Role, Viewer

    return Viewer(grants=(Grant(territory, Role.ADMINISTRATOR),))


def _ref(text: str) -> DatasetRef:
    from beffroi.lake.queries import DatasetRef

    territory, _, slug = text.partition("/")
    if not slug:
        raise click.UsageError(f"« {text} » : écrivez COMMUNE/JEU, par exemple 34172/voirie-eclairage-public")
    return DatasetRef(territory, slug)


@lake_command.command("snapshot")
@click.argument("commune")
def snapshot(commune: str) -> None:
    """Verser les signalements publics d’une commune (code INSEE) dans le lac, comme chaque nuit."""
    start_django()
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.base.territory import queries as territory
    from beffroi.serve.reports.snapshot import take_snapshot

    outcome = take_snapshot(territory.commune(commune).code, at=now())
    if outcome is None:
        click.echo("Aucun signalement public pris en charge : rien à verser.")
        return
    click.echo(f"{outcome.ref} : version {outcome.version} ({outcome.status.value})")


@lake_command.command("papers")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--commune", required=True, help="Code INSEE de la commune.")
def papers(folder: Path, commune: str) -> None:
    """Garder les documents PDF d’un dossier, que des lignes nomment par la fin de leur adresse (délibérations)."""
    start_django()
    require_registry()
    from beffroi.base.territory import queries as territory
    from beffroi.sense.places.directory.operations import keep_deposited

    done = keep_deposited(territory.commune(commune).code, folder)
    click.echo(f"{done.kept} documents gardés ; ceux qui l’étaient déjà, ou qu’aucune ligne ne nomme, sont laissés.")


@lake_command.command("terrain")
@click.argument("grid", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--commune", required=True, help="Code INSEE de la commune.")
@click.option("--crs", default=None, help="Système d’une grille .asc ; sinon EPSG:2154 (Lambert-93).")
@click.option("--producer", default="", help="Qui a produit la grille, par exemple IGN.")
@click.option("--licence", default="", help="Sa licence, par exemple Licence Ouverte 2.0.")
def import_terrain(grid: Path, commune: str, crs: str | None, producer: str, licence: str) -> None:
    """Importer le relief d’une commune : une grille ESRI (.asc, RGE ALTI) ou une cellule SRTM (.hgt, .zip)."""
    start_django()
    require_registry()
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.base.territory import queries
    from beffroi.lake import operations

    known = queries.territory(commune.strip().upper())
    terrain = operations.import_terrain(
        grid,
        lake=Path(settings.LAKE_DIR),
        territory=known.code,
        at=now(),
        within=known.bbox,
        crs=crs,
        producer=producer,
        licence=licence,
    )
    click.echo(
        f"Relief de {known.name} : de {terrain.low_m:.0f} à {terrain.high_m:.0f} m, au pas de {terrain.step_m:.0f} m, "
        f"tuiles {terrain.min_zoom} à {terrain.max_zoom} (version {terrain.version})"
    )


@lake_command.command("list")
@click.option("--commune", default=None, help="Code INSEE ; sinon toutes.")
def list_datasets(commune: str | None) -> None:
    """Lister les jeux de données."""
    start_django()
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.lake import queries

    found = queries.datasets(_keeper(commune) if commune else ANONYMOUS, territory=commune)
    for one in found:
        click.echo(f"{one.ref!s:<60}  {one.rows:>9}  {one.geometry_type or '—':<16}  {one.title}")
    if not found:
        click.echo("Aucun jeu de données : beffroi import DOSSIER --recursive --commune CODE_INSEE")


@lake_command.command("show")
@click.argument("dataset")
def show_dataset(dataset: str) -> None:
    """Montrer un jeu (COMMUNE/JEU) : colonnes, versions, constats de l’import."""
    start_django()
    from beffroi.lake import queries

    ref = _ref(dataset)
    found = queries.dataset(_keeper(ref.territory), ref)
    summary = found.summary
    click.echo(f"{summary.title}\n{summary.description}".strip())
    click.echo(f"licence : {summary.licence or 'inconnue'} ; {summary.rows} lignes ; accès : {summary.access}")
    for column in found.columns:
        unit = f" ({column.unit})" if column.unit else ""
        click.echo(f"  {column.key:<32} {column.type.value:<9} {column.title}{unit}")
    for version in found.versions:
        mark = "*" if version.is_current else " "
        click.echo(f"{mark} {version.version}  {version.created_at:%Y-%m-%d %H:%M}  {version.rows} lignes")
    for evidence in found.evidences:
        click.echo(f"  {evidence.subject} : {evidence.value} ; {evidence.why}")


@lake_command.command("refresh")
@click.option("--commune", default=None, help="Code INSEE : chercher aussi ce qui a changé de ses sources nationales.")
def refresh_lake(commune: str | None) -> None:
    """Annoncer les versions qui ne l’ont pas été et mettre leurs tuiles en file.

    Avec --commune, sans attendre la nuit du processus de fond : une source qui perd trop de lignes attend un agent.
    """
    start_django()
    require_registry()
    from beffroi.base.kernel.time import now
    from beffroi.lake import operations

    if commune:
        from beffroi.base.territory import queries as territory
        from beffroi.config.commands.sources import bring

        if not bring(territory.commune(commune.strip().upper())):
            raise SystemExit(1)
    click.echo(f"{operations.announce_published(at=now())} version(s) annoncée(s)")


@lake_command.command("communes")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", default="", help="Adresse du répartiteur Dask, tcp://… ; sinon cette machine.")
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processus (Dask, local).")
def refresh_communes(folder: Path, engine: str, scheduler: str, workers: int) -> None:
    """Rafraîchir beaucoup de communes : FOLDER a un dossier de sources par commune, nommé par son code INSEE."""
    start_django()
    require_registry()
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.lake import communes, operations
    from beffroi.lake.definitions import load_definitions

    at = now()
    told = communes.refresh_communes(
        folder.resolve(),
        lake=Path(settings.LAKE_DIR),
        at=at,
        definitions=load_definitions()[0],
        engine=engine,
        scheduler=scheduler,
        workers=workers,
    )
    total = len(communes.communes_in(folder.resolve()))
    done: list[communes.CommuneRefreshed] = []
    with click.progressbar(length=total, label="Communes", file=sys.stderr) as bar:
        for one in told:
            done.append(one)
            bar.update(1)
    for one in done:
        for line in one.refused:
            click.echo(line)
    click.echo(
        f"{len(done)} communes : {sum(one.published for one in done)} jeux publiés, "
        f"{sum(one.unchanged for one in done)} inchangés, {sum(len(one.refused) for one in done)} refusés"
    )
    operations.announce_published(at=at)


@lake_command.command("export")
@click.argument("dataset")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--version", default=None, help="Version ; sinon celle en vigueur.")
def export_dataset(dataset: str, file: Path, version: str | None) -> None:
    """Écrire un jeu (COMMUNE/JEU) dans FILE, au format de son extension (geojson, csv, parquet, gpkg, xlsx)."""
    start_django()
    from beffroi.base.kernel.files import written_whole
    from beffroi.lake import queries

    ref = _ref(dataset)
    found = queries.download(_keeper(ref.territory), ref, file.suffix.lstrip(".").lower(), version=version)
    with written_whole(file) as sink:
        if found.path:
            with found.path.open("rb") as source:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
        else:
            for chunk in found.chunks or ():
                sink.write(chunk)
    click.echo(f"{file} : {file.stat().st_size} octets")
