"""Contract visits: expected from a plan, proved on site by place and time, missed ones told, each month summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction

from beffroi.base.clock import queries as clock
from beffroi.base.clock.deadlines import after_months
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import NotFound, Refused
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases import store
from beffroi.serve.cases.definition import Audience, BadCase, BadMove, Upload
from beffroi.serve.cases.queries import FileContent
from beffroi.serve.cases.words import clean_text
from beffroi.serve.reports import events
from beffroi.serve.reports.models import Contract, Visit, VisitPlan
from beffroi.serve.reports.places import Place, checked_place, distance_m

AHEAD = timedelta(days=14)
# A proof sent late by a telephone without network is taken; one from before the day is not.
LATE_PROOF = timedelta(days=7)


class ContractNotFound(NotFound):
    """No such contract or visit, or it is of a service the viewer does not work in."""


@dataclass(frozen=True, slots=True)
class PlannedPlace:
    """A place of a contract and its days: `weekdays` are digits, 1 Monday to 7 Sunday. Degrees are CRS84."""

    place: str
    lon: float
    lat: float
    weekdays: str
    opens: time = time(6)
    closes: time = time(20)


@dataclass(frozen=True, slots=True)
class ContractInfo:
    """A contract and what it promises. Money in cents, the promised share in thousandths."""

    id: int
    territory: str
    service: str
    name: str
    provider: str
    starts_on: date
    ends_on: date
    promised_permille: int
    visit_cents: int
    penalty_cents: int
    reach_m: int
    places: tuple[PlannedPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitInfo:
    """One expected visit. `state`: ``expected``, ``done``, ``missing``."""

    id: int
    contract: int
    contract_name: str
    place: str
    lon: float
    lat: float
    day: date
    opens: time
    closes: time
    state: str
    proved_at: datetime | None
    distance_m: int | None
    in_time: bool
    note: str
    has_photo: bool


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What one place got in a month."""

    place: str
    expected: int
    done: int
    in_time: int
    missing: int


@dataclass(frozen=True, slots=True)
class MonthlyStatement:
    """A month of a contract, measured against what it promises. Visits still to come are not counted."""

    contract: ContractInfo
    first: date
    last: date
    lines: tuple[StatementLine, ...]

    @property
    def expected(self) -> int:
        return sum(line.expected for line in self.lines)

    @property
    def done(self) -> int:
        return sum(line.done for line in self.lines)

    @property
    def missing(self) -> int:
        return sum(line.missing for line in self.lines)

    @property
    def share_permille(self) -> int | None:
        """Return the share of expected visits that were made, in thousandths; None when none was expected."""
        return None if not self.expected else round(1000 * self.done / self.expected)

    @property
    def keeps_promise(self) -> bool | None:
        """Tell whether the contract's own level was reached; None when nothing was expected."""
        share = self.share_permille
        return None if share is None else share >= self.contract.promised_permille

    @property
    def due_cents(self) -> int:
        """Return what is owed for the visits made, less the penalties of the missing ones; never less than zero."""
        return max(0, self.done * self.contract.visit_cents - self.missing * self.contract.penalty_cents)


