"""Clients that send reports as fast as they are taken, and web processes that are killed under them.

The clients share the cores with what they measure, so they are cheap: one process, bare sockets, requests made of a
few bytes put into a text made once, answers cut open and not parsed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from beffroi.config.bench.measure import BenchFailed

LON, LAT = 3.8767, 43.6108
CLIENTS = 24
AGAIN_S = 0.05
LONGEST_S = 150
Environment = Mapping[str, str] | None
_NUMBER = re.compile(rb'"service_request_id": "([^"]+)"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Load:
    """What the clients sent and what was acknowledged: the key of each sending and the number it was given."""

    seconds: float = 0.0
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    broken: int = 0
    client_cpu_s: float = 0.0
    web_cpu_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Return the acknowledged reports per second."""
        return len(self.acknowledged) / self.seconds if self.seconds else 0.0

    def per_report_ms(self, cpu_s: float) -> float:
        """Return a cost shared out among the acknowledged reports, in milliseconds."""
        return cpu_s * 1000 / max(1, len(self.acknowledged))


class Requests:
    """Requests to the Open311 door, alike but for their key and the last digits of their place."""

    def __init__(self, port: int, api_key: str) -> None:
        form = (
            f"api_key={api_key}&service_code=depot-sauvage&description=Un+matelas+%(key)b"
            f"&lat={LAT:.4f}%(digits)b&long={LON:.4f}%(digits)b"
        )
        length = len(form.encode() % {b"key": b"x" * 18, b"digits": b"000"})
        head = (
            f"POST /open311/v2/requests.json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nIdempotency-Key: %(key)b\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
        )
        self._text = (head + form).encode()

    def one(self, key: bytes, count: int) -> bytes:
        """Return the bytes of a request; `key` is 18 characters long."""
        return self._text % {b"key": key, b"digits": b"%03d" % (count % 1000)}


class _Sender(asyncio.Protocol):
    """One sender on one kept connection; a sending that was not acknowledged is sent again with the same key."""

    def __init__(self, name: str, port: int, requests: Requests, load: Load, go_on: Callable[[], bool]) -> None:
        self.name, self.port, self.requests, self.load, self.go_on = name, port, requests, load, go_on
        self.count, self.buffer, self.key = 0, b"", b""
        self.ended = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.ended.done():
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self.port)
            except OSError:
                self.load.broken += 1
                await asyncio.sleep(AGAIN_S)
            else:
                return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""  # type: ignore[assignment]
        self._send(self.key or self._next_key())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.load.broken += 1
            self.reconnecting = asyncio.get_running_loop().create_task(self.connect())

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(self.buffer, 0, end) if end >= 0 else None
        if length is None or len(self.buffer) < end + 4 + int(length[1]):
            return
        number = _NUMBER.search(self.buffer, end) if self.buffer[9:12] == b"200" else None
        if number is None:
            self.load.refused += 1
        else:
            self.load.acknowledged[self.key.decode()] = number[1].decode()
        self.buffer = b""
        if self.go_on():
            self._send(self._next_key())
        else:
            self.ended.set_result(None)
            self._transport.close()

    @property
    def _transport(self) -> asyncio.Transport:
        assert self.transport is not None  # noqa: S101 - called once it is connected
        return self.transport

    def _next_key(self) -> bytes:
        self.count += 1
        self.key = f"{self.name}-{self.count:07}".encode()
        return self.key

    def _send(self, key: bytes) -> None:
        self._transport.write(self.requests.one(key, self.count))


async def sent(
    port: int, api_key: str, load: Load, go_on: Callable[[], bool], *, name: str = "bench", clients: int = CLIENTS
) -> None:
    """Send as long as `go_on` says so, into `load`; each client waits for its last answer.

    Raises:
        BenchFailed: an answer never came.
    """
    start, spent = time.perf_counter(), time.process_time()
    requests = Requests(port, api_key)
    senders = [_Sender(f"{name:x<5}-{place:04}", port, requests, load, go_on) for place in range(clients)]
    try:
        async with asyncio.timeout(LONGEST_S):
            for sender in senders:
                await sender.connect()
            await asyncio.gather(*(sender.ended for sender in senders))
    except TimeoutError as error:
        raise BenchFailed("un envoi est resté sans réponse", where="bench reports") from error
    load.seconds, load.client_cpu_s = time.perf_counter() - start, time.process_time() - spent


# --- The web processes ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def web(port: int, *, workers: int, environment: Environment = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web processes in a group of their own, and kill them all at once (SIGKILL) when the block ends."""
    code = "from beffroi.config.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", str(port), "--workers", str(workers)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True, env=environment)
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


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_of_group(group: int) -> float:
    """Return the processor time spent so far by the processes of a group, in seconds; 0 where /proc does not say."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def throughput(api_key: str, *, seconds: float, workers: int) -> Load:
    """Send reports for `seconds` to a site that is warm."""
    port, load = free_port(), Load()
    with web(port, workers=workers) as process:
        asyncio.run(sent(port, api_key, Load(), _for(1.5), name="warm"))
        before = cpu_of_group(process.pid)
        asyncio.run(sent(port, api_key, load, _for(seconds)))
        load.web_cpu_s = cpu_of_group(process.pid) - before
    return load


def _for(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def killed(
    api_key: str, *, each: int, workers: int, kills: int = 3, clients: int = CLIENTS, environment: Environment = None
) -> Load:
    """Send reports while the web processes are killed in the middle of the load, and started again, `kills` times.

    Args:
        each: how many reports are acknowledged between two kills, and after the last.
        environment: of the web processes; that of this one when not given.
    """
    port, load, last = free_port(), Load(), asyncio.Event()

    async def scene() -> None:
        sending = asyncio.create_task(sent(port, api_key, load, lambda: not last.is_set(), clients=clients))
        for life in range(kills + 1):
            with contextlib.ExitStack() as stack:
                # Leaving the block kills the whole group at once, while requests are under way.
                await asyncio.to_thread(stack.enter_context, web(port, workers=workers, environment=environment))
                wanted = len(load.acknowledged) + each
                while len(load.acknowledged) < wanted and not sending.done():
                    await asyncio.sleep(0.005)
                if life == kills:
                    last.set()
                if last.is_set() or sending.done():
                    await sending

    asyncio.run(scene())
    return load
