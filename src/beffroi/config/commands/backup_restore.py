"""Puts a backup back: everything is read, checked and built aside, then takes its place."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import fsync_folder, fsync_tree
from beffroi.config.commands import backup_registry as registry
from beffroi.config.commands.backup_archive import FORMAT, KEPT_FILES, KEPT_FOLDERS, MANIFEST, Done

REGISTRY_FILE = "registry.sqlite3"


class RestoreRefused(BeffroiError):
    """The backup is damaged, does not suit this installation, or would replace what is there."""


def restore_backup(path: Path, *, force: bool, at: datetime) -> Done:
    """Put back the registry and the files of the backup at `path`; what they replace is kept aside.

    Nothing of the installation changes before every checksum is right and the new registry is complete.

    Raises:
        RestoreRefused: something is there and `force` is not said; the archive is damaged; it comes from another
            version of Beffroi.
    """
    root = Path(settings.DATA_DIR)
    root.mkdir(parents=True, exist_ok=True)
    if not force and (occupied := _occupied(root)):
        raise RestoreRefused(
            "cette installation contient déjà des données ({held})",
            where=str(root),
            remedy="restaurez dans un dossier vide, ou ajoutez --force : l’existant sera gardé à côté",
            held=occupied,
        )
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=root) as folder:
        staged = Path(folder)
        manifest = _staged(path, staged)
        aside = root / f".before-restore-{at:%Y%m%dT%H%M%S}"
        if connection.vendor == "postgresql":
            rows = _into_postgresql(staged, manifest, root, aside)
        else:
            rows = _into_sqlite(staged, manifest, root, aside)
    files = sum(not name.startswith("registry/") for name in manifest["files"])
    return Done(rows, files, aside if aside.exists() else None)


def _occupied(root: Path) -> str:
    lake = root / "lake"
    if lake.is_dir() and any(not entry.name.startswith(".") for entry in lake.iterdir()):
        return "lac"
    try:
        people = registry.tables()["territory_person"]._base_manager.exists()
        places = registry.tables()["territory_territory"]._base_manager.exists()
    except DatabaseError:
        # No table yet: a new installation.
        return ""
    finally:
        connection.close()
    return "registre" if people or places else ""


# --- Reading the archive ---------------------------------------------------------------------------------------------


def _staged(path: Path, staged: Path) -> dict[str, Any]:
    """Unpack the archive into `staged`, check every checksum and return its manifest."""
    sums: dict[str, str] = {}
    try:
        with tarfile.open(path, mode="r:*") as tar:
            for member in tar:
                name = _safe_name(member, path)
                target = staged / name
                target.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                digest = hashlib.sha256()
                with target.open("xb") as out:
                    while content is not None and (chunk := content.read(1 << 20)):
                        digest.update(chunk)
                        out.write(chunk)
                sums[name] = digest.hexdigest()
        manifest: dict[str, Any] = json.loads((staged / MANIFEST).read_bytes())
        expected = {name: entry["sha256"] for name, entry in manifest["files"].items()}
        tables, made_by = manifest["tables"], manifest["migrations"]
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise RestoreRefused(
            "archive illisible ou incomplète", where=str(path), remedy="prenez une autre sauvegarde"
        ) from error
    sums.pop(MANIFEST)
    wrong = sorted(name for name in {*sums, *expected} if sums.get(name) != expected.get(name))
    if wrong:
        raise RestoreRefused(
            "archive abîmée : {count} fichier(s) ne correspondent pas à leur empreinte, dont {name}",
            where=str(path),
            remedy="prenez une autre sauvegarde",
            count=len(wrong),
            name=wrong[0],
        )
    _check_versions(path, manifest, tables, made_by)
    return manifest


def _safe_name(member: tarfile.TarInfo, path: Path) -> str:
    parts = PurePosixPath(member.name).parts
    known = bool(parts) and (parts[0] in ("registry", *KEPT_FOLDERS) or member.name in (MANIFEST, *KEPT_FILES))
    if not known or not member.isreg() or ".." in parts or member.name.startswith("/"):
        raise RestoreRefused(
            "l’archive contient « {name} », qui n’est pas d’une sauvegarde",
            where=str(path),
            remedy="vérifiez d’où vient ce fichier",
            name=member.name[:100],
        )
    return member.name


def _check_versions(path: Path, manifest: dict[str, Any], tables: dict[str, int], made_by: list[list[str]]) -> None:
    from django.db.migrations.loader import MigrationLoader

    here = sorted([app, name] for app, name in MigrationLoader(None).disk_migrations)
    if manifest["format"] != FORMAT or made_by != here or sorted(tables) != sorted(registry.tables()):
        raise RestoreRefused(
            "cette sauvegarde vient de Beffroi {version}, dont le registre n’a pas la même forme qu’ici",
            where=str(path),
            remedy="restaurez-la avec cette version-là, puis mettez à jour et lancez beffroi migrate",
            version=manifest.get("version", "?"),
        )


def _load(staged: Path, manifest: dict[str, Any]) -> int:
    """Fill the empty tables of the registry and return how many rows they now hold."""
    registry.empty_tables()
    total = 0
    for table, model in registry.tables().items():
        with (staged / "registry" / f"{table}.jsonl").open("rb") as lines:
            count = registry.read_rows(model, iter(lines))
        if count != manifest["tables"][table]:
            raise RestoreRefused(
                "{table} : {count} lignes au lieu de {expected}",
                where=table,
                remedy="prenez une autre sauvegarde",
                table=table,
                count=count,
                expected=manifest["tables"][table],
            )
        total += count
    registry.reset_sequences()
    return total


# --- Taking its place ------------------------------------------------------------------------------------------------


def _into_sqlite(staged: Path, manifest: dict[str, Any], root: Path, aside: Path) -> int:
    with _default_registry_at(staged / REGISTRY_FILE):
        call_command("migrate", interactive=False, verbosity=0)
        with transaction.atomic():
            rows = _load(staged, manifest)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with _swapped(staged, root, aside):
        pass
    return rows


@contextmanager
def _default_registry_at(path: Path) -> Iterator[None]:
    """Have the default connection open the SQLite file at `path`.

    Under another alias it would not do: some third-party migrations always write to the default one.
    """
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = path
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


def _into_postgresql(staged: Path, manifest: dict[str, Any], root: Path, aside: Path) -> int:
    # One transaction for tables and rows; it is committed while the folders are exchanged, and both stand or fall.
    transaction.set_autocommit(False)
    try:
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} CASCADE")
        call_command("migrate", interactive=False, verbosity=0)
        with connection.cursor() as cursor:
            # Migrations that alter foreign keys leave them immediate; rows come in the order of tables, not of links.
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        rows = _load(staged, manifest)
        with connection.cursor() as cursor:
            # Broken links are told here, before anything is exchanged.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with _swapped(staged, root, aside):
            transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
    finally:
        transaction.set_autocommit(True)
    return rows


@contextmanager
def _swapped(staged: Path, root: Path, aside: Path) -> Iterator[None]:
    """Put what is staged in its place and what was there aside; on failure, put everything back."""
    names = [name for name in (*KEPT_FOLDERS, *KEPT_FILES, REGISTRY_FILE) if (staged / name).exists()]
    replaced = {*names, *KEPT_FOLDERS}
    if REGISTRY_FILE in names:
        replaced |= {f"{REGISTRY_FILE}-wal", f"{REGISTRY_FILE}-shm"}
    fsync_tree(staged)
    moved: list[tuple[Path, Path]] = []
    try:
        for name in sorted(replaced):
            if (root / name).exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                moved.append((root / name, aside / name))
                (root / name).rename(aside / name)
        for name in names:
            moved.append((staged / name, root / name))
            (staged / name).rename(root / name)
        fsync_folder(root)
        yield
    except BaseException:
        for origin, place in reversed(moved):
            if place.exists() and not origin.exists():
                place.rename(origin)
        if aside.exists() and not any(aside.iterdir()):
            shutil.rmtree(aside)
        raise
