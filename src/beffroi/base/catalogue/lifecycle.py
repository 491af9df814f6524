"""The `lifecycle` engine: the catalogue itself is a use case (G-03), and proves it by its examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from beffroi.base.catalogue.definition import Example, State, UseCase
from beffroi.base.catalogue.engine import register_engine

_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


class LifecycleSettings(BaseModel):
    """`usage_days` is how many days the usage curve shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usage_days: int = Field(default=90, ge=7, le=366)


def register() -> None:
    """Make the engine available; the back office gives it its page."""
    register_engine("lifecycle", schema=LifecycleSettings, url_name="backoffice:usecases", example_runner=run_example)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Switch a use case through `states`, use it `uses` times, leave a `remark`; return what remains.

    `when` holds ``territory``, ``states`` (list), ``uses`` (per state), ``remark`` (written while in pilot).
    """
    from beffroi.base.catalogue import operations, queries

    when = example.when
    territory, day = str(when["territory"]), _START
    operations.flush_usage()
    for state in (State(name) for name in when.get("states", [])):
        day += timedelta(days=1)
        operations.set_state(
            use_case.id, state, territory=territory, by=None, at=day, reason=str(when.get("reason", ""))
        )
        for _ in range(int(when.get("uses", 0))):
            operations.count_use(use_case.id, territory, day)
        if state is State.PILOT and when.get("remark"):
            operations.add_remark(use_case.id, territory=territory, text=str(when["remark"]), person=None, at=day)
    operations.flush_usage()
    used = queries.usage_totals(territory, since=_START.date())
    view = queries.use_case(use_case.id, territory=territory)
    return {
        "state": view.state.value,
        "open": view.is_open,
        "decisions": len(queries.decisions(use_case.id, territory)),
        "uses": used.get(use_case.id, 0),
        "remarks": queries.remark_counts(territory).get(use_case.id, 0),
        "exported": sorted(_exported_files(use_case.id, territory)),
    }


def _exported_files(use_case_id: str, territory: str) -> Iterator[str]:
    import io
    import zipfile

    from beffroi.base.catalogue.exporting import exported
    from beffroi.base.territory.viewer import Grant, Role, Viewer

    agent = Viewer(grants=(Grant(territory, Role.AGENT),))
    archive = exported(agent, use_case_id, territory, at=_START)
    yield from zipfile.ZipFile(io.BytesIO(archive)).namelist()
