"""The one thing that unmakes a version: what it told must no longer be told. For the rooms that write datasets.

The lake keeps every version because a past fact stays a fact. A report found to be about a squat, put in a category
that everyone reads, is no such fact: each version that holds it leaves, with all that was made of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from django.db import transaction

from beffroi.base.journal import operations as journal
from beffroi.lake import sql
from beffroi.lake.events import VERSIONS_WITHDRAWN
from beffroi.lake.seeing import lake_in_use
from beffroi.lake.store import DatasetNotFound, DatasetRef, Lake


def values_by_version(ref: DatasetRef, column: str) -> dict[str, frozenset[str]]:
    """Return what a column of text holds in each version, the newest first, whoever may read it; never for a page."""
    lake = lake_in_use()
    found: dict[str, frozenset[str]] = {}
    with sql.workbench(threads=1) as con:
        for version in lake.versions(ref):
            data = str(lake.version_folder(ref, version) / "data.parquet")
            asked = f"SELECT DISTINCT CAST({sql.name(column)} AS VARCHAR) FROM read_parquet(?)"  # noqa: S608 - our name
            found[version] = frozenset(value for (value,) in con.execute(asked, [data]).fetchall() if value is not None)
    return found


def withdraw_versions(ref: DatasetRef, versions: Collection[str], *, at: datetime, reason: str) -> None:
    """Unmake versions of a dataset, and what was made of them; when the one served is among them, none is any more.

    Put a version that may be told in service first. The journal keeps which left, and why. Killed on the way, a
    version is whole or gone, and asking again does the rest.

    Raises:
        LakeNotWritable: the disk is full, or not ours to write.
    """
    if not versions:
        return
    lake = lake_in_use()
    with lake.writing(ref) as folder:
        if _served(lake, ref) in versions:
            (folder / "current").unlink(missing_ok=True)
            (folder / "checked.json").unlink(missing_ok=True)
        for version in versions:
            _unmake(lake, ref, folder, version)
    with transaction.atomic():
        journal.record(
            kind=VERSIONS_WITHDRAWN,
            subject=f"dataset:{ref}",
            payload={"versions": sorted(versions), "reason": reason},
            territory=ref.territory,
            at=at,
        )


def _served(lake: Lake, ref: DatasetRef) -> str:
    try:
        return lake.in_force(ref).version
    except DatasetNotFound:
        return ""


def _unmake(lake: Lake, ref: DatasetRef, folder: Path, version: str) -> None:
    home = folder / "versions"
    aside = home / f".{version}.part"
    if (home / version).is_dir():
        # From here on no reader finds it, and whoever holds the dataset next sweeps what is left.
        (home / version).rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
    (folder / "announce" / version).unlink(missing_ok=True)
    for laid in (folder / "edits").glob(f"{version}.*"):
        shutil.rmtree(laid, ignore_errors=True)
    shutil.rmtree(lake.root / ".cache" / ".columns" / ref.territory / f"{ref.slug}~", ignore_errors=True)
    for made in (lake.root / ".cache", lake.root / ".cache" / ".columns"):
        shutil.rmtree(made / ref.territory / ref.slug / version, ignore_errors=True)