@transaction.atomic
def add_contract(
    *,
    territory: str,
    service: str,
    name: str,
    provider: str,
    starts_on: date,
    ends_on: date,
    places: Sequence[PlannedPlace],
    by: Viewer | None,
    at: datetime,
    promised_permille: int = 950,
    visit_cents: int = 0,
    penalty_cents: int = 0,
    reach_m: int = 150,
) -> int:
    """Write a contract down with its places and days; its visits of the next two weeks are expected at once.

    Raises:
        Refused: `by` does not work in the service.
        BadCase: a text, a place, a day or the dates cannot be kept.
    """
    _require(by, territory, service)
    if ends_on < starts_on or not places or not 0 <= promised_permille <= 1000 or not 10 <= reach_m <= 2000:
        raise BadCase(
            "contrat incomplet : dates, lieux ou niveau promis",
            where="contract",
            remedy="donnez une fin après le début, au moins un lieu et une part promise de 0 à 1000 ‰",
        )
    row = Contract.objects.create(
        territory=territory,
        service=service,
        name=clean_text(name, where="name", required=True, limit=200),
        provider=clean_text(provider, where="provider", required=True, limit=200),
        starts_on=starts_on,
        ends_on=ends_on,
        promised_permille=promised_permille,
        visit_cents=visit_cents,
        penalty_cents=penalty_cents,
        reach_m=reach_m,
    )
    for one in places:
        if not one.weekdays or set(one.weekdays) - set("1234567") or one.closes <= one.opens:
            raise BadCase(
                "jours ou heures de passage illisibles pour « {place} »",
                where="places",
                remedy="donnez des jours de 1 (lundi) à 7, et une heure de fin après celle du début",
                place=one.place[:80],
            )
        place, _ = checked_place(territory, one.lon, one.lat, minute=int(at.timestamp() // 60))
        VisitPlan.objects.create(
            contract=row,
            place=clean_text(one.place, where="places", required=True, limit=200),
            lon=place.lon,
            lat=place.lat,
            weekdays="".join(sorted(set(one.weekdays))),
            opens=one.opens,
            closes=one.closes,
        )
    record(
        kind=events.CONTRACT_ADDED,
        subject=f"contract:{row.pk}",
        payload={"name": row.name, "service": service},
        actor=by.person_id if by else None,
        territory=territory,
        at=at,
    )
    expect_visits(at, contract_id=int(row.pk))
    return int(row.pk)


def _require(by: Viewer | None, territory: str, service: str) -> None:
    if by is not None and service not in case_queries.services_of(by, territory):
        raise Refused(
            "vous n’êtes pas du service « {service} »",
            where=territory,
            remedy="demandez à un administrateur de vous y rattacher",
            service=service[:50],
        )


def expect_visits(at: datetime, *, contract_id: int | None = None) -> int:
    """Write the visits expected in the next two weeks, those of today included; done again, it adds nothing twice."""
    plans = VisitPlan.objects.select_related("contract").order_by("pk")
    if contract_id is not None:
        plans = plans.filter(contract=contract_id)
    rows = []
    for plan in plans:
        today = at.astimezone(clock.timezone_of(plan.contract.territory)).date()
        first, last = max(today, plan.contract.starts_on), min(today + AHEAD, plan.contract.ends_on)
        days = (first + timedelta(days=offset) for offset in range(max(0, (last - first).days + 1)))
        rows += [Visit(plan=plan, day=day) for day in days if str(day.isoweekday()) in plan.weekdays]
    before = Visit.objects.count()
    Visit.objects.bulk_create(rows, ignore_conflicts=True)
    return Visit.objects.count() - before


def note_missing_visits(at: datetime) -> int:
    """Mark as missing the visits of past days that nobody proved, and tell each to the journal; return how many."""
    noted = 0
    rows = (
        Visit.objects.select_related("plan__contract").filter(state=Visit.EXPECTED, day__lte=at.date()).order_by("pk")
    )
    for row in rows.iterator():
        contract = row.plan.contract
        if row.day >= at.astimezone(clock.timezone_of(contract.territory)).date():
            continue
        with transaction.atomic():
            changed = Visit.objects.filter(pk=row.pk, state=Visit.EXPECTED).update(state=Visit.MISSING)
            if changed:
                record(
                    kind=events.VISIT_MISSING,
                    subject=f"contract:{contract.pk}",
                    payload={"visit": int(row.pk), "place": row.plan.place, "day": row.day.isoformat()},
                    territory=contract.territory,
                    at=at,
                )
                noted += 1
    return noted


@transaction.atomic
def prove_visit(
    *,
    visit_id: int,
    lon: float,
    lat: float,
    seen_at: datetime,
    by: Viewer,
    at: datetime,
    note: str = "",
    photo: Upload | None = None,
) -> VisitInfo:
    """Prove on site that a visit was made; sent twice by a telephone, it is one proof.

    Args:
        lon, lat: where the person who proves it stood, CRS84.
        seen_at: when she saw it, by her telephone; it may arrive up to a week later.
        photo: what she saw, for her service alone.

    Raises:
        ContractNotFound: no such visit in her services.
        BadCase: too far from the place, another day, a moment to come, or a photo that cannot be kept.
    """
    row = Visit.objects.select_for_update(of=("self",)).select_related("plan__contract").filter(pk=visit_id).first()
    if row is None or row.plan.contract.service not in case_queries.services_of(by, row.plan.contract.territory):
        raise ContractNotFound("aucun passage n° {id} dans vos services", remedy="rechargez la liste", id=visit_id)
    if row.state == Visit.DONE:
        return _visit_info(row)
    contract = row.plan.contract
    local = seen_at.astimezone(clock.timezone_of(contract.territory))
    if local.date() != row.day or not at - LATE_PROOF <= seen_at <= at + timedelta(minutes=5):
        raise BadCase(
            "ce passage est attendu le {day}",
            where="seen_at",
            remedy="constatez celui du jour",
            day=row.day.isoformat(),
        )
    far = distance_m(Place(lon, lat), Place(row.plan.lon, row.plan.lat))
    if not far <= contract.reach_m:
        raise BadCase(
            "vous êtes à {far} m du lieu, {reach} m au plus",
            where="position",
            remedy="approchez-vous, ou attendez que votre position se précise",
            far=round(far) if far == far else "?",
            reach=contract.reach_m,
        )
    row.state, row.proved_at, row.proved_by_id = Visit.DONE, seen_at, by.person_id
    row.distance_m, row.note = round(far), clean_text(note, where="note", limit=1000)
    if photo is not None:
        (file,) = cases.prepare_files([Upload(photo.name, photo.content, Audience.INTERNAL, "visit")])
        row.photo, row.thumbnail = file.digest, file.thumbnail
    row.in_time = row.plan.opens <= local.time() <= row.plan.closes
    row.save()
    record(
        kind=events.VISIT_PROVED,
        subject=f"contract:{contract.pk}",
        payload={"visit": int(row.pk), "place": row.plan.place, "day": row.day.isoformat(), "in_time": row.in_time},
        actor=by.person_id,
        territory=contract.territory,
        at=at,
    )
    return _visit_info(row)


# --- Questions --------------------------------------------------------------------------------------------------------


def contracts(viewer: Viewer, territory: str) -> list[ContractInfo]:
    """Return the contracts of the viewer's services, by name, with their places; nothing to anyone else."""
    mine = case_queries.services_of(viewer, territory)
    rows = Contract.objects.filter(territory=territory, service__in=mine).prefetch_related("plans")
    return [_contract_info(row) for row in rows.order_by("name", "pk")]


def visits(
    viewer: Viewer, territory: str, *, first: date, last: date, contract_id: int | None = None, state: str = ""
) -> list[VisitInfo]:
    """Return the visits of the viewer's services from one day to another, both included, by day and place."""
    rows = Visit.objects.select_related("plan__contract").filter(
        plan__contract__territory=territory,
        plan__contract__service__in=case_queries.services_of(viewer, territory),
        day__gte=first,
        day__lte=last,
    )
    if contract_id is not None:
        rows = rows.filter(plan__contract=contract_id)
    if state:
        rows = rows.filter(state=state)
    return [_visit_info(row) for row in rows.order_by("day", "plan__place", "pk")[:2000]]


def monthly_statement(viewer: Viewer, contract_id: int, *, year: int, month: int) -> MonthlyStatement:
    """Return what a contract's provider did in a month, place by place.

    Raises:
        ContractNotFound: no such contract in the viewer's services.
        BadMove: no such month.
    """
    row = Contract.objects.prefetch_related("plans").filter(pk=contract_id).first()
    if row is None or row.service not in case_queries.services_of(viewer, row.territory):
        raise ContractNotFound("aucun contrat n° {id} dans vos services", remedy="voyez la liste", id=contract_id)
    if not (1 <= month <= 12 and 1900 <= year <= 2999):
        raise BadMove("ce mois n’existe pas", where="month", remedy="donnez une année et un mois de 1 à 12")
    first = date(year, month, 1)
    last = after_months(first, 1) - timedelta(days=1)
    counts: dict[str, list[int]] = {}
    seen = Visit.objects.filter(plan__contract=row, day__gte=first, day__lte=last).exclude(state=Visit.EXPECTED)
    for place, state, in_time in seen.order_by("plan__place", "pk").values_list("plan__place", "state", "in_time"):
        found = counts.setdefault(place, [0, 0, 0, 0])
        found[0] += 1
        found[1] += state == Visit.DONE
        found[2] += in_time
        found[3] += state == Visit.MISSING
    lines = tuple(StatementLine(place, *numbers) for place, numbers in sorted(counts.items()))
    return MonthlyStatement(_contract_info(row), first, last, lines)


def _contract_info(row: Contract) -> ContractInfo:
    return ContractInfo(
        id=int(row.pk),
        territory=row.territory,
        service=row.service,
        name=row.name,
        provider=row.provider,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        promised_permille=row.promised_permille,
        visit_cents=row.visit_cents,
        penalty_cents=row.penalty_cents,
        reach_m=row.reach_m,
        places=tuple(
            PlannedPlace(plan.place, plan.lon, plan.lat, plan.weekdays, plan.opens, plan.closes)
            for plan in sorted(row.plans.all(), key=lambda plan: (plan.place, plan.pk))
        ),
    )


def _visit_info(row: Visit) -> VisitInfo:
    return VisitInfo(
        id=int(row.pk),
        contract=int(row.plan.contract_id),
        contract_name=row.plan.contract.name,
        place=row.plan.place,
        lon=row.plan.lon,
        lat=row.plan.lat,
        day=row.day,
        opens=row.plan.opens,
        closes=row.plan.closes,
        state=row.state,
        proved_at=row.proved_at,
        distance_m=row.distance_m,
        in_time=row.in_time,
        note=row.note,
        has_photo=bool(row.photo),
    )


def visit_photo(viewer: Viewer, visit_id: int, *, thumbnail: bool = False) -> FileContent:
    """Return where the photo of a visit stands, to one who works in its service.

    Raises:
        ContractNotFound: no such visit in her services, or it has no photo.
    """
    row = Visit.objects.select_related("plan__contract").filter(pk=visit_id).exclude(photo="").first()
    contract = row.plan.contract if row is not None else None
    if row is None or contract is None or contract.service not in case_queries.services_of(viewer, contract.territory):
        raise ContractNotFound("aucune photo de ce passage", remedy="rechargez la liste")
    digest = row.thumbnail if thumbnail and row.thumbnail else row.photo
    return FileContent(store.path_of(digest), "image/jpeg", f"passage-{visit_id}.jpg", public=False)


def photo_digests() -> Iterator[str]:
    """Yield the digests of the photos of visits, which the store of attachments keeps."""
    rows = Visit.objects.exclude(photo="").order_by("pk").values_list("photo", "thumbnail")
    yield from (digest for pair in rows.iterator() for digest in pair if digest)
