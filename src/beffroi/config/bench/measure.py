"""Run a child process and say what it cost; choose what is compared, and how GDAL does the same work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError


class BenchFailed(BeffroiError):
    """A benchmark could not be run to its end."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One dataset of the comparison, and what GDAL must be told to read it."""

    slug: str
    path: str
    gdal_source: str = "{path}"
    gdal_options: tuple[str, ...] = ()


SUBJECTS = (
    Subject("parcelles", "cadastre/cadastre-00001-parcelles.json"),
    Subject("batiments", "batiments/BDTOPO_BATIMENT_00001.zip", "/vsizip/{path}", ("-nlt", "PROMOTE_TO_MULTI")),
    Subject(
        "adresses",
        "adresses/adresses-00001.csv",
        gdal_options=("-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", "-oo", "AUTODETECT_TYPE=YES"),
    ),
    Subject("arbres", "espaces_verts/arbres.geojson"),
    Subject(
        "ventes-immobilieres",
        "immobilier/dvf_00001.csv",
        gdal_options=(
            "-oo",
            "X_POSSIBLE_NAMES=longitude",
            "-oo",
            "Y_POSSIBLE_NAMES=latitude",
            "-oo",
            "AUTODETECT_TYPE=YES",
        ),
    ),
    Subject("troncons-route", "voirie/BDTOPO_TRONCON_DE_ROUTE_00001.zip", "/vsizip/{path}"),
)


# A process remembers the memory of the one that started it: tools are started by a Python as small as can be.
_SMALL = (
    "import json, os, sys, time; start = time.perf_counter(); "
    "child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ); _, status, usage = os.wait4(child, 0); "
    "peak = usage.ru_maxrss / (1024 if sys.platform == 'linux' else 1024**2); "
    "print(json.dumps({'status': status, 'seconds': time.perf_counter() - start, 'peak_mb': peak}))"
)


def _output(command: Sequence[str], *, timeout_s: float = 3_600) -> dict[str, Any]:
    """Run `command` and read the JSON of its last line.

    Raises:
        BenchFailed: it ended with an error, or lasted over an hour.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchFailed(
            "une mesure dure plus d'une heure", where="bench", remedy="choisissez --populations"
        ) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1][:300]
        raise BenchFailed("la mesure a échoué : {last}", where="bench", last=last)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def in_child(function: str, **values: Any) -> dict[str, Any]:
    """Call a function of `beffroi.config.bench.child` in a fresh process; return its findings and its peak."""
    code = "from beffroi.config.bench.child import main; main()"
    return _output([sys.executable, "-c", code, function, json.dumps(values)])


def gdal_name() -> str:
    """Return which GDAL the comparison runs."""
    tool = shutil.which("ogr2ogr")
    if tool:
        version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
        return f"ogr2ogr, {version.split(',')[0]}"
    import pyogrio

    return f"pyogrio, GDAL {pyogrio.__gdal_version_string__}"


def by_gdal(subject: Subject, town: Path, target: Path) -> tuple[float, float]:
    """Convert a subject to a GeoPackage in WGS 84 by GDAL; return seconds and peak memory in MB."""
    target.unlink(missing_ok=True)
    source = subject.gdal_source.format(path=town / subject.path)
    tool = shutil.which("ogr2ogr")
    if tool is None:
        found = in_child("convert", source=source, target=str(target))
        return found["seconds"], found["peak_mb"]
    command = [tool, "-q", "-f", "GPKG", "-t_srs", "EPSG:4326", "-nln", subject.slug, *subject.gdal_options]
    # A table of points does not say its CRS: GDAL must be told.
    command += ["-s_srs", "EPSG:4326"] if source.endswith(".csv") else []
    found = _output([sys.executable, "-I", "-S", "-c", _SMALL, *command, str(target), source])
    if found["status"]:
        raise BenchFailed("ogr2ogr a échoué sur {name}", where="bench", name=subject.path)
    return found["seconds"], found["peak_mb"]
