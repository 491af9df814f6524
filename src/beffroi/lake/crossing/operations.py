"""Recipes kept under a name: an indicator, counted at each reading, or a dataset, made again when its sources are."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from beffroi.base.kernel.errors import BeffroiError, Refused
from beffroi.base.kernel.sentences import Sentence, gettext_noop
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import AGENTS, PUBLIC, Viewer
from beffroi.lake import duck, sql
from beffroi.lake.crossing.compiling import Compiled, bound
from beffroi.lake.crossing.queries import SavedCrossing, crossed, eyes_of, saved_of
from beffroi.lake.crossing.recipe import Recipe
from beffroi.lake.definitions import Definition
from beffroi.lake.intake import publish_reading, slug_of
from beffroi.lake.manifest import SourceInfo
from beffroi.lake.models import Crossing
from beffroi.lake.operations import require_agent
from beffroi.lake.outcomes import ImportOutcome, ImportStatus
from beffroi.lake.reading import GEOMETRY, Column, ColumnType, Evidence, Reading
from beffroi.lake.sql import BadQuery, QueryTooCostly
from beffroi.lake.store import DatasetNotFound, DatasetRef, InForce, Lake

INDICATOR, DATASET = "indicator", "dataset"
MOST_ROWS = 500_000
MAKING_S, MAKING_MB = 60.0, 1024
FORMAT = "croisement"


def save_crossing(
    viewer: Viewer,
    territory: str,
    recipe: Recipe,
    *,
    title: str,
    kind: str,
    access: str,
    least: int = 1,
    at: datetime,
) -> SavedCrossing:
    """Keep a recipe under a title; that of a dataset is made by a worker, soon.

    It is tried with the eyes of its readers first: what they may not see makes no part of it.

    Raises:
        Refused: the viewer is no agent of the territory, or may not give to those readers.
        BadQuery: no title, a name already taken, an indicator without a summary, sources its readers may not see.
        QueryTooCostly: over the time or the memory allowed.
    """
    require_agent(viewer, territory)
    slug, title = slug_of(title), title.strip()
    if not title:
        raise BadQuery("donnez un titre", where="titre")
    if access not in viewer.clearances(territory):
        raise Refused("vous ne pouvez pas réserver à ce service", remedy="choisissez l'un des vôtres")
    if kind == INDICATOR and recipe.summary is None:
        raise BadQuery("un indicateur est un chiffre", remedy="résumez d'abord : compter, additionner…")
    if is_sandbox(territory) and access == PUBLIC:
        access = AGENTS
    try:
        crossed(eyes_of(access, territory), territory, recipe, least=least)
    except (DatasetNotFound, BadQuery) as fault:
        crossed(viewer, territory, recipe, least=least)
        raise BadQuery(
            "ceux qui liraient ce croisement ne voient pas toutes ses sources",
            where="accès",
            remedy="réservez-le à ceux qui les voient",
        ) from fault
    if kind == DATASET and slug in {ref.slug for ref in Lake(_root()).refs(territory)}:
        raise _taken(title)
    try:
        with transaction.atomic():
            row = Crossing.objects.create(
                territory=territory, slug=slug, title=title[:200], kind=kind, recipe=recipe.as_json(), access=access,
                least=max(1, least), person_id=viewer.person_id, created_at=at,
            )  # fmt: skip
    except IntegrityError as error:
        raise _taken(title) from error
    if kind == DATASET:
        _ask(row.pk)
    return saved_of(row)


def delete_crossing(viewer: Viewer, territory: str, slug: str) -> None:
    """Forget a recipe; the dataset it made stays as it is, and is made no more.

    Raises:
        Refused: the viewer is no agent of the territory.
    """
    require_agent(viewer, territory)
    Crossing.objects.filter(territory=territory, slug=slug, access__in=viewer.clearances(territory)).delete()


def refresh_dependants(ref: DatasetRef) -> None:
    """Have the datasets made of this one made again."""
    for row in Crossing.objects.filter(territory=ref.territory, kind=DATASET).order_by("pk"):
        if ref.slug in saved_of(row).recipe.sources:
            _ask(row.pk)


def refresh_crossing(crossing_id: int, *, at: datetime) -> ImportOutcome | None:
    """Make the dataset of a recipe from its sources of today; None when it was forgotten meanwhile.

    When its readers no longer see a source, what was made of it is reserved to agents until someone mends it.
    """
    from beffroi.lake.announcing import announce_published

    row = Crossing.objects.filter(pk=crossing_id, kind=DATASET).first()
    if row is None:
        return None
    saved = saved_of(row)
    try:
        outcome = _made(saved, at)
    except (DatasetNotFound, BadQuery) as fault:
        _reserve(DatasetRef(saved.territory, saved.slug))
        outcome = _refused(saved, fault)
    except BeffroiError as fault:
        outcome = _refused(saved, fault)
    reason = outcome.reason.as_json() if outcome.reason and outcome.status is ImportStatus.REFUSED else None
    Crossing.objects.filter(pk=row.pk).update(refreshed_at=at, fault=reason)
    announce_published(at=at)
    return outcome


def forget_all(territory: str) -> None:
    """Forget every recipe of a territory: for a sandbox that is emptied."""
    Crossing.objects.filter(territory=territory).delete()


def _root() -> Path:
    return Path(settings.LAKE_DIR)


def _ask(crossing_id: int) -> None:
    from beffroi.lake import tasks

    transaction.on_commit(lambda: tasks.make_crossing.enqueue(crossing_id))


def _taken(title: str) -> BadQuery:
    return BadQuery("« {title} » existe déjà", where="titre", remedy="donnez un autre titre", title=title[:80])


def _refused(saved: SavedCrossing, fault: BeffroiError) -> ImportOutcome:
    return ImportOutcome(ImportStatus.REFUSED, DatasetRef(saved.territory, saved.slug), reason=fault.what)


def _reserve(ref: DatasetRef) -> None:
    lake = Lake(_root())
    try:
        force = lake.in_force(ref)
    except DatasetNotFound:
        return
    if force.access == PUBLIC:
        with lake.writing(ref):
            lake.put_in_force(
                ref, force.version, announce={"kind": "dataset.restored"},
                rights=InForce(force.version, AGENTS, tuple((key, AGENTS) for key, _ in force.columns)),
                definition=lake.definition(ref),
            )  # fmt: skip


def _made(saved: SavedCrossing, at: datetime) -> ImportOutcome:
    """Publish what a recipe gives, under its readers' eyes, as a version of its dataset."""
    answer = crossed(eyes_of(saved.access, saved.territory), saved.territory, saved.recipe, least=saved.least)
    if answer.total > MOST_ROWS and not saved.recipe.summary:
        raise QueryTooCostly("plus de {most} lignes", remedy="filtrez ou résumez davantage", most=MOST_ROWS)
    compiled = Compiled(eyes_of(saved.access, saved.territory), saved.territory, saved.recipe)
    with sql.workbench(memory_mb=MAKING_MB, threads=2) as con:
        timer = threading.Timer(MAKING_S, con.interrupt)
        timer.daemon = True
        timer.start()
        try:
            reading = _reading(con, compiled, saved)
        except duck.InterruptException as error:
            raise QueryTooCostly(
                "la requête dépasse {seconds} s", remedy="filtrez davantage", seconds=MAKING_S
            ) from error
        finally:
            timer.cancel()
        reading.title = saved.title
        for one in answer.sources:
            why = Sentence(gettext_noop("tiré de « {title} », version {version}"),
                           {"title": one.title, "version": one.version})  # fmt: skip
            reading.evidences.append(Evidence("member", one.ref.slug, why))
        return publish_reading(
            reading, territory=saved.territory, slug=saved.slug, at=at, source=SourceInfo(FORMAT, FORMAT),
            definition=_definition(saved, compiled), lake=_root(),
        )  # fmt: skip


