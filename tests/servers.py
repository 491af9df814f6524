"""Real servers for the tests: PostgreSQL in a temporary folder on a free port, and the browser, found or installed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

# How long a test waits for what must come: far more than it takes, for a machine that others keep busy or that stalls.
PATIENCE_S = 120

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # Maps are drawn by WebGL, in software; all the rest is painted quicker without it (a third of a page's cost).
    "--disable-gpu-compositing",
    "--disable-gpu-rasterization",
]


# Below those that systems give by themselves (from 32768 on Linux, 49152 on macOS) to whoever calls another or asks for
# any port.
PORTS = range(20_000, 32_000)
_kept: list[int] = []
# Files in memory, where there is any for them. On a disk, thousands made and thrown away cost the kernel up to a fifth
# of a run: ext4 looks again and again for a number that was not just freed.
_MEMORY = Path("/dev/shm")  # noqa: S108 - ours are made by `mkdtemp`
_MEMORY_BYTES = 6 * 2**30


def free_port() -> int:
    """Return a TCP port of the loopback that nothing listens on; no other test is given it until this process ends.

    A port the system gives may be given again before the server it is for listens on it.
    """
    # One for all the runs of this machine, wherever each keeps its files.
    folder = (_MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())) / f"beffroi-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    # Not the draws of the tests, which every process of a run makes alike.
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        mark = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError), socket.socket() as probe:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            _kept.append(mark)
            return port
        os.close(mark)
    raise RuntimeError(f"no port is free from {PORTS.start} to {PORTS.stop}")


def wait_until_answers(url: str, server: subprocess.Popen[bytes], log: Path | None = None) -> bytes:
    """Wait until a server of ours answers at `url` and return what it answers; fail at once when it has ended."""
    end = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own server
                return bytes(answer.read())
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    told = log.read_text(errors="replace")[-2000:] if log else ""
    raise RuntimeError(f"the server did not answer at {url} (ended: {server.poll()})\n{told}")


def postgresql_programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, the newest first, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    folders += [Path(p) for p in ("/opt/homebrew/opt/postgresql@16/bin", "/usr/local/opt/postgresql@16/bin")]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def chromium_program() -> str | None:
    """Return the path of a Chromium or Chrome of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    return next((path for name in names if (path := shutil.which(name))), mac if Path(mac).exists() else None)


def _room_in_memory() -> bool:
    # A run keeps a gigabyte or so. A container may be allowed less than its machine has, and these files count in it.
    limit = Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text().strip() if limit.is_file() else "max"
    there = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES
    return there and (allowed == "max" or int(allowed) >= 2 * _MEMORY_BYTES)


@contextlib.contextmanager
def quick_temporary_folder() -> Iterator[None]:
    """Have this process, and those it starts, keep temporary files in memory where there is room for those of a run."""
    if not _room_in_memory():
        yield
        return
    with (_MEMORY / f"beffroi-tests.{os.getuid()}").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for left in _MEMORY.glob("beffroi-tests-*"):
            with contextlib.suppress(OSError), (left / "used").open("w") as used:
                fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Of a run that was killed.
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="beffroi-tests-", dir=_MEMORY))
        # The account of PostgreSQL passes through it.
        folder.chmod(0o711)
        used = (folder / "used").open("w")
        fcntl.flock(used, fcntl.LOCK_EX)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    with used:
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _as_postgres(command: list[str]) -> list[str]:
    # PostgreSQL refuses to run as root: use the account its package created.
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] if os.getuid() == 0 else command
    )


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server and yield the URL of an empty database in it.

    Durability is off: the server dies with the run. Raises RuntimeError when PostgreSQL is not installed.
    """
    programs = postgresql_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql, or brew install postgresql@16")
    folder = Path(tempfile.mkdtemp(prefix="beffroi-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        _as_postgres(
            [str(programs / "initdb"), "-D", str(data), "-U", "beffroi", "-A", "trust", "-E", "UTF8", "--locale=C"]
        ),
        check=True,
        **quiet,
    )
    options = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "200"}
    options |= {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder)}
    server = subprocess.Popen(
        _as_postgres(
            [str(programs / "postgres"), "-D", str(data), *(f"--{key}={value}" for key, value in options.items())]
        ),
        **quiet,
    )
    try:
        _wait_until_ready(programs, port, server)
        yield f"postgres://beffroi@127.0.0.1:{port}/postgres"
    finally:
        # Told to end, it would wait until everybody has left; interrupted, it ends.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=PATIENCE_S)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(programs: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < end:
        probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        if subprocess.run(probe, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start")


def _install(package: str) -> None:
    """Install a Debian package when this process may; say so when it may not."""
    sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None or (sudo and shutil.which("sudo") is None):
        print(f"{package}: cannot be installed from here; the tests that need it are skipped", file=sys.stderr)
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print(f"Installing {package} for the tests…", file=sys.stderr)
    subprocess.run([*sudo, "apt-get", "update", "-qq"], check=False, env=environment)
    subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", package], check=False, env=environment, stdout=sys.stderr)


def provision() -> int:
    """Install what the tests need and this machine lacks; on CI, lacking it is a failure."""
    if postgresql_programs() is None:
        _install("postgresql")
    if chromium_program() is None:
        _install("chromium")
    lacking = [
        name
        for name, found in (("PostgreSQL", postgresql_programs()), ("Chromium", chromium_program()))
        if found is None
    ]
    if lacking:
        print(f"Lacking here: {', '.join(lacking)}", file=sys.stderr)
    return 1 if lacking and os.environ.get("CI") else 0


def main(arguments: list[str]) -> int:
    """`provision`, or run a command beside a PostgreSQL server of its own, which TESTS_POSTGRESQL names.

    `with-postgresql COMMAND…`: the registry is in it. `beside-postgresql COMMAND…`: it is for whom needs one.
    """
    what, *command = arguments
    if what == "provision":
        return provision()
    with quick_temporary_folder():
        return _run(command, beside=what == "beside-postgresql")


def _run(command: list[str], *, beside: bool) -> int:
    if postgresql_programs() is None:
        if beside:
            return subprocess.run(command, check=False).returncode
        print("0 tests on PostgreSQL: it is not installed here (apt-get install postgresql)", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    with postgresql() as url:
        named = {"TESTS_POSTGRESQL": url} | ({} if beside else {"DATABASE_URL": url})
        return subprocess.run(command, check=False, env=os.environ | named).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
