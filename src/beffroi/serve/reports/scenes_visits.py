"""The engine's example of a contract: a month of visits, some proved on site, one missed, and its statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from beffroi.base.catalogue.definition import Example
from beffroi.base.clock.queries import timezone_of
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.reports import visits
from beffroi.serve.reports.models import Visit
from beffroi.serve.reports.scenes import TOWN

_FIRST = date(2026, 3, 1)
_LON, _LAT = 3.8767, 43.6108


def live_month(example: Example) -> Mapping[str, Any]:
    """Write the contract of an example down, prove all its visits but the last `missed`, and sum the month up.

    `when.contract` holds ``weekdays``, ``visit_cents``, ``penalty_cents``, ``promised_permille``; `when.missed` how
    many are missed; `when.away_m` tries one proof from so far away.
    """
    given = example.when["contract"]
    agent = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({"proprete"})),))
    start = datetime.combine(_FIRST, time(7), tzinfo=timezone_of(TOWN))
    contract = visits.add_contract(
        territory=TOWN,
        service="proprete",
        name="Nettoyage du marché",
        provider="Un prestataire",
        starts_on=_FIRST,
        ends_on=date(2026, 3, 31),
        places=(visits.PlannedPlace("Place du marché", _LON, _LAT, str(given["weekdays"])),),
        by=None,
        at=start,
        visit_cents=int(given.get("visit_cents", 0)),
        penalty_cents=int(given.get("penalty_cents", 0)),
        promised_permille=int(given.get("promised_permille", 950)),
    )
    for week in range(1, 5):
        visits.expect_visits(start + timedelta(weeks=week), contract_id=contract)
    expected = visits.visits(agent, TOWN, first=_FIRST, last=date(2026, 3, 31))
    missed = int(example.when.get("missed", 0))
    refused = 0
    for one in expected[: len(expected) - missed]:
        at = datetime.combine(one.day, time(10), tzinfo=timezone_of(TOWN))
        if "away_m" in example.when:
            refused += _is_refused(one.id, float(example.when["away_m"]), agent, at)
        visits.prove_visit(visit_id=one.id, lon=_LON, lat=_LAT, seen_at=at, by=agent, at=at)
    alerted = visits.note_missing_visits(datetime(2026, 4, 1, 6, tzinfo=timezone_of(TOWN)))
    statement = visits.monthly_statement(agent, contract, year=2026, month=3)
    return {
        "expected": statement.expected,
        "done": statement.done,
        "missing": statement.missing,
        "alerted": alerted,
        "refused": refused,
        "keeps_promise": statement.keeps_promise,
        "due_cents": statement.due_cents,
        "left": Visit.objects.filter(plan__contract=contract, state=Visit.EXPECTED).count(),
    }


def _is_refused(visit_id: int, away_m: float, agent: Viewer, at: datetime) -> bool:
    try:
        visits.prove_visit(visit_id=visit_id, lon=_LON, lat=_LAT + away_m / 111_195, seen_at=at, by=agent, at=at)
    except BadCase:
        return True
    return False
