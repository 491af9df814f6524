"""What the benchmarks run in a process of their own, so that its memory is its own. Prints one JSON line."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

AT = datetime(2026, 1, 1, tzinfo=UTC)
QUERIES = 300
_MEMORY_MB = 3_000


def draw(*, folder: str, population: int) -> dict[str, Any]:
    """Build the town."""
    from beffroi.lake.town import write_town

    start = time.perf_counter()
    town = write_town(Path(folder), population=population)
    return {"seconds": time.perf_counter() - start, "rows": sum(item.rows for item in town.files)}


def import_one(*, folder: str, path: str, lake: str) -> dict[str, Any]:
    """Import one file into an empty lake; the clock starts once Python and DuckDB are loaded."""
    from beffroi.lake import sql
    from beffroi.lake.connectors import registry, vector  # noqa: F401 - loaded before the clock starts
    from beffroi.lake.definitions import definition_for, load_definitions
    from beffroi.lake.operations import import_source
    from beffroi.lake.reading import ReadOptions
    from beffroi.lake.town import read_town

    town = read_town(Path(folder))
    source = town.folder / path
    definitions, _ = load_definitions()
    definition = definition_for(source.name, town.insee, definitions)
    # An import of many files opens its database once, in each of its processes.
    with sql.workbench(memory_mb=_MEMORY_MB):
        pass
    start = time.perf_counter()
    outcome = import_source(
        source,
        territory=town.insee,
        at=AT,
        definition=definition,
        options=ReadOptions(extent=town.bbox),
        lake=Path(lake),
        announce=False,
        memory_mb=_MEMORY_MB,
    )
    seconds = time.perf_counter() - start
    report = outcome.report
    if report is None:
        raise SystemExit(f"{source.name}: {outcome.reason}")
    return {"seconds": seconds, "rows": report.rows_kept}


def import_tree(
    *, folder: str, territory: str, lake: str, jobs: int, only: Sequence[str] | None = None
) -> dict[str, Any]:
    """Import a folder of open data, or `only` some of its files, as `beffroi import` does but for the registry."""
    from beffroi.lake.isolation import Limits, prepare

    prepare()
    from beffroi.lake.definitions import load_definitions
    from beffroi.lake.folder import plan
    from beffroi.lake.importing import FolderImport, boundary_extent, import_groups

    definitions, _ = load_definitions()
    groups = plan(Path(folder))
    how = FolderImport(
        territory=territory,
        at=AT,
        lake=Path(lake),
        extent=boundary_extent(groups),
        definitions=definitions,
        limits=Limits(jobs=jobs),
    )
    report = import_groups([group for group in groups if only is None or str(group.path) in only], Path(folder), how)
    # The server of the processes that read outlives the import: stopped, its time and theirs count as ours.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    totals = report.totals
    return {"seconds": report.seconds, "kept": totals.published + totals.unchanged, "rows": totals.rows_kept}


def import_sales(*, path: str, lake: str) -> dict[str, Any]:
    """Import a table of sales into an empty lake, within the memory a small machine has."""
    from beffroi.lake.definitions import Definition
    from beffroi.lake.operations import import_source

    start, spent = time.perf_counter(), time.process_time()
    outcome = import_source(
        Path(path),
        territory="34172",
        at=AT,
        definition=Definition("ventes"),
        lake=Path(lake),
        announce=False,
        memory_mb=1_400,
        threads=2,
    )
    if outcome.report is None:
        raise SystemExit(f"{path}: {outcome.reason}")
    rows = outcome.report.rows_kept
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - spent, "rows": rows}


def index_sales(*, lake: str) -> dict[str, Any]:
    """Bake the serving index that a large table enters service without."""
    from beffroi.config.cli import start_django

    start_django()
    from beffroi.lake.store import DatasetRef, Lake
    from beffroi.lake.tasks import bake_missing_indexes

    home, ref = Lake(Path(lake)), DatasetRef("34172", "ventes")
    start, spent = time.perf_counter(), time.process_time()
    bake_missing_indexes(home, ref, home.in_force(ref).version)
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - spent}


def aggregate_sales() -> dict[str, Any]:
    """Time a filtered aggregate over the sales of the lake of the environment: the median price by department."""
    from beffroi.config.cli import start_django

    start_django()
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.lake.queries import DatasetRef, Filter, Measure, aggregate

    ref = DatasetRef("34172", "ventes")

    def asked(year: int) -> int:
        where = [Filter("type_local", "eq", "Appartement"), Filter("date_mutation", "ge", f"{year}-01-01")]
        measures = [Measure("ventes"), Measure("prix", "median", "valeur_fonciere")]
        return len(aggregate(ANONYMOUS, ref, group_by=["code_departement"], measures=measures, where=where).rows)

    asked(2020)
    times, counts = _timed(asked, [2020, 2021, 2022, 2023, 2024] * 4)
    return {"aggregate_ms": times, "groups": max(counts)}


def page_sales() -> dict[str, Any]:
    """Time the pages of the table of sales of the lake of the environment: near and far, sorted and filtered."""
    from beffroi.config.cli import start_django

    start_django()
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.lake.queries import DatasetRef, Filter, table

    ref, dear = DatasetRef("34172", "ventes"), [Filter("valeur_fonciere", "gt", "100000")]
    last = table(ANONYMOUS, ref).total - 50
    named = [Filter("nom_commune", "contains", "commune 12-3")]
    cases: dict[str, dict[str, Any]] = {
        "la première": {},
        "la 500e": {"offset": 24_950},
        "la dernière": {"offset": last},
        "filtrée par un texte": {"where": named},
        "filtrée par un nombre, la 500e": {"where": dear, "offset": 24_950},
        "triée par un nombre": {"order_by": "valeur_fonciere"},
        "triée par un nombre, la 500e": {"order_by": "valeur_fonciere", "offset": 24_950},
        "triée par un texte, la 500e": {"order_by": "adresse_nom_voie", "offset": 24_950},
        "triée par un texte, la dernière": {"order_by": "adresse_nom_voie", "offset": last},
    }
    pages = []
    for what, asked in cases.items():
        total = table(ANONYMOUS, ref, **asked).total
        spent = time.process_time()
        times, _ = _timed(lambda asked: len(table(ANONYMOUS, ref, **asked).rows), [asked] * 20)
        pages.append({"what": what, "total": total, "cpu": (time.process_time() - spent) * 50, **times})
    return {"pages": pages}


def convert(*, source: str, target: str) -> dict[str, Any]:
    """Convert a source to a GeoPackage by pyogrio's GDAL, where ogr2ogr is not installed."""
    import pyogrio

    start = time.perf_counter()
    meta, _, geometry, fields = pyogrio.raw.read(source)
    pyogrio.raw.write(target, geometry, fields, meta["fields"], crs=meta["crs"], driver="GPKG", geometry_type="Unknown")
    return {"seconds": time.perf_counter() - start, "rows": len(geometry)}


