"""An import killed at any moment leaves the version served as it was, no partial file, and the next one succeeds."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

import warm
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import queries
from beffroi.lake.store import Lake
from lake.store import lakes
from servers import PATIENCE_S

STEPS = (
    "after-data", "after-serving-public", "after-serving-agents", "after-papers", "before-fsync", "before-rename",
    "after-rename", "after-rights", "before-current", "after-current",
)  # fmt: skip
BEFORE, AFTER, NEXT = 40, 60, 61
SCRIPT = Path(__file__).with_name("importer_process.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


class Importer:
    """A process that publishes a version, and what it said so far."""

    def __init__(self, lake: Path, rows: int, second: int, *step: str) -> None:
        lake.mkdir(parents=True, exist_ok=True)
        self._words = lake.parent / f"said-{rows}-{second}"
        self._words.touch()
        self.process = warm.start(SCRIPT, lake, str(rows), str(second), *step, env=ENVIRONMENT, out=self._words)

    def said(self) -> list[str]:
        return self._words.read_text().split()

    def end(self) -> int:
        return self.process.wait()


def _served_rows(viewer_page: queries.FeaturePage) -> int:
    assert viewer_page.number_matched == viewer_page.number_returned
    return viewer_page.number_returned


def _check_whole(lake: Path) -> int:
    """Check that what is served, and every version listed, is whole; return the number of rows served."""
    seen = queries.dataset(ANONYMOUS, lakes.ref())
    rows = _served_rows(queries.features(ANONYMOUS, lakes.ref(), limit=1000))
    assert seen.summary.rows == rows == queries.table(ANONYMOUS, lakes.ref()).total
    for version in seen.versions:
        page = queries.features(ANONYMOUS, lakes.ref(), version=version.version, limit=1000)
        assert _served_rows(page) == version.rows
        assert queries.import_report(lakes.AGENT, lakes.ref(), version=version.version).rows_kept == version.rows
    return rows


def _check_next_import_succeeds(lake: Path) -> None:
    assert lakes.published(lake, [lakes.tree(i) for i in range(NEXT)], at=lakes.AT + timedelta(hours=1)).version
    assert _check_whole(lake) == NEXT
    home = lake / lakes.TOWN / "arbres"
    assert [path for path in home.rglob("*") if path.name.endswith(".part")] == []
    assert {path.name for path in (home / "versions").iterdir()} == set(Lake(lake).versions(lakes.ref()))


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_import_killed_at_each_step_leaves_a_whole_version(lake: Path, step: str) -> None:
    lakes.published(lake, [lakes.tree(i) for i in range(BEFORE)], accesses={"note": "agents"})
    importer = Importer(lake, AFTER, 60, step)
    assert importer.end() == -signal.SIGKILL
    assert importer.said()[-1] == step
    expected = {True: AFTER, False: BEFORE}[step == "after-current"]
    assert _check_whole(lake) == expected
    _check_next_import_succeeds(lake)


@pytest.mark.slow
def test_import_killed_at_thirty_random_moments_leaves_a_whole_version(lake: Path) -> None:
    rng = random.Random(20261123)
    lakes.published(lake, [lakes.tree(i) for i in range(BEFORE)], accesses={"note": "agents"})
    span = _time_of_one_import(lake)
    killed = attempt = 0
    while killed < 30:
        attempt += 1
        assert attempt < 300, "imports end before they can be killed"
        importer = _ready_importer(lake, AFTER + attempt, attempt)
        time.sleep(rng.uniform(0, span))
        importer.process.kill()
        in_time = importer.end() == -signal.SIGKILL
        killed += in_time
        # The first import may have been a slow one (a cold disk): the moments follow the time that imports take now,
        # their end included, so that most are killed on any machine.
        span *= 1.1 if in_time else 0.8
        assert _check_whole(lake) in range(AFTER, AFTER + attempt + 1)
    _check_next_import_succeeds(lake)


def _ready_importer(lake: Path, rows: int, second: int) -> Importer:
    importer = Importer(lake, rows, second)
    end = time.monotonic() + PATIENCE_S
    while not importer.said():
        assert time.monotonic() < end, "it never began"
        time.sleep(0.001)
    return importer


def _time_of_one_import(lake: Path) -> float:
    importer = _ready_importer(lake, AFTER, 0)
    started = time.monotonic()
    assert importer.end() == 0
    return time.monotonic() - started


def test_first_import_killed_leaves_no_dataset(lake: Path) -> None:
    importer = Importer(lake, AFTER, 1, "before-current")
    assert importer.end() == -signal.SIGKILL
    assert queries.datasets(lakes.AGENT) == []
    with pytest.raises(queries.DatasetNotFound):
        queries.dataset(lakes.AGENT, lakes.ref())
    _check_next_import_succeeds(lake)


def test_two_importers_of_one_dataset_take_turns(lake: Path) -> None:
    importers = [Importer(lake, AFTER + number, number) for number in (1, 2)]
    assert [importer.end() for importer in importers] == [0, 0]
    assert [importer.said()[-1] for importer in importers] == ["published", "published"]
    assert len(Lake(lake).versions(lakes.ref())) == 2
    _check_next_import_succeeds(lake)
