"""`beffroi demo`: one command, one JSON line, clean stop, quick second start, resumed first start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from beffroi.config.commands import demo as command
from servers import PATIENCE_S, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CODE = "from beffroi.config.cli import main; main()"


def environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BEFFROI_", "DATABASE_", "DJANGO_"))
    }
    return kept | {"BEFFROI_LOG_LEVEL": "ERROR"}


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            CODE,
            "demo",
            "--port",
            str(port),
            "--data-dir",
            str(folder),
            "--population",
            "2000",
            "--json",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )


@contextmanager
def demo(folder: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    process = start(folder, free_port())
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        process.stdout.close()


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def descendants_of(process: int) -> list[int]:
    """The processes it started, and those that these started, where the system tells (Linux)."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    children = [int(child) for path in lists for child in path.read_text().split()]
    return children + [one for child in children for one in descendants_of(child)]


def is_alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@dataclass(frozen=True)
class Built:
    """The folder of a demonstration, what its first start said, and how it ended once it was interrupted."""

    folder: Path
    said: dict[str, Any]
    code: int
    last_words: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A demonstration killed while it was being built, then built."""
    folder = tmp_path_factory.mktemp("demo")
    process = start(folder, free_port())
    assert process.stdout is not None
    waited = time.monotonic() + 240
    while not any((folder / "lake").glob("00001/*/current")) and time.monotonic() < waited:
        time.sleep(0.05)
    family = descendants_of(process.pid)
    process.kill()
    process.wait(PATIENCE_S)
    process.stdout.close()
    ended = time.monotonic() + PATIENCE_S
    while any(is_alive(one) for one in family):
        assert time.monotonic() < ended, "processes outlive the demonstration that started them"
        time.sleep(0.05)
    with demo(folder) as (said, process):
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        return Built(folder, said, process.wait(PATIENCE_S), process.stdout.read())


@pytest.fixture(scope="module")
def again(built: Built) -> Iterator[dict[str, Any]]:
    """What its second start says, for as long as it runs."""
    with demo(built.folder) as (said, _):
        yield said


def test_a_killed_start_resumes_and_serves(built: Built) -> None:
    state = json.loads((built.folder / "demo.json").read_text(encoding="utf-8"))
    assert state["ready"]["population"] == 2_000
    assert (built.folder / "demo.json").stat().st_mode & 0o077 == 0
    assert not list(built.folder.rglob("*.part"))


def test_it_answers_with_people_of_every_role_and_data_cut_by_rights(again: dict[str, Any]) -> None:
    roles = {user["role"] for user in again["users"]}
    assert roles == {"resident", "agent", "elected", "administrator", "neighbour_agent"}
    assert all(len(user["password"]) >= 12 for user in again["users"])
    landlord = ("stock", "stock:000000018")
    assert {tuple(one["scopes"]) for one in again["api_keys"]} == {
        (),
        ("data:agents",),
        ("observations:write",),
        ("reports:write",),
        landlord,
    }
    assert status(again["url"] + "/") == 200
    assert status(again["url"] + "/health") == 200
    assert status(again["url"] + "/donnees/00001/arbres/") == 200
    assert status(again["url"] + "/donnees/00001/cavites/") == 404
    assert status(again["url"] + "/donnees/00001/habitat-indigne/") == 404


def test_it_stops_cleanly_and_says_nothing_more(built: Built) -> None:
    assert (built.code, built.last_words) == (0, "")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(built.said["url"], timeout=PATIENCE_S)  # noqa: S310 - our own server


def test_a_second_start_keeps_its_people(built: Built, again: dict[str, Any]) -> None:
    assert again["users"] == built.said["users"]
    assert again["api_keys"] == built.said["api_keys"]


def test_a_town_made_before_a_migration_is_brought_up_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def build(_folder: Path, *, population: int, **_more: object) -> list[object]:
        built.append(population)
        return []

    monkeypatch.setattr(command, "build", build)

    def start_again() -> int:
        state = command._read_state(tmp_path)
        command.prepare(tmp_path, population=2_000, state=state, tell=lambda _what, _share: None)
        return len(built)

    assert [start_again(), start_again()] == [1, 1]
    monkeypatch.setattr(command, "_registry_shape", lambda: "one migration more")
    assert [start_again(), start_again()] == [2, 2]


def test_a_port_already_taken_is_said_before_anything_is_built(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [
            sys.executable,
            "-c",
            CODE,
            "demo",
            "--port",
            str(taken.getsockname()[1]),
            "--data-dir",
            str(tmp_path / "d"),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(), timeout=PATIENCE_S, check=False
        )
    assert done.returncode == 1
    assert "est déjà pris" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "d").exists()