def _reading(con: Any, compiled: Compiled, saved: SavedCrossing) -> Reading:
    """Return the result as a table of `con`: rows with their place, or figures with that of their area."""
    summary, table = compiled.recipe.summary, "crossing"
    if summary is None:
        columns = tuple(one.column for one in compiled.rows_results())
        located = compiled.base.is_located
        query = compiled.query(placed=located)
        chosen = ", ".join(sql.name(one.key) for one in columns) + (f", {GEOMETRY}" if located else "")
        where = ""
    else:
        figure = compiled.measure(summary)[1]
        area = compiled.area(summary)
        by = None if area or not summary.by else compiled.group(summary).column
        key = Column("groupe", by.title if by else "Zone", ColumnType.TEXT)
        columns = (key, Column("nombre", "Nombre de lignes", ColumnType.INTEGER))
        chosen = "CAST(groupe AS VARCHAR) AS groupe, CAST(nombre AS BIGINT) AS nombre"
        if summary.function != "count":
            columns = (*columns, Column("valeur", figure.column.title, ColumnType.NUMBER, figure.column.unit))
            chosen += ", CAST(valeur AS DOUBLE) AS valeur"
        located = area is not None and area.is_located
        query = compiled.query(placed=located)
        chosen += f", {GEOMETRY}" if located else ""
        where = f" WHERE nombre >= {int(saved.least)}" if saved.least > 1 else ""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {chosen} FROM ({query.text}){where}", bound(query))  # noqa: S608
    (rows,) = con.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return Reading(con, table, columns, rows, has_geometry=located)


def _definition(saved: SavedCrossing, compiled: Compiled) -> Definition:
    """Return what the dataset says of itself: its sources, their licences, who may read it."""
    manifests = [part.seen.manifest for part in compiled.parts]
    titles = ", ".join(f"« {one.title} »" for one in manifests)
    told = f" Rien n'est dit de moins de {saved.least} lignes." if saved.least > 1 and saved.recipe.summary else ""
    return Definition(
        saved.slug,
        theme=manifests[0].theme,
        title=saved.title,
        description=f"Tiré de {titles} par un agent, et refait à chacune de leurs mises à jour.{told}",
        producer=", ".join(dict.fromkeys(one.producer for one in manifests if one.producer)),
        licence=licence_of([one.licence for one in manifests]),
        access=saved.access,
        fictional=any(one.fictional for one in manifests),
    )


def licence_of(licences: list[str]) -> str:
    """Return the licence of what is made of several: the one that asks for the same again wins, else all are said.

    >>> licence_of(["Licence Ouverte 2.0", "ODbL 1.0"]), licence_of(["LO 2.0", "LO 2.0"]), licence_of(["LO 2.0", ""])
    ('ODbL 1.0', 'LO 2.0', 'LO 2.0')
    """
    said = list(dict.fromkeys(one for one in licences if one))
    shared = [one for one in said if "odbl" in one.lower() or "share" in one.lower() or "-sa" in one.lower()]
    return " ; ".join(shared or said)
