"""Correct one thing of a dataset, seen on every map at once, and make versions of what was corrected.

Entered by `operations`, whose rules hold.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.lake import rights, sql
from beffroi.lake.definitions import definition_from_json
from beffroi.lake.editing_rights import is_counted, may_edit
from beffroi.lake.edits import UNDONE, Edit, lay, undo
from beffroi.lake.manifest import ID, read_json
from beffroi.lake.publishing import publish
from beffroi.lake.reading import GEOMETRY, Reading
from beffroi.lake.seeing import required
from beffroi.lake.store import DatasetRef, Lake


def edit_feature(viewer: Viewer, ref: DatasetRef, edit: Edit, *, at: datetime) -> str:
    """Add, change or remove one thing; return its id. It is on every map before this returns, and durable.

    Raises:
        BadEdit: a column, a value or a shape that does not suit.
        DatasetNotFound: the dataset or the thing is absent, or not for this viewer.
        Refused: the viewer may not correct the data of this territory, or they are counts made from others.
    """
    from beffroi.base.journal import operations as journal

    seen = required(viewer, ref, None)
    require_editor(viewer, ref)
    if is_counted(seen.manifest.definition, ref):
        raise Refused("ces nombres viennent d'un autre jeu de données", remedy="corrigez celui dont ils viennent")
    found = lay(seen.lake, ref, edit, columns=seen.columns, at=at, by=viewer.person_id)
    journal.record(
        kind="dataset.edited",
        subject=f"dataset:{ref}",
        payload={"id": found, "change": edit.kind, "version": seen.manifest.version},
        actor=viewer.person_id,
        territory=ref.territory,
        at=at,
    )
    return found


def undo_edit(viewer: Viewer, ref: DatasetRef, feature_id: str, *, at: datetime) -> None:
    """Undo the last edit of a dataset, if it was of this thing and by this viewer; durable and shown at the return.

    Raises:
        BadEdit: something else was done since, or somebody else did it.
        DatasetNotFound: the dataset is absent, or not for this viewer.
        Refused: the viewer may not correct the data of this territory.
    """
    from beffroi.base.journal import operations as journal

    seen = required(viewer, ref, None)
    require_editor(viewer, ref)
    undo(seen.lake, ref, feature_id, at=at, by=viewer.person_id)
    journal.record(
        kind="dataset.edited",
        subject=f"dataset:{ref}",
        payload={"id": feature_id, "change": UNDONE, "version": seen.manifest.version},
        actor=viewer.person_id,
        territory=ref.territory,
        at=at,
    )


def require_editor(viewer: Viewer, ref: DatasetRef) -> None:
    """Let through those who may correct.

    Raises:
        Refused: anybody else.
    """
    if not may_edit(viewer, ref):
        raise Refused(
            "seuls les agents de la commune peuvent changer ses données", remedy="demandez ce rôle à un administrateur"
        )


def merge_edits(lake: Lake, ref: DatasetRef, *, at: datetime) -> str | None:
    """Make a version of what is laid over the one served, and return it; None when nothing is.

    Raises:
        DatasetNotFound: no version was ever published.
        LakeNotWritable: the disk refuses; the edits stay laid.
    """
    with lake.editing(ref):
        force = lake.in_force(ref)
        if not force.edits:
            return None
        manifest = lake.manifest(ref, force.version)
        base, laid = lake.version_folder(ref, force.version), lake.folder(ref) / "edits" / force.edits
        columns = rights.in_force(manifest.columns, dict(force.columns))
        placed = manifest.geometry_type is not None
        kept = ", ".join([sql.name(one.key) for one in columns] + [f"ST_AsWKB({GEOMETRY}) AS {GEOMETRY}"] * placed)
        with sql.workbench() as con:
            con.execute(
                f"CREATE TEMP TABLE merged AS SELECT {kept} FROM read_parquet(?) WHERE NOT list_contains(?, {ID}) "  # noqa: S608 - quoted keys
                f"UNION ALL BY NAME SELECT {kept} FROM read_parquet(?)",
                [_data(base), read_json(laid / "edits.json")["hidden"], _data(laid)],
            )
            count = con.execute("SELECT count(*) FROM merged").fetchone()[0]
            reading = Reading(
                con, "merged", columns, count, has_geometry=placed, crs=manifest.crs, title=manifest.title,
                licence=manifest.licence, description=manifest.description, period=manifest.period,
            )  # fmt: skip
            # Its corrections are made already: their objects are gone.
            definition = replace(definition_from_json(lake.definition(ref)), access=force.access, corrections=())
            done = publish(lake, ref, reading, source=manifest.source, definition=definition, at=at)
    return done.version


def _data(folder: Path) -> str:
    return str(folder / "data.parquet")
