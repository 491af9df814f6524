"""The `indicators` engine: figures declared by a use case (`settings`), or crossed by agents (`lake.crossing.engine`).

[indicators]
tool  = "declared"
group = "IRIS"

[[indicators.measures]]
slug = "habitants"
…

[[example]]
when = { sources = { population-iris = "IRIS;COM;P22_POP\\n000000101;00000;900\\n" } }
then = { whole = { habitants = 900.0 }, year = { habitants = "2022" } }
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from beffroi.base.catalogue.definition import Example, UseCase
from beffroi.base.catalogue.engine import register_engine
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake.crossing.engine import CrossingSettings, run_crossing
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import missing, using_lake
from beffroi.sense.indicators import floors, police, vacancy
from beffroi.sense.indicators.computations import known_names
from beffroi.sense.indicators.queries import declared, sheet_of
from beffroi.sense.indicators.settings import Declared

ENGINE = "indicators"
# Imported for what they register: computations and comparisons by their names.
COMPUTED = (floors, police, vacancy)
_TOWN, _DAY = "00000", datetime(2026, 1, 1, tzinfo=UTC)
_READERS = {
    "citoyen": ANONYMOUS,
    "agent": Viewer(None, (Grant(_TOWN, Role.AGENT),)),
    "elu": Viewer(None, (Grant(_TOWN, Role.ELECTED),)),
}


def register() -> None:
    """Make the engine available; each kind of use case has its page."""
    register_engine(ENGINE, schema=read_settings, url_name=_page, example_runner=run_example, lacking=lacking)


def read_settings(table: Mapping[str, Any]) -> Declared | CrossingSettings:
    """Return the settings of a use case, by its `tool`.

    Raises:
        ValueError: a key is unknown or missing, or a computation has no code.
    """
    if table.get("tool") != "declared":
        return CrossingSettings.model_validate(table)
    read = Declared.model_validate(table)
    computations, comparisons = known_names()
    for one in read.measures:
        if one.function and one.function not in computations:
            raise ValueError(f"calcul « {one.function} » inconnu ; parmi : {', '.join(sorted(computations))}")
        for beside in one.besides:
            if beside.function and beside.function not in comparisons:
                raise ValueError(
                    f"comparaison « {beside.function} » inconnue ; parmi : {', '.join(sorted(comparisons))}"
                )
    return read


def _page(use_case: UseCase) -> str:
    return "portal:declared" if declared(use_case) else "portal:crossing"


def lacking(use_case: UseCase, territory: str) -> tuple[str, ...]:
    """Return the datasets a use case waits for while none of its measures has all of its own."""
    wanted = declared(use_case)
    if wanted is None:
        return ()
    absent = {slug for slug in wanted.datasets if missing(territory, (slug,))}
    if any(absent.isdisjoint(one.datasets) for one in wanted.measures):
        return ()
    return tuple(slug for slug in wanted.datasets if slug in absent)


def run_example(use_case: UseCase, example: Example) -> Mapping[str, Any]:
    """Import the `sources` (text by slug, or by slug and file name) in a lake of their own, and read the indicators.

    Keys of the answer, by slug of measure: whole, year, values, why, before and besides (each by line, where there are
    some), missing (its datasets).
    """
    wanted = declared(use_case)
    if wanted is None:
        return run_crossing(use_case, example)
    known = [one for one in load_definitions()[0] if not one.territories]
    with tempfile.TemporaryDirectory(prefix="beffroi-example-") as folder:
        for slug, text in example.when["sources"].items():
            path = Path(folder, example.when.get("files", {}).get(slug, f"{slug}.csv"))
            path.write_text(text, encoding="utf-8")
            outcome = import_source(
                path, territory=_TOWN, slug=slug, definition=definition_named(slug, "", known) or Definition(slug),
                at=_DAY, lake=Path(folder, "lake"), announce=False,
            )  # fmt: skip
            if outcome.version is None:
                return {"refused": str(outcome.reason)}
        with using_lake(Path(folder, "lake")):
            found = sheet_of(_READERS[example.when.get("by", "agent")], _TOWN, wanted, is_open=False)
    told: dict[str, dict[str, Any]] = {"missing": {slug: list(slugs) for slug, slugs in found.missing.items()}}
    for one in found.answers:
        kinds = {
            "values": {line.name: _short(line.value) for line in one.lines if line.value is not None},
            "why": {line.name: line.why for line in one.lines if line.why},
            "before": {line.name: _short(line.before) for line in one.lines if line.before is not None},
            "besides": {line.name: [*map(_short, line.besides)] for line in one.lines if any(line.besides)},
        }
        for kind, known_of in kinds.items():
            told.setdefault(kind, {}).update({one.measure.slug: known_of} if known_of else {})
        told.setdefault("year", {})[one.measure.slug] = one.year
        told.setdefault("whole", {}).update(
            {} if one.whole.value is None else {one.measure.slug: _short(one.whole.value)}
        )
    return told


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
