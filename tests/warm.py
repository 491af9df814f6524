"""Programs run in processes forked from one that has the libraries loaded: 0.2 s of processor each instead of 0.8.

For the tests that start many. Settings, registry and our own code are loaded by each process, from its environment.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CalledProcessError, CompletedProcess, TimeoutExpired

BEFFROI = ("-c", "from beffroi.config.cli import main; main()")
# What `beffroi` imports of others, as far as Django lets it be imported before its settings.
_LIBRARIES = [
    "argon2", "asyncio", "click", "cryptography.fernet", "django.contrib.admin",
    "django.core.management.commands.migrate", "django.db.backends.sqlite3.base", "django.forms", "django.test",
    "duckdb", "numpy", "psycopg", "pydantic", "pyogrio", "pyproj", "requests", "rich.progress", "shapely", "sqlparse",
    "xlsxwriter",
]  # fmt: skip
# A guard against what never ends: a backup restored takes six seconds, and a minute and more where others work.
LONGEST_S = 600.0
_context = multiprocessing.get_context("forkserver")


class Running:
    """A program that was started."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    def poll(self) -> int | None:
        """Return how it ended (minus the signal that killed it), None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float = LONGEST_S) -> int:
        """Wait for its end and return how it ended."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise TimeoutExpired(str(self._process.pid), timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        # It may have ended in the meantime.
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self.send_signal(signal.SIGKILL)


def start(*arguments: str | Path, env: dict[str, str], out: Path | None = None, err: Path | None = None) -> Running:
    """Start `python ARGUMENTS…` (a script or `-c CODE`, and what follows) in the environment `env`.

    What it says is added to the files `out` and `err`, or goes where what the test says goes.
    """
    _start_server()
    words = [str(argument) for argument in arguments]
    process = _context.Process(target=_live, args=(env, words, {1: out, 2: err}))
    process.start()
    return Running(process)


def run(
    *arguments: str | Path, env: dict[str, str], check: bool = False, timeout: float = LONGEST_S
) -> CompletedProcess[str]:
    """Run a program to its end, its output captured as text, as `subprocess.run` does."""
    with tempfile.TemporaryDirectory(prefix="beffroi-said-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        running = start(*arguments, env=env, out=out, err=err)
        try:
            code = running.wait(timeout)
        except TimeoutExpired:
            running.kill()
            raise
        said, complained = (path.read_text(encoding="utf-8") for path in (out, err))
    if check and code:
        raise CalledProcessError(code, list(map(str, arguments)), said, complained)
    return CompletedProcess(arguments, code, said, complained)


def _start_server() -> None:
    # Started without settings: a library that would read them at import must fail, not keep those of the tests.
    kept = os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    _context.set_forkserver_preload(_LIBRARIES)
    forkserver.ensure_running()
    if kept is not None:
        os.environ["DJANGO_SETTINGS_MODULE"] = kept


def _live(env: dict[str, str], words: list[str], files: dict[int, Path | None]) -> None:
    """Be the program: its environment, its files, its words, its end."""
    os.environ.clear()
    os.environ.update(env)
    for number, path in files.items():
        if path is not None:
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    sys.path[:0] = [part for part in env.get("PYTHONPATH", "").split(os.pathsep) if part]
    program, *rest = words
    try:
        if program == "-c":
            sys.argv = ["-c", *rest[1:]]
            exec(rest[0], {"__name__": "__main__"})  # noqa: S102 - the test's own words
        else:
            sys.argv = words
            sys.path.insert(0, str(Path(program).parent))
            runpy.run_path(program, run_name="__main__")
    finally:
        # Processes of `multiprocessing` leave without it, programs do not.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
