"""What keepers say of their sheets, as a dataset of the lake: no person, no proof, only what they made public.

Written whole from the registry after each change, and again each night: the lake holds what the registry says.
"""

from __future__ import annotations

import json
import logging
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from beffroi.base.clock import queries as clock
from beffroi.base.journal.events import RecordedEvent
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory import queries as territory_queries
from beffroi.lake import operations as lake
from beffroi.lake import queries as lake_queries
from beffroi.lake.definitions import definition_for, load_definitions
from beffroi.lake.operations import ImportStatus
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.serve.offers import events
from beffroi.serve.offers.claims import LIMITS
from beffroi.serve.offers.engine import takes_claims
from beffroi.serve.offers.models import ACCEPTED, Claim

logger = logging.getLogger(__name__)

DATASET = "fiches-tenues"
SOURCE = "fiches-tenues.beffroi.geojson"
KINDS = (events.SHEET_KEPT, events.CLAIM_DECIDED, events.CLAIM_ENDED)


class KeptRefused(BeffroiError):
    """The words of keepers could not be put into the lake."""

    http_status = 500


def publish_kept(territory: str, *, at: datetime) -> None:
    """Put what the keepers of a town say into the lake; the same as before makes no version.

    Raises:
        KeptRefused: the lake would not take them.
    """
    features = [_feature(row, territory) for row in Claim.objects.filter(
        territory=territory, state=ACCEPTED, kept_at__isnull=False).order_by("slug", "sheet")]  # fmt: skip
    if not features and not _is_published(territory):
        return
    # A dataset is never empty: who no longer keeps anything leaves one line that says nothing of any sheet.
    features = features or [_nothing()]
    definitions, _faults = load_definitions([shipped_folder("datasets"), Path(settings.DATA_DIR) / "datasets"])
    with tempfile.TemporaryDirectory(prefix="beffroi-") as folder:
        path = Path(folder) / SOURCE
        body = {"type": "FeatureCollection", "features": features}
        path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
        definition = definition_for(SOURCE, territory, definitions)
        outcome = lake.import_source(path, territory=territory, slug=DATASET, definition=definition, at=at)
    if outcome.status is ImportStatus.REFUSED:
        raise KeptRefused(
            "le lac refuse les fiches tenues : {reason}", where=f"{territory}/{DATASET}", reason=str(outcome.reason)
        )


def follow(event: RecordedEvent) -> None:
    """Publish again after a change; consumer of the journal."""
    publish_kept(event.territory, at=event.at)


def publish_all(at: datetime) -> None:
    """Publish what every town's keepers say: a sheet whose keeper is erased loses her words that night."""
    if not takes_claims():
        return
    for commune in territory_queries.communes():
        try:
            publish_kept(commune.code, at=at)
        except BeffroiError:
            logger.exception("the kept sheets of %s are not in the lake", commune.code)


def _is_published(territory: str) -> bool:
    from beffroi.base.territory.viewer import ANONYMOUS

    try:
        lake_queries.seen_dataset(ANONYMOUS, DatasetRef(territory, DATASET))
    except DatasetNotFound:
        return False
    return True


def _feature(row: Claim, territory: str) -> dict[str, Any]:
    place = None if row.lon is None else {"type": "Point", "coordinates": [row.lon, row.lat]}
    kept_at = row.kept_at
    day = kept_at.astimezone(clock.timezone_of(territory)).date().isoformat() if kept_at else None
    told = {key: row.values.get(key) or None for key in LIMITS}
    return {
        "type": "Feature",
        "geometry": place,
        "properties": {
            "id": f"{row.slug}.{row.sheet}", "nom": row.title, **told,
            "en_activite": row.values.get("active", True), "tenue": "Tenue à jour", "date_maj": day,
        },
    }  # fmt: skip


def _nothing() -> dict[str, Any]:
    told = dict.fromkeys(LIMITS)
    return {"type": "Feature", "geometry": None,
            "properties": {"id": "aucune", "nom": "Aucune fiche n’est tenue", **told, "en_activite": True,
                           "tenue": None, "date_maj": None}}  # fmt: skip
