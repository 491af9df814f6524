"""Reports under load: how many are accepted durably per second, none lost when the server is killed, none twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from beffroi.config.bench.measure import BenchFailed, in_child
from beffroi.config.bench.report import Table, number

LON, LAT = 3.8767, 43.6108
CLIENTS = 24
FILLED = 200_000


@dataclass(slots=True)
class Load:
    """What the clients sent and what was acknowledged: the key of each sending and the number it was given."""

    seconds: float = 0.0
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    broken: int = 0

    @property
    def per_second(self) -> float:
        """Return the acknowledged reports per second."""
        return len(self.acknowledged) / self.seconds if self.seconds else 0.0


@contextlib.contextmanager
def _server(port: int, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web processes in a group of their own, so that all can be killed at once."""
    code = "from beffroi.config.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait(port, process)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise BenchFailed("le serveur n'a pas démarré", where="bench reports")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Client:
    """One sender on one kept connection; a sending that was not acknowledged is sent again with the same key."""

    def __init__(self, port: int, api_key: str, load: Load, until: float, name: int) -> None:
        self.port, self.api_key, self.load, self.until, self.name = port, api_key, load, until, name
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        count = 0
        while time.perf_counter() < self.until:
            key = f"bench-{self.name:03}-{count:07}"
            await self._sent(key, count)
            count += 1
        if self.writer is not None:
            self.writer.close()

    async def _sent(self, key: str, count: int) -> None:
        while True:
            try:
                status, body = await asyncio.wait_for(self._post(key, count), timeout=20)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                self.load.broken += 1
                self.reader = self.writer = None
                await asyncio.sleep(0.05)
                continue
            if status == 200:
                self.load.acknowledged[key] = json.loads(body)[0]["service_request_id"]
            else:
                self.load.refused += 1
            return

    async def _post(self, key: str, count: int) -> tuple[int, bytes]:
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        form = urlencode({
            "api_key": self.api_key, "service_code": "depot-sauvage", "description": f"Un matelas {key}",
            "lat": LAT + (count % 100) / 10_000, "long": LON + self.name / 10_000,
        }).encode()  # fmt: skip
        head = (
            f"POST /open311/v2/requests.json HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
        )
        self.writer.write(head.encode() + form)
        await self.writer.drain()
        top = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(top.split("content-length:")[1].split("\r\n")[0])
        return int(top.split(" ")[1]), await self.reader.readexactly(length)


async def _loaded(port: int, api_key: str, seconds: float) -> Load:
    load, start = Load(), time.perf_counter()
    clients = [_Client(port, api_key, load, start + seconds, name) for name in range(CLIENTS)]
    await asyncio.gather(*(client.run() for client in clients))
    load.seconds = time.perf_counter() - start
    return load


def throughput(home: Path, *, seconds: float, workers: int) -> Load:
    """Send reports for `seconds` and check that each acknowledged one is in the registry, once."""
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    api_key = in_child("prepare_reports")["key"]
    port = _free_port()
    with _server(port, workers):
        asyncio.run(_loaded(port, api_key, 1.5))
        load = asyncio.run(_with_other_names(port, api_key, seconds))
    _check(load)
    return load


async def _with_other_names(port: int, api_key: str, seconds: float) -> Load:
    """Send under keys that the warm-up has not used."""
    load, start = Load(), time.perf_counter()
    clients = [_Client(port, api_key, load, start + seconds, 100 + name) for name in range(CLIENTS)]
    await asyncio.gather(*(client.run() for client in clients))
    load.seconds = time.perf_counter() - start
    return load


def killed(home: Path, *, seconds: float, workers: int, kills: int = 3) -> Load:
    """Send reports while the web processes are killed (SIGKILL) and started again; check that none is lost."""
    os.environ["BEFFROI_DATA_DIR"] = str(home)
    api_key = in_child("prepare_reports")["key"]
    port = _free_port()

    async def scene() -> Load:
        stopping = asyncio.Event()
        saboteur = asyncio.create_task(asyncio.to_thread(_kill_and_restart, port, workers, kills, seconds, stopping))
        await asyncio.sleep(0.5)
        load = await _loaded(port, api_key, seconds)
        stopping.set()
        await saboteur
        return load

    load = asyncio.run(scene())
    _check(load)
    return load


def _kill_and_restart(port: int, workers: int, kills: int, seconds: float, stopping: asyncio.Event) -> None:
    for _ in range(kills):
        # Leaving the block kills the whole group at once, in the middle of the load.
        with _server(port, workers):
            time.sleep(seconds / (kills + 1))
    with _server(port, workers):
        while not stopping.is_set():
            time.sleep(0.05)


def _check(load: Load) -> None:
    found = in_child("check_reports", acknowledged=load.acknowledged)
    if found["lost"] or found["twice"]:
        raise BenchFailed(
            "{lost} signalements acquittés sont perdus, {twice} sont en double",
            where="bench reports",
            lost=found["lost"],
            twice=found["twice"],
        )


def reports_table(folder: Path, *, seconds: float, filled: int) -> Table:
    """Measure everything on the registry of DATABASE_URL, SQLite when it is not set."""
    registry = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite"
    table = Table(
        "reports",
        f"Signalements, registre {registry}",
        ("quoi", "mesure"),
        notes=(
            f"Par Open311, {CLIENTS} clients sur la même machine, deux processus web ; chaque 200 est relu ensuite.",
            "Le client et le serveur se partagent les deux cœurs.",
        ),
    )
    steady = throughput(folder / "debit", seconds=seconds, workers=2)
    table.rows.append(("signalements acquittés par seconde", number(steady.per_second)))
    table.rows.append(("refusés", number(steady.refused)))
    shaken = killed(folder / "coupures", seconds=seconds, workers=2)
    table.rows.append(("acquittés pendant trois coupures (SIGKILL)", number(len(shaken.acknowledged))))
    table.rows.append(("perdus ou en double", "0"))
    os.environ["BEFFROI_DATA_DIR"] = str(folder / "plein")
    found = in_child("ask_filled_reports", count=filled)
    table.rows.append(
        (f"page de la file, {number(filled)} signalements ouverts d'un service (ms)", number(found["queue_ms"], 1))
    )
    table.rows.append(("requêtes de cette page", number(found["queries"])))
    table.rows.append(("doublons proposés, médiane (ms)", number(found["similar_ms"], 1)))
    table.rows.append(("doublons proposés, p95 (ms)", number(found["similar_p95_ms"], 1)))
    hostile = in_child("send_hostile_reports", count=10_000)
    table.rows.append(("10 000 envois malveillants : réponses 4xx", number(hostile["refused"])))
    table.rows.append(("dont 5xx ou acceptés à tort", number(hostile["wrong"])))
    table.rows.append(("processeur par envoi malveillant (ms)", number(hostile["cpu_ms"], 2)))
    return table
