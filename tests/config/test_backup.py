"""What is backed up comes back, whichever registry it left or reaches; what is damaged is refused whole."""

from __future__ import annotations

import functools
import io
import os
import shutil
import tarfile
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import warm
from registries import copy_registry, environment_of, new_database

FILL = """
from beffroi.config.cli import start_django; start_django()
from datetime import UTC, datetime
from beffroi.base.kernel.time import now
from beffroi.base.territory import operations as territory
from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
at = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
territory.add_commune(code="34172", name="Montpellier", at=at, contour=__import__("shapely").box(3.8, 43.5, 3.9, 43.6))
territory.create_person(email="amina@ville.example", name="Amina « É »", at=at)
catalogue.set_state("G-03", State.PILOT, territory="34172", by=None, at=at, reason="Essai")
catalogue.count_use("G-03", "34172", at); catalogue.flush_usage()
"""

TELL = """
from beffroi.config.cli import start_django; start_django()
import json
from beffroi.config.commands.backup_registry import tables, write_rows
import io
told = {}
for table, model in tables().items():
    out = io.BytesIO(); write_rows(model, out, using="default")
    # PostgreSQL keeps the keys of a JSON value in its own order.
    told[table] = [json.loads(line) for line in out.getvalue().splitlines()]
print(json.dumps(told, sort_keys=True))
"""

USE_AGAIN = """
from datetime import UTC, datetime
from beffroi.base.catalogue import operations, queries
from beffroi.base.catalogue.definition import State
at = datetime(2026, 3, 3, 9, tzinfo=UTC)
print(operations.set_state("G-03", State.RETIRED, territory="34172", by=None, at=at, reason="Essai"))
print(queries.usage_totals("34172", since=at.replace(day=1).date()))
"""


def _run(environment: dict[str, str], *arguments: str) -> CompletedProcess[str]:
    return warm.run(*warm.BEFFROI, *arguments, env=environment)


