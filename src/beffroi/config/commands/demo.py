"""`beffroi demo`: a fictional town, its people and its services, on this machine, in one command."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

import beffroi
from beffroi import __version__
from beffroi.base.kernel.files import written_whole
from beffroi.config.demo.children import Children, answers
from beffroi.config.demo.town import PEOPLE, DemoRefused, build

Tell = Callable[[str, float], None]

_STATE = "demo.json"
_HOUSE = Path(beffroi.__file__).parent
WAIT_S = 60.0


_ROLES = {
    "resident": "habitante",
    "agent": "agent",
    "elected": "élue",
    "administrator": "administratrice",
    "neighbour_agent": "agent d'une autre commune",
}


@click.command("demo")
@click.option("--port", default=8000, show_default=True, help="Port du site.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Dossier des données [défaut : data/demo].")
@click.option("--population", default=10_000, show_default=True, help="Habitants, de 2 000 à 1 000 000.")
@click.option("--json", "as_json", is_flag=True, help="Une seule ligne JSON, quand le site répond.")
@click.option("--browser/--no-browser", default=False, help="Ouvrir le navigateur quand le site répond.")
def demo_command(port: int, data_dir: Path | None, population: int, as_json: bool, browser: bool) -> None:
    """Bâtir une ville fictive complète, et la servir sur cette machine.

    La même population donne la même ville. Le premier démarrage bâtit tout ; interrompu, il reprend où il en était.
    Les suivants servent ce qui existe.
    """
    folder = (data_dir or Path(os.environ.get("BEFFROI_DATA_DIR") or "data/demo")).expanduser().resolve()
    _free_port(port)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["BEFFROI_DATA_DIR"] = str(folder)
    os.environ["BEFFROI_STRONG_AUTH"] = "0"
    os.environ.setdefault("BEFFROI_LOG_LEVEL", "WARNING")
    state = _read_state(folder)
    with _told(quiet=as_json) as tell:
        with _silent_output():
            state = prepare(folder, population=population, state=state, tell=tell)
        tell("Démarrage du site", 0.97)
        children = Children()
        stop = _stop_on_signals()
        try:
            url = f"http://127.0.0.1:{port}"
            children.start("web", "serve", "--port", str(port))
            ready = answers(f"{url}/health", children, stop, wait_s=WAIT_S)
            # Second, so that the pages do not wait for it: both load the whole house.
            children.start("worker", "worker")
            if ready:
                tell("Le site répond", 1.0)
        except BaseException:
            children.stop()
            raise
    try:
        if ready:
            _announce(state, url, as_json=as_json, population=population)
            if browser:
                webbrowser.open(url)
        children.watch(stop)
    finally:
        children.stop()


def prepare(folder: Path, *, population: int, state: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Build what is missing of the demonstration in `folder`, and return its state, as kept in ``demo.json``.

    Every step is done again harmlessly, so that one interrupted resumes.

    Raises:
        DemoRefused: the registry holds a real commune: its data must not be opened to known passwords.
    """
    wanted = {"population": population, "version": __version__, "registry": _registry_shape()}
    if state.get("ready") == wanted:
        return state
    drawn = [{"role": one.role, "email": one.email, "password": secrets.token_urlsafe(12)} for one in PEOPLE]
    state.setdefault("users", drawn)
    _begin_registry(folder, state)
    # Kept before anyone is created: a demonstration interrupted here still knows the passwords.
    _write_state(folder, state)
    passwords = {user["email"]: user["password"] for user in state["users"]}
    state["api_keys"] = build(folder, population=population, passwords=passwords, tell=tell)
    state["ready"] = wanted
    state["registry"] = "made"
    _write_state(folder, state)
    return state


def _registry_shape() -> str:
    """Return a word that changes with the migrations of this code: a town made before one is brought up to it.

    Read from the names of the files: a second start has no time to load Django for it.
    """
    names = sorted(str(path.relative_to(_HOUSE)) for path in _HOUSE.glob("*/*/migrations/0*.py"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _begin_registry(folder: Path, state: dict[str, Any]) -> None:
    """Start again from no registry when an earlier start was killed while making it, and only then.

    Django notes a migration after committing its tables: killed in between, the next run finds tables it does not know
    and stops. Nothing is lost: a registry this command began and never finished holds only what it puts there.
    """
    files = [folder / f"registry.sqlite3{suffix}" for suffix in ("", "-wal", "-shm")]
    if state.get("registry") == "begun":
        for path in files:
            path.unlink(missing_ok=True)
    if not files[0].exists():
        state["registry"] = "begun"


def _announce(state: dict[str, Any], url: str, *, as_json: bool, population: int) -> None:
    if as_json:
        payload = {"url": url, "users": state["users"], "api_keys": state["api_keys"]}
        click.echo(json.dumps(payload, ensure_ascii=False))
        sys.stdout.flush()
        return
    click.echo(f"\n  Valbruyère-sur-Onde, ville fictive de {population:,} habitants".replace(",", " "))
    click.echo(f"  {url}/\n")
    width = max(len(user["email"]) for user in state["users"])
    for user in state["users"]:
        click.echo(f"  {user['email']:<{width}}  {user['password']}  ({_ROLES[user['role']]})")
    for key in state["api_keys"]:
        click.echo(f"  clé d'API ({', '.join(key['scopes'])}) : {key['key']}")
    click.echo("\n  Ctrl-C pour arrêter.")


def _free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoRefused(
                "le port {port} est déjà pris", where="--port", remedy="choisissez-en un autre : --port 8001", port=port
            ) from error


def _read_state(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return state


def _write_state(folder: Path, state: dict[str, Any]) -> None:
    # mkstemp gives mode 0600: the passwords of the demonstration are for who started it.
    with written_whole(folder / _STATE, "w", encoding="utf-8") as handle:
        json.dump(state, handle, ensure_ascii=False, indent=1)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def ask(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


@contextmanager
def _silent_output() -> Iterator[None]:
    """Drop what libraries and child processes write on the standard output: it is kept for the answer.

    DuckDB draws a progress bar there, from C++, when a query lasts.
    """
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _told(*, quiet: bool) -> Iterator[Tell]:
    """Yield what tells the progress: a bar on the terminal (standard error), nothing when quiet."""
    if quiet:
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Ville fictive", total=1.0)
        yield lambda what, share: progress.update(task, description=what[:34], completed=share)
