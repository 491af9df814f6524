"""Begin a session of work by its reason; read the record of premises, which is logged before anything is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.territory.viewer import SERVICE_PREFIX, TRACED, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Owners
from beffroi.lake.queries import Filter
from beffroi.sense.twin.events import OWNERS_BEGUN, OWNERS_READ
from beffroi.sense.twin.models import OwnersReading, OwnersWork
from beffroi.sense.twin.owners.queries import lot_named, plain, require_entitled, work_in_course
from beffroi.sense.twin.premises.lots import Lot
from beffroi.sense.twin.written import key_among, read_rows

LEAST_REASON = 10
_PRICE = re.compile(r"(\d[\d \u00a0\u202f.]*)(?:,\d+)?\s*(?:EUR|euros?|€)", re.IGNORECASE)


class NoReason(BeffroiError):
    """No session of work is open: the reason must be given first."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a right over premises, and which."""

    name: str
    right: str
    siren: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """The establishment tied to premises."""

    name: str
    siret: str
    open: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """A sale or a cession of a business (BODACC); `price_eur` is None where the notice says none."""

    number: str
    day: str
    buyer: str
    seller: str
    price_eur: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of premises. `rental_eur` is the cadastral rental value of a year, not a rent."""

    lot: Lot
    owners: tuple[Owner, ...]
    rental_eur: float | None
    year: int | None
    tenant: Tenant | None
    transfers: tuple[Transfer, ...]


@transaction.atomic
def begin_work(viewer: Viewer, territory: str, wanted: Owners, *, reason: str, at: datetime) -> int:
    """Open a session of work; what is read until it ends is logged under its reason.

    Raises:
        OwnersRefused: the viewer is not entitled. NoReason: too short to say why.
    """
    require_entitled(viewer, territory, wanted)
    if len(reason.strip()) < LEAST_REASON:
        raise NoReason(gettext_noop("écrivez pourquoi vous consultez ces données"), where="reason",
                       remedy=gettext_noop("{least} caractères au moins"), least=LEAST_REASON)  # fmt: skip
    row = OwnersWork.objects.create(
        territory=territory, person_id=viewer.person_id, reason=reason.strip()[:500], opened_at=at,
        ends_at=at + timedelta(hours=wanted.hours),
    )  # fmt: skip
    record(kind=OWNERS_BEGUN, subject=f"owners:{territory}/{row.pk}", payload={"number": row.pk},
           actor=viewer.person_id, territory=territory, at=at)  # fmt: skip
    return row.pk


def end_work(viewer: Viewer, territory: str, wanted: Owners, *, at: datetime) -> None:
    """End the session of work of a person: the next reading asks for a reason again.

    Raises:
        OwnersRefused: the viewer is not entitled.
    """
    require_entitled(viewer, territory, wanted)
    mine = OwnersWork.objects.filter(territory=territory, person_id=viewer.person_id or 0, ends_at__gt=at)
    mine.update(ends_at=at)


def consult(viewer: Viewer, territory: str, wanted: Owners, number: str, *, at: datetime) -> Record:
    """Log a reading, then return the record of premises: what cannot be logged is not read.

    Raises:
        OwnersRefused: the viewer is not entitled. NoReason: no session of work is open.
        LotNotFound: no such premises of work.
    """
    work = work_in_course(viewer, territory, wanted, at=at)
    if work is None:
        raise NoReason(gettext_noop("dites d’abord pourquoi vous consultez ces données"), where="reason")
    lot = lot_named(territory, wanted, number)
    with transaction.atomic():
        OwnersReading.objects.create(
            territory=territory, work_id=work.number, person_id=viewer.person_id, lot=lot.id, address=lot.address[:200],
            at=at,
        )  # fmt: skip
        record(kind=OWNERS_READ, subject=f"premises:{territory}/{lot.id}", payload={"work": work.number},
               actor=viewer.person_id, territory=territory, at=at)  # fmt: skip
    return _record_of(territory, wanted, lot)


def _record_of(territory: str, wanted: Owners, lot: Lot) -> Record:
    rights = _rows(territory, wanted.rights, "idlocal", lot.id)
    owners = tuple(Owner(plain(one, "ddenom"), plain(one, "droit"), plain(one, "dsiren")) for one in rights)
    value = next((one for one in rights if one.get("vl_eur") is not None), {})
    known = _rows(territory, wanted.premises.companies, "siret", lot.siret) if lot.siret else []
    tenant = None
    if known:
        one = known[0]
        person = " ".join(filter(None, (plain(one, "prenom1unitelegale"), plain(one, "nomunitelegale"))))
        name = plain(one, "enseigne1etablissement") or plain(one, "denominationunitelegale") or person
        tenant = Tenant(name, lot.siret, one.get("etatadministratifetablissement") == "A")
    year = value.get("annee")
    return Record(
        lot, owners, float(value["vl_eur"]) if value else None, int(year) if year else None, tenant,
        _transfers(territory, wanted, lot.siret[:9]) if lot.siret else (),
    )  # fmt: skip


def _transfers(territory: str, wanted: Owners, siren: str) -> tuple[Transfer, ...]:
    """Return the notices in which the establishment's company buys or sells, the last first."""
    rows = {}
    for column in ("registre", "listeprecedentproprietaire"):
        # A notice writes a SIREN with spaces as well as without.
        for written in (siren, f"{siren[:3]} {siren[3:6]} {siren[6:]}"):
            for one in _rows(territory, wanted.transfers, column, written, op="contains"):
                if plain(one, "familleavis") == "vente":
                    rows[plain(one, "id")] = one
    found = [
        Transfer(number, plain(one, "dateparution")[:10], plain(one, "commercant"), _seller(one), _price(one))
        for number, one in rows.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.day, one.number), reverse=True))


def _seller(row: dict[str, Any]) -> str:
    told = re.search(r'"(?:denomination|nom)"\s*:\s*"([^"]+)"', plain(row, "listeprecedentproprietaire"))
    return told[1] if told else ""


def _price(row: dict[str, Any]) -> int | None:
    told = _PRICE.search(plain(row, "listeetablissements"))
    return int(re.sub(r"\D", "", told[1])) if told else None


def _rows(territory: str, slug: str, column: str, value: str, *, op: Any = "eq") -> list[dict[str, Any]]:
    """Return the rows of a dataset whose column holds a value, with eyes nobody has."""
    eyes = Viewer(None, (Grant(territory, Role.AGENT, frozenset({TRACED.removeprefix(SERVICE_PREFIX)})),))
    found = next((one for one in lake.datasets(eyes, territory=territory) if one.ref.slug == slug), None)
    if found is None:
        return []
    detail = lake.dataset(eyes, found.ref, version=found.version)
    if key_among(detail, (column,)) is None:
        return []
    keys = [one.key for one in detail.columns]
    return [
        dict(zip(keys, row, strict=True))
        for row in read_rows(eyes, detail, *keys, where=(Filter(column, op, value),))
    ]  # fmt: skip