def _python(environment: dict[str, str], code: str) -> str:
    done = warm.run("-c", code, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def _told_by(folder: str, database_url: str) -> str:
    return _python(_environment(Path(folder), database_url), TELL).strip()


def _told(environment: dict[str, str]) -> str:
    """Return what an installation that nothing changes any more holds; asked of it once."""
    return _told_by(environment["BEFFROI_DATA_DIR"], environment.get("DATABASE_URL", ""))


def _environment(folder: Path, database_url: str = "") -> dict[str, str]:
    return environment_of(folder, database_url, BEFFROI_SECRET_KEY="")


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An installation with an empty registry of the kind asked for."""
    made = {"sqlite": lambda: "", "postgresql": lambda: new_database(_postgresql(request), "target")}
    return _environment(tmp_path / "target", made[request.param]())


def _postgresql(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="module")
def saved_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgresql_url: str, migrated_database: str
) -> tuple[dict[str, str], Path]:
    """An installation on PostgreSQL and its backup."""
    folder = tmp_path_factory.mktemp("saved")
    return _saved(folder, _filled(folder / "data", new_database(postgresql_url, "source", migrated_database)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> tuple[dict[str, str], Path]:
    """An installation on SQLite and its backup."""
    folder = tmp_path_factory.mktemp("saved")
    copy_registry(migrated_file, folder / "data")
    return _saved(folder, _filled(folder / "data"))


def _saved(folder: Path, environment: dict[str, str]) -> tuple[dict[str, str], Path]:
    done = _run(environment, "backup", str(folder / "ville.tar"))
    assert done.returncode == 0, done.stderr
    return environment, folder / "ville.tar"


def _filled(folder: Path, database_url: str = "") -> dict[str, str]:
    environment = _environment(folder, database_url)
    _python(environment, FILL)
    dataset = folder / "lake" / "34172" / "arbres"
    (dataset / "versions" / "v1").mkdir(parents=True)
    (dataset / "versions" / "v1" / "data.parquet").write_bytes(os.urandom(50_000))
    (dataset / "versions" / ".v2.part").write_bytes(b"work under way")
    (dataset / "current").write_text("v1")
    (folder / "uploads").mkdir()
    (folder / "uploads" / "dépôt.csv").write_bytes(b"a;b\n")
    (folder / "attachments" / "0a").mkdir(parents=True)
    (folder / "attachments" / "0a" / "0a1b").write_bytes(b"photo")
    return environment


def _files(folder: Path) -> dict[str, bytes]:
    kept = (path for name in ("lake", "uploads", "attachments") for path in (folder / name).rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("saved", "sqlite"),
        pytest.param("saved", "postgresql", marks=pytest.mark.postgresql),
        pytest.param("saved_on_postgresql", "sqlite", marks=pytest.mark.postgresql),
        pytest.param("saved_on_postgresql", "postgresql", marks=pytest.mark.postgresql),
    ],
    indirect=["target"],
)
def test_everything_comes_back(source: str, target: dict[str, str], request: pytest.FixtureRequest) -> None:
    environment, backup = request.getfixturevalue(source)
    left, reached = Path(environment["BEFFROI_DATA_DIR"]), Path(target["BEFFROI_DATA_DIR"])
    assert backup.stat().st_mode & 0o777 == 0o600
    restored = _run(target, "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    told, *used = _python(target, TELL + USE_AGAIN).splitlines()
    assert told == _told(environment)
    expected = _files(left)
    expected.pop("lake/34172/arbres/versions/.v2.part")
    assert _files(reached) == expected
    assert (reached / "secret.key").read_text() == (left / "secret.key").read_text()
    # Keys drawn from now on follow those restored, and what was counted is still there.
    assert used == ["2", "{'G-03': 1}"]


@pytest.mark.slow
def test_what_is_there_is_replaced_only_by_force_and_kept_aside(
    saved: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    installation, backup = saved
    folder = shutil.copytree(installation["BEFFROI_DATA_DIR"], tmp_path / "data")
    environment = _environment(folder)
    refused = _run(environment, "restore", str(backup))
    assert refused.returncode == 1
    assert "contient déjà des données" in refused.stderr
    assert "Traceback" not in refused.stderr
    (folder / "uploads" / "depuis.csv").write_text("x")
    forced = _run(environment, "restore", "--force", str(backup))
    assert forced.returncode == 0, forced.stderr
    assert not (folder / "uploads" / "depuis.csv").exists()
    (aside,) = folder.glob(".before-restore-*")
    assert (aside / "uploads" / "depuis.csv").exists()
    assert (aside / "registry.sqlite3").exists()
    assert not list(folder.glob(".restoring-*"))


def _rewritten(backup: Path, out: Path, *, change: str, by: bytes | None) -> Path:
    """Copy an archive with the member `change` replaced by `by`, or left out."""
    with tarfile.open(backup) as old, tarfile.open(out, "w") as new:
        for member in old:
            content = (old.extractfile(member) or io.BytesIO()).read()
            kept = {change: by}.get(member.name, content)
            for body in [] if kept is None else [kept]:
                member.size = len(body)
                new.addfile(member, io.BytesIO(body))
    return out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("member", "content", "sentence"),
    [
        ("registry/territory_territory.jsonl", b"", "archive abîmée"),
        ("lake/34172/arbres/current", None, "archive abîmée"),
        ("manifest.json", None, "archive illisible ou incomplète"),
        ("manifest.json", b"{}", "archive illisible ou incomplète"),
    ],
)
def test_a_damaged_archive_changes_nothing(
    saved: tuple[dict[str, str], Path], tmp_path: Path, member: str, content: bytes | None, sentence: str
) -> None:
    damaged = _rewritten(saved[1], tmp_path / "abimee.tar", change=member, by=content)
    target = _environment(tmp_path / "target")
    refused = _run(target, "restore", str(damaged))
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert _files(tmp_path / "target") == {}


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.8])
def test_a_truncated_archive_is_told(saved: tuple[dict[str, str], Path], tmp_path: Path, cut: float) -> None:
    whole = saved[1].read_bytes()
    (tmp_path / "coupee.tar").write_bytes(whole[: int(len(whole) * cut)])
    refused = _run(_environment(tmp_path / "target"), "restore", str(tmp_path / "coupee.tar"))
    assert refused.returncode == 1
    assert "archive" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "lake/../../evil", "evil.txt"])
def test_an_archive_that_writes_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "piege.tar", "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    refused = _run(_environment(tmp_path / "target"), "restore", str(tmp_path / "piege.tar"))
    assert refused.returncode == 1
    assert "n’est pas d’une sauvegarde" in refused.stderr
    assert not (tmp_path / "evil").exists()
