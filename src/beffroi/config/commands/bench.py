"""`beffroi bench import|query|folder DIR|ogc|live|reports`: what importing, asking, reporting cost, against peers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from beffroi.config.bench.folder import compare
from beffroi.config.bench.measure import SUBJECTS, by_gdal, gdal_name, in_child
from beffroi.config.bench.ogc.run import compare as compare_ogc
from beffroi.config.bench.report import Table, number, write
from beffroi.lake.town.plan import INSEE

_ASKED = "parcelles"
_IMPORT_HEAD = (
    "habitants",
    "jeu de données",
    "lignes",
    "Beffroi (s)",
    "lignes/s",
    "Mo",
    "GDAL (s)",
    "lignes/s",
    "Mo",
    "Beffroi/GDAL",
)
_QUERY_HEAD = (
    "habitants",
    "requête",
    "Beffroi, médiane (ms)",
    "p95",
    "GDAL, médiane (ms)",
    "p95",
    "Beffroi/GDAL",
    "croissance",
)


@click.command("bench")
@click.argument(
    "names",
    nargs=-1,
    metavar="[import|query]... | folder DOSSIER | communes | ogc | dvf | pages | live | route | transit GTFS.zip | "
    "reports [PARTIE]...",
)
@click.option(
    "--populations", default="10000,100000,1000000", show_default=True, help="Tailles de ville, en habitants."
)
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path("data/bench"), show_default=True)
@click.option("--commune", default="00001", show_default=True, help="Code INSEE sous lequel importer (folder).")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processus de front (folder).")
@click.option(
    "--features",
    type=click.IntRange(10_000),
    default=1_000_000,
    show_default=True,
    help="Objets (ogc), ventes (dvf, pages), mesures (live).",
)
@click.option(
    "--seconds", type=click.IntRange(1, 120), default=8, show_default=True, help="Durée d'une case (ogc, live)."
)
@click.option(
    "--communes", type=click.IntRange(2, 999), default=200, show_default=True, help="Communes à rafraîchir (communes)."
)
@click.option("--pairs", type=click.IntRange(10, 10_000), default=1000, show_default=True, help="Paires (route).")
@click.option(
    "--valhalla",
    "wheel",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Dossier « valhalla » de son paquet dézippé, pour comparer (route).",
)
@click.option("--write", "page", type=click.Path(path_type=Path), help="Page à mettre à jour (docs/benchmarks.md).")
def bench_command(
    names: tuple[str, ...],
    populations: str,
    data_dir: Path,
    commune: str,
    jobs: int,
    features: int,
    seconds: int,
    communes: int,
    pairs: int,
    wheel: Path | None,
    page: Path | None,
) -> None:
    """Mesurer l'import et les requêtes sur la ville fictive, face à GDAL dans la même séance.

    « folder DOSSIER » mesure l'import d'un dossier de données ouvertes ; « ogc » compare les interfaces OGC à celles de
    pygeoapi, tipg et MapServer (paquets Debian à installer, la commande dit lesquels) ; « route », les itinéraires sur
    deux villes de la plus grande taille donnée, face à Valhalla si on le donne ;
    « dvf », l'import de ventes par millions (--features) face à ogr2ogr vers PostGIS, et un agrégat ; « pages », celles
    d'un tableau de ventes, proches et lointaines, triées et filtrées ;
    « live », les mesures de capteurs acceptées par HTTP et un jour relu parmi --features mesures ;
    « communes », le même rafraîchissement par un et deux processus de Dask (extra beffroi[dask]) ;
    « transit GTFS.zip », l'import d'un réseau et ses prochains passages ;
    « reports », les signalements : load, kill, full, hostile, ou tout. Sur le serveur PostgreSQL de DATABASE_URL, où
    chaque partie crée puis supprime une base « beffroi_bench_… » ; sur SQLite sans elle.
    """
    if names == ("ogc",):
        found = iter([compare_ogc(data_dir.resolve() / "ogc", count=features, seconds=seconds, told=_told)])
    elif names == ("dvf",):
        from beffroi.config.bench.dvf import measure_sales

        found = iter([measure_sales(data_dir.resolve() / "dvf", count=features, told=_told)])
    elif names == ("pages",):
        from beffroi.config.bench.pages import measure_pages

        found = iter([measure_pages(data_dir.resolve() / "pages", count=features, told=_told)])
    elif names == ("live",):
        from beffroi.config.bench.live import measure_live

        found = iter([measure_live(data_dir.resolve() / "live", held_count=features, seconds=seconds, told=_told)])
    elif names == ("communes",):
        from beffroi.config.bench.communes import measure_communes

        found = iter([measure_communes(data_dir.resolve() / "communes", communes=communes, told=_told)])
    elif names == ("route",):
        found = _route_table(data_dir.resolve(), max(_sizes(populations)), pairs, wheel)
    elif names[:1] == ("transit",):
        found = _transit_table(data_dir.resolve(), names[1:], pairs)
    else:
        found = _tables(names or ("import", "query"), populations, data_dir.resolve(), commune, jobs)
    for table in found:
        click.echo(table.text() + "\n")
        if page is not None:
            from beffroi.base.kernel.time import now

            write(page, [table], at=now())
            click.echo(f"Écrit : {page}")


def _told(text: str) -> None:
    click.echo(text, err=True)


def _tables(names: tuple[str, ...], populations: str, folder: Path, commune: str, jobs: int) -> Iterator[Table]:
    if names[0] == "folder":
        if len(names) != 2 or not Path(names[1]).is_dir():
            raise click.UsageError("folder attend un dossier : beffroi bench folder DOSSIER")
        yield _folder_table(Path(names[1]).resolve(), commune, jobs)
        return
    if names[0] == "reports":
        from beffroi.config.bench.reports.run import reports_table

        yield reports_table(folder / "signalements", names[1:], seconds=15, told=_told)
        return
    sizes = _sizes(populations)
    for name in names:
        if name not in ("import", "query"):
            raise click.UsageError(
                f"mesure « {name} » inconnue : import, query, folder DOSSIER, communes, ogc, dvf, pages, live, "
                "route, transit GTFS.zip, reports"
            )
        yield _import_table(folder, sizes) if name == "import" else _query_table(folder, sizes)


def _folder_table(folder: Path, commune: str, jobs: int) -> Table:
    found = compare(folder, territory=commune, jobs=jobs, told=lambda text: click.echo(text, err=True))
    table = Table(
        f"folder-{folder.name}",
        f"Import du dossier « {folder.name} », face à GDAL",
        ("quoi", "fichiers", "durée (s)", "processeur (s)", "durée, rapport à GDAL", "processeur, rapport à GDAL"),
        notes=(
            f"GDAL : {gdal_name()}, vers un GeoPackage par fichier, un processus par fichier, {jobs} à la fois ; ceux "
            "qu'il ne lit pas ne sont pas comptés.",
            f"Beffroi : {number(found.sources)} sources, {number(found.kept)} gardées, {number(found.rows)} lignes ; "
            f"{jobs} processus. Démarrages compris des deux côtés ; les tuiles et le journal ne le sont pas.",
            "Beffroi fait plus : types, encodage et système de coordonnées trouvés, GeoParquet trié, index de lecture, "
            "écriture durable.",
        ),
    )
    rows = (
        ("Beffroi, premier import", found.sources, found.import_),
        ("Beffroi, les mêmes que GDAL", found.converted, found.same),
        ("Beffroi, rien n'a changé", found.sources, found.again),
        ("GDAL", found.converted, found.gdal),
    )
    for name, files, cost in rows:
        ratios = (cost.wall_s / found.gdal.wall_s, cost.cpu_s / found.gdal.cpu_s)
        cells = (number(cost.wall_s, 1), number(cost.cpu_s, 1), *(number(ratio, 2) for ratio in ratios))
        table.rows.append((name, number(files), *cells))
    return table


def _route_table(folder: Path, population: int, pairs: int, wheel: Path | None) -> Iterator[Table]:
    import numpy as np

    from beffroi.config.bench.routes import measure_routes

    found = measure_routes(
        folder, population=population, pairs=pairs, wheel=wheel, say=lambda text: click.echo(text, err=True)
    )
    table = Table(
        "route",
        "Itinéraires, face à Valhalla sur le même extrait",
        ("quoi", "profil", "obstacles", "médiane (ms)", "p95 (ms)"),
        notes=(
            *found.facts,
            f"{number(pairs)} paires de lieux au hasard dans deux villes fictives de {number(population)} habitants, "
            "reliées par trois routes ; un client, connexion gardée.",
            "Obstacles : rues fermées en un point ; pour Valhalla, autant de carrés de 3 m exclus, ses limites levées.",
            "Valhalla donne aussi ses instructions en français ; son fauteuil accepte 20 % de pente, sans relief ici.",
        ),
    )
    for what, profile, obstacles, times in found.lines:
        median, most = np.percentile(times, [50, 95])
        table.rows.append((what, profile, number(obstacles), number(median, 2), number(most, 2)))
    yield table


def _transit_table(folder: Path, named: tuple[str, ...], asked: int) -> Iterator[Table]:
    import numpy as np

    from beffroi.config.bench.transit import measure_transit

    if len(named) != 1 or not Path(named[0]).is_file():
        raise click.UsageError("transit attend l'archive d'un réseau : beffroi bench transit GTFS.zip")
    found = measure_transit(folder, Path(named[0]).resolve(), asked=asked, say=_told)
    table = Table(
        "transit",
        "Transports : import d'un réseau et prochains passages",
        ("quoi", "durée (s)", "médiane (ms)", "p95 (ms)"),
        notes=(
            *found.facts,
            f"{number(asked)} questions au hasard sur la première semaine, dans le processus, sans temps réel.",
        ),
    )
    table.rows += [(what, number(seconds, 2), "", "") for what, seconds in found.steps]
    for what, times in found.questions:
        median, most = np.percentile(times, [50, 95])
        table.rows.append((what, "", number(median, 2), number(most, 2)))
    yield table


def _sizes(populations: str) -> list[int]:
    return [_size(part) for part in populations.split(",")]


def _size(text: str) -> int:
    try:
        return int(text.strip().replace("_", ""))
    except ValueError as error:
        raise click.BadParameter(f"« {text} » n'est pas un nombre d'habitants", param_hint="--populations") from error


def _town(folder: Path, population: int) -> Path:
    town = folder / f"ville-{population}"
    click.echo(f"Ville de {number(population)} habitants…", err=True)
    found = in_child("draw", folder=str(town), population=population)
    if found["seconds"] > 1:
        click.echo(f"  bâtie en {found['seconds']:.0f} s, {found['peak_mb']:.0f} Mo", err=True)
    return town


def _import_table(folder: Path, sizes: list[int]) -> Table:
    table = Table(
        "import",
        "Import, face à GDAL vers GeoPackage",
        _IMPORT_HEAD,
        notes=(
            f"GDAL : {gdal_name()}, vers un GeoPackage en WGS 84, un processus par fichier.",
            "Beffroi fait plus : types et encodage trouvés, rejets motivés, GeoParquet trié, index de lecture.",
            "Le temps de Beffroi ne compte pas le démarrage de Python ; sa mémoire le compte.",
            "Rapport inférieur à 1 : Beffroi est plus rapide.",
        ),
    )
    for population in sizes:
        town = _town(folder, population)
        lake = folder / "lac-import"
        totals = [0.0, 0.0]
        for subject in SUBJECTS:
            shutil.rmtree(lake, ignore_errors=True)
            ours = in_child("import_one", folder=str(town), path=subject.path, lake=str(lake))
            theirs_s, theirs_mb = by_gdal(subject, town, folder / "gdal.gpkg")
            totals = [totals[0] + ours["seconds"], totals[1] + theirs_s]
            rows, seconds = ours["rows"], ours["seconds"]
            table.rows.append((
                number(population), subject.slug, number(rows), number(seconds, 2), number(rows / seconds),
                number(ours["peak_mb"]),
                number(theirs_s, 2), number(rows / theirs_s), number(theirs_mb), number(seconds / theirs_s, 2),
            ))  # fmt: skip
        whole = (number(population), "ensemble", "", number(totals[0], 2), "", "", number(totals[1], 2), "", "")
        table.rows.append((*whole, number(totals[0] / totals[1], 2)))
        shutil.rmtree(lake, ignore_errors=True)
        (folder / "gdal.gpkg").unlink(missing_ok=True)
    return table


def _query_table(folder: Path, sizes: list[int]) -> Table:
    table = Table(
        "query",
        "Requêtes sur les parcelles, face à GDAL sur GeoPackage",
        (
            "habitants",
            "requête",
            "Beffroi, médiane (ms)",
            "p95",
            "GDAL, médiane (ms)",
            "p95",
            "Beffroi/GDAL",
            "croissance",
        ),
        notes=(
            "300 emprises d'environ 100 parcelles et 300 parcelles par identifiant, les mêmes des deux côtés.",
            "Beffroi : `lake.queries.features` et `feature`, du lecteur anonyme au GeoJSON prêt à envoyer.",
            "GDAL : pyogrio sur le GeoPackage (index spatial), ouvert à chaque appel, géométrie en WKB.",
            "Croissance : médiane de Beffroi rapportée à celle de la plus petite ville de la séance.",
        ),
    )
    first: dict[str, float] = {}
    subject = next(one for one in SUBJECTS if one.slug == _ASKED)
    for population in sizes:
        town = _town(folder, population)
        home = folder / f"requetes-{population}"
        home.mkdir(parents=True, exist_ok=True)
        in_child("import_one", folder=str(town), path=subject.path, lake=str(home / "lake"))
        package = home / "parcelles.gpkg"
        by_gdal(subject, town, package)
        drawn = in_child("sample", path=str(package), seed=1)
        os.environ["BEFFROI_DATA_DIR"] = str(home)
        ours = in_child("query_lake", slug=_ASKED, boxes=drawn["boxes"], keys=drawn["keys"], insee=INSEE)
        theirs = in_child("query_gdal", path=str(package), boxes=drawn["boxes"], fids=drawn["fids"])
        for name, key in (("emprise (100 parcelles)", "box_ms"), ("par identifiant", "item_ms")):
            mine, other = ours[key], theirs[key]
            base = first.setdefault(key, mine["median"])
            table.rows.append((
                number(population), name, number(mine["median"], 3), number(mine["p95"], 3), number(other["median"], 2),
                number(other["p95"], 2), number(mine["median"] / other["median"], 3),
                f"× {number(mine['median'] / base, 2)}",
            ))  # fmt: skip
    return table