def query_lake(*, slug: str, boxes: list[list[float]], keys: list[str], insee: str) -> dict[str, Any]:
    """Time boxes and items through the lake's public queries (settings of the environment)."""
    import numpy as np

    from beffroi.config.cli import start_django

    start_django()
    from beffroi.base.kernel.geo import BBox
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.lake.queries import DatasetRef, feature, features

    ref = DatasetRef(insee, slug)

    def box(asked: list[float]) -> int:
        return len(features(ANONYMOUS, ref, bbox=BBox(*asked), limit=100).features)

    features(ANONYMOUS, ref, limit=1)
    box_ms, counts = _timed(box, boxes)
    item_ms, _ = _timed(lambda key: feature(ANONYMOUS, ref, key), keys)
    return {"box_ms": box_ms, "item_ms": item_ms, "features": float(np.mean(counts))}


def query_gdal(*, path: str, boxes: list[list[float]], fids: list[int]) -> dict[str, Any]:
    """Time boxes and items read from a GeoPackage by GDAL (pyogrio opens the file at each call)."""
    import numpy as np
    import pyogrio

    def box(asked: list[float]) -> int:
        return len(pyogrio.raw.read(path, bbox=tuple(asked), max_features=100)[2])

    pyogrio.raw.read(path, max_features=1)
    box_ms, counts = _timed(box, boxes)
    item_ms, _ = _timed(lambda fid: pyogrio.raw.read(path, fids=[fid]), fids)
    return {"box_ms": box_ms, "item_ms": item_ms, "features": float(np.mean(counts))}


def sample(*, path: str, seed: int) -> dict[str, Any]:
    """Draw boxes of about a hundred parcels from a GeoPackage, and as many ids, evenly over the features."""
    import numpy as np
    import pyogrio
    import shapely

    _, fids, geometry, fields = pyogrio.raw.read(path, columns=["id"], return_fids=True)
    shapes = shapely.from_wkb(geometry)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(shapes), QUERIES)
    west, south, east, north = shapely.total_bounds(shapes)
    tree = shapely.STRtree(shapely.centroid(shapes))
    centres = shapely.get_coordinates(shapely.centroid(shapes[chosen]))
    boxes = []
    for lon, lat in centres.tolist():
        half = 4e-4
        # Widen until about a hundred features meet the box: the answer's size is then the same at every scale.
        while (
            half < max(east - west, north - south)
            and len(tree.query(shapely.box(lon - half, lat - half, lon + half, lat + half))) < 90
        ):
            half *= 1.25
        boxes.append([lon - half, lat - half, lon + half, lat + half])
    return {
        "boxes": boxes,
        "keys": [str(fields[0][index]) for index in chosen],
        "fids": [int(fids[index]) for index in chosen],
    }


def _timed(call: Callable[[Any], Any], asked: Sequence[Any]) -> tuple[dict[str, float], list[Any]]:
    import numpy as np

    times, answers = [], []
    for one in asked:
        start = time.perf_counter()
        answers.append(call(one))
        times.append((time.perf_counter() - start) * 1_000)
    return {"median": float(np.median(times)), "p95": float(np.percentile(times, 95))}, answers


_CALLED = (
    draw,
    import_one,
    import_tree,
    import_sales,
    index_sales,
    aggregate_sales,
    page_sales,
    convert,
    query_lake,
    query_gdal,
    sample,
)
_LAKE = {one.__name__: one for one in _CALLED}
# Loaded when called: what another bench takes is not to be paid by the one that runs.
_ELSEWHERE = {
    "prepare_reports": "reports.inside",
    "check_reports": "reports.inside",
    "ask_filled_reports": "reports.inside",
    "send_hostile_reports": "reports.hostile",
    "refresh_on_dask": "communes",
    "fill_live": "live",
    "read_live": "live",
}


def main() -> None:
    """Call the function named by the first argument with the JSON of the second, and print its findings."""
    name = sys.argv[1]
    function = _LAKE.get(name) or getattr(import_module(f"beffroi.config.bench.{_ELSEWHERE[name]}"), name)
    with tempfile.TemporaryDirectory() as aside:
        tempfile.tempdir = aside
        found = function(**json.loads(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    sys.stdout.write(json.dumps(found | {"peak_mb": peak}) + "\n")
