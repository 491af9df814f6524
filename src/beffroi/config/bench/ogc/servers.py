"""The servers compared, each with two workers, started and stopped around the measures."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from beffroi.base.kernel.errors import BeffroiError
from beffroi.config.bench.ogc import questions
from beffroi.config.bench.ogc.data import LAYER, SOUTH, WEST, side_degrees
from beffroi.config.bench.ogc.questions import Write

WORKERS = 2
NEEDED = {
    "wrk": "wrk",
    "ogr2ogr": "gdal-bin",
    "mapserv": "cgi-mapserver",
    "lighttpd": "lighttpd",
}
PACKAGES = {
    "pygeoapi": ["pygeoapi", "psycopg2-binary", "sqlalchemy", "geoalchemy2", "starlette"],
    "tipg": ["tipg"],
}
SERVED = ["gunicorn", "uvicorn", "uvicorn-worker", "uvloop", "httptools"]
_LIGHTTPD_MODULES = ("mod_fastcgi",)


class CannotCompare(BeffroiError):
    """Something the comparison needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server: its name, its address, and how it wants its questions (see `questions`)."""

    name: str
    url: str
    write: Mapping[str, Write]
    landing: str
    lacks: tuple[str, ...] = ()

    def settle(self, *, most_s: float = 60) -> None:
        """Wait until the server answers a light question at once: what a client gave up on still runs in its database.

        Gives up after `most_s`: the next measure then says what it can.
        """
        light = f"{self.landing}collections?f=json"
        end, quick = time.monotonic() + most_s, 0
        while quick < 2 * WORKERS and time.monotonic() < end:
            started = time.monotonic()
            quick = quick + 1 if _answers(light) and time.monotonic() - started < 1 else 0


def check_needs() -> None:
    """Refuse to start without the programs of Debian that the comparison needs.

    Raises:
        CannotCompare: says which package is missing.
    """
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if postgresql_programs() is None:
        missing.append("postgresql-15-postgis-3")
    if missing:
        raise CannotCompare(
            "il manque de quoi comparer",
            remedy="installez : apt-get install --no-install-recommends {packages}",
            packages=" ".join(missing),
        )


def environment_of(name: str, home: Path) -> Path:
    """Return the Python environment of a peer, made the first time."""
    folder = home / f"env-{name}"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        packages = [*PACKAGES[name], *SERVED]
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *packages], check=True)
        (folder / "ready").touch()
    return folder


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], log: Path, *, ready: str, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server while the block lasts; it begins once `ready` answers.

    Raises:
        CannotCompare: the server stops, or does not answer within a minute.
    """
    with log.open("wb") as handle:
        process = subprocess.Popen(command, stdout=handle, stderr=handle, env=os.environ | dict(env or {}))
    try:
        for _ in range(600):
            if process.poll() is None and _answers(ready):
                break
            if process.poll() is not None:
                raise CannotCompare("{program} s'est arrêté", where=str(log), program=Path(command[0]).name)
            time.sleep(0.1)
        else:
            raise CannotCompare("{program} ne répond pas", where=str(log), program=Path(command[0]).name)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - the loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def beffroi(site: Path, home: Path) -> Iterator[Peer]:
    """Serve the lake of `site`, as in production."""
    port = free_port()
    env = {"BEFFROI_DATA_DIR": str(site), "DATABASE_URL": ""}
    program = str(Path(sys.executable).with_name("beffroi"))
    subprocess.run([program, "migrate"], check=True, env=os.environ | env, capture_output=True)
    url = f"http://127.0.0.1:{port}"
    command = [program, "serve", "--port", str(port), "--workers", str(WORKERS)]
    with running(command, home / "beffroi.log", ready=f"{url}/ogc/", env=env):
        yield Peer("Beffroi", url, questions.BEFFROI, f"{url}/ogc/")


def _gunicorn(environment: Path, application: str, port: int) -> list[str]:
    # Plain `uvicorn --workers`, without uvloop, adds 40 ms to every answer: that would flatter us.
    return [
        str(environment / "bin" / "gunicorn"), application, "-w", str(WORKERS),
        "-k", "uvicorn_worker.UvicornWorker", "-b", f"127.0.0.1:{port}", "--timeout", "300",
    ]  # fmt: skip


