"""Keep directories at the state of the lake, and the documents of their sheets at hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import papers
from beffroi.lake import queries as lake
from beffroi.lake.papers import Kept
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.places.directory import store
from beffroi.sense.places.directory.queries import directories_of


def make_directories(territory: str) -> list[str]:
    """Make the directories of a territory that are late, as everyone reads them; return their use cases.

    Those of narrower readers are made when one of them comes.
    """
    made = []
    for use_case, one in directories_of(territory):
        wanted = store.wanted(ANONYMOUS, territory, use_case, one)
        if wanted is not None:
            store.make(wanted)
            made.append(use_case)
    return made


def keep_papers(territory: str, *, at: datetime) -> Kept:
    """Bring the documents that the sheets of a territory refer to, a few each night; make its directories again."""
    mirror: Path | None = settings.MIRROR_DIR
    kept = failed = waiting = 0
    for ref, column in papers_of(territory):
        if mirror is None and lake.dataset(ANONYMOUS, ref).summary.fictional:
            # The addresses of a fictional town lead nowhere.
            continue
        done = papers.fetch_papers(ref, column, at=at, mirror=mirror)
        kept, failed, waiting = kept + done.kept, failed + done.failed, waiting + done.waiting
    if kept:
        make_directories(territory)
    return Kept(kept, failed, waiting)


def papers_of(territory: str) -> list[tuple[DatasetRef, str]]:
    """Return the public datasets of a territory whose rows refer to documents, with the column that does."""
    found = []
    for _use_case, one in directories_of(territory):
        for slug in one.datasets if one.paper else ():
            ref = DatasetRef(territory, slug)
            try:
                columns = lake.dataset(ANONYMOUS, ref).columns
            except DatasetNotFound:
                continue
            if any(column.key == one.paper for column in columns):
                found.append((ref, one.paper))
    return found


def keep_deposited(territory: str, folder: Path) -> Kept:
    """Keep the documents of a folder that rows refer to by the last part of their address; make the directories."""
    kept = sum(papers.keep_deposited(ref, column, folder).kept for ref, column in papers_of(territory))
    if kept:
        make_directories(territory)
    return Kept(kept)
