"""Child processes of a command: started together, watched, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress

from beffroi.base.kernel.errors import BeffroiError

GRACE_S = 12.0


class ChildEnded(BeffroiError):
    """A child process stopped by itself."""


class Children:
    """The `beffroi` commands run below this one. Their standard output is dropped, their errors are shown."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Start ``beffroi <arguments>``; it ends with this process, even when that one is killed (Linux)."""
        code = "from beffroi.config.cli import main; main()"
        self._running[name] = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # A session of its own: Ctrl-C reaches this process alone, which asks each child once.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def check(self) -> None:
        """Raise when a child has ended by itself.

        Raises:
            ChildEnded: names the child and its exit status.
        """
        for name, child in self._running.items():
            status = child.poll()
            if status is not None:
                raise ChildEnded(
                    "« {name} » s'est arrêté (statut {status})",
                    where="beffroi demo",
                    remedy="le message au-dessus dit pourquoi ; relancez ensuite",
                    name=name,
                    status=status,
                )

    def watch(self, stop: threading.Event) -> None:
        """Wait until `stop` is set.

        Raises:
            ChildEnded: a child ended before.
        """
        while not stop.wait(0.5):
            self.check()

    def stop(self) -> None:
        """Ask every child to end, and make those end that have not after 12 s."""
        for child in self._running.values():
            if child.poll() is None:
                child.terminate()
        end = time.monotonic() + GRACE_S
        for child in self._running.values():
            try:
                child.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                # With the processes it started: alone, it would leave them answering on its port.
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def answers(url: str, children: Children, stop: threading.Event, *, wait_s: float) -> bool:
    """Wait until `url` answers 200 (True) or `stop` is set (False).

    Raises:
        ChildEnded: a child ended, or nothing answered in `wait_s` seconds.
    """
    end = time.monotonic() + wait_s
    while not stop.is_set():
        children.check()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server, on 127.0.0.1
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pass
        if time.monotonic() > end:
            raise ChildEnded("le site ne répond pas après {wait} s", where=url, remedy="relancez", wait=int(wait_s))
        stop.wait(0.1)
    return False


def _end_with_parent() -> None:
    """Have the kernel end this process when its parent dies (Linux only; elsewhere a kill -9 leaves it running)."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() == 1:
        os._exit(1)