@contextlib.contextmanager
def tipg(database: str, home: Path) -> Iterator[Peer]:
    """Serve the table with tipg."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"DATABASE_URL": database, "TIPG_DB_SCHEMAS": '["public"]', "TIPG_MAX_FEATURES_PER_QUERY": "10000"}
    command = _gunicorn(environment_of("tipg", home), "tipg.main:app", port)
    ready = url + questions.TIPG["items"]("limit=1")
    with running(command, home / "tipg.log", ready=ready, env=env):
        yield Peer("tipg", url, questions.TIPG, f"{url}/")


@contextlib.contextmanager
def pygeoapi(database: str, home: Path, count: int) -> Iterator[Peer]:
    """Serve the table with pygeoapi."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config, api = home / "pygeoapi.yml", home / "pygeoapi-openapi.yml"
    config.write_text(_pygeoapi_config(url, port, database, count), encoding="utf-8")
    environment = environment_of("pygeoapi", home)
    env = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(api)}
    made = subprocess.run(
        [str(environment / "bin" / "pygeoapi"), "openapi", "generate", str(config)],
        check=True, capture_output=True, text=True, env=os.environ | env,
    )  # fmt: skip
    api.write_text(made.stdout, encoding="utf-8")
    command = _gunicorn(environment, "pygeoapi.starlette_app:APP", port)
    with running(command, home / "pygeoapi.log", ready=f"{url}/collections/{LAYER}", env=env):
        yield Peer("pygeoapi", url, questions.PYGEOAPI, f"{url}/")


def _pygeoapi_config(url: str, port: int, database: str, count: int) -> str:
    user, _, rest = database.removeprefix("postgresql://").partition("@")
    place, _, name = rest.partition("/")
    host, _, database_port = place.partition(":")
    width, height = side_degrees(count)
    data = f"{{host: {host}, port: {database_port}, dbname: {name}, user: {user}, password: x, search_path: [public]}}"
    return f"""
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: {url}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  languages: [en-US]
  limits: {{default_items: 10, max_items: 10000}}
  map: {{url: "http://localhost/", attribution: ""}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: bench, description: bench, keywords: [bench], terms_of_service: x, url: "http://localhost"}}
  license: {{name: x, url: "http://localhost"}}
  provider: {{name: x, url: "http://localhost"}}
  contact: {{name: x, email: x@localhost}}
resources:
  {LAYER}:
    type: collection
    title: {LAYER}
    description: {LAYER}
    keywords: [bench]
    links: []
    extents:
      spatial:
        bbox: [{WEST}, {SOUTH}, {WEST + width}, {SOUTH + height}]
        crs: http://www.opengis.net/def/crs/OGC/1.3/CRS84
    providers:
      - type: feature
        name: PostgreSQL
        data: {data}
        id_field: id
        table: {LAYER}
        geom_field: geom
      - type: tile
        name: MVT-postgresql
        data: {data}
        id_field: id
        table: {LAYER}
        geom_field: geom
        options: {{zoom: {{min: 0, max: 17}}}}
        format: {{name: pbf, mimetype: application/vnd.mapbox-vector-tile}}
        storage_crs: http://www.opengis.net/def/crs/EPSG/0/4326
"""


@contextlib.contextmanager
def mapserver(database: str, home: Path, count: int) -> Iterator[Peer]:
    """Serve the table with MapServer under lighttpd (FastCGI)."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    mapfile, settings, conf = home / "bench.map", home / "mapserver.conf", home / "lighttpd.conf"
    mapfile.write_text(_mapfile(url, database, count), encoding="utf-8")
    settings.write_text(
        f'CONFIG\n ENV\n  MS_MAP_PATTERN "."\n END\n MAPS\n  bench "{mapfile}"\n END\nEND\n', encoding="utf-8"
    )
    conf.write_text(
        f"""
server.document-root = "{home}"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ( "mod_fastcgi" )
server.max-keep-alive-requests = 1000000
fastcgi.server = ( "/mapserv" => (( "bin-path" => "{shutil.which("mapserv")}",
  "socket" => "{home}/mapserv.sock", "check-local" => "disable", "max-procs" => {WORKERS},
  "bin-environment" => ( "MAPSERVER_CONFIG_FILE" => "{settings}" ) )) )
""",
        encoding="utf-8",
    )
    command = [str(shutil.which("lighttpd")), "-D", "-f", str(conf)]
    # Any question on features counts them all first: a lighter one tells that it is up.
    ready = f"{url}/mapserv/bench/ogcapi/collections?f=json"
    with running(command, home / "mapserver.log", ready=ready):
        # Its OGC API knows no attribute filter.
        yield Peer("MapServer", url, questions.MAPSERVER, f"{url}/mapserv/bench/ogcapi/", lacks=("filter",))


def _mapfile(url: str, database: str, count: int) -> str:
    user, _, rest = database.removeprefix("postgresql://").partition("@")
    place, _, name = rest.partition("/")
    host, _, port = place.partition(":")
    width, height = side_degrees(count)
    extent = f"{WEST} {SOUTH} {WEST + width} {SOUTH + height}"
    return f"""
