"""The `tenancy` engine: several communes on one installation, each with its own doors (G-08).

[tenancy]
fresh_days = 365                        # an import is told fresh for so many days

[[example]]
when = { communes = ["Amont", "Aval"], agent_of = "Amont" }
then = { side_by_side = ["Amont", "Aval"], may = ["…"], refused = ["…"] }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, State, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.kernel.errors import Refused

ENGINE = "tenancy"
_SIREN = "980000004"
_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


class TenancySettings(BaseModel):
    """`fresh_days` is how many days after its import a dataset counts as fresh, `page` where one reads it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fresh_days: int = Field(default=365, ge=1, le=3660)
    page: Literal["communes", "needs"] = "communes"


def register() -> None:
    """Make the engine available; the cockpit gives it its page."""
    register_engine(ENGINE, schema=TenancySettings, url_name=_page, example_runner=run_example)


def _page(use_case: UseCase) -> str:
    told = use_case.settings.get(ENGINE)
    return f"cockpit:{told.page}" if isinstance(told, TenancySettings) else "cockpit:communes"


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Found the communes and their grouping, and have the staff of one try the doors of the other; keep nothing.

    `when` holds ``communes`` (names), ``agent_of`` (whose staff tries) and ``on`` (whose doors; another's by default).
    """
    names = [str(name) for name in example.when["communes"]]
    home = str(example.when["agent_of"])
    tried = str(example.when.get("on") or next(name for name in names if name != home))
    with transaction.atomic():
        codes = _founded(names)
        outcome = _tried(use_case, codes[home], codes[tried])
        transaction.set_rollback(True)
    return outcome


def _founded(names: list[str]) -> dict[str, str]:
    from beffroi.base.territory import operations

    codes = {name: f"98{number:03d}" for number, name in enumerate(names, start=901)}
    for name, code in codes.items():
        operations.add_commune(code=code, name=name, at=_START)
    operations.add_grouping(siren=_SIREN, name="Exemple", at=_START, kind="CC", members=codes.values())
    return codes


def _tried(use_case: UseCase, home: str, other: str) -> dict[str, Any]:
    from beffroi.base.catalogue import operations as catalogue
    from beffroi.base.territory import queries as territory
    from beffroi.base.territory.viewer import Grant, Role, Viewer
    from beffroi.lake import operations as lake

    staff = Viewer(grants=(Grant(home, Role.AGENT, frozenset({"voirie"})), Grant(home, Role.ADMINISTRATOR)))
    doors: dict[str, Callable[[], object]] = {
        "data": lambda: lake.require_agent(staff, other),
        "people": lambda: territory.people(staff, other),
        "services": lambda: catalogue.set_state(
            use_case.id, State.RETIRED, territory=other, by=staff, at=_START, reason="Exemple"
        ),
        "keys": lambda: territory.api_keys(staff, other),
    }
    refused = [name for name, door in doors.items() if _refuses(door)]
    return {
        "side_by_side": [commune.name for commune in territory.members(_SIREN)],
        "may": sorted(set(doors) - set(refused)),
        "refused": sorted(refused),
        "reads": sorted(staff.clearances(other)),
    }


def _refuses(door: Callable[[], object]) -> bool:
    try:
        door()
    except Refused:
        return True
    return False
