"""Tell the journal which versions entered service: at least once each, whoever put them there."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from beffroi.lake import serving
from beffroi.lake.aggregating import refresh_public_views
from beffroi.lake.outcomes import lake_folder
from beffroi.lake.store import Lake


def announce_published(*, at: datetime, lake: Path | None = None) -> int:
    """Record every change of version the journal was not told about and queue its tiles; return how many.

    A version put in service by a process that died before it could tell the journal waits in the lake and is
    announced by the next call: at least once, never not at all. What the public may be told of it (see `aggregating`)
    is published first; what agents made of it is made again by a worker.
    """
    from django.db import transaction

    from beffroi.base.journal import operations as journal
    from beffroi.lake import tasks
    from beffroi.lake.crossing.operations import refresh_dependants

    home = Lake(lake_folder(lake))
    refresh_public_views(home, [ref for ref, _ in home.waiting_announcements()], at=at)
    waiting = home.waiting_announcements()
    for ref, version in waiting:
        # Taking the writer's turn: one who has said what to announce has also put it in service.
        with home.writing(ref) as folder:
            note = folder / "announce" / version
            if not note.is_file():
                continue
            told = json.loads(note.read_text(encoding="utf-8"))
            manifest = home.manifest(ref, version)
            with transaction.atomic():
                journal.record(
                    kind=told.get("kind", "dataset.published"),
                    subject=f"dataset:{ref}",
                    payload={"version": version, "title": manifest.title, "rows": manifest.rows},
                    actor=told.get("actor"),
                    territory=ref.territory,
                    at=at,
                )
                if manifest.geometry_type is not None or manifest.rows >= serving.LATER_FROM_ROWS:
                    tasks.bake_tiles.enqueue(ref.territory, ref.slug, version)
                refresh_dependants(ref)
            home.announced(ref, version)
    return len(waiting)
