"""The public reports of a town as a dataset of the lake: a version a night, the same one when nothing changed.

Of a report the lake is told where, what, when and what came of it; no words, no photo, no person, not how many
follow it. A report is told once a service has taken it in charge: what was sent to the wrong category, or to harm,
has been seen by someone first. Who may read a report is asked anew for each version; one that is no longer everyone's
to read takes the versions that told of it away with it, at once (`follow`) and again each night.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from django.conf import settings

from beffroi.base.clock import queries as clock
from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory import queries as territory_queries
from beffroi.lake import operations as lake
from beffroi.lake import withdrawing
from beffroi.lake.definitions import definition_for, load_definitions
from beffroi.lake.operations import ImportOutcome, ImportStatus
from beffroi.lake.store import DatasetRef
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import NEVER, OUTCOME_TITLES, STATUS_TITLES, Outcome, Status
from beffroi.serve.reports.categories import open_categories
from beffroi.serve.reports.models import Report

logger = logging.getLogger(__name__)

DATASET = "signalements"
SOURCE = "signalements.beffroi.geojson"
_TOLD = (Status.ACCEPTED, Status.WAITING, Status.SCHEDULED, Status.CLOSED)
_FIELDS = (
    "pk", "lon", "lat", "district", "street", "source", "case__category", "case__service", "case__status",
    "case__outcome", "case__opened_at", "case__closed_at", "case__due_at", "case__reopened",
)  # fmt: skip


class SnapshotRefused(BeffroiError):
    """The reports of a town could not be put into the lake."""

    http_status = 500


def take_snapshots(at: datetime) -> None:
    """Put the reports of every town into the lake; one that fails does not keep the others from theirs.

    Raises:
        SnapshotRefused: of one town at least; the night's job is tried again.
    """
    failed = []
    for commune in territory_queries.communes():
        try:
            take_snapshot(commune.code, at=at)
        except BeffroiError as fault:
            logger.exception("the reports of %s are not in the lake", commune.code)
            failed.append(fault)
    if failed:
        raise failed[0]


def take_snapshot(territory: str, *, at: datetime) -> ImportOutcome | None:
    """Put the public reports of a town into the lake; None when it has none to tell.

    Versions that tell of a report which is no longer everyone's leave the lake.

    Raises:
        SnapshotRefused: the lake would not take them.
        LakeNotWritable: the disk is full, or not ours to write.
    """
    definitions, _faults = load_definitions([shipped_folder("datasets"), Path(settings.DATA_DIR) / "datasets"])
    outcome = None
    with tempfile.TemporaryDirectory(prefix="beffroi-") as folder:
        path = Path(folder) / SOURCE
        if _write(path, territory):
            definition = definition_for(SOURCE, territory, definitions)
            outcome = lake.import_source(path, territory=territory, slug=DATASET, definition=definition, at=at)
    if outcome is not None and outcome.status is ImportStatus.REFUSED:
        raise SnapshotRefused(
            "le lac refuse les signalements : {reason}", where=f"{territory}/{DATASET}", reason=str(outcome.reason)
        )
    _withdraw_hidden(territory, at=at)
    return outcome


def _withdraw_hidden(territory: str, *, at: datetime) -> None:
    ref = DatasetRef(territory, DATASET)
    told = withdrawing.values_by_version(ref, "numero")
    if not told:
        return
    rows = Report.objects.filter(cases.public(territory, prefix="case__")).order_by().values_list("pk", flat=True)
    public = {cases.number_of(key) for key in rows.iterator(chunk_size=2000)}
    wrong = [version for version, numbers in told.items() if not numbers <= public]
    withdrawing.withdraw_versions(ref, wrong, at=at, reason="signalements qui ne sont plus publics")


def follow(event: RecordedEvent) -> None:
    """Withdraw the versions that told of a report which is no longer everyone’s to read; consumer of the journal."""
    number = str(event.payload["number"])
    if cases.public_status(number):
        return
    told = withdrawing.values_by_version(DatasetRef(event.territory, DATASET), "numero")
    if any(number in numbers for numbers in told.values()):
        take_snapshot(event.territory, at=event.at)


def _write(path: Path, territory: str) -> int:
    """Write the reports to a GeoJSON file, in the order of their keys, and return how many there are."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for count, feature in enumerate(_features(territory), start=1):
            file.write(("," if count > 1 else "") + "\n" + json.dumps(feature, ensure_ascii=False))
        file.write("\n]}\n")
    return count


def _features(territory: str) -> Iterator[dict[str, Any]]:
    zone, known = clock.timezone_of(territory), open_categories(territory)
    rows = Report.objects.filter(cases.public(territory, prefix="case__"), case__lead=None, case__status__in=_TOLD)
    for row in rows.order_by("pk").values(*_FIELDS).iterator(chunk_size=2000):
        category = known.get(row["case__category"])
        opened, closed = _day(row["case__opened_at"], zone), _day(row["case__closed_at"], zone)
        yield {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
            "properties": {
                "numero": cases.number_of(row["pk"]),
                "categorie": row["case__category"],
                "libelle": category.category.label if category else row["case__category"],
                "groupe": (category.category.group if category else "") or None,
                "service": row["case__service"],
                "etat": STATUS_TITLES[Status(row["case__status"])],
                "issue": OUTCOME_TITLES[Outcome(row["case__outcome"])] if row["case__outcome"] else None,
                "recu_le": _text(opened),
                "clos_le": _text(closed),
                "delai_jours": (closed - opened).days if closed and opened else None,
                "quartier": row["district"] or None,
                "rue": row["street"] or None,
                "echeance": None if row["case__due_at"] == NEVER else _text(_day(row["case__due_at"], zone)),
                "rouvert": row["case__reopened"],
                "origine": row["source"],
            },
        }


def _day(at: datetime | None, zone: tzinfo) -> date | None:
    return None if at is None else at.astimezone(zone).date()


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
