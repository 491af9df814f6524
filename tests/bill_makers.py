"""Makers of families, units and bills for the tests of every floor."""

from __future__ import annotations

from datetime import UTC, date, datetime

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.serve.payments import operations, queries
from territory_makers import make_person, make_town

CODE = "00000"
AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
MONTH = date(2026, 10, 1)
SERVICE = "education"
HEAD = "mois;famille;enfant;service;unites\n"


def make_billing_town(code: str = CODE, *, fictional: bool = True) -> str:
    """Create a town whose bills are kept by a service."""
    make_town(code, "Bourg-les-Factures", fictional=fictional, bbox=BBox(3.86, 43.59, 3.90, 43.62))
    territory.add_service(territory=code, slug=SERVICE, name="Éducation", at=AT)
    return code


def keeper(town: str = CODE, *, person: int | None = None) -> Viewer:
    """Return an agent who keeps the bills."""
    number = make_person(Role.AGENT, territory=town, services=(SERVICE,)) if person is None else person
    return Viewer(number, (Grant(town, Role.AGENT, frozenset({SERVICE})),))


def make_family(by: Viewer, town: str = CODE, reference: str = "F-1", **facts: object) -> int:
    """Write a family down, with a quotient of 500 € and an address."""
    told: dict[str, object] = {"name": f"Famille {reference}", "email": "famille@exemple.fr", "quotient": 500}
    return operations.save_family(by, town, reference=reference, at=AT, **(told | facts))  # type: ignore[arg-type]


def deposit(by: Viewer, lines: str, town: str = CODE, *, at: datetime = AT) -> object:
    """Deposit lines such as ``2026-10;F-1;Lou;cantine;12``."""
    return operations.take_deposit(by, town, name="octobre.csv", content=(HEAD + lines).encode(), at=at)


def issue(by: Viewer, town: str = CODE, *, month: date = MONTH, at: datetime = AT) -> list[int]:
    """Look at the bills of a month, and send them."""
    (plan,) = queries.month_plans(by, town, month)
    return operations.issue_month(by, town, month, register=plan.register, fingerprint=plan.fingerprint, at=at)


def make_bill(by: Viewer, town: str = CODE, *, units: int = 12, reference: str = "F-1", at: datetime = AT) -> int:
    """Send the bill of one family: so many meals at 2,40 €."""
    make_family(by, town, reference)
    deposit(by, f"2026-10;{reference};Lou;cantine;{units}\n", town, at=at)
    (key,) = issue(by, town, at=at)
    return key
