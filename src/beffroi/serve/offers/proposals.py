"""Places that ask to stand in a directory: sent without an account, looked at by a service, then a row of its dataset.

Accepted, a proposal is an edit of the lake: the map, the directory and the API show it at once, and the night makes a
version of it. Nothing of it is public before.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import SERVICE_PREFIX, Role, Viewer
from beffroi.lake import operations as lake
from beffroi.lake import queries as lake_queries
from beffroi.lake.edits import ADDED, Edit
from beffroi.lake.queries import DatasetRef
from beffroi.serve.cases.words import clean_text
from beffroi.serve.offers import events
from beffroi.serve.offers.definition import BadOffer, OfferNotFound
from beffroi.serve.offers.engine import ProposalsSettings, proposals_rules
from beffroi.serve.offers.models import ACCEPTED, REFUSED, WAITING, Proposal

MOST_A_DAY = 60
"""Proposals of a whole town in a day: more is not shops."""

LIMITS = {"nom": 120, "services": 300, "description": 600, "adresse": 160, "telephone": 30, "horaires_accueil": 200,
          "publics": 120, "conditions_acces": 300}  # fmt: skip
NEEDED = ("nom", "services", "adresse")
_DEGREE_M = 111_195.0
_NUMBER = re.compile(r"^\d+\s*(?:bis|ter|quater|[a-z])?\s*,?\s+(?=\S)", re.IGNORECASE)
_POSTCODE = re.compile(r",?\s+\d{5}\b")


@dataclass(frozen=True, slots=True)
class ProposalInfo:
    """A proposal as the service that looks at it reads it. `contact` is empty when none was left."""

    id: int
    use_case: str
    values: Mapping[str, str]
    lon: float
    lat: float
    contact: str
    sent_at: datetime


def send_proposal(
    territory: str,
    use_case: str,
    *,
    values: Mapping[str, str],
    lon: float,
    lat: float,
    contact: str = "",
    at: datetime,
) -> int:
    """Keep what a place says of itself until an agent looks; the same place sent again changes what waits.

    Raises:
        BadOffer: the directory takes no proposal here, a value is missing, or too many came today.
        BadCase: a text is too long, or cannot be kept.
    """
    rules = proposals_rules(territory, use_case)
    if rules is None:
        raise BadOffer("la commune ne prend pas d’inscription à cet annuaire", remedy="écrivez à la mairie")
    if rules.need:
        lon, lat = coarse(lon, lat, rules.coarse_m)
        values = {**values, "adresse": street_of(values.get("adresse", ""))}
    kept = {
        key: clean_text(values.get(key, ""), where=key, limit=limit, required=key in NEEDED)
        for key, limit in LIMITS.items()
    }
    told = {"values": kept, "lon": round(lon, 6), "lat": round(lat, 6),
            "contact": clean_text(contact, where="contact", limit=120), "sent_at": at}  # fmt: skip
    with transaction.atomic():
        waiting = Proposal.objects.select_for_update().filter(territory=territory, use_case=use_case, state=WAITING)
        # Two people may lack the same thing in the same street: both count.
        same = next((one for one in waiting.order_by("pk") if not rules.need and _same(one.values, kept)), None)
        if same is not None:
            Proposal.objects.filter(pk=same.pk).update(**told)
            return int(same.pk)
        today = Proposal.objects.filter(territory=territory, sent_at__gt=at - timedelta(days=1))
        if today.count() >= MOST_A_DAY:
            raise BadOffer("trop d’inscriptions sont arrivées aujourd’hui", remedy="revenez demain")
        row = Proposal.objects.create(territory=territory, use_case=use_case, **told)
        record(kind=events.PROPOSED, subject=f"proposal:{row.pk}", payload={"use_case": use_case}, actor=None,
               territory=territory, at=at, new_subject=True)  # fmt: skip
    return int(row.pk)


def coarse(lon: float, lat: float, cell_m: int) -> tuple[float, float]:
    """Return the middle of the square of `cell_m` metres that holds a place: two neighbours have the same.

    >>> coarse(3.00001, 45.00001, 100) == coarse(3.0001, 45.0001, 100)
    True
    """
    rows = cell_m / _DEGREE_M
    middle = (math.floor(lat / rows) + 0.5) * rows
    columns = rows / math.cos(math.radians(middle))
    return (math.floor(lon / columns) + 0.5) * columns, middle


def street_of(address: str) -> str:
    """Return the street of an address, without its number.

    >>> street_of("12 bis Rue du Lavoir 34000 Bourg"), street_of("Place Neuve")
    ('Rue du Lavoir', 'Place Neuve')
    """
    return _POSTCODE.split(_NUMBER.sub("", address.strip()))[0].strip(" ,")


def waiting_proposals(viewer: Viewer, territory: str) -> list[ProposalInfo]:
    """Return what waits for the viewer, the oldest first: what her service looks at."""
    rows = Proposal.objects.filter(territory=territory, state=WAITING).order_by("sent_at", "pk")
    return [_told(row) for row in rows if _may_decide(viewer, territory, row.use_case)]


def accept_proposal(viewer: Viewer, number: int, *, at: datetime) -> str:
    """Put a place in its dataset, seen everywhere at once; return the id it took.

    Raises:
        OfferNotFound: none waits under this number for the viewer.
        BadOffer: the town has not published the dataset yet.
        BadEdit: a value that its columns do not take.
    """
    with transaction.atomic():
        row, rules = _waiting(viewer, number)
        ref = DatasetRef(row.territory, rules.dataset)
        try:
            columns = {column.key for column in lake_queries.dataset(viewer, ref).columns}
        except lake_queries.DatasetNotFound as error:
            raise BadOffer(
                "la commune n’a pas encore publié « {dataset} »",
                remedy="importez d’abord ce jeu de données, même d’une seule ligne",
                dataset=rules.dataset,
            ) from error
        # Of the town's own making, and never guessed: one proposal accepted twice would be two places.
        found = f"{row.territory}-INS-{row.pk:05d}-{secrets.token_hex(2)}"
        values = {**row.values, "id": found, "date_maj": at.date().isoformat()}
        told = {key: value for key, value in values.items() if key in columns and value}
        place = {"type": "Point", "coordinates": [row.lon, row.lat]}
        Proposal.objects.filter(pk=row.pk).update(state=ACCEPTED, decided_at=at, contact="")
        record(kind=events.DECIDED, subject=f"proposal:{row.pk}", payload={"how": ACCEPTED, "id": found},
               actor=viewer.person_id, territory=row.territory, at=at)  # fmt: skip
        # Last: what the lake took is durable, and nothing after it can fail.
        return lake.edit_feature(viewer, ref, Edit(ADDED, None, told, place), at=at)


def refuse_proposal(viewer: Viewer, number: int, *, reason: str, at: datetime) -> None:
    """Leave a place out, and say why to the colleagues who would ask.

    Raises:
        OfferNotFound: none waits under this number for the viewer.
        BadCase: no reason.
    """
    with transaction.atomic():
        row, _rules = _waiting(viewer, number)
        said = clean_text(reason, where="reason", limit=200, required=True)
        Proposal.objects.filter(pk=row.pk).update(state=REFUSED, decided_at=at, reason=said, contact="")
        record(kind=events.DECIDED, subject=f"proposal:{row.pk}", payload={"how": REFUSED}, actor=viewer.person_id,
               territory=row.territory, at=at)  # fmt: skip


def _waiting(viewer: Viewer, number: int) -> tuple[Proposal, ProposalsSettings]:
    row = Proposal.objects.select_for_update().filter(pk=number, state=WAITING).first()
    rules = None if row is None else proposals_rules(row.territory, row.use_case)
    if row is None or rules is None:
        raise OfferNotFound("aucune inscription n’attend sous ce numéro", remedy="voyez la liste")
    if not _may_decide(viewer, row.territory, row.use_case):
        raise Refused("c’est au service {service} d’y répondre", remedy="demandez-le-lui", service=rules.service)
    return row, rules


def _may_decide(viewer: Viewer, territory: str, use_case: str) -> bool:
    rules = proposals_rules(territory, use_case)
    if rules is None:
        return False
    mine = f"{SERVICE_PREFIX}{rules.service}" in viewer.clearances(territory)
    return mine or viewer.has(Role.ADMINISTRATOR, territory)


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one.get(key, "").casefold() == other.get(key, "").casefold() for key in ("nom", "adresse"))


def _told(row: Proposal) -> ProposalInfo:
    return ProposalInfo(int(row.pk), row.use_case, row.values, row.lon, row.lat, row.contact, row.sent_at)
