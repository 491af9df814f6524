"""The measures: requests per second at eight connections with their 95th percentile, and a whole read by GDAL."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from beffroi.config.bench.ogc import questions, servers
from beffroi.config.bench.ogc.data import LAYER, PER_SQUARE_DEGREE, SOUTH, WEST, write_buildings
from beffroi.config.bench.ogc.questions import LINES
from beffroi.config.bench.ogc.servers import Peer
from beffroi.config.bench.report import Table, number

CONNECTIONS = 8
WHOLE = 4_500
TERRITORY = "34172"
Told = Callable[[str], None]

# wrk draws nothing: it goes through the list, the same for everyone.
_SCRIPT = """
local paths, n = {}, 0
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
request = function()
  n = n % #paths + 1
  return wrk.format("GET", paths[n], { ["Accept"] = "*/*", ["Accept-Encoding"] = "gzip" })
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format("DONE %d %d %d %d %d", summary.requests - e.status, summary.duration, latency:percentile(95),
    summary.bytes, e.status + e.timeout + e.read + e.connect + e.write))
end
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one server gave on one line: only good answers count as answers."""

    per_second: float
    p95_ms: float
    kilobytes: float
    errors: int


def site(home: Path, count: int, told: Told) -> tuple[Path, Path]:
    """Return the features as a file, and a site whose lake holds them with their tiles; made the first time."""
    source, folder = home / f"batiments-{count}.fgb", home / f"site-{count}"
    if not source.exists():
        told(f"{number(count)} bâtiments…")
        home.mkdir(parents=True, exist_ok=True)
        aside = home / "aside.fgb"
        write_buildings(aside, count)
        aside.replace(source)
    if not (folder / "ready").exists():
        told("import dans le lac et cuisson des tuiles…")
        _publish(source, folder / "lake")
        (folder / "ready").touch()
    return source, folder


def _publish(source: Path, lake: Path) -> None:
    from beffroi.config.cli import start_django

    start_django()
    from beffroi.lake.definitions import Definition
    from beffroi.lake.operations import import_source
    from beffroi.lake.store import Lake
    from beffroi.lake.tasks import bake_missing_tiles

    outcome = import_source(
        source,
        territory=TERRITORY,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        definition=Definition(LAYER, id="id"),
        lake=lake,
        announce=False,
    )
    bake_missing_tiles(Lake(lake), outcome.ref, str(outcome.version))


def compare(home: Path, *, count: int, seconds: int, told: Told) -> Table:
    """Measure every server on every line, one after the other, and return the table.

    Raises:
        CannotCompare: a program is missing, or a server does not start.
    """
    servers.check_needs()
    source, folder = site(home, count, told)
    rates: dict[tuple[str, str], Rate] = {}
    wholes: dict[str, float] = {}
    names = []
    with ExitStack() as stack:
        database = stack.enter_context(servers.postgis(home))
        told("chargement dans PostGIS…")
        servers.load(database, source)
        for opened in (
            lambda: servers.beffroi(folder, home),
            lambda: servers.tipg(database, home),
            lambda: servers.pygeoapi(database, home, count),
            lambda: servers.mapserver(database, home, count),
        ):
            with opened() as peer:
                names.append(peer.name)
                for line in LINES:
                    if line.kind not in peer.lacks:
                        found = _rate(peer, line.kind, count, home, seconds)
                        rates[peer.name, line.kind] = found
                        told(f"{peer.name}, {line.name} : {found.per_second:.1f}/s, p95 {found.p95_ms:.1f} ms")
                wholes[peer.name] = _whole(peer, home, count)
                told(f"{peer.name}, {WHOLE} objets par GDAL : {wholes[peer.name]:.2f} s")
    return _table(names, rates, wholes, count, seconds)


def _rate(peer: Peer, kind: str, count: int, home: Path, seconds: int) -> Rate:
    listed, script = home / "paths.txt", home / "wrk.lua"
    listed.write_text("\n".join(questions.paths(kind, count, dict(peer.write))) + "\n", encoding="utf-8")
    script.write_text(_SCRIPT, encoding="utf-8")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "--timeout", "60s", "-s", str(script), peer.url]
    env = os.environ | {"BENCH_PATHS": str(listed)}
    peer.settle()
    # A first pass warms caches and, for us, makes the columns that filters read.
    subprocess.run([*command, f"-d{max(2, seconds // 3)}s"], check=True, capture_output=True, env=env)
    peer.settle()
    done = subprocess.run([*command, f"-d{seconds}s"], check=True, capture_output=True, text=True, env=env)
    told = next(line for line in done.stdout.splitlines() if line.startswith("DONE")).split()[1:]
    requests, microseconds, p95, size, errors = (int(part) for part in told)
    return Rate(requests / (microseconds / 1e6), p95 / 1000, size / max(1, requests) / 1000, errors)


def _whole(peer: Peer, home: Path, count: int) -> float:
    """Return the seconds GDAL takes to read some 4,500 features through OGC API Features: the median of three."""
    side = (WHOLE / PER_SQUARE_DEGREE) ** 0.5
    layer = {"Beffroi": f"{TERRITORY}.{LAYER}", "tipg": f"public.{LAYER}"}.get(peer.name, LAYER)
    target = home / "whole.fgb"
    box = [str(edge) for edge in (WEST + 0.1, SOUTH + 0.1, WEST + 0.1 + side, SOUTH + 0.1 + side)]
    command = ["ogr2ogr", "-f", "FlatGeobuf", str(target), f"OAPIF:{peer.landing}", layer, "-spat", *box]
    # A footprint that crosses itself is mended into two on the way in: GDAL expects one type from its first page.
    command += ["-nlt", "PROMOTE_TO_MULTI"]
    times = []
    for _ in range(3):
        target.unlink(missing_ok=True)
        started = time.monotonic()
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            return float("inf")
        times.append(time.monotonic() - started)
        if times[-1] > 20:
            break
    target.unlink(missing_ok=True)
    return statistics.median(times)


def _table(
    names: list[str], rates: dict[tuple[str, str], Rate], wholes: dict[str, float], count: int, seconds: int
) -> Table:
    table = Table(
        "ogc",
        f"OGC API : {number(count)} objets, face à pygeoapi, tipg et MapServer",
        ("question", *(f"{name}, req/s (p95 ms)" for name in names), "Beffroi / meilleur pair"),
        notes=(
            f"Mêmes {number(count)} bâtiments, même séance, deux processus chacun, {CONNECTIONS} connexions tenues par "
            f"wrk, {seconds} s par case après un tour de chauffe, {number(questions.ASKED)} adresses différentes.",
            "pygeoapi et tipg sous gunicorn, uvicorn et uvloop ; MapServer en FastCGI sous lighttpd ; tous trois sur "
            "PostGIS (clé primaire, index spatial et d'attributs, lignes rangées dans l'espace, tables analysées).",
            "Beffroi compte exactement les réponses (numberMatched) et vérifie les droits ; ses tuiles sont cuites "
            "d'avance, celles des pairs sont faites à la demande. MapServer ne filtre pas par attribut.",
            f"Charge de la machine à la fin : {number(os.getloadavg()[2], 1)} en moyenne sur un quart d’heure, pour "
            f"{os.cpu_count()} cœurs ; si elle les dépasse, seuls les rapports comptent.",
            f"Dernière ligne : environ {number(WHOLE)} objets lus en entier par le pilote OAPIF de GDAL (ogr2ogr), en "
            "secondes, médiane de trois ; ∞ : plus d’une minute.",
        ),
    )
    for line in LINES:
        table.rows.append((line.name, *_cells(names, line.kind, rates)))
    peers = min(wholes[name] for name in names[1:])
    table.rows.append(
        (
            f"{number(WHOLE)} objets par GDAL (s)",
            *("∞" if wholes[name] == float("inf") else number(wholes[name], 2) for name in names),
            f"× {number(peers / wholes[names[0]], 1)}",
        )
    )
    return table


def _cells(names: list[str], kind: str, rates: dict[tuple[str, str], Rate]) -> Iterator[str]:
    for name in names:
        found = rates.get((name, kind))
        if found is None:
            yield "–"
        else:
            failed = f", {found.errors} échecs" if found.errors else ""
            yield f"{number(found.per_second, 0 if found.per_second >= 10 else 1)} ({number(found.p95_ms, 1)}{failed})"
    best = max(rates[name, kind].per_second for name in names[1:] if (name, kind) in rates)
    yield f"× {number(rates[names[0], kind].per_second / best, 1)}"
