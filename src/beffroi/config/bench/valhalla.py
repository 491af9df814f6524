"""Valhalla beside us: its own programs, from its wheel unzipped, on the very same extract.

pip download pyvalhalla==3.9.1 --no-deps --only-binary=:all: --python-version 3.12 --implementation cp --abi abi3
    --platform manylinux_2_28_x86_64 -d D, then unzip in D: `--valhalla D/valhalla`
"""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from beffroi.config.bench.measure import BenchFailed

STARTS_S = 30.0


@contextmanager
def valhalla_server(wheel: Path, extract: Path, work: Path) -> Iterator[tuple[HTTPConnection, float]]:
    """Build the tiles, serve them with one thread, and yield a connection and the seconds the build took."""
    work.mkdir(parents=True, exist_ok=True)
    programs = wheel / "bin"
    port = free_port()
    path = work / "valhalla.json"
    path.write_text(json.dumps(_settings(wheel, work / "tiles", port)), encoding="utf-8")
    for program in ("valhalla_build_tiles", "valhalla_service"):
        (programs / program).chmod(0o755)
    begun = time.perf_counter()
    subprocess.run(
        [str(programs / "valhalla_build_tiles"), "-c", str(path), str(extract)], check=True, capture_output=True
    )
    built = time.perf_counter() - begun
    server = subprocess.Popen(
        [str(programs / "valhalla_service"), str(path), "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield _connected(port), built
    finally:
        # It only reads, and waits for its connections before it obeys a gentler signal.
        server.kill()
        server.wait(timeout=20)


def _settings(wheel: Path, tiles: Path, port: int) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("valhalla_build_config", wheel / "valhalla_build_config.py")
    if spec is None or spec.loader is None:
        raise BenchFailed("le paquet de Valhalla est incomplet", where=str(wheel), remedy="dézippez-le de nouveau")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, Any] = _plain(module.config)
    found["mjolnir"] |= {"tile_dir": str(tiles), "concurrency": 2, "tile_extract": "", "traffic_extract": ""}
    found["httpd"]["service"] |= {"listen": f"tcp://127.0.0.1:{port}"}
    for part in ("loki", "proxy"):
        found["httpd"]["service"][part] = f"ipc://{tiles.parent}/{part}"
    found["httpd"]["service"] |= {
        "loopback": f"ipc://{tiles.parent}/loopback",
        "interrupt": f"ipc://{tiles.parent}/stop",
    }
    for service in ("loki", "thor", "odin"):
        found[service]["service"]["proxy"] = f"ipc://{tiles.parent}/{service}"
    # Its usual limits are 10 km of polygons: a thousand obstacles need more.
    found["service_limits"] |= {"max_exclude_polygons_length": 10**9, "max_exclude_polygons_vertices": 10**7}
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if type(one).__name__ != "Optional"}
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connected(port: int) -> HTTPConnection:
    deadline = time.monotonic() + STARTS_S
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/status")
            connection.getresponse().read()
            return connection
        except OSError:
            time.sleep(0.2)
    raise BenchFailed("Valhalla ne démarre pas", where="valhalla_service", remedy="lancez-le à la main pour voir")


def ask(connection: HTTPConnection, costing: str, start: Any, goal: Any, *, polygons: Any = None) -> float | None:
    """Ask for one route; return its length in metres, None when there is none."""
    options = {"pedestrian": {"type": "wheelchair", "max_grade": 20}} if costing == "wheelchair" else {}
    asked: dict[str, Any] = {
        "locations": [{"lon": start[0], "lat": start[1]}, {"lon": goal[0], "lat": goal[1]}],
        "costing": "pedestrian",
        "costing_options": options,
        "directions_type": "instructions",
        "language": "fr-FR",
    }
    if polygons:
        asked["exclude_polygons"] = polygons
    connection.request("POST", "/route", json.dumps(asked), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    trip = answer.get("trip")
    return float(trip["summary"]["length"]) * 1000 if trip else None
