"""Needs one goes to: a call noted by an agent, a usual place. Place and words are sealed; their service alone reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.privacy.sealing import KeyLost, seal, unseal
from beffroi.base.territory import queries as territories
from beffroi.base.territory.viewer import Viewer
from beffroi.sense.mobility import events
from beffroi.sense.mobility.models import Need
from beffroi.sense.mobility.rounds.kinds import kind_for
from beffroi.sense.mobility.rounds.plan import URGENT, Site

DISTRICT_KIND = "quartier"
MOST_WORDS = 2000
# How pressing a need is, and what it weighs in a round.
PRIORITY = {0: 0, 1: URGENT // 2, 2: URGENT}


class NeedNotFound(NotFound):
    """No such need in the viewer's service."""


class BadNeed(BeffroiError):
    """A need, or a passage, cannot be kept as it is told."""


@dataclass(frozen=True, slots=True)
class NeedInfo:
    """A need. `place` is None, and `words` empty, when the key that opens them is lost."""

    id: int
    use_case: str
    usual: bool
    urgency: int
    place: Site | None
    words: str
    noted_at: datetime
    closed_at: datetime | None

    @property
    def source(self) -> str:
        """Return what a stop says it comes from."""
        return source_of(self.id)


def source_of(need_id: int) -> str:
    """Return what a stop made of a need says it comes from."""
    return f"need:{need_id}"


def district_at(territory: str, lon: float, lat: float) -> str:
    """Return the district of a place, empty when it is in none."""
    return next((one.slug for one in territories.zones_at(territory, lon, lat, kind=DISTRICT_KIND)), "")


def needs(viewer: Viewer, territory: str, use_case: str) -> list[NeedInfo]:
    """Return the needs still open: calls, the most urgent first, then usual places.

    Raises:
        KindNotFound: they are not the viewer's.
    """
    kind_for(viewer, territory, use_case)
    rows = Need.objects.filter(territory=territory, use_case=use_case, closed_at__isnull=True)
    return [_info(row) for row in rows.order_by("usual", "-urgency", "noted_at", "pk")]


def need(viewer: Viewer, territory: str, use_case: str, need_id: int) -> NeedInfo:
    """Return one need, open or not.

    Raises:
        KindNotFound, NeedNotFound: it is not the viewer's, or there is none.
    """
    return _info(_row(viewer, territory, use_case, need_id))


@transaction.atomic
def note_need(
    viewer: Viewer, territory: str, use_case: str, *, place: Site, words: str, urgency: int, usual: bool, at: datetime
) -> int:
    """Keep a call, or a usual place, and return its number.

    Raises:
        KindNotFound: such needs are not the viewer's.
        BadNeed: too long, or of no known urgency.
        KeyLost: nothing can be sealed here.
    """
    kind_for(viewer, territory, use_case)
    if urgency not in PRIORITY or len(words) > MOST_WORDS:
        raise BadNeed(
            "ce besoin ne peut pas être noté", where="words", remedy="au plus {most} caractères", most=MOST_WORDS
        )
    told = {"name": place.name, "lon": place.lon, "lat": place.lat, "words": words.strip()}
    row = Need.objects.create(
        territory=territory, use_case=use_case, usual=usual, urgency=urgency, noted_at=at, touched_at=at,
        sealed=seal(json.dumps(told, ensure_ascii=False)),
    )  # fmt: skip
    _tell(row, events.NEED_NOTED, viewer, at)
    return int(row.pk)


@transaction.atomic
def close_need(viewer: Viewer, territory: str, use_case: str, need_id: int, *, at: datetime) -> None:
    """Say that nobody need go there any more; closed already, nothing changes.

    Raises:
        KindNotFound, NeedNotFound: it is not the viewer's, or there is none.
    """
    row = _row(viewer, territory, use_case, need_id)
    if row.closed_at is None:
        row.closed_at = row.touched_at = at
        row.save(update_fields=["closed_at", "touched_at"])
        _tell(row, events.NEED_CLOSED, viewer, at)


def met(source: str, *, territory: str, closes: bool, viewer: Viewer, at: datetime) -> None:
    """Count a passage for the need a stop came from: a call is closed, or open again; a usual place lives on."""
    if not source.startswith("need:"):
        return
    row = Need.objects.filter(territory=territory, pk=int(source.removeprefix("need:"))).first()
    if row is None:
        # Let go of since the round was drawn.
        return
    closed = row.closed_at
    row.touched_at = at
    if not row.usual:
        row.closed_at = (closed or at) if closes else None
    row.save(update_fields=["closed_at", "touched_at"])
    if row.closed_at is not None and closed is None:
        _tell(row, events.NEED_CLOSED, viewer, at)


def _row(viewer: Viewer, territory: str, use_case: str, need_id: int) -> Need:
    kind_for(viewer, territory, use_case)
    row = Need.objects.filter(territory=territory, use_case=use_case, pk=need_id).first()
    if row is None:
        raise NeedNotFound("aucun besoin n° {id} ici", remedy="voyez la liste", id=need_id)
    return row


def _info(row: Need) -> NeedInfo:
    place, words = None, ""
    try:
        told = json.loads(unseal(row.sealed))
    except KeyLost:
        pass
    else:
        place, words = Site(name=told["name"], lon=told["lon"], lat=told["lat"]), told["words"]
    return NeedInfo(int(row.pk), row.use_case, row.usual, row.urgency, place, words, row.noted_at, row.closed_at)


def _tell(row: Need, kind: str, by: Viewer, at: datetime) -> None:
    # Neither where nor what: the journal is read by others.
    record(
        kind=kind, subject=source_of(row.pk), payload={"use_case": row.use_case}, actor=by.person_id,
        territory=row.territory, at=at,
    )  # fmt: skip
