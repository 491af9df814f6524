"""What an owner proposes to say of the energy of a building, held until an agent approves it; then on every map.

An approved proposal is laid over the dataset as any edit is; it stays in the registry, and is laid again when a new
version of the national file does not hold it. Taking an approval back puts the row as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError, NotFound, Refused
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import operations as lake_operations
from beffroi.lake import queries as lake
from beffroi.lake.edits import ADDED, CHANGED, REMOVED, Edit
from beffroi.lake.queries import DatasetNotFound, DatasetRef, Filter
from beffroi.sense.twin.energy import DWELLINGS, LEAST_DWELLINGS, LETTERS, MEAN, TOTAL
from beffroi.sense.twin.events import ENERGY_DECIDED, ENERGY_PROPOSED
from beffroi.sense.twin.life import BuildingRef, require_agent
from beffroi.sense.twin.models import EnergyProposal

LABEL, MEASURE = "label", "measure"
PENDING, APPROVED, REFUSED = "pending", "approved", "refused"
MOST_WAITING = 5
"""A person has at most this many proposals waiting in a commune: the queue is read by people."""

_NUMBER = re.compile(r"[0-9]{4}[A-Z][0-9]{7}[A-Z]")
_KEYS = {LABEL: ("numero_dpe",), MEASURE: ("annee", "numero_de_voie", "libelle_de_voie")}
"""The columns that say whether the row is there already."""


class BadProposal(BeffroiError):
    """What is proposed cannot be kept as it is."""


class ProposalNotFound(NotFound):
    """No such proposal, or it is not in the state that is asked."""


@dataclass(frozen=True, slots=True)
class ProposalInfo:
    """One proposal. `values` are by column of its dataset, without the place; `geometry` is kept aside."""

    number: int
    building: BuildingRef
    kind: str
    values: Mapping[str, Any]
    reason: str
    proposed_at: datetime
    state: str
    answer: str
    completes: bool
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Where:
    """Where an approved proposal goes: the dataset, the place of the building (GeoJSON), what its row says of it."""

    ref: DatasetRef
    place: Mapping[str, Any] | None
    said: Mapping[str, Any]


def checked_label(*, number: str, label: str, climate: str, day: date, kwh_m2: float, today: date) -> dict[str, Any]:
    """Return the columns of a diagnosis.

    Raises:
        BadProposal: not the number of a diagnosis, no such label, a day to come, a use that no dwelling has.
    """
    number = number.strip().upper()
    if not _NUMBER.fullmatch(number):
        raise BadProposal(
            gettext_noop("« {number} » n’est pas un numéro de diagnostic"),
            where="number",
            remedy=gettext_noop("il a treize signes, comme 2286E0135164Z, en haut du document"),
            number=number[:30],
        )
    for where, letter in (("label", label), ("climate", climate)):
        if letter not in LETTERS:
            raise BadProposal(
                gettext_noop("une étiquette va de A à G"), where=where, remedy=gettext_noop("choisissez-la")
            )
    if not date(2021, 7, 1) <= day <= today:
        raise BadProposal(
            gettext_noop("un diagnostic valable est établi depuis juillet 2021"),
            where="day",
            remedy=gettext_noop("donnez le jour écrit sur le document"),
        )
    if not 0 <= kwh_m2 <= 2_000:
        raise BadProposal(
            gettext_noop("{kwh} kWh/m² par an n’est pas vraisemblable"),
            where="kwh_m2",
            remedy=gettext_noop("lisez la consommation d’énergie primaire sur le document"),
            kwh=kwh_m2,
        )
    return {
        "numero_dpe": number,
        "etiquette_dpe": label,
        "etiquette_ges": climate,
        "date_etablissement_dpe": day.isoformat(),
        "conso_5_usages_par_m2_ep": kwh_m2,
    }


def checked_measure(*, year: int, dwellings: int, total_mwh: float, today: date) -> dict[str, Any]:
    """Return the columns of a year of electricity.

    Raises:
        BadProposal: fewer than ten dwellings, a year that is not over, a use that no building has.
    """
    if dwellings < LEAST_DWELLINGS:
        raise BadProposal(
            gettext_noop("sous {least} logements, une consommation est personnelle : elle n’est pas publiée"),
            where="dwellings",
            remedy=gettext_noop("gardez-la ; le diagnostic, lui, peut être complété"),
            least=LEAST_DWELLINGS,
        )
    if not 2011 <= year < today.year:
        raise BadProposal(
            gettext_noop("l’année {year} n’est pas une année entière passée"),
            where="year",
            remedy=gettext_noop("donnez une année finie"),
            year=year,
        )
    if not 0 < total_mwh / dwellings <= 100:
        raise BadProposal(
            gettext_noop("{total} MWh pour {dwellings} logements n’est pas vraisemblable"),
            where="total_mwh",
            remedy=gettext_noop("donnez le total de l’année, en MWh (1 MWh = 1 000 kWh)"),
            total=total_mwh,
            dwellings=dwellings,
        )
    return {
        "annee": year,
        DWELLINGS: dwellings,
        TOTAL: total_mwh,
        MEAN: round(total_mwh / dwellings, 3),
        "segment_de_client": "RESIDENTIEL",
    }


@transaction.atomic
def propose(
    viewer: Viewer,
    building: BuildingRef,
    *,
    kind: str,
    values: Mapping[str, Any],
    where: Where,
    reason: str,
    at: datetime,
) -> int:
    """Keep what a signed-in person proposes for an agent to read; return its number. `values` were checked.

    Raises:
        Refused: nobody is signed in, or too many of hers wait already.
        DatasetNotFound: the town has no such dataset.
    """
    if viewer.person_id is None:
        raise Refused(
            gettext_noop("il faut se connecter pour proposer une correction"), remedy=gettext_noop("connectez-vous")
        )
    lake.dataset(viewer, where.ref)
    mine = EnergyProposal.objects.filter(territory=building.territory, author_id=viewer.person_id, state=PENDING)
    if mine.count() >= MOST_WAITING:
        raise Refused(
            gettext_noop("vous avez déjà {most} propositions en attente"),
            remedy=gettext_noop("attendez la réponse de la mairie"),
            most=MOST_WAITING,
        )
    kept = EnergyProposal.objects.create(
        territory=building.territory,
        dataset=building.dataset,
        feature=building.feature,
        building_name=building.name[:200],
        kind=kind,
        values={"columns": {**values, **where.said}, "place": where.place, "slug": where.ref.slug},
        reason=reason.strip()[:2000],
        author_id=viewer.person_id,
        proposed_at=at,
    )
    _record(ENERGY_PROPOSED, kept, viewer.person_id, at, {})
    return kept.pk


def proposals(viewer: Viewer, territory: str) -> list[ProposalInfo]:
    """Return the proposals of a territory: those that wait first, oldest first; then those decided, newest first.

    Raises:
        NotForYou: the viewer is neither agent nor administrator of the territory.
    """
    require_agent(viewer, territory)
    waiting = EnergyProposal.objects.filter(territory=territory, state=PENDING).order_by("proposed_at", "pk")
    decided = EnergyProposal.objects.filter(territory=territory).exclude(state=PENDING).order_by("-decided_at", "-pk")
    return [_info(one, viewer) for one in [*waiting, *decided[:100]]]


def proposals_waiting(viewer: Viewer, territory: str) -> int:
    """Return how many wait for an agent; none to anybody else."""
    if not any(viewer.has(role, territory) for role in (Role.AGENT, Role.ADMINISTRATOR)):
        return 0
    return EnergyProposal.objects.filter(territory=territory, state=PENDING).count()


def proposals_of(viewer: Viewer, building: BuildingRef) -> list[ProposalInfo]:
    """Return those of a building that a reader may see: what is approved, and her own."""
    found = EnergyProposal.objects.filter(
        territory=building.territory, dataset=building.dataset, feature=building.feature
    ).order_by("-proposed_at", "-pk")
    infos = [_info(one, viewer) for one in found]
    return [one for one in infos if one.state == APPROVED or one.is_mine]


def decide(viewer: Viewer, number: int, *, territory: str, approve: bool, answer: str = "", at: datetime) -> None:
    """Approve a proposal, which is on every map before this returns, or refuse it with a reason.

    Raises:
        NotForYou: the viewer is neither agent nor administrator of the territory.
        ProposalNotFound: no such proposal waits.
        BadProposal: a refusal without its reason.
        BadEdit: the dataset cannot hold it.
    """
    require_agent(viewer, territory)
    if not approve and not answer.strip():
        raise BadProposal(
            gettext_noop("dites pourquoi elle est refusée"),
            where="answer",
            remedy=gettext_noop("la personne lira ce motif"),
        )
    with transaction.atomic():
        kept = _locked(number, territory, PENDING)
        kept.state, kept.decided_at, kept.decided_by_id = APPROVED if approve else REFUSED, at, viewer.person_id
        kept.answer = answer.strip()[:2000]
        if approve:
            kept.row, kept.before = _lay(viewer, kept, at)
        kept.save()
        _record(ENERGY_DECIDED, kept, viewer.person_id, at, {"state": kept.state})


def take_back(viewer: Viewer, number: int, *, territory: str, at: datetime) -> None:
    """Take a decision back: the proposal waits again, and the row is as it was before it.

    Raises:
        NotForYou: the viewer is neither agent nor administrator of the territory.
        ProposalNotFound: no such proposal was decided.
    """
    require_agent(viewer, territory)
    with transaction.atomic():
        kept = _locked(number, territory, APPROVED, REFUSED)
        if kept.state == APPROVED:
            ref = DatasetRef(territory, kept.values["slug"])
            undone = Edit(REMOVED, kept.row, {}) if kept.before is None else Edit(CHANGED, kept.row, kept.before)
            # A new version of the file may no longer hold it: nothing is left to undo.
            with suppress(DatasetNotFound):
                lake_operations.edit_feature(viewer, ref, undone, at=at)
        kept.state, kept.row, kept.before = PENDING, "", None
        kept.decided_at, kept.decided_by_id, kept.answer = None, None, ""
        kept.save()
        _record(ENERGY_DECIDED, kept, viewer.person_id, at, {"state": PENDING})


def on_dataset(event: RecordedEvent) -> None:
    """Lay again, over a new version of a dataset, what was approved and it does not hold."""
    territory, _, slug = event.subject.removeprefix("dataset:").partition("/")
    lay_approved(territory, slug, at=now())


def lay_approved(territory: str, slug: str, *, at: datetime) -> int:
    """Lay over a dataset the approved proposals it does not hold; return how many were missing."""
    laid = 0
    found = EnergyProposal.objects.filter(territory=territory, state=APPROVED).order_by("decided_at", "pk")
    for kept in [one for one in found if one.values["slug"] == slug]:
        viewer = Viewer(kept.decided_by_id, (Grant(territory, Role.AGENT),))
        row = _row_of(viewer, kept)
        said = kept.values["columns"]
        if row is not None and all(_same(row[key], value) for key, value in said.items() if key in row):
            continue
        kept.row, kept.before = _lay(viewer, kept, at)
        kept.save(update_fields=["row", "before"])
        laid += 1
    return laid


def _locked(number: int, territory: str, *states: str) -> EnergyProposal:
    found = EnergyProposal.objects.select_for_update().filter(pk=number, territory=territory, state__in=states).first()
    if found is None:
        raise ProposalNotFound(
            gettext_noop("proposition introuvable"),
            where=str(number),
            remedy=gettext_noop("quelqu’un d’autre y a peut-être répondu : relisez la liste"),
        )
    return found


def _lay(viewer: Viewer, kept: EnergyProposal, at: datetime) -> tuple[str, dict[str, Any] | None]:
    """Lay a proposal over its dataset; return the id of the row and what it held, None when it is new."""
    ref = DatasetRef(kept.territory, kept.values["slug"])
    known = {one.key for one in lake.dataset(viewer, ref).columns}
    columns = {key: value for key, value in kept.values["columns"].items() if key in known}
    row = _row_of(viewer, kept)
    if row is None:
        return lake_operations.edit_feature(viewer, ref, Edit(ADDED, None, columns, kept.values["place"]), at=at), None
    before = {key: _plain(row[key]) for key in columns}
    changed = {key: value for key, value in columns.items() if not _same(row[key], value)}
    return lake_operations.edit_feature(viewer, ref, Edit(CHANGED, row["_id"], changed), at=at), before


def _row_of(viewer: Viewer, kept: EnergyProposal) -> dict[str, Any] | None:
    """Return the row of the dataset that a proposal is about, None when there is none yet."""
    ref, said = DatasetRef(kept.territory, kept.values["slug"]), kept.values["columns"]
    known = {one.key for one in lake.dataset(viewer, ref).columns}
    keys = ["_id", *(key for key in said if key in known)]
    where = [Filter(key, "eq", said[key]) for key in _KEYS[kept.kind] if key in known]
    rows = lake.rows(viewer, ref, columns=keys, where=where).rows
    return dict(zip(keys, rows[0], strict=True)) if rows else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _same(one: Any, other: Any) -> bool:
    return str(_plain(one)) == str(other) or (isinstance(one, int | float) and one == other)


def _info(one: EnergyProposal, viewer: Viewer) -> ProposalInfo:
    return ProposalInfo(
        number=one.pk,
        building=BuildingRef(one.territory, one.dataset, one.feature, one.building_name),
        kind=one.kind,
        values=one.values["columns"],
        reason=one.reason,
        proposed_at=one.proposed_at,
        state=one.state,
        answer=one.answer,
        completes=one.before is None,
        is_mine=viewer.person_id is not None and one.author_id == viewer.person_id,
    )


def _record(kind: str, one: EnergyProposal, actor: int | None, at: datetime, more: Mapping[str, Any]) -> None:
    building = BuildingRef(one.territory, one.dataset, one.feature)
    payload = {"number": one.pk, "kind": one.kind, **more}
    record(kind=kind, subject=building.subject, payload=payload, actor=actor, territory=one.territory, at=at)