MAP
  NAME "bench"
  EXTENT {extent}
  SIZE 256 256
  UNITS DD
  PROJECTION "init=epsg:4326" END
  OUTPUTFORMAT
    NAME "mvt" DRIVER "MVT" FORMATOPTION "EDGE_BUFFER=10" EXTENSION "pbf"
  END
  WEB METADATA
    "ows_title" "bench" "oga_onlineresource" "{url}/mapserv/bench/ogcapi" "oga_enable_request" "*"
    "ows_enable_request" "*" "ows_srs" "EPSG:4326 EPSG:3857" "oga_max_limit" "10000"
  END END
  LAYER
    NAME "{LAYER}" TYPE POLYGON STATUS ON
    CONNECTIONTYPE POSTGIS
    CONNECTION "host={host} port={port} dbname={name} user={user}"
    PROCESSING "CLOSE_CONNECTION=DEFER"
    DATA "geom FROM {LAYER} USING UNIQUE id USING SRID=4326"
    EXTENT {extent}
    PROJECTION "init=epsg:4326" END
    METADATA
      "ows_title" "{LAYER}" "gml_include_items" "all" "gml_featureid" "id" "gml_types" "auto"
    END
    TEMPLATE "x"
    CLASS STYLE COLOR 0 0 0 END END
  END
END
"""


def postgresql_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest first, where PostGIS is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return next((one.parent for one in found if _has_postgis(one.parent)), None)


def _has_postgis(programs: Path) -> bool:
    version = programs.parent.name
    return Path(f"/usr/share/postgresql/{version}/extension/postgis.control").exists()


@contextlib.contextmanager
def postgis(home: Path) -> Iterator[str]:
    """Run a PostgreSQL of its own, tuned for reading, and give the address of an empty database with PostGIS."""
    programs, port = postgresql_programs(), free_port()
    assert programs is not None  # noqa: S101 - `check_needs` saw it
    folder = home / "postgresql"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    as_owner: list[str] = []
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        shutil.chown(folder, "postgres", "postgres")
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run([*as_owner, *initdb], check=True, capture_output=True, cwd="/")
    options = {
        "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder), "fsync": "off",
        "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "1GB", "work_mem": "64MB",
        "maintenance_work_mem": "512MB", "effective_cache_size": "4GB", "random_page_cost": "1.1",
        "jit": "off", "max_connections": "60", "max_wal_size": "4GB",
    }  # fmt: skip
    command = [*as_owner, str(programs / "postgres"), "-D", str(data)]
    command += [f"--{key}={value}" for key, value in options.items()]
    with (home / "postgresql.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
    try:
        probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        for _ in range(300):
            if subprocess.run(probe, check=False).returncode == 0:
                break
            time.sleep(0.1)
        yield f"postgresql://bench@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def load(database: str, source: Path) -> None:
    """Load the features as a careful administrator would: keys, indexes, rows in the order of space."""
    programs = postgresql_programs()
    assert programs is not None  # noqa: S101 - `check_needs` saw it

    def run(sql: str) -> None:
        psql = [str(programs / "psql"), "-q", "-v", "ON_ERROR_STOP=1", database, "-c", sql]
        subprocess.run(psql, check=True, capture_output=True)

    run("CREATE EXTENSION postgis")
    subprocess.run(
        ["ogr2ogr", "-f", "PostgreSQL", f"PG:{database}", str(source), "-nln", LAYER, "-lco", "GEOMETRY_NAME=geom",
         "-lco", "SPATIAL_INDEX=NONE", "-lco", "FID=ogc_fid", "--config", "PG_USE_COPY", "YES"],
        check=True, capture_output=True,
    )  # fmt: skip
    for sql in (
        f"ALTER TABLE {LAYER} DROP COLUMN ogc_fid",
        f"ALTER TABLE {LAYER} ADD PRIMARY KEY (id)",
        f"CREATE INDEX hash ON {LAYER} (ST_GeoHash(geom, 10))",
        f"CLUSTER {LAYER} USING hash",
        f"CREATE INDEX ON {LAYER} USING gist (geom)",
        f"CREATE INDEX ON {LAYER} (usage, annee)",
        f"CREATE INDEX ON {LAYER} (annee)",
        f"VACUUM ANALYZE {LAYER}",
    ):
        run(sql)
